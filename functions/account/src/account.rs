//! `/v1/account`: an account's settings and terms, and the clock of a sandbox. Only admins change them.

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

/// A change of an account's settings, by an admin.
pub(crate) struct UpdateAccountBody(UpdateAccount);

impl FromFields for UpdateAccountBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.optional("name", name().about("The account's name."));
        let contract = contract_update(fields, " Only in a sandbox.");
        let cap = whole(0..=USAGE_MAX).about(
            "The largest usage that the account allows itself. `null` removes the cap. A cap below the usage refuses \
             new marketing contacts. It removes none.",
        );
        let cap = fields.nullable("cap", cap);
        let index_changes = boolean().about(
            "True if contacts are indexed by the instant of their latest change. A search by `lastmodifieddate` then \
             reads what it returns, from a minute later on and for changes since then. Each write of a contact costs \
             one or two write units more. It is false in a new account.",
        );
        let index_changes = fields.optional("index_changes", index_changes);
        let defaults = nested::<DefaultsUpdate>().about(
            "Settings for sources without a setting of their own. Settings that are left out do not change.",
        );
        let defaults = fields.optional("defaults", defaults);
        let DefaultsUpdate { external_form, forms_may_raise_tier, chatflow, chatflows } =
            defaults?.unwrap_or_default();
        Ok(Self(UpdateAccount {
            by: ChangedBy::Admin,
            name: name?,
            cap: cap?,
            index_changes: index_changes?,
            external_form,
            forms_may_raise_tier,
            chatflow,
            chatflows,
            ..contract?
        }))
    }
}

documented! {
    UpdateAccountBody as "UpdateAccount":
        "The settings of an account to change. Settings that are left out do not change."
}

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
        let external_form =
            boolean().about("True if forms of other providers than `native` set contacts as marketing.");
        let external_form = fields.optional("external_form", external_form);
        let forms_may_raise_tier = boolean().about(
            "True if forms without a `may_raise_tier` of their own may raise the tier limit. It is false in a new \
             account, because anyone may submit a public form.",
        );
        let forms_may_raise_tier = fields.optional("forms_may_raise_tier", forms_may_raise_tier);
        let chatflow = boolean()
            .about("True if chat flows set new contacts as marketing, unless listed in `chatflows`.");
        let chatflow = fields.optional("chatflow", chatflow);
        let id = checked(string(), |text| chatflow_id(&text));
        let chatflows = map(CHATFLOWS_MAX, id, boolean()).about(
            "The settings of single chat flows, by id: at most 200. The new map replaces the old one.",
        );
        let chatflows = fields.optional("chatflows", chatflows);
        Ok(Self {
            external_form: external_form?,
            forms_may_raise_tier: forms_may_raise_tier?,
            chatflow: chatflow?,
            chatflows: chatflows?,
        })
    }
}

documented! {
    DefaultsUpdate as "UpdateDefaults": "The default settings to change. Settings that are left out do not change."
}

/// Returns the id if it has 1 to [`ID_CHARS_MAX`] characters without control characters.
fn chatflow_id(text: &str) -> Result<String, String> {
    if (1..=ID_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected an id of 1 to {ID_CHARS_MAX} characters without control characters"))
    }
}

/// Parses an instant in [`TEST_CLOCK_YEARS`], to which a sandbox's clock may be set.
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

/// A request to move a sandbox's clock forward.
pub(crate) struct AdvanceTestClock {
    now: Timestamp,
}

impl FromFields for AdvanceTestClock {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let now = sandbox_instant().about(
            "The new instant: not before the clock's present instant, at most five leap years (1,830 days) after it, \
             and before the year 2200.",
        );
        fields.required("now", now).map(|now| Self { now })
    }
}

documented! { AdvanceTestClock as "AdvanceTestClock": "A request to move a sandbox's clock forward." }

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    /// The account's id.
    id: String,
    /// The portal number, by which `HubSpot`'s clients identify the account. It is unique in a deployment and never
    /// changes.
    #[schema(minimum = 10_000_000, maximum = 2_147_483_647)]
    portal_id: u32,
    /// The display name.
    name: String,
    /// The time zone of the update dates, which fall on its midnight: a name of the IANA database.
    time_zone: &'static str,
    /// The time after which the contract renews: `annual` or `monthly`.
    #[schema(value_type = TermSchema)]
    term: &'static str,
    /// A day on which the contract renews.
    #[schema(format = Date)]
    renewal_date: String,
    /// True if the account may have marketing contacts.
    marketing_contacts: bool,
    /// The limit of the contract.
    tier: AccountTierView,
    /// The largest usage that the account allows itself. `null` if it has no cap.
    cap: Option<u64>,
    /// The period at the instant of the request.
    period: PeriodView,
    /// True if contacts are indexed by the instant of their latest change.
    index_changes: bool,
    /// The settings for sources without a setting of their own.
    defaults: DefaultsView,
    /// The present instant of a sandbox's clock. Only present for sandboxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    test_clock: Option<String>,
    /// The instant at which the account was created.
    #[schema(format = DateTime)]
    created_at: String,
}

