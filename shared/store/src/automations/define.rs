//! Definitions of automations: their creation, changes and deletion, and the resumption after a pause.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use domain::Timestamp;
use domain::automation::{AutomationState, Trigger};
use domain::decision::Command;
use domain::ids::{AccountId, AutomationId, FormId};
use domain::limits::AUTOMATION_FILTER_BYTES_MAX;
use domain::source::Actor;

use super::queue::{Need, state_update};
use super::{Automation, AutomationReport, NewAutomation, UpdateAutomation, Waiting};
use crate::bulk::{BulkJob, BulkRequest, Planned, Selected, Selection, Target};
use crate::expressions::{Expression, number};
use crate::holdings::{Holding, Holdings};
use crate::items::{
    AutomationItem, AutomationStateItem, BulkQueueItem, FormItem, Items, SegmentItem, TriggerItem,
};
use crate::job_state::JobKind;
use crate::jobs::AutomationTask;
use crate::keys::{Collection, Key, PK};
use crate::operation::{Operation, Step};
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// The definition and the state of an automation, as they were read.
struct Stored {
    item: AutomationItem,
    state: AutomationStateItem,
}

/// The contacts that match when an automation is enabled.
#[derive(Default)]
struct Matching {
    planned: Option<Box<Planned>>,
}

