//! The command that deletes or erases a contact.

use store::DeleteContact;

use super::save::{by_hand, user};
use super::{Applied, AtomicCommand, Context, Lookup, NO_CONTACT, Sending, finish, text_response};
use crate::model::rules::BY_HAND;
use crate::simulation::world::State;

/// A deletion or an erasure of a contact.
#[derive(Debug)]
pub struct Delete {
    pub contact: u64,
    pub erase: bool,
}

impl AtomicCommand for Delete {
    fn picks(&self) -> Vec<u64> {
        vec![self.contact]
    }

    fn takes_key(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let request = DeleteContact {
                account: context.account(),
                contact: context.contact(self.contact),
                erase: self.erase,
                if_match: None,
                source: by_hand(),
                actor: user(),
                modify_marketing_contacts: true,
            };
            let render = text_response(|(): &()| "deleted".to_owned());
            let answer =
                context.store.delete_contact(&request, context.wall_clock, finish(context, &render)).await?;
            Ok(answer.body)
        })
    }

    fn apply(&self, state: &mut State, lookup: &Lookup<'_>) -> Applied {
        let who = lookup.person(self.contact);
        if who.is_some_and(|who| state.model.remove(who, self.erase, BY_HAND)) {
            return Applied::changed("deleted");
        }
        // A deleted contact that has left can still be erased until the sweep removes it.
        let retouched = (self.erase && who.is_some()).then(|| "deleted".to_owned());
        Applied { retouched, ..Applied::unchanged(NO_CONTACT) }
    }

    /// Applies the deletion of a billable unit that the update date has removed in the meantime.
    fn apply_late(&self, state: &mut State, lookup: &Lookup<'_>, then: &State) -> Option<Applied> {
        let who = lookup.person(self.contact)?;
        let gone = state.model.person(who).is_none();
        let removed = gone && then.clone().model.remove(who, self.erase, BY_HAND);
        removed.then(|| Applied::changed("deleted"))
    }
}
