//! The operations on many contacts.
//!
//! The whole batch is checked before its first change, so a request that is refused changes nothing. A contact that another
//! request changes in between is an error of that input alone, and the response is 207.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use axum::extract::Request;
use axum::response::Response;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::ContactId;
use domain::limits::{CRM_BATCH_HISTORY_MAX, CRM_BATCH_MAX, CRM_BATCH_PARALLEL};
use domain::patch::Patch;
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use store::ContactRef;

use crate::body::{json_of, no_content, respond};
use crate::contacts::{self, reference, written};
use crate::definitions::Definitions;
use crate::envelope::{Category, ErrorContext, Failure};
use crate::history::with_history;
use crate::input::{Changes, properties_of, text_or_number};
use crate::object::{ObjectView, Selection};
use crate::session::Session;

/// The response to a batch.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchView<R> {
    status: &'static str,
    results: Vec<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_errors: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ErrorView>,
    started_at: String,
    completed_at: String,
}

/// An error of a part of a batch.
#[derive(Serialize)]
pub(crate) struct ErrorView {
    status: &'static str,
    category: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<crate::envelope::Detail>,
    context: ErrorContext,
}

impl ErrorView {
    /// Returns the view of the refusal of one input.
    pub(crate) fn new(failure: Failure, name: &'static str, input: &str) -> Self {
        let failure = failure.about(name, [input.to_owned()]);
        Self {
            status: "error",
            category: failure.category.as_str(),
            message: failure.message,
            errors: failure.errors,
            context: failure.context,
        }
    }

    /// Returns the error of the inputs that name no contact, with their ids as they were sent.
    fn not_found(ids: Vec<String>) -> Self {
        let message =
            "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.";
        let failure = Failure::new(Category::ObjectNotFound, message).about("ids", ids);
        Self {
            status: "error",
            category: failure.category.as_str(),
            message: failure.message,
            errors: Vec::new(),
            context: failure.context,
        }
    }
}

/// Responds to a batch: with `complete` if there was no error, and otherwise with 207.
pub(crate) fn conclude<R: Serialize>(
    session: &Session,
    started: domain::Timestamp,
    complete: StatusCode,
    results: Vec<R>,
    errors: Vec<ErrorView>,
) -> Result<Response, Failure> {
    let status = if errors.is_empty() { complete } else { StatusCode::MULTI_STATUS };
    let view = BatchView {
        status: "COMPLETE",
        results,
        num_errors: (!errors.is_empty()).then_some(errors.len()),
        errors,
        started_at: started.to_string(),
        completed_at: session.now().to_string(),
    };
    respond(status, &view)
}

/// Returns the inputs of a batch.
pub(crate) fn inputs(body: &Value, max: usize) -> Result<Vec<Value>, Failure> {
    let inputs = match body.get("inputs") {
        Some(Value::Array(inputs)) => inputs.clone(),
        _ => return Err(Failure::invalid("Invalid input JSON: inputs must be an array")),
    };
    if inputs.len() > max {
        let message = format!(
            "The maximum number of inputs supported in a batch is {max}, but received {}.",
            inputs.len()
        );
        return Err(Failure::invalid(message));
    }
    Ok(inputs)
}

/// Returns the id of an input.
fn id_of(input: &Value) -> Result<String, Failure> {
    let id = text_or_number(input, "id");
    id.ok_or_else(|| Failure::invalid("Invalid input JSON: each input must have an id"))
}

