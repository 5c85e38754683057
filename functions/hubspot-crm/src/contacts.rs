//! The operations on one contact, and the list of contacts.

use axum::extract::Request;
use axum::response::Response;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::decision::{Command, Refusal};
use domain::ids::ContactId;
use domain::limits::{CRM_BATCH_HISTORY_MAX, CRM_LIST_MAX};
use domain::period::Period;
use domain::source::Intake;
use http::StatusCode;
use serde_json::Value;
use store::{
    ContactRef, DeleteContact, MergeContacts, Refused, Responder, SaveContact, SaveMode, Saved, Search,
    StoreError, UpdateContact,
};

use crate::body::{json_of, no_content, respond};
use crate::definitions::Definitions;
use crate::envelope::{Category, Failure};
use crate::history::with_history;
use crate::input::{Changes, PropertyErrors, properties_of, text_or_number};
use crate::kept::{Kept, empty};
use crate::object::{ObjectView, Selection, Warning};
use crate::paging::{Page, PageView};
use crate::path::PathId;
use crate::query::Query;
use crate::session::Session;

/// The number of contacts on a page if the request names none.
const LIST_DEFAULT: usize = 10;

/// Returns the contact that a text names: by `idProperty`, or by its id.
///
/// # Errors
///
/// A refusal if the property is not unique.
pub(crate) fn reference(id: &str, id_property: Option<&str>) -> Result<ContactRef, Failure> {
    match id_property {
        None | Some("hs_object_id" | "vid") => {
            Ok(id.parse::<ContactId>().map_or(ContactRef::Unknown, ContactRef::Id))
        }
        Some("email") => Ok(EmailAddress::parse(id).map_or(ContactRef::Unknown, ContactRef::Email)),
        Some(other) => Err(non_unique(other)),
    }
}

/// Returns the refusal of a property that does not identify contacts.
pub(crate) fn non_unique(property: &str) -> Failure {
    Failure::invalid(format!("Unable to perform update/upsert by non-unique 0-1 property {property}"))
}

pub(crate) async fn create(session: Session, request: Request) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let definitions = session.definitions_of(properties_of(&input)?.keys().map(String::as_str)).await?;
    let view = created(&session, &input, &definitions).await?;
    respond(StatusCode::CREATED, &view)
}

/// Creates a contact.
pub(crate) async fn created(
    session: &Session,
    input: &Value,
    definitions: &Definitions,
) -> Result<ObjectView, Failure> {
    let properties = properties_of(input)?;
    if properties.is_empty() {
        return Err(Failure::invalid("At least one property needs to be set to create a contact"));
    }
    let changes = match Changes::read(&properties, definitions, &session.principal) {
        Ok(changes) => changes,
        Err(errors) => return Err(session.refuse(&errors).await),
    };
    let saved = save(session, &changes).await?;
    let mut view = created_view(&saved, &changes, definitions);
    view.warnings.extend(ignored_associations(input));
    Ok(view)
}

/// Returns the view of a created contact, with a warning if it could not become marketing.
pub(crate) fn created_view(saved: &Saved, changes: &Changes, definitions: &Definitions) -> ObjectView {
    let mut view = written(&saved.contact, &saved.period, changes, definitions);
    view.warnings.extend(saved.status.and_then(Result::err).map(not_set));
    view
}

/// Creates a contact. The store takes care that its address is unique.
pub(crate) async fn save(session: &Session, changes: &Changes) -> Result<Saved, Failure> {
    let principal = &session.principal;
    let by_default = match principal.caller {
        domain::permission::PrincipalKind::Integration { set_marketing, .. } => set_marketing,
        domain::permission::PrincipalKind::User { .. } => false,
    };
    let request = SaveContact {
        account: principal.account,
        mode: SaveMode::Create,
        email: changes.new_email(),
        properties: &changes.properties,
        unsubscribed: None,
        bounced: None,
        intake: Intake::Integration { set_marketing: changes.status.unwrap_or(by_default) },
        source: principal.source(),
        actor: principal.actor(),
        if_match: None,
    };
    let result = Kept::new();
    let render = |saved: &Saved| result.keep(saved);
    session
        .context
        .store
        .upsert_contact(&request, session.now(), Responder::new(None, &render))
        .await
        .map_err(exists)?;
    result.take()
}

/// Returns the refusal of a contact that exists, in the words that programs parse.
fn exists(error: StoreError) -> Failure {
    match error {
        StoreError::Refused(Refused::ContactExists(id)) => already_exists(id),
        error => error.into(),
    }
}

/// Returns the refusal of an address that a contact has.
pub(crate) fn already_exists(id: ContactId) -> Failure {
    let message = format!("Contact already exists. Existing ID: {id}");
    let mut failure = Failure::new(Category::Conflict, message);
    failure.existing = Some(id);
    failure
}

