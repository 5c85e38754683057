//! The account itself: its terms, its defaults, and a sandbox's clock.

use std::collections::BTreeMap;

use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::identity::require_modify_marketing_contacts;
use api::openapi::IdempotencyKey;
use api::parse::{Parser, boolean, checked, map, name, nested, parsed, string, whole};
use api::views::PeriodView;
use api::{AccountCaller, AdminCaller, Context, MutationRequest, Problem, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::Timestamp;
use domain::ids::AccountId;
use domain::limits::{CHATFLOWS_MAX, ID_CHARS_MAX, TEST_CLOCK_MOVE_MAX, TEST_CLOCK_YEARS, USAGE_MAX};
use domain::source::AccountDefaults;
use serde::Serialize;
use store::{ChangedBy, Refused, Responder, StoreError, StoredResponse, UpdateAccount};
use utoipa::ToSchema;
use utoipa::openapi::schema::KnownFormat;

use crate::contract::{TermSchema, contract_update};

/// What is to change of an account.
pub(crate) struct UpdateAccountBody(UpdateAccount);

impl FromFields for UpdateAccountBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.optional("name", name().about("The account's name."));
        let contract = contract_update(fields, " Only in a sandbox.");
        let cap = whole(0..=USAGE_MAX).about(
            "The limit that the account sets for itself; `null` removes it. A cap below the usage refuses new marketing \
             contacts and removes none.",
        );
        let cap = fields.nullable("cap", cap);
        let defaults = nested::<DefaultsUpdate>()
            .about("Settings for sources that have none of their own. Settings that are left out stay.");
        let defaults = fields.optional("defaults", defaults);
        let DefaultsUpdate { external_form, forms_may_raise_tier, chatflow, chatflows } =
            defaults?.unwrap_or_default();
        Ok(Self(UpdateAccount {
            by: ChangedBy::Admin,
            name: name?,
            cap: cap?,
            external_form,
            forms_may_raise_tier,
            chatflow,
            chatflows,
            ..contract?
        }))
    }
}

documented! { UpdateAccountBody as "UpdateAccount": "The settings of an account to change. Settings that are left out stay." }

/// The default settings of an account to change.
#[derive(Default)]
struct DefaultsUpdate {
    external_form: Option<bool>,
    forms_may_raise_tier: Option<bool>,
    chatflow: Option<bool>,
    chatflows: Option<BTreeMap<String, bool>>,
}

impl FromFields for DefaultsUpdate {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let external_form = boolean().about(
            "True if submissions of forms that the account did not create here set contacts as marketing.",
        );
        let external_form = fields.optional("external_form", external_form);
        let forms_may_raise_tier = boolean().about(
            "The setting of forms that have no `may_raise_tier` of their own: `true` lets them raise the tier limit. It \
             is off in a new account, because anybody can submit a public form.",
        );
        let forms_may_raise_tier = fields.optional("forms_may_raise_tier", forms_may_raise_tier);
        let chatflow =
            boolean().about("True if chat flows set contacts as marketing, unless listed in `chatflows`.");
        let chatflow = fields.optional("chatflow", chatflow);
        let id = checked(string(), |text| chatflow_id(&text));
        let chatflows = map(CHATFLOWS_MAX, id, boolean())
            .about("All chat flows with a setting of their own, by their id: at most 200.");
        let chatflows = fields.optional("chatflows", chatflows);
        Ok(Self {
            external_form: external_form?,
            forms_may_raise_tier: forms_may_raise_tier?,
            chatflow: chatflow?,
            chatflows: chatflows?,
        })
    }
}

documented! { DefaultsUpdate as "UpdateDefaults": "The default settings to change. Settings that are left out stay." }

fn chatflow_id(text: &str) -> Result<String, String> {
    if (1..=ID_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected an id of 1 to {ID_CHARS_MAX} characters without control characters"))
    }
}

/// Parses an instant that a sandbox's clock can show.
pub(crate) fn sandbox_instant() -> impl Parser<Output = Timestamp> {
    let instant = checked(parsed::<Timestamp>(), |at| {
        if TEST_CLOCK_YEARS.contains(&at.year()) {
            Ok(at)
        } else {
            let (first, last) = (TEST_CLOCK_YEARS.start(), TEST_CLOCK_YEARS.end());
            Err(format!("expected an instant in the years {first} to {last}"))
        }
    });
    instant.format(KnownFormat::DateTime)
}

/// The instant to which a sandbox's clock advances.
pub(crate) struct AdvanceTestClock {
    now: Timestamp,
}

impl FromFields for AdvanceTestClock {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let now = sandbox_instant().about(
            "The instant: not before the one that the clock shows, at most five years after it, before the year 2200.",
        );
        fields.required("now", now).map(|now| Self { now })
    }
}

documented! { AdvanceTestClock as "AdvanceTestClock": "The instant to which a sandbox's clock advances." }

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    /// Its id.
    id: String,
    /// Its portal number, by which `HubSpot`'s clients name it. It is unique in a deployment and never changes.
    #[schema(minimum = 10_000_000, maximum = 2_147_483_647)]
    portal_id: u32,
    /// Its name.
    name: String,
    /// Whose midnight update dates are: a name of the IANA database.
    time_zone: &'static str,
    /// `annual` or `monthly`.
    #[schema(value_type = TermSchema)]
    term: &'static str,
    /// A day on which its contract renews.
    #[schema(format = Date)]
    renewal_date: String,
    /// Whether it has marketing contacts at all.
    marketing_contacts: bool,
    /// What its contract covers.
    tier: AccountTierView,
    /// The ceiling that it set for itself; `null` for none.
    cap: Option<u64>,
    /// The current period.
    period: PeriodView,
    /// Settings for sources that have none of their own.
    defaults: DefaultsView,
    /// Where the clock of a sandbox stands; only for sandboxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    test_clock: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

