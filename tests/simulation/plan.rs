//! Histories: one seed determines a list of independent commands, so that shrinking can remove any of them.

use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::Timestamp;
use domain::calendar::{Calendar, Term, TimeZone};
use testkit::{FaultRates, SeededRng, at};

use super::commands::save::Through;
use super::commands::status::Entry;
use super::commands::{
    BeginImport, Bulk, Cancel, CancelImport, Change, Command, Delete, List, MoveClock, One, Read, Rollover,
    Save, Settle, Status, Submit, Sweep, Terms, Work, WorkOnImport,
};

/// The wall clock at the beginning of every history.
pub const START: &str = "2026-11-10T12:00:00.000Z";

/// The number of addresses in an account. It is small, so that many commands affect the same contact.
const ADDRESSES: usize = 7;

/// The highest cap. It is about the number of an account's contacts, so that requests compete for the last places.
const CAP_MOST: u64 = 7;

/// The highest number of contacts that a small tier covers. It is less than the number of an account's contacts.
const TIER_MOST: u64 = 5;

/// The probability, in thousandths, that the next bursts are the end of a month.
const MONTH_ENDS: u64 = 400;

/// The modulus and remainder of the seeds whose first account has many contacts, for lists of several transactions.
const CROWDED: (u64, u64) = (8, 5);

/// The number of addresses in an account with many contacts.
const CROWD: usize = 115;

/// The modulus and remainder of the seeds in which one contact of each account has a long history from the beginning.
const EVENTFUL: (u64, u64) = (4, 3);

/// The modulus and remainder of the seeds with bulk jobs.
const BULKY: (u64, u64) = (3, 2);

/// The modulus and remainder of the seeds with imports.
const IMPORTING: (u64, u64) = (5, 0);

/// Time zones with and without changes of the clock, on both sides of UTC and with a half-hour offset.
const ZONES: [&str; 5] = ["UTC", "Europe/Berlin", "America/Havana", "Asia/Kolkata", "Pacific/Auckland"];

/// An account to create.
#[derive(Clone, Debug)]
pub struct AccountPlan {
    pub calendar: Calendar,
    pub cap: Option<u64>,
    /// The number of contacts that the contract covers, and the step in which it grows.
    pub tier: (u64, u64),
    pub sandbox: bool,
}

/// The change of the wall clock before a burst, while no request is in flight.
#[derive(Clone, Copy, Debug)]
pub enum Jump {
    None,
    Seconds(i64),
    /// Forward to this many milliseconds before the update date of this account.
    BeforeUpdateDate(usize, i64),
}

/// A planned request.
#[derive(Clone)]
pub struct Planned {
    /// The number that seeds all random draws for the request.
    pub id: u32,
    /// The number of the original request if this is a repeat, or else its own.
    pub request: u32,
    pub account: Option<usize>,
    /// The time from the beginning of the burst until the request is sent, in milliseconds.
    pub after: u64,
    /// The time from sending until the client is killed, in milliseconds.
    pub abandoned_after: Option<u64>,
    /// The deviation of the server's clock, in milliseconds.
    pub skew: i64,
    pub key: Option<String>,
    pub command: Arc<dyn Command>,
}

impl Planned {
    /// Creates a request that is sent immediately, and whose client is not killed.
    pub fn of(id: u32, account: usize, command: Arc<dyn Command>) -> Self {
        Self { account: Some(account), ..Self::job(id, command) }
    }

    /// Creates a job for all accounts that runs immediately and is not killed.
    pub fn job(id: u32, command: Arc<dyn Command>) -> Self {
        Self { id, request: id, account: None, after: 0, abandoned_after: None, skew: 0, key: None, command }
    }

    /// Returns true if the store can recognize a repeat of the request, by its key or its delivery.
    fn is_repeatable(&self) -> bool {
        self.key.is_some() || self.command.delivery().is_some()
    }

