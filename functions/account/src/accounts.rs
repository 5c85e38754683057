//! `/v1/accounts`: the operator's routes. The operator creates, reads and changes accounts, and creates a token for an
//! account whose admins have lost their tokens.

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

/// A request to create an account.
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
        let tier = tier()
            .about("The limit of the contract. If left out, it begins at 1000 and grows in steps of 1000.");
        let tier = fields.optional("tier", tier);
        let cap = whole(0..=USAGE_MAX)
            .about("The largest usage that the account allows itself. `null` for no cap.");
        let cap = fields.nullable("cap", cap);
        let marketing_contacts =
            boolean().about("True if the account may have marketing contacts.").default_value(true);
        let marketing_contacts = fields.optional("marketing_contacts", marketing_contacts);
        let test_clock = sandbox_instant()
            .about("Creates a sandbox, whose own clock begins at this instant, in the years 2000 to 2199.");
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

/// A created account with the token of its first admin.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountMade)]
pub(crate) struct AccountMadeView {
    /// The account.
    account: AccountView,
    /// The bearer token of its first user, an admin. It is not shown again.
    token: String,
}

/// Creates an account.
///
/// Only the operator may call this operation. The account has one user, an admin. Only this response contains the
/// admin's token. An account with a `test_clock` is a sandbox: it uses this clock, so a month can be tried in a second.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "Accounts", security(("operator" = [])),
    params(IdempotencyKey), request_body = NewAccountBody,
    responses((
        status = 201, description = "The account and the token of its first admin.", body = AccountMadeView,
        headers(("Location" = String, description = "The account's path, for requests with its token.")),
    )),
)]
pub(crate) async fn create_account(
    State(context): State<Context>,
    _: Operator,
    request: MutationRequest<NewAccountBody>,
) -> Result<Response, Problem> {
    let minted = NewToken::mint(request.bearer()?, context.store.rng());
    let render = |account: &Account| {
        let created = AccountMadeView { account: AccountView::new(account), token: minted.sealed() };
        let location = Some("/v1/account".to_owned());
        StoredResponse { location, ..respond::json(StatusCode::CREATED, &created) }
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let NewAccountBody { name, terms } = &request.body;
    let sha256 = minted.sha256_hex();
    let new = NewAccount { name, terms: terms.clone(), token_sha256: &sha256 };
    let result = context.store.create_account(&new, context.clock.now(), responder).await;
    request.conclude_with_token(&context, result).await
}

/// An account with its usage, for the operator.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountReport)]
pub(crate) struct AccountReportView {
    /// The account, with the terms of its contract.
    account: AccountView,
    /// The account's usage in the current period.
    usage: UsageView,
}

impl AccountReportView {
    fn new(account: &Account) -> Self {
        Self { account: AccountView::new(account), usage: UsageView::new(&account.period) }
    }
}

/// A token that the operator has created for an account's admin.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminTokenMade)]
pub(crate) struct AdminTokenMadeView {
    /// The token's id.
    id: String,
    /// The admin's user id.
    user_id: String,
    /// The bearer token. It is not shown again.
    token: String,
}

/// Lists the accounts.
///
/// Only the operator may call this operation. The accounts are in the order of their creation, each with its usage at
/// the instant of the request.
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

/// Returns an account with its usage.
///
/// Only the operator may call this operation.
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

/// Updates the terms of an account's contract.
///
/// Only the operator may call this operation. Terms that are left out do not change.
///
/// Another term, renewal date or time zone moves the end of the current period to the next update date from now on.
/// Contacts that are leaving leave on that date. Another tier never lowers the limit in force. `tier_limit_at_renewal`
/// requests a lower limit.
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

/// Creates a token for an account's admin.
///
/// Only the operator may call this operation. It restores access to an account whose admins have lost their tokens. The
/// token belongs to the admin who was added first. Only this response contains it.
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
    let render = |created: &AdminToken| {
        let AdminToken { id, user } = created;
        let view =
            AdminTokenMadeView { id: id.to_string(), user_id: user.to_string(), token: minted.sealed() };
        respond::json(StatusCode::CREATED, &view)
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
    fn account_without_optional_fields_has_defaults() {
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
    fn account_with_null_cap_has_no_cap() {
        let none = json!({"name": "Ada & Co", "term": "annual", "renewal_date": "2027-06-15", "cap": null});
        let NewAccountBody { terms, .. } = read(&none).unwrap();
        assert_eq!(terms.cap, None);
    }

    #[test]
    fn account_with_all_fields_has_all_terms() {
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
    fn account_with_several_errors_lists_all() {
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
