//! Accounts, with their users and tokens.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::ids::{AccountId, IntegrationId, TokenId, UserId};
use domain::permission::Role;
use serde::{Deserialize, Serialize};

use super::{Entity, as_text};

/// An account's name and defaults. The period item contains everything that decides changes of state.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccountItem {
    #[serde(with = "as_text")]
    pub(crate) id: AccountId,
    pub(crate) portal: u32,
    pub(crate) name: String,
    pub(crate) external_form: bool,
    pub(crate) chatflow: bool,
    pub(crate) chatflows: BTreeMap<String, bool>,
    /// The number of users who are admins, which is never 0.
    pub(crate) admins: u64,
    pub(crate) holdings: HoldingsItem,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
    pub(crate) version: u64,
}

impl Entity for AccountItem {
    const TAG: &'static str = "account";
    const SCHEMA: u32 = 2;
}

/// The numbers of an account's forms, segments, automations, users and tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HoldingsItem {
    pub(crate) forms: u64,
    pub(crate) users: u64,
    pub(crate) tokens: u64,
    /// Absent in items of older releases.
    #[serde(default)]
    pub(crate) segments: u64,
    /// Absent in items of older releases.
    #[serde(default)]
    pub(crate) automations: u64,
}

/// The account that has a portal number, which makes the number unique.
#[derive(Serialize, Deserialize)]
pub(crate) struct PortalItem {
    #[serde(with = "as_text")]
    pub(crate) account: AccountId,
}

impl Entity for PortalItem {
    const TAG: &'static str = "portal";
}

/// An account's entry in the list of all accounts.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccountEntryItem {
    #[serde(with = "as_text")]
    pub(crate) id: AccountId,
}

impl Entity for AccountEntryItem {
    const TAG: &'static str = "account-entry";
}

/// A user of an account.
#[derive(Serialize, Deserialize)]
pub(crate) struct UserItem {
    #[serde(with = "as_text")]
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) email: String,
    #[serde(with = "as_text")]
    pub(crate) role: Role,
    pub(crate) modify_marketing_contacts: bool,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
    pub(crate) version: u64,
}

impl Entity for UserItem {
    const TAG: &'static str = "user";
}

/// The owner of a token.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum TokenOwnerItem {
    User {
        #[serde(with = "as_text")]
        user: UserId,
    },
    Integration {
        #[serde(with = "as_text")]
        integration: IntegrationId,
        name: String,
        set_marketing: bool,
        modify_marketing_contacts: bool,
    },
}

/// The account and the owner of a bearer token. Its key is the token's SHA-256. The token itself is not stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct BearerItem {
    #[serde(with = "as_text")]
    pub(crate) account: AccountId,
    #[serde(with = "as_text")]
    pub(crate) token: TokenId,
    pub(crate) holder: TokenOwnerItem,
}

impl Entity for BearerItem {
    const TAG: &'static str = "bearer";
}

/// A session of the console. Its key is the SHA-256 of the session's secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct SessionItem {
    #[serde(with = "as_text")]
    pub(crate) account: AccountId,
    #[serde(with = "as_text")]
    pub(crate) user: UserId,
    /// The token with which the user signed in.
    pub(crate) token_sha256: String,
    pub(crate) expires_at: i64,
}

impl Entity for SessionItem {
    const TAG: &'static str = "session";
}

/// A code that begins one session for the owner of a token. Its key is the code's SHA-256.
#[derive(Serialize, Deserialize)]
pub(crate) struct SignInCodeItem {
    pub(crate) token_sha256: String,
    pub(crate) expires_at: i64,
}

impl Entity for SignInCodeItem {
    const TAG: &'static str = "sign_in_code";
}

/// An account's view of a token.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenItem {
    #[serde(with = "as_text")]
    pub(crate) id: TokenId,
    pub(crate) sha256: String,
    pub(crate) holder: TokenOwnerItem,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
}

impl Entity for TokenItem {
    const TAG: &'static str = "token";
}
