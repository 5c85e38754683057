//! The users of an account.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::ids::{AccountId, UserId};
use domain::permission::Role;

use crate::holdings::{Holding, Holdings};
use crate::items::UserItem;
use crate::keys::{Collection, Key};
use crate::operation::Step;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// A user of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The display name.
    pub name: String,
    /// The email address. It is empty for an account's first user until the account sets it.
    pub email: String,
    /// The role.
    pub role: Role,
    /// True if the user may change marketing states.
    pub modify_marketing_contacts: bool,
    /// The time at which the user was added.
    pub created_at: Timestamp,
}

/// A request to add a user.
#[derive(Clone)]
pub struct NewUser {
    /// The display name.
    pub name: String,
    /// The email address.
    pub email: String,
    /// The role.
    pub role: Role,
    /// True if the user may change marketing states.
    pub modify_marketing_contacts: bool,
}

/// A change of a user. Fields that are `None` do not change.
#[derive(Clone, Default)]
pub struct UpdateUser {
    /// The display name.
    pub name: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The role.
    pub role: Option<Role>,
    /// True if the user may change marketing states.
    pub modify_marketing_contacts: Option<bool>,
}

impl From<UserItem> for User {
    fn from(item: UserItem) -> Self {
        let UserItem { id, name, email, role, modify_marketing_contacts, created_at, version: _ } = item;
        Self { id, name, email, role, modify_marketing_contacts, created_at }
    }
}

impl Store {
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
        op.mutate(&keys, responder, async |mut items| {
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
        })
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
        op.mutate(&keys, responder, async |mut items| {
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
        })
        .await
    }

    /// Returns the account's users after `after`, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn users(
        &self,
        account: AccountId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Listing<User>, StoreError> {
        let after = after.map(|user| Key::user(account, user).sk);
        self.list::<UserItem, User>(account, Collection::Users, after, limit).await
    }

    /// Returns a user of the account.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn user(&self, account: AccountId, id: UserId) -> Result<User, StoreError> {
        let item: Option<UserItem> = self.get(Key::user(account, id)).await?;
        Ok(item.ok_or(Refused::NotFound("user"))?.into())
    }

    /// Returns the users with these ids, in one batched read. Ids without a user are left out.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn users_of(
        &self,
        account: AccountId,
        ids: &BTreeSet<UserId>,
    ) -> Result<Vec<User>, StoreError> {
        let keys: Vec<Key> = ids.iter().map(|id| Key::user(account, *id)).collect();
        let mut items = self.batch_get(&keys, &self.retries()).await?;
        let users = keys.iter().filter_map(|key| items.take::<UserItem>(key).transpose());
        users.map(|user| user.map(User::from)).collect()
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
