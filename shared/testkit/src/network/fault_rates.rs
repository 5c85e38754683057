//! What can go wrong with a request, how often it does, and what goes wrong with this one.

use crate::SeededRng;

/// How often each kind of trouble comes, in a thousand requests, and how slow things are at the most.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultRates {
    /// The table is throttled; nothing happens.
    pub throttled: u64,
    /// The service has trouble of its own (500 or 503); nothing happens.
    pub unavailable: u64,
    /// The connection breaks before the request happens.
    pub broken: u64,
    /// There is no answer at all, and nothing happens; the caller's own time-out ends it.
    pub hung: u64,
    /// The request happens and its answer is lost.
    pub answer_lost: u64,
    /// The caller is told that the connection broke, and the request happens afterwards.
    pub late: u64,
    /// The request happens twice.
    pub twice: u64,
    /// A batched request is done in part, or a page of a query ends early.
    pub partial: u64,
    /// The items of a batched read come from two instants.
    pub torn: u64,
    /// The request takes up to [`FaultRates::slow_most`] on its way.
    pub slow: u64,
    /// Of so many senders in a thousand every request is slow: what they read is old by the time they write.
    pub sluggish: u64,
    /// The longest way of a slow request, in milliseconds.
    pub slow_most: u64,
    /// For how long a transaction has its items in hand at the most, in milliseconds.
    pub in_flight_most: u64,
    /// How far an index, or a read that is not consistent, is behind the table at the most, in milliseconds.
    pub lag_most: u64,
}

impl FaultRates {
    /// Nothing goes wrong; transactions still take their time.
    #[must_use]
    pub fn calm() -> Self {
        Self { in_flight_most: 5, lag_most: 50, ..Self::default() }
    }

    /// FaultRates for one run: each kind of trouble is rare, frequent or absent, independently of the others. Now and then
    /// there is a storm, in which retries run out.
    #[must_use]
    pub fn drawn(rng: &mut SeededRng) -> Self {
        let storm = if rng.happens(100) { 4 } else { 1 };
        let mut rate = |most: u64| if rng.happens(300) { 0 } else { rng.between(1, most * storm) };
        Self {
            throttled: rate(40),
            unavailable: rate(40),
            broken: rate(40),
            hung: rate(10),
            answer_lost: rate(80),
            late: rate(40),
            twice: rate(80),
            partial: rate(150),
            torn: rate(300),
            slow: rate(200),
            sluggish: rate(150),
            slow_most: rate(400).clamp(20, 400),
            in_flight_most: rate(25).clamp(2, 30),
            lag_most: rate(1_500).clamp(10, 1_500),
        }
    }
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkFault {
    Throttled,
    Unavailable,
    Broken,
    Hung,
    AnswerLost,
    Late,
    Twice,
}

impl NetworkFault {
    /// Its name in the count of faults.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Broken => "broken before it happened",
            Self::Hung => "hung",
            Self::AnswerLost => "answer lost",
            Self::Late => "happened late",
            Self::Twice => "happened twice",
        }
    }
}

/// How one request fares. Its times are milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) trouble: Option<NetworkFault>,
    pub(crate) there: u64,
    pub(crate) back: u64,
    pub(crate) in_flight: u64,
    pub(crate) partial: bool,
    pub(crate) torn: bool,
    /// For whatever else is to be drawn.
    pub(crate) rng: SeededRng,
}

impl Fate {
    /// A request that nothing happens to.
    pub(crate) fn fair(rng: SeededRng) -> Self {
        Self { trouble: None, there: 0, back: 0, in_flight: 0, partial: false, torn: false, rng }
    }

    /// A request of a sender who is `sluggish`, or is not.
    pub(crate) fn drawn(fault_rates: &FaultRates, sluggish: bool, mut rng: SeededRng) -> Self {
        let kinds = [
            (fault_rates.throttled, NetworkFault::Throttled),
            (fault_rates.unavailable, NetworkFault::Unavailable),
            (fault_rates.broken, NetworkFault::Broken),
            (fault_rates.hung, NetworkFault::Hung),
            (fault_rates.answer_lost, NetworkFault::AnswerLost),
            (fault_rates.late, NetworkFault::Late),
            (fault_rates.twice, NetworkFault::Twice),
        ];
        let mut rest = rng.below(1_000);
        let trouble = kinds.into_iter().find_map(|(rate, trouble)| {
            let met = rest < rate;
            rest = rest.saturating_sub(rate);
            met.then_some(trouble)
        });
        let slow = rng.happens(fault_rates.slow) || sluggish;
        let most = if slow { fault_rates.slow_most } else { 3 };
        Self {
            trouble,
            there: rng.between(1, most.max(1)),
            back: rng.between(0, 3),
            in_flight: rng.between(1, fault_rates.in_flight_most.max(1)),
            partial: rng.happens(fault_rates.partial),
            torn: rng.happens(fault_rates.torn),
            rng,
        }
    }
}
