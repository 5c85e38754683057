//! The values that a contact's properties had: the changes, newest first, and the undoing of one of them.

use api::paging::{Position, cursor, position};
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::contact::Contact;
use domain::ids::ContactId;
use domain::property::PropertyName;
use domain::source::Cause;
use maud::{Markup, html};
use serde_json::json;
use store::{ChangeId, ContactRef, PropertyChange, User};

use super::history::{by, through};
use super::properties::FLAGS;
use super::{is_not_found, title, unknown, users_of};
use crate::frame::{Page, Section};
use crate::parts::{Detail, Tone, key, note, pager, refused, time};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, contact as words};
use crate::typed::Typed;

/// The number of changes on a page. A change has all properties that one request or submission changed.
const PAGE: usize = 20;
/// A text after all names of properties.
const LAST: &str = "~";
/// The number of characters above which a value is folded.
const FOLDED_CHARS: usize = 300;
/// The number of characters of a folded value that are always shown.
const SHOWN_CHARS: usize = 40;

/// The position of a change, after which the next page begins.
struct After(ChangeId);

impl Position for After {
    const KIND: &'static str = "values";

    fn to_text(&self) -> String {
        self.0.to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// The properties that one request or submission changed.
type Group<'a> = &'a [PropertyChange];

/// Everything on the page that is not in the account.
struct Facts {
    contact: Contact,
    changes: Vec<PropertyChange>,
    /// True if there are older changes.
    more: bool,
    /// The change that was set back just now.
    undone: Vec<PropertyChange>,
    users: Vec<User>,
}

/// Shows the changes of a contact's properties.
pub(super) async fn show(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = page(&signed, &id, &signed.query, None).await;
    signed.finish(shown)
}

/// Sets a change back, and shows the changes again.
pub(super) async fn undo(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let Ok(contact) = id.parse::<ContactId>() else { return signed.finish(Ok(unknown(&id))) };
    let path = format!("/v1/contacts/{contact}/properties/undo");
    let change = typed.get("change_id");
    let call = Call::post(path, json!({"change_id": change})).once(&typed);
    if let Err(refusal) = signed.call(call).await {
        return signed.finish(page(&signed, &id, &typed, Some(&refusal)).await);
    }
    let after = typed.filled("after").filter(|after| position::<After>(after).is_some());
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    Redirect::to(&format!("{}?done=undone&change={change}{after}", own_path(contact))).into_response()
}

fn own_path(contact: ContactId) -> String {
    format!("/console/contacts/{contact}/values")
}

impl Facts {
    /// Reads a page of changes. Returns `None` if the account has no such contact.
    async fn read(signed: &Signed, id: &str, after: Option<ChangeId>) -> Result<Option<Self>, Failure> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let (store, account, now) = (signed.store(), signed.account.id, signed.wall_clock);
        let contact = match store.contact(account, ContactRef::Id(id), now).await.map_err(Failure::from) {
            Ok((contact, _)) => contact,
            Err(failure) if is_not_found(&failure) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let position = after.map(|change| (change, LAST.to_owned()));
        let history = store.property_history(account, id, position, PAGE + 1, now).await?;
        let mut changes = history.items;
        let groups = changes.chunk_by(is_same).count();
        let shown = changes.chunk_by(is_same).take(PAGE).map(<[_]>::len).sum();
        changes.truncate(shown);
        let undone = match signed.done.as_deref().and_then(|_| signed.query.get("change").parse().ok()) {
            Some(change) => change_of(signed, id, &changes, change).await?,
            None => Vec::new(),
        };
        let actors = changes.iter().filter_map(|change| change.cause.as_ref()).map(|cause| cause.actor);
        let users = users_of(signed, actors).await?;
        Ok(Some(Self { contact, changes, more: history.more || groups > PAGE, undone, users }))
    }
}

fn is_same(one: &PropertyChange, other: &PropertyChange) -> bool {
    one.change_id == other.change_id
}

/// Returns the properties of a change, which the page may not show.
async fn change_of(
    signed: &Signed,
    contact: ContactId,
    shown: &[PropertyChange],
    change: u64,
) -> Result<Vec<PropertyChange>, Failure> {
    let (own, next) = (change.to_string(), change.saturating_add(1).to_string());
    let is_own = |shown: &&PropertyChange| shown.change_id.to_string() == own;
    let found: Vec<_> = shown.iter().filter(is_own).cloned().collect();
    let Ok(next) = next.parse() else { return Ok(found) };
    if !found.is_empty() {
        return Ok(found);
    }
    let after = Some((next, LAST.to_owned()));
    let read = signed.store().property_history(signed.account.id, contact, after, 1, signed.wall_clock);
    Ok(read.await?.items.iter().filter(is_own).cloned().collect())
}

async fn page(signed: &Signed, id: &str, asked: &Typed, refusal: Option<&Refusal>) -> Result<Page, Failure> {
    let after = asked.filled("after").and_then(position::<After>).map(|After(change)| change);
    let Some(facts) = Facts::read(signed, id, after).await? else { return Ok(unknown(id)) };
    let contact = &facts.contact;
    let groups: Vec<Group<'_>> = facts.changes.chunk_by(is_same).collect();
    let path = own_path(contact.id);
    let oldest = facts.changes.last().filter(|_| facts.more).map(|change| After(change.change_id));
    let next = oldest.map(|oldest| format!("{path}?after={}", cursor(&oldest)));
    let head = html! {
        p class="trail" {
            a href="/console/contacts" { (text::CONTACTS) } " / "
            a href={ "/console/contacts/" (contact.id) } { bdi { (title(contact)) } } " /"
        }
        h1 { (words::VALUES) }
    };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &[])) } @else { (done(&facts)) }
        p class={ "lede" @if refusal.is_some() || !facts.undone.is_empty() { " gap" } } { (words::VALUES_LEDE) }
        @if groups.is_empty() {
            p { (if after.is_some() { words::NO_OLDER_VALUES } else { words::NO_VALUES }) }
        }
        @for group in groups { (block(signed, &facts, group, after)) }
        (pager("", after.map(|_| path.as_str()), next.as_deref()))
    };
    let page = Page::new(Section::Contacts, words::VALUES, content).with_head(head);
    Ok(page.with_status_of(refusal))
}