impl Store {
    /// Creates an automation. If it is enabled at once, the contacts that match now are counted while `should_continue`
    /// returns true. With `enrol_existing`, a job enrols them, if their number is the confirmed one.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] for a form or a segment that does not exist, [`Refused::LimitReached`], and
    /// [`Refused::CountChanged`].
    pub async fn create_automation(
        &self,
        account: AccountId,
        new: &NewAutomation,
        wall_clock: Timestamp,
        should_continue: impl Fn() -> bool + Sync,
        responder: Responder<'_, AutomationReport>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        if let Some(response) = op.replayed(&responder).await? {
            return Ok(response);
        }
        let id = AutomationId::new(wall_clock, self.rng().bits());
        let item = AutomationItem {
            id,
            name: new.name.clone(),
            trigger: stored(&new.trigger)?,
            action: new.action,
            re_enrol: new.re_enrol,
            max_per_day: new.max_per_day,
            pause_above: new.pause_above,
            enabled_since: new.enabled.then_some(wall_clock),
            queue: 1,
            created_at: wall_clock,
            updated_at: wall_clock,
            version: 1,
        };
        let matching = op.matching(&item, new.enabled, new.enrol_existing, &should_continue).await?;
        let op = op.renewed();
        let keys: Vec<Key> = [Key::account(account), Key::bulk_queue(account)].into();
        let keys = [keys, op.used_keys(&new.trigger)].concat();
        op.mutate_in_period(&keys, responder, async |mut opened| {
            let mut holdings = Holdings::read(account, &mut opened.items)?;
            holdings.add(Holding::Automation)?;
            let mut item = item.clone();
            (item.created_at, item.updated_at) = (opened.now, opened.now);
            let state = AutomationStateItem { version: 1, ..AutomationStateItem::default() };
            let (mut transaction, job) =
                op.enrolment_job(&item, &matching, new.enrol_existing, &mut opened.items).await?;
            op.use_by(&mut transaction, &item, None, &mut opened.items)?;
            transaction.put(self.put_new(Key::automation(account, id), &item)?);
            transaction.put(self.put_new(Key::automation_state(account, id), &state)?);
            transaction.put(self.put_holdings(holdings)?);
            let automation = Automation::of(account, &item, &state)?;
            let report = AutomationReport { automation, matching: matching.count(), dropped: None, job };
            Ok(Step::Commit(transaction, report))
        })
        .await
    }

    /// Returns the account's automations, in the order of their creation.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn automations(
        &self,
        account: AccountId,
        after: Option<AutomationId>,
        limit: usize,
    ) -> Result<Listing<Automation>, StoreError> {
        let after = after.map(|automation| Key::automation(account, automation).sk);
        let listing = self
            .list::<AutomationItem, AutomationItem>(account, Collection::Automations, after, limit)
            .await?;
        let states: Vec<Key> =
            listing.items.iter().map(|item| Key::automation_state(account, item.id)).collect();
        let mut states = self.batch_get(&states, &self.retries()).await?;
        let items = listing.items.iter().map(|item| {
            let state = states.take(&Key::automation_state(account, item.id))?.unwrap_or_default();
            Automation::of(account, item, &state)
        });
        Ok(Listing { items: items.collect::<Result<_, _>>()?, more: listing.more })
    }

    /// Returns an automation of the account.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn automation(
        &self,
        account: AccountId,
        automation: AutomationId,
    ) -> Result<Automation, StoreError> {
        let keys = [Key::automation(account, automation), Key::automation_state(account, automation)];
        let mut items = self.batch_get(&keys, &self.retries()).await?;
        let Stored { item, state } = Stored::take(account, automation, &mut items)?;
        Automation::of(account, &item, &state)
    }

    /// Changes an automation. Disabling it drops the contacts that wait, and enabling it catches nothing up. An edited
    /// trigger enrols no contact, and contacts that wait are judged by it when their turn comes.
    ///
    /// The caller sends the automation's task to its queue.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], and the errors of [`Self::create_automation`].
    pub async fn update_automation(
        &self,
        account: AccountId,
        automation: AutomationId,
        change: &UpdateAutomation,
        wall_clock: Timestamp,
        should_continue: impl Fn() -> bool + Sync,
        responder: Responder<'_, AutomationReport>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        if let Some(response) = op.replayed(&responder).await? {
            return Ok(response);
        }
        let before = self.automation(account, automation).await?;
        let enables = change.enabled == Some(true) && before.state == AutomationState::Disabled;
        let changed = change.trigger.as_ref().unwrap_or(&before.trigger);
        let trigger = stored(changed)?;
        let action = change.action.unwrap_or(before.action);
        let matching = op
            .matching_of(&trigger, action, automation, enables, change.enrol_existing, &should_continue)
            .await?;
        let dropped = match change.enabled {
            Some(false) if before.state != AutomationState::Disabled => {
                Some(self.waiting_of(account, automation).await?)
            }
            _ => None,
        };
        let op = op.renewed();
        let mut keys = vec![
            Key::automation(account, automation),
            Key::automation_state(account, automation),
            Key::bulk_queue(account),
        ];
        keys.extend(op.used_keys(changed));
        op.mutate_in_period(&keys, responder, async |mut opened| {
            let Stored { mut item, mut state } = Stored::take(account, automation, &mut opened.items)?;
            let was = (item.clone(), state.version);
            change.apply(&mut item, &trigger);
            item.updated_at = opened.now;
            item.version += 1;
            op.switch(&mut item, &mut state, change.enabled);
            let (mut transaction, job) =
                op.enrolment_job(&item, &matching, change.enrol_existing, &mut opened.items).await?;
            op.use_by(&mut transaction, &item, Some(&was.0.trigger), &mut opened.items)?;
            let key = Key::automation(account, automation);
            transaction.put(self.put_versioned(key, &item, was.0.version)?);
            transaction.update(op.put_state(automation, &state, was.1)?);
            let automation = Automation::of(account, &item, &state)?;
            let matching = matching.count();
            Ok(Step::Commit(transaction, AutomationReport { automation, matching, dropped, job }))
        })
        .await
    }

    /// Lets a paused automation go on. The contacts that wait have their turn or are dropped, and the brake counts anew.
    /// The caller sends the automation's task to its queue.
    ///
    /// The report has the number of dropped contacts.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] and [`Refused::NotPaused`].
    pub async fn resume_automation(
        &self,
        account: AccountId,
        automation: AutomationId,
        waiting: Waiting,
        wall_clock: Timestamp,
        responder: Responder<'_, AutomationReport>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::automation(account, automation), Key::automation_state(account, automation)];
        op.mutate(&keys, responder, async |mut items| {
            let Stored { mut item, mut state } = Stored::take(account, automation, &mut items)?;
            if state.paused_at.is_none() || item.enabled_since.is_none() {
                return Err(Refused::NotPaused.into());
            }
            let was = (item.version, state.version);
            item.version += 1;
            let dropped = match waiting {
                Waiting::Keep => None,
                Waiting::Drop => Some(self.waiting_of(account, automation).await?),
            };
            state.counted_after = self.last_waiting(account, automation, item.queue).await?;
            end_pause(&mut state);
            if waiting == Waiting::Drop {
                drop_queue(&mut item, &mut state);
            }
            let mut transaction = Transaction::default();
            transaction.put(self.put_versioned(Key::automation(account, automation), &item, was.0)?);
            transaction.update(op.put_state(automation, &state, was.1)?);
            let automation = Automation::of(account, &item, &state)?;
            Ok(Step::Commit(transaction, AutomationReport { automation, matching: None, dropped, job: None }))
        })
        .await
    }

    /// Deletes an automation. Contacts that it has changed stay changed, and contacts that wait are dropped. The worker
    /// removes what remains, so the caller sends the automation's task to its queue.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn delete_automation(
        &self,
        account: AccountId,
        automation: AutomationId,
        wall_clock: Timestamp,
        responder: Responder<'_, ()>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let (key, state_key) =
            (Key::automation(account, automation), Key::automation_state(account, automation));
        let keys = [key.clone(), state_key.clone(), Key::account(account)];
        op.mutate(&keys, responder, async |mut items| {
            let Stored { mut item, mut state } = Stored::take(account, automation, &mut items)?;
            let mut holdings = Holdings::read(account, &mut items)?;
            holdings.remove(Holding::Automation);
            let was = (item.version, state.version);
            state.deleted = true;
            end_pause(&mut state);
            drop_queue(&mut item, &mut state);
            let mut transaction = Transaction::default();
            for update in op.unused(automation, &item.trigger)? {
                transaction.update(update);
            }
            transaction.delete(self.delete_versioned(key.clone(), was.0)?);
            transaction.update(op.put_state(automation, &state, was.1)?);
            transaction.put(self.put_holdings(holdings)?);
            Ok(Step::Commit(transaction, ()))
        })
        .await
    }
}

