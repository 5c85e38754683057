//! A trial of the first rows of an import, for its preview. It is decided as the import itself, and nothing is written.

use std::collections::{BTreeMap, HashMap};

use domain::Timestamp;
use domain::decision::Ledger;
use domain::ids::AccountId;
use domain::import::RowResult;
use domain::source::Source;

use super::decide::{Decisions, FirstRows, Order};
use super::manage::Import;
use super::rows::{ImportRow, RowContent};
use super::run::look_up;
use crate::StoreError;
use crate::contacts::Loaded;
use crate::store::Store;

/// The results of rows that were tried.
#[derive(Clone, Debug)]
pub struct TriedRows {
    /// The results, one for each row.
    pub results: Vec<RowResult>,
    /// The number of rows that would clear `unsubscribed`, and of those that would clear `bounced`.
    pub cleared: (u64, u64),
}

impl Store {
    /// Decides the first rows of an import as if it began now, without writing anything.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`](crate::Refused::NotFound) if there is no such account.
    pub async fn try_import_rows(
        &self,
        account: AccountId,
        import: &Import,
        rows: &[ImportRow],
        wall_clock: Timestamp,
    ) -> Result<TriedRows, StoreError> {
        let op = self.operation(account, wall_clock);
        let order = Order {
            // An id of no import, so that the rows are decided as if none had been applied.
            import: self.new_import_id(wall_clock),
            terms: import.terms.clone(),
            source: Source::import(import.name.clone(), import.id),
            actor: domain::source::Actor::System,
        };
        let mut known: HashMap<String, Option<Loaded>> = HashMap::new();
        let mut members = HashMap::new();
        loop {
            let opened = op.read_current_period(Vec::new()).await?;
            let is_missing = |row: &&ImportRow| row.address_key().is_some_and(|key| !known.contains_key(key));
            let Some(first) = rows.iter().position(|row| is_missing(&row)) else { break };
            let rest = rows.iter().skip(first);
            if !look_up(&op, rest, &opened.period, &order, &mut known, &mut members).await? {
                op.retries.retry_now("the address moved during a read").await?;
                known.clear();
            }
        }
        let opened = op.read_current_period(Vec::new()).await?;
        let (ledger, none) = (Ledger::new(&opened.period), FirstRows::default());
        let decisions = Decisions::new(&order, ledger, opened.now, op.new_contact_ids(), &none);
        let mut decisions = decisions.unbounded();
        let mut cleared = BTreeMap::new();
        for row in rows {
            let found = row.address_key().and_then(|key| known.get(key)?.as_ref());
            count_cleared(row, found, &mut cleared);
            decisions.decide(row, found);
        }
        let cleared = |flag| cleared.get(flag).copied().unwrap_or_default();
        Ok(TriedRows {
            results: decisions.complete().results,
            cleared: (cleared(UNSUBSCRIBED), cleared(BOUNCED)),
        })
    }
}

const UNSUBSCRIBED: &str = "unsubscribed";
const BOUNCED: &str = "bounced";

/// Counts the flags that a row would clear.
fn count_cleared(row: &ImportRow, found: Option<&Loaded>, cleared: &mut BTreeMap<&'static str, u64>) {
    let (RowContent::Contact(contact), Some(found)) = (&row.content, found) else { return };
    let flags = [
        (UNSUBSCRIBED, contact.unsubscribed, found.contact.unsubscribed),
        (BOUNCED, contact.bounced, found.contact.bounced),
    ];
    for (flag, wanted, is_set) in flags {
        if wanted == Some(false) && is_set {
            *cleared.entry(flag).or_default() += 1;
        }
    }
}
