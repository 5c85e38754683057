//! Stored items of every version stay readable. A file of an old version is never edited.
//!
//! A new version gets a new file, written from [`scenario`] with `UPDATE=1 cargo test --package tests golden`.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::automation::{AutomationState, RunCounts, Trigger};
use domain::decision::Command;
use domain::event::EventType;
use domain::form::AnswerMode;
use domain::ids::{AccountId, ExportId};
use domain::import::RowOutcome;
use domain::marketing::EffectiveState;
use domain::period::PeriodNumber;
use domain::permission::{PrincipalKind, Role};
use domain::property::PropertyName;
use domain::property_definition::{Choice, FieldType, PropertyDefinition, ValueType};
use domain::provider::Provider;
use domain::secrets::Secrets;
use serde_json::{Map, Value, json};
use store::{
    AutomationReport, AutomationTask, ContactRef, Due, Export, ExportSelection, FieldTarget, FileFormat,
    Form, FormCounts, ImportRow, ImportTerms, Job, JobKind, JobState, MembersReport, NewAutomation,
    NewExport, NewForm, NewSegment, NewTokenOwner, Preview, PropertyGroup, Responder, RowContent, Segment,
    SegmentContent, Selected, Selection, Store, Submission, TokenOwner, Waiting,
};
use testkit::{Observer, TABLE, TestTable, at, email, property, terms};

use super::automations::romans;
use super::bulk::{self, filter};
use super::feed::edit;
use super::forms::{form, native, submit};
use super::imports::{self, person};
use super::rejected::reject;
use super::{START, Told, UPDATE, by_hand, create, delete, set, user};

const VERSION_2: &str = include_str!("../fixtures/items/v2.json");
/// The instant at which the items are read.
const READ: &str = "2026-12-05T00:00:00.000Z";

/// Fills a table with an item of every kind, most of them with every attribute.
async fn scenario(table: &TestTable) {
    let (store, start, update) = (&table.store, at(START), at(UPDATE));
    let account = table.account_with(domain::period::Terms { cap: Some(50), ..terms() }, start).await;
    let holder = NewTokenOwner::Integration {
        name: "Warehouse".to_owned(),
        set_marketing: true,
        modify_marketing_contacts: true,
    };
    let told = Told::new();
    store
        .create_token(account, &holder, "integration-digest", start, Responder::new(None, &told.render()))
        .await
        .unwrap();
    // An address whose key differs from its spelling, and more changes than the contact's item stores.
    let ada = create(store, account, "Ada@Example.org", true, start).await;
    for n in 0..30 {
        let command = if n % 2 == 0 { Command::SetNonMarketingPending } else { Command::SetMarketing };
        set(store, account, command, &[ada.id], start).await.unwrap();
    }
    let newsletter = form(store, account, &native()).await;
    submit(store, &newsletter, Some("s-1"), "ada@example.org", start).await;
    let mut leaving = Vec::new();
    for address in ["grace@example.org", "edsger@example.org", "alan@example.org"] {
        leaving.push(create(store, account, address, true, start).await.id);
    }
    set(store, account, Command::SetNonMarketingPending, &leaving[..1], start).await.unwrap();
    delete(store, account, leaving[2], false, start).await.unwrap();
    store.close_ended(account, update).await.unwrap();
    set(store, account, Command::SetNonMarketingPending, &leaving[1..2], update).await.unwrap();
    // Grace has left, so the cause of this change is not that of the last change of state.
    edit(table, account, leaving[0], "silver", update).await;
    add_form_items(table, account).await;
    add_bulk_items(table, account).await;
    add_file_items(table, account).await;
    let automation = add_automation(table, account).await;
    add_definitions(store, account).await;
    // All items as if they had just been created: a day, property changes, and notices with the marks of their ids.
    Observer::default().follow(table, update).await;
    let worked = store.work_on_automation(automation, || update, || true).await.unwrap();
    assert!(worked.finished);
}