/// Returns a trigger as it is stored.
fn stored(trigger: &Trigger) -> Result<TriggerItem, StoreError> {
    let item = TriggerItem::of(trigger)?;
    match &item {
        TriggerItem::Filter(filter) if filter.bytes() > AUTOMATION_FILTER_BYTES_MAX => {
            let message = format!("expected a filter of at most {AUTOMATION_FILTER_BYTES_MAX} bytes");
            Err(Refused::Invalid { field: "enrol.filterGroups", message }.into())
        }
        _ => Ok(item),
    }
}

/// Returns the request for the contacts that match a trigger now. `None` if submissions are the trigger.
pub(super) fn enrolment_request(
    account: AccountId,
    trigger: &TriggerItem,
    command: Command,
    automation: AutomationId,
    confirm_count: Option<u64>,
) -> Result<Option<BulkRequest>, StoreError> {
    let by = match trigger.trigger()? {
        Trigger::Filter(filter) => Selection::Filter(filter),
        Trigger::Segment(segment) => Selection::Segment(segment),
        Trigger::Forms(_) => return Ok(None),
    };
    let target = Target::Selected(Selected { by, except: BTreeSet::new() });
    let actor = Actor::Automation(automation);
    Ok(Some(BulkRequest { account, command, target, confirm_count, actor }))
}

/// Begins a new queue. The worker removes the contacts of the earlier one.
fn drop_queue(item: &mut AutomationItem, state: &mut AutomationStateItem) {
    state.dropped.insert(item.queue.to_string());
    state.counted_after = None;
    item.queue += 1;
}

/// Ends a pause. The brake counts anew.
fn end_pause(state: &mut AutomationStateItem) {
    (state.paused_at, state.paused_with) = (None, None);
    state.recent.clear();
}

