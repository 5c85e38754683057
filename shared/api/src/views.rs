//! JSON answers that several functions give, made from domain types.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::contact::Contact;
use domain::decision::Refusal;
use domain::marketing::{Change, EffectiveState};
use domain::period::Period;
use domain::source::{Actor, Source};
use serde::Serialize;
use store::{ContactEffect, MarketingEffect, Submitted};
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use crate::openapi::one_of;

/// The `ETag` of a contact: its version in quotes. It is a strong one.
#[must_use]
pub fn etag(contact: &Contact) -> String {
    format!("\"{}\"", contact.version)
}

/// A period's number and bounds.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Period)]
pub struct PeriodView {
    /// 1, 2, 3 … per account.
    number: u64,
    /// Its first instant.
    #[schema(format = DateTime)]
    starts_at: String,
    /// The update date that ends it; not part of it.
    #[schema(format = DateTime)]
    ends_at: String,
}

impl PeriodView {
    /// The account's current period.
    #[must_use]
    pub fn new(period: &Period) -> Self {
        Self {
            number: period.number.number(),
            starts_at: period.starts_at.to_string(),
            ends_at: period.ends_at.to_string(),
        }
    }
}

/// What the account's contract covers.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq)]
#[schema(as = Tier)]
pub struct TierView {
    /// How many marketing contacts are included.
    included: u64,
    /// The step in which the limit grows.
    block: u64,
    /// The limit now.
    limit: u64,
    /// The usage in percent of the limit, with one decimal.
    percent: f64,
    /// Whether the limit was raised in this period.
    limit_raised: bool,
}

/// The account's usage at the instant of the request.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq)]
#[schema(as = Usage)]
pub struct UsageView {
    /// The current period.
    period: PeriodView,
    /// The next update date: the period's end.
    #[schema(format = DateTime)]
    next_update_at: String,
    /// The usage: marketing contacts, leaving ones included.
    marketing: u64,
    /// How many of them leave at the next update date.
    leaving: u64,
    /// The usage right after the next update date, if nothing else happens.
    after_next_update: u64,
    /// What the contract covers.
    tier: TierView,
    /// The ceiling that the account set for itself; `null` for none.
    cap: Option<u64>,
    /// How many more contacts the cap lets become marketing; `null` without a cap.
    remaining_under_cap: Option<u64>,
    /// The thresholds that the usage has crossed in this period, in percent of the limit it began with.
    thresholds_crossed: Vec<u8>,
}

impl UsageView {
    /// The usage of the account whose current period this is.
    #[must_use]
    pub fn new(period: &Period) -> Self {
        let Period { marketing, tier, .. } = period;
        Self {
            period: PeriodView::new(period),
            next_update_at: period.ends_at.to_string(),
            marketing: *marketing,
            leaving: period.leaving,
            after_next_update: period.after_next_update(),
            tier: TierView {
                included: tier.included,
                block: tier.block,
                limit: tier.limit_for(*marketing),
                percent: tier.percent(*marketing),
                limit_raised: tier.limit_raised(*marketing),
            },
            cap: period.cap,
            remaining_under_cap: period.cap.map(|_| period.room()),
            thresholds_crossed: tier.thresholds_crossed(*marketing),
        }
    }
}

/// What set a state.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Source)]
pub struct SourceView {
    /// Its kind, such as `form`.
    r#type: &'static str,
    /// Its name as people know it.
    name: String,
    /// The id of the form, user, integration or chat flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
}

impl SourceView {
    /// The source as answers show it.
    #[must_use]
    pub fn new(source: &Source) -> Self {
        Self { r#type: source.kind.as_str(), name: source.name.clone(), id: source.id.clone() }
    }
}

/// By whom a state was changed.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Actor)]
pub struct ActorView {
    /// `user`, `integration`, `form` or `system`.
    r#type: &'static str,
    /// Which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
}

impl ActorView {
    /// The actor as answers show it.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        let (r#type, id) = match actor {
            Actor::User(id) => ("user", Some(id.to_string())),
            Actor::Integration(id) => ("integration", Some(id.to_string())),
            Actor::Form(id) => ("form", Some(id.to_string())),
            Actor::System => ("system", None),
        };
        Self { r#type, id }
    }
}

/// One change of a contact's state.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Change)]
pub struct ChangeView {
    /// When it took effect.
    #[schema(format = DateTime)]
    at: String,
    /// The state before; `null` when the contact was created.
    from: Option<&'static str>,
    /// The state since.
    to: &'static str,
    /// Through what.
    source: SourceView,
    /// By whom.
    actor: ActorView,
}

impl ChangeView {
    /// The change as answers show it.
    #[must_use]
    pub fn new(change: &Change) -> Self {
        Self {
            at: change.at.to_string(),
            from: change.from.map(EffectiveState::as_str),
            to: change.to.as_str(),
            source: SourceView::new(&change.source),
            actor: ActorView::new(change.actor),
        }
    }
}