/// Returns the view of a contact after a change: the usual properties and those of the request.
pub(crate) fn written(
    contact: &Contact,
    period: &Period,
    changes: &Changes,
    definitions: &Definitions,
) -> ObjectView {
    let usual = crate::field::DEFAULT.iter().map(|name| (*name).to_owned());
    let mut names: Vec<String> = usual.chain(changes.names.iter().cloned()).collect();
    if changes.status.is_some() {
        names.push("hs_marketable_until_renewal".to_owned());
    }
    let mut view = ObjectView::new(contact, period, &Selection::new(&names, definitions));
    let is_leaving = contact.state() == domain::marketing::EffectiveState::Leaving;
    if changes.status == Some(false) && is_leaving {
        view.warnings.push(Warning::new(
            "MARKETING_CONTACT_UNTIL_RENEWAL",
            format!("The contact stays a marketing contact until the update date, {}.", period.ends_at),
            "hs_marketable_until_renewal",
        ));
    }
    view
}

fn not_set(refusal: Refusal) -> Warning {
    Warning::new("MARKETING_CONTACTS_LIMIT", reason(refusal), "hs_marketable_status")
}

/// Returns the sentence for a contact that can't become marketing.
pub(crate) fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::CapReached => {
            "The contact is not a marketing contact, because the account's cap is reached."
        }
        Refusal::MarketingContactsOff => {
            "The contact is not a marketing contact, because the account has marketing contacts switched off."
        }
        Refusal::TierLimit | Refusal::FormBudget => {
            "The contact is not a marketing contact, because a limit is reached."
        }
    }
}

fn ignored_associations(input: &Value) -> Option<Warning> {
    let given = input.get("associations").and_then(Value::as_array)?;
    let message = "Associations are not stored, because there are no other objects than contacts.";
    (!given.is_empty()).then(|| Warning::new("ASSOCIATIONS_IGNORED", message, "associations"))
}

pub(crate) async fn read(session: Session, PathId(id): PathId, query: Query) -> Result<Response, Failure> {
    let asked = reference(&id, query.get("idProperty"))?;
    let (names, with_versions) = (query.list("properties"), query.list("propertiesWithHistory"));
    if query.flag("archived") {
        return Err(Failure::not_found(&id));
    }
    let definitions = session.definitions_of(names.iter().chain(&with_versions).map(String::as_str)).await?;
    let found = session.context.store.contact(session.account(), asked, session.now()).await;
    let (contact, period) = found.map_err(|error| missing(error, &id))?;
    let mut view = ObjectView::new(&contact, &period, &Selection::new(&names, &definitions));
    if !with_versions.is_empty() {
        let versions = with_history(&session, &contact, &with_versions, &definitions).await?;
        view.properties_with_history = Some(versions);
    }
    respond(StatusCode::OK, &view)
}

/// Returns the refusal for a contact that does not exist. `id` is the text in the request.
pub(crate) fn missing(error: StoreError, id: &str) -> Failure {
    match error {
        StoreError::Refused(Refused::NotFound(_)) => Failure::not_found(id),
        error => exists(error),
    }
}

pub(crate) async fn update(
    session: Session,
    PathId(id): PathId,
    query: Query,
    request: Request,
) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let asked = reference(&id, query.get("idProperty"))?;
    let properties = properties_of(&input)?;
    let definitions = session.definitions_of(properties.keys().map(String::as_str)).await?;
    let changes = match Changes::read(&properties, &definitions, &session.principal) {
        Ok(changes) => changes,
        Err(errors) => return Err(session.refuse(&errors).await),
    };
    let contact = resolve(&session, asked, &id).await?;
    let (contact, period) = updated(&session, contact, &changes).await?;
    respond(StatusCode::OK, &written(&contact, &period, &changes, &definitions))
}

/// Returns the id of the contact that a request names.
pub(crate) async fn resolve(session: &Session, asked: ContactRef, id: &str) -> Result<ContactId, Failure> {
    match asked {
        ContactRef::Id(id) => Ok(id),
        ContactRef::Unknown => Err(Failure::not_found(id)),
        by_email @ ContactRef::Email(_) => {
            let found = session.context.store.contact(session.account(), by_email, session.now()).await;
            found.map(|(contact, _)| contact.id).map_err(|error| missing(error, id))
        }
    }
}

/// Updates a contact, with its marketing state, in one transaction.
pub(crate) async fn updated(
    session: &Session,
    contact: ContactId,
    changes: &Changes,
) -> Result<(Contact, Period), Failure> {
    let principal = &session.principal;
    let request = UpdateContact {
        account: principal.account,
        contact,
        email: changes.email.clone(),
        properties: &changes.properties,
        unsubscribed: None,
        bounced: None,
        status: changes.status.map(command),
        if_match: None,
        source: principal.source(),
        actor: principal.actor(),
    };
    let result = Kept::new();
    let render = |after: &(Contact, Period)| result.keep(after);
    let store = &session.context.store;
    match store.update_contact(&request, session.now(), Responder::new(None, &render)).await {
        Ok(_) => {}
        Err(StoreError::Refused(Refused::Status(refusal))) => {
            return Err(session.refuse(&PropertyErrors::not_marketing(reason(refusal))).await);
        }
        Err(error) => return Err(missing(error, &contact.to_string())),
    }
    result.take()
}

