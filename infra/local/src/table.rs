//! The table, created from the definition in the template, so the local stack and the tests have no second definition.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::describe_time_to_live::DescribeTimeToLiveError;
use aws_sdk_dynamodb::operation::update_time_to_live::UpdateTimeToLiveError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TableDescription,
    TimeToLiveSpecification, TimeToLiveStatus,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::template::{self, TemplateError};

const TABLE: [&str; 3] = ["Resources", "Table", "Properties"];

/// The definition of the table: its keys, its indexes, its billing mode, its stream and the attribute by which items
/// expire.
#[derive(Debug, Clone, PartialEq)]
pub struct TableDefinition {
    /// The hash and the range key.
    pub key_schema: Vec<KeySchemaElement>,
    /// The attributes of keys and indexes, ordered by name.
    pub attributes: Vec<AttributeDefinition>,
    /// The global secondary indexes, ordered by name.
    pub indexes: Vec<GlobalSecondaryIndex>,
    /// The billing mode of reads and writes. It determines whether throughput must be specified.
    pub billing_mode: BillingMode,
    /// The images in the records of the table's stream. `None` if the table has no stream.
    pub stream: Option<StreamViewType>,
    /// The attribute with the time, in seconds since 1970, after which an item may be deleted.
    pub ttl_attribute: String,
}

