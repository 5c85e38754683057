//! The field map of a form: its fields, each with its target.

use domain::usual_names;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::fields::{error, message};
use super::form::{Back, Part};
use super::rejected::Answer;
use super::view::{View, page_of};
use crate::parts::key;
use crate::signed::Signed;
use crate::text::{self, forms as words};
use crate::typed::Typed;

/// The field of the whole map in the API.
pub(super) const FIELD_MAP: &str = "field_map";

/// The target of a field that is not in the map.
const BY_NAME: &str = "";
/// The target of a field that is left out. No property has this name.
const LEAVE_OUT: &str = "-";
/// The target of the field with the address.
const EMAIL: &str = "email";

/// The number of characters of an answer that a row shows.
const ANSWER_CHARS: usize = 60;

/// A field of the form.
#[derive(Clone, PartialEq, Eq, Default)]
struct Row {
    /// The name by which the map refers to the field.
    field: String,
    /// All names of the field, if submissions with it are known.
    names: Vec<String>,
    /// The last answer.
    answer: Option<String>,
    /// The selected target.
    target: String,
    /// The property that the person typed.
    other: String,
}

/// Returns the known fields: those in the map, and then those that have answers, in the order of arrival.
fn rows(view: &View, answers: &[&Answer]) -> Vec<Row> {
    let mapped = view.field_map().map(|(field, target)| Row {
        field: field.to_owned(),
        target: target.unwrap_or(LEAVE_OUT).to_owned(),
        ..Row::default()
    });
    let mut rows: Vec<Row> = mapped.collect();
    for answer in answers {
        note_answer(&mut rows, answer);
    }
    rows
}

/// Adds an answer to the row of its field. The map may have any name of the field.
fn note_answer(rows: &mut Vec<Row>, answer: &Answer) {
    let is_same = |row: &&mut Row| row.names == answer.names;
    let is_mapped = |row: &&mut Row| row.names.is_empty() && answer.names.contains(&row.field);
    let place = match rows.iter_mut().find(is_same) {
        Some(row) => Some(row),
        None => rows.iter_mut().find(is_mapped),
    };
    if let Some(row) = place {
        row.names.clone_from(&answer.names);
        row.answer = Some(answer.value(ANSWER_CHARS));
        return;
    }
    // Questions may have the same label. Then another name tells them apart.
    let is_free = |name: &&String| rows.iter().all(|row| row.field != **name);
    if let Some(field) = answer.names.iter().find(is_free) {
        let (field, names) = (field.clone(), answer.names.clone());
        rows.push(Row { field, names, answer: Some(answer.value(ANSWER_CHARS)), ..Row::default() });
    }
}

/// The fields of one row, as the person typed them.
struct TypedRow<'t> {
    field: &'t str,
    target: &'t str,
    other: &'t str,
}

fn typed_rows(typed: &Typed) -> impl Iterator<Item = TypedRow<'_>> {
    let rows = typed.all("field").zip(typed.all("target")).zip(typed.all("other"));
    rows.map(|((field, target), other)| TypedRow { field, target, other: other.trim() })
}

/// Puts what was typed into the rows. The last row that was typed is that of an added field.
fn type_again(rows: &mut Vec<Row>, added: &mut Row, typed: &Typed) {
    let mut typed_rows = typed_rows(typed).peekable();
    while let Some(TypedRow { field, target, other }) = typed_rows.next() {
        let known = rows.iter_mut().find(|row| row.field == field);
        let is_last = typed_rows.peek().is_none();
        let (target, other) = (target.to_owned(), other.to_owned());
        match known {
            Some(row) => (row.target, row.other) = (target, other),
            None if is_last => *added = Row { field: field.to_owned(), target, other, ..Row::default() },
            // Another person has removed the field, or its submission, in the meantime.
            None => rows.push(Row { field: field.to_owned(), target, other, ..Row::default() }),
        }
    }
}