    /// Sets the time from the beginning of the burst until the request is sent, in milliseconds.
    pub fn sent_after(self, after: u64) -> Self {
        Self { after, ..self }
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, request, account, after, abandoned_after, skew, key, command } = self;
        write!(f, "{id}")?;
        if id != request {
            write!(f, " (repeats {request})")?;
        }
        write!(f, " at {after} ms")?;
        if let Some(account) = account {
            write!(f, ", account {account}")?;
        }
        if let Some(killed) = abandoned_after {
            write!(f, ", killed after {killed} ms")?;
        }
        if *skew != 0 {
            write!(f, ", clock off by {skew} ms")?;
        }
        if let Some(key) = key {
            write!(f, ", key {key}")?;
        }
        write!(f, ": {command:?}")
    }
}

/// Requests that are in flight at the same time.
#[derive(Clone)]
pub struct Burst {
    pub jump: Jump,
    pub requests: Vec<Planned>,
}

/// A whole history.
#[derive(Clone)]
pub struct History {
    pub seed: u64,
    pub fault_rates: FaultRates,
    pub accounts: Vec<AccountPlan>,
    pub bursts: Vec<Burst>,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} in {:?}", self.seed, self.fault_rates)?;
        for (number, account) in self.accounts.iter().enumerate() {
            writeln!(f, "  account {number}: {account:?}")?;
        }
        for burst in self.bursts.iter().filter(|burst| !burst.requests.is_empty()) {
            writeln!(f, "  then, {:?}:", burst.jump)?;
            for request in &burst.requests {
                writeln!(f, "    {request}")?;
            }
        }
        Ok(())
    }
}

fn calendar(rng: &mut SeededRng) -> Calendar {
    let month = u32::try_from(rng.between(1, 12)).unwrap();
    // The day is often near a month's end, where the months differ.
    let day = if rng.coin() { rng.between(28, 31) } else { rng.between(1, 28) };
    let day = u32::try_from(day).unwrap();
    let renewal_date = (0..4).find_map(|less| NaiveDate::from_ymd_opt(2025, month, day - less)).unwrap();
    let term = if rng.coin() { Term::Monthly } else { Term::Annual };
    Calendar { term, renewal_date, time_zone: rng.one_of(&ZONES).parse::<TimeZone>().unwrap() }
}

/// The generator of a history.
pub struct Planner {
    rng: SeededRng,
    accounts: Vec<AccountPlan>,
    /// The number of addresses in an account.
    addresses: usize,
    next: u32,
    /// The approximate instant of the sandboxes' clocks.
    clock: Timestamp,
    /// The requests that may be repeated later.
    sent: Vec<Planned>,
    /// The account of most requests in a burst.
    hot: usize,
}

impl History {
    /// Generates the history of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = SeededRng::of(&[seed, 0]);
        let fault_rates = if rng.happens(100) { FaultRates::calm() } else { FaultRates::drawn(&mut rng) };
        let accounts: Vec<AccountPlan> = [false, rng.coin(), true]
            .into_iter()
            .map(|sandbox| {
                let cap = rng.happens(400).then(|| rng.between(0, CAP_MOST));
                let tier = match rng.happens(600) {
                    true => (rng.between(0, TIER_MOST), rng.between(1, 3)),
                    false => (1_000, 1_000),
                };
                AccountPlan { calendar: calendar(&mut rng), cap, tier, sandbox }
            })
            .collect();
        let crowded = seed % CROWDED.0 == CROWDED.1;
        let addresses = if crowded { CROWD } else { ADDRESSES };
        let (next, clock) = (1, at(START));
        let mut planner =
            Planner { rng, accounts: accounts.clone(), addresses, next, clock, sent: Vec::new(), hot: 0 };
        let mut bursts = Vec::new();
        if crowded {
            bursts.push(planner.crowd());
        }
        if seed % EVENTFUL.0 == EVENTFUL.1 {
            bursts.push(planner.long_histories());
        }
        for _ in 0..if crowded { 3 } else { planner.rng.between(4, 8) } {
            if planner.rng.happens(MONTH_ENDS) {
                bursts.extend(planner.month_end());
            } else {
                bursts.push(planner.burst());
            }
        }
        if seed % BULKY.0 == BULKY.1 {
            planner.rng = SeededRng::of(&[seed, 2]);
            bursts.iter_mut().for_each(|burst| planner.add_bulk_jobs(burst));
        }
        if seed % IMPORTING.0 == IMPORTING.1 {
            planner.rng = SeededRng::of(&[seed, 3]);
            bursts.iter_mut().for_each(|burst| planner.add_imports(burst));
        }
        Self { seed, fault_rates, accounts, bursts }
    }

    pub fn requests(&self) -> impl Iterator<Item = &Planned> {
        self.bursts.iter().flat_map(|burst| &burst.requests)
    }
}

