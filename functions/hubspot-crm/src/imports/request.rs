//! The request for an import: `multipart/form-data` (RFC 7578) with the options as JSON, and the file.

use std::collections::BTreeMap;
use std::convert::Infallible;

use api::json;
use axum::body::Bytes;
use axum::extract::Request;
use contact_files::Target;
use domain::import::ImportMode;
use domain::limits::{IMPORT_ATTACHED_BYTES_MAX, IMPORT_BODY_BYTES_MAX, NAME_CHARS_MAX};
use futures_util::{FutureExt as _, stream};
use http::header::CONTENT_TYPE;
use multer::Multipart;
use serde_json::Value;

use crate::definitions::Definitions;
use crate::envelope::Failure;
use crate::field::Field;
use crate::lists::CONTACTS;

/// The member that maps the columns, in refusals.
const MAPPINGS: &str = "files[0].fileImportPage.columnMappings";

/// The options of an import, and its file.
pub(super) struct Attached {
    pub(super) request: Value,
    pub(super) file: Bytes,
}

/// Reads the body of a request.
///
/// # Errors
///
/// A refusal of another body, or of a file that is too large for a request.
pub(super) async fn read(request: Request) -> Result<Attached, Failure> {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type.and_then(|value| multer::parse_boundary(value).ok());
    let boundary = boundary.ok_or_else(|| Failure::invalid("The body must be multipart/form-data"))?;
    let bytes = api::body::read_up_to(IMPORT_BODY_BYTES_MAX, &parts.headers, body).await?;
    // The whole body is in memory, so the future never waits. A body without its end is malformed.
    let found = split(boundary, bytes).now_or_never().flatten();
    let found = found.ok_or_else(|| Failure::invalid("The body is not valid multipart/form-data"))?;
    let text = found.request.ok_or_else(|| Failure::invalid("importRequest: is required"))?;
    let request = json::parse(&text).map_err(|error| Failure::invalid(format!("importRequest: {error}")))?;
    let mut files = found.files.into_iter();
    match (files.next(), files.next()) {
        (Some(file), None) if file.len() <= IMPORT_ATTACHED_BYTES_MAX => Ok(Attached { request, file }),
        (Some(_), None) => Err(Failure::invalid(format!(
            "files: expected a file of at most {IMPORT_ATTACHED_BYTES_MAX} bytes"
        ))),
        (None, _) => Err(Failure::invalid("files: is required")),
        (Some(_), Some(_)) => Err(Failure::invalid("files: expected one file, because an import has one")),
    }
}

#[derive(Default)]
struct Found {
    request: Option<Bytes>,
    files: Vec<Bytes>,
}

/// Splits a body into its parts. Returns `None` if the body is malformed or ends early. The parser's own error is dropped,
/// because it may repeat names and values.
async fn split(boundary: String, body: Bytes) -> Option<Found> {
    let mut multipart = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut found = Found::default();
    while let Some(part) = multipart.next_field().await.ok()? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.ok()?;
        match name.as_str() {
            "importRequest" => found.request = Some(bytes),
            "files" | "file" => found.files.push(bytes),
            _ => {}
        }
    }
    Some(found)
}

/// The options of an import.
pub(super) struct ImportRequest {
    pub(super) name: String,
    pub(super) mode: ImportMode,
    /// True if the contacts of the file are set marketing.
    pub(super) set_marketing: bool,
    /// True if the contacts of the file become the members of a new list.
    pub(super) creates_list: bool,
    pub(super) has_header: bool,
    /// The columns of the request, each with its target.
    columns: Vec<(String, Target)>,
}

impl ImportRequest {
    /// Reads the options.
    ///
    /// # Errors
    ///
    /// A refusal that names the member that is wrong or not supported.
    pub(super) fn read(request: &Value, definitions: &Definitions) -> Result<Self, Failure> {
        let flag = |name: &str| request.get(name).and_then(Value::as_bool).unwrap_or(false);
        let name = request.get("name").and_then(Value::as_str).unwrap_or_default().trim();
        if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.contains(char::is_control) {
            let message = format!("name: expected a name of 1 to {NAME_CHARS_MAX} characters");
            return Err(Failure::invalid(message));
        }
        let files = request.get("files").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let [file] = files else {
            return Err(Failure::invalid(
                "importRequest.files: expected one file, because an import has one",
            ));
        };
        if file.get("fileFormat").and_then(Value::as_str) == Some("SPREADSHEET") {
            let message = "files[0].fileFormat: expected CSV, because spreadsheets are not supported";
            return Err(Failure::invalid(message));
        }
        let page = file.get("fileImportPage").unwrap_or(&Value::Null);
        Ok(Self {
            name: name.to_owned(),
            mode: mode(request)?,
            set_marketing: flag("marketableContactImport"),
            creates_list: flag("createContactListFromImport"),
            has_header: page.get("hasHeader").and_then(Value::as_bool).unwrap_or(true),
            columns: columns(page, definitions)?,
        })
    }