/// Returns the change of the whole map.
///
/// # Errors
///
/// A message, if a target has no field.
pub(super) fn change(typed: &Typed) -> Result<Value, String> {
    let mut map = Map::new();
    for TypedRow { field, target, other } in typed_rows(typed) {
        let target = match (target, other) {
            (BY_NAME, "") => continue,
            (LEAVE_OUT, "") => Value::Null,
            (target, "") => json!(target),
            (_, other) => json!(other),
        };
        if field.trim().is_empty() {
            return Err(words::NAME_THE_FIELD.to_owned());
        }
        map.insert(field.to_owned(), target);
    }
    Ok(json!({FIELD_MAP: map}))
}

/// Returns the section with the map.
pub(super) fn section(signed: &Signed, view: &View, answers: &[&Answer], back: Option<&Back>) -> Markup {
    let back = back.filter(|back| back.part == Part::Map);
    let refusal = back.and_then(|back| back.refusal.as_ref());
    let mut rows = rows(view, answers);
    let mut added = Row::default();
    if let Some(back) = back {
        type_again(&mut rows, &mut added, &back.typed);
    }
    let message = refusal.and_then(|refusal| message(refusal, FIELD_MAP));
    let may = view.may_widen(signed);
    html! {
        section aria-labelledby="map" {
            h2 id="map" { (words::MAP) }
            p class="quiet" { (words::MAP_INTRO) }
            (error("map", message.as_deref()))
            form method="post" action={ (page_of(view.id)) "/map" } {
                (key(signed))
                (table(view, &rows, &added, back))
                div class="row gap" {
                    button class="act" disabled[!may] aria-describedby=[(!may).then_some("map-may-not")] {
                        (words::SAVE_MAP)
                    }
                    @if !may { span id="map-may-not" class="quiet" { (words::WIDENS) } }
                }
            }
        }
    }
}

fn table(view: &View, rows: &[Row], added: &Row, back: Option<&Back>) -> Markup {
    let custom = custom_targets(view);
    html! {
        table class="stack" {
            caption class="vh" { (words::MAP_CAPTION) }
            thead { tr {
                th scope="col" { (words::FIELD) }
                th scope="col" { (words::LAST_ANSWER) }
                th scope="col" { (words::GOES_TO) }
            } }
            tbody {
                @for (place, row) in rows.iter().enumerate() {
                    tr {
                        th scope="row" {
                            (row.field)
                            @for name in row.names.iter().filter(|name| **name != row.field) {
                                span class="sub mono" { (name) }
                            }
                            input type="hidden" name="field" value=(row.field);
                        }
                        td data-label=(words::LAST_ANSWER) {
                            (row.answer.as_deref().unwrap_or(words::NO_VALUE))
                        }
                        td data-label=(words::GOES_TO) { (target(row, &format!("to-{place}"), &custom, back)) }
                    }
                }
                tr {
                    th scope="row" { (added_field(added, back)) }
                    td {}
                    td data-label=(words::GOES_TO) { (target(added, "to-new", &custom, back)) }
                }
            }
        }
    }
}

/// Returns the name of an added field.
fn added_field(added: &Row, back: Option<&Back>) -> Markup {
    let message = back.and_then(|back| back.message.as_deref());
    html! {
        label for="new-field" { (words::ADD_FIELD) }
        (error("new-field", message))
        input id="new-field" name="field" class="w-full" value=(added.field) autocomplete="off"
            aria-describedby=[message.map(|_| "new-field-e")] aria-invalid=[message.map(|_| "true")]
            autofocus[message.is_some()];
    }
}

/// Returns the properties in the map that fields do not usually fill.
fn custom_targets(view: &View) -> Vec<&str> {
    let is_usual =
        |target: &str| target == EMAIL || words::PROPERTIES.iter().any(|(usual, _)| *usual == target);
    let mut custom: Vec<&str> =
        view.field_map().filter_map(|(_, target)| target).filter(|target| !is_usual(target)).collect();
    custom.sort_unstable();
    custom.dedup();
    custom
}

