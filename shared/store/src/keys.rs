//! The keys and indexes of the table. No other module builds or parses a key.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::NaiveDate;
use domain::Timestamp;
use domain::address::EmailAddress;
use domain::event::EventId;
use domain::ids::{
    AccountId, AutomationId, Bucket, ContactId, ExportId, FormId, ImportId, JobId, PortalId, RejectionId,
    SegmentId, TokenId, UserId,
};
use domain::period::PeriodNumber;
use domain::property::PropertyName;

use crate::delivery::DeliveryId;
use crate::response::IdempotencyClaim;

/// A sort key before all others that begin with a digit. DynamoDB refuses an empty text as a bound.
pub(crate) const FIRST_SK: &str = "0";

/// The table's partition key.
pub const PK: &str = "pk";
/// The table's sort key.
pub const SK: &str = "sk";
/// The attribute for DynamoDB's time to live, in seconds since 1970.
pub const EXPIRES_AT: &str = "expires_at";
/// The sparse index of leaving contacts, by account, period and bucket.
pub const LEAVING_INDEX: &str = "leaving";
/// The partition key of the `leaving` index. Its sort key is the table's.
pub const LEAVING_PK: &str = "leaving_pk";
/// The sparse index of contacts by their latest change, in accounts that have it switched on.
pub const CHANGED_INDEX: &str = "changed";
/// The partition key of the `changed` index.
pub const CHANGED_PK: &str = "changed_pk";
/// The sort key of the `changed` index.
pub const CHANGED_SK: &str = "changed_sk";
/// The sparse index of periods that will end and of unfinished jobs (see [`crate::jobs`]).
pub const DUE_INDEX: &str = "due";
/// The partition key of the `due` index.
pub const DUE_SHARD: &str = "due_shard";
/// The sort key of the `due` index: the instant at which the period or job is due.
pub const DUE_AT: &str = "due_at";

/// The number of partitions of the `due` index.
pub const DUE_SHARDS: u8 = 4;

/// An item's raw form.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The key of one item.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// A collection of an account, identified by the prefix of its sort keys.
#[derive(Clone, Copy)]
pub(crate) enum Collection {
    Statements,
    Users,
    Tokens,
    Forms,
    Segments,
    Jobs,
    Automations,
    Imports,
    Exports,
}

impl Collection {
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Statements => "STATEMENT#",
            Self::Users => "USER#",
            Self::Tokens => "TOKEN#",
            Self::Forms => "FORM#",
            Self::Segments => "SEGMENT#",
            Self::Jobs => "JOB#",
            Self::Automations => "AUTOMATION#",
            Self::Imports => "IMPORT#",
            Self::Exports => "EXPORT#",
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

    /// The account's view of a token.
    pub(crate) fn token(account: AccountId, token: TokenId) -> Self {
        Self::new(account_pk(account), format!("{}{token}", Collection::Tokens.prefix()))
    }

    /// The account and the owner of a bearer token.
    pub(crate) fn bearer(sha256: &str) -> Self {
        Self::new(format!("TOKEN#{sha256}"), "TOKEN")
    }

    /// The account with a portal number.
    pub(crate) fn portal(portal: PortalId) -> Self {
        Self::new(format!("PORTAL#{portal}"), "PORTAL")
    }

    /// The form itself, without an account, because public submissions contain only its id.
    pub(crate) fn form(form: FormId) -> Self {
        Self::new(format!("FORM#{form}"), "FORM")
    }

    /// The form's entry in the account's list of forms.
    pub(crate) fn form_entry(account: AccountId, form: FormId) -> Self {
        Self::new(account_pk(account), format!("{}{form}", Collection::Forms.prefix()))
    }

    pub(crate) fn contact(account: AccountId, contact: ContactId) -> Self {
        Self::new(bucket_pk(account, contact.bucket()), contact.sortable())
    }

    pub(crate) fn address(account: AccountId, email: &EmailAddress) -> Self {
        Self::new(format!("EMAIL#{account}#{}", email.key()), "EMAIL")
    }

    /// A page of changes that were moved from the contact. `first` is the number of its first change.
    pub(crate) fn history_page(account: AccountId, contact: ContactId, first: u64) -> Self {
        Self::new(history_pk(account, contact), format!("{first:012}"))
    }

    /// The stored response of a claim.
    pub(crate) fn answer(claim: &IdempotencyClaim) -> Self {
        Self::new(claim_pk(claim), "ANSWER")
    }