impl Planner {
    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Creates all contacts of the first account, one after another, and lists them.
    fn crowd(&mut self) -> Burst {
        let requests = (0..self.addresses).map(|address| {
            let through = Through::Hand(Some(self.rng.happens(700)));
            let save = Save { address: Some(address), capitals: false, may_exist: true, through, note: None };
            Planned::of(self.number(), 0, Arc::new(One(save))).sent_after(40 * address as u64)
        });
        let mut requests: Vec<Planned> = requests.collect();
        let list = List { billable: false, limit: 20 };
        let after = 50 * requests.len() as u64;
        requests.push(Planned::of(self.number(), 0, Arc::new(list)).sent_after(after));
        Burst { jump: Jump::None, requests }
    }

    /// Sets and queues one contact of each account alternately, so often that its history fills pages.
    fn long_histories(&mut self) -> Burst {
        let mut requests = Vec::new();
        for account in 0..self.accounts.len() {
            for turn in 0..self.rng.between(20, 45) {
                let (address, through) = (Some(0), Through::Hand(Some(true)));
                let command: Arc<dyn Command> = match turn % 2 {
                    0 => {
                        Arc::new(One(Save { address, capitals: false, may_exist: true, through, note: None }))
                    }
                    _ => Arc::new(Status {
                        set_marketing: false,
                        entries: vec![Entry::Address(0)],
                        dry_run: false,
                    }),
                };
                requests.push(Planned::of(self.number(), account, command).sent_after(60 * turn));
            }
        }
        Burst { jump: Jump::None, requests }
    }

    fn burst(&mut self) -> Burst {
        if self.rng.happens(300) {
            self.hot = self.rng.index(self.accounts.len());
        }
        let jump = match self.rng.below(12) {
            0 | 1 => Jump::None,
            2..=6 => Jump::Seconds(61),
            7..=9 => Jump::BeforeUpdateDate(self.hot, i64::try_from(self.rng.between(0, 250)).unwrap()),
            10 => Jump::Seconds(i64::try_from(self.rng.between(1, 26)).unwrap() * 3_600),
            _ => Jump::Seconds(i64::try_from(self.rng.between(1, 100)).unwrap() * 86_400),
        };
        let spread = *self.rng.one_of(&[5, 60, 400]);
        let count = self.rng.between(3, 12);
        let mut requests: Vec<Planned> = Vec::new();
        for _ in 0..count {
            let request = self.request(spread);
            // A concurrent repeat of the request.
            if self.rng.happens(150) && request.account.is_some() {
                requests.push(self.repeat(&request, spread));
            }
            requests.push(request);
        }
        self.repeat_killed(&mut requests);
        // Repeats of requests of earlier bursts.
        for _ in 0..self.rng.below(3) {
            let deliveries_only = self.rng.coin();
            let known = |sent: &&Planned| !deliveries_only || sent.command.delivery().is_some();
            let known: Vec<&Planned> = self.sent.iter().filter(known).collect();
            if !known.is_empty() {
                let first = (*self.rng.one_of(&known)).clone();
                requests.push(self.repeat(&first, spread));
            }
        }
        // Another submission under the id of an earlier delivery.
        for _ in 0..self.rng.below(3) {
            let delivered =
                self.sent.iter().chain(&requests).filter(|sent| sent.command.delivery().is_some());
            let delivered: Vec<Planned> = delivered.cloned().collect();
            if !delivered.is_empty() {
                let first = self.rng.one_of(&delivered).clone();
                if let (Some(account), Some(command)) =
                    (first.account, first.command.varied(&mut self.rng, self.addresses))
                {
                    requests.push(self.request_of(account, command, spread));
                }
            }
        }
        for job in [self.rollover(), self.sweep(), self.sweep(), self.settle(), self.settle()] {
            if self.rng.happens(600) {
                let job = Planned::job(self.number(), job);
                requests.push(self.with_timing(job, spread));
            }
        }
        let first = |request: &&Planned| request.id == request.request && request.is_repeatable();
        self.sent.extend(requests.iter().filter(first).cloned());
        Burst { jump, requests }
    }

