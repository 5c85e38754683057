//! The terms of an account's contract: how requests say them and change them.

use api::fields::{Fields, FromFields, Patch};
use api::parse::{boolean, checked, object, parsed, string, whole};
use domain::calendar::{Term, TimeZone, parse_date};
use domain::limits::USAGE_MAX;
use domain::tier::Tier;
use serde_json::Value;
use store::{ChangedBy, UpdateAccount};
use utoipa::ToSchema;

/// The operator's change of a contract.
pub(crate) struct UpdateContractBody(pub(crate) UpdateAccount);

impl FromFields for UpdateContractBody {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let change = change_of_contract(fields)?;
        Some(Self(UpdateAccount { by: ChangedBy::Operator, ..change }))
    }
}

/// Reads the terms to change. What is left out stays.
pub(crate) fn change_of_contract(fields: &mut Fields<'_>) -> Option<UpdateAccount> {
    let time_zone = fields.optional("time_zone", parsed::<TimeZone>());
    let term = fields.optional("term", parsed::<Term>());
    let renewal_date = fields.optional("renewal_date", checked(string(), |text| parse_date(&text)));
    let tier = fields.optional("tier", tier());
    let limit = fields.nullable("tier_limit_at_renewal", whole(0..=USAGE_MAX));
    let marketing_contacts = fields.optional("marketing_contacts", boolean());
    Some(UpdateAccount {
        time_zone: time_zone?,
        term: term?,
        renewal_date: renewal_date?,
        tier: tier?,
        tier_limit_at_renewal: limit.map(Patch::into_change)?,
        marketing_contacts: marketing_contacts?,
        ..UpdateAccount::default()
    })
}

/// A tier as a contract begins with it.
pub(crate) fn tier() -> impl Fn(Value, &mut api::fields::Place<'_>) -> Option<Tier> {
    checked(object(included_and_block), |(included, block)| Tier::new(included, block))
}

fn included_and_block(fields: &mut Fields<'_>) -> Option<(u64, u64)> {
    let included = fields.required("included", whole(0..=USAGE_MAX));
    let block = fields.required("block", whole(1..=USAGE_MAX));
    included.zip(block)
}

/// How often a contract renews.
#[derive(ToSchema)]
#[schema(as = Term, rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes the words of Term")]
pub(crate) enum TermSchema {
    Annual,
    Monthly,
}

/// A tier as a contract begins with it.
#[derive(ToSchema)]
#[schema(as = TierSteps)]
#[expect(dead_code, reason = "it describes what included_and_block reads")]
pub(crate) struct TierStepsSchema {
    /// How many marketing contacts are covered from the start.
    #[schema(maximum = 1_000_000_000_000_u64)]
    included: u64,
    /// The step in which the limit grows.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64)]
    block: u64,
}

/// The operator's change of a contract. What is left out stays.
#[derive(ToSchema)]
#[schema(as = UpdateContract)]
#[expect(dead_code, reason = "it describes the body that UpdateContractBody reads")]
pub(crate) struct UpdateContractSchema {
    /// The time zone in whose midnight update dates fall: a name of the IANA database.
    #[schema(nullable = false, example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// How often the contract renews.
    #[schema(nullable = false)]
    term: Option<TermSchema>,
    /// A day on which the contract renews.
    #[schema(format = Date, nullable = false, example = "2027-06-15")]
    renewal_date: Option<String>,
    /// Another tier. The limit becomes the smallest of its steps that is not below the limit in force.
    #[schema(nullable = false)]
    tier: Option<TierStepsSchema>,
    /// A lower tier limit to take effect at the renewal date: one of the tier's steps, at most the limit now. `null`
    /// takes the wish back.
    #[schema(maximum = 1_000_000_000_000_u64)]
    tier_limit_at_renewal: Option<u64>,
    /// Whether the account has marketing contacts at all. They can be switched off only when there are none.
    #[schema(nullable = false)]
    marketing_contacts: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use api::reading::{read, wrong};

    #[test]
    fn change_names_its_terms_and_leaves_the_rest() {
        let UpdateContractBody(empty) = read(&json!({})).unwrap();
        assert!(empty.time_zone.is_none() && empty.term.is_none() && empty.renewal_date.is_none());
        assert!(empty.tier.is_none() && empty.tier_limit_at_renewal.is_none());
        assert!(empty.marketing_contacts.is_none() && empty.by == ChangedBy::Operator);
        let body = json!({
            "time_zone": "Europe/Berlin", "term": "monthly", "renewal_date": "2027-01-31",
            "tier": {"included": 0, "block": 5}, "tier_limit_at_renewal": null, "marketing_contacts": false,
        });
        let UpdateContractBody(full) = read(&body).unwrap();
        assert_eq!(full.time_zone.map(TimeZone::as_str), Some("Europe/Berlin"));
        assert_eq!((full.term, full.renewal_date), (Some(Term::Monthly), parse_date("2027-01-31").ok()));
        assert_eq!((full.tier, full.tier_limit_at_renewal), (Tier::new(0, 5).ok(), Some(None)));
        assert_eq!(full.marketing_contacts, Some(false));
    }

    #[test]
    fn settings_of_the_account_are_no_terms_of_its_contract() {
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
