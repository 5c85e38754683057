//! The properties of a contact, and their change in place.
//!
//! Beside each field, the form has a mark of the value with which it was filled in. So only fields that a person changed
//! are sent, and after a conflict the others show their current value.

use api::ProblemType;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::contact::Contact;
use domain::ids::ContactId;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{Asked, Facts, new, page, unknown};
use crate::parts::{self, Detail, Tone, field_error, key, note, time};
use crate::request::{Call, Refusal};
use crate::signed::Signed;
use crate::text::{self, contact as words};
use crate::typed::Typed;

/// The beginning of the names of fields with properties, as the API's errors name them.
const PROPERTY: &str = "properties.";
/// The properties that the form has for every contact.
const USUAL: [&str; 2] = ["firstname", "lastname"];
/// The flags of the address.
pub(super) const FLAGS: [(&str, &str); 2] =
    [("unsubscribed", words::UNSUBSCRIBED), ("bounced", words::BOUNCED)];
/// The number of digits of a mark.
const MARK_DIGITS: usize = 16;
/// The number of characters above which a value has a field of several lines.
const LINE_CHARS: usize = 100;

/// Saves what a person changed.
pub(super) async fn save(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let Ok(contact) = id.parse::<ContactId>() else { return signed.finish(Ok(unknown(&id))) };
    let saved = match changes(&typed) {
        Ok(changes) if changes.is_empty() => Ok("unchanged"),
        Ok(changes) => {
            let call = Call::patch(format!("/v1/contacts/{contact}"), changes.into());
            signed.call(call.once(&typed).if_version(&typed)).await.map(|_| "saved")
        }
        Err(refusal) => Err(refusal),
    };
    match saved {
        Ok(done) => Redirect::to(&format!("/console/contacts/{contact}?done={done}")).into_response(),
        Err(refusal) => {
            let asked = Asked { typed: Some(&typed), refusal: Some(&refusal), not_changed: None };
            signed.finish(page(&signed, &id, &asked).await)
        }
    }
}

/// Returns the body of the request with the fields that were changed.
fn changes(typed: &Typed) -> Result<Map<String, Value>, Refusal> {
    let or_null = |value: String| if value.is_empty() { Value::Null } else { json!(value) };
    let mut body = Map::new();
    if is_touched(typed, "email") {
        body.insert("email".to_owned(), or_null(value(typed, "email")));
    }
    let names = typed.fields().filter_map(|(field, _)| field.strip_prefix(PROPERTY));
    let touched = names.filter(|name| is_touched(typed, &format!("{PROPERTY}{name}")));
    let mut properties: Map<String, Value> =
        touched.map(|name| (name.to_owned(), or_null(value(typed, &format!("{PROPERTY}{name}"))))).collect();
    if let Some((name, value)) = added(typed)? {
        properties.insert(name.to_owned(), json!(value));
    }
    if !properties.is_empty() {
        body.insert("properties".to_owned(), properties.into());
    }
    for (flag, _) in FLAGS {
        if is_touched(typed, flag) {
            body.insert(flag.to_owned(), json!(typed.has(flag)));
        }
    }
    Ok(body)
}

/// Returns the name and the value of the property to add, if one was typed.
fn added(typed: &Typed) -> Result<Option<(&str, String)>, Refusal> {
    let value = value(typed, "new_value");
    match (typed.filled("new_name"), value.is_empty()) {
        (None, true) => Ok(None),
        (None, false) => Err(Refusal::of_console("new_name", words::NAME_MISSING)),
        (Some(_), true) => Err(Refusal::of_console("new_value", words::VALUE_MISSING)),
        (Some(name), false) if typed.has(&format!("{PROPERTY}{name}")) => {
            Err(Refusal::of_console("new_name", words::HAS_PROPERTY))
        }
        (Some(name), false) => Ok(Some((name, value))),
    }
}

