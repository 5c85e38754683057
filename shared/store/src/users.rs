//! Users, tokens and what a bearer token stands for.

use domain::Timestamp;
use domain::ids::{AccountId, IntegrationId, TokenId, UserId};
use domain::permission::{Principal, PrincipalKind, Role};

use crate::accounts::nameless_admin;
use crate::holdings::{Holding, Holdings};
use crate::items::{BearerItem, TokenItem, TokenOwnerItem, UserItem, decode};
use crate::keys::{Collection, Key, account_pk};
use crate::operation::{Operation, Step};
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// A user of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Which one.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their address; the first user of an account has none until one is given.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// Whether they may change marketing states.
    pub modify_marketing_contacts: bool,
    /// When they were added.
    pub created_at: Timestamp,
}

/// A user to be added.
#[derive(Clone)]
pub struct NewUser {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// Whether they may change marketing states.
    pub modify_marketing_contacts: bool,
}

/// A change of a user. What is `None` stays.
#[derive(Clone, Default)]
pub struct UpdateUser {
    /// Their name.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Their role.
    pub role: Option<Role>,
    /// Whether they may change marketing states.
    pub modify_marketing_contacts: Option<bool>,
}

/// Whose a token is to be.
#[derive(Clone)]
pub enum NewTokenOwner {
    /// A user's.
    User(UserId),
    /// A new integration's.
    Integration {
        /// Its name.
        name: String,
        /// Whether contacts that it creates are set marketing.
        set_marketing: bool,
        /// Whether it may change marketing states.
        modify_marketing_contacts: bool,
    },
}

/// Whose a token is.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenOwner {
    /// A user's.
    User(UserId),
    /// An integration's.
    Integration {
        /// Which one.
        id: IntegrationId,
        /// Its name.
        name: String,
        /// Whether contacts that it creates are set marketing.
        set_marketing: bool,
        /// Whether it may change marketing states.
        modify_marketing_contacts: bool,
    },
}

/// A token as an account sees it. The token itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Which one.
    pub id: TokenId,
    /// Whose.
    pub holder: TokenOwner,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An admin's token that the operator has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminToken {
    /// The token's id.
    pub id: TokenId,
    /// The admin.
    pub user: UserId,
}

impl From<UserItem> for User {
    fn from(item: UserItem) -> Self {
        let UserItem { id, name, email, role, modify_marketing_contacts, created_at, version: _ } = item;
        Self { id, name, email, role, modify_marketing_contacts, created_at }
    }
}

impl From<TokenOwnerItem> for TokenOwner {
    fn from(item: TokenOwnerItem) -> Self {
        match item {
            TokenOwnerItem::User { user } => Self::User(user),
            TokenOwnerItem::Integration { integration, name, set_marketing, modify_marketing_contacts } => {
                Self::Integration { id: integration, name, set_marketing, modify_marketing_contacts }
            }
        }
    }
}

impl From<TokenItem> for Token {
    fn from(item: TokenItem) -> Self {
        Self { id: item.id, holder: item.holder.into(), created_at: item.created_at }
    }
}

impl Store {
    /// Whom a bearer token stands for, by the token's SHA-256 in hexadecimal.
    ///
    /// # Errors
    ///
    /// As every operation. An unknown token is no error but `None`.
    pub async fn authenticate(&self, token_sha256: &str) -> Result<Option<Principal>, StoreError> {
        let Some(bearer) = self.get::<BearerItem>(Key::bearer(token_sha256)).await? else { return Ok(None) };
        let account = bearer.account;
        match bearer.holder {
            TokenOwnerItem::Integration { integration, name, set_marketing, modify_marketing_contacts } => {
                let caller = PrincipalKind::Integration { id: integration, set_marketing };
                Ok(Some(Principal { account, caller, name, modify_marketing_contacts }))
            }
            TokenOwnerItem::User { user } => {
                let user = self.get::<UserItem>(Key::user(account, user)).await?;
                Ok(user.map(|user| Principal {
                    account,
                    caller: PrincipalKind::User { id: user.id, role: user.role },
                    name: user.name,
                    modify_marketing_contacts: user.modify_marketing_contacts,
                }))
            }
        }
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`Refused::LimitReached`].
    pub async fn create_user(
        &self,
        account: AccountId,
        new: &NewUser,
        wall_clock: Timestamp,
        responder: Responder<'_, User>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::account(account)];
        op.mutate(
            &keys,
            responder,
            |keys| op.read(keys),
            async |mut items| {
                let mut holdings = Holdings::read(account, &mut items)?;
                holdings.add(Holding::User)?;
                if new.role == Role::Admin {
                    holdings.add_admin();
                }
                let user = UserItem {
                    id: UserId::new(wall_clock, self.rng().bits()),
                    name: new.name.clone(),
                    email: new.email.clone(),
                    role: new.role,
                    modify_marketing_contacts: new.modify_marketing_contacts,
                    created_at: wall_clock,
                    version: 1,
                };
                let mut transaction = Transaction::default();
                transaction.put(self.put_new(Key::user(account, user.id), &user)?);
                transaction.put(self.put_holdings(holdings)?);
                Ok(Step::Commit(transaction, user.into()))
            },
        )
        .await
    }

