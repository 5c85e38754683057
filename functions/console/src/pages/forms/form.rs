//! The page of a form.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ids::FormId;
use maud::{Markup, html};

use super::map::FIELD_MAP;
use super::rejected::RejectedPage;
use super::view::{View, form_id, page_of};
use super::{LIST, address, fields, map, settings, switch};
use crate::frame::{Page, Section};
use crate::parts::{Tone, date_text, key, note, number};
use crate::request::{Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, forms as words};
use crate::typed::Typed;

/// A part of the page with a form of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Settings,
    Map,
    Secrets,
    Rejected,
}

/// A post that was refused, which the page shows again.
pub(super) struct Back {
    pub(super) part: Part,
    pub(super) typed: Typed,
    pub(super) refusal: Option<Refusal>,
    /// A message of the console itself, for the part's field.
    pub(super) message: Option<String>,
    /// A note at the top of the page.
    pub(super) note: Option<Markup>,
}

impl Back {
    pub(super) fn new(part: Part, typed: &Typed) -> Self {
        Self { part, typed: typed.clone(), refusal: None, message: None, note: None }
    }

    /// Returns the notes at the top of the page. Fields show their own messages.
    fn notes(&self) -> Markup {
        let shown = match self.part {
            Part::Settings => settings::SHOWN.as_slice(),
            Part::Secrets => &[address::SECRETS],
            // A message about the whole map has no field of its own.
            Part::Map
                if self.refusal.as_ref().is_some_and(|refusal| refusal.error_of(FIELD_MAP).is_none()) =>
            {
                &[FIELD_MAP]
            }
            Part::Map | Part::Rejected => &[],
        };
        html! {
            @if let Some(own) = &self.note { (own) }
            @if let Some(refusal) = &self.refusal { (fields::refused(refusal, shown)) }
            @if self.message.is_some() { (note(Tone::Fault, &html! { p { (text::nothing_was_changed(false)) } })) }
        }
    }
}

/// Shows a form.
pub(super) async fn show(signed: Signed, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let shown = match form_id(&id) {
        Ok(id) => page(&signed, id, query.filled("after"), None).await,
        Err(problem) => Err(problem.into()),
    };
    signed.finish(shown)
}

/// Leads from the path of an act, where a refusal was shown, to the form.
pub(super) async fn lead(_: Signed, Path(id): Path<String>) -> Response {
    let page = form_id(&id).map_or_else(|_| LIST.to_owned(), page_of);
    Redirect::to(&page).into_response()
}

/// Returns the page of a form. One batched read and two queries.
pub(super) async fn page(
    signed: &Signed,
    id: FormId,
    after: Option<&str>,
    back: Option<&Back>,
) -> Result<Page, Failure> {
    let rejected = RejectedPage::read(signed, id, after).await?;
    page_with(signed, id, rejected, back).await
}

/// Returns the page of a form with these rejected submissions.
pub(super) async fn page_with(
    signed: &Signed,
    id: FormId,
    rejected: RejectedPage,
    back: Option<&Back>,
) -> Result<Page, Failure> {
    let view = View::read(signed, id).await?;
    let is_on = view.sets(signed);
    let head = html! {
        p class="trail" { a href=(LIST) { (text::FORMS) } " /" }
        h1 { (view.text("name")) }
        (switch(signed, &format!("{}/switch", page_of(id)), words::SET_MARKETING, false, is_on))
    };
    let content = html! {
        @if let Some(back) = back { (back.notes()) }
        (done(signed, &view))
        @if !is_on && !signed.may_edit() { p id="may-not" class="quiet" { (text::MAY_NOT_EDIT) } }
        (facts(signed, &view, back.is_some() || signed.done.is_some()))
        (map::section(signed, &view, &rejected.answers(), back))
        (rejected.section(signed, id))
        div class="two" {
            (settings::section(signed, &view, back))
            (address::section(signed, &view, back))
        }
        section aria-labelledby="delete" class="narrow" {
            h2 id="delete" class="vh" { (words::DELETE) }
            div class="zone" { div {
                p { b { (words::DELETE) } (words::DELETE_SHORT) }
                a class="button lose" href={ (page_of(id)) "/delete" } { (words::DELETE) }
            } }
        }
    };
    let page = Page::new(Section::Forms, view.text("name"), content).with_head(head);
    Ok(page.with_status_of(back.and_then(|back| back.refusal.as_ref())))
}

