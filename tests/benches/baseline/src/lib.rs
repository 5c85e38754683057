//! The baseline of the benchmarks: minimal programs that make the same calls as the functions.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};

/// Any error of a baseline. It ends the program.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

type Item = HashMap<String, AttributeValue>;

/// The table that a baseline uses.
pub const TABLE: &str = "tidemark-test";

/// Creates a DynamoDB client like `bootstrap`'s. It has the same timeouts and retries, and reads its configuration from
/// the environment.
///
/// # Errors
///
/// An environment variable is missing.
pub fn client() -> Result<Client, Error> {
    #[expect(clippy::disallowed_methods, reason = "the baseline is not part of the program")]
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    let session = variable("AWS_SESSION_TOKEN").ok();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_millis(1500))
        .operation_timeout(Duration::from_secs(7));
    let retries =
        RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(50));
    let mut config = Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(Credentials::new(id, secret, session, None, "Environment"))
        .timeout_config(timeouts.build())
        .retry_config(retries);
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL_DYNAMODB").ok());
    Ok(Client::from_conf(config.build()))
}

/// The keys of a contact and its account's period.
pub struct Keys<'a> {
    contact_pk: &'a str,
    contact_sk: &'a str,
    period_pk: &'a str,
}

impl<'a> Keys<'a> {
    /// Parses a line of three keys, separated by spaces.
    ///
    /// # Errors
    ///
    /// The line contains fewer than three keys.
    pub fn read(line: &'a str) -> Result<Self, Error> {
        let mut keys = line.split_whitespace();
        let mut next = || keys.next().ok_or("expected three keys");
        Ok(Self { contact_pk: next()?, contact_sk: next()?, period_pk: next()? })
    }
}

/// Makes only the two calls that set a contact marketing: a consistent batched read of the contact and the period, and
/// a transaction that puts the contact and updates the count. Unchanged attributes are written as they were read.
///
/// # Errors
///
/// A call fails, or an item does not exist.
pub async fn set_marketing(client: &Client, keys: &Keys<'_>) -> Result<(), Error> {
    let (mut contact, period) = read(client, keys).await?;
    let version = contact.get("version").cloned().ok_or("the contact has no version")?;
    let revision = period.get("revision").cloned().ok_or("the period has no revision")?;
    change(&mut contact, &version)?;
    let put = Put::builder()
        .table_name(TABLE)
        .set_item(Some(contact))
        .condition_expression("#version = :version")
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":version", version)
        .build()?;
    let count = Update::builder()
        .table_name(TABLE)
        .set_key(Some(key(keys.period_pk, "PERIOD")))
        .update_expression("ADD #marketing :marketing, #leaving :leaving")
        .condition_expression("#revision = :revision")
        .expression_attribute_names("#marketing", "marketing")
        .expression_attribute_names("#leaving", "leaving")
        .expression_attribute_names("#revision", "revision")
        .expression_attribute_values(":marketing", AttributeValue::N("1".to_owned()))
        .expression_attribute_values(":leaving", AttributeValue::N("0".to_owned()))
        .expression_attribute_values(":revision", revision)
        .build()?;
    client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(put).build())
        .transact_items(TransactWriteItem::builder().update(count).build())
        .send()
        .await?;
    Ok(())
}

async fn read(client: &Client, keys: &Keys<'_>) -> Result<(Item, Item), Error> {
    let keys = KeysAndAttributes::builder()
        .keys(key(keys.contact_pk, keys.contact_sk))
        .keys(key(keys.period_pk, "PERIOD"))
        .consistent_read(true)
        .build()?;
    let output = client.batch_get_item().request_items(TABLE, keys).send().await?;
    let found = output.responses.into_iter().flat_map(|mut tables| tables.remove(TABLE));
    let (mut contact, mut period) = (None, None);
    for item in found.flatten() {
        let is_period = item.get("sk").is_some_and(|sk| sk.as_s().is_ok_and(|sk| sk == "PERIOD"));
        *(if is_period { &mut period } else { &mut contact }) = Some(item);
    }
    contact.zip(period).ok_or_else(|| "the contact or the period does not exist".into())
}

/// Increments the contact's version and sets its state to marketing.
fn change(contact: &mut Item, version: &AttributeValue) -> Result<(), Error> {
    let next = version.as_n().map_err(|_| "the version is not a number")?.parse::<u64>()? + 1;
    contact.insert("version".to_owned(), AttributeValue::N(next.to_string()));
    contact.insert("state".to_owned(), AttributeValue::S("marketing".to_owned()));
    Ok(())
}

fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(pk.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
    ])
}
