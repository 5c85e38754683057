//! Runs a history on one thread with tokio's paused time, with the store over a simulated network with faults.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use chrono::TimeDelta;
use domain::Timestamp;
use domain::ids::AccountId;
use domain::limits::SWEEP_EXPECTED;
use domain::provider::Provider;
use domain::tier::Tier;
use store::{Account, Form, NewAccount, NewForm, Rng, Store, StoreError, UpdateAccount};
use testkit::{Network, SeededRng, TABLE, at};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::checks;
use super::commands::bulk::all_finished;
use super::commands::imports::all_imported;
use super::commands::{
    Command, Context, Rollover, Sending, Settle, Sweep, WorkOnDue, WorkOnDueImports, refused, text_response,
};
use super::plan::{AccountPlan, Burst, History, Jump, Planned, START};
use super::world::{Counts, Delivered, ExpectedAccount, Flight, KeyRecord, Names, State, Violation, World};
use crate::model::rules::{BY_EXTERNAL_FORM, BY_FORM, FormRules, Model};

/// The longest delay of an index after the last write.
const INDEX_CATCHES_UP: Duration = Duration::from_secs(2);

/// The maximum number of rounds in which the jobs must finish their work at the end.
const FINAL_ROUNDS: u32 = 12;

/// The description of the moment of a full comparison.
const QUIET: &str = "when no request was in flight";

/// The result of a history.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// The first violation of the rules, if there was one.
    pub violation: Option<Violation>,
    pub counts: Counts,
    pub operations: u64,
    pub faults: BTreeMap<&'static str, u64>,
    pub trace: String,
}

/// Runs a history to its end or to the first violation.
pub fn run(history: &History, trace: bool) -> Ended {
    run_over(history, |network| {
        if trace {
            network.trace();
        }
    })
}

/// Runs a history as [`run`] does. `prepare` changes the network after the accounts are created.
pub fn run_over(history: &History, prepare: impl FnOnce(&Network)) -> Ended {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let network = Network::start(history.seed, history.fault_rates).await;
        let mut run = Run::start(history, network).await;
        prepare(&run.network);
        run.all(history).await;
        run.end()
    })
}

struct Run {
    network: Network,
    client: Client,
    world: Arc<Mutex<World>>,
    seed: u64,
    begun: Instant,
    /// The time by which jumps have moved the wall clock forward.
    put_forward: TimeDelta,
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    async fn start(history: &History, network: Network) -> Self {
        let world = Arc::new(Mutex::new(World::new(network.operations())));
        let seed = history.seed;
        let client = network.client();
        let run =
            Self { network, client, world, seed, begun: Instant::now(), put_forward: TimeDelta::zero() };
        for (place, plan) in history.accounts.iter().enumerate() {
            let book = run.open_account(place, plan).await;
            let mut world = lock(&run.world);
            world.accounts.insert(book.id.to_string(), place);
            world.accounts.extend(book.forms.iter().map(|form| (form.id.to_string(), place)));
            world.books.push(book);
        }
        lock(&run.world).settle();
        let watching = run.world.clone();
        run.network.watch(move |write, items| {
            let mut world = lock(&watching);
            let saw = catch_unwind(AssertUnwindSafe(|| world.saw(write, items)));
            if let Err(panic) = saw {
                let why = panic.downcast_ref::<String>().cloned();
                let why = why.or_else(|| panic.downcast_ref::<&str>().map(|why| (*why).to_owned()));
                let why = why.unwrap_or_default();
                world.violated(format!("could not interpret {write:?}"), why);
            }
        });
        run
    }

    fn wall_clock(&self) -> Timestamp {
        let elapsed = TimeDelta::from_std(self.begun.elapsed()).unwrap();
        at(START).plus(self.put_forward + elapsed)
    }

    /// Returns a store with the sender's own randomness.
    fn store(&self, sender: u32) -> Store {
        let rng = SeededRng::of(&[self.seed, u64::from(sender), u64::MAX]).bits();
        Store::new(self.client.clone(), TABLE, Rng::seeded(rng))
    }