/// What an account's contract covers.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountTier)]
pub(crate) struct AccountTierView {
    /// How many marketing contacts are covered from the start.
    included: u64,
    /// The step in which the limit grows.
    block: u64,
    /// The limit now.
    limit: u64,
    /// The lower limit that was asked for, to take effect at the renewal date; left out if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    limit_at_renewal: Option<u64>,
}

/// Settings for sources that have none of their own.
#[derive(Serialize, ToSchema)]
#[schema(as = Defaults)]
pub(crate) struct DefaultsView {
    /// Whether forms that the account did not make here set contacts marketing.
    external_form: bool,
    /// The setting of forms that have no `may_raise_tier` of their own: `true` lets them raise the tier limit.
    forms_may_raise_tier: bool,
    /// Whether chat flows do, unless listed in `chatflows`.
    chatflow: bool,
    /// The chat flows with a setting of their own, by their id.
    chatflows: BTreeMap<String, bool>,
}

impl AccountView {
    pub(crate) fn new(account: &store::Account) -> Self {
        let store::Account { id, portal, name, defaults, period, created_at } = account;
        let (calendar, tier) = (&period.calendar, &period.tier);
        let AccountDefaults { external_form, chatflow, chatflows } = defaults.clone();
        Self {
            id: id.to_string(),
            portal_id: portal.number(),
            name: name.clone(),
            time_zone: calendar.time_zone.as_str(),
            term: calendar.term.as_str(),
            renewal_date: calendar.renewal_date.to_string(),
            marketing_contacts: period.marketing_contacts,
            tier: AccountTierView {
                included: tier.included,
                block: tier.block,
                limit: tier.limit_for(period.marketing),
                limit_at_renewal: tier.limit_at_renewal,
            },
            cap: period.cap,
            period: PeriodView::new(period),
            defaults: DefaultsView {
                external_form,
                forms_may_raise_tier: period.forms_may_raise_tier,
                chatflow,
                chatflows,
            },
            test_clock: period.test_clock.map(|at| at.to_string()),
            created_at: created_at.to_string(),
        }
    }
}

/// Reads the account.
#[utoipa::path(
    get, path = "/v1/account", tag = "Account",
    responses((status = 200, description = "The account that the token belongs to.", body = AccountView)),
)]
pub(crate) async fn get_account(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(_): Query,
) -> Result<Response, Problem> {
    let account = context.store.account(principal.account, context.clock.now()).await?;
    respond::ok(&AccountView::new(&account))
}

/// Changes the account.
///
/// For admins. What is left out stays. The terms of the contract are the operator's to change: `term`,
/// `renewal_date`, `time_zone`, `tier`, `tier_limit_at_renewal` and `marketing_contacts` are answered 403
/// `permission-denied`, unless the account is a sandbox. Switching `defaults.external_form` or
/// `defaults.forms_may_raise_tier` on needs the permission `modify_marketing_contacts`.
#[utoipa::path(
    patch, path = "/v1/account", tag = "Account",
    params(IdempotencyKey), request_body = UpdateAccountBody,
    responses(
        (status = 200, description = "The account.", body = AccountView),
        (status = 409, description = "marketing-contacts-in-use"),
    ),
)]
pub(crate) async fn update_account(
    State(context): State<Context>,
    AdminCaller(principal): AdminCaller,
    request: MutationRequest<UpdateAccountBody>,
) -> Result<Response, Problem> {
    let render = |account: &store::Account| respond::json(StatusCode::OK, &AccountView::new(account));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let UpdateAccountBody(change) = &request.body;
    // A default that is switched on widens every form that has no setting of its own.
    if [change.external_form, change.forms_may_raise_tier].contains(&Some(true)) {
        require_modify_marketing_contacts(&principal)?;
    }
    let result =
        context.store.update_account(principal.account, change, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Moves a sandbox's clock.
///
/// For admins. Forward only: 409 `clock-not-forward` otherwise, and 403 `not-a-sandbox` for an ordinary account.
/// Periods that have ended by then are closed one by one.
#[utoipa::path(
    post, path = "/v1/account/test-clock", tag = "Account",
    params(IdempotencyKey), request_body = AdvanceTestClock,
    responses(
        (status = 200, description = "The account at that instant.", body = AccountView),
        (status = 403, description = "not-a-sandbox"),
        (status = 409, description = "clock-not-forward"),
    ),
)]
pub(crate) async fn advance_test_clock(
    State(context): State<Context>,
    AdminCaller(principal): AdminCaller,
    request: MutationRequest<AdvanceTestClock>,
) -> Result<Response, Problem> {
    let render = |account: &store::Account| respond::json(StatusCode::OK, &AccountView::new(account));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = move_within_reach(&context, principal.account, request.body.now, responder).await;
    request.conclude(&context, result).await
}

/// Moves the clock if the way is not too long. The clock only moves forward, so a way that was short enough once is
/// so for every repetition of the request.
async fn move_within_reach(
    context: &Context,
    account: AccountId,
    to: Timestamp,
    responder: Responder<'_, store::Account>,
) -> Result<StoredResponse, StoreError> {
    let wall_clock = context.clock.now();
    let stored_state = context.store.usage(account, wall_clock).await?.test_clock;
    if let Some(stored_state) = stored_state
        && to > stored_state.plus(TEST_CLOCK_MOVE_MAX)
    {
        let days = TEST_CLOCK_MOVE_MAX.num_days();
        let message =
            format!("expected an instant at most {days} days after {stored_state}, where the clock stands");
        return Err(Refused::Invalid { field: "now", message }.into());
    }
    context.store.advance_test_clock(account, to, wall_clock, responder).await
}

#[cfg(test)]
mod tests;
