//! The first contacts of an order, chosen from contacts that arrive in any order.

use domain::contact::Contact;
use domain::filter::{Sort, SortPosition};
use domain::limits::SEARCH_ROUND_BYTES_MAX;

/// The first contacts of an order, up to a number and to [`SEARCH_ROUND_BYTES_MAX`]. The memory is at most twice that.
pub(super) struct Best<'s> {
    sort: &'s Sort,
    /// The largest number of contacts.
    limit: usize,
    kept: Vec<(SortPosition, Contact)>,
    /// The size of the kept contacts.
    bytes: usize,
    /// The last place of a full selection. Contacts after it are dropped.
    last: Option<SortPosition>,
    /// True if a contact was dropped.
    dropped: bool,
}

impl<'s> Best<'s> {
    pub(super) fn new(sort: &'s Sort, limit: usize) -> Self {
        Self { sort, limit, kept: Vec::new(), bytes: 0, last: None, dropped: false }
    }

    /// Adds a contact if it may be among the first.
    pub(super) fn add(&mut self, position: SortPosition, contact: Contact) {
        if self.last.as_ref().is_some_and(|last| self.sort.compare(&position, last).is_gt()) {
            self.dropped = true;
            return;
        }
        self.bytes += contact.properties.bytes();
        self.kept.push((position, contact));
        // Half of the contacts are dropped at once, so each contact is sorted about twice.
        if self.kept.len() >= self.limit.saturating_mul(2) || self.bytes >= SEARCH_ROUND_BYTES_MAX * 2 {
            self.cut();
        }
    }

    /// Returns the first contacts with their places, in order, and true if contacts after them were dropped.
    pub(super) fn finish(mut self) -> (Vec<(SortPosition, Contact)>, bool) {
        self.cut();
        (self.kept, self.dropped)
    }

    fn cut(&mut self) {
        self.kept.sort_unstable_by(|(one, _), (other, _)| self.sort.compare(one, other));
        let (mut count, mut bytes) = (0, 0);
        for (_, contact) in &self.kept {
            if count == self.limit || bytes >= SEARCH_ROUND_BYTES_MAX {
                break;
            }
            count += 1;
            bytes += contact.properties.bytes();
        }
        self.dropped |= count < self.kept.len();
        self.kept.truncate(count);
        self.bytes = bytes;
        if count == self.limit || bytes >= SEARCH_ROUND_BYTES_MAX {
            self.last = self.kept.last().map(|(position, _)| position.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::filter::Direction;
    use domain::ids::ContactId;

    use super::super::tests::contact;
    use super::*;

    fn by_p(direction: Direction) -> Sort {
        Sort { field: "p".parse().unwrap(), direction }
    }

    fn best(sort: &Sort, limit: usize, contacts: &[Contact]) -> (Vec<ContactId>, bool) {
        let mut best = Best::new(sort, limit);
        for contact in contacts {
            best.add(sort.position(contact.id, contact), contact.clone());
            assert!(best.kept.len() <= limit * 2 && best.bytes < SEARCH_ROUND_BYTES_MAX * 2);
        }
        let (kept, dropped) = best.finish();
        (kept.into_iter().map(|(_, contact)| contact.id).collect(), dropped)
    }

    #[test]
    fn first_contacts_of_any_arrival_are_kept() {
        // The value of the property is as many letters as the size, so a longer one sorts later.
        let sizes = [9, 3, 7, 5, 2, 8, 4, 6, 7, 3];
        let contacts: Vec<Contact> =
            sizes.iter().zip(0..).map(|(size, number)| contact(number, *size)).collect();
        for direction in [Direction::Ascending, Direction::Descending] {
            let sort = by_p(direction);
            let mut expected: Vec<_> =
                contacts.iter().map(|contact| sort.position(contact.id, contact)).collect();
            expected.sort_by(|one, other| sort.compare(one, other));
            let expected: Vec<_> = expected.into_iter().map(|position| position.id).collect();
            for limit in 1..=11 {
                let (ids, dropped) = best(&sort, limit, &contacts);
                assert_eq!(ids, expected[..limit.min(10)], "{limit}");
                assert_eq!(dropped, limit < 10, "{limit}");
            }
        }
    }

    #[test]
    fn large_contacts_are_kept_up_to_a_size() {
        let size = 64 * 1024;
        let fitting = SEARCH_ROUND_BYTES_MAX / size;
        let contacts: Vec<Contact> = (0..fitting as u128 * 3).map(|number| contact(number, size)).collect();
        let first = || contacts.iter().take(fitting).map(|contact| contact.id).collect::<Vec<_>>();
        let sort = by_p(Direction::Ascending);
        assert_eq!(best(&sort, 1_000, &contacts), (first(), true));
        let reversed: Vec<Contact> = contacts.iter().rev().cloned().collect();
        assert_eq!(best(&sort, 1_000, &reversed), (first(), true));
    }
}
