//! Making accounts, which only the operator does.

use api::fields::{Fields, FromFields, Patch};
use api::openapi::IdempotencyKey;
use api::parse::{boolean, checked, name, object, parsed, string, whole};
use api::token::NewToken;
use api::{Context, Operator, Problem, Request, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::calendar::{Calendar, Term, TimeZone, parse_date};
use domain::limits::USAGE_MAX;
use domain::period::Terms;
use domain::tier::Tier;
use serde::Serialize;
use store::{Account, Answer, Finish, NewAccount};
use utoipa::ToSchema;

use crate::account::{AccountView, TermSchema, sandbox_instant};

/// How many contacts a tier includes when the request does not say (`api.md`, "Accounts").
const TIER_INCLUDED_DEFAULT: u64 = 1000;

/// The step in which a tier's limit grows when the request does not say (`api.md`, "Accounts").
const TIER_BLOCK_DEFAULT: u64 = 1000;

/// An account to be made.
pub(crate) struct NewAccountBody {
    name: String,
    terms: Terms,
}

impl FromFields for NewAccountBody {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.required("name", name());
        let time_zone = fields.optional("time_zone", parsed::<TimeZone>());
        let term = fields.required("term", parsed::<Term>());
        let renewal_date = fields.required("renewal_date", checked(string(), |text| parse_date(&text)));
        let tier = fields.optional("tier", object(included_and_block));
        let cap = fields.nullable("cap", whole(0..=USAGE_MAX)).map(Patch::into_change);
        let marketing_contacts = fields.optional("marketing_contacts", boolean());
        let test_clock = fields.optional("test_clock", sandbox_instant());

        let (included, block) = tier?.unwrap_or((TIER_INCLUDED_DEFAULT, TIER_BLOCK_DEFAULT));
        let tier = match Tier::new(included, block) {
            Ok(tier) => tier,
            Err(error) => return fields.refuse("tier", error.to_string()),
        };
        let time_zone = time_zone?.unwrap_or_default();
        let calendar = Calendar { term: term?, renewal_date: renewal_date?, time_zone };
        let marketing_contacts = marketing_contacts?.unwrap_or(true);
        let terms =
            Terms { calendar, tier, cap: cap?.flatten(), marketing_contacts, test_clock: test_clock? };
        Some(Self { name: name?, terms })
    }
}

fn included_and_block(fields: &mut Fields<'_>) -> Option<(u64, u64)> {
    let included = fields.required("included", whole(0..=USAGE_MAX));
    let block = fields.required("block", whole(1..=USAGE_MAX));
    included.zip(block)
}

/// An account to be made.
#[derive(ToSchema)]
#[schema(as = NewAccount)]
#[expect(dead_code, reason = "it describes the body that NewAccountBody reads")]
pub(crate) struct NewAccountSchema {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Whose midnight update dates are: a name of the IANA database.
    #[schema(required = false, default = "UTC", example = "Europe/Berlin")]
    time_zone: String,
    /// How often the contract renews.
    term: TermSchema,
    /// A day on which it renews.
    #[schema(format = Date, example = "2027-06-15")]
    renewal_date: String,
    /// What the contract covers: 1000 in steps of 1000 if left out.
    #[schema(nullable = false)]
    tier: Option<NewTierSchema>,
    /// The ceiling that the account sets for itself; none if it is null or left out.
    #[schema(maximum = 1_000_000_000_000_u64)]
    cap: Option<u64>,
    /// Whether the account has marketing contacts at all.
    #[schema(required = false, default = true)]
    marketing_contacts: bool,
    /// Makes a sandbox that lives on its own clock, which begins here: an instant in the years 2000 to 2199.
    #[schema(format = DateTime, nullable = false)]
    test_clock: Option<String>,
}

/// A tier as a contract begins with it.
#[derive(ToSchema)]
#[schema(as = NewTier)]
#[expect(dead_code, reason = "it describes what included_and_block reads")]
pub(crate) struct NewTierSchema {
    /// How many marketing contacts are covered from the start.
    #[schema(maximum = 1_000_000_000_000_u64)]
    included: u64,
    /// The step in which the limit grows.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64)]
    block: u64,
}

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
    params(IdempotencyKey), request_body = NewAccountSchema,
    responses((
        status = 201, description = "The account and its first token.", body = AccountMadeView,
        headers(("Location" = String, description = "Where the account is read, with its token.")),
    )),
)]
pub(crate) async fn create_account(
    State(context): State<Context>,
    _: Operator,
    request: Request<NewAccountBody>,
) -> Result<Response, Problem> {
    let minted = NewToken::mint(request.bearer()?, context.store.entropy());
    let render = |account: &Account| {
        let made = AccountMadeView { account: AccountView::new(account), token: minted.sealed() };
        let location = Some("/v1/account".to_owned());
        Answer { location, ..respond::json(StatusCode::CREATED, &made) }
    };
    let finish = Finish::new(request.claim.as_ref(), &render);
    let NewAccountBody { name, terms } = &request.body;
    let sha256 = minted.sha256_hex();
    let new = NewAccount { name, terms: terms.clone(), token_sha256: &sha256 };
    let result = context.store.create_account(&new, context.clock.now(), finish).await;
    request.conclude_with_token(&context, result).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reading::{read, wrong};

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
