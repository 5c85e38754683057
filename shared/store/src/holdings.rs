//! The numbers of an account's forms, segments, automations, users and tokens, each with a limit, and the rule on the last admin's token.
//!
//! The account item contains the numbers. Every operation that adds or removes a form, user or token, or changes a
//! user's role, writes the account item on the condition of its version. So one of two concurrent operations reads and
//! decides again. Together they can't exceed a limit, or delete the last admin's token.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::Put;
use domain::ids::{AccountId, PortalId, TokenId, UserId};
use domain::limits::{AUTOMATIONS_MAX, FORMS_MAX, PAGE_LIMIT_MAX, SEGMENTS_MAX, TOKENS_MAX, USERS_MAX};
use domain::permission::Role;

use crate::items::{AccountItem, Entity, HoldingsItem, Items, TokenItem, TokenOwnerItem, UserItem, decode};
use crate::keys::{Collection, Key, account_pk};
use crate::store::{Query, Store};
use crate::{Refused, StoreError};

/// A kind of item of which an account has a limited number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    Form,
    User,
    Token,
    Segment,
    Automation,
}

impl Holding {
    fn name_and_max(self) -> (&'static str, usize) {
        match self {
            Self::Form => ("forms", FORMS_MAX),
            Self::User => ("users", USERS_MAX),
            Self::Token => ("tokens", TOKENS_MAX),
            Self::Segment => ("segments", SEGMENTS_MAX),
            Self::Automation => ("automations", AUTOMATIONS_MAX),
        }
    }
}

impl HoldingsItem {
    fn number_of(&mut self, holding: Holding) -> &mut u64 {
        match holding {
            Holding::Form => &mut self.forms,
            Holding::User => &mut self.users,
            Holding::Token => &mut self.tokens,
            Holding::Segment => &mut self.segments,
            Holding::Automation => &mut self.automations,
        }
    }
}

/// The account item as it was read, with the numbers.
pub(crate) struct Holdings(AccountItem);

impl Holdings {
    /// Returns the numbers of the account item among `items`.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub(crate) fn read(account: AccountId, items: &mut Items) -> Result<Self, StoreError> {
        let item: Option<AccountItem> = items.take(&Key::account(account))?;
        Ok(Self(item.ok_or(Refused::NotFound("account"))?))
    }

    /// Returns the account's portal number.
    ///
    /// # Errors
    ///
    /// A fault if the stored number is not a valid one.
    pub(crate) fn portal(&self) -> Result<PortalId, StoreError> {
        self.0.portal()
    }

    /// Counts one more.
    ///
    /// # Errors
    ///
    /// [`Refused::LimitReached`].
    pub(crate) fn add(&mut self, holding: Holding) -> Result<(), Refused> {
        let (what, max) = holding.name_and_max();
        if *self.0.holdings.number_of(holding) >= whole(max) {
            return Err(Refused::LimitReached { what, max });
        }
        self.add_without_limit(holding);
        Ok(())
    }

    /// Counts one more, even beyond the limit.
    pub(crate) fn add_without_limit(&mut self, holding: Holding) {
        let number = self.0.holdings.number_of(holding);
        *number = number.saturating_add(1);
    }

    /// Counts one less.
    pub(crate) fn remove(&mut self, holding: Holding) {
        let number = self.0.holdings.number_of(holding);
        *number = number.saturating_sub(1);
    }

    /// Counts one more admin.
    pub(crate) fn add_admin(&mut self) {
        self.0.admins = self.0.admins.saturating_add(1);
    }

    /// Counts one admin less.
    pub(crate) fn remove_admin(&mut self) {
        self.0.admins = self.0.admins.saturating_sub(1);
    }
}

impl Store {
    /// Builds the put of the account item with its new numbers. It succeeds only if no other operation has written the
    /// item since it was read.
    pub(crate) fn put_holdings(&self, holdings: Holdings) -> Result<Put, StoreError> {
        let Holdings(mut item) = holdings;
        let version = item.version;
        item.version += 1;
        self.put_versioned(Key::account(item.id), &item, version)
    }

    /// Returns true if no admin except `user` has a token. Valid until the next write of the account item.
    pub(crate) async fn is_last_admin(&self, account: AccountId, user: UserId) -> Result<bool, StoreError> {
        let tokens = self.admins_tokens(account).await?;
        Ok(tokens.iter().all(|(_, admin)| *admin == user))
    }

    /// Returns true if the token is the only one of an admin. Valid until the next write of the account item.
    pub(crate) async fn is_last_admins_token(
        &self,
        account: AccountId,
        token: TokenId,
    ) -> Result<bool, StoreError> {
        let tokens = self.admins_tokens(account).await?;
        Ok(matches!(tokens.as_slice(), [(last, _)] if *last == token))
    }

    /// Returns the tokens of the account's admins, each with its admin.
    async fn admins_tokens(&self, account: AccountId) -> Result<Vec<(TokenId, UserId)>, StoreError> {
        let users = self.every_user(account).await?.into_iter();
        let admins: HashSet<UserId> =
            users.filter(|user| user.role == Role::Admin).map(|user| user.id).collect();
        let tokens = self.every::<TokenItem>(account, Collection::Tokens).await?;
        let of_admins = tokens.into_iter().filter_map(|token| match token.holder {
            TokenOwnerItem::User { user } if admins.contains(&user) => Some((token.id, user)),
            TokenOwnerItem::User { .. } | TokenOwnerItem::Integration { .. } => None,
        });
        Ok(of_admins.collect())
    }

    /// Returns the account's users, in the order in which they were added.
    pub(crate) async fn every_user(&self, account: AccountId) -> Result<Vec<UserItem>, StoreError> {
        self.every(account, Collection::Users).await
    }

    /// Returns all entries of an account's collection.
    pub(crate) async fn every<E: Entity>(
        &self,
        account: AccountId,
        collection: Collection,
    ) -> Result<Vec<E>, StoreError> {
        let mut query = Query {
            pk: account_pk(account),
            prefix: collection.prefix(),
            after: None,
            limit: usize::try_from(PAGE_LIMIT_MAX).unwrap_or(usize::MAX),
            newest_first: false,
        };
        let mut all = Vec::new();
        loop {
            let page = self.query(&query).await?;
            for item in page.items {
                all.push(decode(item)?);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(all),
            }
        }
    }
}

fn whole(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
