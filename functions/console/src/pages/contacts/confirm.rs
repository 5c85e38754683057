//! From a selection to its consequence, and from the confirmed number to a job.

use api::filter::FilterGroupView;
use api::problem::ProblemType;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ids::JobId;
use domain::limits::{SEGMENTS_MAX, SELECTION_PATH_BYTES_MAX};
use http::StatusCode;
use maud::html;
use serde_json::{Value, json};
use store::Segment;

use super::dialog::{self, Asked, Numbers};
use super::found::{self, Ticks};
use super::selected::{Selected, back, chosen, nothing_ticked, with_refusal};
use super::view::View;
use super::{export, list};
use crate::frame::Page;
use crate::parts::{Tone, note};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text;
use crate::typed::Typed;

/// The path of the page with the consequence.
const PREVIEW: &str = "/console/contacts/preview";

/// Leads to the page with the consequence, so that a reload or a step back sends no form again. What may not stand in
/// an address is answered at once.
pub(super) async fn preview(signed: Signed, typed: Typed) -> Response {
    match preview_path(&typed, &["counted"]) {
        Some(path) => Redirect::to(&path).into_response(),
        None => signed.finish(consequence(&signed, &typed).await),
    }
}

/// Shows the consequence for the selection in an address.
pub(super) async fn show_preview(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let typed = Typed::parse(query.unwrap_or_default().as_bytes());
    if !typed.has("action") {
        return Redirect::to(&back(&View::parse(&typed))).into_response();
    }
    signed.finish(consequence(&signed, &typed).await)
}