    /// Changes a user.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], and [`Refused::LastAdmin`] if no admin with a token would be left.
    pub async fn update_user(
        &self,
        account: AccountId,
        id: UserId,
        change: &UpdateUser,
        wall_clock: Timestamp,
        responder: Responder<'_, User>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::user(account, id), Key::account(account)];
        op.mutate(
            &keys,
            responder,
            |keys| op.read(keys),
            async |mut items| {
                let user: Option<UserItem> = items.take(&Key::user(account, id))?;
                let mut user = user.ok_or(Refused::NotFound("user"))?;
                let (version, role) = (user.version, user.role);
                change.apply(&mut user);
                let mut transaction = Transaction::default();
                transaction.put(self.put_versioned(Key::user(account, id), &user, version)?);
                if user.role != role {
                    let mut holdings = Holdings::read(account, &mut items)?;
                    match user.role {
                        Role::Admin => holdings.add_admin(),
                        Role::Member if self.is_last_admin(account, id).await? => {
                            return Err(Refused::LastAdmin.into());
                        }
                        Role::Member => holdings.remove_admin(),
                    }
                    transaction.put(self.put_holdings(holdings)?);
                }
                Ok(Step::Commit(transaction, user.into()))
            },
        )
        .await
    }

    /// The account's users, in the order in which they were added, those after `after`.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn users(
        &self,
        account: AccountId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Listing<User>, StoreError> {
        let after = after.map(|user| Key::user(account, user).sk);
        self.list::<UserItem, User>(account, Collection::Users, after, limit).await
    }

    /// Creates a token, and the integration that owns it if that is new.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] if there is no such user, and [`Refused::LimitReached`].
    pub async fn create_token(
        &self,
        account: AccountId,
        holder: &NewTokenOwner,
        token_sha256: &str,
        wall_clock: Timestamp,
        responder: Responder<'_, Token>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let mut keys = vec![Key::account(account)];
        if let NewTokenOwner::User(user) = holder {
            keys.push(Key::user(account, *user));
        }
        op.mutate(
            &keys,
            responder,
            |keys| op.read(keys),
            async |mut items| {
                let mut holdings = Holdings::read(account, &mut items)?;
                holdings.add(Holding::Token)?;
                let holder = match holder {
                    NewTokenOwner::User(user) => {
                        if items.take::<UserItem>(&Key::user(account, *user))?.is_none() {
                            let message = "expected the id of a user of this account".to_owned();
                            return Err(Refused::Invalid { field: "user_id", message }.into());
                        }
                        TokenOwnerItem::User { user: *user }
                    }
                    NewTokenOwner::Integration { name, set_marketing, modify_marketing_contacts } => {
                        TokenOwnerItem::Integration {
                            integration: IntegrationId::new(wall_clock, self.rng().bits()),
                            name: name.clone(),
                            set_marketing: *set_marketing,
                            modify_marketing_contacts: *modify_marketing_contacts,
                        }
                    }
                };
                let mut transaction = Transaction::default();
                let id = op.put_token(&mut transaction, token_sha256, &holder)?;
                transaction.put(self.put_holdings(holdings)?);
                Ok(Step::Commit(transaction, Token { id, holder: holder.into(), created_at: wall_clock }))
            },
        )
        .await
    }

