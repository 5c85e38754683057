//! The faults of requests: their kinds, their rates, and the choice of one for each request.

use crate::SeededRng;

/// The rates of faults per thousand requests, and the greatest delays in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultRates {
    /// The table is throttled. The request is not applied.
    pub throttled: u64,
    /// The service returns 500 or 503. The request is not applied.
    pub unavailable: u64,
    /// The connection breaks. The request is not applied.
    pub broken: u64,
    /// No response arrives, and the request is not applied. The caller's timeout ends the wait.
    pub hung: u64,
    /// The request is applied, and its response is lost.
    pub answer_lost: u64,
    /// The connection breaks, and the request is applied afterwards.
    pub late: u64,
    /// The request is applied twice.
    pub twice: u64,
    /// A batched request is applied in part, or a page of a query ends early.
    pub partial: u64,
    /// A batched read returns items from two instants.
    pub torn: u64,
    /// The request arrives after up to [`FaultRates::slow_most`].
    pub slow: u64,
    /// The rate per thousand senders of those whose every request is slow, so that their reads are stale when they
    /// write.
    pub sluggish: u64,
    /// The greatest delay of a slow request, in milliseconds.
    pub slow_most: u64,
    /// The longest time for which a transaction locks its items, in milliseconds.
    pub in_flight_most: u64,
    /// The greatest lag of an index or an inconsistent read behind the table, in milliseconds.
    pub lag_most: u64,
}

impl FaultRates {
    /// Returns rates without faults. Transactions and indexes still have delays.
    #[must_use]
    pub fn calm() -> Self {
        Self { in_flight_most: 5, lag_most: 50, ..Self::default() }
    }

    /// Returns random rates for one run. Each kind of fault is rare, frequent or absent, independently of the others.
    /// One run in ten has up to fourfold rates, so that callers exhaust their retries.
    #[must_use]
    pub fn drawn(rng: &mut SeededRng) -> Self {
        let factor = if rng.happens(100) { 4 } else { 1 };
        let mut rate = |most: u64| if rng.happens(300) { 0 } else { rng.between(1, most * factor) };
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

/// The fault of one request.
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
    /// Returns the fault's name in the counts of faults.
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

/// The random choices for one request. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) fault: Option<NetworkFault>,
    pub(crate) request_delay: u64,
    pub(crate) response_delay: u64,
    pub(crate) in_flight: u64,
    pub(crate) partial: bool,
    pub(crate) torn: bool,
    /// The generator for all further choices.
    pub(crate) rng: SeededRng,
}

impl Fate {
    /// Returns the choices for a request without faults and delays.
    pub(crate) fn faultless(rng: SeededRng) -> Self {
        Self {
            fault: None,
            request_delay: 0,
            response_delay: 0,
            in_flight: 0,
            partial: false,
            torn: false,
            rng,
        }
    }

    /// Returns random choices for a request. All requests of a `sluggish` sender are slow.
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
        let fault = kinds.into_iter().find_map(|(rate, fault)| {
            let occurs = rest < rate;
            rest = rest.saturating_sub(rate);
            occurs.then_some(fault)
        });
        let slow = rng.happens(fault_rates.slow) || sluggish;
        let most = if slow { fault_rates.slow_most } else { 3 };
        Self {
            fault,
            request_delay: rng.between(1, most.max(1)),
            response_delay: rng.between(0, 3),
            in_flight: rng.between(1, fault_rates.in_flight_most.max(1)),
            partial: rng.happens(fault_rates.partial),
            torn: rng.happens(fault_rates.torn),
            rng,
        }
    }
}
