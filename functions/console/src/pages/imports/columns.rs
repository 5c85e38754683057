//! The columns of a file, each with the part of a contact that it fills.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::Value;

use crate::parts::field_error;
use crate::request::Refusal;
use crate::text::{self, forms, imports as words};
use crate::typed::Typed;

/// The target of a column that is left out. No property has this name.
const LEFT_OUT: &str = "-";

/// The targets beside properties, with their names.
const TARGETS: [(&str, &str); 4] = [
    (LEFT_OUT, words::NOTHING),
    ("email", forms::EMAIL_ADDRESS),
    ("unsubscribed", text::contacts::UNSUBSCRIBED),
    ("bounced", text::contacts::BOUNCED),
];

/// A column of a file.
pub(super) struct Column {
    /// The name by which a mapping means this column.
    key: String,
    /// The name in the header.
    name: String,
    /// The target as the file is read now.
    now: String,
    /// The target that a person has chosen.
    chosen: String,
    /// The property that a person has typed.
    other: String,
    note: Option<String>,
    values: Vec<String>,
}

/// Returns the columns of a preview. `mapping` has the columns that are mapped already.
pub(super) fn columns(preview: &Value, mapping: &BTreeMap<String, Option<String>>) -> Vec<Column> {
    let listed = preview.get("columns").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = listed.iter().map(|column| text_of(column, "name")).collect();
    listed.iter().enumerate().map(|(place, column)| column_of(place, column, &names, mapping)).collect()
}

fn text_of<'v>(column: &'v Value, member: &str) -> &'v str {
    column.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn column_of(
    place: usize,
    column: &Value,
    names: &[&str],
    mapping: &BTreeMap<String, Option<String>>,
) -> Column {
    let name = text_of(column, "name");
    let position = (place + 1).to_string();
    let is_single = !name.is_empty() && names.iter().filter(|other| **other == name).count() == 1;
    let key = match mapping.contains_key(&position) {
        false if is_single => name.to_owned(),
        _ => position,
    };
    let now = column.get("to").and_then(Value::as_str).unwrap_or(LEFT_OUT).to_owned();
    let values = column.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Column {
        key,
        name: name.to_owned(),
        chosen: now.clone(),
        now,
        other: String::new(),
        note: column.get("note").and_then(Value::as_str).map(text::sentence),
        values: values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

/// The fields of one column in a form.
struct TypedColumn<'t> {
    key: &'t str,
    now: &'t str,
    chosen: &'t str,
    other: &'t str,
}

fn typed_columns(typed: &Typed) -> impl Iterator<Item = TypedColumn<'_>> {
    let columns = typed.all("column").zip(typed.all("now")).zip(typed.all("target")).zip(typed.all("other"));
    columns.map(|(((key, now), chosen), other)| TypedColumn { key, now, chosen, other: other.trim() })
}

/// Adds the targets that differ from those of the page to the mapping. Only these are mapped, because a column that is read
/// by its name may have values with a meaning of their own, such as a status.
pub(super) fn map_changed(typed: &Typed, mapping: &mut BTreeMap<String, Option<String>>) {
    for TypedColumn { key, now, chosen, other } in typed_columns(typed) {
        let target = if other.is_empty() { chosen } else { other };
        if target != now {
            mapping
                .insert(key.to_owned(), Some(target).filter(|target| *target != LEFT_OUT).map(str::to_owned));
        }
    }
}

/// Puts what was typed into the columns.
pub(super) fn type_again(columns: &mut [Column], typed: &Typed) {
    for TypedColumn { key, chosen, other, .. } in typed_columns(typed) {
        if let Some(column) = columns.iter_mut().find(|column| column.key == key) {
            (column.chosen, column.other) = (chosen.to_owned(), other.to_owned());
        }
    }
}

/// Returns the name of a column in the errors of the API.
fn error_field(column: &Column) -> String {
    format!("options.mapping.{}", column.key)
}

/// Returns the fields whose errors the table shows.
pub(super) fn shown_fields(columns: &[Column]) -> Vec<String> {
    columns.iter().map(error_field).collect()
}