fn target(row: &Row, id: &str, custom: &[&str], back: Option<&Back>) -> Markup {
    let refusal = back.and_then(|back| back.refusal.as_ref());
    // The API repeats the beginning of a long name alone.
    let message = refusal.and_then(|refusal| {
        refusal.errors.iter().find_map(|error| {
            let field = error.field.strip_prefix(FIELD_MAP)?.strip_prefix('.')?;
            let is_own = field == row.field
                || field.strip_suffix('…').is_some_and(|start| row.field.starts_with(start));
            is_own.then(|| error.message.clone())
        })
    });
    let name = if id == "to-new" { words::NEW_FIELD } else { row.field.as_str() };
    let described = message.as_ref().map(|_| format!("{id}-e"));
    let option = |value: &str, name: &str| {
        html! { option value=(value) selected[row.target == value] { (name) } }
    };
    html! {
        (error(id, message.as_deref()))
        div class="row" {
            select name="target" aria-label=(words::goes_to(name)) {
                (option(BY_NAME, &words::by_name(usual(row).as_deref())))
                (option(EMAIL, words::EMAIL_ADDRESS))
                @for (property, name) in words::PROPERTIES { (option(property, name)) }
                @for property in custom { (option(property, property)) }
                (option(LEAVE_OUT, words::LEAVE_OUT))
            }
            input name="other" class="w-m" placeholder=(words::OTHER_PROPERTY) value=(row.other)
                aria-label=(words::goes_to_other(name)) autocomplete="off" spellcheck="false"
                aria-describedby=[&described] aria-invalid=[described.as_ref().map(|_| "true")]
                autofocus[described.is_some()];
        }
    }
}

/// Returns the target that a field has by its names alone, if it is a usual one.
fn usual(row: &Row) -> Option<String> {
    let names = if row.names.is_empty() { std::slice::from_ref(&row.field) } else { row.names.as_slice() };
    let is_address =
        |name: &String| matches!(usual_names::address_name(name), Some(usual_names::AddressName::Usual(_)));
    if names.iter().any(is_address) {
        return Some(words::EMAIL_ADDRESS.to_owned());
    }
    let property = names.iter().find_map(|name| usual_names::property(name))?.property;
    let known = words::PROPERTIES.iter().find(|(usual, _)| *usual == property.as_str());
    Some(known.map_or_else(|| property.as_str().to_owned(), |(_, name)| (*name).to_owned()))
}

/// Returns the name of a property for readers, such as a label of a form.
pub(super) fn property_name(property: &str) -> String {
    let known = words::PROPERTIES.iter().find(|(usual, _)| *usual == property);
    known.map_or_else(|| text::capitalized(&property.replace('_', " ")), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(names: &[&str], value: &str) -> Answer {
        Answer { names: names.iter().map(|&name| name.to_owned()).collect(), values: vec![value.to_owned()] }
    }

    #[test]
    fn typed_property_counts_instead_of_the_selected_target() {
        let typed = Typed::parse(
            b"field=a&target=&other=&field=b&target=-&other=&field=c&target=email&other=\
              &field=d&target=email&other=shoe_size+&field=&target=&other=",
        );
        let expected = json!({"field_map": {"b": null, "c": "email", "d": "shoe_size"}});
        assert_eq!(change(&typed), Ok(expected));
        assert!(change(&Typed::parse(b"field=+&target=email&other=")).is_err());
    }

    #[test]
    fn answers_belong_to_the_mapped_field_by_any_name() {
        let mapped = Row { field: "q_2".to_owned(), target: "firstname".to_owned(), ..Row::default() };
        let mut rows = vec![mapped];
        for (names, value) in [
            (&["Name", "q_1"], "one"),
            (&["Name", "q_2"], "two"),
            (&["Name", "q_3"], "three"),
            (&["Name", "q_1"], "four"),
        ] {
            note_answer(&mut rows, &answer(names, value));
        }
        let shown: Vec<_> =
            rows.iter().map(|row| (row.field.as_str(), row.answer.as_deref().unwrap_or_default())).collect();
        assert_eq!(shown, [("q_2", "two"), ("Name", "four"), ("q_3", "three")]);
    }
}