    /// The results of one transaction of a request that needs several.
    pub(crate) fn answer_part(claim: &IdempotencyClaim, part: &str) -> Self {
        Self::new(claim_pk(claim), format!("{ANSWER_PART_PREFIX}{part}"))
    }

    /// One shard of a form's counts.
    pub(crate) fn form_counts(form: FormId, shard: u8) -> Self {
        Self::new(form_counts_pk(form), shard.to_string())
    }

    /// The number of contacts that a form has set marketing on its latest day.
    pub(crate) fn form_day(form: FormId) -> Self {
        Self::new(format!("FORM_DAY#{form}"), "DAY")
    }

    /// An accepted delivery.
    pub(crate) fn delivery(account: AccountId, form: FormId, delivery: DeliveryId) -> Self {
        Self::new(format!("{DELIVERY_PREFIX}{account}#{form}#{delivery}"), DELIVERY_SK)
    }

    /// A rejected submission.
    pub(crate) fn rejected(account: AccountId, form: FormId, rejection: RejectionId) -> Self {
        Self::new(rejected_pk(account, form), rejection.to_string())
    }

    pub(crate) fn segment(account: AccountId, segment: SegmentId) -> Self {
        Self::new(account_pk(account), format!("{}{segment}", Collection::Segments.prefix()))
    }

    /// A member of a static list.
    pub(crate) fn member(account: AccountId, segment: SegmentId, contact: ContactId) -> Self {
        Self::new(member_pk(account, segment, contact.bucket()), contact.sortable())
    }

    /// The contact's view of its membership in a static list.
    pub(crate) fn membership(account: AccountId, contact: ContactId, segment: SegmentId) -> Self {
        Self::new(membership_pk(account, contact), segment.to_string())
    }

    /// A bulk job with its progress.
    pub(crate) fn bulk_job(account: AccountId, job: JobId) -> Self {
        Self::new(account_pk(account), format!("{}{job}", Collection::Jobs.prefix()))
    }

    /// The contacts that a bulk job selects. It is apart from the progress, because every transaction writes that.
    pub(crate) fn bulk_definition(account: AccountId, job: JobId) -> Self {
        Self::new(format!("JOB#{account}#{job}"), "DEFINITION")
    }

    /// The account's unfinished bulk jobs, in order.
    pub(crate) fn bulk_queue(account: AccountId) -> Self {
        Self::new(account_pk(account), BULK_QUEUE_SK)
    }

    /// An import with its progress.
    pub(crate) fn import(account: AccountId, import: ImportId) -> Self {
        Self::new(account_pk(account), format!("{}{import}", Collection::Imports.prefix()))
    }

    /// The layout of an import's file.
    pub(crate) fn import_layout(account: AccountId, import: ImportId) -> Self {
        Self::new(import_pk(account, import), "LAYOUT")
    }

    /// The results of the rows of an import that one transaction has decided.
    pub(crate) fn import_rows(account: AccountId, import: ImportId, first: u64) -> Self {
        Self::new(import_pk(account, import), format!("{IMPORT_ROWS_PREFIX}{first:012}"))
    }

    /// An export with its progress.
    pub(crate) fn export(account: AccountId, export: ExportId) -> Self {
        Self::new(account_pk(account), format!("{}{export}", Collection::Exports.prefix()))
    }

    /// The contacts that an export selects. It is apart from the progress, because a filter may be long.
    pub(crate) fn export_definition(account: AccountId, export: ExportId) -> Self {
        Self::new(format!("EXPORT#{account}#{export}"), "DEFINITION")
    }

    /// The latest export of the contacts that a statement counts.
    pub(crate) fn statement_export(account: AccountId, number: PeriodNumber) -> Self {
        Self::new(account_pk(account), format!("STATEMENT_EXPORT#{:0>10}", number.number()))
    }

    /// The state of an automation, apart from its definition, because every transaction of its work writes it.
    pub(crate) fn automation_state(account: AccountId, automation: AutomationId) -> Self {
        Self::new(format!("{AUTOMATION_PREFIX}{account}#{automation}"), AUTOMATION_STATE_SK)
    }

    /// The definition of an automation.
    pub(crate) fn automation(account: AccountId, automation: AutomationId) -> Self {
        Self::new(account_pk(account), format!("{}{automation}", Collection::Automations.prefix()))
    }