    /// Adds bulk jobs and their workers to a burst. Their draws do not change those of the other requests.
    fn add_bulk_jobs(&mut self, burst: &mut Burst) {
        let spread = burst.requests.iter().map(|request| request.after).max().unwrap_or_default().max(60);
        let account = self.rng.index(self.accounts.len());
        for _ in 0..self.rng.between(2, 6) {
            let command: Arc<dyn Command> = match self.rng.below(20) {
                0..=6 => Arc::new(Bulk {
                    set_marketing: self.rng.happens(600),
                    with_note: self.rng.happens(300),
                    counts_first: self.rng.happens(300),
                }),
                7 | 8 => Arc::new(Cancel),
                _ => Arc::new(Work { time: if self.rng.coin() { 100 } else { self.rng.between(1, 6) } }),
            };
            let request = Planned::of(self.number(), account, command);
            let abandoned_after = self.rng.happens(350).then(|| self.rng.between(0, 60));
            burst.requests.push(Planned { abandoned_after, ..request.sent_after(self.rng.below(spread)) });
        }
    }

    /// Adds imports and their workers to a burst. Their draws do not change those of the other requests.
    fn add_imports(&mut self, burst: &mut Burst) {
        let spread = burst.requests.iter().map(|request| request.after).max().unwrap_or_default().max(60);
        let account = self.rng.index(self.accounts.len());
        for _ in 0..self.rng.between(2, 7) {
            let command: Arc<dyn Command> = match self.rng.below(20) {
                0..=6 => {
                    let rows = (0..self.rng.between(1, 12)).map(|_| (self.address(), self.note()));
                    Arc::new(BeginImport { rows: rows.collect(), set_marketing: self.rng.happens(600) })
                }
                7 => Arc::new(CancelImport),
                _ => Arc::new(WorkOnImport {
                    time: if self.rng.coin() { 100 } else { self.rng.between(1, 6) },
                    rows_at_once: self.rng.between(1, 6),
                }),
            };
            let request = Planned::of(self.number(), account, command);
            let abandoned_after = self.rng.happens(350).then(|| self.rng.between(0, 60));
            burst.requests.push(Planned { abandoned_after, ..request.sent_after(self.rng.below(spread)) });
        }
    }

    /// Adds repeats of nearly all requests whose client is killed.
    fn repeat_killed(&mut self, requests: &mut Vec<Planned>) {
        for at in 0..requests.len() {
            let first = requests[at].clone();
            if let (Some(_), Some(killed)) = (first.account, first.abandoned_after)
                && self.rng.happens(900)
            {
                let repeat = self.repeat(&first, 1);
                requests.push(repeat.sent_after(first.after + killed + self.rng.between(1, 30)));
            }
        }
    }

