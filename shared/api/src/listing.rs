//! Pages of an account's lists, such as its forms and users.

use domain::contact::Contact;
use domain::period::Period;
use serde::Serialize;
use store::{ContactPage, Listing};

use crate::paging::{Page, PageBuilder, Position};
use crate::views::ContactView;

/// Returns the number of items to read for a page of at most `limit`. One more item shows whether the page is the last,
/// because the table itself only reports that there may be more.
#[must_use]
pub fn one_more(limit: usize) -> usize {
    limit.saturating_add(1)
}

/// Returns the first `limit` items of the listing as a page of views. The next page begins after its last item. A page
/// that would be too long for one response ends early.
pub fn page<T, P: Position, V: Serialize>(
    listing: &Listing<T>,
    limit: usize,
    position: impl Fn(&T) -> P,
    view: impl Fn(&T) -> V,
) -> Page<V> {
    let mut page = PageBuilder::default();
    for item in listing.items.iter().take(limit) {
        if !page.push(view(item)) {
            break;
        }
    }
    let more = listing.more || page.count() < listing.items.len();
    let last = page.count().checked_sub(1).and_then(|last| listing.items.get(last));
    page.finish(last.filter(|_| more).map(position).as_ref())
}

/// Returns the view of a page of contacts.
#[must_use]
pub fn contact_page(found: &ContactPage) -> Page<ContactView> {
    contact_page_of(&found.contacts, &found.period, found.next, |contact| contact.id)
}

/// Returns the view of a page of contacts in any order. The page ends early if its contacts would be too long for one
/// response.
pub fn contact_page_of<P: Position>(
    contacts: &[Contact],
    period: &Period,
    next: Option<P>,
    position: impl Fn(&Contact) -> P,
) -> Page<ContactView> {
    let (mut page, mut last) = (PageBuilder::default(), None);
    for contact in contacts {
        if !page.push(ContactView::new(contact, period)) {
            return page.finish(last.map(position).as_ref());
        }
        last = Some(contact);
    }
    page.finish(next.as_ref())
}

#[cfg(test)]
mod tests {
    use domain::limits::PAGE_BYTES_MAX;
    use domain::period::PeriodNumber;
    use serde_json::{Value, json};

    use super::*;

    fn position(number: &u64) -> PeriodNumber {
        PeriodNumber::from_number(*number).unwrap()
    }

    fn paged(items: Vec<u64>, more: bool) -> Value {
        let listing = Listing { items, more };
        serde_json::to_value(page(&listing, 2, position, |number| number * 10)).unwrap()
    }

    #[test]
    fn next_page_begins_after_the_last_item() {
        let next = json!({"next": {"after": crate::paging::cursor(&position(&7))}});
        assert_eq!(paged(vec![9, 7, 5], false), json!({"results": [90, 70], "paging": next}));
        assert_eq!(paged(vec![9, 7], true), json!({"results": [90, 70], "paging": next}));
    }

    #[test]
    fn last_page_has_no_paging() {
        assert_eq!(one_more(2), 3);
        assert_eq!(paged(vec![9, 7], false), json!({"results": [90, 70]}));
        assert_eq!(paged(vec![], false), json!({"results": []}));
    }

    #[test]
    fn too_long_page_ends_early() {
        let long = |_: &u64| "x".repeat(PAGE_BYTES_MAX / 3);
        let listing = Listing { items: vec![1, 2, 3, 4], more: false };
        let first = page(&listing, 9, position, long);
        assert_eq!(first.results.len(), 2);
        assert_eq!(first.paging, Page::new(Vec::<u8>::new(), Some(&position(&2))).paging);

        let longest = |_: &u64| "x".repeat(PAGE_BYTES_MAX * 2);
        assert_eq!(page(&listing, 9, position, longest).results.len(), 1, "there is always progress");
    }
}
