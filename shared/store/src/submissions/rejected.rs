//! Submissions that could not be taken: kept for the account to check at, and to be sent again once its form is mended.

use domain::Timestamp;
use domain::ids::{AccountId, FormId, RejectionId};
use domain::limits::{REJECTED_ANSWERS_BYTES_MAX, REJECTED_KEPT};

use super::plan::{Entry, Origin, Plan};
use super::{Delivery, MOVED, Recognized, recognize};
use crate::delivery::{ContentDigest, DeliveryId, Versions};
use crate::form_counts::{Counted, Tally};
use crate::forms::Form;
use crate::items::{DeliveryItem, FieldErrorItem, RejectedItem, decode};
use crate::keys::{Key, rejected_pk};
use crate::periods::RefusalCheck;
use crate::retry::Retries;
use crate::store::{Query, Store};
use crate::transaction::{Part, Transaction};
use crate::{Person, Refused, Responder, StoreError, StoredResponse, Submitted};

/// A submission that can't be taken.
#[derive(Clone)]
pub struct Rejection<'a> {
    /// The form.
    pub form: &'a Form,
    /// The id that its sender gave this delivery, to tell a repeated one.
    pub submission_id: Option<&'a str>,
    /// What was answered, to be read again: any text of at most [`REJECTED_ANSWERS_BYTES_MAX`].
    pub answers: &'a str,
    /// Why it can't be taken: a slug.
    pub reason: &'a str,
    /// What is wrong, field by field.
    pub errors: &'a [FieldProblem],
}

/// What is wrong with a field of a submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldProblem {
    /// Its name.
    pub field: String,
    /// What was expected.
    pub message: String,
}

/// A submission that could not be taken. (Not `Debug`, for it holds a person's data.)
#[derive(Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Which one.
    pub id: RejectionId,
    /// The answers, as they were given to [`Store::reject`].
    pub answers: String,
    /// Why it could not be taken: a slug.
    pub reason: String,
    /// What was wrong, field by field.
    pub errors: Vec<FieldProblem>,
    /// The id that its sender gave the delivery.
    pub submission_id: Option<String>,
    /// When it came, by the account's clock.
    pub received_at: Timestamp,
}

/// Some of the rejected submissions of a form. (Not `Debug`, for it holds people's data.)
pub struct RejectedPage {
    /// Those that are kept, in the order in which they came.
    pub items: Vec<Rejected>,
    /// After which one to go on, if there may be more.
    pub next: Option<RejectionId>,
}

/// The person that a rejected submission is mapped to. (Not `Debug`, for it is a person's data.)
pub struct Mapped {
    /// The person.
    pub person: Person,
    /// The number of the submission's fields that the form does not take, to be counted.
    pub left_out: u64,
}

impl RejectedItem {
    fn into_rejected(self) -> Rejected {
        let problem = |FieldErrorItem { field, message }| FieldProblem { field, message };
        Rejected {
            id: self.id,
            answers: self.answers,
            reason: self.reason,
            errors: self.errors.into_iter().map(problem).collect(),
            submission_id: self.submission_id,
            received_at: self.received_at,
        }
    }
}

impl Rejection<'_> {
    fn delivery(&self) -> Option<Delivery> {
        let content = ContentDigest::of_text(self.answers);
        self.submission_id.map(|id| Delivery { id: DeliveryId::unusable(id), content })
    }

    fn item(&self, id: RejectionId, now: Timestamp, wall_clock: Timestamp) -> RejectedItem {
        let error = |problem: &FieldProblem| {
            let FieldProblem { field, message } = problem.clone();
            FieldErrorItem { field, message }
        };
        RejectedItem {
            id,
            answers: self.answers.to_owned(),
            reason: self.reason.to_owned(),
            errors: self.errors.iter().map(error).collect(),
            submission_id: self.submission_id.map(str::to_owned),
            received_at: now,
            expires_at: wall_clock.plus(REJECTED_KEPT).seconds(),
        }
    }
}

