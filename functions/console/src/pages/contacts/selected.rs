//! The contacts that a person has selected, and the page under a dialog about them.

use api::Problem;
use api::filter::FilterGroupView;
use domain::ids::JobId;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::LIST;
use super::found::{self, Ticks};
use super::list;
use super::view::{Tab, View};
use crate::frame::Page;
use crate::pages::jobs;
use crate::parts::{Tone, note, refused};
use crate::request::{Failure, Refusal};
use crate::signed::Signed;
use crate::text::contacts as words;
use crate::typed::Typed;

/// The contacts that a person has selected, and the page under the dialog about them.
pub(super) struct Selected {
    /// The selection as the API takes it.
    pub(super) json: Value,
    view: View,
    ticks: Ticks,
    /// The job whose changes are taken back, if that is the selection.
    job: Option<JobId>,
}

impl Selected {
    /// Returns the selection in a form. `None` if nothing is selected.
    pub(super) async fn of(signed: &Signed, typed: &Typed) -> Result<Option<Self>, Failure> {
        let (view, ticks) = (View::parse(typed), Ticks::of(typed));
        let job = typed.filled("queue_back").map(str::parse::<JobId>).transpose();
        let job = job.map_err(|_| Failure::Problem(Problem::not_found("job")))?;
        let all = match job {
            Some(job) => Some(json!({"job_id": job.to_string()})),
            None if ticks.is_all => matching(signed, &view).await?,
            None if ticks.contacts.is_empty() => None,
            None => {
                let contacts: Vec<Value> = ticks.contacts.iter().map(|id| json!({"id": id})).collect();
                return Ok(Some(Self { json: json!({"contacts": contacts}), view, ticks, job }));
            }
        };
        let Some(mut json) = all else { return Ok(None) };
        if let Some(json) = json.as_object_mut().filter(|_| !ticks.except.is_empty()) {
            json.insert("except".to_owned(), json!(ticks.except));
        }
        Ok(Some(Self { json, view, ticks, job }))
    }

    /// Returns the page under the dialog.
    pub(super) async fn page(&self, signed: &Signed) -> Result<Page, Failure> {
        match self.job {
            Some(job) => jobs::page(signed, job).await,
            None => list::page(signed, &self.view, &self.ticks).await,
        }
    }

    /// Returns the hidden fields that keep the selection in the dialog's form.
    pub(super) fn hidden(&self, typed: &Typed) -> Markup {
        html! {
            (found::hidden(&self.view))
            @if let Some(after) = self.view.after { input type="hidden" name="after" value=(after); }
            @for (name, value) in chosen(typed) { input type="hidden" name=(name) value=(value); }
        }
    }

    /// Returns the page to which the dialog leads back.
    pub(super) fn back(&self) -> String {
        match self.job {
            Some(job) => format!("/console/jobs/{job}"),
            None => back(&self.view),
        }
    }
}

/// Returns the page of a view. It is the whole list if the view may not stand in an address.
pub(super) fn back(view: &View) -> String {
    if view.is_shareable() { view.path(view.after) } else { LIST.to_owned() }
}

/// Returns the fields of a form that say what was chosen from a view, and what to do with it.
pub(super) fn chosen(typed: &Typed) -> impl Iterator<Item = (&'static str, &str)> {
    const NAMES: [&str; 5] = ["action", "scope", "contact", "except", "queue_back"];
    NAMES.into_iter().flat_map(|name| typed.all(name).map(move |value| (name, value)))
}

/// Returns all contacts of a view as a selection. `None` if the view's filter is wrong, or if no filter selects its
/// contacts.
async fn matching(signed: &Signed, view: &View) -> Result<Option<Value>, Failure> {
    match &view.tab {
        Tab::Segment(id) if !view.is_filtered() => Ok(Some(json!({"segment_id": id.to_string()}))),
        _ => {
            let filter = found::filter(signed, view).await?.ok();
            Ok(filter.map(|filter| json!({"filterGroups": FilterGroupView::all(&filter)})))
        }
    }
}

/// Returns the page with the note about a refusal at its top.
pub(super) fn with_refusal(page: Page, refusal: &Refusal) -> Result<Page, Failure> {
    if refusal.status() == StatusCode::FORBIDDEN || refusal.is_fault() {
        return Err(refusal.clone().into());
    }
    let content = html! { (refused(refusal, &[])) (page.content) };
    Ok(Page { content, ..page }.with_status(refusal.status()))
}

pub(super) async fn nothing_ticked(signed: &Signed, typed: &Typed) -> Result<Page, Failure> {
    let message = if typed.get("action") == "add-to-list" { words::TICK_FOR_LIST } else { words::TICK_SOME };
    let page = list::page(signed, &View::parse(typed), &Ticks::of(typed)).await?;
    if page.status != StatusCode::OK {
        // The page says that the filter is wrong.
        return Ok(page);
    }
    let content = html! { (note(Tone::Fault, &html! { p { (message) } })) (page.content) };
    Ok(Page { content, ..page }.with_status(StatusCode::UNPROCESSABLE_ENTITY))
}
