//! The members of a static list.

use api::paging::{cursor, position};
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::contact::Contact;
use domain::ids::SegmentId;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::ContactPage;

use super::{Asked, PAGE, one, path};
use crate::parts::{self, Tone, field_error, key, note, number, pager};
use crate::request::{Answer, Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, segments as words};
use crate::typed::Typed;

/// The number of lines whose errors are shown.
const LINES_SHOWN: usize = 20;

/// Adds the contacts with the typed addresses, or removes the ticked ones.
pub(super) async fn change(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let segment = match one::parse(&id) {
        Ok(segment) => segment,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let adds = typed.has("add");
    let call = match body(&typed) {
        Ok(body) => Call::post(format!("/v1/segments/{segment}/members"), body).once(&typed),
        Err(refusal) => return refused(&signed, segment, &typed, &refusal).await,
    };
    let answer = match signed.call(call).await {
        Ok(answer) => answer,
        Err(refusal) => return refused(&signed, segment, &typed, &refusal).await,
    };
    if adds && !unknown(&answer).is_empty() {
        let again: String = unknown(&answer).join("\n");
        let typed = Typed::parse(
            format!("add={}", form_urlencoded::byte_serialize(again.as_bytes()).collect::<String>())
                .as_bytes(),
        );
        let note = partly(&signed, &answer);
        let asked = Asked { typed: Some(&typed), refusal: None };
        return signed.finish(one::page(&signed, segment, &Typed::default(), &asked, &note).await);
    }
    let (done, member) = if adds { ("added", "added") } else { ("removed", "removed") };
    Redirect::to(&format!("{}?done={done}&n={}", path(segment), count(&answer, member))).into_response()
}

/// Returns the page with what was typed and the reason for which nothing was changed.
async fn refused(signed: &Signed, segment: SegmentId, typed: &Typed, refusal: &Refusal) -> Response {
    let asked = Asked { typed: Some(typed), refusal: Some(refusal) };
    let at_field = |field: &&str| field.starts_with("add");
    let shown: Vec<&str> = refusal.errors.iter().map(|error| error.field.as_str()).filter(at_field).collect();
    let note = match refusal.error_of("contact") {
        Some(message) => parts::note(Tone::Fault, &html! { p { (text::sentence(message)) } }),
        None => parts::refused(refusal, &shown),
    };
    signed.finish(one::page(signed, segment, &Typed::default(), &asked, &note).await)
}

/// Returns the lines with addresses, with their numbers from 1.
fn lines(typed: &str) -> impl Iterator<Item = (usize, &str)> {
    typed.lines().enumerate().map(|(line, text)| (line + 1, text.trim())).filter(|(_, text)| !text.is_empty())
}

fn body(typed: &Typed) -> Result<Value, Refusal> {
    if typed.has("add") {
        let add: Vec<Value> = lines(typed.get("add")).map(|(_, email)| json!({"email": email})).collect();
        return if add.is_empty() {
            Err(Refusal::of_console("add", words::NOTHING_TYPED))
        } else {
            Ok(json!({"add": add}))
        };
    }
    let remove: Vec<Value> = typed.all("contact").map(|id| json!({"id": id})).collect();
    if remove.is_empty() {
        Err(Refusal::of_console("contact", words::NONE_TICKED))
    } else {
        Ok(json!({"remove": remove}))
    }
}

fn count(answer: &Answer, member: &str) -> u64 {
    answer.body.get(member).and_then(Value::as_u64).unwrap_or_default()
}

/// Returns the addresses that belong to no contact.
fn unknown(answer: &Answer) -> Vec<&str> {
    let unknown = answer.body.get("not_found").and_then(Value::as_array).into_iter().flatten();
    unknown.filter_map(|contact| contact.get("email").and_then(Value::as_str)).collect()
}

/// Returns the note about contacts of which some were added and some do not exist.
fn partly(signed: &Signed, answer: &Answer) -> Markup {
    let added = count(answer, "added");
    let missing = u64::try_from(unknown(answer).len()).unwrap_or_default();
    let added_text = text::counted(added, &number(signed, added), "contact");
    let missing_text =
        format!("{} {}", number(signed, missing), if missing == 1 { "address" } else { "addresses" });
    note(
        Tone::Fault,
        &html! {
            @if added > 0 { p { (words::done_added(added, &added_text)) } }
            p { (words::not_found(missing, &missing_text)) }
        },
    )
}

/// Returns a page of the members with the forms that change them.
pub(super) async fn show(
    signed: &Signed,
    segment: SegmentId,
    query: &Typed,
    asked: &Asked<'_>,
) -> Result<Markup, Failure> {
    let after = query.filled("after");
    let found = signed
        .store()
        .segment_contacts(signed.account.id, segment, after.and_then(position), PAGE, signed.wall_clock)
        .await?;
    Ok(html! {
        section aria-labelledby="members" {
            h2 id="members" { (words::MEMBERS) }
            (table(signed, segment, &found, after.is_some()))
        }
        (add(signed, segment, asked))
    })
}

fn table(signed: &Signed, segment: SegmentId, found: &ContactPage, is_later: bool) -> Markup {
    let first = path(segment);
    let next = found.next.map(|next| format!("{first}?after={}", cursor(&next)));
    let count = u64::try_from(found.contacts.len()).unwrap_or_default();
    let shown = words::on_this_page(&text::counted(count, &number(signed, count), "contact"));
    html! {
        @if found.contacts.is_empty() { p class="quiet" { (words::NO_MEMBERS) } } @else {
            form method="post" action={ (first) "/members" } {
                (key(signed))
                table class="stack" {
                    caption class="vh" { (words::MEMBERS_CAPTION) }
                    thead { tr {
                        td class="tick" { span class="vh" { (words::TICK) } }
                        th scope="col" { (words::ADDRESS) }
                        th scope="col" { (words::STATE) }
                        th scope="col" { (words::FLAGS) }
                    } }
                    tbody { @for contact in &found.contacts { (row(contact)) } }
                }
                div class="row gap" {
                    button { (words::REMOVE) }
                    span class="quiet" { (words::REMOVE_HINT) }
                }
            }
        }
        @if is_later || next.is_some() { (pager(&shown, is_later.then_some(first.as_str()), next.as_deref())) }
    }
}

fn row(contact: &Contact) -> Markup {
    let name = contact.email.as_ref().map_or(words::NO_ADDRESS, |email| email.given());
    html! {
        tr {
            td class="tick" { input type="checkbox" name="contact" value=(contact.id) aria-label=(name); }
            th scope="row" { a href={ "/console/contacts/" (contact.id) } { (name) } }
            td data-label=(words::STATE) { (parts::state(contact.state())) }
            td data-label=(words::FLAGS) {
                @if contact.unsubscribed { span class="flag" { (words::UNSUBSCRIBED) } }
                @if contact.unsubscribed && contact.bounced { " " }
                @if contact.bounced { span class="flag" { (words::BOUNCED) } }
            }
        }
    }
}

/// Returns the form that adds contacts.
fn add(signed: &Signed, segment: SegmentId, asked: &Asked<'_>) -> Markup {
    let typed = asked.typed("add").unwrap_or_default();
    let errors = errors_of_lines(signed, typed, asked.refusal);
    let is_wrong = !errors.is_empty() || asked.is_wrong("add");
    html! {
        section aria-labelledby="add-title" {
            h2 id="add-title" { (words::ADD) }
            form class="narrow" method="post" action={ (path(segment)) "/members" } {
                (key(signed))
                div class="field" {
                    label for="add" { (words::ADD_LABEL) }
                    @if errors.is_empty() { (field_error(asked.refusal, "add", "add")) } @else {
                        div id="add-e" { @for error in errors { p class="error" { (error) } } }
                    }
                    textarea id="add" name="add" class="w-full" rows="5" autocomplete="off"
                        aria-invalid=[is_wrong.then_some("true")]
                        aria-describedby=(if is_wrong { "add-e add-h" } else { "add-h" })
                        autofocus[is_wrong] { "\n" (typed) }
                    p class="hint quiet" id="add-h" { (words::ADD_HINT) }
                }
                button { (words::ADD_BUTTON) }
            }
        }
    }
}

/// Returns the errors of single addresses, by their lines.
fn errors_of_lines(signed: &Signed, typed: &str, refusal: Option<&Refusal>) -> Vec<String> {
    let numbers: Vec<usize> = lines(typed).map(|(line, _)| line).collect();
    let errors = refusal.map(|refusal| refusal.errors.as_slice()).unwrap_or_default();
    let line = |field: &str| {
        let place = field.strip_prefix("add[")?.split(']').next()?;
        numbers.get(place.parse::<usize>().ok()?).copied()
    };
    let found = errors.iter().filter_map(|error| Some((line(&error.field)?, error.message.as_str())));
    let text = |(line, message): (usize, &str)| {
        words::on_line(&number(signed, u64::try_from(line).unwrap_or_default()), message)
    };
    found.take(LINES_SHOWN).map(text).collect()
}
