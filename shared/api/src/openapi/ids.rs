//! The form of ids, wherever one stands in a path or in an answer.

use domain::ids::{AccountId, ContactId, FormId, Id, IntegrationId, PortalId, RejectionId, TokenId, UserId};
use domain::limits::ADDRESS_BYTES_MAX;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{
    ArrayItems, Components, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};

/// The form of one kind of ids: the pattern that each matches, and the fewest and the most characters.
#[derive(Clone, Copy)]
struct Form {
    pattern: &'static str,
    min: usize,
    max: usize,
}

impl Form {
    const fn of<I: Id>() -> Self {
        Self { pattern: I::PATTERN, min: I::CHARS_MIN, max: I::CHARS_MAX }
    }
}

/// The portal of `HubSpot`'s endpoint: an account's portal number, or its id.
const PORTAL: Form = Form {
    pattern: "^([1-9][0-9]{7,9}|acc_[0-7][0-9a-hjkmnp-tv-z]{25})$",
    min: PortalId::CHARS_MIN,
    max: AccountId::CHARS_MAX,
};

/// The form of `HubSpot`'s endpoint: a form's guid, or its id.
const FORM_GUID: Form = Form {
    pattern: "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|frm_[0-7][0-9a-hjkmnp-tv-z]{25})$",
    min: FormId::CHARS_MIN,
    max: 36,
};

/// The forms of ids, with the words that say which kind of id is meant: the collection before `{id}` in a path, the
/// name of any other variable or of a field, and the name of the schema whose field `id` it is.
const KINDS: [(Form, &[&str]); 9] = [
    (Form::of::<AccountId>(), &["accounts", "account_id", "Account"]),
    (Form::of::<ContactId>(), &["contacts", "contact_id", "Contact"]),
    (Form::of::<FormId>(), &["forms", "form_id", "Form"]),
    (Form::of::<UserId>(), &["users", "user_id", "User"]),
    (Form::of::<TokenId>(), &["tokens", "token_id", "Token", "TokenMade", "AdminTokenMade"]),
    (Form::of::<IntegrationId>(), &["Integration"]),
    (Form::of::<RejectionId>(), &["rejection_id", "RejectedSubmission"]),
    (PORTAL, &["portal_id"]),
    (FORM_GUID, &["form_guid"]),
];

/// What the name of a schema of pages begins with; the name of what is on them follows.
const PAGE: &str = "Page_";

fn form(word: &str) -> Option<Form> {
    KINDS.iter().find(|(_, words)| words.contains(&word)).map(|(form, _)| *form)
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
            "id" => collection(path, parameter).and_then(form).map(id),
            name => form(name).map(id),
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

fn id(form: Form) -> Object {
    let mut object = ObjectBuilder::new().schema_type(Type::String).build();
    give_form(&mut object, form);
    object
}

fn give_form(object: &mut Object, form: Form) {
    object.pattern = Some(form.pattern.to_owned());
    object.min_length = Some(form.min);
    object.max_length = Some(form.max);
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
                if let Some(form) = form(if field == "id" { name } else { field })
                    && let RefOr::T(Schema::Object(text)) = schema
                    && text.schema_type == SchemaType::new(Type::String)
                    && text.max_length.is_none()
                {
                    give_form(text, form);
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