/// Adds an archived property with an option, and its group.
async fn add_definitions(store: &Store, account: AccountId) {
    let now = at(UPDATE);
    let group = PropertyGroup { name: "shop".to_owned(), label: "Shop".to_owned(), display_order: 1 };
    assert!(store.create_property_group(account, &group, now).await.unwrap());
    let tier = PropertyName::parse("tier").unwrap();
    let option = Choice {
        value: "gold".to_owned(),
        label: "Gold".to_owned(),
        description: "The highest".to_owned(),
        display_order: 0,
        is_hidden: false,
    };
    let definition = PropertyDefinition {
        value_type: ValueType::Enumeration,
        field_type: FieldType::Select,
        group: "shop".to_owned(),
        description: "The tier in the shop".to_owned(),
        options: vec![option],
        ..PropertyDefinition::of_used(tier.clone())
    };
    store.define_properties(account, &[definition], now).await.unwrap();
    store.archive_definition(account, &tier, now).await.unwrap();
}

/// Asserts that definitions are read: the archived one, and those of the names that contacts use.
async fn assert_definitions_are_read(store: &Store, account: AccountId) {
    let definitions = store.definitions(account).await.unwrap();
    let archived: Vec<_> =
        definitions.iter().filter(|defined| defined.archived_at == Some(at(UPDATE))).collect();
    assert_eq!(archived.len(), 1);
    assert_eq!(archived[0].definition.options[0].description, "The highest");
    let plan = definitions.iter().find(|defined| defined.definition.name.as_str() == "plan").unwrap();
    assert_eq!((plan.definition.value_type, plan.archived_at), (ValueType::Text, None));
    let groups = store.property_groups(account).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["shop"]);
}

/// Adds an automation for two contacts. After the turn of one, its brake pauses it, and the other one waits.
async fn add_automation(table: &TestTable, account: AccountId) -> AutomationTask {
    let (store, now) = (&table.store, at(UPDATE));
    let automation = NewAutomation {
        trigger: Trigger::Filter(filter("plan", "EQ", "bronze")),
        action: Command::SetNonMarketingPending,
        pause_above: Some(1),
        ..romans()
    };
    let told = Told::<AutomationReport>::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    store.create_automation(account, &automation, now, || true, responder).await.unwrap();
    for address in ["romulus@example.org", "remus@example.org"] {
        let twin = create(store, account, address, false, now).await;
        edit(table, account, twin.id, "bronze", now).await;
    }
    told.take().automation.task()
}

/// Adds both kinds of segments, a finished job for a filter, and a preview that waits for its worker.
async fn add_bulk_items(table: &TestTable, account: AccountId) {
    let (store, now) = (&table.store, at("2026-12-01T00:01:00.000Z"));
    let members = vec![ContactRef::Email(email("ada@example.org"))];
    let gold = filter("plan", "EQ", "gold");
    for (name, content) in
        [("Friends", SegmentContent::List(members)), ("Gold", SegmentContent::Filter(gold.clone()))]
    {
        let new = NewSegment { name: name.to_owned(), content };
        let told = Told::<(Segment, MembersReport)>::new();
        store.create_segment(account, &new, now, Responder::new(None, &told.render())).await.unwrap();
    }
    let queue = Command::SetNonMarketingPending;
    bulk::run(store, &bulk::request(account, queue, Selection::Filter(gold), Some(0)), now).await;
    let segments = store.segments(account, None, 10).await.unwrap().items;
    let friends = segments.into_iter().find(|segment| segment.name == "Friends").unwrap();
    let request = bulk::request(account, queue, Selection::Segment(friends.id), None);
    let told = Told::<Preview>::new();
    store.preview(&request, now, || false, Responder::new(None, &told.render())).await.unwrap();
}

