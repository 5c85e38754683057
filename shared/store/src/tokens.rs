//! API tokens: their owners, their creation and deletion, and authentication.

use domain::Timestamp;
use domain::ids::{AccountId, IntegrationId, TokenId, UserId};
use domain::permission::{Principal, PrincipalKind, Role};

use crate::accounts::nameless_admin;
use crate::holdings::{Holding, Holdings};
use crate::items::{BearerItem, TokenItem, TokenOwnerItem, UserItem};
use crate::keys::{Collection, Key};
use crate::operation::{Operation, Step};
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// The owner of a token to be created.
#[derive(Clone)]
pub enum NewTokenOwner {
    /// A user of the account.
    User(UserId),
    /// A new integration.
    Integration {
        /// The integration's name.
        name: String,
        /// True if contacts that it creates are set marketing.
        set_marketing: bool,
        /// True if it may change marketing states.
        modify_marketing_contacts: bool,
    },
}

/// The owner of a token.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenOwner {
    /// A user of the account.
    User(UserId),
    /// An integration.
    Integration {
        /// The integration's id.
        id: IntegrationId,
        /// The integration's name.
        name: String,
        /// True if contacts that it creates are set marketing.
        set_marketing: bool,
        /// True if it may change marketing states.
        modify_marketing_contacts: bool,
    },
}

/// A token as an account sees it. The token's text is not stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The token's id.
    pub id: TokenId,
    /// The owner.
    pub holder: TokenOwner,
    /// The time of creation.
    pub created_at: Timestamp,
}

/// An admin's token that the operator has created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminToken {
    /// The token's id.
    pub id: TokenId,
    /// The admin.
    pub user: UserId,
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
    /// Returns the principal of a bearer token, by the token's SHA-256 in hexadecimal. `None` if the token is unknown.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
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
        op.mutate(&keys, responder, async |mut items| {
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
        })
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
        op.mutate(&keys, responder, async |mut items| {
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
        })
        .await
    }

    /// Returns the account's tokens after `after`, in the order of creation.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn tokens(
        &self,
        account: AccountId,
        after: Option<TokenId>,
        limit: usize,
    ) -> Result<Listing<Token>, StoreError> {
        let after = after.map(|token| Key::token(account, token).sk);
        self.list::<TokenItem, Token>(account, Collection::Tokens, after, limit).await
    }

    /// Returns a token of the account.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn token(&self, account: AccountId, id: TokenId) -> Result<Token, StoreError> {
        let item: Option<TokenItem> = self.get(Key::token(account, id)).await?;
        Ok(item.ok_or(Refused::NotFound("token"))?.into())
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
        op.mutate(&keys, responder, async |mut items| {
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
        })
        .await
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
