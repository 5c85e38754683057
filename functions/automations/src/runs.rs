//! The handler of an automation's runs.

use api::describe::Parameters;
use api::listing::{one_more, page};
use api::paging::{Page, Paging, Position};
use api::path::PathId;
use api::{AccountCaller, Context, Problem, Query, respond};
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use domain::ids::AutomationId;

use crate::view::RunView;

/// A day in the list of runs.
pub(crate) struct Day(NaiveDate);

impl Position for Day {
    const KIND: &'static str = "run";

    fn to_text(&self) -> String {
        self.0.to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Lists the runs of an automation.
///
/// Each day on which a contact had its turn is one run. The latest day is first.
#[utoipa::path(
    get, path = "/v1/automations/{id}/runs", tag = "Automations",
    params(Parameters<Paging<Day>>, ("id" = String, Path, description = "The automation's id.")),
    responses((status = 200, description = "A page of runs.", body = Page<RunView>)),
)]
pub(crate) async fn list_automation_runs(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<AutomationId>,
    Query(paging): Query<Paging<Day>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let before = after.map(|Day(day)| day);
    let listing = context.store.automation_runs(principal.account, id, before, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |run| Day(run.day), RunView::new))
}