/// Returns the value of a field with the ends of its lines as the API stores them.
fn value(typed: &Typed, field: &str) -> String {
    lines(typed.all(field).next().unwrap_or_default()).trim().to_owned()
}

/// Returns a text whose lines end as texts do outside forms. Browsers send `CR LF`.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Returns the mark of a value, by which a change is seen.
fn mark(value: &str) -> String {
    domain::digest::sha256_hex(lines(value)).chars().take(MARK_DIGITS).collect()
}

/// Returns true if a person changed the field. A field without a mark counts as changed if it is there.
fn is_touched(typed: &Typed, field: &str) -> bool {
    let typed_value = typed.all(field).next();
    match typed.filled(&format!("was.{field}")) {
        Some(was) => was != mark(typed_value.unwrap_or_default()),
        None => typed_value.is_some(),
    }
}

/// A field of the form, with its current value. A flag is `true` or empty.
struct Field<'a> {
    name: String,
    label: &'a str,
    stored: &'a str,
}

/// Returns the fields with texts: the address and the properties, including those that were typed and that the contact no
/// longer has.
fn fields<'a>(contact: &'a Contact, typed: Option<&'a Typed>) -> Vec<Field<'a>> {
    let email = contact.email.as_ref().map_or("", |email| email.given());
    let own = contact.properties.iter().map(|(name, _)| name.as_str());
    let typed =
        typed.into_iter().flat_map(Typed::fields).filter_map(|(field, _)| field.strip_prefix(PROPERTY));
    let mut names: Vec<&str> = USUAL.to_vec();
    for name in own.chain(typed) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let property = |name| Field {
        name: format!("{PROPERTY}{name}"),
        label: words::property(name),
        stored: contact.properties.get(name).unwrap_or_default(),
    };
    let email = Field { name: "email".to_owned(), label: words::EMAIL, stored: email };
    [email].into_iter().chain(names.into_iter().map(property)).collect()
}

/// The form as it is shown.
struct Form<'a> {
    asked: &'a Asked<'a>,
}