    /// Plans the end of a month in four bursts: contacts are created and queued, commands run within milliseconds of
    /// the update date, the period is closed, and it is swept while some contacts return.
    fn month_end(&mut self) -> [Burst; 4] {
        let real: Vec<usize> = (0..self.accounts.len()).filter(|at| !self.accounts[*at].sandbox).collect();
        self.hot = *self.rng.one_of(&real);
        let mut rush = Vec::new();
        for _ in 0..self.rng.between(4, 7) {
            let command: Arc<dyn Command> = match self.rng.below(3) {
                0 => Arc::new(self.status_of_some(true)),
                _ => Arc::new(One(Save { through: Through::Hand(Some(true)), ..self.save() })),
            };
            rush.push(self.request_of(self.hot, command, 20));
        }
        for _ in 0..self.rng.between(2, 4) {
            let command = Arc::new(self.status_of_some(false));
            let after = self.rng.between(40, 100);
            rush.push(self.request_of(self.hot, command, 1).sent_after(after));
        }
        self.repeat_killed(&mut rush);
        let list = List { billable: self.rng.coin(), limit: 5 };
        rush.push(self.request_of(self.hot, Arc::new(list), 100));
        let closing = (0..2).map(|_| Planned::job(self.number(), self.rollover()));
        let mut closing: Vec<Planned> = closing.collect();
        closing.extend((0..self.rng.below(4)).map(|_| self.request(60)));
        [
            Burst { jump: Jump::None, requests: rush },
            self.update_date(),
            Burst { jump: Jump::Seconds(2), requests: closing },
            Burst { jump: Jump::Seconds(61), requests: self.sweep_with_returns() },
        ]
    }

    /// Plans commands within a few milliseconds of an update date. Most requests have slow clocks, so that for them the
    /// period has not ended yet when it is closed.
    fn update_date(&mut self) -> Burst {
        let before = 12;
        let mut requests = Vec::new();
        for _ in 0..self.rng.between(5, 10) {
            let command: Arc<dyn Command> = match self.rng.below(10) {
                0..=4 => Arc::new(self.status_of_some(false)),
                5 | 6 => Arc::new(One(self.cap())),
                // A new calendar, which is one of the terms, usually moves the update date away.
                7 if self.rng.coin() => Arc::new(One(self.terms())),
                _ => Arc::new(One(self.save())),
            };
            let request = self.request_of(self.hot, command, before + 15);
            requests.push(Planned { skew: -i64::try_from(self.rng.below(30)).unwrap(), ..request });
        }
        self.repeat_killed(&mut requests);
        let closer = Planned::of(self.number(), self.hot, Arc::new(One(Read::Usage)));
        requests.push(closer.sent_after(before + self.rng.below(12)));
        let before = i64::try_from(before).unwrap();
        Burst { jump: Jump::BeforeUpdateDate(self.hot, before), requests }
    }

    /// Plans the sweep of a period while some contacts that left return.
    fn sweep_with_returns(&mut self) -> Vec<Planned> {
        let mut requests = Vec::new();
        // Several workers receive messages of the queue at once.
        for _ in 0..self.rng.between(3, 5) {
            let sweep = Sweep { messages: 8, time: 1_000, again: self.rng.happens(200) };
            let sweep = Planned::job(self.number(), Arc::new(sweep));
            requests.push(self.with_timing(sweep, 10));
        }
        let spread = *self.rng.one_of(&[40, 80, 400]);
        for _ in 0..self.rng.between(4, 8) {
            let command: Arc<dyn Command> = match self.rng.below(10) {
                0..=4 => Arc::new(self.status_of_some(true)),
                5 => Arc::new(One(self.submit())),
                6 => Arc::new(One(self.save())),
                7 => Arc::new(One(self.change())),
                8 => Arc::new(One(Delete { contact: self.rng.bits(), erase: self.rng.happens(400) })),
                _ => Arc::new(List { billable: self.rng.coin(), limit: 5 }),
            };
            requests.push(self.request_of(self.hot, command, spread));
        }
        requests
    }

