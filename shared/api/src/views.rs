//! JSON views of domain types that several functions return.

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

/// Returns the `ETag` of a contact, a strong tag: its version in quotes.
#[must_use]
pub fn etag(contact: &Contact) -> String {
    format!("\"{}\"", contact.version)
}

/// A period's number and bounds.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Period)]
pub struct PeriodView {
    /// The number of the period within the account, from 1.
    number: u64,
    /// The first instant of the period.
    #[schema(format = DateTime)]
    starts_at: String,
    /// The update date that ends the period. This instant belongs to the next period.
    #[schema(format = DateTime)]
    ends_at: String,
}

impl PeriodView {
    /// Returns the view of a period.
    #[must_use]
    pub fn new(period: &Period) -> Self {
        Self {
            number: period.number.number(),
            starts_at: period.starts_at.to_string(),
            ends_at: period.ends_at.to_string(),
        }
    }
}

/// The limit of the account's contract and the usage of it.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq)]
#[schema(as = Tier)]
pub struct TierView {
    /// The number of marketing contacts that the tier includes.
    included: u64,
    /// The number of contacts by which the limit rises in one step.
    block: u64,
    /// The current limit.
    limit: u64,
    /// The usage in percent of the limit, with one decimal.
    percent: f64,
    /// True if the limit was raised in this period.
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
    /// The number of marketing contacts that leave at the next update date.
    leaving: u64,
    /// The usage right after the next update date, if no contact changes before it.
    after_next_update: u64,
    /// The limit of the contract and the usage of it.
    tier: TierView,
    /// The largest usage that the account allows itself. `null` if it has no cap.
    cap: Option<u64>,
    /// The number of contacts that can become marketing under the cap. `null` if the account has no cap.
    remaining_under_cap: Option<u64>,
    /// The thresholds that the usage has crossed in this period, in percent of the limit at the beginning of the
    /// period.
    thresholds_crossed: Vec<u8>,
}

impl UsageView {
    /// Returns the usage of the account with this current period.
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
            remaining_under_cap: period.cap.map(|_| period.remaining_capacity()),
            thresholds_crossed: tier.thresholds_crossed(*marketing),
        }
    }
}

/// The source of a marketing state.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Source)]
pub struct SourceView {
    /// The kind of the source, such as `form`.
    r#type: &'static str,
    /// The display name of the source.
    name: String,
    /// The id of the form, user, integration or chat flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
}

impl SourceView {
    /// Returns the view of a source.
    #[must_use]
    pub fn new(source: &Source) -> Self {
        Self { r#type: source.kind.as_str(), name: source.name.clone(), id: source.id.clone() }
    }
}

/// The actor that changed a marketing state.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Actor)]
pub struct ActorView {
    /// `user`, `integration`, `form` or `system`.
    r#type: &'static str,
    /// The id of the user, integration or form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
}

impl ActorView {
    /// Returns the view of an actor.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        let (r#type, id) = match actor {
            Actor::User(id) => ("user", Some(id.to_string())),
            Actor::Integration(id) => ("integration", Some(id.to_string())),
            Actor::Form(id) => ("form", Some(id.to_string())),
            Actor::Automation(id) => ("automation", Some(id.to_string())),
            Actor::System => ("system", None),
        };
        Self { r#type, id }
    }
}

/// One change of a contact's marketing state.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Change)]
pub struct ChangeView {
    /// The instant at which the change took effect.
    #[schema(format = DateTime)]
    at: String,
    /// The state before the change. `null` for the creation of the contact.
    from: Option<&'static str>,
    /// The state after the change.
    to: &'static str,
    /// The source of the change.
    source: SourceView,
    /// The actor that caused the change.
    actor: ActorView,
}

impl ChangeView {
    /// Returns the view of a change.
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

/// A contact's marketing state.
#[derive(Serialize, ToSchema, Debug, Clone, PartialEq, Eq)]
#[schema(as = Marketing)]
pub struct MarketingView {
    /// The state: `non_marketing`, `marketing` or `leaving`.
    state: &'static str,
    /// The instant at which the contact entered the state.
    #[schema(format = DateTime)]
    since: String,
    /// The instant at which the contact becomes non-marketing. Only present while it is leaving.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    leaves_at: Option<String>,
    /// The source that set the state.
    source: SourceView,
    /// The reason for which the request could not set the contact as marketing, such as `cap-reached`. Only present in
    /// the response to that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refused: Option<&'static str>,
}

impl MarketingView {
    /// Returns the marketing state of a contact in the account's current period. The store
    /// must have applied past update dates to the contact.
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
    /// The contact's id.
    id: String,
    /// The contact's address as the client sent it. `null` if it has none.
    email: Option<String>,
    /// The contact's properties, by name.
    properties: BTreeMap<String, String>,
    /// True if the contact has unsubscribed from marketing.
    unsubscribed: bool,
    /// True if email to the address has bounced.
    bounced: bool,
    /// The contact's marketing state.
    marketing: MarketingView,
    /// The instant at which the contact was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// The instant of the contact's last change.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl ContactView {
    /// Returns the view of a contact in the account's current period. The store must have applied past update
    /// dates to the contact.
    #[must_use]
    pub fn new(contact: &Contact, period: &Period) -> Self {
        Self::after(contact, period, None)
    }

    /// Returns the view in the response to a request that sets the contact as marketing. `refused` is the reason if the
    /// contact was not set.
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
    /// Omits the contact's personal data.
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
    /// True if the submission is a repeat. A repeat changes nothing, and the other fields describe the effect of the
    /// first submission.
    duplicate: bool,
    /// The reason for which the form could not set the contact as marketing, such as `cap-reached` or `form-budget`, or
    /// the reason for which the submission was rejected, such as `no-address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

fn contact_effect() -> Schema {
    one_of(ContactEffect::ALL.iter().map(|effect| effect.as_str()), "The effect on the contact's data.")
}

fn marketing_effect() -> Schema {
    let effects = MarketingEffect::ALL.iter().map(|effect| effect.as_str());
    one_of(effects, "The effect on the contact's marketing state.")
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
            chain: Vec::new(),
            unenrolled: false,
            imported: None,
            edited: None,
        }
    }

    #[test]
    fn usage_view_has_all_members() {
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
    fn usage_view_has_raised_limit_and_no_cap() {
        let usage = serde_json::to_value(UsageView::new(&period(1001, 0, None))).unwrap();
        assert_eq!((&usage["cap"], &usage["remaining_under_cap"]), (&json!(null), &json!(null)));
        assert_eq!((&usage["tier"]["limit"], &usage["tier"]["limit_raised"]), (&json!(2000), &json!(true)));
        assert_eq!(usage["thresholds_crossed"], json!([75, 90, 98, 100]));
        let lowered = serde_json::to_value(UsageView::new(&period(1001, 0, Some(5)))).unwrap();
        assert_eq!(lowered["remaining_under_cap"], json!(0));
    }

    #[test]
    fn leaving_contact_has_its_leaving_date() {
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
    fn optional_members_are_absent_unless_they_apply() {
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
    fn debug_output_has_no_personal_data() {
        let view = ContactView::new(
            &contact(StoredState::Marketing, EffectiveState::Marketing),
            &period(1, 0, None),
        );
        assert!(!format!("{view:?}").to_lowercase().contains("ada"));
    }
}