/// Returns the note about the change that was set back, with what is true now.
fn done(facts: &Facts) -> Markup {
    if facts.undone.is_empty() {
        return html! {};
    }
    let is_back = |change: &&PropertyChange| {
        is_property(change) && facts.contact.properties.get(&change.property) == change.from.as_deref()
    };
    let (back, left): (Vec<_>, Vec<_>) = facts.undone.iter().partition(is_back);
    let tone = if back.is_empty() { Tone::Fault } else { Tone::Plain };
    note(tone, &html! { p { (words::undone(&names(&back), &names(&left))) } })
}

fn names(changes: &[&PropertyChange]) -> String {
    changes.iter().map(|change| label(&change.property)).collect::<Vec<_>>().join(", ")
}

/// Returns the label of a property, the address or a flag.
fn label(name: &str) -> &str {
    let flag = FLAGS.iter().find(|(flag, _)| *flag == name).map(|(_, label)| *label);
    flag.unwrap_or(if name == "email" { words::EMAIL } else { words::property(name) })
}

/// Returns true for a property, and false for the address and the flags.
fn is_property(change: &PropertyChange) -> bool {
    PropertyName::parse(&change.property).is_ok()
}

/// Returns true if the property still has the value of the change.
fn is_undoable(contact: &Contact, change: &PropertyChange) -> bool {
    is_property(change) && contact.properties.get(&change.property) == change.to.as_deref()
}

/// Returns one change with its properties.
fn block(signed: &Signed, facts: &Facts, group: Group<'_>, after: Option<ChangeId>) -> Markup {
    let Some(first) = group.first() else { return html! {} };
    let at = instant(signed, first);
    html! {
        // Changes may have the same minute, so a region of each would have no name of its own.
        section {
            h2 { (time(signed, first.at, Detail::Time)) }
            p class="quiet" { (cause(signed, facts, first.cause.as_ref())) }
            table class="stack values gap" {
                caption class="vh" { (words::values_caption(&at)) }
                thead { tr {
                    th scope="col" { (words::PROPERTY) }
                    th scope="col" { (words::FROM) }
                    th scope="col" { (words::TO_STATE) }
                } }
                tbody {
                    @for change in group {
                        tr {
                            th scope="row" { (label(&change.property)) }
                            td data-label=(words::FROM) { (value(change, change.from.as_deref())) }
                            td data-label=(words::TO_STATE) { (value(change, change.to.as_deref())) }
                        }
                    }
                }
            }
            (set_back(signed, facts, group, &at, after))
        }
    }
}

/// Returns the instant of a change as a text.
fn instant(signed: &Signed, change: &PropertyChange) -> String {
    let local = signed.period().calendar.time_zone.local(change.at);
    format!("{}, {}", signed.language.date(local.date()), signed.language.time(local))
}

fn cause(signed: &Signed, facts: &Facts, cause: Option<&Cause>) -> Markup {
    let Some(Cause { source, actor }) = cause else { return html! { (words::CAUSE_UNKNOWN) } };
    html! {
        (words::THROUGH) ": " (through(source)) ". " (words::BY) ": "
        bdi { (by(signed, &facts.users, source, *actor)) } "."
    }
}

/// Returns a value. One that is long is folded after its beginning.
fn value(change: &PropertyChange, value: Option<&str>) -> Markup {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return html! { span class="quiet" { (words::NO_VALUE) } };
    };
    if FLAGS.iter().any(|(flag, _)| *flag == change.property) {
        return html! { (words::on_or_off(value == "true")) };
    }
    if value.chars().count() <= FOLDED_CHARS {
        return html! { bdi { (value) } };
    }
    let beginning: String = value.chars().take(SHOWN_CHARS).collect();
    html! {
        details {
            summary { bdi { (beginning) "…" } }
            bdi { (value) }
        }
    }
}

/// Returns the form that sets a change back, or the reason for which there is none.
fn set_back(signed: &Signed, facts: &Facts, group: Group<'_>, at: &str, after: Option<ChangeId>) -> Markup {
    let Some(first) = group.first() else { return html! {} };
    let undoable: Vec<_> = group.iter().filter(|change| is_undoable(&facts.contact, change)).collect();
    if undoable.is_empty() {
        let has_property = group.iter().any(is_property);
        return html! {
            p class="quiet gap" { (if has_property { words::CHANGED_SINCE_THEN } else { words::NOT_SET_BACK }) }
        };
    }
    html! {
        form class="row gap" method="post" action=(own_path(facts.contact.id)) {
            (key(signed))
            input type="hidden" name="change_id" value=(first.change_id);
            @if let Some(after) = after { input type="hidden" name="after" value=(cursor(&After(after))); }
            button { (words::SET_BACK) span class="vh" { (words::of_change(at)) } }
            @if undoable.len() < group.len() { span class="quiet" { (words::sets_back(&names(&undoable))) } }
        }
    }
}