    fn status_of_some(&mut self, set_marketing: bool) -> Status {
        let most = if self.addresses > ADDRESSES { 25 } else { 4 };
        let entries = (0..self.rng.between(1, most)).map(|_| Entry::Address(self.address())).collect();
        Status { set_marketing, entries, dry_run: false }
    }

    fn request(&mut self, spread: u64) -> Planned {
        let account = if self.rng.happens(750) { self.hot } else { self.rng.index(self.accounts.len()) };
        let command = self.command(account);
        self.request_of(account, command, spread)
    }

    fn request_of(&mut self, account: usize, command: Arc<dyn Command>, spread: u64) -> Planned {
        let id = self.number();
        let key = (command.takes_key() && self.rng.happens(500)).then(|| format!("key {id}"));
        let account = command.is_of_an_account().then_some(account);
        self.with_timing(Planned { account, key, ..Planned::job(id, command) }, spread)
    }

    fn repeat(&mut self, first: &Planned, spread: u64) -> Planned {
        let repeat = Planned { id: self.number(), ..first.clone() };
        self.with_timing(repeat, spread)
    }

    /// Draws when the request is sent, whether its client is killed, and the deviation of its clock.
    fn with_timing(&mut self, request: Planned, spread: u64) -> Planned {
        // Clients of repeatable requests are killed more often, so that more repeats occur.
        let often = if request.is_repeatable() { 200 } else { 80 };
        let abandoned_after = self.rng.happens(often).then(|| self.rng.between(0, 40));
        let skew = if self.rng.happens(300) { i64::try_from(self.rng.below(60)).unwrap() - 30 } else { 0 };
        Planned { after: self.rng.below(spread), abandoned_after, skew, ..request }
    }

    fn address(&mut self) -> usize {
        self.rng.index(self.addresses)
    }

    fn note(&mut self) -> Option<u64> {
        self.rng.happens(300).then(|| self.rng.below(1_000))
    }

    /// Draws a command, each kind with its weight in percent.
    fn command(&mut self, account: usize) -> Arc<dyn Command> {
        match self.rng.below(100) {
            0..=15 => Arc::new(One(self.save())),
            16..=27 => Arc::new(One(self.submit())),
            28..=51 => Arc::new(self.status()),
            52..=59 => Arc::new(One(self.change())),
            60..=67 => {
                let (contact, erase) = (self.rng.bits(), self.rng.happens(400));
                Arc::new(One(Delete { contact, erase }))
            }
            68..=74 => Arc::new(One(self.terms())),
            75..=79 if self.accounts[account].sandbox => Arc::new(One(self.move_clock())),
            75..=79 => self.rollover(),
            80..=84 => self.sweep(),
            85..=87 => {
                let limit = usize::try_from(self.rng.between(1, 20)).unwrap();
                Arc::new(List { billable: self.rng.coin(), limit })
            }
            _ => Arc::new(One(self.read())),
        }
    }

    fn rollover(&mut self) -> Arc<dyn Command> {
        let time = if self.rng.happens(700) { 1_000 } else { self.rng.below(4) };
        Arc::new(Rollover { time, queue_fails: self.rng.happens(100) })
    }

    fn sweep(&mut self) -> Arc<dyn Command> {
        let time = if self.rng.happens(700) { 1_000 } else { self.rng.below(2) };
        let messages = *self.rng.one_of(&[1, 8, 40, 100]);
        Arc::new(Sweep { messages, time, again: self.rng.happens(200) })
    }

    fn settle(&mut self) -> Arc<dyn Command> {
        let time = if self.rng.happens(700) { 1_000 } else { self.rng.below(2) };
        let messages = *self.rng.one_of(&[1, 3, 100]);
        Arc::new(Settle { messages, time, again: self.rng.happens(200) })
    }

