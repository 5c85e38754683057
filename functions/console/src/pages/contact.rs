//! One contact: its state and its reason, its properties, its history, and the pages that add and remove contacts.

mod change;
mod history;
mod new;
mod properties;
mod remove;
mod state;
mod values;

use api::ProblemType;
use axum::Router;
use axum::extract::Path;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use domain::contact::Contact;
use domain::ids::{ContactId, UserId};
use domain::marketing::EffectiveState;
use domain::permission::PrincipalKind;
use domain::source::Actor;
use http::StatusCode;
use maud::{Markup, html};
use store::{ContactRef, Explained, User};

use crate::Console;
use crate::frame::{Page, Section};
use crate::parts::{Tone, date_text, key, note, number};
use crate::request::{Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, contact as words};
use crate::typed::Typed;

/// The number of changes that the page shows.
const CHANGES_SHOWN: usize = 20;
/// The number of users whose names are looked up. A change by any other user shows the user's id.
const USERS_READ: usize = 100;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/contacts/new", get(new::show).post(new::create))
        .route("/console/contacts/{id}", get(show).post(properties::save))
        .route("/console/contacts/{id}/marketing", post(change::set).get(back))
        .route("/console/contacts/{id}/non-marketing", post(change::queue).get(back))
        .route("/console/contacts/{id}/values", get(values::show).post(values::undo))
        .route("/console/contacts/{id}/delete", get(remove::ask_delete).post(remove::delete))
        .route("/console/contacts/{id}/erase", get(remove::ask_erase).post(remove::erase))
}

/// Leads from the path of an act to the contact, for a reader who opens it as a page.
async fn back(Path(id): Path<String>) -> Redirect {
    Redirect::to(&path(&id))
}

/// Returns the path of a contact's page, or the list if the text is not an id.
fn path(id: &str) -> String {
    id.parse::<ContactId>()
        .map_or_else(|_| "/console/contacts".to_owned(), |id| format!("/console/contacts/{id}"))
}

/// Shows a contact.
async fn show(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = page(&signed, &id, &Asked::default()).await;
    signed.finish(shown)
}

/// The part of a request that the page repeats: the refusal of what was asked for, and what was typed.
#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    typed: Option<&'a Typed>,
    refusal: Option<&'a Refusal>,
    /// The reason for which the state was not changed.
    not_changed: Option<&'a str>,
}

impl Asked<'_> {
    /// Returns true if the contact was changed since the form was filled in.
    fn is_conflict(&self) -> bool {
        self.refusal.is_some_and(|refusal| refusal.kind == ProblemType::VersionMismatch)
    }
}

/// Everything on the page that is not in the account.
struct Facts {
    explained: Explained,
    users: Vec<User>,
}

impl Facts {
    /// Reads a contact. Returns `None` if the account has no such contact.
    async fn read(signed: &Signed, id: &str) -> Result<Option<Self>, Failure> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let (store, account) = (signed.store(), signed.account.id);
        let read = store.explain_latest(account, ContactRef::Id(id), signed.wall_clock, CHANGES_SHOWN).await;
        let explained = match read.map_err(Failure::from) {
            Ok(explained) => explained,
            Err(failure) if is_not_found(&failure) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let users = users_of(signed, explained.history.iter().map(|change| change.actor)).await?;
        Ok(Some(Self { explained, users }))
    }

    /// Returns the name of a user, or the id if the name is not known.
    fn user(&self, signed: &Signed, id: UserId) -> String {
        user_name(signed, &self.users, id)
    }

    fn state(&self) -> EffectiveState {
        self.explained.contact.state()
    }
}

/// Reads the account's users if one of these actors is another user than the reader.
async fn users_of(signed: &Signed, mut actors: impl Iterator<Item = Actor>) -> Result<Vec<User>, Failure> {
    let is_other = |actor: Actor| matches!(actor, Actor::User(user) if own_id(signed) != Some(user));
    if !actors.any(is_other) {
        return Ok(Vec::new());
    }
    Ok(signed.store().users(signed.account.id, None, USERS_READ).await?.items)
}

/// Returns the name of a user, or the id if the name is not known.
fn user_name(signed: &Signed, users: &[User], id: UserId) -> String {
    let listed = users.iter().find(|user| user.id == id).map(|user| user.name.as_str());
    let own = Some(signed.principal.name.as_str()).filter(|_| own_id(signed) == Some(id));
    let name = own.or(listed).filter(|name| !name.is_empty());
    name.map_or_else(|| id.to_string(), str::to_owned)
}

fn own_id(signed: &Signed) -> Option<UserId> {
    match signed.principal.caller {
        PrincipalKind::User { id, .. } => Some(id),
        PrincipalKind::Integration { .. } => None,
    }
}