/// Adds an import that is done and one that stopped after its first rows, and exports in the same states.
async fn add_file_items(table: &TestTable, account: AccountId) {
    let (store, now) = (&table.store, at("2026-12-01T00:02:00.000Z"));
    let rows = [person("ada@example.org", &[]), person("barbara@example.org", &[("plan", "gold")])];
    imports::import(store, account, imports::terms(), &rows, now).await;
    let statement = export(store, account, ExportSelection::Statement(PeriodNumber::FIRST), now).await;
    let mut run = store.open_export(account, statement, now).await.unwrap().unwrap();
    assert!(run.finish(1_000, 4, now).await.unwrap());

    let now = at("2026-12-01T00:03:00.000Z");
    let segments = store.segments(account, None, 10).await.unwrap().items;
    let friends = segments.into_iter().find(|segment| segment.name == "Friends").unwrap();
    let terms = ImportTerms { set_marketing: true, add_to_segment: Some(friends.id), ..imports::terms() };
    let import = imports::begin(store, account, terms, now).await;
    let mut run = store.open_import(account, import, now).await.unwrap().unwrap();
    assert!(run.record_layout("layout".to_owned(), Some(3), now).await.unwrap());
    for (number, content) in (1..).zip(stopped_rows().into_iter().take(2)) {
        run.push(ImportRow { number, place: number.to_string(), content });
    }
    assert!(run.apply(now).await.unwrap());
    let by = Selection::Filter(filter("plan", "EQ", "gold"));
    let gold = ExportSelection::Contacts(Selected { by, except: BTreeSet::new() });
    let stopped = export(store, account, gold, now).await;
    let mut run = store.open_export(account, stopped, now).await.unwrap().unwrap();
    assert!(run.find_columns(|| now, || true).await.unwrap());
    assert_eq!(run.contacts(10, now).await.unwrap().len(), 1);
    assert!(run.record("parts".to_owned(), 1, now).await.unwrap());
}

/// Returns the rows of the import that stopped after the first two.
fn stopped_rows() -> [RowContent; 3] {
    let invalid = RowContent::Invalid("0:no-address".to_owned());
    [invalid, RowContent::Empty, person("barbara@example.org", &[])]
}

/// Creates an export.
async fn export(
    store: &Store,
    account: AccountId,
    selection: ExportSelection,
    now: domain::Timestamp,
) -> ExportId {
    let new = NewExport { selection, format: FileFormat::Csv, columns: None, actor: user() };
    let told = Told::<Export>::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    store.create_export(account, &new, now, responder).await.unwrap();
    told.take().id
}

/// Adds an external form with the items that belong to it: counts, day, deliveries, a rejected and a queued submission.
async fn add_form_items(table: &TestTable, account: AccountId) {
    let store = &table.store;
    let mut new = NewForm::new(Provider::Typeform, "Survey");
    new.secrets =
        Secrets::new(Provider::Typeform, vec!["0123456789abcdef".to_owned(), "fedcba9876543210".to_owned()])
            .unwrap();
    new.max_new_marketing_per_day = Some(1);
    new.answer = AnswerMode::Full;
    new.field_map.insert("captcha".to_owned(), FieldTarget::Nothing);
    new.allowed_origins = vec!["https://example.org".to_owned()];
    new.redirect_url = Some("https://example.org/thanks".to_owned());
    let survey = form(store, account, &new).await;
    submit(store, &survey, Some("s-1"), "hedy@example.org", at(UPDATE)).await;
    submit(store, &survey, Some("s-2"), "hedy@example.org", at(UPDATE)).await;
    reject(store, &survey, Some("s-3"), r#"[{"names":["plan"],"kind":"text","values":["gold"]}]"#).await;
    let email = email("mary@example.org");
    let properties = [property("plan", "gold")];
    let waiting = Submission {
        form: &survey,
        submission_id: Some("s-4"),
        email: &email,
        properties: &properties,
        left_out: 1,
    };
    store.accept_into_inbox(&waiting, at(UPDATE)).await.unwrap();
}

/// Returns true if the environment requests a new file of the newest version.
#[expect(clippy::disallowed_methods, reason = "the variable lets a developer write the file anew")]
fn is_update_requested() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

#[tokio::test(start_paused = true)]
async fn written_items_match_the_newest_stored_version() {
    let table = TestTable::start().await;
    scenario(&table).await;
    let items = dump(&table).await;
    if is_update_requested() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/items/v2.json");
        std::fs::write(path, format!("{:#}\n", Value::Array(items.clone()))).unwrap();
    }
    // Compares the kinds of items and the names of their attributes, not the values.
    let shapes = |items: &[Value]| {
        let shape = |item: &Value| {
            let names: Vec<String> = item.as_object().unwrap().keys().cloned().collect();
            (item["entity"]["S"].as_str().unwrap().to_owned(), item["v"]["N"].to_string(), names)
        };
        // The parts of a form's counts are drawn at random.
        let drawn = |item: &&Value| item["entity"]["S"] != "form-counts";
        let mut shapes: Vec<_> = items.iter().filter(drawn).map(shape).collect();
        shapes.sort();
        shapes
    };
    let stored: Vec<Value> = serde_json::from_str(VERSION_2).unwrap();
    assert_eq!(shapes(&items), shapes(&stored));
}

