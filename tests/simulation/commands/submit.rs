//! Submissions of forms, some of them delivered more than once.

use store::{MarketingEffect, Submission};
use testkit::property;

use super::save::arrive_late;
use super::{Applied, Asked, Context, Deed, Sending, email};
use crate::model::rules::{BY_FORM, Effect, Sets};
use crate::simulation::raw::NOTE;
use crate::simulation::world::State;

/// Somebody submits one of the account's two forms, of which the second sets marketing.
#[derive(Debug)]
pub struct Submit {
    pub address: usize,
    pub set_marketing: bool,
    pub note: Option<u64>,
    /// The id that its sender gave the delivery.
    pub delivery: Option<String>,
}

impl Submit {
    fn sets(&self) -> Sets {
        if self.set_marketing { Sets::EVERYBODY } else { Sets::NOBODY }
    }
}

impl Deed for Submit {
    fn delivery(&self) -> Option<&str> {
        self.delivery.as_deref()
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let forms = context.forms.as_ref().expect("an account's forms");
            let properties: Vec<_> = self.note.iter().map(|note| property(NOTE, &note.to_string())).collect();
            let email = email(self.address, false);
            let submission = Submission {
                form: &forms[usize::from(self.set_marketing)],
                submission_id: self.delivery.as_deref(),
                email: &email,
                properties: &properties,
            };
            let submitted = context.store.submit(&submission, context.wall).await?;
            let marketing = match submitted.marketing {
                MarketingEffect::NotSet if submitted.reason.is_some() => "refused".to_owned(),
                effect => effect.to_string(),
            };
            let again = if submitted.duplicate { "again " } else { "" };
            Ok(format!("{again}{} {marketing}", submitted.contact))
        })
    }

    fn apply(&self, state: &mut State, asked: &Asked<'_>) -> Applied {
        let delivered = self.delivery.as_ref().and_then(|id| asked.deliveries.get(id));
        if let Some((first, _)) = delivered.filter(|(_, until)| asked.wall < *until) {
            return Applied::unchanged(format!("again {first}"));
        }
        let model = &mut state.model;
        let known = model.holder(self.address).is_some();
        let before = model.holder(self.address).and_then(|who| model.person(who).cloned());
        let (who, effect, new) = model.arrive(Some(self.address), self.sets(), BY_FORM);
        if let Some(note) = self.note {
            model.note(who, note);
        }
        // A delivery with an id is remembered, whatever came of it.
        let changed = self.delivery.is_some() || model.person(who) != before.as_ref();
        Applied { answer: answer(effect, new, known), changed, retouched: None }
    }

    fn apply_late(&self, state: &mut State, asked: &Asked<'_>, then: &State) -> Option<Applied> {
        let known = then.model.holder(self.address).is_some();
        let apply = |state: &mut State| self.apply(state, asked);
        let (who, effect, new) = arrive_late(state, then, Some(self.address), self.sets(), BY_FORM, apply)?;
        if let Some(note) = self.note {
            state.model.note(who, note);
        }
        Some(Applied::changed(answer(effect, new, known)))
    }
}

fn answer(effect: Effect, new: bool, known: bool) -> String {
    let contact = if new { "created" } else { "updated" };
    let marketing = match effect {
        Effect::Set => "set",
        Effect::Kept => "kept",
        Effect::Refused => "refused",
        // What keeps its state is unchanged to a form; only a new non-marketing contact was not set.
        Effect::NotAsked if !known => "not_set",
        Effect::NotAsked | Effect::Unchanged | Effect::Queued | Effect::NotFound => "unchanged",
    };
    format!("{contact} {marketing}")
}