impl Stored {
    fn take(account: AccountId, automation: AutomationId, items: &mut Items) -> Result<Self, StoreError> {
        let item = items.take::<AutomationItem>(&Key::automation(account, automation))?;
        let state = items.take::<AutomationStateItem>(&Key::automation_state(account, automation))?;
        let item = item.ok_or(Refused::NotFound("automation"))?;
        Ok(Self { item, state: state.unwrap_or_default() })
    }
}

impl UpdateAutomation {
    fn apply(&self, item: &mut AutomationItem, trigger: &TriggerItem) {
        item.name = self.name.clone().unwrap_or_else(|| std::mem::take(&mut item.name));
        if self.trigger.is_some() {
            item.trigger = trigger.clone();
        }
        item.action = self.action.unwrap_or(item.action);
        item.re_enrol = self.re_enrol.unwrap_or(item.re_enrol);
        self.max_per_day.apply(&mut item.max_per_day);
        self.pause_above.apply(&mut item.pause_above);
    }
}

impl Matching {
    /// Returns the number of contacts, if the count is complete.
    fn count(&self) -> Option<u64> {
        self.planned.as_ref()?.matched()
    }
}

impl Operation<'_> {
    /// Enables or disables an automation. An enabled one stays enabled, with the pause that it may have.
    fn switch(&self, item: &mut AutomationItem, state: &mut AutomationStateItem, enabled: Option<bool>) {
        match (enabled, item.enabled_since) {
            (Some(true), None) => item.enabled_since = Some(self.wall_clock),
            (Some(false), Some(_)) => {
                item.enabled_since = None;
                drop_queue(item, state);
            }
            _ => {}
        }
        if item.enabled_since.is_none() {
            end_pause(state);
        }
    }

    /// Returns the update that stores a state, after which the worker is needed.
    fn put_state(
        &self,
        automation: AutomationId,
        state: &AutomationStateItem,
        stored: u64,
    ) -> Result<Update, StoreError> {
        let task = AutomationTask { account: self.account, automation };
        state_update(self.store, task, state, stored, Need::Now, self.wall_clock)
    }

    async fn matching(
        &self,
        item: &AutomationItem,
        enables: bool,
        confirmed: Option<u64>,
        should_continue: &(impl Fn() -> bool + Sync),
    ) -> Result<Matching, StoreError> {
        self.matching_of(&item.trigger, item.action, item.id, enables, confirmed, should_continue).await
    }

    /// Counts the contacts that match a trigger now, if the request enables the automation.
    async fn matching_of(
        &self,
        trigger: &TriggerItem,
        action: Command,
        automation: AutomationId,
        enables: bool,
        confirmed: Option<u64>,
        should_continue: &(impl Fn() -> bool + Sync),
    ) -> Result<Matching, StoreError> {
        let request = enrolment_request(self.account, trigger, action, automation, confirmed)?;
        let Some(request) = request else {
            return match confirmed {
                Some(_) => {
                    Err(not_existing("a submission enrols, so no contact can be enrolled before").into())
                }
                None => Ok(Matching::default()),
            };
        };
        if !enables {
            return match confirmed {
                Some(_) => {
                    Err(not_existing("is allowed only with a request that enables the automation").into())
                }
                None => Ok(Matching::default()),
            };
        }
        if let Trigger::Segment(segment) = trigger.trigger()?
            && self.store.get_item(Key::segment(self.account, segment)).await?.is_none()
        {
            return Err(unknown_segment().into());
        }
        let planned = self.count_target(&request, should_continue).await?;
        if confirmed.is_some() {
            request.confirm(&planned)?;
        }
        Ok(Matching { planned: Some(planned) })
    }

    /// Returns the transaction that creates the job for the contacts that match now, if the request asks for it.
    async fn enrolment_job(
        &self,
        item: &AutomationItem,
        matching: &Matching,
        confirmed: Option<u64>,
        items: &mut Items,
    ) -> Result<(Transaction, Option<BulkJob>), StoreError> {
        let (Some(planned), Some(_)) = (&matching.planned, confirmed) else {
            items.take::<BulkQueueItem>(&Key::bulk_queue(self.account))?;
            return Ok((Transaction::default(), None));
        };
        let request = enrolment_request(self.account, &item.trigger, item.action, item.id, confirmed)?;
        let Some(request) = request else { return Ok((Transaction::default(), None)) };
        let (transaction, job) =
            self.create_job(&request, planned, JobKind::Enrol, Some(item.queue), items).await?;
        Ok((transaction, Some(job)))
    }

    /// Returns the keys of the forms and of the segment that a trigger refers to.
    fn used_keys(&self, trigger: &Trigger) -> Vec<Key> {
        match trigger {
            Trigger::Filter(_) => Vec::new(),
            Trigger::Forms(forms) => forms.iter().copied().map(Key::form).collect(),
            Trigger::Segment(segment) => vec![Key::segment(self.account, *segment)],
        }
    }

    /// Adds the marks on the forms and the segment that an automation uses, so that they are not deleted, and removes
    /// those of an earlier trigger. `items` has what the new trigger refers to.
    fn use_by(
        &self,
        transaction: &mut Transaction,
        item: &AutomationItem,
        earlier: Option<&TriggerItem>,
        items: &mut Items,
    ) -> Result<(), StoreError> {
        let trigger = item.trigger.trigger()?;
        let keys: BTreeSet<(String, String)> =
            self.used_keys(&trigger).into_iter().map(|key| (key.pk, key.sk)).collect();
        self.check_used(&trigger, items)?;
        let mut before = BTreeSet::new();
        if let Some(earlier) = earlier {
            before = self.used_keys(&earlier.trigger()?).into_iter().map(|key| (key.pk, key.sk)).collect();
        }
        for (pk, sk) in keys.difference(&before) {
            transaction.update(self.mark(Key { pk: pk.clone(), sk: sk.clone() }, item.id, "ADD")?);
        }
        for (pk, sk) in before.difference(&keys) {
            transaction.update(self.mark(Key { pk: pk.clone(), sk: sk.clone() }, item.id, "DELETE")?);
        }
        Ok(())
    }

    /// Refuses a trigger whose forms or segment do not exist in the account.
    fn check_used(&self, trigger: &Trigger, items: &mut Items) -> Result<(), StoreError> {
        match trigger {
            Trigger::Filter(_) => {}
            Trigger::Forms(forms) => {
                for form in forms {
                    let item = items.take::<FormItem>(&Key::form(*form))?;
                    if item.is_none_or(|item| item.account != self.account) {
                        return Err(unknown_form(*form).into());
                    }
                }
            }
            Trigger::Segment(segment) => {
                if items.take::<SegmentItem>(&Key::segment(self.account, *segment))?.is_none() {
                    return Err(unknown_segment().into());
                }
            }
        }
        Ok(())
    }

    /// Returns the updates that remove an automation's marks.
    fn unused(&self, automation: AutomationId, trigger: &TriggerItem) -> Result<Vec<Update>, StoreError> {
        let keys = self.used_keys(&trigger.trigger()?);
        keys.into_iter().map(|key| self.mark(key, automation, "DELETE")).collect()
    }

    /// Builds the update that adds or removes the mark of an automation. The version rises, so that a change that was
    /// decided before does not remove the mark.
    fn mark(&self, key: Key, automation: AutomationId, action: &str) -> Result<Update, StoreError> {
        let expression = Expression::default()
            .name("used_by")
            .name("version")
            .name(PK)
            .value("automation", AttributeValue::Ss(vec![automation.to_string()]))
            .value("one", number(1));
        let update = match action {
            "ADD" => "ADD #used_by :automation, #version :one".to_owned(),
            _ => format!("{action} #used_by :automation ADD #version :one"),
        };
        self.store.update_if(key, &update, "attribute_exists(#pk)", &expression)
    }
}

fn not_existing(message: &str) -> Refused {
    Refused::Invalid { field: "enrol_existing", message: message.to_owned() }
}

fn unknown_segment() -> Refused {
    Refused::Invalid { field: "enrol.segment_id", message: "expected the id of a segment".to_owned() }
}

fn unknown_form(form: FormId) -> Refused {
    Refused::Invalid { field: "enrol.form_ids", message: format!("{form} is not the id of a form") }
}