/// The limit of an account's contract, which grows in steps with the usage.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountTier)]
pub(crate) struct AccountTierView {
    /// The number of marketing contacts that the contract covers from the start.
    included: u64,
    /// The number of contacts by which the limit grows in one step.
    block: u64,
    /// The limit at the instant of the request.
    limit: u64,
    /// The lower limit that takes effect at the renewal date. Only present if one was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    limit_at_renewal: Option<u64>,
}

/// The settings for sources without a setting of their own.
#[derive(Serialize, ToSchema)]
#[schema(as = Defaults)]
pub(crate) struct DefaultsView {
    /// True if forms of other providers than `native` set contacts as marketing.
    external_form: bool,
    /// True if forms without a `may_raise_tier` of their own may raise the tier limit.
    forms_may_raise_tier: bool,
    /// True if chat flows set new contacts as marketing, unless listed in `chatflows`.
    chatflow: bool,
    /// The settings of single chat flows, by id.
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
            index_changes: period.indexed_from.is_some(),
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

/// Returns the account.
///
/// Any user or integration of the account may call this operation.
#[utoipa::path(
    get, path = "/v1/account", tag = "Account",
    responses((status = 200, description = "The account of the token.", body = AccountView)),
)]
pub(crate) async fn get_account(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(_): Query,
) -> Result<Response, Problem> {
    let account = context.store.account(principal.account, context.clock.now()).await?;
    respond::ok(&AccountView::new(&account))
}

/// Updates the account.
///
/// Only admins may call this operation. Settings that are left out do not change.
///
/// Only the operator may change the terms of a contract: `term`, `renewal_date`, `time_zone`, `tier`,
/// `tier_limit_at_renewal` and `marketing_contacts`. A request with one of them is refused with 403
/// `permission-denied`, unless the account is a sandbox.
///
/// Switching `defaults.external_form` or `defaults.forms_may_raise_tier` on requires the permission
/// `modify_marketing_contacts`.
#[utoipa::path(
    patch, path = "/v1/account", tag = "Account",
    params(IdempotencyKey), request_body = UpdateAccountBody,
    responses(
        (status = 200, description = "The changed account.", body = AccountView),
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
    // A default that is switched on lets every form without a setting of its own set more contacts as marketing.
    if [change.external_form, change.forms_may_raise_tier].contains(&Some(true)) {
        require_modify_marketing_contacts(&principal)?;
    }
    let result =
        context.store.update_account(principal.account, change, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Moves a sandbox's clock forward.
///
/// Only admins may call this operation. Each period that has ended by the new instant is closed by itself, with its own
/// statement. An earlier instant is refused with 409 `clock-not-forward`. An account that is not a sandbox is refused
/// with 403 `not-a-sandbox`.
#[utoipa::path(
    post, path = "/v1/account/test-clock", tag = "Account",
    params(IdempotencyKey), request_body = AdvanceTestClock,
    responses(
        (status = 200, description = "The account at the new instant.", body = AccountView),
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

/// Moves the clock if the distance is at most [`TEST_CLOCK_MOVE_MAX`]. The clock only moves forward, so a distance that
/// was accepted once is also accepted for every retry of the request.
async fn move_within_reach(
    context: &Context,
    account: AccountId,
    to: Timestamp,
    responder: Responder<'_, store::Account>,
) -> Result<StoredResponse, StoreError> {
    let wall_clock = context.clock.now();
    let present = context.store.usage(account, wall_clock).await?.test_clock;
    if let Some(present) = present
        && to > present.plus(TEST_CLOCK_MOVE_MAX)
    {
        let days = TEST_CLOCK_MOVE_MAX.num_days();
        let message =
            format!("expected an instant at most {days} days after {present}, the clock's present instant");
        return Err(Refused::Invalid { field: "now", message }.into());
    }
    context.store.advance_test_clock(account, to, wall_clock, responder).await
}

#[cfg(test)]
mod tests;
