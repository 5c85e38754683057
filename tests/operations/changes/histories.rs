//! Random histories of an account whose index is on, across update dates and during sweeps.
//!
//! `SEEDS=200` runs more histories, and `SEED=7` runs one.

use domain::limits::SWEEP_INDEXED_AFTER;
use domain::period::Statement;
use domain::source::Intake;
use store::SaveMode;
use testkit::{SeededRng, terms};

use super::super::save;
use super::*;

const PEOPLE: u64 = 14;
const COMMANDS: u64 = 60;

struct History {
    table: TestTable,
    account: AccountId,
    rng: SeededRng,
    /// The wall clock.
    now: Timestamp,
    /// True if the account has its own clock.
    sandbox: bool,
    known: Vec<ContactId>,
}

impl History {
    async fn start(seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let (table, sandbox) = (TestTable::start().await, rng.happens(300));
        let test_clock = sandbox.then(|| at("2031-03-10T12:00:00.000Z"));
        let terms = domain::period::Terms { test_clock, ..terms() };
        let account = table.account_with(terms, at(START)).await;
        let mut history = Self { table, account, rng, now: at(START), sandbox, known: Vec::new() };
        for _ in 0..5 {
            history.command().await;
        }
        index_changes(&history.table.store, account, true, history.now).await;
        history
    }

    /// Returns the account's instant.
    async fn instant(&self) -> Timestamp {
        self.table.store.usage(self.account, self.now).await.unwrap().now(self.now)
    }

    async fn command(&mut self) {
        let (account, value) = (self.account, self.rng.below(1_000).to_string());
        match self.rng.below(100) {
            0..30 => self.save().await,
            30..45 => {
                if let Some(id) = self.someone().await {
                    edit(&self.table.store, account, id, &value, self.now).await;
                }
            }
            45..70 => {
                let command = *self.rng.one_of(&[Command::SetMarketing, Command::SetNonMarketingPending]);
                let some: Vec<ContactId> =
                    self.known.iter().copied().filter(|_| self.rng.happens(400)).collect();
                set(&self.table.store, account, command, &some, self.now).await.unwrap();
            }
            70..78 => {
                let erase = self.rng.coin();
                if let Some(id) = self.someone().await {
                    delete(&self.table.store, account, id, erase, self.now).await.unwrap();
                }
            }
            78..90 => self.pass_time().await,
            90..99 => self.sweep_some().await,
            _ => {
                let on = self.rng.coin();
                index_changes(&self.table.store, account, on, self.now).await;
            }
        }
    }

    async fn save(&mut self) {
        let address = format!("p{}@example.org", self.rng.below(PEOPLE));
        let intake = Intake::Manual { marketing: self.rng.coin().then_some(true) };
        let saved =
            save(&self.table.store, self.account, &address, SaveMode::CreateOrUpdate, intake, self.now);
        let id = saved.await.unwrap().contact.id;
        self.known.push(id);
        self.known.sort_unstable();
        self.known.dedup();
    }

    /// Returns a random contact that is not deleted.
    async fn someone(&mut self) -> Option<ContactId> {
        let all = everything(&self.table.store, self.account, self.now).await;
        (!all.is_empty()).then(|| self.rng.one_of(&all).id)
    }

    /// Moves the clocks, often to an update date or next to it.
    async fn pass_time(&mut self) {
        let ends_at = self.table.store.usage(self.account, self.now).await.unwrap().ends_at;
        let aside = TimeDelta::milliseconds(i64::try_from(self.rng.below(3)).unwrap() - 1);
        let instant = self.instant().await;
        let seconds = i64::try_from(self.rng.between(1, 3 * 86_400)).unwrap();
        let to = match self.rng.below(3) {
            0 => ends_at.plus(aside),
            1 => instant.plus(TimeDelta::seconds(seconds)),
            _ => instant.plus(TimeDelta::milliseconds(1)),
        };
        if !self.sandbox {
            self.now = to.max(self.now);
            return;
        }
        self.now = self.now.plus(TimeDelta::seconds(seconds / 2_000));
        let told = Told::<Account>::new();
        let responder = told.render();
        let responder = Responder::new(None, &responder);
        self.table.store.advance_test_clock(self.account, to, self.now, responder).await.unwrap();
    }

    async fn statements(&self) -> Vec<Statement> {
        self.table.store.statements(self.account, self.now, None, 1_000).await.unwrap().items
    }

    async fn sweep_some(&mut self) {
        for statement in self.statements().await {
            for task in self.table.store.unswept(self.account, statement.number).await.unwrap() {
                if self.rng.happens(500) {
                    let ends = self.rng.coin();
                    self.table.store.sweep(task, self.now, || ends).await.unwrap();
                }
            }
        }
    }

