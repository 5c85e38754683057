//! `/v1/usage`: the usage at the instant of the request, and the statements of closed periods.

use api::describe::Parameters;
use api::paging::{Page, Paging};
use api::views::UsageView;
use api::{AccountCaller, Context, Problem, Query, respond};
use axum::extract::State;
use axum::response::Response;
use domain::period::{PeriodNumber, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use api::listing::{one_more, page};

/// A closed period, with its numbers at its end.
#[derive(Serialize, ToSchema)]
#[schema(as = Statement)]
pub(crate) struct StatementView {
    /// The number of the period within the account, from 1.
    number: u64,
    /// The first instant of the period.
    #[schema(format = DateTime)]
    starts_at: String,
    /// The update date that ended the period. This instant belongs to the next period.
    #[schema(format = DateTime)]
    ends_at: String,
    /// The usage right before `ends_at`: marketing contacts, leaving contacts included.
    marketing: u64,
    /// The number of these contacts that became non-marketing at `ends_at`.
    left: u64,
    /// The tier limit at the end of the period.
    tier_limit: u64,
}

impl StatementView {
    fn new(statement: &Statement) -> Self {
        Self {
            number: statement.number.number(),
            starts_at: statement.starts_at.to_string(),
            ends_at: statement.ends_at.to_string(),
            marketing: statement.marketing,
            left: statement.left,
            tier_limit: statement.tier_limit,
        }
    }
}

/// Returns the account's usage.
///
/// The usage is exact at the instant of the request. `marketing` is the billed number, which includes leaving contacts.
#[utoipa::path(
    get, path = "/v1/usage", tag = "Account",
    responses((status = 200, description = "The usage in the current period.", body = UsageView)),
)]
pub(crate) async fn get_usage(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(_): Query,
) -> Result<Response, Problem> {
    let period = context.store.usage(principal.account, context.clock.now()).await?;
    respond::ok(&UsageView::new(&period))
}

/// Lists the account's statements.
///
/// Each closed period has one statement. The newest is first.
#[utoipa::path(
    get, path = "/v1/usage/statements", tag = "Account", params(Parameters<Paging<PeriodNumber>>),
    responses((status = 200, description = "A page of statements, newest first.", body = Page<StatementView>)),
)]
pub(crate) async fn list_statements(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<PeriodNumber>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing =
        context.store.statements(principal.account, context.clock.now(), after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |statement| statement.number, StatementView::new))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn statement_view_has_billed_and_left_contacts() {
        let statement = Statement {
            number: PeriodNumber::FIRST,
            starts_at: "2026-11-21T19:59:01.123Z".parse().unwrap(),
            ends_at: "2026-12-01T00:00:00.000Z".parse().unwrap(),
            marketing: 812,
            left: 40,
            tier_limit: 1000,
        };
        assert_eq!(
            serde_json::to_value(StatementView::new(&statement)).unwrap(),
            json!({
                "number": 1, "starts_at": "2026-11-21T19:59:01.123Z", "ends_at": "2026-12-01T00:00:00.000Z",
                "marketing": 812, "left": 40, "tier_limit": 1000,
            })
        );
    }
}
