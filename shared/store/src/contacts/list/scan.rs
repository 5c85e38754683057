//! Searches that examine all contacts: those sorted by a field, and those that count their matches.

use domain::Timestamp;
use domain::contact::Contact;
use domain::filter::{Access, Direction, Filter, Sort, SortPosition};
use domain::ids::AccountId;
use domain::period::Period;

use super::best::Best;
use super::source::{Reading, Source};
use super::{ROUND, is_match};
use crate::StoreError;
use crate::operation::Operation;
use crate::store::Store;

/// A request for a page of contacts in any order, and for the number of all matches.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    /// The account.
    pub account: AccountId,
    /// The filter. `None` selects all contacts.
    pub filter: Option<&'a Filter>,
    /// The order.
    pub sort: &'a Sort,
    /// The place after which the page begins, in that order.
    pub after: Option<&'a SortPosition>,
    /// The maximum number of contacts.
    pub limit: usize,
}

/// A page of contacts in any order, as of now.
#[derive(Clone, Debug)]
pub struct ScannedPage {
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// The period that decides their states.
    pub period: Period,
    /// The place after which the next page begins, if there is one.
    pub next: Option<SortPosition>,
    /// The number of matches over all pages. `None` if the search was not completed.
    pub total: Option<u64>,
    /// The examined contacts. `None` if all contacts were read by their keys.
    pub examined: Option<Examined>,
}

/// The contacts that a search examined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Examined {
    /// The number of contacts.
    pub contacts: u64,
    /// True if they are all that can match.
    pub complete: bool,
}

/// The result of one attempt at a scan.
struct Attempt<'s> {
    period: Period,
    best: Best<'s>,
    total: u64,
    examined: u64,
    complete: bool,
}

impl Store {
    /// Returns a page of the account's contacts without the deleted ones, all as of one period, and the number of all
    /// matches.
    ///
    /// All contacts of the filter's [`Access`] are examined. `should_continue` is called after each round of them. If
    /// it returns false, the page contains the first contacts of the examined ones and has no next page.
    ///
    /// # Errors
    ///
    /// [`crate::Refused::NotFound`] if there is no such account.
    pub async fn scan(
        &self,
        scan: Scan<'_>,
        wall_clock: Timestamp,
        should_continue: impl Fn() -> bool,
    ) -> Result<ScannedPage, StoreError> {
        let op = self.operation(scan.account, wall_clock);
        let access = scan.filter.map_or(Access::ALL, Filter::access);
        loop {
            let period = op.read_current_period(Vec::new()).await?.period;
            let reading = Reading { after: None, direction: Direction::Ascending, expected: None };
            let source = op.source(&access, reading).await?;
            let by_key = source.is_by_key();
            if let Some(attempt) = op.scan_once(&scan, source, period, &should_continue).await? {
                return Ok(attempt.page(&scan, by_key));
            }
            op.retries.retry_now("the period closed during a read").await?;
        }
    }
}

impl Operation<'_> {
    /// Examines the contacts of a source. Returns `None` if the period closed meanwhile.
    async fn scan_once<'s>(
        &self,
        scan: &Scan<'s>,
        mut source: Source,
        period: Period,
        should_continue: &impl Fn() -> bool,
    ) -> Result<Option<Attempt<'s>>, StoreError> {
        // One contact more than the limit shows if there is a next page.
        let best = Best::new(scan.sort, scan.limit.saturating_add(1));
        let mut attempt = Attempt { period, best, total: 0, examined: 0, complete: true };
        while !source.is_drained() {
            let raw = self.next_contacts(&mut source, ROUND).await?;
            let (visible, period) = self.as_of_now(raw).await?;
            if period.number != attempt.period.number {
                return Ok(None);
            }
            attempt.period = period;
            for contact in visible {
                attempt.examine(scan, contact);
            }
            if !source.is_drained() && !should_continue() {
                attempt.complete = false;
                break;
            }
        }
        Ok(Some(attempt))
    }
}

impl Attempt<'_> {
    fn examine(&mut self, scan: &Scan<'_>, contact: Contact) {
        self.examined += 1;
        if !is_match(scan.filter, &contact) {
            return;
        }
        self.total += 1;
        let position = scan.sort.position(contact.id, &contact);
        if scan.after.is_none_or(|after| scan.sort.compare(&position, after).is_gt()) {
            self.best.add(position, contact);
        }
    }

    fn page(self, scan: &Scan<'_>, by_key: bool) -> ScannedPage {
        let (mut found, dropped) = self.best.finish();
        let more = dropped || found.len() > scan.limit;
        found.truncate(scan.limit);
        let last = found.last().map(|(position, _)| position.clone());
        ScannedPage {
            contacts: found.into_iter().map(|(_, contact)| contact).collect(),
            period: self.period,
            next: last.filter(|_| more && self.complete),
            total: self.complete.then_some(self.total),
            examined: (!by_key).then_some(Examined { contacts: self.examined, complete: self.complete }),
        }
    }
}
