//! The command that updates a contact's data and address.

use domain::patch::Patch;
use store::UpdateContact;
use testkit::property;

use super::save::{by_hand, user};
use super::status::command;
use super::{Applied, AtomicCommand, Context, Lookup, NO_CONTACT, Sending, email, finish, text_response};
use crate::model::rules::{BY_HAND, Effect};
use crate::simulation::raw::NOTE;
use crate::simulation::world::State;

/// An update of a contact.
#[derive(Debug)]
pub struct Change {
    pub contact: u64,
    /// The new address, or `Some(None)` to remove it.
    pub address: Option<Option<usize>>,
    pub note: Option<u64>,
    /// True to set the contact marketing in the same write, false to queue it to leave.
    pub status: Option<bool>,
}

impl AtomicCommand for Change {
    fn picks(&self) -> Vec<u64> {
        vec![self.contact]
    }

    fn takes_key(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let properties: Vec<_> = self.note.iter().map(|note| property(NOTE, &note.to_string())).collect();
            let request = UpdateContact {
                account: context.account(),
                contact: context.contact(self.contact),
                email: self
                    .address
                    .map_or(Patch::Keep, |new| new.map(|address| email(address, false)).into()),
                properties: &properties,
                unsubscribed: None,
                bounced: None,
                status: self.status.map(command),
                if_match: None,
                source: by_hand(),
                actor: user(),
            };
            let render =
                text_response(|(contact, _): &(domain::contact::Contact, domain::period::Period)| {
                    format!("changed {}", contact.id)
                });
            let answer =
                context.store.update_contact(&request, context.wall_clock, finish(context, &render)).await?;
            Ok(answer.body)
        })
    }

    fn apply(&self, state: &mut State, lookup: &Lookup<'_>) -> Applied {
        let model = &mut state.model;
        let who = lookup.person(self.contact).filter(|who| model.state_of(*who).is_some());
        let Some(who) = who else { return Applied::unchanged(NO_CONTACT) };
        let before = model.person(who).cloned();
        let unchanged = model.clone();
        if let Some(status) = self.status
            && model.command(status, Some(who), BY_HAND) == Effect::Refused
        {
            *model = unchanged;
            return Applied::unchanged("the state is refused");
        }
        if let Some(address) = self.address {
            let holder = address.and_then(|address| model.holder(address));
            if !model.readdress(who, address) {
                *model = unchanged;
                let holder = holder.expect("the contact with the address");
                return Applied::unchanged(format!("#{holder} exists"));
            }
        }
        if let Some(note) = self.note {
            model.note(who, note);
        }
        let changed = model.person(who) != before.as_ref();
        let retouched = self.address.is_some().then(|| format!("changed #{who}"));
        Applied { changed, retouched, ..Applied::changed(format!("changed #{who}")) }
    }
}
