//! Every key and index of the table. Nothing else spells one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::address::EmailAddress;
use domain::ids::{AccountId, Bucket, ContactId, FormId, PortalId, RejectionId, TokenId, UserId};
use domain::period::PeriodNumber;

use crate::delivery::DeliveryId;
use crate::response::IdempotencyClaim;

/// The table's partition key.
pub const PK: &str = "pk";
/// The table's sort key.
pub const SK: &str = "sk";
/// The attribute that DynamoDB's time to live reads: seconds since 1970.
pub const EXPIRES_AT: &str = "expires_at";
/// The sparse index of leaving contacts, by account, period and bucket.
pub const LEAVING_INDEX: &str = "leaving";
/// Its partition key; its sort key is the table's.
pub const LEAVING_PK: &str = "leaving_pk";
/// The sparse index of periods that will end and of unfinished jobs (see [`crate::jobs`]).
pub const DUE_INDEX: &str = "due";
/// Its partition key.
pub const DUE_SHARD: &str = "due_shard";
/// Its sort key: the instant at which there is something to do.
pub const DUE_AT: &str = "due_at";

/// Over how many partitions of the `due` index accounts are spread.
pub const DUE_SHARDS: u8 = 4;

/// An item's raw form.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The key of one item.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// Where an account keeps things of one kind: the prefix of their sort keys.
#[derive(Clone, Copy)]
pub(crate) enum Collection {
    Statements,
    Users,
    Tokens,
    Forms,
}

impl Collection {
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Statements => "STATEMENT#",
            Self::Users => "USER#",
            Self::Tokens => "TOKEN#",
            Self::Forms => "FORM#",
        }
    }
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    pub(crate) fn account(account: AccountId) -> Self {
        Self::new(account_pk(account), "ACCOUNT")
    }

    /// The account's entry in the list of all accounts.
    pub(crate) fn account_entry(account: AccountId) -> Self {
        Self::new(ACCOUNTS_PK.to_owned(), account.to_string())
    }

    pub(crate) fn period(account: AccountId) -> Self {
        Self::new(account_pk(account), "PERIOD")
    }

    pub(crate) fn statement(account: AccountId, number: PeriodNumber) -> Self {
        // Ten digits: periods are days long but for a few, so the number never needs more.
        Self::new(
            account_pk(account),
            format!("{}{number:0>10}", Collection::Statements.prefix(), number = number.number()),
        )
    }

    pub(crate) fn user(account: AccountId, user: UserId) -> Self {
        Self::new(account_pk(account), format!("{}{user}", Collection::Users.prefix()))
    }

    /// What an account sees of a token.
    pub(crate) fn token(account: AccountId, token: TokenId) -> Self {
        Self::new(account_pk(account), format!("{}{token}", Collection::Tokens.prefix()))
    }

    /// What a bearer token stands for.
    pub(crate) fn bearer(sha256: &str) -> Self {
        Self::new(format!("TOKEN#{sha256}"), "TOKEN")
    }

    /// The account that has a portal number.
    pub(crate) fn portal(portal: PortalId) -> Self {
        Self::new(format!("PORTAL#{portal}"), "PORTAL")
    }

    /// The form itself, found by its id alone, as public submissions come.
    pub(crate) fn form(form: FormId) -> Self {
        Self::new(format!("FORM#{form}"), "FORM")
    }

    /// That the account has the form.
    pub(crate) fn form_entry(account: AccountId, form: FormId) -> Self {
        Self::new(account_pk(account), format!("{}{form}", Collection::Forms.prefix()))
    }

    pub(crate) fn contact(account: AccountId, contact: ContactId) -> Self {
        Self::new(bucket_pk(account, contact.bucket()), contact.sortable())
    }

    pub(crate) fn address(account: AccountId, email: &EmailAddress) -> Self {
        Self::new(format!("EMAIL#{account}#{}", email.key()), "EMAIL")
    }

    /// A page of changes that no longer stand with the contact; `first` is the number of its first change.
    pub(crate) fn history_page(account: AccountId, contact: ContactId, first: u64) -> Self {
        Self::new(history_pk(account, contact), format!("{first:012}"))
    }

    /// The answer kept under a claim.
    pub(crate) fn answer(claim: &IdempotencyClaim) -> Self {
        Self::new(claim_pk(claim), "ANSWER")
    }

    /// What a part of a request did, for a request that takes several transactions.
    pub(crate) fn answer_part(claim: &IdempotencyClaim, part: &str) -> Self {
        Self::new(claim_pk(claim), format!("{ANSWER_PART_PREFIX}{part}"))
    }

    /// One of the parts in which a form's submissions are counted.
    pub(crate) fn form_counts(form: FormId, shard: u8) -> Self {
        Self::new(form_counts_pk(form), shard.to_string())
    }

    /// How many people a form has set marketing on its latest day.
    pub(crate) fn form_day(form: FormId) -> Self {
        Self::new(format!("FORM_DAY#{form}"), "DAY")
    }

    /// A form delivery that was accepted.
    pub(crate) fn delivery(account: AccountId, form: FormId, delivery: DeliveryId) -> Self {
        Self::new(format!("{DELIVERY_PREFIX}{account}#{form}#{delivery}"), DELIVERY_SK)
    }

    /// A submission that could not be taken.
    pub(crate) fn rejected(account: AccountId, form: FormId, rejection: RejectionId) -> Self {
        Self::new(rejected_pk(account, form), rejection.to_string())
    }

    /// No item has this key; reading it opens the connection.
    pub(crate) fn nothing() -> Self {
        Self::new("NOTHING".to_owned(), "NOTHING")
    }

    pub(crate) fn into_item(self) -> Item {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk)),
            (SK.to_owned(), AttributeValue::S(self.sk)),
        ])
    }

    /// The key of an item that was read.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        let text = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Some(Self { pk: text(PK)?, sk: text(SK)? })
    }
}