    async fn open_account(&self, place: usize, plan: &AccountPlan) -> ExpectedAccount {
        let wall_clock = self.wall_clock();
        let store = self.store(u32::MAX - u32::try_from(place).unwrap());
        let clock = plan.sandbox.then_some(wall_clock);
        let terms = domain::period::Terms {
            calendar: plan.calendar,
            tier: Tier::new(plan.tier.0, plan.tier.1).unwrap(),
            cap: plan.cap,
            marketing_contacts: true,
            test_clock: clock,
        };
        let token = format!("{:064x}", store.rng().bits());
        let new = NewAccount { name: "Test", terms, token_sha256: &token };
        let render = text_response(|account: &Account| account.id.to_string());
        let made =
            store.create_account(&new, wall_clock, store::Responder::new(None, &render)).await.unwrap();
        let id = made.body.parse().unwrap();
        let mut model = Model::new(&plan.calendar, wall_clock);
        model.cap = plan.cap;
        model.tier = crate::model::rules::Tier::new(plan.tier.0, plan.tier.1);
        let mut forms = Vec::new();
        for new in FORMS.map(|form| form()) {
            forms.push(form(&store, id, &new, wall_clock).await);
        }
        let rules = forms.iter().map(|form| FormRules {
            id: form.id.to_string(),
            sets: form.set_marketing,
            max_per_day: form.max_new_marketing_per_day,
            may_raise_tier: form.may_raise_tier,
            through: if form.provider == Provider::Native { BY_FORM } else { BY_EXTERNAL_FORM },
            day: None,
            counts: BTreeMap::new(),
        });
        if (self.seed + place as u64).is_multiple_of(2) {
            self.index_changes(&store, id).await;
        }
        ExpectedAccount {
            id,
            state: State { model, clock, external_form: true, forms: rules.collect() },
            past: Vec::new(),
            names: Names::default(),
            forms,
            deliveries: BTreeMap::new(),
            inbox: BTreeMap::new(),
            settled: BTreeMap::new(),
        }
    }

    /// Switches on the account's index of changes, which no command of a history mentions.
    async fn index_changes(&self, store: &Store, account: AccountId) {
        let change = UpdateAccount { index_changes: Some(true), ..UpdateAccount::default() };
        let render = text_response(|account: &Account| account.id.to_string());
        let responder = store::Responder::new(None, &render);
        store.update_account(account, &change, self.wall_clock(), responder).await.unwrap();
    }

    async fn all(&mut self, history: &History) {
        for burst in &history.bursts {
            self.burst(burst).await;
            if lock(&self.world).violation.is_some() {
                return;
            }
        }
        self.finish_jobs().await;
    }

    async fn burst(&mut self, burst: &Burst) {
        self.jump(burst.jump).await;
        let begun = Instant::now();
        let mut clients = Vec::new();
        for planned in &burst.requests {
            let client = self.client(planned, begun);
            clients.push(tokio::spawn(Network::sent_by(planned.id, client)));
        }
        for client in clients {
            if let Err(error) = client.await {
                lock(&self.world).violated("a client panicked", error.to_string());
            }
        }
        self.network.quiet().await;
        self.check_all();
    }

    async fn jump(&mut self, jump: Jump) {
        let by = match jump {
            Jump::None => TimeDelta::zero(),
            Jump::Seconds(seconds) => TimeDelta::seconds(seconds),
            Jump::BeforeUpdateDate(account, before) => {
                let ends_at = lock(&self.world).books[account].state.model.ends_at.millis();
                TimeDelta::milliseconds((ends_at - before - self.wall_clock().millis()).max(0))
            }
        };
        // A jump moves only the wall clock. Paused time advances by at most the delay of the indexes.
        let slept = INDEX_CATCHES_UP.min(by.to_std().unwrap_or_default());
        sleep(slept).await;
        self.put_forward += by - TimeDelta::from_std(slept).unwrap();
    }

