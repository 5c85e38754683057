//! The history of an automation: its numbers by day.

use domain::ids::{AccountId, AutomationId};

use super::AutomationRun;
use crate::items::{AutomationItem, AutomationRunItem, decode, unreadable};
use crate::keys::{Key, runs_pk};
use crate::store::{Query, Store};
use crate::{Listing, Refused, StoreError};

impl Store {
    /// Returns the numbers of an automation by day, the latest day first. The list begins before the day `before`.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn automation_runs(
        &self,
        account: AccountId,
        automation: AutomationId,
        before: Option<chrono::NaiveDate>,
        limit: usize,
    ) -> Result<Listing<AutomationRun>, StoreError> {
        let item: Option<AutomationItem> = self.get(Key::automation(account, automation)).await?;
        item.ok_or(Refused::NotFound("automation"))?;
        let after = before.map(|day| Key::automation_run(account, automation, day).sk);
        let pk = runs_pk(account, automation);
        let page = self.query(&Query { pk, prefix: "", after, limit, newest_first: true }).await?;
        let more = page.next.is_some();
        let read = |item: crate::keys::Item| {
            let day = Key::of(&item).and_then(|key| key.sk.parse().ok());
            let day = day.ok_or_else(|| unreadable::<AutomationRunItem>("day"))?;
            let run: AutomationRunItem = decode(item)?;
            let ended_by = run.ended_by.iter().filter_map(|id| id.parse().ok()).collect();
            Ok(AutomationRun { day, counts: run.counts(), ended_by })
        };
        let items = page.items.into_iter().map(read).collect::<Result<_, StoreError>>()?;
        Ok(Listing { items, more })
    }
}