/// A contact's marketing side.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Marketing)]
pub struct MarketingView {
    /// `non_marketing`, `marketing` or `leaving`.
    state: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// When it becomes non-marketing; only while it is leaving.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    leaves_at: Option<String>,
    /// What set it.
    source: SourceView,
    /// Why this request could not set it marketing, such as `cap-reached`; only in the answer to that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refused: Option<&'static str>,
}

impl MarketingView {
    /// The marketing side of a settled contact, as the store returns them, in the account's current period.
    #[must_use]
    pub fn new(contact: &Contact, period: &Period, refused: Option<Refusal>) -> Self {
        let state = contact.state();
        Self {
            state: state.as_str(),
            since: contact.marketing.since.to_string(),
            leaves_at: (state == EffectiveState::Leaving).then(|| period.ends_at.to_string()),
            source: SourceView::new(&contact.marketing.source),
            refused: refused.map(Refusal::as_str),
        }
    }
}

/// A contact.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq)]
#[schema(as = Contact)]
pub struct ContactView {
    /// Its id.
    id: String,
    /// Its address as it was given; `null` for none.
    email: Option<String>,
    /// What is known of the person.
    properties: BTreeMap<String, String>,
    /// The address is unsubscribed from marketing.
    unsubscribed: bool,
    /// The address has bounced.
    bounced: bool,
    /// Its marketing side.
    marketing: MarketingView,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl ContactView {
    /// A settled contact, as the store returns them, in the account's current period.
    #[must_use]
    pub fn new(contact: &Contact, period: &Period) -> Self {
        Self::after(contact, period, None)
    }

    /// The same in the answer to a request that wanted it marketing; `refused` says why it was not set.
    #[must_use]
    pub fn after(contact: &Contact, period: &Period, refused: Option<Refusal>) -> Self {
        let text = |at: Timestamp| at.to_string();
        Self {
            id: contact.id.to_string(),
            email: contact.email.as_ref().map(|email| email.given().to_owned()),
            properties: contact
                .properties
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.to_owned()))
                .collect(),
            unsubscribed: contact.unsubscribed,
            bounced: contact.bounced,
            marketing: MarketingView::new(contact, period, refused),
            created_at: text(contact.created_at),
            updated_at: text(contact.updated_at),
        }
    }
}