#[tokio::test(start_paused = true)]
async fn items_of_version_2_are_read() {
    let table = TestTable::start().await;
    load(&table, VERSION_2).await;
    let store = &table.store;
    let account: AccountId = account_of(VERSION_2);
    let now = at(READ);

    let found = store.account(account, now).await.unwrap();
    assert_eq!((found.name.as_str(), found.period.number.number(), found.period.cap), ("Test", 2, Some(50)));
    // Ada, Edsger (leaving) and Hedy (created by a form).
    assert_eq!((found.period.marketing, found.period.leaving), (3, 1));
    assert_eq!(store.accounts(now, None, 10).await.unwrap().items, [found]);
    let statements = store.statements(account, now, None, 10).await.unwrap().items;
    assert_eq!(statements.iter().map(|closed| (closed.marketing, closed.left)).collect::<Vec<_>>(), [(4, 2)]);

    for (address, state) in [
        ("ADA@example.org", EffectiveState::Marketing),
        ("grace@example.org", EffectiveState::NonMarketing),
        ("edsger@example.org", EffectiveState::Leaving),
    ] {
        let (contact, _) = store.contact(account, ContactRef::Email(email(address)), now).await.unwrap();
        assert_eq!(contact.state(), state, "{address}");
    }
    let ada = store.explain(account, ContactRef::Email(email("ada@example.org")), now).await.unwrap();
    assert_eq!(ada.contact.email.unwrap().given(), "Ada@Example.org");
    assert_eq!(ada.history.len(), 31, "the history includes its pages");

    assert_feed_items_are_read(store, account).await;
    let users = store.users(account, None, 10).await.unwrap().items;
    assert_eq!(users.iter().map(|user| user.role).collect::<Vec<_>>(), [Role::Admin]);
    let tokens = store.tokens(account, None, 10).await.unwrap().items;
    assert!(
        tokens
            .iter()
            .any(|token| matches!(token.holder, TokenOwner::Integration { set_marketing: true, .. }))
    );
    let principal = store.authenticate("integration-digest").await.unwrap().unwrap();
    assert!(matches!(principal.caller, PrincipalKind::Integration { .. }) && principal.account == account);
    let forms = store.forms(account, None, 10).await.unwrap().items;
    assert_eq!(forms.len(), 2);
    let (newsletter, survey): (Vec<_>, Vec<_>) = forms.iter().partition(|form| form.provider.is_native());
    assert_eq!((newsletter[0].set_marketing, newsletter[0].portal), (Some(true), survey[0].portal));
    let again = submit(store, newsletter[0], Some("s-1"), "ada@example.org", now).await;
    assert!(!again.duplicate, "the delivery has expired");
    assert_form_items_are_read(&table, survey[0]).await;
    assert_bulk_items_are_read(store, account, now).await;
    assert_automation_items_are_read(store, account, now).await;
    assert_file_items_are_read(store, account, now).await;
    assert_definitions_are_read(store, account).await;
}