impl Store {
    /// Keeps a submission that can't be applied, for [`REJECTED_KEPT`], and counts it. A delivery that was rejected before
    /// with the same answers changes nothing. One batched read and one transaction.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] when the answers are too long.
    pub async fn reject(
        &self,
        rejection: &Rejection<'_>,
        wall_clock: Timestamp,
    ) -> Result<Submitted, StoreError> {
        if rejection.answers.len() > REJECTED_ANSWERS_BYTES_MAX {
            let message = format!("expected at most {REJECTED_ANSWERS_BYTES_MAX} bytes");
            return Err(Refused::Invalid { field: "answers", message }.into());
        }
        let form = rejection.form;
        let delivery = rejection.delivery();
        let key = delivery.as_ref().map(|delivery| Key::delivery(form.account, form.id, delivery.id));
        let mut retries = self.retries();
        loop {
            let keys = key.iter().cloned().collect();
            let mut opened = self.read_current_period(form.account, wall_clock, keys, &mut retries).await?;
            let stored =
                key.as_ref().map(|key| opened.items.take::<DeliveryItem>(key)).transpose()?.flatten();
            let known = recognize(stored, delivery.as_ref(), wall_clock);
            if let Recognized::Repeat(submitted) = known {
                self.count_duplicate(form.id).await;
                return Ok(submitted);
            }
            let id = RejectionId::new(opened.now, self.rng().bits());
            let item = rejection.item(id, opened.now, wall_clock);
            let submitted = Submitted::rejected(item.reason.clone());
            let mut transaction = Transaction::new(self.rng());
            let rejected = Key::rejected(form.account, form.id, id);
            transaction.put(Part::Rejected, self.put_new(rejected, &item)?);
            let count = self.count_form(form.id, &Tally::of(Counted::Rejected))?;
            transaction.update(Part::FormCounts, count);
            if let (Some(Delivery { content, .. }), Some(key)) = (&delivery, &key) {
                let put = if let Recognized::Edit(before) = known {
                    let versions = before.clone().edited(content.clone());
                    self.put_edited(key.clone(), &submitted.remembered(versions, wall_clock), &before)?
                } else {
                    let remembered = submitted.remembered(Versions::first(content.clone()), wall_clock);
                    self.put_new_or_expired(key.clone(), &remembered, wall_clock)?
                };
                transaction.put(Part::Delivery, put);
            }
            if self.commit(transaction, &mut retries).await? {
                return Ok(submitted);
            }
        }
    }

