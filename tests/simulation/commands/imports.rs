//! Imports: their creation, their workers and their cancellation, and the check of every write of an import.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{AccountId, ImportId};
use domain::import::ImportMode;
use store::{
    FileJob, FileTask, Import, ImportContact, ImportFile, ImportRow, ImportTerms, NewImport, Responder,
    RowContent, Store, StoreError,
};
use testkit::{ItemChange, RawItem, Write, property};

use super::jobs::true_for;
use super::save::{arrive_late, user};
use super::{Command, Context, Expectation, Sending, Turn, email, text_response, with_new};
use crate::model::rules::{BY_IMPORT, Effect, Sets};
use crate::simulation::checks;
use crate::simulation::raw::{Items, Kind, NOTE, RawContact, kind, number, text};
use crate::simulation::world::{ExpectedAccount, Flight, State};

const DONE: &str = "done";

/// A row of a file: an address, and a note if its cell is filled.
type Row = (usize, Option<u64>);

/// Returns the rows as a text. Imports store it in place of the options for reading, so that every worker knows the file.
fn as_text(rows: &[Row]) -> String {
    let rows = rows.iter().map(|(address, note)| match note {
        Some(note) => format!("{address}:{note}"),
        None => address.to_string(),
    });
    rows.collect::<Vec<_>>().join(" ")
}

/// Parses what [`as_text`] returns.
fn parse_rows(text: &str) -> Vec<Row> {
    let rows = text.split(' ').map(|row| match row.split_once(':') {
        Some((address, note)) => (address.parse().unwrap(), Some(note.parse().unwrap())),
        None => (row.parse().unwrap(), None),
    });
    rows.collect()
}

/// The creation and start of an import.
#[derive(Debug)]
pub struct BeginImport {
    pub rows: Vec<Row>,
    pub set_marketing: bool,
}

impl Command for BeginImport {
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let (store, now) = (&context.store, context.wall_clock);
            let new = NewImport {
                name: "rows.csv".to_owned(),
                terms: ImportTerms {
                    mode: ImportMode::Both,
                    set_marketing: self.set_marketing,
                    add_to_segment: None,
                    automations: true,
                    dry_run: false,
                },
                reading: as_text(&self.rows),
                actor: user(),
                file: Some(ImportFile { bytes: 1, version: "v1".to_owned() }),
            };
            let render = text_response(|_: &Import| "created".to_owned());
            let id = store.new_import_id(now);
            let responder = Responder::new(None, &render);
            Ok(store.create_import(context.account(), &new, id, now, responder).await?.body)
        })
    }

    fn happened(&self, _: Turn<'_>) -> Result<(), String> {
        Err("the creation of an import changed a contact".to_owned())
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::OneOf(["created", "marketing contacts are off"].map(str::to_owned).into())
    }
}

/// The cancellation of the account's oldest unfinished import.
#[derive(Debug)]
pub struct CancelImport;