/// Asserts that imports and exports are read, and that those which stopped are continued.
async fn assert_file_items_are_read(store: &Store, account: AccountId, now: domain::Timestamp) {
    let found = store.imports(account, None, 10).await.unwrap().items;
    assert_eq!(found.iter().map(|import| import.state.as_str()).collect::<Vec<_>>(), ["running", "done"]);
    let (stopped, done) = (found[0].id, &found[1]);
    assert_eq!((done.summary.rows(RowOutcome::Created), done.summary.rows(RowOutcome::Unchanged)), (1, 1));
    let parts = store.imported_rows(account, done.id, 1).await.unwrap();
    assert_eq!(parts[0].results.len(), 2);
    assert!(imports::work(store, account, stopped, &stopped_rows(), || now).await);
    let stopped = store.import(account, stopped).await.unwrap();
    assert_eq!((stopped.summary.total(), stopped.summary.set), (3, 1));

    let latest = store.statement_export(account, PeriodNumber::FIRST, now).await.unwrap().unwrap();
    assert_eq!((latest.state.as_str(), latest.bytes, latest.counted), ("done", Some(1_000), Some(4)));
    let stopped = &store.exports(account, None, 10).await.unwrap().items[0];
    let mut run = store.open_export(account, stopped.id, now).await.unwrap().unwrap();
    assert_eq!((run.file(), run.export().rows), (Some("parts"), 1));
    let columns = run.columns().unwrap().unwrap();
    assert_eq!(columns.iter().map(PropertyName::as_str).collect::<Vec<_>>(), ["plan"]);
    assert!(run.contacts(10, now).await.unwrap().is_empty(), "all of them are in the file");
}

/// Asserts that an automation with its queue and its run is read, and goes on.
async fn assert_automation_items_are_read(store: &Store, account: AccountId, now: domain::Timestamp) {
    let automations = store.automations(account, None, 10).await.unwrap().items;
    let automation = &automations[0];
    assert_eq!((automation.state, automation.pause_above), (AutomationState::Paused, Some(1)));
    assert_eq!(store.waiting_of(account, automation.id).await.unwrap(), 1);
    let runs = store.automation_runs(account, automation.id, None, 10).await.unwrap().items;
    assert_eq!(runs[0].counts, RunCounts { unchanged: 1, ..RunCounts::default() });
    let told = Told::<AutomationReport>::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    store.resume_automation(account, automation.id, Waiting::Keep, now, responder).await.unwrap();
    assert_eq!(store.work_on_automation(automation.task(), || now, || true).await.unwrap().turns, 1);
}

/// Asserts that the items of the change feed are read.
async fn assert_feed_items_are_read(store: &Store, account: AccountId) {
    let days = store.timeline(account, None, None, at(UPDATE)).await.unwrap();
    assert_eq!(days.last().map(|day| (day.marketing, day.left)), Some((3, 2)));
    let notices = store.notices(account, None, 10, at(UPDATE)).await.unwrap().items;
    assert!(notices.iter().any(|notice| notice.kind == EventType::PeriodClosed));
    let grace = ContactRef::Email(email("grace@example.org"));
    let (grace, _) = store.contact(account, grace, at(UPDATE)).await.unwrap();
    assert_eq!(grace.editor().unwrap().source, by_hand());
    let history = store.property_history(account, grace.id, None, 10, at(UPDATE)).await.unwrap().items;
    assert_eq!(history.iter().map(|change| change.to.as_deref()).collect::<Vec<_>>(), [Some("silver")]);
}

/// Asserts that segments and bulk jobs are read, and that a job is continued.
async fn assert_bulk_items_are_read(store: &Store, account: AccountId, now: domain::Timestamp) {
    let mut segments = store.segments(account, None, 10).await.unwrap().items;
    // Both were created in the same millisecond, so their ids have no order.
    segments.sort_by(|one, other| one.name.cmp(&other.name));
    let names: Vec<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
    assert_eq!(names, ["Friends", "Gold"]);
    let page = store.segment_contacts(account, segments[0].id, None, 10, now).await.unwrap();
    assert_eq!(page.contacts.len(), 1);
    // A job that waited before a deployment is finished after it.
    bulk::finish(store, account, now).await;
    let jobs = store.bulk_jobs(account, None, 10).await.unwrap().items;
    assert!(jobs.iter().all(|job| job.state == JobState::Done) && jobs.len() == 2);
    let preview = jobs.iter().find(|job| job.kind == JobKind::Preview).unwrap();
    assert_eq!(preview.matched, Some(1));
}