/// The error of creating the table or comparing it with the template.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The template does not define the table.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The engine did not create the table.
    #[error("the table cannot be created")]
    Create(#[source] Box<SdkError<CreateTableError>>),
    /// The engine did not describe the table.
    #[error("the existing table cannot be read")]
    Describe(#[source] Box<SdkError<DescribeTableError>>),
    /// The engine did not return the attribute by which items expire.
    #[error("the existing table's expiry cannot be read")]
    DescribeExpiry(#[source] Box<SdkError<DescribeTimeToLiveError>>),
    /// The engine did not accept the attribute by which items expire.
    #[error("the table's expiry cannot be set")]
    Expiry(#[source] Box<SdkError<UpdateTimeToLiveError>>),
    /// A table with this name exists with another definition. Its data is not changed.
    #[error("table `{table}` exists with other {differs} than infra/template.yaml defines")]
    Different {
        /// The table's name.
        table: String,
        /// The first difference: `keys`, `attributes`, `indexes`, `billing mode`, `stream` or `expiry`.
        differs: &'static str,
    },
}

/// Reads the definition of the table from the template.
///
/// # Errors
///
/// [`TemplateError`] if the table is missing, if expiry is switched off, or if the local engine does not support a
/// property. An unknown property is an error, so no property is silently ignored.
pub fn table_definition() -> Result<TableDefinition, TemplateError> {
    let document = template::document()?;
    let properties: TableProperties = template::read(template::at(&document, &TABLE)?, &TABLE)?;
    properties.definition()
}

/// Creates the table if it does not exist, and sets its expiry. An existing table is compared with the template and not
/// changed.
///
/// # Errors
///
/// [`TableError::Different`] if the existing table has another definition, or another [`TableError`] if the template
/// or the engine fails.
pub async fn create_table(client: &Client, table: &str) -> Result<(), TableError> {
    table_definition()?.ensure(client, table).await
}

impl TableDefinition {
    /// Returns the same definition without a stream, which makes every write slower.
    #[must_use]
    pub fn without_stream(self) -> Self {
        Self { stream: None, ..self }
    }

    /// Creates the table if it does not exist, and sets its expiry. An existing table is compared and not changed.
    ///
    /// # Errors
    ///
    /// [`TableError::Different`] if the existing table has another definition, or another [`TableError`] if the engine
    /// fails.
    pub async fn ensure(&self, client: &Client, table: &str) -> Result<(), TableError> {
        if !self.create(client, table).await? {
            self.compare(client, table).await?;
        }
        self.ensure_expiry(client, table).await
    }

    /// Creates the table. Returns false if a table with this name exists.
    async fn create(&self, client: &Client, table: &str) -> Result<bool, TableError> {
        let created = client
            .create_table()
            .table_name(table)
            .billing_mode(self.billing_mode.clone())
            .set_key_schema(Some(self.key_schema.clone()))
            .set_attribute_definitions(Some(self.attributes.clone()))
            .set_global_secondary_indexes(Some(self.indexes.clone()))
            .set_stream_specification(self.stream_specification()?)
            .send()
            .await;
        match created {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(TableError::Create(Box::new(error))),
        }
    }

    fn stream_specification(&self) -> Result<Option<StreamSpecification>, TableError> {
        let Some(images) = self.stream.clone() else { return Ok(None) };
        let specification =
            StreamSpecification::builder().stream_enabled(true).stream_view_type(images).build();
        specification.map(Some).map_err(|error| TableError::Create(Box::new(construction(error))))
    }

    async fn compare(&self, client: &Client, table: &str) -> Result<(), TableError> {
        let described = client.describe_table().table_name(table).send().await;
        let description = described.map_err(|error| TableError::Describe(Box::new(error)))?.table;
        match description.as_ref().map_or(Some("keys"), |description| self.difference(description)) {
            None => Ok(()),
            Some(differs) => Err(different(table, differs)),
        }
    }

    /// Sets the expiry if it is not set. DynamoDB refuses to set it a second time, so the current setting is read
    /// first.
    async fn ensure_expiry(&self, client: &Client, table: &str) -> Result<(), TableError> {
        let described = client.describe_time_to_live().table_name(table).send().await;
        let state =
            described.map_err(|error| TableError::DescribeExpiry(Box::new(error)))?.time_to_live_description;
        let attribute = state.as_ref().and_then(|state| state.attribute_name());
        let status = state.as_ref().and_then(|state| state.time_to_live_status());
        match (status, attribute) {
            (Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling), Some(attribute)) => {
                if attribute == self.ttl_attribute { Ok(()) } else { Err(different(table, "expiry")) }
            }
            _ => self.set_expiry(client, table).await,
        }
    }

    async fn set_expiry(&self, client: &Client, table: &str) -> Result<(), TableError> {
        let specification =
            TimeToLiveSpecification::builder().enabled(true).attribute_name(&self.ttl_attribute).build();
        let specification =
            specification.map_err(|error| TableError::Expiry(Box::new(construction(error))))?;
        let updated =
            client.update_time_to_live().table_name(table).time_to_live_specification(specification);
        updated.send().await.map_err(|error| TableError::Expiry(Box::new(error)))?;
        Ok(())
    }

    /// Returns the first part in which an existing table differs, or `None`.
    fn difference(&self, table: &TableDescription) -> Option<&'static str> {
        let billing = table.billing_mode_summary().and_then(|summary| summary.billing_mode());
        if by_name(table.attribute_definitions().to_vec(), AttributeDefinition::attribute_name)
            != self.attributes
        {
            Some("attributes")
        } else if table.key_schema() != self.key_schema {
            Some("keys")
        } else if existing_indexes(table) != self.indexes.iter().map(index_shape).collect::<Vec<_>>() {
            Some("indexes")
        } else if billing != Some(&self.billing_mode) {
            Some("billing mode")
        } else if existing_stream(table) != self.stream.as_ref() {
            Some("stream")
        } else {
            None
        }
    }
}

/// The compared parts of an index: its name, its keys and its projection.
type IndexShape<'a> = (Option<&'a str>, &'a [KeySchemaElement], Option<&'a ProjectionType>);

fn index_shape(index: &GlobalSecondaryIndex) -> IndexShape<'_> {
    (
        Some(index.index_name()),
        index.key_schema(),
        index.projection().and_then(|projection| projection.projection_type()),
    )
}

fn existing_indexes(table: &TableDescription) -> Vec<IndexShape<'_>> {
    let mut indexes: Vec<IndexShape<'_>> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            let projection = index.projection().and_then(|projection| projection.projection_type());
            (index.index_name(), index.key_schema(), projection)
        })
        .collect();
    indexes.sort_by_key(|(name, ..)| *name);
    indexes
}

fn existing_stream(table: &TableDescription) -> Option<&StreamViewType> {
    let specification = table.stream_specification().filter(|specification| specification.stream_enabled());
    specification.and_then(StreamSpecification::stream_view_type)
}

fn different(table: &str, differs: &'static str) -> TableError {
    TableError::Different { table: table.to_owned(), differs }
}

fn construction<E>(error: BuildError) -> SdkError<E> {
    SdkError::construction_failure(error)
}