    /// Returns the task of one client: it waits, sends its request, and may be killed.
    fn client(&self, planned: &Planned, begun: Instant) -> impl Future<Output = ()> + Send + use<> {
        let planned = planned.clone();
        let (store, world) = (self.store(planned.id), self.world.clone());
        let (run_begun, put_forward, seed) = (self.begun, self.put_forward, self.seed);
        async move {
            sleep_until(begun + Duration::from_millis(planned.after)).await;
            let elapsed = TimeDelta::from_std(run_begun.elapsed()).unwrap();
            let wall_clock = at(START).plus(put_forward + elapsed + TimeDelta::milliseconds(planned.skew));
            let context = begin(&planned, store, &world, wall_clock, seed);
            let command = planned.command.clone();
            let sent = command.send(&context);
            let sent = storing_refusals(&context, sent);
            let answer = match planned.abandoned_after {
                Some(after) => timeout(Duration::from_millis(after), sent).await.ok(),
                None => Some(sent.await),
            };
            let mut world = lock(&world);
            match answer {
                Some(answer) => world.answered(planned.id, answer),
                None => world.counts.abandoned += 1,
            }
        }
    }

    /// Compares the whole table with the rules while no request is in flight.
    fn check_all(&self) {
        let items = self.network.scan();
        let mut world = lock(&self.world);
        if world.violation.is_some() {
            return;
        }
        let seen = self.network.items();
        if let Some((key, item)) = items.iter().find(|(key, item)| seen.get(key) != Some(item)) {
            let why = format!("{key:?} is {item} and was written as {:?}", seen.get(key));
            world.violated(QUIET, why);
        }
        if let Some(key) = seen.keys().find(|key| !items.contains_key(key)) {
            world.violated(QUIET, format!("{key:?} was written and is not stored"));
        }
        let books = world.books.iter();
        let wrong = books.map(|book| checks::whole(&book.state, &book.names, &book.id, &items));
        if let Some(why) = wrong.filter_map(Result::err).next() {
            world.violated(QUIET, why);
        }
        world.settle();
    }

    /// Runs the jobs without faults until all work is done, and checks that none is left.
    async fn finish_jobs(&mut self) {
        self.network.without_faults();
        let mut left = None;
        // An update date may pass meanwhile, which causes more work.
        for round in 0..FINAL_ROUNDS {
            self.put_forward += SWEEP_EXPECTED * 2;
            let jobs: [Arc<dyn Command>; 5] = [
                Arc::new(Rollover { time: u64::MAX, queue_fails: false }),
                Arc::new(Sweep { messages: 1_000, time: u64::MAX, again: false }),
                Arc::new(Settle { messages: 1_000, time: u64::MAX, again: false }),
                Arc::new(WorkOnDue),
                Arc::new(WorkOnDueImports),
            ];
            let requests = (0..).zip(jobs).map(|(place, command)| {
                let (id, after) = (u32::MAX / 2 + 5 * round + place, 120_000 * u64::from(place));
                Planned::job(id, command).sent_after(after)
            });
            self.burst(&Burst { jump: Jump::None, requests: requests.collect() }).await;
            let items = self.network.items();
            let world = lock(&self.world);
            if world.violation.is_some() {
                return;
            }
            let mut books = world.books.iter();
            // A client that is killed between a deletion and its cleanup leaves orphaned pages behind.
            let Counts { abandoned, unanswered, late, .. } = world.counts;
            let tidy = abandoned + unanswered + late == 0;
            left = books.find_map(|book| {
                let swept = checks::swept(&book.state, &book.id, &items, tidy);
                let finished = swept.and_then(|()| all_finished(book, &items));
                finished.and_then(|()| all_imported(book, &items)).err()
            });
            if left.is_none() {
                return;
            }
        }
        lock(&self.world).violated("after the jobs' last round", left.unwrap_or_default());
    }