/// Returns the table of the columns.
pub(super) fn table(columns: &[Column], refusal: Option<&Refusal>) -> Markup {
    let more = other_properties(columns);
    html! {
        table class="stack" {
            caption class="vh" { (words::COLUMNS) }
            thead { tr {
                th scope="col" { (words::COLUMN) }
                th scope="col" { (words::VALUES) }
                th scope="col" { (words::GOES_TO) }
            } }
            tbody { @for (place, column) in columns.iter().enumerate() { (row(place, column, &more, refusal)) } }
        }
    }
}

/// Returns the properties of the file that columns do not usually fill.
fn other_properties(columns: &[Column]) -> Vec<&str> {
    let is_usual = |target: &str| {
        TARGETS.iter().any(|(usual, _)| *usual == target)
            || forms::PROPERTIES.iter().any(|(usual, _)| *usual == target)
    };
    let targets = columns.iter().flat_map(|column| [column.now.as_str(), column.chosen.as_str()]);
    let mut more: Vec<&str> = targets.filter(|target| !is_usual(target)).collect();
    more.sort_unstable();
    more.dedup();
    more
}

fn row(place: usize, column: &Column, more: &[&str], refusal: Option<&Refusal>) -> Markup {
    let (id, field) = (format!("to-{place}"), error_field(column));
    let is_wrong = refusal.is_some_and(|refusal| refusal.error_of(&field).is_some());
    let described = is_wrong.then(|| format!("{id}-e"));
    let name = if column.name.is_empty() { words::NO_NAME } else { column.name.as_str() };
    let option = |value: &str, name: &str| {
        html! { option value=(value) selected[column.chosen == value] { (name) } }
    };
    html! {
        tr {
            th scope="row" {
                (name)
                @if let Some(note) = &column.note { span class="sub" { (note) } }
                input type="hidden" name="column" value=(column.key);
                input type="hidden" name="now" value=(column.now);
            }
            td data-label=(words::VALUES) {
                @for value in &column.values { span class="sub" { (value) } }
            }
            td data-label=(words::GOES_TO) {
                (field_error(refusal, &field, &id))
                div class="row" {
                    select name="target" aria-label=(words::goes_to(name)) {
                        @for (target, name) in TARGETS { (option(target, name)) }
                        @for (property, name) in forms::PROPERTIES { (option(property, name)) }
                        @for property in more { (option(property, property)) }
                    }
                    input name="other" class="w-m" placeholder=(forms::OTHER_PROPERTY) value=(column.other)
                        aria-label=(words::goes_to_other(name)) autocomplete="off" spellcheck="false"
                        aria-describedby=[&described] aria-invalid=[is_wrong.then_some("true")]
                        autofocus[is_wrong];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_changed_columns_are_mapped() {
        let typed = Typed::parse(
            b"column=Mail&now=email&target=email&other=&column=Status&now=unsubscribed&target=unsubscribed&other=\
              &column=Notes&now=notes&target=-&other=&column=4&now=-&target=-&other=shoe_size+",
        );
        let mut mapping = BTreeMap::from([("Town".to_owned(), Some("city".to_owned()))]);
        map_changed(&typed, &mut mapping);
        assert_eq!(json!(mapping), json!({"4": "shoe_size", "Notes": null, "Town": "city"}));
    }

    #[test]
    fn columns_are_named_by_their_position_if_no_name_is_theirs_alone() {
        let preview = json!({"columns": [
            {"name": "Mail", "to": "email"}, {"name": "Phone", "to": "phone"}, {"name": "Phone", "to": null},
            {"name": "", "to": null}, {"name": "City", "to": "city"},
        ]});
        let mapping = BTreeMap::from([("5".to_owned(), None)]);
        let columns = columns(&preview, &mapping);
        let keys: Vec<&str> = columns.iter().map(|column| column.key.as_str()).collect();
        assert_eq!(keys, ["Mail", "2", "3", "4", "5"]);
    }
}