    /// Returns the name or the position of the column with the address, and its target.
    pub(super) fn address(&self) -> (String, Target) {
        let position = self.columns.iter().position(|(_, target)| *target == Target::Email).unwrap_or(0);
        let name = self.columns.get(position).map(|(name, _)| name.clone()).unwrap_or_default();
        (if self.has_header { name } else { (position + 1).to_string() }, Target::Email)
    }

    /// Returns the targets of all columns of a file with these names. A column that the request does not name has none.
    ///
    /// # Errors
    ///
    /// A refusal of a column that the file does not have.
    pub(super) fn mapping(&self, names: &[&str]) -> Result<BTreeMap<String, Target>, Failure> {
        let mut targets = vec![Target::Nothing; names.len()];
        for (index, (name, target)) in self.columns.iter().enumerate() {
            let position = if self.has_header { position_of(names, name) } else { Some(index) };
            let Some(place) = position.and_then(|position| targets.get_mut(position)) else {
                let message = format!("{MAPPINGS}[{index}].columnName: the file has no such column");
                return Err(Failure::invalid(message));
            };
            *place = target.clone();
        }
        let key = |position: usize| match names.get(position) {
            Some(name) if self.has_header && is_unique(names, name) => (*name).to_owned(),
            _ => (position + 1).to_string(),
        };
        Ok(targets.into_iter().enumerate().map(|(position, target)| (key(position), target)).collect())
    }
}

/// Returns true if a name means one column only.
fn is_unique(names: &[&str], name: &str) -> bool {
    let is_same = |other: &&&str| other.trim().to_lowercase() == name.trim().to_lowercase();
    !name.trim().is_empty() && names.iter().filter(is_same).count() == 1
}

/// Returns the position of the column with a name, without regard to case and to spaces around it.
fn position_of(names: &[&str], name: &str) -> Option<usize> {
    let wanted = name.trim().to_lowercase();
    let exact = names.iter().position(|other| *other == name);
    exact.or_else(|| names.iter().position(|other| other.trim().to_lowercase() == wanted))
}

/// Returns the contacts that the import may write.
fn mode(request: &Value) -> Result<ImportMode, Failure> {
    let Some(operations) = request.get("importOperations").and_then(Value::as_object) else {
        return Ok(ImportMode::Both);
    };
    if operations.keys().any(|object| object != CONTACTS) {
        return Err(Failure::invalid(
            "importOperations: expected 0-1 only, because only contacts can be imported",
        ));
    }
    match operations.get(CONTACTS).and_then(Value::as_str) {
        None | Some("UPSERT") => Ok(ImportMode::Both),
        Some("CREATE") => Ok(ImportMode::Create),
        Some("UPDATE") => Ok(ImportMode::Update),
        Some(_) => Err(Failure::invalid("importOperations.0-1: expected CREATE, UPDATE or UPSERT")),
    }
}

/// Returns the columns of a page, each with its target.
fn columns(page: &Value, definitions: &Definitions) -> Result<Vec<(String, Target)>, Failure> {
    let mappings = page.get("columnMappings").and_then(Value::as_array);
    let mut columns = Vec::new();
    for (index, mapping) in mappings.into_iter().flatten().enumerate() {
        let place = format!("{MAPPINGS}[{index}]");
        let target = target(mapping, &place, definitions)?;
        if target != Target::Nothing && columns.iter().any(|(_, other)| *other == target) {
            return Err(Failure::invalid(format!("{place}.propertyName: another column fills it already")));
        }
        let name = mapping.get("columnName").and_then(Value::as_str).unwrap_or_default();
        columns.push((name.to_owned(), target));
    }
    if columns.iter().any(|(_, target)| *target == Target::Email) {
        Ok(columns)
    } else {
        Err(Failure::invalid(format!(
            "{MAPPINGS}: expected a column for email, by which rows find their contacts"
        )))
    }
}