fn by_name<T>(mut items: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
    items.sort_by(|a, b| name(a).cmp(name(b)));
    items
}

/// The table's properties in the template. Properties without an effect on the local engine are also listed, because an
/// unknown property might change the table's behaviour.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TableProperties {
    billing_mode: String,
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<Key>,
    global_secondary_indexes: Vec<Index>,
    #[serde(default)]
    stream_specification: Option<Images>,
    time_to_live_specification: Expiry,
    #[serde(default, rename = "DeletionProtectionEnabled")]
    _deletion_protection: IgnoredAny,
    #[serde(default, rename = "PointInTimeRecoverySpecification")]
    _recovery: IgnoredAny,
    #[serde(default, rename = "SSESpecification")]
    _encryption: IgnoredAny,
    #[serde(default, rename = "Tags")]
    _tags: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Key {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Index {
    index_name: String,
    key_schema: Vec<Key>,
    projection: IndexProjection,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct IndexProjection {
    projection_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Images {
    stream_view_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Expiry {
    attribute_name: String,
    enabled: bool,
}

impl TableProperties {
    fn definition(self) -> Result<TableDefinition, TemplateError> {
        if !self.time_to_live_specification.enabled {
            return Err(unsupported("TimeToLiveSpecification.Enabled", "false"));
        }
        let attributes =
            self.attribute_definitions.into_iter().map(Attribute::definition).collect::<Result<_, _>>()?;
        let indexes =
            self.global_secondary_indexes.into_iter().map(Index::definition).collect::<Result<_, _>>()?;
        let stream = self.stream_specification;
        Ok(TableDefinition {
            stream: stream
                .map(|stream| known(&stream.stream_view_type, "StreamSpecification.StreamViewType"))
                .transpose()?,
            key_schema: keys(self.key_schema)?,
            attributes: by_name(attributes, AttributeDefinition::attribute_name),
            indexes: by_name(indexes, GlobalSecondaryIndex::index_name),
            billing_mode: known(&self.billing_mode, "BillingMode")?,
            ttl_attribute: self.time_to_live_specification.attribute_name,
        })
    }
}

impl Attribute {
    fn definition(self) -> Result<AttributeDefinition, TemplateError> {
        let attribute_type: ScalarAttributeType =
            known(&self.attribute_type, "AttributeDefinitions.AttributeType")?;
        AttributeDefinition::builder()
            .attribute_name(self.attribute_name)
            .attribute_type(attribute_type)
            .build()
            .map_err(|error| unsupported("AttributeDefinitions", &error.to_string()))
    }
}

impl Index {
    fn definition(self) -> Result<GlobalSecondaryIndex, TemplateError> {
        let projection: ProjectionType =
            known(&self.projection.projection_type, "GlobalSecondaryIndexes.Projection.ProjectionType")?;
        GlobalSecondaryIndex::builder()
            .index_name(self.index_name)
            .set_key_schema(Some(keys(self.key_schema)?))
            .projection(Projection::builder().projection_type(projection).build())
            .build()
            .map_err(|error| unsupported("GlobalSecondaryIndexes", &error.to_string()))
    }
}

fn keys(keys: Vec<Key>) -> Result<Vec<KeySchemaElement>, TemplateError> {
    keys.into_iter()
        .map(|key| {
            let key_type: KeyType = known(&key.key_type, "KeySchema.KeyType")?;
            KeySchemaElement::builder()
                .attribute_name(key.attribute_name)
                .key_type(key_type)
                .build()
                .map_err(|error| unsupported("KeySchema", &error.to_string()))
        })
        .collect()
}

/// Returns the SDK's value with this name. The SDK's enumerations accept any text, so the name must be among the
/// known values.
fn known<T: KnownValue>(value: &str, part: &str) -> Result<T, TemplateError> {
    if T::known().contains(&value) { Ok(T::from(value)) } else { Err(unsupported(part, value)) }
}

/// The SDK's enumerations that the template may name.
trait KnownValue: for<'a> From<&'a str> {
    fn known() -> &'static [&'static str];
}

macro_rules! known_value {
    ($($enumeration:ty),+) => {
        $(impl KnownValue for $enumeration {
            fn known() -> &'static [&'static str] {
                <$enumeration>::values()
            }
        })+
    };
}

known_value!(BillingMode, KeyType, ProjectionType, ScalarAttributeType, StreamViewType);

fn unsupported(part: &str, value: &str) -> TemplateError {
    TemplateError::Unsupported { part: format!("{}.{part}", TABLE.join(".")), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::engine::Engine;

    fn text(value: &str) -> AttributeValue {
        AttributeValue::S(value.to_owned())
    }

    fn item(attributes: &[(&str, &str)]) -> HashMap<String, AttributeValue> {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
    }

    fn attribute(name: &str) -> AttributeDefinition {
        let attribute =
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        attribute.build().unwrap()
    }

    #[test]
    fn template_defines_keys_indexes_and_expiry() {
        let definition = table_definition().unwrap();
        let keys = |schema: &[KeySchemaElement]| -> Vec<(String, KeyType)> {
            schema.iter().map(|key| (key.attribute_name().to_owned(), key.key_type().clone())).collect()
        };
        let pair = |hash: &str, range: &str| {
            vec![(hash.to_owned(), KeyType::Hash), (range.to_owned(), KeyType::Range)]
        };
        assert_eq!(keys(&definition.key_schema), pair("pk", "sk"));
        assert_eq!(
            definition.attributes,
            ["changed_pk", "changed_sk", "due_at", "due_shard", "leaving_pk", "pk", "sk"].map(attribute)
        );
        let [changed, due, leaving] = definition.indexes.as_slice() else { panic!("three indexes") };
        assert_eq!(
            (changed.index_name(), keys(changed.key_schema())),
            ("changed", pair("changed_pk", "changed_sk"))
        );
        assert_eq!((due.index_name(), keys(due.key_schema())), ("due", pair("due_shard", "due_at")));
        assert_eq!((leaving.index_name(), keys(leaving.key_schema())), ("leaving", pair("leaving_pk", "sk")));
        for index in [changed, due, leaving] {
            assert_eq!(
                index.projection().and_then(Projection::projection_type),
                Some(&ProjectionType::KeysOnly)
            );
        }
        assert_eq!(definition.billing_mode, BillingMode::PayPerRequest);
        assert_eq!(definition.stream, Some(StreamViewType::NewAndOldImages));
        assert_eq!(definition.ttl_attribute, "expires_at");
    }

    #[test]
    fn unsupported_property_is_an_error() {
        let path = ["Table"];
        let read = |yaml: &str| {
            let node: yaml_serde::Value = yaml_serde::from_str(yaml).unwrap();
            template::read::<TableProperties>(&node, &path).and_then(TableProperties::definition)
        };
        let plain = "
            BillingMode: PAY_PER_REQUEST
            AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
            KeySchema: [{ AttributeName: pk, KeyType: HASH }]
            GlobalSecondaryIndexes: []
            TimeToLiveSpecification: { AttributeName: t, Enabled: true }
            SSESpecification: { KMSMasterKeyId: !Ref Key }";
        assert!(read(plain).is_ok(), "an intrinsic function in a property without an effect");
        let stream = format!("{plain}\n            StreamSpecification: {{ StreamViewType: NEW_IMAGE }}");
        assert_eq!(read(&stream).unwrap().stream, Some(StreamViewType::NewImage));
        let unknown = format!("{plain}\n            TableClass: STANDARD");
        assert!(matches!(read(&unknown), Err(TemplateError::Shape { .. })));
        for (from, to) in [("HASH", "HSAH"), ("PAY_PER_REQUEST", "PAY"), ("Enabled: true", "Enabled: false")]
        {
            let error = read(&plain.replace(from, to)).unwrap_err();
            assert!(matches!(error, TemplateError::Unsupported { .. }), "{to}: {error}");
        }
    }

    #[tokio::test]
    async fn items_are_read_by_key_and_through_both_indexes() {
        let engine = Engine::in_memory().unwrap();
        let client = engine.client();
        create_table(&client, "contacts").await.unwrap();
        let items = [
            item(&[("pk", "CONTACT#a#0"), ("sk", "con_1"), ("leaving_pk", "LEAVING#a#7#0")]),
            item(&[("pk", "CONTACT#a#0"), ("sk", "con_2")]),
            item(&[
                ("pk", "ACCOUNT#a"),
                ("sk", "PERIOD"),
                ("due_shard", "3"),
                ("due_at", "2026-12-01T00:00:00.000Z"),
            ]),
        ];
        for item in &items {
            client.put_item().table_name("contacts").set_item(Some(item.clone())).send().await.unwrap();
        }

        let read =
            client.get_item().table_name("contacts").key("pk", text("CONTACT#a#0")).key("sk", text("con_2"));
        assert_eq!(read.send().await.unwrap().item.as_ref(), items.get(1));

        let leaving = client.query().table_name("contacts").index_name("leaving");
        let leaving = leaving.key_condition_expression("leaving_pk = :pk");
        let leaving = leaving.expression_attribute_values(":pk", text("LEAVING#a#7#0")).send().await.unwrap();
        assert_eq!(leaving.items.as_deref(), items.get(..1), "sparse, keys only");

        let due = client.query().table_name("contacts").index_name("due");
        let due = due.key_condition_expression("due_shard = :shard AND due_at <= :now");
        let due = due.expression_attribute_values(":shard", text("3"));
        for (now, found) in [("2026-11-30T23:59:59.999Z", 0), ("2026-12-01T00:00:00.000Z", 1)] {
            let due = due.clone().expression_attribute_values(":now", text(now)).send().await.unwrap();
            assert_eq!(due.count(), found, "{now}");
        }
        engine.stop().await;
    }

    #[tokio::test]
    async fn second_creation_changes_nothing() {
        let engine = Engine::in_memory().unwrap();
        let client = engine.client();
        create_table(&client, "contacts").await.unwrap();
        let kept = item(&[("pk", "ACCOUNT#a"), ("sk", "ACCOUNT")]);
        client.put_item().table_name("contacts").set_item(Some(kept.clone())).send().await.unwrap();
        create_table(&client, "contacts").await.unwrap();
        let read =
            client.get_item().table_name("contacts").key("pk", text("ACCOUNT#a")).key("sk", text("ACCOUNT"));
        assert_eq!(read.send().await.unwrap().item, Some(kept));
        let expiry = client.describe_time_to_live().table_name("contacts").send().await.unwrap();
        let expiry = expiry.time_to_live_description.unwrap();
        assert_eq!(expiry.attribute_name(), Some("expires_at"));
        assert_eq!(expiry.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));
    }

    #[tokio::test]
    async fn interrupted_creation_is_completed() {
        let engine = Engine::in_memory().unwrap();
        let client = engine.client();
        assert!(table_definition().unwrap().create(&client, "contacts").await.unwrap());
        create_table(&client, "contacts").await.unwrap();
        let expiry = client.describe_time_to_live().table_name("contacts").send().await.unwrap();
        assert_eq!(expiry.time_to_live_description.unwrap().attribute_name(), Some("expires_at"));
    }

    #[tokio::test]
    async fn table_with_another_definition_is_refused_unchanged() {
        let engine = Engine::in_memory().unwrap();
        let client = engine.client();
        let template = table_definition().unwrap();
        let two_indexes =
            TableDefinition { indexes: template.indexes.get(..2).unwrap().to_vec(), ..template.clone() };
        let used =
            two_indexes.attributes.iter().filter(|attribute| attribute.attribute_name() != "leaving_pk");
        let fewer = TableDefinition { attributes: used.cloned().collect(), ..two_indexes.clone() };
        let mut projected = template.clone();
        projected.indexes.iter_mut().for_each(|index| {
            index.projection = Some(Projection::builder().projection_type(ProjectionType::All).build());
        });
        let hash_only = template.key_schema.get(..1).unwrap().to_vec();
        let rangeless = TableDefinition { key_schema: hash_only, ..template.clone() };
        for (table, definition, expected) in [
            ("fewer", fewer, "attributes"),
            ("projected", projected, "indexes"),
            ("rangeless", rangeless, "keys"),
            ("silent", template.clone().without_stream(), "stream"),
        ] {
            assert!(definition.create(&client, table).await.unwrap());
            let error = create_table(&client, table).await.unwrap_err();
            assert!(
                matches!(&error, TableError::Different { differs, .. } if *differs == expected),
                "{error}"
            );
        }
    }
}
