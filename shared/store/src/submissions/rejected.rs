//! Rejected submissions. The account can check them, and retry them after its form is corrected.

use std::slice;

use domain::Timestamp;
use domain::ids::{AccountId, FormId, RejectionId};
use domain::limits::{REJECTED_ANSWERS_BYTES_MAX, REJECTED_KEPT};

use super::plan::{Entry, Origin, Plan};
use super::{Delivery, Recognized};
use crate::delivery::{ContentDigest, DeliveryId, Versions};
use crate::form_counts::{Counted, Tally};
use crate::forms::Form;
use crate::items::{FieldErrorItem, FormItem, Items, RejectedItem, decode};
use crate::keys::{Key, rejected_pk};
use crate::operation::Step;
use crate::periods::RefusalCheck;
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Person, Refused, Responder, StoreError, StoredResponse, Submitted};

/// A submission that can't be applied.
#[derive(Clone)]
pub struct Rejection<'a> {
    /// The form.
    pub form: &'a Form,
    /// The sender's id of this delivery, which identifies a repeat.
    pub submission_id: Option<&'a str>,
    /// The answers for a later retry: a text of at most [`REJECTED_ANSWERS_BYTES_MAX`] bytes.
    pub answers: &'a str,
    /// The reason, a slug.
    pub reason: &'a str,
    /// The problems, field by field.
    pub errors: &'a [FieldProblem],
}

/// A problem with a field of a submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldProblem {
    /// The field's name.
    pub field: String,
    /// The expected value, as a sentence.
    pub message: String,
}

/// A rejected submission. It is not `Debug`, because it contains personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The rejected submission's id.
    pub id: RejectionId,
    /// The answers, as [`Store::reject`] received them.
    pub answers: String,
    /// The reason, a slug.
    pub reason: String,
    /// The problems, field by field.
    pub errors: Vec<FieldProblem>,
    /// The sender's id of the delivery.
    pub submission_id: Option<String>,
    /// The time of arrival, by the account's clock.
    pub received_at: Timestamp,
}

/// A page of a form's rejected submissions. It is not `Debug`, because it contains personal data.
pub struct RejectedPage {
    /// The rejected submissions, in the order of arrival.
    pub items: Vec<Rejected>,
    /// The rejected submission after which the next page begins, if there may be one.
    pub next: Option<RejectionId>,
}