fn is_not_found(failure: &Failure) -> bool {
    match failure {
        Failure::Problem(problem) => problem.problem_type() == ProblemType::NotFound,
        Failure::Refusal(refusal) => refusal.kind == ProblemType::NotFound,
    }
}

/// Returns the name of a contact for headings.
fn title(contact: &Contact) -> &str {
    contact.email.as_ref().map_or(words::NO_ADDRESS, |email| email.given())
}

async fn page(signed: &Signed, id: &str, asked: &Asked<'_>) -> Result<Page, Failure> {
    let Some(facts) = Facts::read(signed, id).await? else { return Ok(unknown(id)) };
    let title = title(&facts.explained.contact);
    let head = html! {
        p class="trail" { a href="/console/contacts" { (text::CONTACTS) } " /" }
        h1 { (title) }
        (main_action(signed, &facts, !asked.is_conflict()))
    };
    let content = html! {
        (done(signed, &facts))
        (refused(signed, &facts, asked))
        @if !signed.may_edit() { p class="quiet" id="may-not" { (text::MAY_NOT_EDIT) } }
        @else if !signed.period().marketing_contacts { p class="quiet" id="may-not" { (words::MARKETING_OFF) } }
        (state::sentence(signed, &facts))
        div class="two" {
            (state::reach(&facts))
            div { (state::why(signed, &facts)) (properties::form(&facts, signed, asked)) }
        }
        (history::show(signed, &facts))
        (remove::zone(signed, &facts))
    };
    let status = if asked.not_changed.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let page = Page::new(Section::Contacts, title, content).with_head(head).with_status(status);
    Ok(page.with_status_of(asked.refusal))
}

/// Returns the page about an id that no contact has.
fn unknown(id: &str) -> Page {
    let content = html! {
        p { (words::unknown(id)) " " (text::MAY_BE_DELETED) " " a href="/console/contacts" { (text::ALL_CONTACTS) } }
    };
    Page::new(Section::Contacts, text::NOT_FOUND, content).with_status(StatusCode::NOT_FOUND)
}

/// Returns the button that changes the state. It is filled unless the page has a more important one.
fn main_action(signed: &Signed, facts: &Facts, is_main: bool) -> Markup {
    let (act, class, name) = match facts.state() {
        EffectiveState::NonMarketing => ("marketing", "set", words::SET),
        EffectiveState::Leaving => ("marketing", "set", words::KEEP),
        EffectiveState::Marketing => ("non-marketing", "queue", words::QUEUE),
    };
    let may = signed.may_edit() && signed.period().marketing_contacts;
    html! {
        @if may {
            form method="post" action={ "/console/contacts/" (facts.explained.contact.id) "/" (act) } {
                (key(signed))
                button class=[is_main.then_some(class)] { (name) }
            }
        } @else {
            button type="button" disabled aria-describedby="may-not" { (name) }
        }
    }
}

/// Returns the note about the act that led to the page, with the numbers of now. An address that is opened later, when
/// the contact has another state, shows no note.
fn done(signed: &Signed, facts: &Facts) -> Markup {
    let is_marketing = facts.state() == EffectiveState::Marketing;
    let is_leaving = facts.state() == EffectiveState::Leaving;
    let period = signed.period();
    let [usage, limit, rest] =
        [period.marketing, period.tier.limit_for(period.marketing), period.after_next_update()]
            .map(|count| number(signed, count));
    let date = date_text(signed, period.ends_at);
    let (tone, said) = match signed.done.as_deref() {
        Some("set") if is_marketing => (Tone::Bills, words::done_set(&usage, &limit)),
        Some("kept") if is_marketing => (Tone::Bills, words::done_kept(&usage, &limit, &rest, &date)),
        Some("queued") if is_leaving => (Tone::Leaves, words::done_queued(&usage, &limit, &rest, &date)),
        Some("added") => (Tone::Plain, words::DONE_ADDED.to_owned()),
        Some("added-free") => (Tone::Fault, words::DONE_ADDED_FREE.to_owned()),
        Some("saved") => (Tone::Plain, words::DONE_SAVED.to_owned()),
        Some("unchanged") => (Tone::Plain, words::DONE_NOTHING.to_owned()),
        _ => return html! {},
    };
    note(tone, &html! { p { (said) } })
}

/// Returns the note about what was refused.
fn refused(signed: &Signed, facts: &Facts, asked: &Asked<'_>) -> Markup {
    if let Some(reason) = asked.not_changed {
        let cap = signed.period().cap.map(|cap| number(signed, cap));
        let said = words::refused(reason.parse().ok(), cap.as_deref());
        return note(Tone::Fault, &html! { p { b { (text::nothing_was_changed(false)) } " " (said) } });
    }
    properties::refused(signed, facts, asked)
}
