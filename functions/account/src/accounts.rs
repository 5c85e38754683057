//! All accounts, which only the operator sees: making, reading and changing them, and the way back into one.

use api::describe::{Parameters, documented};
use api::fields::{Fields, FromFields, Reported};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::parse::{Parser, boolean, name, whole};
use api::path::PathId;
use api::token::NewToken;
use api::views::UsageView;
use api::{Context, MutationRequest, NoBody, Operator, Problem, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::calendar::Calendar;
use domain::ids::AccountId;
use domain::limits::USAGE_MAX;
use domain::period::Terms;
use domain::tier::Tier;
use serde::Serialize;
use store::{Account, AdminToken, NewAccount, Responder, StoredResponse};
use utoipa::ToSchema;

use crate::account::{AccountView, sandbox_instant};
use crate::contract::{UpdateContractBody, date, term, tier, time_zone};
use api::listing::{one_more, page};

/// The number of contacts that a tier includes by default.
const TIER_INCLUDED_DEFAULT: u64 = 1000;

/// The step in which a tier's limit grows by default.
const TIER_BLOCK_DEFAULT: u64 = 1000;

/// An account to be made.
pub(crate) struct NewAccountBody {
    name: String,
    terms: Terms,
}

impl FromFields for NewAccountBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.required("name", name().about("The account's name."));
        let time_zone = time_zone().about(
            "The time zone of the update dates, which fall on its midnight: a name of the IANA database.",
        );
        let time_zone = fields.optional("time_zone", time_zone.default_value("UTC"));
        let term = fields.required("term", term().about("The time after which the contract renews."));
        let renewal_date =
            fields.required("renewal_date", date().about("A day on which the contract renews."));
        let tier = tier().about("The tier that the contract covers: 1000 in steps of 1000 if left out.");
        let tier = fields.optional("tier", tier);
        let cap = whole(0..=USAGE_MAX).about("The limit that the account sets for itself; `null` for none.");
        let cap = fields.nullable("cap", cap);
        let marketing_contacts =
            boolean().about("True if the account has marketing contacts at all.").default_value(true);
        let marketing_contacts = fields.optional("marketing_contacts", marketing_contacts);
        let test_clock = sandbox_instant().about(
            "Creates a sandbox with a clock of its own, which begins here: an instant in the years 2000 to 2199.",
        );
        let test_clock = fields.optional("test_clock", test_clock);

        let tier = match tier?.map_or_else(|| Tier::new(TIER_INCLUDED_DEFAULT, TIER_BLOCK_DEFAULT), Ok) {
            Ok(tier) => tier,
            Err(error) => return fields.reject("tier", error.to_string()),
        };
        let time_zone = time_zone?.unwrap_or_default();
        let calendar = Calendar { term: term?, renewal_date: renewal_date?, time_zone };
        let marketing_contacts = marketing_contacts?.unwrap_or(true);
        let terms =
            Terms { calendar, tier, cap: cap?.initial(), marketing_contacts, test_clock: test_clock? };
        Ok(Self { name: name?, terms })
    }
}

documented! { NewAccountBody as "NewAccount": "An account to create." }

/// An account that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountMade)]
pub(crate) struct AccountMadeView {
    /// The account.
    account: AccountView,
    /// The bearer token of its first user, an admin. It is not shown again.
    token: String,
}

/// Makes an account.
///
/// For the operator. The account has one user, an admin, whose token is shown in this answer only. With `test_clock`
/// it is a sandbox: it lives on its own clock, and a month can be tried in a second.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "Accounts", security(("operator" = [])),
    params(IdempotencyKey), request_body = NewAccountBody,
    responses((
        status = 201, description = "The account and its first token.", body = AccountMadeView,
        headers(("Location" = String, description = "Where the account is read, with its token.")),
    )),
)]
pub(crate) async fn create_account(
    State(context): State<Context>,
    _: Operator,
    request: MutationRequest<NewAccountBody>,
) -> Result<Response, Problem> {
    let minted = NewToken::mint(request.bearer()?, context.store.rng());
    let render = |account: &Account| {
        let made = AccountMadeView { account: AccountView::new(account), token: minted.sealed() };
        let location = Some("/v1/account".to_owned());
        StoredResponse { location, ..respond::json(StatusCode::CREATED, &made) }
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let NewAccountBody { name, terms } = &request.body;
    let sha256 = minted.sha256_hex();
    let new = NewAccount { name, terms: terms.clone(), token_sha256: &sha256 };
    let result = context.store.create_account(&new, context.clock.now(), responder).await;
    request.conclude_with_token(&context, result).await
}

/// An account as the operator sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountReport)]
pub(crate) struct AccountReportView {
    /// The account, with the terms of its contract.
    account: AccountView,
    /// Its usage in the current period.
    usage: UsageView,
}

impl AccountReportView {
    fn new(account: &Account) -> Self {
        Self { account: AccountView::new(account), usage: UsageView::new(&account.period) }
    }
}

/// A token that the operator has made for an account's admin.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminTokenMade)]
pub(crate) struct AdminTokenMadeView {
    /// Its id.
    id: String,
    /// The admin's id.
    user_id: String,
    /// The bearer token. It is not shown again.
    token: String,
}

/// Lists the accounts.
///
/// For the operator. In the order in which they were made, each with its usage at the instant of the request.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "Accounts", security(("operator" = [])), params(Parameters<Paging<AccountId>>),
    responses((status = 200, description = "A page of accounts.", body = Page<AccountReportView>)),
)]
pub(crate) async fn list_accounts(
    State(context): State<Context>,
    _: Operator,
    Query(paging): Query<Paging<AccountId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.accounts(context.clock.now(), after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |account| account.id, AccountReportView::new))
}

