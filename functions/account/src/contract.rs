//! The terms of an account's contract in requests.

use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::parse::{Parser, boolean, checked, nested, parsed, string, variant, whole};
use chrono::NaiveDate;
use domain::calendar::{Term, TimeZone, parse_date};
use domain::limits::USAGE_MAX;
use domain::tier::Tier;
use store::{ChangedBy, UpdateAccount};
use utoipa::ToSchema;
use utoipa::openapi::schema::KnownFormat;

/// A change of a contract's terms, by the operator.
pub(crate) struct UpdateContractBody(pub(crate) UpdateAccount);

impl FromFields for UpdateContractBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let update = contract_update(fields, "")?;
        Ok(Self(UpdateAccount { by: ChangedBy::Operator, ..update }))
    }
}

documented! {
    UpdateContractBody as "UpdateContract":
        "The terms of a contract to change, by the operator. Terms that are left out do not change."
}

/// Reads the terms to change. `restriction` is appended to their descriptions.
pub(crate) fn contract_update(
    fields: &mut impl Fields,
    restriction: &str,
) -> Result<UpdateAccount, Reported> {
    let about = |text: &str| format!("{text}{restriction}");
    let zone =
        about("The time zone of the update dates, which fall on its midnight: a name of the IANA database.");
    let time_zone = fields.optional("time_zone", time_zone().about(zone));
    let term = fields.optional("term", term().about(about("The time after which the contract renews.")));
    let date = fields.optional("renewal_date", date().about(about("A day on which the contract renews.")));
    let steps =
        "The new tier. The limit becomes the smallest of its steps that is not below the limit in force.";
    let tier = fields.optional("tier", tier().about(about(steps)));
    let limit = whole(0..=USAGE_MAX).about(about(
        "A lower tier limit, which takes effect at the renewal date: one of the tier's steps, at most the present \
         limit. `null` cancels it.",
    ));
    let limit = fields.nullable("tier_limit_at_renewal", limit);
    let enabled = boolean().about(about(
        "True if the account may have marketing contacts. It can only be set to false while the account has none.",
    ));
    let marketing_contacts = fields.optional("marketing_contacts", enabled);
    Ok(UpdateAccount {
        time_zone: time_zone?,
        term: term?,
        renewal_date: date?,
        tier: tier?,
        tier_limit_at_renewal: limit?,
        marketing_contacts: marketing_contacts?,
        ..UpdateAccount::default()
    })
}

/// Parses the name of a time zone of the IANA database.
pub(crate) fn time_zone() -> impl Parser<Output = TimeZone> {
    parsed::<TimeZone>().example("Europe/Berlin")
}

/// Parses the time after which a contract renews.
pub(crate) fn term() -> impl Parser<Output = Term> {
    variant::<Term>().schema_of::<TermSchema>()
}

/// Parses a day in the form `2027-06-15`.
pub(crate) fn date() -> impl Parser<Output = NaiveDate> {
    checked(string(), |text| parse_date(&text)).format(KnownFormat::Date).example("2027-06-15")
}

/// Parses a tier from its steps.
pub(crate) fn tier() -> impl Parser<Output = Tier> {
    checked(nested::<TierSteps>(), |TierSteps { included, block }| Tier::new(included, block))
}

/// The steps of a tier, as they are sent.
struct TierSteps {
    included: u64,
    block: u64,
}

impl FromFields for TierSteps {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let included = whole(0..=USAGE_MAX)
            .about("The number of marketing contacts that the contract covers from the start.");
        let included = fields.required("included", included);
        let block = fields.required(
            "block",
            whole(1..=USAGE_MAX).about("The number of contacts by which the limit grows in one step."),
        );
        Ok(Self { included: included?, block: block? })
    }
}

documented! { TierSteps as "TierSteps": "The steps of a tier." }

/// The time after which a contract renews.
#[derive(ToSchema)]
#[schema(as = Term, rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes Term in bodies and views")]
pub(crate) enum TermSchema {
    Annual,
    Monthly,
}

#[cfg(test)]
mod tests {
    use domain::patch::Patch;
    use serde_json::json;

    use super::*;
    use api::reading::{read, wrong};

    #[test]
    fn change_has_sent_terms_and_leaves_the_rest() {
        let UpdateContractBody(empty) = read(&json!({})).unwrap();
        assert!(empty.time_zone.is_none() && empty.term.is_none() && empty.renewal_date.is_none());
        assert!(empty.tier.is_none() && !empty.tier_limit_at_renewal.is_change());
        assert!(empty.marketing_contacts.is_none() && empty.by == ChangedBy::Operator);
        let body = json!({
            "time_zone": "Europe/Berlin", "term": "monthly", "renewal_date": "2027-01-31",
            "tier": {"included": 0, "block": 5}, "tier_limit_at_renewal": null, "marketing_contacts": false,
        });
        let UpdateContractBody(full) = read(&body).unwrap();
        assert_eq!(full.time_zone.map(TimeZone::as_str), Some("Europe/Berlin"));
        assert_eq!((full.term, full.renewal_date), (Some(Term::Monthly), parse_date("2027-01-31").ok()));
        assert_eq!((full.tier, full.tier_limit_at_renewal), (Tier::new(0, 5).ok(), Patch::Remove));
        assert_eq!(full.marketing_contacts, Some(false));
    }

    #[test]
    fn contract_change_with_account_settings_is_rejected() {
        let body = json!({
            "name": "Ada", "cap": 1, "defaults": {}, "test_clock": null, "term": "weekly", "tier": {"block": 0},
            "renewal_date": 1, "time_zone": "Mars", "tier_limit_at_renewal": -1, "marketing_contacts": null,
        });
        let expected = [
            "time_zone",
            "term",
            "renewal_date",
            "tier.included",
            "tier.block",
            "tier_limit_at_renewal",
            "marketing_contacts",
            "cap",
            "defaults",
            "name",
            "test_clock",
        ];
        assert_eq!(wrong::<UpdateContractBody>(&body), expected);
    }
}
