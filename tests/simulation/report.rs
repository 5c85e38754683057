//! The statistics of a run of many seeds.

use std::collections::BTreeMap;
use std::fmt;

use super::run::Ended;
use super::world::Counts;

/// The summed statistics of many runs.
#[derive(Default)]
pub struct Report {
    seeds: u64,
    counts: Counts,
    operations: u64,
    faults: BTreeMap<&'static str, u64>,
}

impl Report {
    pub fn add(&mut self, ended: &Ended) {
        self.seeds += 1;
        self.operations += ended.operations;
        let Counts {
            commands,
            abandoned,
            repeated,
            unanswered,
            late,
            update_dates,
            left,
            writes,
            accepted,
            settled_together,
            edits,
            shared_ids,
        } = &ended.counts;
        for (sum, count) in [
            (&mut self.counts.commands, commands),
            (&mut self.counts.abandoned, abandoned),
            (&mut self.counts.repeated, repeated),
            (&mut self.counts.unanswered, unanswered),
            (&mut self.counts.late, late),
            (&mut self.counts.update_dates, update_dates),
            (&mut self.counts.left, left),
            (&mut self.counts.writes, writes),
            (&mut self.counts.accepted, accepted),
            (&mut self.counts.settled_together, settled_together),
            (&mut self.counts.edits, edits),
            (&mut self.counts.shared_ids, shared_ids),
        ] {
            *sum += count;
        }
        for (fault, count) in &ended.faults {
            *self.faults.entry(fault).or_default() += count;
        }
    }

    /// Returns the number of kinds of faults that occurred. A kind that never occurs tests nothing.
    pub fn kinds_of_faults(&self) -> usize {
        self.faults.len()
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            commands,
            abandoned,
            repeated,
            unanswered,
            late: _,
            update_dates,
            left,
            writes,
            accepted,
            settled_together,
            edits,
            shared_ids,
        } = &self.counts;
        writeln!(f, "{:>8} seeds", self.seeds)?;
        writeln!(f, "{commands:>8} commands, of which {repeated} were sent again")?;
        writeln!(f, "{:>8} operations on the table, of which {writes} changed something", self.operations)?;
        writeln!(f, "{update_dates:>8} update dates passed, at which {left} contacts left")?;
        writeln!(f, "{abandoned:>8} requests abandoned half-way")?;
        writeln!(f, "{unanswered:>8} requests ended without an answer")?;
        writeln!(
            f,
            "{accepted:>8} submissions accepted into the inbox, {settled_together} times several settled at once"
        )?;
        writeln!(f, "{edits:>8} edits of deliveries, and {shared_ids} other contacts under the id of one")?;
        let faults: u64 = self.faults.values().sum();
        writeln!(f, "{faults:>8} faults:")?;
        for (fault, count) in &self.faults {
            writeln!(f, "{count:>14} {fault}")?;
        }
        Ok(())
    }
}