impl Command for CancelImport {
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let (store, account) = (&context.store, context.account());
            let Some(id) = oldest_unfinished(store, account).await? else { return Ok(DONE.to_owned()) };
            let render = text_response(|_: &Import| DONE.to_owned());
            let responder = Responder::new(None, &render);
            Ok(store.cancel_import(account, id, context.wall_clock, responder).await?.body)
        })
    }

    fn happened(&self, _: Turn<'_>) -> Result<(), String> {
        Err("a cancellation changed a contact".to_owned())
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// A worker on the account's oldest unfinished import.
#[derive(Debug)]
pub struct WorkOnImport {
    /// The number of transactions that the worker has time for.
    pub time: u64,
    /// The number of rows that the worker hands over before each transaction.
    pub rows_at_once: u64,
}

impl Command for WorkOnImport {
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            if let Some(id) = oldest_unfinished(&context.store, context.account()).await? {
                work(context, context.account(), id, self.rows_at_once, true_for(self.time)).await?;
            }
            Ok(DONE.to_owned())
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        apply_rows(turn)
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// The workers on all imports that the schedule has found, with unlimited time.
#[derive(Debug)]
pub struct WorkOnDueImports;

impl Command for WorkOnDueImports {
    fn is_of_an_account(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let tasks: Vec<FileTask> = std::mem::take(&mut context.world.lock().unwrap().files);
            for FileTask { account, job } in tasks {
                let FileJob::Import(id) = job else { continue };
                work(context, account, id, 5, || true).await?;
            }
            Ok(DONE.to_owned())
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        apply_rows(turn)
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

async fn oldest_unfinished(store: &Store, account: AccountId) -> Result<Option<ImportId>, StoreError> {
    let imports = store.imports(account, None, 100).await?.items;
    Ok(imports.iter().rev().find(|import| !import.state.is_finished()).map(|import| import.id))
}

/// Works on an import as the worker of the files does. It stops when there is no time or the import was changed.
async fn work(
    context: &Context,
    account: AccountId,
    id: ImportId,
    rows_at_once: u64,
    has_time: impl Fn() -> bool,
) -> Result<(), StoreError> {
    let now = context.wall_clock;
    let Some(mut run) = context.store.open_import(account, id, now).await? else { return Ok(()) };
    let rows = parse_rows(&run.import().reading);
    let count = rows.len() as u64;
    if run.layout().is_none() && !run.record_layout("layout".to_owned(), Some(count), now).await? {
        return Ok(());
    }
    let mut next = run.place().map_or(0, |place| place.parse().unwrap());
    while run.ends_as().is_none() {
        if !has_time() {
            return Ok(());
        }
        for (address, note) in rows.iter().skip(next).take(usize::try_from(rows_at_once).unwrap()) {
            next += 1;
            run.push(ImportRow {
                number: next as u64,
                place: next.to_string(),
                content: content(*address, *note),
            });
        }
        let goes_on = match run.is_idle() {
            true => run.finish_rows(now).await?,
            false => run.apply(now).await?,
        };
        if !goes_on {
            return Ok(());
        }
    }
    let not_run = count - run.import().summary.total();
    run.finish(not_run, now).await?;
    Ok(())
}

fn content(address: usize, note: Option<u64>) -> RowContent {
    let properties = note.iter().map(|note| property(NOTE, &note.to_string()));
    let properties = properties.filter_map(|(name, value)| Some((name, value?)));
    RowContent::Contact(Box::new(ImportContact {
        email: email(address, false),
        properties: properties.collect(),
        cautious: BTreeSet::new(),
        unsubscribed: None,
        bounced: None,
    }))
}

/// The rows whose results one write contains.
struct Part {
    set_marketing: bool,
    /// The rows of the whole file.
    file: Vec<Row>,
    /// The position of the first row in the file.
    from: usize,
    /// The results, one for each row.
    results: Vec<String>,
    /// For each address, the earlier row of this file that wrote its contact, if an earlier write contains that row.
    earlier_rows: BTreeMap<usize, usize>,
}

impl Part {
    fn of(write: &Write) -> Option<Self> {
        let (_, import) = changed(write, Kind::Import)?;
        let (_, results) = changed(write, Kind::ImportRows)?;
        let id = text(import, "id")?;
        let earlier_row = |change: &ItemChange| {
            let address = address_number(change.after.as_ref()?)?;
            let (import, row) = text(change.before.as_ref()?, "imported")?.split_once(',')?;
            Some((address, row.parse().ok().filter(|_| import == id)?))
        };
        Some(Self {
            earlier_rows: contact_changes(write).filter_map(earlier_row).collect(),
            set_marketing: import["set_marketing"]["BOOL"].as_bool().unwrap_or_default(),
            file: parse_rows(text(import, "reading")?),
            from: usize::try_from(number(results, "first")?).ok()?.checked_sub(1)?,
            results: text(results, "results")?.split(' ').map(str::to_owned).collect(),
        })
    }

    /// Returns the rows by their addresses, in order, each with its result.
    fn by_address(&self) -> BTreeMap<usize, Vec<(Option<u64>, &str)>> {
        let mut rows: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for ((address, note), result) in self.file.iter().skip(self.from).zip(&self.results) {
            rows.entry(*address).or_default().push((*note, result.as_str()));
        }
        rows
    }

    fn sets(&self) -> Sets {
        if self.set_marketing { Sets::EVERYBODY } else { Sets::NOBODY }
    }

    /// Applies one row. If `late` is true, the row was decided on the earlier state `then`. Returns the effect, and true
    /// if the contact is new. `None` if the rules do not allow a late effect.
    fn arrive(
        &self,
        state: &mut State,
        (address, note): Row,
        then: &State,
        late: bool,
    ) -> Option<(Effect, bool)> {
        let arrive = |state: &mut State| state.model.arrive(Some(address), self.sets(), BY_IMPORT);
        let (who, effect, new) = match late {
            true => arrive_late(state, then, Some(address), BY_IMPORT, arrive)?,
            false => arrive(state),
        };
        if let Some(note) = note {
            state.model.note(who, note);
        }
        Some((effect, new))
    }

    /// Applies the rows of contacts that the write has changed.
    fn apply_written(
        &self,
        state: &mut State,
        then: &State,
        written: &BTreeSet<usize>,
        late: bool,
    ) -> Result<(), String> {
        let rows = self.file.iter().zip(1_usize..).skip(self.from).zip(&self.results);
        for (((address, note), row), result) in
            rows.filter(|(((address, _), _), _)| written.contains(address))
        {
            let mut tried = state.clone();
            let mut arrived = None;
            for late in [late, !late] {
                let mut next = state.clone();
                let found = self.arrive(&mut next, (*address, *note), then, late);
                if let Some(found) = found.filter(|(effect, _)| shows(result, *effect)) {
                    (tried, arrived) = (next, Some(found));
                    break;
                }
            }
            let Some((_, new)) = arrived else {
                return Err(format!("row {row} has the result {result:?}, which the rules do not allow"));
            };
            let outcome = result.split(['+', '~']).next().unwrap_or_default();
            let is_right = match outcome.strip_prefix('d') {
                Some(first) => {
                    let first = first.parse::<usize>().ok().filter(|first| (1..row).contains(first));
                    // The contact of the earlier row may have another address since.
                    first.is_some_and(|first| {
                        let has_address = self.file.get(first - 1).is_some_and(|(same, _)| same == address);
                        has_address || self.earlier_rows.get(address) == Some(&first)
                    })
                }
                None if new => outcome == "c",
                None if tried.model.people().eq(state.model.people()) => outcome == "n",
                None => outcome == "u",
            };
            if !is_right {
                return Err(format!("row {row} has the result {result:?}, and its contact is new: {new}"));
            }
            *state = tried;
        }
        Ok(())
    }

    /// Checks the rows of contacts that the write has not changed: at some instant, they had no effect. `after` is the
    /// state after the write, whose other rows may have used up the capacity.
    fn check_unchanged(
        &self,
        book: &ExpectedAccount,
        flight: &Flight,
        written: &BTreeSet<usize>,
        after: &State,
    ) -> Result<(), String> {
        let is_full = after.model.cap.is_some_and(|cap| after.model.usage().0 >= cap);
        for (address, rows) in self.by_address().iter().filter(|(address, _)| !written.contains(address)) {
            let had_no_effect = |then: &State, is_full: bool| {
                let mut state = then.clone();
                state.model.now = then.now(flight.wall_clock);
                if is_full {
                    state.model.cap = Some(0);
                }
                let mut as_said = true;
                for (note, result) in rows {
                    let arrived = self.arrive(&mut state, (*address, *note), then, false);
                    as_said &= arrived.is_some_and(|(effect, new)| !new && shows(result, effect));
                }
                as_said && state.model.people().eq(then.model.people())
            };
            let mut instants = book.past[flight.since..].iter();
            if !instants.any(|then| had_no_effect(then, false) || (is_full && had_no_effect(then, true))) {
                return Err(format!("the rows {rows:?} of p{address} have an effect, but wrote no contact"));
            }
        }
        Ok(())
    }
}

/// Returns true if a row's result has this effect on the marketing state.
fn shows(result: &str, effect: Effect) -> bool {
    let marketing = result.trim_end_matches('~').split_once('+').map(|(_, marketing)| marketing);
    match effect {
        Effect::NotAsked => marketing.is_none(),
        Effect::Set => marketing == Some("set"),
        Effect::Kept => marketing == Some("kept"),
        Effect::Unchanged => marketing == Some("unchanged"),
        Effect::Refused => marketing.is_some_and(|marketing| marketing.starts_with('!')),
        Effect::Queued | Effect::NotFound => false,
    }
}

/// Returns the item of this kind that a write changes, before and after.
fn changed<'a>(write: &'a Write, wanted: Kind<'_>) -> Option<(Option<&'a RawItem>, &'a RawItem)> {
    let change = write.changes.iter().find(|change| kind(&change.key).1 == wanted)?;
    Some((change.before.as_ref(), change.after.as_ref()?))
}

/// Returns the changes of contacts in a write.
fn contact_changes(write: &Write) -> impl Iterator<Item = &ItemChange> {
    write.changes.iter().filter(|change| matches!(kind(&change.key).1, Kind::Contact(_)))
}

/// Returns the number in a contact's address.
fn address_number(contact: &RawItem) -> Option<usize> {
    let address = RawContact::of(contact).address.unwrap_or_default();
    address.strip_prefix('p')?.strip_suffix("@example.org")?.parse().ok()
}

/// Returns the addresses of the contacts that a write changes.
fn written_addresses(write: &Write) -> Result<BTreeSet<usize>, String> {
    let contacts = contact_changes(write).filter_map(|change| change.after.as_ref());
    let addresses =
        contacts.map(|after| address_number(after).ok_or("an import wrote a contact without an address"));
    Ok(addresses.collect::<Result<_, _>>()?)
}

/// Applies the rows of a write to the expected account.
fn apply_rows(turn: Turn<'_>) -> Result<(), String> {
    let Turn { book, flight, write, items } = turn;
    let part = Part::of(write).ok_or("contacts changed without the results of rows")?;
    let written = written_addresses(write)?;
    // A transaction that does not change the usage may have been decided on the state that it read.
    let decided_now = write.changes.iter().any(|change| kind(&change.key).1 == Kind::Period);
    let since = if decided_now { book.past.len() - 1 } else { flight.since };
    let mut first = None;
    for then in book.past[since..].iter().rev() {
        if then.has_ended(flight.wall_clock) {
            first.get_or_insert_with(|| "the decision used a period that has ended".to_owned());
            continue;
        }
        for late in [false, true] {
            let mut state = book.state.clone();
            state.model.now = then.now(flight.wall_clock);
            let applied = part.apply_written(&mut state, then, &written, late && !decided_now);
            let names = with_new(&book.names, &book.state, &state, write);
            match applied.and_then(|()| checks::compare(&state, &names, &book.id, items)) {
                Ok(()) => {
                    part.check_unchanged(book, flight, &written, &state)?;
                    (book.state, book.names) = (state, names);
                    return Ok(());
                }
                Err(why) => {
                    first.get_or_insert(why);
                }
            }
        }
    }
    Err(first.unwrap_or_default())
}

const FINAL: [&str; 3] = ["done", "cancelled", "failed"];

/// Checks a write of an import: the results are those of the next rows, and the counts are theirs.
///
/// # Errors
///
/// The violation.
pub fn check_import(write: &Write) -> Result<(), String> {
    let part = changed(write, Kind::ImportRows);
    let Some((before, after)) = changed(write, Kind::Import) else {
        return match part {
            Some(_) => Err("results of rows were stored without the import's place".to_owned()),
            None => Ok(()),
        };
    };
    let state = text(after, "state").unwrap_or_default();
    let Some(before) = before else {
        return if state == "reading" { Ok(()) } else { Err(format!("a new import is {state}")) };
    };
    let was = text(before, "state").unwrap_or_default();
    if FINAL.contains(&was) {
        return Err(format!("a {was} import was changed"));
    }
    if state == "failed" {
        return Err("an import failed".to_owned());
    }
    let done = |import: &RawItem| number(import, "done").unwrap_or_default();
    let first = match part {
        Some((Some(_), _)) => return Err("results of rows were overwritten".to_owned()),
        Some((None, part)) => number(part, "first"),
        None => None,
    };
    let results = Part::of(write).map_or(0, |part| part.results.len() as u64);
    if first.is_some_and(|first| first != done(before) + 1) || done(after) != done(before) + results {
        let (from, to) = (done(before), done(after));
        return Err(format!("{results} results from row {first:?} moved the place from {from} to {to}"));
    }
    let all = text(after, "reading").map_or(0, |rows| parse_rows(rows).len() as u64);
    let counted = counted(after);
    match state {
        "done" if done(after) != all || counted != all => {
            Err(format!("an import of {all} rows is done after {}, and counts {counted}", done(after)))
        }
        "cancelled" if was == "finishing" && counted != all => {
            Err(format!("a cancelled import of {all} rows counts {counted}"))
        }
        "reading" | "running" | "finishing" if counted != done(after) => {
            Err(format!("an import counts {counted} rows, and {} are done", done(after)))
        }
        _ => Ok(()),
    }
}

/// Returns the number of rows that an import counts.
fn counted(import: &RawItem) -> u64 {
    let rows = import["summary"]["M"]["rows"]["M"].as_object().into_iter().flatten();
    rows.map(|(_, rows)| rows["N"].as_str().unwrap().parse::<u64>().unwrap()).sum()
}

/// Returns an error if an account has unfinished imports.
///
/// # Errors
///
/// An unfinished import.
pub fn all_imported(book: &ExpectedAccount, items: &Items) -> Result<(), String> {
    let account = format!("ACCOUNT#{}", book.id);
    let from = (account.clone(), "IMPORT#".to_owned());
    let imports = items.range(from..).take_while(|((pk, sk), _)| *pk == account && sk.starts_with("IMPORT#"));
    for (_, import) in imports {
        let state = text(import, "state").unwrap_or_default();
        if !FINAL.contains(&state) {
            return Err(format!("an import is {state}"));
        }
    }
    Ok(())
}