/// The contact that a rejected submission is mapped to. It is not `Debug`, because it contains personal data.
pub struct Mapped {
    /// The contact's address and properties.
    pub person: Person,
    /// The number of the submission's fields that the form does not accept, for the form's counts.
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
    /// Stores a submission that can't be applied for [`REJECTED_KEPT`], and counts it. A delivery that was rejected
    /// before with the same answers changes nothing. One batched read and one transaction.
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
        let op = self.operation(form.account, wall_clock);
        op.transact(async || {
            let mut opened = op.read_current_period(key.iter().cloned().collect()).await?;
            let known = op.recognize(&mut opened, key.as_ref(), delivery.as_ref())?;
            if let Recognized::Repeat(submitted) = known {
                self.count_duplicate(form.id).await;
                return Ok(Step::unchanged(submitted));
            }
            let id = RejectionId::new(opened.now, self.rng().bits());
            let item = rejection.item(id, opened.now, wall_clock);
            let submitted = Submitted::rejected(item.reason.clone());
            let mut transaction = Transaction::default();
            transaction.put(self.put_new(Key::rejected(form.account, form.id, id), &item)?);
            transaction.update(self.count_form(form.id, &Tally::of(Counted::Rejected))?);
            if let (Some(Delivery { content, .. }), Some(key)) = (&delivery, &key) {
                transaction.put(if let Recognized::Edit(before) = known {
                    let versions = before.clone().edited(content.clone());
                    self.put_edited(key.clone(), &submitted.remembered(versions, wall_clock), &before)?
                } else {
                    let remembered = submitted.remembered(Versions::first(content.clone()), wall_clock);
                    self.put_new_or_expired(key.clone(), &remembered, wall_clock)?
                });
            }
            Ok(Step::Commit(transaction, submitted))
        })
        .await
    }

    /// Returns the rejected submissions of an account's form after `after`, in the order of arrival. The form may be
    /// deleted already.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
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
        // The last item of the query, which may have expired.
        let next = page.next.and_then(|id| id.parse().ok());
        let mut items = Vec::new();
        for item in page.items {
            let item: RejectedItem = decode(item)?;
            // DynamoDB deletes expired items later.
            if item.expires_at > wall_clock.seconds() {
                items.push(item.into_rejected());
            }
        }
        Ok(RejectedPage { items, next })
    }

    /// Applies a rejected submission, if `map` now maps it to a contact. The same transaction deletes it from the
    /// rejected submissions, so several concurrent retries have one effect.
    ///
    /// `map` may be called more than once. If it fails, nothing changes and its error is returned.
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
        let op = self.operation(form.account, wall_clock);
        let rejection_key = Key::rejected(form.account, form.id, id);
        let check = RefusalCheck::default();
        // This is not `Operation::mutate`, because `map` may end the operation with an error of its own.
        op.transact(async || {
            let keys = std::iter::once(rejection_key.clone()).chain(responder.key()).collect();
            let mut items = op.read(keys).await?;
            if let Some(response) = responder.replay(&mut items, wall_clock)? {
                return Ok(Step::unchanged(Ok(response)));
            }
            let rejected = not_expired(&mut items, &rejection_key, wall_clock)?.into_rejected();
            let Mapped { person, left_out } = match map(&rejected) {
                Ok(mapped) => mapped,
                Err(error) => return Ok(Step::unchanged(Err(error))),
            };
            let delivery = rejected.submission_id.map(|id| Delivery {
                id: DeliveryId::of(&id, &person.email),
                content: ContentDigest::of_properties(&person.properties),
            });
            let unnamed = || form.enrols().then(|| Delivery::unnamed(self.rng(), &person.properties));
            let delivery = delivery.or_else(unnamed);
            let key = delivery.as_ref().map(|delivery| Key::delivery(form.account, form.id, delivery.id));
            let mut entry = Entry {
                form: form.into(),
                email: &person.email,
                properties: &person.properties,
                left_out,
                origin: Origin::Rejected(id, None),
            };
            let others = key.iter().cloned().collect();
            let mut opened = op.open_for(slice::from_ref(&entry), others).await?;
            if matches!(op.recognize(&mut opened, key.as_ref(), delivery.as_ref())?, Recognized::New) {
                // A repeat of the delivery by its sender then changes nothing.
                entry.origin = Origin::Rejected(id, delivery);
            }
            let decide = |plan: &mut Plan<'_>| plan.decide(&entry, wall_clock);
            let step = op.apply(slice::from_ref(&entry), opened, &check, decide).await?;
            let Step::Commit(mut transaction, submitted) = step else { return Ok(Step::Retry) };
            let response = responder.attach(self, &mut transaction, &submitted, wall_clock)?;
            Ok(Step::Commit(transaction, Ok(response)))
        })
        .await
    }

    /// Deletes a rejected submission of an account's form at once, and counts one fewer. The form may be deleted
    /// already. The delivery stays known.
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
        let op = self.operation(account, wall_clock);
        let key = Key::rejected(account, form, id);
        let form_key = Key::form(form);
        op.mutate(&[key.clone(), form_key.clone()], responder, async |mut items| {
            not_expired(&mut items, &key, wall_clock)?;
            let mut transaction = Transaction::default();
            transaction.delete(self.delete_existing(key.clone())?);
            // A deleted form has no counts, and must get none.
            let existing: Option<FormItem> = items.take(&form_key)?;
            if existing.is_some() {
                let mut tally = Tally::default();
                tally.add(Counted::Rejected, -1);
                transaction.update(self.count_form(form, &tally)?);
            }
            Ok(Step::Commit(transaction, ()))
        })
        .await
    }
}

/// Returns the rejected submission under `key`, if it has not expired.
fn not_expired(items: &mut Items, key: &Key, wall_clock: Timestamp) -> Result<RejectedItem, StoreError> {
    let item: Option<RejectedItem> = items.take(key)?;
    let stored = item.filter(|item| item.expires_at > wall_clock.seconds());
    Ok(stored.ok_or(Refused::NotFound("rejected submission"))?)
}