    fn save(&mut self) -> Save {
        let through = match self.rng.below(6) {
            0..=3 => Through::Hand(Some(true)),
            4 => *self.rng.one_of(&[Through::Hand(None), Through::Hand(Some(false)), Through::Meeting]),
            _ => Through::Integration(self.rng.coin()),
        };
        let address = (!self.rng.happens(60)).then(|| self.address());
        Save { address, capitals: self.rng.coin(), may_exist: self.rng.coin(), through, note: self.note() }
    }

    fn submit(&mut self) -> Submit {
        let delivery = self.rng.happens(600).then(|| format!("delivery {}", self.next));
        let form = *self.rng.one_of(&[0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4]);
        let (queued_directly, queue_fails) = (self.rng.happens(200), self.rng.happens(150));
        let (address, capitals, note) = (self.address(), self.rng.coin(), self.note());
        Submit { address, capitals, form, note, delivery, queued_directly, queue_fails }
    }

    fn status(&mut self) -> Status {
        let crowd = self.addresses > ADDRESSES && self.rng.happens(500);
        let length = if crowd { self.rng.between(90, 200) } else { self.rng.between(1, 8) };
        let entries = (0..length).map(|_| match self.rng.below(20) {
            0 => Entry::Unknown,
            1..=9 => Entry::Address(self.address()),
            _ => Entry::Picked(self.rng.bits()),
        });
        let entries = entries.collect();
        Status { set_marketing: self.rng.coin(), entries, dry_run: self.rng.happens(120) }
    }

    fn change(&mut self) -> Change {
        let address = match self.rng.below(5) {
            0..=2 => Some(Some(self.address())),
            3 => self.rng.happens(300).then_some(None),
            _ => None,
        };
        let note = if address.is_none() { Some(self.rng.below(1_000)) } else { self.note() };
        let contact = self.rng.bits();
        // Every fourth update also has a command for the state.
        let status = match contact % 8 {
            0 => Some(true),
            1 => Some(false),
            _ => None,
        };
        Change { contact, address, note, status }
    }

    fn cap(&mut self) -> Terms {
        Terms::Cap((!self.rng.happens(400)).then(|| self.rng.between(0, CAP_MOST)))
    }

    fn terms(&mut self) -> Terms {
        match self.rng.below(12) {
            9 | 10 => Terms::Tier(self.rng.between(0, TIER_MOST), self.rng.between(1, 3)),
            6 | 7 => Terms::Calendar(calendar(&mut self.rng)),
            8 => Terms::ExternalForm(self.rng.coin()),
            5 => Terms::FormsMayRaiseTier(self.rng.coin()),
            0..=4 => self.cap(),
            _ => Terms::Switch(self.rng.happens(700)),
        }
    }

    /// Draws a move of the clock: mostly forward, and often to within a millisecond of a month's beginning.
    fn move_clock(&mut self) -> MoveClock {
        let days = match self.rng.below(10) {
            0 => 0,
            1..=6 => self.rng.between(1, 20),
            _ => self.rng.between(30, 150),
        };
        let to = self.clock.plus(chrono::TimeDelta::days(i64::try_from(days).unwrap()));
        let to = match self.rng.below(4) {
            0 => self.edge_of_month(to),
            _ => to.plus(chrono::TimeDelta::milliseconds(i64::try_from(self.rng.below(86_400_000)).unwrap())),
        };
        self.clock = self.clock.max(to);
        MoveClock { to }
    }

    fn edge_of_month(&mut self, near: Timestamp) -> Timestamp {
        let first: Timestamp = format!("{}-01T00:00:00.000Z", &near.to_string()[..7]).parse().unwrap();
        Timestamp::from_millis(first.millis() + i64::try_from(self.rng.below(3)).unwrap() - 1)
    }

    fn read(&mut self) -> Read {
        match self.rng.below(6) {
            0 | 1 => Read::Usage,
            2 => Read::Contact(self.rng.bits()),
            3 => Read::Address(self.address()),
            4 => Read::History(self.rng.bits()),
            _ => Read::Statements,
        }
    }
}