fn done(signed: &Signed, view: &View) -> Markup {
    let is_on = view.sets(signed);
    let billing = if is_on { Tone::Bills } else { Tone::Plain };
    let (tone, said) = match signed.done.as_deref() {
        Some("created") if view.provider().is_native() => (billing, words::DONE_CREATED_OWN),
        Some("created") => (billing, words::DONE_CREATED_PROVIDER),
        Some("switched") => (billing, words::switched(is_on)),
        Some("saved") => (Tone::Plain, words::DONE_SAVED),
        Some("mapped") => (Tone::Plain, words::DONE_MAPPED),
        Some("retried") => (Tone::Plain, words::DONE_RETRIED),
        Some("retried-set") => (Tone::Bills, words::DONE_RETRIED_SET),
        Some("removed") => (Tone::Plain, words::DONE_REMOVED),
        Some("secrets") => (Tone::Plain, words::DONE_SECRETS),
        _ => return html! {},
    };
    note(
        tone,
        &html! { p { (said) } @if signed.done.as_deref() == Some("created") { p { (words::switched(is_on)) } } },
    )
}

fn facts(signed: &Signed, view: &View, follows_note: bool) -> Markup {
    let since = view.created_at().map(|at| words::since(&date_text(signed, at)));
    html! {
        dl class={ "facts narrow" @if follows_note { " gap" } } {
            div { dt { (words::PROVIDER) } dd { (words::verified(view.provider(), view.secrets())) } }
            @if !view.provider().is_native() {
                div { dt { (words::SET_MARKETING) } dd { (setting(signed, view)) } }
            }
            div { dt { (since.as_deref().unwrap_or(words::COUNTS)) } dd { (counts(signed, view)) } }
            div { dt { (words::BUDGET_FACT) } dd { (budget(signed, view)) } }
            div { dt { (words::FORM_ID) } dd class="mono" { (view.id) } }
        }
    }
}

/// Returns the setting of a provider's form, and the way back to the account's default.
fn setting(signed: &Signed, view: &View) -> Markup {
    let own = view.flag("set_marketing");
    let may_reset = signed.may_edit() || own == Some(true);
    html! {
        @match own {
            None => (words::account_default(view.sets(signed))),
            Some(own) => {
                (if own { text::ON } else { text::OFF })
                @if may_reset {
                    form method="post" action={ (page_of(view.id)) "/switch" } {
                        (key(signed))
                        button class="link" name="set_marketing" value="default" { (words::USE_DEFAULT) }
                    }
                }
            }
        }
    }
}

fn counts(signed: &Signed, view: &View) -> Markup {
    let parts: Vec<(String, &str)> = words::COUNT_WORDS
        .iter()
        .map(|(name, word)| (view.count(name), *word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| (number(signed, count), word))
        .collect();
    let left_out = view.count("fields_left_out");
    html! {
        (words::counts(&number(signed, view.count("received")), &parts))
        @if left_out > 0 { (words::left_out(&text::counted(left_out, &number(signed, left_out), "value"))) }
    }
}

fn budget(signed: &Signed, view: &View) -> Markup {
    html! {
        @match view.budget() {
            Some((used, most)) => (words::budget_sentence(&number(signed, used), &number(signed, most))),
            None => (words::NO_BUDGET),
        }
        a href="#f-max_new_marketing_per_day" { (words::CHANGE_BUDGET) }
    }
}
