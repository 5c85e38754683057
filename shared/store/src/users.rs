//! Users, tokens and what a bearer token stands for.

use aws_sdk_dynamodb::types::Update;
use domain::Timestamp;
use domain::ids::{AccountId, IntegrationId, TokenId, UserId};
use domain::permission::{Caller, Principal, Role};

use crate::items::{AccountItem, BearerItem, HolderItem, TokenItem, UserItem, decode};
use crate::keys::{Collection, Key, account_pk};
use crate::store::{Query, Store};
use crate::transaction::{Part, Transaction};
use crate::writes::{Expression, number};
use crate::{Answer, Finish, Listing, Refused, StoreError};

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
pub struct ChangeUser {
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
pub enum NewHolder {
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
pub enum Holder {
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
    pub holder: Holder,
    /// When it was made.
    pub created_at: Timestamp,
}

impl From<UserItem> for User {
    fn from(item: UserItem) -> Self {
        let UserItem { id, name, email, role, modify_marketing_contacts, created_at, version: _ } = item;
        Self { id, name, email, role, modify_marketing_contacts, created_at }
    }
}

impl From<HolderItem> for Holder {
    fn from(item: HolderItem) -> Self {
        match item {
            HolderItem::User { user } => Self::User(user),
            HolderItem::Integration { integration, name, set_marketing, modify_marketing_contacts } => {
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
            HolderItem::Integration { integration, name, set_marketing, modify_marketing_contacts } => {
                let caller = Caller::Integration { id: integration, set_marketing };
                Ok(Some(Principal { account, caller, name, modify_marketing_contacts }))
            }
            HolderItem::User { user } => {
                let user = self.get::<UserItem>(Key::user(account, user)).await?;
                Ok(user.map(|user| Principal {
                    account,
                    caller: Caller::User { id: user.id, role: user.role },
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
    /// As every operation.
    pub async fn create_user(
        &self,
        account: AccountId,
        new: &NewUser,
        wall: Timestamp,
        finish: Finish<'_, User>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            if let Some(answer) = self.answered(&finish, wall).await? {
                return Ok(answer);
            }
            let user = UserItem {
                id: UserId::new(wall, self.entropy().bits()),
                name: new.name.clone(),
                email: new.email.clone(),
                role: new.role,
                modify_marketing_contacts: new.modify_marketing_contacts,
                created_at: wall,
                version: 1,
            };
            let mut transaction = Transaction::new(self.entropy());
            transaction.put(Part::User, self.put_new(Key::user(account, user.id), &user)?);
            if user.role == Role::Admin {
                transaction.update(Part::Account, self.count_admins(account, 1)?);
            }
            let answer = finish.attach(self, &mut transaction, &user.into(), wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// Changes a user.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], and [`Refused::LastAdmin`] if nobody would be left to manage the account.
    pub async fn change_user(
        &self,
        account: AccountId,
        id: UserId,
        change: &ChangeUser,
        wall: Timestamp,
        finish: Finish<'_, User>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            let keys: Vec<Key> =
                [Key::user(account, id), Key::account(account)].into_iter().chain(finish.key()).collect();
            let mut items = self.batch_get(&keys, &mut retries).await?;
            if let Some(answer) = finish.replay(&mut items, wall)? {
                return Ok(answer);
            }
            let user: Option<UserItem> = items.take(&Key::user(account, id))?;
            let mut user = user.ok_or(Refused::NotFound("user"))?;
            let admins = items.take::<AccountItem>(&Key::account(account))?.map_or(0, |item| item.admins);
            let (version, role) = (user.version, user.role);
            change.apply(&mut user);
            let mut transaction = Transaction::new(self.entropy());
            transaction.put(Part::User, self.put_versioned(Key::user(account, id), &user, version)?);
            match (role, user.role) {
                (Role::Member, Role::Admin) => {
                    transaction.update(Part::Account, self.count_admins(account, 1)?);
                }
                (Role::Admin, Role::Member) if admins <= 1 => return Err(Refused::LastAdmin.into()),
                (Role::Admin, Role::Member) => {
                    transaction.update(Part::Account, self.count_admins(account, -1)?);
                }
                _ => {}
            }
            let answer = finish.attach(self, &mut transaction, &user.into(), wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// Counts admins, never down to none, so that two who step down at once do not leave an account without.
    fn count_admins(&self, account: AccountId, by: i8) -> Result<Update, StoreError> {
        let expression =
            Expression::default().name("admins").value("by", number(by)).value("least", number(1 - by));
        self.update_if(Key::account(account), "ADD #admins :by", "#admins >= :least", &expression)
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

    /// Makes a token, and the integration whose it is to be.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] if there is no such user.
    pub async fn create_token(
        &self,
        account: AccountId,
        holder: &NewHolder,
        token_sha256: &str,
        wall: Timestamp,
        finish: Finish<'_, Token>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            if let Some(answer) = self.answered(&finish, wall).await? {
                return Ok(answer);
            }
            let holder = match holder {
                NewHolder::User(user) => {
                    if self.get::<UserItem>(Key::user(account, *user)).await?.is_none() {
                        let message = "expected the id of a user of this account".to_owned();
                        return Err(Refused::Invalid { field: "user_id", message }.into());
                    }
                    HolderItem::User { user: *user }
                }
                NewHolder::Integration { name, set_marketing, modify_marketing_contacts } => {
                    HolderItem::Integration {
                        integration: IntegrationId::new(wall, self.entropy().bits()),
                        name: name.clone(),
                        set_marketing: *set_marketing,
                        modify_marketing_contacts: *modify_marketing_contacts,
                    }
                }
            };
            let id = TokenId::new(wall, self.entropy().bits());
            let mut transaction = Transaction::new(self.entropy());
            self.put_token(&mut transaction, account, id, token_sha256, &holder, wall)?;
            let token = Token { id, holder: holder.into(), created_at: wall };
            let answer = finish.attach(self, &mut transaction, &token, wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// Adds a token's two items: what it stands for, and what the account sees of it.
    pub(crate) fn put_token(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        id: TokenId,
        sha256: &str,
        holder: &HolderItem,
        wall: Timestamp,
    ) -> Result<(), StoreError> {
        let bearer = BearerItem { account, token: id, holder: holder.clone() };
        let token = TokenItem { id, sha256: sha256.to_owned(), holder: holder.clone(), created_at: wall };
        transaction.put(Part::Token, self.put_new(Key::bearer(sha256), &bearer)?);
        transaction.put(Part::Token, self.put_new(Key::token(account, id), &token)?);
        Ok(())
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

    /// Takes a token back.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn delete_token(
        &self,
        account: AccountId,
        id: TokenId,
        wall: Timestamp,
        finish: Finish<'_, ()>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            let keys: Vec<Key> = std::iter::once(Key::token(account, id)).chain(finish.key()).collect();
            let mut items = self.batch_get(&keys, &mut retries).await?;
            if let Some(answer) = finish.replay(&mut items, wall)? {
                return Ok(answer);
            }
            let token: Option<TokenItem> = items.take(&Key::token(account, id))?;
            let token = token.ok_or(Refused::NotFound("token"))?;
            let mut transaction = Transaction::new(self.entropy());
            for key in [Key::bearer(&token.sha256), Key::token(account, id)] {
                transaction.delete(Part::Token, self.delete_existing(key)?);
            }
            let answer = finish.attach(self, &mut transaction, &(), wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// The first answer to a request that needs to read nothing else.
    pub(crate) async fn answered<T>(
        &self,
        finish: &Finish<'_, T>,
        wall: Timestamp,
    ) -> Result<Option<Answer>, StoreError> {
        let Some(key) = finish.key() else { return Ok(None) };
        let mut items = self.batch_get(&[key], &mut self.retries()).await?;
        finish.replay(&mut items, wall)
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

impl ChangeUser {
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