    /// The rejected submissions of an account's form, in the order in which they came, those after `after`, be
    /// the form there or not.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn rejected(
        &self,
        account: AccountId,
        form: FormId,
        wall_clock: Timestamp,
        after: Option<RejectionId>,
        limit: usize,
    ) -> Result<RejectedPage, StoreError> {
        let query = Query {
            pk: rejected_pk(account, form),
            prefix: "",
            after: after.map(|id| id.to_string()),
            limit,
            newest_first: false,
        };
        let page = self.query(&query).await?;
        // The last one that was read, which may be one that is over.
        let next = page.next.and_then(|id| id.parse().ok());
        let mut items = Vec::new();
        for item in page.items {
            let item: RejectedItem = decode(item)?;
            // DynamoDB removes what is over when it comes to it.
            if item.expires_at > wall_clock.seconds() {
                items.push(item.into_rejected());
            }
        }
        Ok(RejectedPage { items, next })
    }

    /// Takes a rejected submission after all, if `map` can make a person of it now. It is then no longer among the
    /// rejected, in the same transaction, so that of several retries one has the effect.
    ///
    /// `map` may be asked more than once. What it answers instead of a person comes back, and nothing has changed.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn retry_rejected_submission<E>(
        &self,
        form: &Form,
        id: RejectionId,
        map: impl Fn(&Rejected) -> Result<Mapped, E>,
        wall_clock: Timestamp,
        responder: Responder<'_, Submitted>,
    ) -> Result<Result<StoredResponse, E>, StoreError> {
        let account = form.account;
        let key = Key::rejected(account, form.id, id);
        let mut retries = self.retries();
        let mut check = RefusalCheck::default();
        loop {
            let item = match self.read_rejected(&key, wall_clock, &responder, &mut retries).await? {
                Found::Item(item) => item,
                Found::StoredResponse(answer) => return Ok(Ok(answer)),
            };
            let rejected = item.into_rejected();
            let Mapped { person, left_out } = match map(&rejected) {
                Ok(mapped) => mapped,
                Err(error) => return Ok(Err(error)),
            };
            let delivery = rejected.submission_id.map(|id| Delivery {
                id: DeliveryId::of(&id, &person.email),
                content: ContentDigest::of_properties(&person.properties),
            });
            let delivery_key = delivery.as_ref().map(|delivery| Key::delivery(account, form.id, delivery.id));
            let mut entry = Entry {
                form: form.into(),
                email: &person.email,
                properties: &person.properties,
                left_out,
                origin: Origin::Rejected(id, None),
            };
            let others = delivery_key.iter().cloned().collect();
            let entries = std::slice::from_ref(&entry);
            let mut opened = self.open_for(account, entries, others, wall_clock, &mut retries).await?;
            let stored =
                delivery_key.map(|key| opened.items.take::<DeliveryItem>(&key)).transpose()?.flatten();
            if matches!(recognize(stored, delivery.as_ref(), wall_clock), Recognized::New) {
                // The sender's own repeat of the delivery then changes nothing.
                entry.origin = Origin::Rejected(id, delivery);
            }
            let entries = std::slice::from_ref(&entry);
            check.observe(&opened.period);
            let Some(snapshot) = self.snapshot(account, entries, opened, wall_clock, &mut retries).await?
            else {
                retries.retry_now(MOVED).await?;
                continue;
            };
            let mut plan = Plan::new(account, &snapshot, self.new_contact_ids(wall_clock, &retries));
            let submitted = plan.take(&entry, wall_clock)?;
            if plan.is_in_doubt() && check.needs_reread(snapshot.period(), &mut retries).await? {
                continue;
            }
            let mut transaction = Transaction::new(self.rng());
            let gone = self.write_plan(&mut transaction, plan, wall_clock)?;
            let answer = responder.attach(self, &mut transaction, &submitted, wall_clock)?;
            if self.commit(transaction, &mut retries).await? {
                self.forget_histories(account, gone, &mut retries).await?;
                return Ok(Ok(answer));
            }
        }
    }

    /// Removes a rejected submission of an account's form, for good and at once, be the form there or not. It stays
    /// counted, and its delivery remembered.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn delete_rejected_submission(
        &self,
        account: AccountId,
        form: FormId,
        id: RejectionId,
        wall_clock: Timestamp,
        responder: Responder<'_, ()>,
    ) -> Result<StoredResponse, StoreError> {
        let key = Key::rejected(account, form, id);
        let mut retries = self.retries();
        loop {
            if let Found::StoredResponse(answer) =
                self.read_rejected(&key, wall_clock, &responder, &mut retries).await?
            {
                return Ok(answer);
            }
            let mut transaction = Transaction::new(self.rng());
            transaction.delete(Part::Rejected, self.delete_existing(key.clone())?);
            let answer = responder.attach(self, &mut transaction, &(), wall_clock)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// A rejected submission that is still kept, or what the same request was answered before.
    async fn read_rejected<T>(
        &self,
        key: &Key,
        wall_clock: Timestamp,
        responder: &Responder<'_, T>,
        retries: &mut Retries<'_>,
    ) -> Result<Found, StoreError> {
        let keys: Vec<Key> = std::iter::once(key.clone()).chain(responder.key()).collect();
        let mut items = self.batch_get(&keys, retries).await?;
        if let Some(answer) = responder.replay(&mut items, wall_clock)? {
            return Ok(Found::StoredResponse(answer));
        }
        let item: Option<RejectedItem> = items.take(key)?;
        let kept = item.filter(|item| item.expires_at > wall_clock.seconds());
        Ok(Found::Item(Box::new(kept.ok_or(Refused::NotFound("rejected submission"))?)))
    }
}

/// What a request for a rejected submission finds.
enum Found {
    Item(Box<RejectedItem>),
    StoredResponse(StoredResponse),
}