/// Reads an account, with its usage.
///
/// For the operator.
#[utoipa::path(
    get, path = "/v1/accounts/{id}", tag = "Accounts", security(("operator" = [])),
    params(("id" = String, Path, description = "The account's id.")),
    responses((status = 200, description = "The account and its usage.", body = AccountReportView)),
)]
pub(crate) async fn get_account_by_id(
    State(context): State<Context>,
    _: Operator,
    PathId(id): PathId<AccountId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    let account = context.store.account(id, context.clock.now()).await?;
    respond::ok(&AccountReportView::new(&account))
}

/// Changes the terms of an account's contract.
///
/// For the operator. What is left out stays. Another term, renewal date or time zone moves the end of the current
/// period, and with it all contacts that are leaving, to the next update date from now on. Another tier never lowers
/// the limit in force: a lower one is asked for with `tier_limit_at_renewal`.
#[utoipa::path(
    patch, path = "/v1/accounts/{id}", tag = "Accounts", security(("operator" = [])),
    params(IdempotencyKey, ("id" = String, Path, description = "The account's id.")),
    request_body = UpdateContractBody,
    responses(
        (status = 200, description = "The account and its usage.", body = AccountReportView),
        (status = 409, description = "marketing-contacts-in-use"),
    ),
)]
pub(crate) async fn update_contract(
    State(context): State<Context>,
    _: Operator,
    PathId(id): PathId<AccountId>,
    request: MutationRequest<UpdateContractBody>,
) -> Result<Response, Problem> {
    let render = |account: &Account| respond::json(StatusCode::OK, &AccountReportView::new(account));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let UpdateContractBody(change) = &request.body;
    let result = context.store.update_account(id, change, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Makes a token for an account's admin.
///
/// For the operator: the way back into an account whose admins have lost their tokens. It is the token of the admin who
/// was added first, and is shown in this answer only.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/tokens", tag = "Accounts", security(("operator" = [])),
    params(IdempotencyKey, ("id" = String, Path, description = "The account's id.")),
    responses((status = 201, description = "The token.", body = AdminTokenMadeView)),
)]
pub(crate) async fn create_admin_token(
    State(context): State<Context>,
    _: Operator,
    PathId(id): PathId<AccountId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let minted = NewToken::mint(request.bearer()?, context.store.rng());
    let render = |made: &AdminToken| {
        let AdminToken { id, user } = made;
        let made =
            AdminTokenMadeView { id: id.to_string(), user_id: user.to_string(), token: minted.sealed() };
        respond::json(StatusCode::CREATED, &made)
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let sha256 = minted.sha256_hex();
    let result = context.store.create_admin_token(id, &sha256, context.clock.now(), responder).await;
    request.conclude_with_token(&context, result).await
}

#[cfg(test)]
mod tests {
    use domain::calendar::Term;
    use serde_json::json;

    use super::*;
    use api::reading::{read, wrong};

    #[test]
    fn what_is_left_out_is_the_default() {
        let least = json!({"name": "Ada & Co", "term": "annual", "renewal_date": "2027-06-15"});
        let NewAccountBody { name, terms } = read(&least).unwrap();
        assert_eq!((name.as_str(), terms.calendar.time_zone.as_str()), ("Ada & Co", "UTC"));
        assert_eq!(
            (terms.calendar.term, terms.calendar.renewal_date.to_string()),
            (Term::Annual, "2027-06-15".into())
        );
        assert_eq!((terms.tier, terms.cap), (Tier::new(1000, 1000).unwrap(), None));
        assert_eq!((terms.marketing_contacts, terms.test_clock), (true, None));
    }

    #[test]
    fn an_account_without_a_cap_can_be_made_as_it_is_shown() {
        let none = json!({"name": "Ada & Co", "term": "annual", "renewal_date": "2027-06-15", "cap": null});
        let NewAccountBody { terms, .. } = read(&none).unwrap();
        assert_eq!(terms.cap, None);
    }

    #[test]
    fn all_of_it_can_be_said() {
        let full = json!({
            "name": "Ada & Co", "time_zone": "America/St_Johns", "term": "monthly", "renewal_date": "2026-01-31",
            "tier": {"included": 0, "block": 1}, "cap": 0, "marketing_contacts": false,
            "test_clock": "2026-02-01T00:00:00+02:00",
        });
        let NewAccountBody { terms, .. } = read(&full).unwrap();
        assert_eq!((terms.tier, terms.cap), (Tier::new(0, 1).unwrap(), Some(0)));
        assert_eq!(terms.calendar.time_zone.as_str(), "America/St_Johns");
        assert!(!terms.marketing_contacts);
        assert_eq!(terms.test_clock.unwrap().to_string(), "2026-01-31T22:00:00.000Z");
    }

    #[test]
    fn everything_that_is_wrong_is_listed() {
        assert_eq!(wrong::<NewAccountBody>(&json!({})), ["name", "term", "renewal_date"]);
        let body = json!({
            "name": "x".repeat(201), "time_zone": "Mars/Olympus", "term": "yearly", "renewal_date": "15.6.2027",
            "tier": {"included": USAGE_MAX + 1, "block": 0, "limit": 7}, "cap": 1.5, "marketing_contacts": null,
            "test_clock": "1999-12-31T00:00:00Z", "token": "tmk_a",
        });
        assert_eq!(
            wrong::<NewAccountBody>(&body),
            [
                "name",
                "time_zone",
                "term",
                "renewal_date",
                "tier.included",
                "tier.block",
                "tier.limit",
                "cap",
                "marketing_contacts",
                "test_clock",
                "token",
            ]
        );
        let half =
            json!({"name": "a", "term": "annual", "renewal_date": "2027-06-15", "tier": {"included": 5}});
        assert_eq!(wrong::<NewAccountBody>(&half), ["tier.block"]);
    }
}
