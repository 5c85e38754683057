//! Counts of the contacts that an audience selects.

use domain::bulk::Tally;
use domain::ids::ContactId;
use domain::limits::BATCH_READ_MAX;
use domain::period::{Period, PeriodNumber};

use super::audience::{Audience, Memberships};
use super::scan::Scan;
use crate::StoreError;
use crate::contacts::{Loaded, queued_in};
use crate::items::CountItem;
use crate::operation::Operation;

/// A count in progress. It can be interrupted and continued.
#[derive(Clone, Default)]
pub(crate) struct Count {
    pub(crate) tally: Tally,
    /// The contact up to which all contacts are counted.
    place: Option<ContactId>,
    /// The period against which the contacts were settled.
    period: Option<PeriodNumber>,
}

impl Count {
    pub(crate) fn to_item(&self) -> CountItem {
        CountItem::of(&self.tally, self.place, self.period)
    }

    pub(crate) fn of_item(item: &CountItem) -> Self {
        Self { tally: item.tally(), place: item.place, period: item.period }
    }
}

/// The decision to continue a count, which is taken after some contacts.
pub(crate) trait Checkpoint {
    /// Returns true if the count continues. It may store the count first.
    fn reached(&mut self, count: &Count) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// A checkpoint that stores nothing.
pub(crate) struct WhileInTime<G>(pub(crate) G);

impl<G: Fn() -> bool + Send> Checkpoint for WhileInTime<G> {
    fn reached(&mut self, _: &Count) -> impl Future<Output = Result<bool, StoreError>> + Send {
        std::future::ready(Ok((self.0)()))
    }
}

/// The end of a pass over the contacts.
enum Pass {
    Complete,
    Interrupted,
    PeriodClosed,
}

impl Operation<'_> {
    /// Continues a count until a checkpoint ends it. Returns the period at the end of a complete count.
    ///
    /// All contacts are settled against the same period. If it closes during the count, the count begins again.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]. The count is then valid up to its place.
    pub(crate) async fn count_audience(
        &self,
        audience: &Audience,
        count: &mut Count,
        checkpoint: &mut impl Checkpoint,
    ) -> Result<Option<Period>, StoreError> {
        loop {
            let period = self.renewed().read_current_period(Vec::new()).await?.period;
            if count.period != Some(period.number) {
                *count = Count { period: Some(period.number), ..Count::default() };
            }
            let mut scan = self.scan(audience, count.place).await?;
            match self.count_scan(audience, count, &period, &mut scan, checkpoint).await? {
                Pass::Interrupted => return Ok(None),
                Pass::PeriodClosed => {}
                Pass::Complete => {
                    let period = self.renewed().read_current_period(Vec::new()).await?.period;
                    if count.period == Some(period.number) {
                        return Ok(Some(period));
                    }
                }
            }
        }
    }

    async fn count_scan(
        &self,
        audience: &Audience,
        count: &mut Count,
        period: &Period,
        scan: &mut Scan<'_>,
        checkpoint: &mut impl Checkpoint,
    ) -> Result<Pass, StoreError> {
        let capacity = period.remaining_capacity();
        loop {
            let (mut loaded, mut lists): (Vec<Loaded>, Vec<Memberships>) = (Vec::new(), Vec::new());
            while loaded.len() < BATCH_READ_MAX
                && let Some(candidate) = scan.next().await?
            {
                loaded.push(candidate.loaded);
                lists.push(candidate.lists);
            }
            let Some(place) = loaded.last().map(|loaded| loaded.contact.id) else {
                return Ok(Pass::Complete);
            };
            if loaded.iter().any(|loaded| queued_in(&loaded.contact) > Some(period.number)) {
                return Ok(Pass::PeriodClosed);
            }
            self.settle_loaded(&mut loaded, period).await?;
            for (Loaded { contact, .. }, memberships) in loaded.iter().zip(&lists) {
                count.tally.examined += 1;
                if contact.is_visible() {
                    count.tally.add(contact, audience.selects(contact, memberships), capacity);
                }
            }
            count.place = Some(place);
            if !scan.while_reading(checkpoint.reached(count)).await? {
                return Ok(Pass::Interrupted);
            }
        }
    }
}
