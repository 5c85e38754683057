//! `/v1/events`: the account's notices.

use std::collections::BTreeMap;

use api::describe::Parameters;
use api::listing::{one_more, page};
use api::openapi::one_of;
use api::paging::{Page, Paging, Position};
use api::{AccountCaller, Context, Problem, Query, respond};
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::event::{EventId, EventType, Fact};
use serde::Serialize;
use store::Notice;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

/// The position of a notice in the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoticePosition(Timestamp, EventId);

impl Position for NoticePosition {
    const KIND: &'static str = "notice";

    fn to_text(&self) -> String {
        format!("{}#{}", self.0, self.1)
    }

    fn from_text(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('#')?;
        Some(Self(at.parse().ok()?, id.parse().ok()?))
    }
}

/// A fact: a number, an id, an instant or a word.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum FactView {
    Number(u64),
    Text(String),
}

/// An event of the account.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventView {
    /// The id of the event.
    id: String,
    #[schema(schema_with = event_type)]
    r#type: &'static str,
    /// The account's instant at which it happened.
    #[schema(format = DateTime)]
    at: String,
    /// The facts of its type: `period.closed` has `period`, `starts_at`, `ends_at`, `marketing`, `left` and
    /// `tier_limit`. `usage.threshold-crossed` has `period`, `threshold` in percent, `marketing` and `tier_limit`.
    /// `usage.limit-raised` has `period`, `marketing` and `tier_limit`, and `usage.cap-reached` has `cap` instead.
    /// `job.finished` has `job_id`, `state`, `matched`, `set`, `kept` and `queued`. `automation.paused` has
    /// `automation_id` and `enrolled`.
    #[serde(flatten)]
    facts: BTreeMap<String, FactView>,
}

fn event_type() -> Schema {
    let types = EventType::ALL.iter().filter(|kind| kind.is_notice());
    one_of(types.map(|kind| kind.as_str()), "The type of the event.")
}

impl EventView {
    fn new(notice: &Notice) -> Self {
        let fact = |(name, fact): (&String, &Fact)| {
            let fact = match fact {
                Fact::Number(number) => FactView::Number(*number),
                Fact::Text(text) => FactView::Text(text.clone()),
            };
            (name.clone(), fact)
        };
        Self {
            id: notice.id.to_string(),
            r#type: notice.kind.as_str(),
            at: notice.at.to_string(),
            facts: notice.facts.iter().map(fact).collect(),
        }
    }
}

/// Lists the account's events.
///
/// These are the rare ones that concern the whole account: closed periods, thresholds of the usage, finished jobs and
/// paused automations. They are kept for 400 days. The newest is first. An event may appear some seconds late.
#[utoipa::path(
    get, path = "/v1/events", tag = "Account", params(Parameters<Paging<NoticePosition>>),
    responses((status = 200, description = "A page of events, newest first.", body = Page<EventView>)),
)]
pub(crate) async fn list_events(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<NoticePosition>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let after = after.map(|NoticePosition(at, id)| (at, id));
    let now = context.clock.now();
    let listing = context.store.notices(principal.account, after, one_more(limit), now).await?;
    respond::ok(&page(&listing, limit, |notice| NoticePosition(notice.at, notice.id), EventView::new))
}