impl Form<'_> {
    /// Returns what a person typed into a field. After a conflict, only a field that was changed has its own value.
    fn typed(&self, field: &str) -> Option<String> {
        let typed = self.asked.typed?;
        let shows = !self.asked.is_conflict() || is_touched(typed, field);
        shows.then(|| lines(typed.all(field).next().unwrap_or_default()))
    }

    /// Returns the mark of a field. It stays that of the first showing, until a conflict shows the current value.
    fn mark(&self, field: &str, stored: &str) -> String {
        let kept = self.asked.typed.filter(|_| !self.asked.is_conflict());
        kept.and_then(|typed| typed.filled(&format!("was.{field}")))
            .map_or_else(|| mark(stored), str::to_owned)
    }

    /// Returns the version for which the form is filled in.
    fn version(&self, contact: &Contact) -> String {
        let kept = self.asked.typed.filter(|_| !self.asked.is_conflict());
        kept.and_then(|typed| typed.filled("version"))
            .map_or_else(|| contact.version.to_string(), str::to_owned)
    }

    /// Returns a field with its mark, its error, and its current value if it differs after a conflict.
    fn field(&self, place: usize, field: &Field<'_>) -> Markup {
        let Field { name, label, stored } = field;
        let (id, typed) = (format!("p{place}"), self.typed(name));
        let shown = typed.as_deref().unwrap_or(stored);
        let current = self.asked.is_conflict() && shown.trim() != lines(stored).trim();
        let is_wrong = self.asked.refusal.is_some_and(|refusal| refusal.error_of(name).is_some());
        let described = described(&id, is_wrong, current);
        let wrong = is_wrong.then_some("true");
        html! {
            div class="field" {
                label for=(id) { (label) }
                (field_error(self.asked.refusal, name, &id))
                @if shown.contains(['\n', '\r']) || shown.chars().count() > LINE_CHARS {
                    textarea id=(id) name=(name) class="w-full" rows="4" aria-invalid=[wrong]
                        aria-describedby=[described] autofocus[is_wrong] { "\n" (shown) }
                } @else {
                    input id=(id) name=(name) class="w-full" value=(shown) autocomplete="off" aria-invalid=[wrong]
                        aria-describedby=[described] autofocus[is_wrong];
                }
                (self.hidden_mark(name, stored))
                @if current {
                    p class="hint" id={ (id) "-c" } { (words::current_value(Some(*stored).filter(|value| !value.is_empty()))) }
                }
            }
        }
    }

    /// Returns a flag, which is a box to tick.
    fn flag(&self, name: &str, label: &str, is_on: bool) -> Markup {
        let stored = if is_on { "true" } else { "" };
        let typed = self.typed(name);
        let shown = typed.as_deref().map_or(is_on, |typed| !typed.is_empty());
        let current = self.asked.is_conflict() && shown != is_on;
        html! {
            div class="field" {
                label class="check" {
                    input type="checkbox" name=(name) value="true" checked[shown]
                        aria-describedby=[described(name, false, current)];
                    (label)
                }
                (self.hidden_mark(name, stored))
                @if current {
                    p class="hint" id={ (name) "-c" } { (words::current_value(Some(words::on_or_off(is_on)))) }
                }
            }
        }
    }

    fn hidden_mark(&self, field: &str, stored: &str) -> Markup {
        html! { input type="hidden" name={ "was." (field) } value=(self.mark(field, stored)); }
    }

    /// Returns the fields of a property to add. They are open if something was typed.
    fn added(&self) -> Markup {
        let typed = |field| self.asked.typed.map(|typed| value(typed, field)).unwrap_or_default();
        let (name, new_value) = (typed("new_name"), typed("new_value"));
        // The API names the new property itself.
        let names = ["new_name".to_owned(), format!("{PROPERTY}{name}")];
        let message =
            names.iter().find_map(|field| self.asked.refusal.and_then(|refusal| refusal.error_of(field)));
        let no_value = self.asked.refusal.is_some_and(|refusal| refusal.error_of("new_value").is_some());
        html! {
            details class="gap" open[!name.is_empty() || !new_value.is_empty()] {
                summary { (words::ADD_PROPERTY) }
                div class="field gap" {
                    label for="new_name" { (words::NEW_NAME) }
                    @if let Some(message) = message { p class="error" id="new_name-e" { (text::sentence(message)) } }
                    input id="new_name" name="new_name" class="w-full" value=(name) autocomplete="off"
                        aria-invalid=[message.map(|_| "true")]
                        aria-describedby=(if message.is_some() { "new_name-e new_name-h" } else { "new_name-h" })
                        autofocus[message.is_some()];
                    p class="hint quiet" id="new_name-h" { (words::NEW_NAME_HINT) }
                }
                div class="field" {
                    label for="new_value" { (words::NEW_VALUE) }
                    (field_error(self.asked.refusal, "new_value", "new_value"))
                    input id="new_value" name="new_value" class="w-full" value=(new_value) autocomplete="off"
                        aria-invalid=[no_value.then_some("true")] aria-describedby=[no_value.then_some("new_value-e")]
                        autofocus[no_value];
                }
            }
        }
    }
}

