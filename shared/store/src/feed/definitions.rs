//! Definitions of the names that contacts use: a name that is first used by any other way than the CRM API is a text.
//!
//! A definition has the condition that the account has none of its name, so a repeat changes nothing. A process remembers
//! the names that it has found or defined, so most records cost nothing.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::ids::AccountId;
use domain::property::PropertyName;
use domain::property_definition::is_standard;

use super::{Change, ContactChange, Followed, Numbered};
use crate::store::Store;

/// The names that an account's records use, with the numbers of those records.
#[derive(Default)]
struct Used {
    names: BTreeSet<PropertyName>,
    sequence_numbers: Vec<String>,
}

impl ContactChange {
    /// Returns the names in the new image that the old one lacks, without the standard ones. A stored name that is not
    /// valid any more can't be defined.
    fn first_used(&self) -> impl Iterator<Item = &PropertyName> {
        let new = self.images.new.as_ref().filter(|new| new.is_visible());
        let is_used = |name: &PropertyName| {
            let before = self.images.old.as_ref();
            before.is_none_or(|old| old.properties.get(name.as_str()).is_none())
        };
        let names = new.into_iter().flat_map(|new| new.properties.iter().map(|(name, _)| name));
        names.filter(move |name| {
            is_used(name) && !is_standard(name.as_str()) && PropertyName::parse(name.as_str()).is_ok()
        })
    }
}

impl Store {
    /// Defines the names that contacts use, for the accounts that have no definition of them.
    pub(super) async fn follow_definitions(
        &self,
        changes: &[Numbered],
        wall_clock: Timestamp,
        followed: &mut Followed,
    ) {
        let mut accounts: BTreeMap<AccountId, Used> = BTreeMap::new();
        for Numbered { sequence_number, change } in changes {
            let Change::Contact(change) = change else { continue };
            let mut names: BTreeSet<PropertyName> = change.first_used().cloned().collect();
            self.known_names.retain_unknown(change.account, &mut names);
            if !names.is_empty() {
                let used = accounts.entry(change.account).or_default();
                used.names.extend(names);
                used.sequence_numbers.push(sequence_number.clone());
            }
        }
        for (account, Used { names, sequence_numbers }) in accounts {
            match self.define_used(account, &names, wall_clock).await {
                // Names beyond the limit are remembered, too. Otherwise each record with them would try again.
                Ok(()) => self.known_names.add(account, names),
                Err(error) => followed.fail(sequence_numbers, error),
            }
        }
    }
}