    /// A contact that waits for an automation. The order is that of the triggers' instants by the wall clock.
    pub(crate) fn waiting(
        queue_pk: String,
        written_at: Timestamp,
        contact: ContactId,
        trigger: &str,
    ) -> Self {
        Self::new(queue_pk, format!("{:0>13}#{}#{trigger}", written_at.millis(), contact.sortable()))
    }

    /// A contact's enrolment in an automation.
    pub(crate) fn enrolment(account: AccountId, automation: AutomationId, contact: ContactId) -> Self {
        Self::new(enrolment_pk(account, automation), contact.sortable())
    }

    /// The numbers of an automation on one day.
    pub(crate) fn automation_run(account: AccountId, automation: AutomationId, day: NaiveDate) -> Self {
        Self::new(runs_pk(account, automation), day.format("%Y-%m-%d").to_string())
    }

    /// The account's own definition of a property.
    pub(crate) fn definition(account: AccountId, name: &PropertyName) -> Self {
        Self::new(definitions_pk(account), format!("{DEFINITION_PREFIX}{name}"))
    }

    /// A group of properties.
    pub(crate) fn definition_group(account: AccountId, name: &str) -> Self {
        Self::new(definitions_pk(account), format!("{GROUP_PREFIX}{name}"))
    }

    /// The numbers of the account's definitions.
    pub(crate) fn definition_counts(account: AccountId) -> Self {
        Self::new(definitions_pk(account), "COUNTS")
    }

    /// A session of the console.
    pub(crate) fn session(sha256: &str) -> Self {
        Self::new(format!("SESSION#{sha256}"), "SESSION")
    }

    /// The change of a contact's properties that made this version of the contact.
    pub(crate) fn property_change(account: AccountId, contact: ContactId, version: u64) -> Self {
        Self::new(properties_pk(account, contact), format!("{version:012}"))
    }

    /// The usage of an account on one of its days.
    pub(crate) fn timeline(account: AccountId, date: NaiveDate) -> Self {
        Self::new(timeline_pk(account), date.to_string())
    }

    /// A notice. Its keys are in the order of time.
    pub(crate) fn notice(account: AccountId, at: Timestamp, id: EventId) -> Self {
        Self::new(notice_pk(account), format!("{NOTICE_PREFIX}{at}#{id}"))
    }

    /// The mark that an event is stored as a notice.
    pub(crate) fn notice_id(account: AccountId, id: EventId) -> Self {
        Self::new(notice_pk(account), format!("ID#{id}"))
    }

    /// A code that begins one session.
    pub(crate) fn sign_in_code(sha256: &str) -> Self {
        Self::new(format!("SIGN_IN#{sha256}"), "SIGN_IN")
    }

    /// A key without an item. A read of it opens the connection.
    pub(crate) fn nothing() -> Self {
        Self::new("NOTHING".to_owned(), "NOTHING")
    }

    pub(crate) fn into_item(self) -> Item {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk)),
            (SK.to_owned(), AttributeValue::S(self.sk)),
        ])
    }

    /// Returns the key of an item.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        let text = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Some(Self { pk: text(PK)?, sk: text(SK)? })
    }
}

/// The one partition that lists all accounts. An entry is written only when its account is created, so the partition
/// has little traffic.
pub(crate) const ACCOUNTS_PK: &str = "ACCOUNTS";

const BULK_QUEUE_SK: &str = "JOBS";

const CONTACT_PREFIX: &str = "CONTACT#";
const MEMBER_PREFIX: &str = "MEMBER#";
const AUTOMATION_PREFIX: &str = "AUTOMATION#";
const AUTOMATION_STATE_SK: &str = "STATE";

pub(crate) const DELIVERY_PREFIX: &str = "SEEN#";
const REJECTED_PREFIX: &str = "REJECTED#";
const DELIVERY_SK: &str = "SEEN";

/// The number of shards of a form's counts. Each accepts some two hundred transactions a second without conflicts, so
/// together they accept far more than the account's period.
pub(crate) const FORM_COUNT_SHARDS: u8 = 8;

pub(crate) fn form_counts_pk(form: FormId) -> String {
    format!("FORM_COUNTS#{form}")
}

pub(crate) fn rejected_pk(account: AccountId, form: FormId) -> String {
    format!("{REJECTED_PREFIX}{account}#{form}")
}

/// The prefix of [`Key::answer_part`]'s sort keys.
pub(crate) const ANSWER_PART_PREFIX: &str = "PART#";

pub(crate) fn account_pk(account: AccountId) -> String {
    format!("ACCOUNT#{account}")
}