/// Returns the part of a contact that a column fills.
fn target(mapping: &Value, place: &str, definitions: &Definitions) -> Result<Target, Failure> {
    let text = |name: &str| mapping.get(name).and_then(Value::as_str);
    let refused = |name: &str, message: &str| Err(Failure::invalid(format!("{place}.{name}: {message}")));
    if text("columnObjectTypeId").is_some_and(|object| object != CONTACTS) {
        return refused("columnObjectTypeId", "expected 0-1, because only contacts can be imported");
    }
    if ["toColumnObjectTypeId", "foreignKeyType", "associationIdentifierColumn"]
        .iter()
        .any(|name| mapping.get(name).is_some_and(|value| !value.is_null() && *value != Value::Bool(false)))
    {
        return refused("toColumnObjectTypeId", "associations are not supported");
    }
    let property = text("propertyName").unwrap_or_default();
    // The member had another name once.
    match text("columnType").or_else(|| text("idColumnType")) {
        None | Some("STANDARD" | "HUBSPOT_ALTERNATE_ID") if property == "email" => return Ok(Target::Email),
        None | Some("STANDARD") if property.is_empty() => return Ok(Target::Nothing),
        None | Some("STANDARD") => {}
        Some("HUBSPOT_ALTERNATE_ID") => {
            return refused("columnType", "HUBSPOT_ALTERNATE_ID is supported for email only");
        }
        Some("HUBSPOT_OBJECT_ID") => {
            let message = "HUBSPOT_OBJECT_ID is not supported, because rows find their contacts by email";
            return refused("columnType", message);
        }
        Some(_) => return refused("columnType", "expected STANDARD or HUBSPOT_ALTERNATE_ID"),
    }
    let definition = definitions.get(property);
    match (definition, Field::named(property)) {
        (Some(definition), Some(Field::Stored(name))) if !definition.is_read_only => {
            Ok(Target::Property(name))
        }
        (Some(_), Some(_)) => refused("propertyName", &format!("\"{property}\" is read only")),
        _ => refused("propertyName", &format!("Property \"{property}\" does not exist")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn column(name: &str, property: &str) -> Value {
        json!({"columnObjectTypeId": "0-1", "columnName": name, "propertyName": property})
    }

    fn request(columns: &[Value]) -> Value {
        json!({"name": "Spring", "files": [{
            "fileName": "a.csv", "fileFormat": "CSV",
            "fileImportPage": {"hasHeader": true, "columnMappings": columns},
        }]})
    }

    fn read(request: &Value) -> Result<ImportRequest, String> {
        ImportRequest::read(request, &Definitions::default()).map_err(|failure| failure.message)
    }

    #[test]
    fn column_without_a_mapping_fills_nothing() {
        let import = read(&request(&[column("E-Mail", "email"), column(" first", "firstname")])).unwrap();
        assert!(import.mode == ImportMode::Both && !import.set_marketing && !import.creates_list);
        assert_eq!(import.address(), ("E-Mail".to_owned(), Target::Email));
        let mapping = import.mapping(&["First", "E-Mail", "Notes", "Notes", ""]).unwrap();
        let targets: Vec<(&str, Option<&str>)> =
            mapping.iter().map(|(key, target)| (key.as_str(), target.name())).collect();
        let expected =
            [("3", None), ("4", None), ("5", None), ("E-Mail", Some("email")), ("First", Some("firstname"))];
        assert_eq!(targets, expected);
        assert!(import.mapping(&["E-Mail"]).is_err());
    }

    #[test]
    fn file_without_a_header_is_mapped_by_positions() {
        let mut given = request(&[column("", "lastname"), column("", "email")]);
        given["files"][0]["fileImportPage"]["hasHeader"] = json!(false);
        let import = read(&given).unwrap();
        assert_eq!(import.address().0, "2");
        let mapping = import.mapping(&["1", "2", "3"]).unwrap();
        assert_eq!(mapping.get("1").and_then(Target::name), Some("lastname"));
    }

    #[test]
    fn operation_and_flags_are_read() {
        let mut given = request(&[column("E", "email")]);
        for (word, mode) in
            [("CREATE", ImportMode::Create), ("UPDATE", ImportMode::Update), ("UPSERT", ImportMode::Both)]
        {
            given["importOperations"] = json!({"0-1": word});
            assert_eq!(read(&given).unwrap().mode, mode);
        }
        given["marketableContactImport"] = json!(true);
        given["createContactListFromImport"] = json!(true);
        let import = read(&given).unwrap();
        assert!(import.set_marketing && import.creates_list);
    }

    #[test]
    fn refusal_names_the_member() {
        let with = |name: &str, value: Value| {
            let mut mapping = column("E", "email");
            mapping[name] = value;
            request(&[mapping])
        };
        let mut other_object = request(&[column("E", "email")]);
        other_object["importOperations"] = json!({"0-2": "CREATE"});
        for (given, member) in [
            (json!({"name": ""}), "name"),
            (json!({"name": "a", "files": []}), "importRequest.files"),
            (request(&[column("First", "firstname")]), MAPPINGS),
            (request(&[column("E", "email"), column("F", "email")]), "[1].propertyName"),
            (request(&[column("E", "email"), column("F", "nickname")]), "[1].propertyName"),
            (request(&[column("E", "email"), column("F", "hs_marketable_status")]), "[1].propertyName"),
            (with("columnType", json!("HUBSPOT_OBJECT_ID")), "[0].columnType"),
            (with("columnObjectTypeId", json!("0-2")), "[0].columnObjectTypeId"),
            (with("toColumnObjectTypeId", json!("0-2")), "[0].toColumnObjectTypeId"),
            (other_object, "importOperations"),
        ] {
            let message = read(&given).map(|_| ()).unwrap_err();
            assert!(message.contains(&format!("{member}: ")), "{message}");
        }
    }
}