/// The one partition that lists all accounts. An entry is written when its account is made and never again, so the
/// partition is never busy.
pub(crate) const ACCOUNTS_PK: &str = "ACCOUNTS";

const DELIVERY_PREFIX: &str = "SEEN#";
const DELIVERY_SK: &str = "SEEN";

/// In how many parts a form's submissions are counted. Each takes some two hundred transactions a second before they
/// meet in conflicts, so together they take far more than the account's period does.
pub(crate) const FORM_COUNT_SHARDS: u8 = 8;

pub(crate) fn form_counts_pk(form: FormId) -> String {
    format!("FORM_COUNTS#{form}")
}

pub(crate) fn rejected_pk(account: AccountId, form: FormId) -> String {
    format!("REJECTED#{account}#{form}")
}

/// The prefix of [`Key::answer_part`]'s sort keys.
pub(crate) const ANSWER_PART_PREFIX: &str = "PART#";

pub(crate) fn account_pk(account: AccountId) -> String {
    format!("ACCOUNT#{account}")
}

pub(crate) fn bucket_pk(account: AccountId, bucket: Bucket) -> String {
    format!("CONTACT#{account}#{bucket}")
}

pub(crate) fn history_pk(account: AccountId, contact: ContactId) -> String {
    format!("HISTORY#{account}#{contact}")
}

pub(crate) fn claim_pk(claim: &IdempotencyClaim) -> String {
    format!("IDEMPOTENCY#{}#{}", claim.scope, claim.key)
}

/// The partition of the `leaving` index that holds the contacts of one bucket queued in one period.
pub(crate) fn leaving_pk(account: AccountId, period: PeriodNumber, bucket: Bucket) -> String {
    format!("LEAVING#{account}#{period}#{bucket}")
}

/// The names of the `due` index's partitions.
pub(crate) fn due_shard(number: u8) -> String {
    format!("DUE#{number}")
}

/// Where submissions that wait in the inbox are found. They come in floods of one account, so it is not the account that
/// spreads them.
pub(crate) fn due_shard_of_delivery(delivery: DeliveryId) -> String {
    due_shard(delivery.shard(DUE_SHARDS))
}

/// Where an account's ended periods and unswept statements are found.
pub(crate) fn due_shard_of(account: AccountId) -> String {
    due_shard(account.shard(DUE_SHARDS))
}

/// The account and the period number that a statement's key names.
pub(crate) fn parse_statement_key(key: &Key) -> Option<(AccountId, PeriodNumber)> {
    let account = parse_account_pk(&key.pk)?;
    let number = key.sk.strip_prefix(Collection::Statements.prefix())?.parse().ok()?;
    Some((account, PeriodNumber::from_number(number)?))
}

/// The account whose period item has this key.
pub(crate) fn parse_period_key(key: &Key) -> Option<AccountId> {
    (key.sk == "PERIOD").then(|| parse_account_pk(&key.pk)).flatten()
}

/// The delivery that this key names.
pub(crate) fn parse_delivery_key(key: &Key) -> Option<(AccountId, FormId, DeliveryId)> {
    let mut parts = key.pk.strip_prefix(DELIVERY_PREFIX).filter(|_| key.sk == DELIVERY_SK)?.split('#');
    let named = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(named)
}

fn parse_account_pk(pk: &str) -> Option<AccountId> {
    pk.strip_prefix("ACCOUNT#")?.parse().ok()
}

/// Sort keys of the `due` index up to and with this instant.
pub(crate) fn due_by(now: Timestamp) -> String {
    now.to_string()
}
