//! Deleting and erasing contacts.

use store::DeleteContact;

use super::save::{by_hand, user};
use super::{Applied, Asked, Context, Deed, Sending, finish, told};
use crate::model::rules::BY_HAND;
use crate::simulation::world::State;

/// A contact is deleted or erased.
#[derive(Debug)]
pub struct Delete {
    pub contact: u64,
    pub erase: bool,
}

impl Deed for Delete {
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
            let render = told(|(): &()| "deleted".to_owned());
            let answer =
                context.store.delete_contact(&request, context.wall_clock, finish(context, &render)).await?;
            Ok(answer.body)
        })
    }

    fn apply(&self, state: &mut State, asked: &Asked<'_>) -> Applied {
        let who = asked.person(self.contact);
        if who.is_some_and(|who| state.model.remove(who, self.erase, BY_HAND)) {
            return Applied::changed("deleted");
        }
        // Somebody who was deleted and has left is erased as well, as long as the sweep has not been there.
        let retouched = (self.erase && who.is_some()).then(|| "deleted".to_owned());
        Applied { retouched, ..Applied::unchanged("no contact") }
    }

    /// A unit whose last moments the update date has ended meanwhile is gone already.
    fn apply_late(&self, state: &mut State, asked: &Asked<'_>, then: &State) -> Option<Applied> {
        let who = asked.person(self.contact)?;
        let gone = state.model.person(who).is_none();
        let removed = gone && then.clone().model.remove(who, self.erase, BY_HAND);
        removed.then(|| Applied::changed("deleted"))
    }
}