pub(crate) fn bucket_pk(account: AccountId, bucket: Bucket) -> String {
    format!("{CONTACT_PREFIX}{account}#{bucket}")
}

pub(crate) fn history_pk(account: AccountId, contact: ContactId) -> String {
    format!("HISTORY#{account}#{contact}")
}

/// Returns the partition of a contact's history of properties.
pub(crate) fn properties_pk(account: AccountId, contact: ContactId) -> String {
    format!("PROPERTIES#{account}#{contact}")
}

/// Returns the partition of an account's definitions of properties.
pub(crate) fn definitions_pk(account: AccountId) -> String {
    format!("DEFINITIONS#{account}")
}

/// The prefix of [`Key::definition`]'s sort keys.
pub(crate) const DEFINITION_PREFIX: &str = "PROPERTY#";
/// The prefix of [`Key::definition_group`]'s sort keys.
pub(crate) const GROUP_PREFIX: &str = "GROUP#";

/// Returns the partition of an account's timeline.
pub(crate) fn timeline_pk(account: AccountId) -> String {
    format!("TIMELINE#{account}")
}

/// Returns the partition of an account's notices.
pub(crate) fn notice_pk(account: AccountId) -> String {
    format!("NOTICE#{account}")
}

/// The prefix of the notices' sort keys. Those of their ids have another one.
pub(crate) const NOTICE_PREFIX: &str = "AT#";

/// Returns the partition of a static list's members in one bucket.
pub(crate) fn member_pk(account: AccountId, segment: SegmentId, bucket: Bucket) -> String {
    format!("{MEMBER_PREFIX}{account}#{segment}#{bucket}")
}

/// Returns the partition of a contact's memberships.
pub(crate) fn membership_pk(account: AccountId, contact: ContactId) -> String {
    format!("MEMBERSHIP#{account}#{contact}")
}

/// Returns the partition of the contacts that wait for an automation in one of its queues.
pub(crate) fn waiting_pk(account: AccountId, automation: AutomationId, queue: u64) -> String {
    format!("WAITING#{account}#{automation}#{queue}")
}

/// Returns the partition of the enrolments in an automation.
pub(crate) fn enrolment_pk(account: AccountId, automation: AutomationId) -> String {
    format!("ENROLMENT#{account}#{automation}")
}

/// Returns the partition of an automation's runs.
pub(crate) fn runs_pk(account: AccountId, automation: AutomationId) -> String {
    format!("RUN#{account}#{automation}")
}

/// The prefix of [`Key::import_rows`]'s sort keys.
pub(crate) const IMPORT_ROWS_PREFIX: &str = "ROWS#";

/// Returns the partition of an import's layout and results.
pub(crate) fn import_pk(account: AccountId, import: ImportId) -> String {
    format!("IMPORT#{account}#{import}")
}

pub(crate) fn claim_pk(claim: &IdempotencyClaim) -> String {
    format!("IDEMPOTENCY#{}#{}", claim.scope, claim.key)
}

/// Returns the partition of the `leaving` index for the contacts of one bucket that were queued in one period.
pub(crate) fn leaving_pk(account: AccountId, period: PeriodNumber, bucket: Bucket) -> String {
    format!("LEAVING#{account}#{period}#{bucket}")
}

/// Returns the partition of the `changed` index for the contacts of one bucket.
pub(crate) fn changed_pk(account: AccountId, bucket: Bucket) -> String {
    format!("CHANGED#{account}#{bucket}")
}

/// Returns the partition of the `changed` index for the deleted contacts of one bucket that are still billable.
pub(crate) fn deleted_pk(account: AccountId, bucket: Bucket) -> String {
    format!("DELETED#{account}#{bucket}")
}

/// Returns the sort key of the `changed` index for a contact that changed at this instant. The order is that of the
/// instants, and for one instant that of the ids.
pub(crate) fn changed_sk(at: Timestamp, contact: ContactId) -> String {
    format!("{:015}#{}", at.millis(), contact.sortable())
}

/// Parses the text that [`changed_sk`] returns.
pub(crate) fn parse_changed_sk(sk: &str) -> Option<(Timestamp, ContactId)> {
    let (at, contact) = sk.split_once('#')?;
    Some((Timestamp::from_millis(at.parse().ok()?), ContactId::from_sortable(contact).ok()?))
}

/// Returns the sort key of the `changed` index for a deleted contact that was queued in this period.
pub(crate) fn deleted_sk(period: PeriodNumber, contact: ContactId) -> String {
    format!("{:010}#{}", period.number(), contact.sortable())
}