/// Returns the ids of the texts that describe a field.
fn described(id: &str, is_wrong: bool, is_other: bool) -> Option<String> {
    let ids = [(is_wrong, "e"), (is_other, "c")].into_iter().filter(|(applies, _)| *applies);
    let ids: Vec<String> = ids.map(|(_, end)| format!("{id}-{end}")).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// Returns the form with the properties.
pub(super) fn form(facts: &Facts, signed: &Signed, asked: &Asked<'_>) -> Markup {
    let contact = &facts.explained.contact;
    let path = format!("/console/contacts/{}", contact.id);
    let form = Form { asked };
    let flags = [contact.unsubscribed, contact.bounced];
    html! {
        section aria-labelledby="properties" {
            h2 id="properties" { (words::PROPERTIES) }
            form method="post" action=(path) {
                (key(signed))
                input type="hidden" name="version" value=(form.version(contact));
                @for (place, field) in fields(contact, asked.typed).iter().enumerate() { (form.field(place, field)) }
                @for ((name, label), is_on) in FLAGS.into_iter().zip(flags) { (form.flag(name, label, is_on)) }
                (form.added())
                div class="row gap" {
                    @if asked.is_conflict() {
                        button class="act" { (words::SAVE_MINE) }
                        a class="button" href={ (path) "#properties" } { (words::KEEP_CURRENT) }
                    } @else {
                        button { (words::SAVE) }
                        span class="quiet" { (words::EMPTY_REMOVES) }
                    }
                }
            }
            p class="gap" { a href={ (path) "/values" } { (words::VALUES) } }
        }
    }
}

/// Returns the note about properties that were not saved.
pub(super) fn refused(signed: &Signed, facts: &Facts, asked: &Asked<'_>) -> Markup {
    let Some(refusal) = asked.refusal else { return html! {} };
    if asked.is_conflict() {
        let at = facts.explained.contact.updated_at;
        let content = html! {
            p { b { (words::CHANGED_AT) (time(signed, at, Detail::Time)) "." } " " (words::STILL_TYPED) }
        };
        return note(Tone::Fault, &content);
    }
    if refusal.kind == ProblemType::ContactExists {
        return new::exists(refusal);
    }
    let names: Vec<String> =
        fields(&facts.explained.contact, asked.typed).into_iter().map(|field| field.name).collect();
    let added = asked.typed.map(|typed| format!("{PROPERTY}{}", typed.get("new_name"))).unwrap_or_default();
    let own = ["new_name", "new_value", added.as_str()];
    let shown: Vec<&str> = names.iter().map(String::as_str).chain(own).collect();
    parts::refused(refusal, &shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the body for a form whose first name and flag were filled in with these values.
    fn body(query: &str) -> Value {
        let was = |value: &str| mark(value);
        let marks = format!(
            "&was.email={}&was.properties.firstname={}&was.properties.bio={}&was.bounced={}&was.unsubscribed={}",
            was("ada@example.org"),
            was("Ada"),
            was("one\ntwo"),
            was("true"),
            was("")
        );
        changes(&Typed::parse(format!("{query}{marks}").as_bytes())).unwrap().into()
    }

    const UNTOUCHED: &str =
        "email=ada@example.org&properties.firstname=Ada&properties.bio=one%0D%0Atwo&bounced=true";

    #[test]
    fn only_changed_fields_are_sent() {
        assert_eq!(body(UNTOUCHED), json!({}));
        assert_eq!(body(&UNTOUCHED.replace("Ada", "+Bea+")), json!({"properties": {"firstname": "Bea"}}));
        assert_eq!(body(&UNTOUCHED.replace("&bounced=true", "")), json!({"bounced": false}));
        assert_eq!(body(&format!("{UNTOUCHED}&unsubscribed=true")), json!({"unsubscribed": true}));
    }

    #[test]
    fn emptied_field_is_removed() {
        assert_eq!(body(&UNTOUCHED.replace("=Ada", "=+")), json!({"properties": {"firstname": null}}));
        assert_eq!(body(&UNTOUCHED.replace("ada@example.org", "")), json!({"email": null}));
    }

    #[test]
    fn added_property_has_a_new_name_and_a_value() {
        let added = body(&format!("{UNTOUCHED}&new_name=city&new_value=Oslo"));
        assert_eq!(added, json!({"properties": {"city": "Oslo"}}));
        for (query, field) in [
            ("new_value=Oslo", "new_name"),
            ("new_name=city&new_value=", "new_value"),
            ("properties.city=Rome&new_name=city&new_value=Oslo", "new_name"),
        ] {
            let refusal = changes(&Typed::parse(query.as_bytes())).unwrap_err();
            assert!(refusal.error_of(field).is_some(), "{query}");
        }
    }
}
