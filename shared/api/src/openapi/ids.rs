//! The format of ids in paths and in responses.

use domain::ids::{
    AccountId, AutomationId, ContactId, ExportId, FormId, Id, ImportId, IntegrationId, JobId, PortalId,
    RejectionId, SegmentId, TokenId, UserId,
};
use domain::limits::ADDRESS_BYTES_MAX;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{
    ArrayItems, Components, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};

/// The format of one kind of id: its pattern, and its smallest and largest number of characters.
#[derive(Clone, Copy)]
struct IdFormat {
    pattern: &'static str,
    min: usize,
    max: usize,
}

impl IdFormat {
    const fn of<I: Id>() -> Self {
        Self { pattern: I::PATTERN, min: I::CHARS_MIN, max: I::CHARS_MAX }
    }
}

/// The format of the portal in paths of `HubSpot`'s endpoint: an account's portal number, or its id.
const PORTAL: IdFormat = IdFormat {
    pattern: "^([1-9][0-9]{7,9}|acc_[0-7][0-9a-hjkmnp-tv-z]{25})$",
    min: PortalId::CHARS_MIN,
    max: AccountId::CHARS_MAX,
};

/// The format of the form in paths of `HubSpot`'s endpoint: a form's guid, or its id.
const FORM_GUID: IdFormat = IdFormat {
    pattern: "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|frm_[0-7][0-9a-hjkmnp-tv-z]{25})$",
    min: FormId::CHARS_MIN,
    max: 36,
};

/// The formats of ids, each with the names that select it: the collection before `{id}` in a path, the name of another
/// variable or of a field, or the name of the schema whose field `id` is described.
const KINDS: [(IdFormat, &[&str]); 14] = [
    (IdFormat::of::<AccountId>(), &["accounts", "account_id", "Account"]),
    (IdFormat::of::<ContactId>(), &["contacts", "contact_id", "Contact"]),
    (IdFormat::of::<FormId>(), &["forms", "form_id", "Form"]),
    (IdFormat::of::<UserId>(), &["users", "user_id", "User"]),
    (IdFormat::of::<TokenId>(), &["tokens", "token_id", "Token", "TokenMade", "AdminTokenMade"]),
    (IdFormat::of::<IntegrationId>(), &["Integration"]),
    (IdFormat::of::<RejectionId>(), &["rejection_id", "RejectedSubmission"]),
    (IdFormat::of::<SegmentId>(), &["segments", "segment_id", "Segment"]),
    (IdFormat::of::<AutomationId>(), &["automations", "automation_id", "Automation"]),
    (IdFormat::of::<JobId>(), &["jobs", "job_id", "BulkJob"]),
    (IdFormat::of::<ImportId>(), &["imports", "Import"]),
    (IdFormat::of::<ExportId>(), &["exports", "Export"]),
    (PORTAL, &["portal_id"]),
    (FORM_GUID, &["form_guid"]),
];

/// The prefix of the name of a page's schema. The name of the listed schema follows it.
const PAGE: &str = "Page_";

fn format_of(name: &str) -> Option<IdFormat> {
    KINDS.iter().find(|(_, names)| names.contains(&name)).map(|(format, _)| *format)
}

/// Adds the format of each variable in a path.
pub(super) fn describe_path(path: &str, operation: &mut Operation) {
    let parameters = operation.parameters.iter_mut().flatten();
    for parameter in parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path => Some(parameter),
        _ => None,
    }) {
        let schema = match &*parameter.name {
            "email" => Some(address()),
            "id" => collection(path, parameter).and_then(format_of).map(id),
            name => format_of(name).map(id),
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

fn id(format: IdFormat) -> Object {
    let mut object = ObjectBuilder::new().schema_type(Type::String).build();
    set_format(&mut object, format);
    object
}

fn set_format(object: &mut Object, format: IdFormat) {
    object.pattern = Some(format.pattern.to_owned());
    object.min_length = Some(format.min);
    object.max_length = Some(format.max);
}

fn address() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .max_length(Some(ADDRESS_BYTES_MAX))
        .build()
}

/// Adds the format of each id in a response. A text with a bound of its own belongs to a request, where a malformed id
/// is not an error: it is not found.
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
                if let Some(format) = format_of(if field == "id" { name } else { field })
                    && let RefOr::T(Schema::Object(text)) = schema
                    && text.schema_type == SchemaType::new(Type::String)
                    && text.max_length.is_none()
                {
                    set_format(text, format);
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
        Schema::OneOf(kinds) => kinds.items.iter_mut().for_each(|kind| describe_schema(name, kind)),
        _ => {}
    }
}