fn text_of<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn names_of(body: &Value, name: &str) -> Vec<String> {
    let names = body.get(name).and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the names of the properties in inputs.
fn property_names(inputs: &[Value]) -> impl Iterator<Item = &str> {
    let properties = inputs.iter().filter_map(|input| input.get("properties")?.as_object());
    properties.flat_map(|properties| properties.keys().map(String::as_str))
}

/// Refuses a batch in which two inputs are the same.
fn require_distinct<'i>(what: &str, ids: impl Iterator<Item = &'i str>) -> Result<(), Failure> {
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for id in ids {
        if !seen.insert(id) {
            twice.insert(id.to_owned());
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let twice: Vec<String> = twice.into_iter().collect();
    let message =
        format!("Duplicate {what} found in batch input: [{}]. IDs must be unique", twice.join(", "));
    Err(Failure::invalid(message).about("ids", twice))
}

pub(crate) async fn read(session: Session, request: Request) -> Result<Response, Failure> {
    let started = session.now();
    let body = json_of(request).await?;
    let history = names_of(&body, "propertiesWithHistory");
    let max = if history.is_empty() { CRM_BATCH_MAX } else { CRM_BATCH_HISTORY_MAX };
    let ids: Vec<String> = inputs(&body, max)?.iter().map(id_of).collect::<Result<_, _>>()?;
    let shown = names_of(&body, "properties");
    let definitions = session.definitions_of(shown.iter().chain(&history).map(String::as_str)).await?;
    let selection = Selection::new(&shown, &definitions);
    let (found, missing) = find(&session, &ids, text_of(&body, "idProperty")).await?;
    let mut results = Vec::new();
    for contact in &found.contacts {
        let mut view = ObjectView::new(contact, &found.period, &selection);
        if !history.is_empty() {
            let versions = with_history(&session, contact, &history, &definitions).await?;
            view.properties_with_history = Some(versions);
        }
        results.push(view);
    }
    let errors = if missing.is_empty() { Vec::new() } else { vec![ErrorView::not_found(missing)] };
    conclude(&session, started, StatusCode::OK, results, errors)
}

/// The contacts of a batch.
struct FoundContacts {
    /// Each contact once, in the order of the inputs that name them first.
    contacts: Vec<Contact>,
    /// The contact that each text names.
    named: BTreeMap<String, ContactId>,
    period: domain::period::Period,
}

impl FoundContacts {
    /// Sets the contact of each input that names one.
    fn name_contacts(&self, planned: &mut [Planned]) {
        for input in planned {
            input.contact = self.named.get(&input.id).copied();
        }
    }
}

/// Reads the contacts that these texts name. Returns those, and the texts that name none.
async fn find(
    session: &Session,
    ids: &[String],
    id_property: Option<&str>,
) -> Result<(FoundContacts, Vec<String>), Failure> {
    let asked: Vec<ContactRef> = ids.iter().map(|id| reference(id, id_property)).collect::<Result<_, _>>()?;
    let store = &session.context.store;
    let (contacts, period) = store.contacts(session.account(), &asked, session.now()).await?;
    let mut found = FoundContacts { contacts: Vec::new(), named: BTreeMap::new(), period };
    let (mut seen, mut missing) = (BTreeSet::new(), Vec::new());
    for (id, contact) in ids.iter().zip(contacts) {
        match contact {
            Some(contact) => {
                found.named.insert(id.clone(), contact.id);
                if seen.insert(contact.id) {
                    found.contacts.push(contact);
                }
            }
            None if !missing.contains(id) => missing.push(id.clone()),
            None => {}
        }
    }
    Ok((found, missing))
}

/// One input whose properties are checked.
struct Planned {
    /// The text that names the contact. It is empty in a batch that creates contacts.
    id: String,
    /// The contact that `id` names, if there is one.
    contact: Option<ContactId>,
    changes: Changes,
    input: Value,
}

impl Planned {
    /// Checks the properties of all inputs. The first one with an error refuses the batch.
    async fn all(
        session: &Session,
        inputs: Vec<Value>,
        definitions: &Definitions,
    ) -> Result<Vec<Self>, Failure> {
        let mut planned = Vec::new();
        for input in inputs {
            match Changes::read(&properties_of(&input)?, definitions, &session.principal) {
                Ok(changes) => {
                    let id = text_or_number(&input, "id").unwrap_or_default();
                    planned.push(Self { id, contact: None, changes, input });
                }
                Err(errors) => return Err(session.refuse(&errors).await),
            }
        }
        Ok(planned)
    }

    /// Sets the address to the one that names the contact, unless the properties have another one.
    fn set_address(&mut self) -> Result<(), Failure> {
        if self.changes.email == Patch::Keep {
            let invalid = |_| Failure::invalid(format!("Email address {} is invalid", self.id));
            self.changes.email = Patch::Set(EmailAddress::parse(&self.id).map_err(invalid)?);
        }
        Ok(())
    }

    /// Returns true if the input would give the contact the address by which it names it.
    fn is_named_by_address(&self) -> bool {
        self.changes.new_email().is_some_and(|email| email.key() == key_of(&self.id))
    }

    fn trace_id(&self) -> Option<&str> {
        text_of(&self.input, "objectWriteTraceId")
    }

    /// Returns the view with the id by which the caller finds its input again.
    fn traced(&self, mut view: ObjectView) -> ObjectView {
        view.object_write_trace_id = self.trace_id().map(str::to_owned);
        view
    }
}

/// Carries out the work of each input, some at once. Returns the results and errors in the order of the inputs.
async fn each<'p, F>(
    planned: &'p [Planned],
    work: impl Fn(&'p Planned) -> F,
    name_of: impl Fn(&Planned) -> (&'static str, String),
) -> (Vec<ObjectView>, Vec<ErrorView>)
where
    F: Future<Output = Result<ObjectView, Failure>> + 'p,
{
    let works: Vec<F> = planned.iter().map(work).collect();
    let done: Vec<_> = stream::iter(works).buffered(CRM_BATCH_PARALLEL).collect().await;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for (input, done) in planned.iter().zip(done) {
        match done {
            Ok(view) => results.push(input.traced(view)),
            Err(failure) => {
                let (name, id) = name_of(input);
                errors.push(ErrorView::new(failure, name, &id));
            }
        }
    }
    (results, errors)
}

pub(crate) async fn create(session: Session, request: Request) -> Result<Response, Failure> {
    let started = session.now();
    let body = json_of(request).await?;
    let inputs = inputs(&body, CRM_BATCH_MAX)?;
    let definitions = session.definitions_of(property_names(&inputs)).await?;
    let planned = Planned::all(&session, inputs, &definitions).await?;
    let emails: Vec<&EmailAddress> = planned.iter().filter_map(|input| input.changes.new_email()).collect();
    require_distinct("emails", emails.iter().map(|email| email.key()))?;
    // Inputs with ids of their own are answered one by one. Otherwise the first conflict refuses the batch.
    let is_traced = !planned.is_empty() && planned.iter().all(|input| input.trace_id().is_some());
    if !is_traced {
        require_new(&session, &emails).await?;
    }
    let (results, errors) = each(
        &planned,
        |input| contacts::created(&session, &input.input, &definitions),
        |input| match input.trace_id() {
            Some(trace_id) => ("objectWriteTraceId", trace_id.to_owned()),
            None => {
                ("ids", input.changes.new_email().map(|email| email.key().to_owned()).unwrap_or_default())
            }
        },
    )
    .await;
    conclude(&session, started, StatusCode::CREATED, results, errors)
}

/// Refuses a batch if one of the addresses has a contact.
async fn require_new(session: &Session, emails: &[&EmailAddress]) -> Result<(), Failure> {
    let asked: Vec<ContactRef> = emails.iter().map(|email| ContactRef::Email((*email).clone())).collect();
    let store = &session.context.store;
    let (found, _) = store.contacts(session.account(), &asked, session.now()).await?;
    match found.into_iter().flatten().next() {
        Some(contact) => Err(contacts::already_exists(contact.id)),
        None => Ok(()),
    }
}

pub(crate) async fn update(session: Session, request: Request) -> Result<Response, Failure> {
    let started = session.now();
    let body = json_of(request).await?;
    let inputs = inputs(&body, CRM_BATCH_MAX)?;
    let definitions = session.definitions_of(property_names(&inputs)).await?;
    let id_property = id_property(&inputs, &body)?;
    let ids: Vec<String> = inputs.iter().map(id_of).collect::<Result<_, _>>()?;
    let keys: Vec<String> = ids.iter().map(|id| key_of(id)).collect();
    require_distinct("IDs", keys.iter().map(String::as_str))?;
    let mut planned = Planned::all(&session, inputs, &definitions).await?;
    let (found, missing) = find(&session, &ids, id_property.as_deref()).await?;
    found.name_contacts(&mut planned);
    planned.retain(|input| input.contact.is_some());
    let (results, mut errors) = each(
        &planned,
        async |input| {
            let contact = input.contact.ok_or_else(|| Failure::not_found(&input.id))?;
            updated(&session, contact, &input.changes, &definitions).await
        },
        |input| ("ids", input.id.clone()),
    )
    .await;
    if !missing.is_empty() {
        errors.push(ErrorView::not_found(missing));
    }
    conclude(&session, started, StatusCode::OK, results, errors)
}

async fn updated(
    session: &Session,
    contact: ContactId,
    changes: &Changes,
    definitions: &Definitions,
) -> Result<ObjectView, Failure> {
    let (contact, period) = contacts::updated(session, contact, changes).await?;
    Ok(written(&contact, &period, changes, definitions))
}

/// Returns the property by which the inputs name contacts. All of them must use the same one.
fn id_property(inputs: &[Value], body: &Value) -> Result<Option<String>, Failure> {
    let given: BTreeSet<Option<&str>> = inputs.iter().map(|input| text_of(input, "idProperty")).collect();
    match given.iter().copied().collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        [one] => Ok(one.or(text_of(body, "idProperty")).map(str::to_owned)),
        _ => Err(Failure::invalid("All inputs must have the same idProperty")),
    }
}

pub(crate) async fn upsert(session: Session, request: Request) -> Result<Response, Failure> {
    let started = session.now();
    let body = json_of(request).await?;
    let inputs = inputs(&body, CRM_BATCH_MAX)?;
    let definitions = session.definitions_of(property_names(&inputs)).await?;
    let id_property = id_property(&inputs, &body)?;
    match id_property.as_deref() {
        _ if inputs.is_empty() => {}
        Some("email" | "hs_object_id") => {}
        Some(other) => return Err(contacts::non_unique(other)),
        None => return Err(Failure::invalid("idProperty is required to upsert objects")),
    }
    let ids: Vec<String> = inputs.iter().map(id_of).collect::<Result<_, _>>()?;
    let keys: Vec<String> = ids.iter().map(|id| key_of(id)).collect();
    require_distinct("IDs", keys.iter().map(String::as_str))?;
    let mut planned = Planned::all(&session, inputs, &definitions).await?;
    if id_property.as_deref() == Some("email") {
        for input in &mut planned {
            input.set_address()?;
        }
    }
    let (found, _) = find(&session, &ids, id_property.as_deref()).await?;
    found.name_contacts(&mut planned);
    let (results, errors) =
        each(&planned, |input| upserted(&session, input, &definitions), |input| ("ids", input.id.clone()))
            .await;
    conclude(&session, started, StatusCode::OK, results, errors)
}

/// Returns the text by which two ids are compared: two spellings of an address are one.
fn key_of(id: &str) -> String {
    EmailAddress::parse(id).map_or_else(|_| id.to_owned(), |email| email.key().to_owned())
}

/// Creates or updates the contact of an input.
async fn upserted(
    session: &Session,
    input: &Planned,
    definitions: &Definitions,
) -> Result<ObjectView, Failure> {
    let contact = match input.contact {
        Some(contact) => contact,
        None => match contacts::save(session, &input.changes).await {
            Ok(saved) => {
                let mut view = contacts::created_view(&saved, &input.changes, definitions);
                view.new = Some(true);
                return Ok(view);
            }
            // Another request has created the contact in between. A contact with another address than the one that the
            // input names is not the input's contact, so that conflict is the input's error.
            Err(Failure { existing: Some(contact), .. }) if input.is_named_by_address() => contact,
            Err(failure) => return Err(failure),
        },
    };
    let mut view = updated(session, contact, &input.changes, definitions).await?;
    view.new = Some(false);
    Ok(view)
}

pub(crate) async fn archive(session: Session, request: Request) -> Result<Response, Failure> {
    let body = json_of(request).await?;
    let ids: Vec<String> = inputs(&body, CRM_BATCH_MAX)?.iter().map(id_of).collect::<Result<_, _>>()?;
    for id in ids {
        // An id that no contact has is archived already.
        if let Ok(contact) = id.parse() {
            contacts::delete(&session, contact, false).await?;
        }
    }
    no_content()
}