/// Returns the address of the page with the consequence. `more` are the fields that it has beside the selection.
/// `None` if the selection may not stand in an address.
fn preview_path(typed: &Typed, more: &[&'static str]) -> Option<String> {
    let view = View::parse(typed);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(view.fields());
    query.extend_pairs(view.after.map(|after| ("after", after.to_string())));
    query.extend_pairs(chosen(typed));
    let more = || more.iter().filter_map(|name| Some((*name, typed.filled(name)?)));
    query.extend_pairs(more());
    let path = format!("{PREVIEW}?{}", query.finish());
    let is_shareable =
        view.is_shareable() && chosen(typed).chain(more()).all(|(_, value)| !value.contains('@'));
    Some(path).filter(|path| is_shareable && path.len() <= SELECTION_PATH_BYTES_MAX)
}

/// Returns the page that shows the consequence of an action for the selected contacts, and asks for their number.
async fn consequence(signed: &Signed, typed: &Typed) -> Result<Page, Failure> {
    match typed.get("action") {
        "add-to-list" => choose_list(signed, typed).await,
        "export" => export::ask(signed, typed).await,
        _ if !signed.may_edit() => not_permitted(signed, typed).await,
        _ => ask(signed, typed, confirmed(typed).err().filter(|_| typed.has("matched"))).await,
    }
}

/// Returns the page with what was selected, for a person who has lost the permission since the page was shown.
async fn not_permitted(signed: &Signed, typed: &Typed) -> Result<Page, Failure> {
    let page = match Selected::of(signed, typed).await? {
        Some(selected) => selected.page(signed).await?,
        None => list::page(signed, &View::parse(typed), &Ticks::of(typed)).await?,
    };
    let content = html! {
        (note(Tone::Fault, &html! { p { b { (text::nothing_was_changed(false)) } " " (text::MAY_NOT_EDIT) } }))
        (page.content)
    };
    Ok(Page { content, ..page }.with_status(StatusCode::FORBIDDEN))
}

/// Returns the page with the dialog. `error` is the message at the number, and the status that comes with it.
async fn ask(signed: &Signed, typed: &Typed, error: Option<Asked>) -> Result<Page, Failure> {
    let Some(selected) = Selected::of(signed, typed).await? else {
        return nothing_ticked(signed, typed).await;
    };
    let page = selected.page(signed).await?;
    let hidden = selected.hidden(typed);
    let numbers = match count(signed, typed, &selected.json).await {
        Ok(numbers) => numbers,
        Err(refusal) => return with_refusal(page, &refusal),
    };
    let Some(numbers) = numbers.result else {
        let dialog = dialog::counting(&hidden, numbers.job.as_deref().unwrap_or_default(), &selected.back());
        return Ok(page.with_dialog(dialog));
    };
    let status = error.as_ref().map_or(page.status, |_| StatusCode::CONFLICT);
    let dialog = dialog::consequence(signed, &numbers, &hidden, &selected.back(), error.as_ref());
    Ok(page.with_dialog(dialog).with_status(status))
}

/// A count, or the job that continues it.
struct Counted {
    result: Option<Numbers>,
    job: Option<String>,
}

/// Counts the selected contacts, or reads the job that continues the count.
async fn count(signed: &Signed, typed: &Typed, selection: &Value) -> Result<Counted, Refusal> {
    let job = typed.filled("counted").filter(|job| job.parse::<JobId>().is_ok());
    let answer = match job {
        Some(job) => signed.call(Call::get(format!("/v1/bulk/jobs/{job}"))).await?,
        None => {
            let body = json!({"action": typed.get("action"), "selection": selection});
            signed.call(Call::post("/v1/bulk/preview", body)).await?
        }
    };
    let job = answer.body.get("job").unwrap_or(&answer.body);
    let preview = if answer.status == StatusCode::ACCEPTED { job.get("preview") } else { Some(&answer.body) };
    let preview = job.get("preview").or(preview.filter(|preview| preview.get("would").is_some()));
    let id = job.get("id").and_then(Value::as_str).map(str::to_owned);
    Ok(Counted { result: preview.cloned().map(Numbers), job: id })
}

/// Creates the job, if the typed number is the number of contacts.
pub(super) async fn create_job(signed: Signed, typed: Typed) -> Response {
    let shown = match confirmed(&typed) {
        _ if !signed.may_edit() => not_permitted(&signed, &typed).await,
        Ok(number) => match start(&signed, &typed, number).await {
            Ok(Started::Job(path)) => return Redirect::to(&path).into_response(),
            Ok(Started::Asked(page)) => Ok(*page),
            Err(failure) => Err(failure),
        },
        Err(asked) => match preview_path(&typed, &["matched", "confirm_count"]) {
            Some(path) => return Redirect::to(&path).into_response(),
            None => ask(&signed, &typed, Some(asked)).await,
        },
    };
    signed.finish(shown)
}

/// Returns the confirmed number, or the message for another one. People may type separators, as the page shows them.
fn confirmed(typed: &Typed) -> Result<u64, Asked> {
    let text = typed.get("confirm_count");
    let digits: String = text.chars().filter(|sign| !" .,'\u{a0}\u{202f}’".contains(*sign)).collect();
    let shown = typed.get("matched");
    if !digits.is_empty() && digits == shown {
        digits.parse().map_err(|_| Asked::Wrong(text.to_owned()))
    } else {
        Err(if digits.is_empty() { Asked::Nothing } else { Asked::Wrong(text.to_owned()) })
    }
}

enum Started {
    /// The path of the job's page.
    Job(String),
    Asked(Box<Page>),
}

async fn start(signed: &Signed, typed: &Typed, number: u64) -> Result<Started, Failure> {
    let asked = |page| Started::Asked(Box::new(page));
    let Some(selected) = Selected::of(signed, typed).await? else {
        return nothing_ticked(signed, typed).await.map(asked);
    };
    let body = json!({"action": typed.get("action"), "selection": selected.json, "confirm_count": number});
    match signed.call(Call::post("/v1/bulk/jobs", body).once(typed)).await {
        Ok(answer) => {
            let id = answer.body.pointer("/job/id").or(answer.body.get("id")).and_then(Value::as_str);
            Ok(Started::Job(format!("/console/jobs/{}", id.unwrap_or_default())))
        }
        Err(refusal) if refusal.kind == ProblemType::CountChanged => {
            let changed =
                Asked::Changed { before: number, now: refusal.number("matched").unwrap_or_default() };
            ask(signed, typed, Some(changed)).await.map(asked)
        }
        Err(refusal) => with_refusal(selected.page(signed).await?, &refusal).map(asked),
    }
}

/// Shows the dialog that asks for the list to which the ticked contacts are added.
async fn choose_list(signed: &Signed, typed: &Typed) -> Result<Page, Failure> {
    let ticks = Ticks::of(typed);
    if ticks.is_all || ticks.contacts.is_empty() {
        return nothing_ticked(signed, typed).await;
    }
    let view = View::parse(typed);
    let page = list::page(signed, &view, &ticks).await?;
    let listed = signed.store().segments(signed.account.id, None, SEGMENTS_MAX).await?.items;
    let lists: Vec<Segment> = listed.into_iter().filter(|segment| segment.filter.is_none()).collect();
    let hidden = html! {
        (found::hidden(&view))
        @if let Some(after) = view.after { input type="hidden" name="after" value=(after); }
        @for contact in &ticks.contacts { input type="hidden" name="contact" value=(contact); }
    };
    Ok(page.with_dialog(dialog::lists(signed, &lists, ticks.contacts.len() as u64, &hidden, &back(&view))))
}

/// Adds the ticked contacts to a list.
pub(super) async fn add_to_list(signed: Signed, typed: Typed) -> Response {
    let view = View::parse(&typed);
    let Some(list) = typed.filled("list").filter(|list| list.parse::<domain::ids::SegmentId>().is_ok())
    else {
        let shown = choose_list(&signed, &typed).await;
        return signed.finish(shown);
    };
    let contacts: Vec<Value> = typed.all("contact").map(|id| json!({"id": id})).collect();
    let call = Call::post(format!("/v1/segments/{list}/members"), json!({"add": contacts})).once(&typed);
    match signed.call(call).await {
        Ok(answer) => {
            let path = back(&view);
            let sign = if path.contains('?') { '&' } else { '?' };
            let added = answer.body.get("added").and_then(Value::as_u64).unwrap_or_default();
            let unknown = answer.body.get("not_found").and_then(Value::as_array).map_or(0, Vec::len);
            Redirect::to(&format!("{path}{sign}done=listed&n={added}&unknown={unknown}")).into_response()
        }
        Err(refusal) => signed.finish(Err(refusal.into())),
    }
}

/// Shows the dialog that asks for the name of a new segment.
pub(super) async fn save_segment(signed: &Signed, view: &View) -> Result<Page, Failure> {
    let page = list::page(signed, view, &Ticks::default()).await?;
    let Ok(filter) = found::filter(signed, view).await? else { return Ok(page) };
    let filter = json!(FilterGroupView::all(&filter)).to_string();
    Ok(page.with_dialog(dialog::segment(signed, &filter, &back(view))))
}
