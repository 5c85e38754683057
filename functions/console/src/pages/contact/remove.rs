//! Deletion and erasure: what they do to the bill, and the page that asks before.

use api::ProblemType;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::marketing::EffectiveState;
use maud::{Markup, html};

use super::{Facts, is_not_found, path, title, unknown};
use crate::frame::{Page, Section};
use crate::parts::{self, Tone, date_text, key, note, number};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, contact as words};
use crate::typed::Typed;

/// The way in which a contact is removed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removal {
    /// The contact disappears. A billable one keeps its address until the update date.
    Delete,
    /// All personal data is removed at once.
    Erase,
}

impl Removal {
    /// Returns the last part of the path of the page.
    fn slug(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Erase => "erase",
        }
    }

    /// Returns the name of the button.
    fn name(self) -> &'static str {
        match self {
            Self::Delete => words::DELETE,
            Self::Erase => words::ERASE,
        }
    }

    /// Returns the code of the note after it.
    fn done(self) -> &'static str {
        match self {
            Self::Delete => "deleted",
            Self::Erase => "erased",
        }
    }

    /// Returns the consequence for a contact as of now.
    fn consequence(self, signed: &Signed, facts: &Facts) -> String {
        let period = signed.period();
        let is_marketing = facts.state() == EffectiveState::Marketing;
        let rest = period.after_next_update().saturating_sub(u64::from(is_marketing));
        let (date, usage, rest) =
            (date_text(signed, period.ends_at), number(signed, period.marketing), number(signed, rest));
        let hint = match self {
            Self::Delete => words::DELETE_HINT,
            Self::Erase => words::ERASE_HINT,
        };
        match self {
            _ if !facts.state().is_billable() => format!("{hint} {}", words::FREE_STAYS),
            Self::Delete => {
                let stays = words::stays_billable(&date, &usage, &rest);
                format!("{hint} {stays} {}", words::NOT_COUNTED_TWICE)
            }
            Self::Erase => format!("{hint} {}", words::unit_stays_billable(&date, &usage, &rest)),
        }
    }
}

/// Returns true if the person may remove the contact. Removing one that is not leaving queues it to leave.
fn may(signed: &Signed, facts: &Facts) -> bool {
    signed.may_edit() || facts.state() != EffectiveState::Marketing
}

/// Returns the ways to the pages that ask.
pub(super) fn zone(signed: &Signed, facts: &Facts) -> Markup {
    let may = may(signed, facts);
    html! {
        section aria-labelledby="danger" {
            h2 id="danger" { (words::DANGER) }
            @if !may { p class="quiet" id="may-not-delete" { (words::MAY_NOT_DELETE) } }
            div class="zone" {
                @for (removal, label) in [(Removal::Delete, words::DELETE), (Removal::Erase, words::ERASE_LABEL)] {
                    div {
                        p { b { (label) } " " (removal.consequence(signed, facts)) }
                        @if may {
                            a class="button lose"
                                href={ (path(&facts.explained.contact.id.to_string())) "/" (removal.slug()) } {
                                (removal.name())
                            }
                        } @else {
                            button type="button" disabled aria-describedby="may-not-delete" { (removal.name()) }
                        }
                    }
                }
            }
        }
    }
}

/// Asks before a contact is deleted.
pub(super) async fn ask_delete(signed: Signed, Path(id): Path<String>) -> Response {
    signed.finish(ask(&signed, &id, Removal::Delete, None).await)
}

/// Asks before a contact is erased.
pub(super) async fn ask_erase(signed: Signed, Path(id): Path<String>) -> Response {
    signed.finish(ask(&signed, &id, Removal::Erase, None).await)
}

/// Deletes a contact, and shows the list.
pub(super) async fn delete(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    remove(&signed, &id, &typed, Removal::Delete).await
}

/// Erases a contact, and shows the list.
pub(super) async fn erase(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    remove(&signed, &id, &typed, Removal::Erase).await
}

async fn remove(signed: &Signed, id: &str, typed: &Typed, removal: Removal) -> Response {
    let Ok(contact) = id.parse::<domain::ids::ContactId>() else { return signed.finish(Ok(unknown(id))) };
    let query = if removal == Removal::Erase { "?erase=true" } else { "" };
    let call = Call::delete(format!("/v1/contacts/{contact}{query}")).once(typed).if_version(typed);
    match signed.call(call).await {
        Ok(_) => Redirect::to(&format!("/console/contacts?done={}", removal.done())).into_response(),
        Err(refusal) if refusal.kind == ProblemType::PermissionDenied => {
            signed.finish(Err(Failure::Refusal(refusal)))
        }
        Err(refusal) => match ask(signed, id, removal, Some(&refusal)).await {
            Err(failure) if is_not_found(&failure) => signed.finish(Ok(unknown(id))),
            shown => signed.finish(shown),
        },
    }
}

/// Returns the page that says the consequence and asks.
async fn ask(
    signed: &Signed,
    id: &str,
    removal: Removal,
    refusal: Option<&Refusal>,
) -> Result<Page, Failure> {
    let Some(facts) = Facts::read(signed, id).await? else { return Ok(unknown(id)) };
    let (contact, name) = (&facts.explained.contact, title(&facts.explained.contact));
    let path = path(&contact.id.to_string());
    let title = match removal {
        Removal::Delete => words::deleted_title(name),
        Removal::Erase => words::erased_title(name),
    };
    let head = html! {
        p class="trail" {
            a href="/console/contacts" { (text::CONTACTS) } " / " a href=(path) { (name) } " /"
        }
        h1 { (title) }
    };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal)) }
        p class="sentence gap" { (removal.consequence(signed, &facts)) }
        form class="row gap" method="post" action={ (path) "/" (removal.slug()) } {
            (key(signed))
            input type="hidden" name="version" value=(contact.version);
            @if may(signed, &facts) { button class="lose" { (removal.name()) } }
            @else {
                button type="button" disabled aria-describedby="may-not" { (removal.name()) }
            }
            a class="button" href=(path) { (words::CANCEL) }
        }
        @if !may(signed, &facts) { p class="quiet gap" id="may-not" { (words::MAY_NOT_DELETE) } }
    };
    Ok(Page::new(Section::Contacts, title, content).with_head(head).with_status_of(refusal))
}

fn refused(refusal: &Refusal) -> Markup {
    if refusal.kind == ProblemType::VersionMismatch {
        return note(Tone::Fault, &html! { p { (words::CHANGED_SINCE) } });
    }
    parts::refused(refusal, &[])
}