impl std::fmt::Debug for ContactView {
    /// Without the person's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactView").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The effect of a submission.
#[derive(Serialize, ToSchema)]
#[schema(as = Submitted)]
pub struct SubmittedView {
    #[schema(schema_with = contact_effect)]
    contact: &'static str,
    #[schema(schema_with = marketing_effect)]
    marketing: &'static str,
    /// `true` if the submission had been accepted before. It changed nothing then, and the rest is its effect the first time.
    duplicate: bool,
    /// The reason for which the contact was not set marketing though the form would, such as `cap-reached` or `form-budget`;
    /// or the reason for which the submission was rejected, such as `no-address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

fn contact_effect() -> Schema {
    one_of(ContactEffect::ALL.iter().map(|effect| effect.as_str()), "What it did to the person's record.")
}

fn marketing_effect() -> Schema {
    let effects = MarketingEffect::ALL.iter().map(|effect| effect.as_str());
    one_of(effects, "What it did to the person's marketing state.")
}

impl SubmittedView {
    /// Returns the view of a submission's effect.
    #[must_use]
    pub fn new(submitted: &Submitted) -> Self {
        Self {
            contact: submitted.contact.as_str(),
            marketing: submitted.marketing.as_str(),
            duplicate: submitted.duplicate,
            reason: submitted.reason.clone(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::address::EmailAddress;
    use domain::calendar::{Calendar, Term, parse_date};
    use domain::ids::{ContactId, FormId, IntegrationId, UserId};
    use domain::marketing::{Marketing, StoredState};
    use domain::period::{PeriodNumber, Terms};
    use domain::property::{Properties, PropertyName};
    use domain::source::SourceType;
    use domain::tier::Tier;
    use serde_json::json;

    use super::*;

    pub(crate) fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    pub(crate) fn period(marketing: u64, leaving: u64, cap: Option<u64>) -> Period {
        let calendar = Calendar {
            term: Term::Annual,
            renewal_date: parse_date("2027-06-15").unwrap(),
            time_zone: "UTC".parse().unwrap(),
        };
        let tier = Tier::new(1000, 1000).unwrap();
        let terms = Terms { calendar, tier, cap, marketing_contacts: true, test_clock: None };
        Period { marketing, leaving, ..Period::first(terms, at("2026-11-21T19:59:01.123Z")) }
    }

    fn contact(stored_state: StoredState, state: EffectiveState) -> Contact {
        let source = Source { kind: SourceType::Form, name: "Newsletter".into(), id: Some("frm_1".into()) };
        let mut properties = Properties::new();
        properties.insert(PropertyName::parse("firstname").unwrap(), "Ada".into()).unwrap();
        let now = at("2026-11-21T20:00:00.000Z");
        Contact {
            id: ContactId::new(now, 7),
            email: Some(EmailAddress::parse("Ada@example.org").unwrap()),
            properties,
            unsubscribed: false,
            bounced: true,
            marketing: Marketing::new(stored_state, state, now, source, Actor::System),
            created_at: now,
            updated_at: now,
            version: 3,
            deleted_at: None,
        }
    }

    #[test]
    fn usage_says_all_that_is_billed_and_why() {
        assert_eq!(
            serde_json::to_value(UsageView::new(&period(812, 40, Some(900)))).unwrap(),
            json!({
                "period": {"number": 1, "starts_at": "2026-11-21T19:59:01.123Z", "ends_at": "2026-12-01T00:00:00.000Z"},
                "next_update_at": "2026-12-01T00:00:00.000Z",
                "marketing": 812, "leaving": 40, "after_next_update": 772,
                "tier": {"included": 1000, "block": 1000, "limit": 1000, "percent": 81.2, "limit_raised": false},
                "cap": 900, "remaining_under_cap": 88, "thresholds_crossed": [75],
            })
        );
    }

    #[test]
    fn a_raised_limit_and_no_cap_are_said() {
        let usage = serde_json::to_value(UsageView::new(&period(1001, 0, None))).unwrap();
        assert_eq!((&usage["cap"], &usage["remaining_under_cap"]), (&json!(null), &json!(null)));
        assert_eq!((&usage["tier"]["limit"], &usage["tier"]["limit_raised"]), (&json!(2000), &json!(true)));
        assert_eq!(usage["thresholds_crossed"], json!([75, 90, 98, 100]));
        let lowered = serde_json::to_value(UsageView::new(&period(1001, 0, Some(5)))).unwrap();
        assert_eq!(lowered["remaining_under_cap"], json!(0));
    }

    #[test]
    fn a_leaving_contact_says_when_it_leaves() {
        let period = period(1, 1, None);
        let leaving =
            contact(StoredState::Leaving { queued_in: PeriodNumber::FIRST }, EffectiveState::Leaving);
        assert_eq!(
            serde_json::to_value(ContactView::new(&leaving, &period)).unwrap(),
            json!({
                "id": leaving.id.to_string(), "email": "Ada@example.org", "properties": {"firstname": "Ada"},
                "unsubscribed": false, "bounced": true,
                "marketing": {"state": "leaving", "since": "2026-11-21T20:00:00.000Z",
                              "leaves_at": "2026-12-01T00:00:00.000Z",
                              "source": {"type": "form", "name": "Newsletter", "id": "frm_1"}},
                "created_at": "2026-11-21T20:00:00.000Z", "updated_at": "2026-11-21T20:00:00.000Z",
            })
        );
        assert_eq!(etag(&leaving), "\"3\"");
    }

    #[test]
    fn only_a_leaving_contact_says_so_and_only_a_refused_one_why() {
        let period = period(0, 0, Some(0));
        let staying = contact(StoredState::NonMarketing, EffectiveState::NonMarketing);
        let view = ContactView::after(&staying, &period, Some(Refusal::CapReached));
        let view = serde_json::to_value(view).unwrap();
        assert_eq!(view["marketing"]["refused"], "cap-reached");
        assert!(view["marketing"].get("leaves_at").is_none());
        let nameless = Contact { email: None, ..staying };
        let view = serde_json::to_value(ContactView::new(&nameless, &period)).unwrap();
        assert_eq!(view["email"], json!(null));
        assert!(view["marketing"].get("refused").is_none());
    }

    #[test]
    fn actors_and_changes() {
        let now = at("2026-11-21T20:00:00.000Z");
        let user = UserId::new(now, 1);
        let table = [
            (Actor::User(user), json!({"type": "user", "id": user.to_string()})),
            (Actor::System, json!({"type": "system"})),
        ];
        for (actor, view) in table {
            assert_eq!(serde_json::to_value(ActorView::new(actor)).unwrap(), view);
        }
        for actor in [Actor::Form(FormId::new(now, 1)), Actor::Integration(IntegrationId::new(now, 1))] {
            assert!(ActorView::new(actor).id.is_some());
        }
        let change = Change {
            at: now,
            from: None,
            to: EffectiveState::Marketing,
            source: Source::update_date(),
            actor: Actor::System,
        };
        assert_eq!(
            serde_json::to_value(ChangeView::new(&change)).unwrap(),
            json!({"at": "2026-11-21T20:00:00.000Z", "from": null, "to": "marketing",
                   "source": {"type": "update_date", "name": "Update date"}, "actor": {"type": "system"}})
        );
    }

    #[test]
    fn debug_output_shows_nothing_of_the_person() {
        let view = ContactView::new(
            &contact(StoredState::Marketing, EffectiveState::Marketing),
            &period(1, 0, None),
        );
        assert!(!format!("{view:?}").to_lowercase().contains("ada"));
    }
}
