//! The time and the price of a job on DynamoDB, computed from the time of a transaction. The model contains the store's
//! pauses and nothing else of the program.

use std::time::Duration;

use domain::limits::{
    BULK_PAUSE_MAX, BULK_PAUSE_MIN, BULK_PROBE_INTERVAL, BULK_YIELD_PERCENT, CONTACTS_PER_TRANSACTION_MAX,
};

use crate::report::{Row, row};

/// The time of the batched read before a transaction.
const READ: Duration = Duration::from_millis(5);
/// The price of a million write units on demand in us-east-1 since November 2024, in dollars.
const WRITES_PRICE: f64 = 0.625;
/// The price of a million read units.
const READS_PRICE: f64 = 0.125;
/// The write units of a contact of at most 1 KB in a transaction.
const CONTACT_WRITES: u64 = 2;
/// The write units of the period and of the job in a transaction.
const SHARED_WRITES: u64 = 4;
/// The number of contacts of 1 KB that one read unit reads in a query.
const CONTACTS_PER_READ: u64 = 4;
/// The number of times that each contact is read: for the count and for the job.
const PASSES: u64 = 2;
/// The read units of the period and of the job before a transaction.
const SHARED_READS: u64 = 2;

/// Prints the time of jobs, and their prices.
pub fn report() {
    for millis in [10, 20, 30] {
        let in_flight = Duration::from_millis(millis);
        for (yields, suffix) in [(false, "alone"), (true, "beside other changes")] {
            let [small, large] =
                [100_000, 1_000_000].map(|contacts| time(contacts, in_flight, yields).as_secs_f64());
            let measured = format!(
                "{:.0}/s; 100,000 in {:.1}, 1,000,000 in {:.1}",
                f64::from(transactions(1_000_000)) / large,
                small / 60.0,
                large / 60.0
            );
            let label = format!("By the sums: a job, {in_flight:?} a transaction, {suffix}");
            row(&Row::new(label, measured, "transactions; minutes"));
        }
    }
    for contacts in [100_000, 1_000_000] {
        let (reads, writes) = units(contacts);
        let price = (millions(reads) * READS_PRICE) + (millions(writes) * WRITES_PRICE);
        let measured = format!("{:.2} + {:.2}; {price:.2}", millions(reads), millions(writes));
        let label = format!("By the sums: the count and the job of {contacts} contacts of 1 KB");
        row(&Row::new(label, measured, "million read + write units; $"));
    }
}

fn transactions(contacts: u32) -> u32 {
    contacts.div_ceil(u32::try_from(CONTACTS_PER_TRANSACTION_MAX).expect("a small number"))
}

/// Returns the time of a job. It yields if other requests change the account all the time.
fn time(contacts: u32, in_flight: Duration, yields: bool) -> Duration {
    let (mut now, mut paused_at) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..transactions(contacts) {
        now += READ + in_flight;
        if yields {
            now += (in_flight * BULK_YIELD_PERCENT / 100).clamp(BULK_PAUSE_MIN, BULK_PAUSE_MAX);
        } else if now - paused_at >= BULK_PROBE_INTERVAL {
            now += BULK_PAUSE_MIN;
            paused_at = now;
        }
    }
    now
}

/// Returns the read and write units of a count and its job.
fn units(contacts: u32) -> (u64, u64) {
    let (transactions, contacts) = (u64::from(transactions(contacts)), u64::from(contacts));
    let reads = PASSES * contacts / CONTACTS_PER_READ + SHARED_READS * transactions;
    (reads, CONTACT_WRITES * contacts + SHARED_WRITES * transactions)
}

fn millions(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    let count = count as f64;
    count / 1e6
}