    fn end(&self) -> Ended {
        let world = lock(&self.world);
        let mut counts = world.counts.clone();
        for book in &world.books {
            let ids: BTreeSet<_> = book.deliveries.keys().map(|(id, form, _)| (id, form)).collect();
            counts.shared_ids += (book.deliveries.len() - ids.len()) as u64;
            counts.edits += book.deliveries.values().map(Delivered::edits).sum::<u64>();
        }
        Ended {
            violation: world.violation.clone(),
            counts,
            operations: self.network.operations().load(Ordering::Relaxed),
            faults: self.network.faults(),
            trace: self.network.traced(),
        }
    }
}

/// Stores a refusal under the request's key, as the API does.
async fn storing_refusals(context: &Context, sent: Sending<'_>) -> Result<String, StoreError> {
    match (sent.await, &context.claim) {
        (Err(StoreError::Refused(refusal)), Some(claim)) => {
            let answer =
                store::StoredResponse { status: 400, body: refused(&refusal), etag: None, location: None };
            Ok(context.store.save_refusal(claim, answer, context.wall_clock).await?.body)
        }
        (answer, _) => answer,
    }
}

/// Records a request as in flight and returns its context.
fn begin(
    planned: &Planned,
    store: Store,
    world: &Arc<Mutex<World>>,
    wall_clock: Timestamp,
    seed: u64,
) -> Context {
    let shared = world.clone();
    let mut world = lock(world);
    world.counts.commands += 1;
    world.counts.repeated += u64::from(planned.id != planned.request);
    let Planned { id, account, command, key, .. } = planned;
    let mut flight = Flight {
        account: *account,
        command: command.clone(),
        wall_clock,
        picked: BTreeMap::new(),
        key: key.clone(),
        since: 0,
        done: None,
        outcomes: BTreeMap::new(),
        last: (0, 0),
        waits: None,
        counted: false,
        answered: false,
        late: false,
    };
    let (mut id_of, mut forms, mut claim) = (None, None, None);
    if let Some(account) = *account {
        let book = &world.books[account];
        (id_of, forms, flight.since) = (Some(book.id), Some(book.forms.clone()), book.past.len() - 1);
        flight.picked = command.picks().into_iter().map(|pick| (pick, book.names.pick(pick))).collect();
        // A repeat names the same contacts as the original request.
        let request = format!("request {}", planned.request);
        let first = world.keys.entry((account, request)).or_default();
        flight.picked.clone_from(first.picked.get_or_insert_with(|| flight.picked.clone()));
        if let Some(key) = key {
            let record = world.keys.entry((account, key.clone())).or_default();
            if record.expires_at.is_some_and(|expires_at| expires_at <= wall_clock) {
                *record = KeyRecord::default();
            }
            flight.done.clone_from(&record.done);
            flight.outcomes.clone_from(&record.outcomes);
            claim = id_of.map(|id| store::IdempotencyClaim::new(id, key, &[7; 32], wall_clock));
        }
    }
    let picked = flight.picked.clone();
    world.flights.insert(*id, flight);
    drop(world);
    let rng = SeededRng::of(&[seed, u64::from(*id), 1]);
    Context { store, account: id_of, forms, wall_clock, picked, claim, world: shared, rng }
}

/// The forms of every account: without marketing, with marketing, with a daily budget, external, and with permission to
/// raise the tier limit.
const FORMS: [fn() -> NewForm; 5] = [
    || NewForm { set_marketing: Some(false), ..NewForm::new(Provider::Native, "Survey") },
    || NewForm::new(Provider::Native, "Newsletter"),
    || NewForm { max_new_marketing_per_day: Some(2), ..NewForm::new(Provider::Native, "Raffle") },
    || NewForm::new(Provider::Generic, "Sign-up"),
    || NewForm { may_raise_tier: Some(true), ..NewForm::new(Provider::Native, "Campaign") },
];

async fn form(store: &Store, account: domain::ids::AccountId, new: &NewForm, now: Timestamp) -> Form {
    let told = crate::operations::Told::new();
    let render = told.render();
    store.create_form(account, new, now, store::Responder::new(None, &render)).await.expect("a form");
    told.take()
}
