//! The usage at this instant, and the statements of the periods before.

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

/// What a closed period came to.
#[derive(Serialize, ToSchema)]
#[schema(as = Statement)]
pub(crate) struct StatementView {
    /// The period's number.
    number: u64,
    /// Its first instant.
    #[schema(format = DateTime)]
    starts_at: String,
    /// The update date that ended it.
    #[schema(format = DateTime)]
    ends_at: String,
    /// The usage right before that: marketing contacts, leaving ones included.
    marketing: u64,
    /// How many of them became non-marketing at `ends_at`.
    left: u64,
    /// The tier limit at its end.
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

/// Tells the usage.
///
/// Exact at the instant of the request. `marketing` is what is billed: leaving contacts are in it.
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

/// Lists the statements.
///
/// One for each closed period, newest first.
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
    fn a_statement_says_what_was_billed_and_how_many_left() {
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