fn command(status: bool) -> Command {
    if status { Command::SetMarketing } else { Command::SetNonMarketingPending }
}

pub(crate) async fn archive(session: Session, PathId(id): PathId) -> Result<Response, Failure> {
    // An id that no contact has is archived already.
    if let Ok(contact) = id.parse() {
        delete(&session, contact, false).await?;
    }
    no_content()
}

/// Returns the id of a contact in a body.
fn object_id(input: &Value, name: &str) -> Result<String, Failure> {
    let id = text_or_number(input, name);
    id.ok_or_else(|| Failure::invalid(format!("Invalid input JSON: {name} must be a text")))
}

pub(crate) async fn merge(session: Session, request: Request) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let (primary, other) = (object_id(&input, "primaryObjectId")?, object_id(&input, "objectIdToMerge")?);
    let parse = |id: &str| id.parse::<ContactId>().map_err(|_| Failure::not_found(id));
    let principal = &session.principal;
    let merge = MergeContacts {
        account: principal.account,
        primary: parse(&primary)?,
        other: parse(&other)?,
        source: principal.source(),
        actor: principal.actor(),
        modify_marketing_contacts: principal.modify_marketing_contacts,
    };
    let result = Kept::new();
    let render = |after: &(Contact, Period)| result.keep(after);
    let store = &session.context.store;
    let merged = store.merge_contacts(&merge, session.now(), Responder::new(None, &render)).await;
    merged.map_err(|error| missing(error, &other))?;
    let (contact, period) = result.take()?;
    // The response has the usual properties, which need no definition of the account.
    let selection = Selection::new(&[], &Definitions::default());
    respond(StatusCode::OK, &ObjectView::new(&contact, &period, &selection))
}

pub(crate) async fn gdpr_delete(session: Session, request: Request) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let id = object_id(&input, "objectId")?;
    let asked = reference(&id, input.get("idProperty").and_then(Value::as_str))?;
    match resolve(&session, asked, &id).await {
        Ok(contact) => delete(&session, contact, true).await?,
        // A contact that does not exist is erased already.
        Err(failure) if failure.category == Category::ObjectNotFound => {}
        Err(failure) => return Err(failure),
    }
    no_content()
}

/// Deletes a contact, or erases it with all of its data. A contact that does not exist is deleted already.
pub(crate) async fn delete(session: &Session, contact: ContactId, erase: bool) -> Result<(), Failure> {
    let principal = &session.principal;
    let request = DeleteContact {
        account: principal.account,
        contact,
        erase,
        if_match: None,
        source: principal.source(),
        actor: principal.actor(),
        modify_marketing_contacts: principal.modify_marketing_contacts,
    };
    let render = |(): &()| empty();
    let store = &session.context.store;
    match store.delete_contact(&request, session.now(), Responder::new(None, &render)).await {
        Ok(_) | Err(StoreError::Refused(Refused::NotFound(_))) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn list(session: Session, query: Query, page: Page) -> Result<Response, Failure> {
    let (shown, names) = (query.list("properties"), query.list("propertiesWithHistory"));
    // Each history is read by itself, so a page with histories has fewer contacts. Clients ask for 100 in any case.
    let max = if names.is_empty() { CRM_LIST_MAX } else { CRM_BATCH_HISTORY_MAX };
    let limit = query.limit(LIST_DEFAULT, CRM_LIST_MAX)?.min(max);
    // The text is the id of the page's first contact.
    let after = page.after(|text| text.parse::<ContactId>().ok())?.and_then(ContactId::previous);
    if query.flag("archived") {
        // Archived contacts can't be restored here, so they are not listed.
        return respond(StatusCode::OK, &PageView::<ObjectView>::empty());
    }
    let definitions = session.definitions_of(shown.iter().chain(&names).map(String::as_str)).await?;
    let search = Search { account: session.account(), filter: None, after, limit };
    let found = session.context.store.search(search, session.now()).await?;
    let selection = Selection::new(&shown, &definitions);
    let mut results = Vec::new();
    for contact in &found.contacts {
        let mut view = ObjectView::new(contact, &found.period, &selection);
        if !names.is_empty() {
            view.properties_with_history = Some(with_history(&session, contact, &names, &definitions).await?);
        }
        results.push(view);
    }
    let paging = found.next.map(|last| page.next(&last.next().unwrap_or(last)));
    respond(StatusCode::OK, &PageView::new(results, paging))
}
