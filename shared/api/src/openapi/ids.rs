//! The form of ids, wherever one stands in a path or in an answer.

use domain::ids::{AccountId, ContactId, FormId, ID_CHARS, Id, IntegrationId, RejectionId, TokenId, UserId};
use domain::limits::ADDRESS_BYTES_MAX;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{
    ArrayItems, Components, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};

/// The prefixes of ids, with the words that say which kind of id is meant: the collection before `{id}` in a path, the
/// name of any other variable or of a field, and the name of the schema whose field `id` it is.
const KINDS: [(&str, &[&str]); 7] = [
    (AccountId::PREFIX, &["accounts", "portal_id", "account_id", "Account"]),
    (ContactId::PREFIX, &["contacts", "contact_id", "Contact"]),
    (FormId::PREFIX, &["forms", "form_id", "form_guid", "Form"]),
    (UserId::PREFIX, &["users", "user_id", "User"]),
    (TokenId::PREFIX, &["tokens", "token_id", "Token", "TokenMade", "AdminTokenMade"]),
    (IntegrationId::PREFIX, &["Integration"]),
    (RejectionId::PREFIX, &["rejection_id", "RejectedSubmission"]),
];

/// What the name of a schema of pages begins with; the name of what is on them follows.
const PAGE: &str = "Page_";

fn prefix(word: &str) -> Option<&'static str> {
    KINDS.iter().find(|(_, words)| words.contains(&word)).map(|(prefix, _)| *prefix)
}

/// Returns the pattern of ids with this prefix. The first of the 26 digits has only three bits.
fn pattern(prefix: &str) -> String {
    format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")
}

/// Says of each variable in a path what form it has.
pub(super) fn describe_path(path: &str, operation: &mut Operation) {
    let parameters = operation.parameters.iter_mut().flatten();
    for parameter in parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path => Some(parameter),
        _ => None,
    }) {
        let schema = match &*parameter.name {
            "email" => Some(address()),
            "id" => collection(path, parameter).and_then(prefix).map(id),
            name => prefix(name).map(id),
        };
        if let Some(schema) = schema {
            parameter.schema = Some(RefOr::T(schema.into()));
        }
    }
}

/// Returns the segment before a variable.
fn collection<'p>(path: &'p str, parameter: &Parameter) -> Option<&'p str> {
    let (before, _) = path.split_once(&format!("/{{{}}}", parameter.name))?;
    before.rsplit('/').next()
}

fn id(prefix: &'static str) -> Object {
    let mut object = ObjectBuilder::new().schema_type(Type::String).build();
    give_form(&mut object, prefix);
    object
}

fn give_form(object: &mut Object, prefix: &'static str) {
    object.pattern = Some(pattern(prefix));
    object.min_length = Some(ID_CHARS);
    object.max_length = Some(ID_CHARS);
}

fn address() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .max_length(Some(ADDRESS_BYTES_MAX))
        .build()
}

/// Says of each id in an answer what form it has. A text with a bound of its own is a request's: an id that is sent there
/// and is not known is no error of form.
pub(super) fn describe_fields(components: &mut Components) {
    for (name, schema) in &mut components.schemas {
        describe_schema(name.trim_start_matches(PAGE), schema);
    }
}

fn describe_schema(name: &str, schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            for (field, schema) in &mut object.properties {
                if let Some(prefix) = prefix(if field == "id" { name } else { field })
                    && let RefOr::T(Schema::Object(text)) = schema
                    && text.schema_type == SchemaType::new(Type::String)
                    && text.max_length.is_none()
                {
                    give_form(text, prefix);
                } else {
                    describe_schema(name, schema);
                }
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                describe_schema(name, items);
            }
        }
        _ => {}
    }
}