/// Asserts that an external form and all items that belong to it are read.
async fn assert_form_items_are_read(table: &TestTable, form: &Form) {
    let (store, now) = (&table.store, at(READ));
    assert_eq!((form.provider, form.secrets.len(), form.set_marketing), (Provider::Typeform, 2, None));
    assert_eq!(form.field_map["captcha"], FieldTarget::Nothing);
    assert!(submit(store, form, Some("s-1"), "hedy@example.org", now).await.duplicate);
    let report = store.form_report(form.account, form.id, at(UPDATE)).await.unwrap();
    let counts = FormCounts { rejected: 1, set: 1, unchanged: 1, duplicates: 1, ..FormCounts::default() };
    assert_eq!((report.counts, report.budget.unwrap().used_today), (counts, 1));
    let rejected = store.rejected(form.account, form.id, now, None, 10).await.unwrap().items;
    assert_eq!((rejected[0].errors.len(), rejected[0].submission_id.as_deref()), (1, Some("s-3")));
    // A submission that was accepted before a deployment is settled after it.
    let mut waiting = Vec::new();
    for shard in Store::due_shards() {
        let due = store.due(shard, now, None).await.unwrap().due;
        waiting.extend(due.into_iter().filter_map(|due| match due {
            Due::Job(Job::Inbox(task)) => Some(task),
            Due::Period(..) | Due::Job(_) => None,
        }));
    }
    let settled = store.settle_inbox(&waiting, now, || true).await;
    assert_eq!((waiting.len(), settled.settled), (1, 1));
    let mary = ContactRef::Email(email("mary@example.org"));
    let (mary, _) = store.contact(form.account, mary, now).await.unwrap();
    assert_eq!((mary.state(), mary.properties.get("plan")), (EffectiveState::Marketing, Some("gold")));
}

fn account_of(items: &str) -> AccountId {
    let items: Vec<Value> = serde_json::from_str(items).unwrap();
    let account = items.iter().find(|item| item["entity"]["S"] == "account").expect("an account");
    account["id"]["S"].as_str().unwrap().parse().unwrap()
}

/// Puts items in DynamoDB's own JSON into the table.
async fn load(table: &TestTable, items: &str) {
    let items: Vec<HashMap<String, Value>> = serde_json::from_str(items).unwrap();
    for item in items {
        let item = item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
        table.client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(value.as_bool().unwrap()),
        "NS" => AttributeValue::Ns(
            value.as_array().unwrap().iter().map(|number| number.as_str().unwrap().to_owned()).collect(),
        ),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(
            value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
        ),
        kind => panic!("unexpected attribute type {kind}"),
    }
}

/// Returns every item of the table in DynamoDB's own JSON, in the order of the keys.
async fn dump(table: &TestTable) -> Vec<Value> {
    let found = table.client.scan().table_name(TABLE).send().await.unwrap().items.unwrap();
    let mut items: Vec<Value> = found
        .into_iter()
        .map(|item| {
            let members: std::collections::BTreeMap<_, _> = item.into_iter().collect();
            let members = members.iter().map(|(name, value)| (name.clone(), raw(value)));
            Value::Object(members.collect::<Map<_, _>>())
        })
        .collect();
    items.sort_by_key(|item| (item["pk"].to_string(), item["sk"].to_string()));
    items
}

fn raw(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::Bool(flag) => json!({"BOOL": flag}),
        AttributeValue::Null(flag) => json!({"NULL": flag}),
        AttributeValue::Ns(numbers) => {
            let mut numbers = numbers.clone();
            numbers.sort();
            json!({"NS": numbers})
        }
        AttributeValue::L(list) => json!({"L": list.iter().map(raw).collect::<Vec<_>>()}),
        AttributeValue::M(map) => {
            let members: std::collections::BTreeMap<_, _> = map.iter().collect();
            let members = members.into_iter().map(|(name, value)| (name.clone(), raw(value)));
            json!({"M": members.collect::<Map<_, _>>()})
        }
        other => panic!("unexpected attribute type: {other:?}"),
    }
}
