//! The memory of a process for names of properties that need no definition any more.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use domain::ids::AccountId;
use domain::limits::CRM_NAMES_REMEMBERED;
use domain::property::PropertyName;

/// The names of properties of which a process knows that they need no definition, by account.
#[derive(Default)]
pub(crate) struct KnownNames(Mutex<HashSet<(AccountId, PropertyName)>>);

impl KnownNames {
    /// Keeps the names that are not known.
    pub(crate) fn retain_unknown(&self, account: AccountId, names: &mut BTreeSet<PropertyName>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.retain(|name| !known.contains(&(account, name.clone())));
    }

    /// Remembers names, within the limit of the memory.
    pub(crate) fn add(&self, account: AccountId, names: BTreeSet<PropertyName>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len().saturating_add(names.len()) > CRM_NAMES_REMEMBERED {
            known.clear();
        }
        known.extend(names.into_iter().map(|name| (account, name)));
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn names(all: &[&str]) -> BTreeSet<PropertyName> {
        all.iter().map(|name| PropertyName::parse(name).unwrap()).collect()
    }

    #[test]
    fn known_names_are_those_of_their_account() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let (one, other) = (AccountId::new(now, 1), AccountId::new(now, 2));
        let known = KnownNames::default();
        known.add(one, names(&["a", "b"]));
        let unknown = |account| {
            let mut asked = names(&["a", "c"]);
            known.retain_unknown(account, &mut asked);
            asked
        };
        assert_eq!((unknown(one), unknown(other)), (names(&["c"]), names(&["a", "c"])));
    }

    #[test]
    fn known_names_are_forgotten_at_the_limit() {
        let account = AccountId::new(Timestamp::from_millis(1_800_000_000_000), 1);
        let known = KnownNames::default();
        for number in 0..=CRM_NAMES_REMEMBERED {
            known.add(account, names(&[&format!("p{number}")]));
        }
        assert_eq!(known.0.lock().unwrap().len(), 1);
    }
}