    /// Returns a random request. Its bounds are often next to the instants that something has.
    async fn request(&mut self, all: &[Contact]) -> ChangedContacts {
        let mut instants: Vec<Timestamp> = all.iter().map(|contact| contact.updated_at).collect();
        instants.extend(self.statements().await.iter().map(|statement| statement.ends_at));
        let period = self.table.store.usage(self.account, self.now).await.unwrap();
        instants.extend(period.indexed_from);
        instants.push(period.now(self.now));
        let mut bound = || {
            let aside = i64::try_from(self.rng.below(3)).unwrap() - 1;
            self.rng.one_of(&instants).plus(TimeDelta::milliseconds(aside))
        };
        let (from, to) = (bound(), bound());
        let to = if self.rng.coin() { to } else { Timestamp::MAX };
        let direction = *self.rng.one_of(&[Direction::Ascending, Direction::Descending]);
        let order = *self.rng.one_of(&[ChangeOrder::Instant(direction), ChangeOrder::Id(direction)]);
        let ids = match self.known.as_slice() {
            [] => ALL_IDS,
            _ if self.rng.happens(600) => ALL_IDS,
            known => *self.rng.one_of(known)..=*self.rng.one_of(known),
        };
        let (offset, limit) = (self.rng.index(4), 1 + self.rng.index(9));
        ChangedContacts { account: self.account, changed: from..=to, ids, order, offset, limit }
    }

    /// Returns true if the index must know all contacts of a request, and `None` if it may.
    async fn must_know(&self, request: &ChangedContacts) -> Option<bool> {
        let period = self.table.store.usage(self.account, self.now).await.unwrap();
        let from = *request.changed.start();
        let Some(since) = period.indexed_from.filter(|since| *since <= from) else { return Some(false) };
        let mut must = Some(true);
        for statement in self.statements().await {
            let unknown = statement.starts_at < since && request.changed.contains(&statement.ends_at);
            if !unknown || statement.left == 0 || request.changed.is_empty() || request.ids.is_empty() {
                continue;
            }
            if !self.table.store.unswept(self.account, statement.number).await.unwrap().is_empty() {
                return Some(false);
            }
            must = None;
        }
        must
    }

    async fn check(&mut self) {
        let all = everything(&self.table.store, self.account, self.now).await;
        for _ in 0..3 {
            let request = self.request(&all).await;
            let must = self.must_know(&request).await;
            match self.table.store.changed_contacts(&request, self.now).await.unwrap() {
                ChangedResult::Page(page) => {
                    assert_ne!(must, Some(false), "{request:?}");
                    compare(&request, &page, &all);
                }
                ChangedResult::NotIndexed => assert_ne!(must, Some(true), "{request:?}"),
                ChangedResult::TooMany => {
                    let unswept = self.statements().await.len();
                    assert!(unswept > CHANGED_PERIODS_MAX, "{request:?}");
                }
            }
        }
    }
}

/// Compares a page with what all contacts say.
fn compare(request: &ChangedContacts, page: &ChangedPage, all: &[Contact]) {
    let selects = |contact: &&Contact| {
        request.changed.contains(&contact.updated_at) && request.ids.contains(&contact.id)
    };
    let mut expected: Vec<&Contact> = all.iter().filter(selects).collect();
    let direction = match request.order {
        ChangeOrder::Instant(direction) => {
            expected.sort_by_key(|contact| (contact.updated_at, contact.id));
            direction
        }
        ChangeOrder::Id(direction) => {
            expected.sort_by_key(|contact| contact.id);
            direction
        }
    };
    if direction == Direction::Descending {
        expected.reverse();
    }
    assert_eq!(page.total, expected.len() as u64, "{request:?}");
    let expected = expected.into_iter().skip(request.offset).take(request.limit);
    assert!(page.contacts.iter().eq(expected), "{request:?}: {:?}", page.contacts);
}

/// Returns the number in an environment variable.
fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "the variable lets a developer choose the histories")]
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test(start_paused = true)]
async fn index_agrees_with_a_read_of_all_contacts() {
    let (from, count) = number("SEED").map_or((0, number("SEEDS").unwrap_or(4)), |seed| (seed, 1));
    for seed in from..from + count {
        let mut history = History::start(seed).await;
        for _ in 0..COMMANDS {
            history.command().await;
            history.check().await;
        }
        history.now = history.now.plus(SWEEP_INDEXED_AFTER);
        history.check().await;
    }
}