/// Parses the text that [`deleted_sk`] returns.
pub(crate) fn parse_deleted_sk(sk: &str) -> Option<ContactId> {
    ContactId::from_sortable(sk.split_once('#')?.1).ok()
}

/// Returns the name of a partition of the `due` index.
pub(crate) fn due_shard(number: u8) -> String {
    format!("DUE#{number}")
}

/// Returns the partition of the `due` index for a waiting delivery. It depends on the delivery, because a burst of them
/// belongs to one account.
pub(crate) fn due_shard_of_delivery(delivery: DeliveryId) -> String {
    due_shard(delivery.shard(DUE_SHARDS))
}

/// Returns the partition of the `due` index for an account's period and statements.
pub(crate) fn due_shard_of(account: AccountId) -> String {
    due_shard(account.shard(DUE_SHARDS))
}

/// Parses the key of a statement.
pub(crate) fn parse_statement_key(key: &Key) -> Option<(AccountId, PeriodNumber)> {
    let account = parse_account_pk(&key.pk)?;
    let number = key.sk.strip_prefix(Collection::Statements.prefix())?.parse().ok()?;
    Some((account, PeriodNumber::from_number(number)?))
}

/// Parses the key of a period.
pub(crate) fn parse_period_key(key: &Key) -> Option<AccountId> {
    (key.sk == "PERIOD").then(|| parse_account_pk(&key.pk)).flatten()
}

/// Parses the key of an account's unfinished bulk jobs.
pub(crate) fn parse_bulk_queue_key(key: &Key) -> Option<AccountId> {
    (key.sk == BULK_QUEUE_SK).then(|| parse_account_pk(&key.pk)).flatten()
}

/// Parses the key of an import.
pub(crate) fn parse_import_key(key: &Key) -> Option<(AccountId, ImportId)> {
    let import = key.sk.strip_prefix(Collection::Imports.prefix())?.parse().ok()?;
    Some((parse_account_pk(&key.pk)?, import))
}

/// Parses the key of an export.
pub(crate) fn parse_export_key(key: &Key) -> Option<(AccountId, ExportId)> {
    let export = key.sk.strip_prefix(Collection::Exports.prefix())?.parse().ok()?;
    Some((parse_account_pk(&key.pk)?, export))
}

/// Parses the key of a contact.
pub(crate) fn parse_contact_key(key: &Key) -> Option<(AccountId, ContactId)> {
    let (account, _bucket) = key.pk.strip_prefix(CONTACT_PREFIX)?.split_once('#')?;
    Some((account.parse().ok()?, ContactId::from_sortable(&key.sk).ok()?))
}

/// Parses the key of a member of a static list.
pub(crate) fn parse_member_key(key: &Key) -> Option<(AccountId, SegmentId, ContactId)> {
    let mut parts = key.pk.strip_prefix(MEMBER_PREFIX)?.split('#');
    let (account, segment) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((account, segment, ContactId::from_sortable(&key.sk).ok()?))
}

/// Parses the key of an automation's state.
pub(crate) fn parse_automation_key(key: &Key) -> Option<(AccountId, AutomationId)> {
    let named = key.pk.strip_prefix(AUTOMATION_PREFIX).filter(|_| key.sk == AUTOMATION_STATE_SK)?;
    let (account, automation) = named.split_once('#')?;
    Some((account.parse().ok()?, automation.parse().ok()?))
}

/// Parses the key of a rejected submission.
pub(crate) fn parse_rejected_key(key: &Key) -> Option<(AccountId, FormId)> {
    let (account, form) = key.pk.strip_prefix(REJECTED_PREFIX)?.split_once('#')?;
    Some((account.parse().ok()?, form.parse().ok()?))
}

/// Parses the key of a delivery.
pub(crate) fn parse_delivery_key(key: &Key) -> Option<(AccountId, FormId, DeliveryId)> {
    let mut parts = key.pk.strip_prefix(DELIVERY_PREFIX).filter(|_| key.sk == DELIVERY_SK)?.split('#');
    let named = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(named)
}

pub(crate) fn parse_account_pk(pk: &str) -> Option<AccountId> {
    pk.strip_prefix("ACCOUNT#")?.parse().ok()
}

/// Returns the highest sort key of the `due` index that is due at this instant.
pub(crate) fn due_by(now: Timestamp) -> String {
    now.to_string()
}