    /// Creates a token for the account's first admin, on behalf of the operator. It is the way back into an account
    /// whose admins have lost their tokens, so the limit on tokens does not apply.
    ///
    /// If the account has no admin, a new one is created. No member gets rights that the account has not given.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub async fn create_admin_token(
        &self,
        account: AccountId,
        token_sha256: &str,
        wall_clock: Timestamp,
        responder: Responder<'_, AdminToken>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::account(account)];
        op.mutate(
            &keys,
            responder,
            |keys| op.read(keys),
            async |mut items| {
                let mut holdings = Holdings::read(account, &mut items)?;
                holdings.add_without_limit(Holding::Token);
                let mut transaction = Transaction::default();
                let users = self.every_user(account).await?;
                let user = match users.iter().find(|user| user.role == Role::Admin) {
                    Some(admin) => admin.id,
                    None => {
                        let admin = nameless_admin(UserId::new(wall_clock, self.rng().bits()), wall_clock);
                        transaction.put(self.put_new(Key::user(account, admin.id), &admin)?);
                        holdings.add_without_limit(Holding::User);
                        holdings.add_admin();
                        admin.id
                    }
                };
                let id = op.put_token(&mut transaction, token_sha256, &TokenOwnerItem::User { user })?;
                // The account's version is a condition of this write. It shows that the user is still an admin.
                transaction.put(self.put_holdings(holdings)?);
                Ok(Step::Commit(transaction, AdminToken { id, user }))
            },
        )
        .await
    }

    /// The account's tokens, in the order in which they were made, those after `after`.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn tokens(
        &self,
        account: AccountId,
        after: Option<TokenId>,
        limit: usize,
    ) -> Result<Listing<Token>, StoreError> {
        let after = after.map(|token| Key::token(account, token).sk);
        self.list::<TokenItem, Token>(account, Collection::Tokens, after, limit).await
    }

    /// Deletes a token, which is then no longer accepted.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], and [`Refused::LastAdmin`] if no admin would have a token any more.
    pub async fn delete_token(
        &self,
        account: AccountId,
        id: TokenId,
        wall_clock: Timestamp,
        responder: Responder<'_, ()>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::token(account, id), Key::account(account)];
        op.mutate(
            &keys,
            responder,
            |keys| op.read(keys),
            async |mut items| {
                let token: Option<TokenItem> = items.take(&Key::token(account, id))?;
                let token = token.ok_or(Refused::NotFound("token"))?;
                let mut holdings = Holdings::read(account, &mut items)?;
                holdings.remove(Holding::Token);
                let is_users = matches!(token.holder, TokenOwnerItem::User { .. });
                if is_users && self.is_last_admins_token(account, id).await? {
                    return Err(Refused::LastAdmin.into());
                }
                let mut transaction = Transaction::default();
                for key in [Key::bearer(&token.sha256), Key::token(account, id)] {
                    transaction.delete(self.delete_existing(key)?);
                }
                transaction.put(self.put_holdings(holdings)?);
                Ok(Step::Commit(transaction, ()))
            },
        )
        .await
    }

    /// One page of what an account has of a kind.
    pub(crate) async fn list<E: crate::items::Entity, T: From<E>>(
        &self,
        account: AccountId,
        collection: Collection,
        after: Option<String>,
        limit: usize,
    ) -> Result<Listing<T>, StoreError> {
        let prefix = collection.prefix();
        let query = Query { pk: account_pk(account), prefix, after, limit, newest_first: false };
        let page = self.query(&query).await?;
        let more = page.next.is_some();
        let items = page.items.into_iter().map(|item| decode::<E>(item).map(T::from));
        Ok(Listing { items: items.collect::<Result<_, _>>()?, more })
    }
}

impl Operation<'_> {
    /// Adds the two items of a new token, for authentication and for the account's list. Returns the token's id.
    pub(crate) fn put_token(
        &self,
        transaction: &mut Transaction,
        sha256: &str,
        holder: &TokenOwnerItem,
    ) -> Result<TokenId, StoreError> {
        let Self { store, account, wall_clock, .. } = *self;
        let id = TokenId::new(wall_clock, store.rng().bits());
        let bearer = BearerItem { account, token: id, holder: holder.clone() };
        let token =
            TokenItem { id, sha256: sha256.to_owned(), holder: holder.clone(), created_at: wall_clock };
        transaction.put(store.put_new(Key::bearer(sha256), &bearer)?);
        transaction.put(store.put_new(Key::token(account, id), &token)?);
        Ok(id)
    }
}

impl UpdateUser {
    fn apply(&self, user: &mut UserItem) {
        if let Some(name) = &self.name {
            user.name.clone_from(name);
        }
        if let Some(email) = &self.email {
            user.email.clone_from(email);
        }
        user.role = self.role.unwrap_or(user.role);
        user.modify_marketing_contacts =
            self.modify_marketing_contacts.unwrap_or(user.modify_marketing_contacts);
        user.version += 1;
    }
}
