//! Trials of an automation: the contacts that it would enrol, before it does.

use domain::Timestamp;
use domain::automation::Trigger;
use domain::bulk::Forecast;
use domain::contact::Contact;
use domain::decision::{Ledger, Outcome, Refusal};
use domain::ids::{AccountId, AutomationId, ContactId};
use domain::period::Period;
use domain::source::SourceType;

use super::define::enrolment_request;
use crate::items::{AutomationItem, EnrolmentItem, MemberItem, SegmentItem};
use crate::keys::Key;
use crate::operation::Operation;
use crate::store::Store;
use crate::{ContactRef, Refused, StoreError};

/// The result of a trial.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The results of the named contacts, in their order. `None` for a contact that does not exist.
    pub results: Vec<Option<TrialResult>>,
    /// The consequence for all contacts that match now, if submissions are not the trigger and the count was completed in
    /// time.
    pub forecast: Option<Box<Forecast>>,
}

/// The result of a trial for one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialResult {
    /// The contact.
    pub contact: ContactId,
    /// True if the contact matches now. `None` if submissions are the trigger.
    pub matches: Option<bool>,
    /// True if the contact had its turn before.
    pub had_turn: bool,
    /// True if a change that makes the contact match, or a submission, would enrol it.
    pub would_enrol: bool,
    /// The outcome that its turn would have now, without the budget.
    pub outcome: Result<Outcome, Refusal>,
}

impl Store {
    /// Returns the contacts that an automation would enrol, and the outcome that their turns would have now. Nothing is
    /// changed. All contacts are counted while `should_continue` returns true.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn try_automation(
        &self,
        account: AccountId,
        automation: AutomationId,
        contacts: &[ContactRef],
        wall_clock: Timestamp,
        should_continue: impl Fn() -> bool + Sync,
    ) -> Result<Trial, StoreError> {
        let op = self.operation(account, wall_clock);
        let item: Option<AutomationItem> = self.get(Key::automation(account, automation)).await?;
        let item = item.ok_or(Refused::NotFound("automation"))?;
        let (found, period) = self.contacts(account, contacts, wall_clock).await?;
        let mut results = Vec::new();
        for contact in found {
            results.push(match contact {
                Some(contact) => Some(op.try_contact(&item, &contact, &period).await?),
                None => None,
            });
        }
        let request = enrolment_request(account, &item.trigger, item.action, automation, None)?;
        let forecast = match request {
            Some(request) => {
                op.renewed().count_target(&request, &should_continue).await?.forecast(item.action)
            }
            None => None,
        };
        Ok(Trial { results, forecast: forecast.map(Box::new) })
    }
}

impl Operation<'_> {
    async fn try_contact(
        &self,
        item: &AutomationItem,
        contact: &Contact,
        period: &Period,
    ) -> Result<TrialResult, StoreError> {
        let key = Key::enrolment(self.account, item.id, contact.id);
        let enrolment: Option<EnrolmentItem> = self.store.get(key).await?;
        let had_turn = enrolment.is_some_and(|enrolment| {
            enrolment.acted && enrolment.created_at.is_none_or(|at| at == contact.created_at)
        });
        let outcome =
            Ledger::new(period).decide(contact.marketing.stored_state, item.action, SourceType::Automation);
        Ok(TrialResult {
            contact: contact.id,
            matches: self.matches_now(item, contact).await?,
            had_turn,
            would_enrol: !had_turn || item.re_enrol,
            outcome: outcome.map(|transition| transition.outcome),
        })
    }

    /// Returns true if a contact matches the trigger now. `None` if submissions are the trigger.
    async fn matches_now(
        &self,
        item: &AutomationItem,
        contact: &Contact,
    ) -> Result<Option<bool>, StoreError> {
        let segment = match item.trigger.trigger()? {
            Trigger::Filter(filter) => return Ok(Some(filter.matches(contact))),
            Trigger::Forms(_) => return Ok(None),
            Trigger::Segment(segment) => segment,
        };
        let stored: Option<SegmentItem> = self.store.get(Key::segment(self.account, segment)).await?;
        if let Some(filter) = stored.and_then(|segment| segment.filter) {
            return Ok(Some(filter.filter()?.matches(contact)));
        }
        let member: Option<MemberItem> =
            self.store.get(Key::member(self.account, segment, contact.id)).await?;
        Ok(Some(member.is_some_and(|member| member.created_at == contact.created_at)))
    }
}
