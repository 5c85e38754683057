//! The members of lists.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::response::Response;
use domain::Timestamp;
use domain::contact::Contact;
use domain::ids::ContactId;
use domain::limits::{CRM_MEMBERSHIP_PAGES_MAX, CRM_MEMBERSHIPS_MAX, CRM_MEMBERSHIPS_PAGE_MAX};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use store::{ChangeMembers, ContactRef, MembersReport, Responder, Segment};

use super::{as_text, find, missing};
use crate::body::{json_of, json_value_of, respond};
use crate::envelope::Failure;
use crate::kept::Kept;
use crate::paging::{Page, PageView};
use crate::path::PathId;
use crate::query::Query;
use crate::session::Session;

/// The number of members on a page if the request names none.
const PAGE_DEFAULT: usize = 100;

/// A member of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberView {
    record_id: String,
    membership_timestamp: String,
}

/// The result of a change of members. The first name is spelt as `HubSpot` spells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeView {
    #[serde(rename = "recordsIdsAdded")]
    added: Vec<String>,
    #[serde(rename = "recordIdsRemoved")]
    removed: Vec<String>,
    #[serde(rename = "recordIdsMissing")]
    missing: Vec<String>,
}

pub(crate) async fn memberships(
    session: Session,
    PathId(id): PathId,
    query: Query,
    page: Page,
) -> Result<Response, Failure> {
    let limit = query.limit(PAGE_DEFAULT, CRM_MEMBERSHIPS_PAGE_MAX)?;
    let mut after = page.after(|text| text.parse::<ContactId>().ok())?;
    let segment = find(&session, &id).await?;
    let mut contacts: Vec<Contact> = Vec::new();
    // A page of a filter may have few contacts or none, though others follow. Programs expect a filled page.
    for _ in 0..CRM_MEMBERSHIP_PAGES_MAX {
        let (store, account) = (&session.context.store, session.account());
        let rest = limit - contacts.len();
        let found = store.segment_contacts(account, segment.id, after, rest, session.now()).await?;
        contacts.extend(found.contacts);
        after = found.next;
        if after.is_none() || contacts.len() >= limit {
            break;
        }
    }
    let times = joined(&session, &segment, &contacts).await?;
    let view = |contact: &Contact| MemberView {
        record_id: contact.id.to_string(),
        membership_timestamp: times.get(&contact.id).copied().unwrap_or(contact.created_at).to_string(),
    };
    // The number of contacts that match a filter is not known without reading all of them.
    let total = segment.filter.is_none().then_some(segment.members);
    let (results, paging) = (contacts.iter().map(view).collect(), after.map(|after| page.next(&after)));
    respond(StatusCode::OK, &PageView { total, results, paging })
}

/// Returns the instants since which contacts belong to a list.
async fn joined(
    session: &Session,
    segment: &Segment,
    contacts: &[Contact],
) -> Result<BTreeMap<ContactId, Timestamp>, Failure> {
    if segment.filter.is_some() {
        // Since its latest change, and that of the filter, a contact has matched for certain.
        let since = |contact: &Contact| contact.updated_at.max(segment.updated_at);
        return Ok(contacts.iter().map(|contact| (contact.id, since(contact))).collect());
    }
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    Ok(session.context.store.member_times(session.account(), segment.id, &ids).await?)
}

pub(crate) async fn add(session: Session, path: PathId, request: Request) -> Result<Response, Failure> {
    let ids = ids_of(&json_value_of(request).await?, "the body")?;
    change(&session, path, ids, Vec::new()).await
}

pub(crate) async fn remove(session: Session, path: PathId, request: Request) -> Result<Response, Failure> {
    let ids = ids_of(&json_value_of(request).await?, "the body")?;
    change(&session, path, Vec::new(), ids).await
}

pub(crate) async fn add_and_remove(
    session: Session,
    path: PathId,
    request: Request,
) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let ids = |name: &str| match input.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(ids) => ids_of(ids, name),
    };
    change(&session, path, ids("recordIdsToAdd")?, ids("recordIdsToRemove")?).await
}

/// Returns the ids in an array of texts and numbers.
fn ids_of(value: &Value, name: &str) -> Result<Vec<String>, Failure> {
    let ids = value.as_array().map(|ids| ids.iter().map(as_text).collect::<Vec<_>>());
    let ids = ids.ok_or_else(|| Failure::invalid(format!("{name}: expected an array of record ids")))?;
    if ids.len() > CRM_MEMBERSHIPS_MAX {
        return Err(Failure::invalid(format!("{name}: expected at most {CRM_MEMBERSHIPS_MAX} record ids")));
    }
    Ok(ids)
}

async fn change(
    session: &Session,
    PathId(id): PathId,
    add: Vec<String>,
    remove: Vec<String>,
) -> Result<Response, Failure> {
    let segment = find(session, &id).await?;
    if segment.filter.is_some() {
        return Err(Failure::invalid(format!(
            "The members of list {id} cannot be changed, because its processing type is DYNAMIC."
        )));
    }
    let reference = |id: &String| id.parse().map_or(ContactRef::Unknown, ContactRef::Id);
    let change = ChangeMembers {
        add: add.iter().map(reference).collect(),
        remove: remove.iter().map(reference).collect(),
    };
    let kept = Kept::new();
    let render = |report: &MembersReport| kept.keep(report);
    let responder = Responder::new(None, &render);
    let (store, account) = (&session.context.store, session.account());
    let changed = store.change_members(account, segment.id, &change, session.now(), responder).await;
    changed.map_err(|error| missing(error, &id))?;
    let report = kept.take()?;
    let at = |ids: &[String], positions: &[usize]| {
        positions.iter().filter_map(|position| ids.get(*position)).cloned().collect::<Vec<_>>()
    };
    let mut missing = at(&add, &report.unknown_add);
    missing.extend(at(&remove, &report.unknown_remove));
    let texts = |ids: &[ContactId]| ids.iter().map(ToString::to_string).collect();
    let view = ChangeView { added: texts(&report.added), removed: texts(&report.removed), missing };
    respond(StatusCode::OK, &view)
}
