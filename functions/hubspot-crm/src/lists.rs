//! The lists of contacts, which are segments: a static list is `MANUAL`, and a filter is `DYNAMIC`.

mod branch;
mod filter_view;
mod members;
mod operation;
mod snapshot;
mod time_point;

use axum::extract::Request;
use axum::response::Response;
use domain::filter::Filter;
use domain::ids::{NumberedId as _, SegmentId};
use domain::limits::{CRM_LIST_IDS_MAX, CRM_LIST_SEARCH_MAX, NAME_CHARS_MAX, PAGE_LIMIT_MAX};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use store::{
    BulkTask, MembersReport, NewSegment, Refused, Responder, Segment, SegmentContent, StoreError,
    UpdateSegment,
};

use crate::Parts;
use crate::body::{json_of, no_content, respond};
use crate::definitions::Definitions;
use crate::envelope::{Category, Failure};
use crate::kept::{Kept, empty};
use crate::number::decimal;
use crate::path::{PathId, PathTexts};
use crate::query::Query;
use crate::session::Session;

pub(crate) use members::{add, add_and_remove, memberships, remove};

/// The type of contacts.
pub(crate) const CONTACTS: &str = "0-1";

/// The number of lists on a page of a search if the request names none.
const SEARCH_DEFAULT: usize = 20;

/// The number of lists that are read at once.
const READ_AT_ONCE: usize = 10;

/// A list in a response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListView {
    list_id: String,
    list_version: u64,
    name: String,
    object_type_id: &'static str,
    processing_type: &'static str,
    processing_status: &'static str,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters_updated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_branch: Option<Value>,
    /// The properties of a list that a search adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Value>,
}

impl ListView {
    /// Returns the view of a list, without its filters.
    fn new(segment: &Segment) -> Self {
        Self {
            list_id: segment.id.number().to_string(),
            list_version: segment.version,
            name: segment.name.clone(),
            object_type_id: CONTACTS,
            processing_type: processing_type(segment),
            processing_status: "COMPLETE",
            created_at: segment.created_at.to_string(),
            updated_at: segment.updated_at.to_string(),
            filters_updated_at: segment.filter.as_ref().map(|_| segment.updated_at.to_string()),
            size: size(segment),
            filter_branch: None,
            additional_properties: None,
        }
    }

    /// Returns the view of a list with its filters.
    fn with_filters(segment: &Segment, definitions: &Definitions) -> Self {
        let filter = segment.filter.as_ref();
        let branch = filter.map(|filter| filter_view::branch_of(filter, definitions));
        Self { filter_branch: branch, ..Self::new(segment) }
    }

    /// Returns the view of a list in the results of a search.
    fn found(segment: &Segment) -> Self {
        let size = size(segment).map(|size| json!({"hs_list_size": size.to_string()}));
        Self { additional_properties: Some(size.unwrap_or(json!({}))), size: None, ..Self::new(segment) }
    }
}

fn processing_type(segment: &Segment) -> &'static str {
    if segment.filter.is_some() { "DYNAMIC" } else { "MANUAL" }
}

/// Returns the number of contacts, as far as it is known: of a filter, from its latest count.
fn size(segment: &Segment) -> Option<u64> {
    match segment.filter {
        Some(_) => segment.counted.map(|(contacts, _)| contacts),
        None => Some(segment.members),
    }
}

/// Returns the refusal for a list that does not exist. `id` is the text in the request.
fn no_list(id: &str) -> Failure {
    Failure::new(Category::ObjectNotFound, format!("List does not exist with ID {id}."))
}

/// Returns the list with the number `id`.
async fn find(session: &Session, id: &str) -> Result<Segment, Failure> {
    find_if_known(session, id).await?.ok_or_else(|| no_list(id))
}

async fn find_if_known(session: &Session, id: &str) -> Result<Option<Segment>, Failure> {
    let Some(before) = decimal(id).and_then(SegmentId::lowest_of) else { return Ok(None) };
    let found = session.context.store.segments(session.account(), Some(before), 1).await?;
    Ok(found.items.into_iter().find(|segment| segment.id.number() == before.number()))
}

/// Reads all lists of the account.
async fn all(session: &Session) -> Result<Vec<Segment>, Failure> {
    let page = usize::try_from(PAGE_LIMIT_MAX).unwrap_or(usize::MAX);
    let (mut segments, mut after) = (Vec::new(), None);
    loop {
        let found = session.context.store.segments(session.account(), after, page).await?;
        after = found.items.last().map(|segment| segment.id);
        segments.extend(found.items);
        if !found.more {
            return Ok(segments);
        }
    }
}

pub(crate) async fn create(session: Session, request: Request) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let definitions = session.definitions().await?;
    require_contacts(text(&input, "objectTypeId")?)?;
    let name = name_of(text(&input, "name")?)?;
    let filter = match input.get("filterBranch") {
        None | Some(Value::Null) => None,
        Some(branch) => Some(branch::read(branch, &definitions)?),
    };
    let content = match (text(&input, "processingType")?, filter) {
        ("MANUAL" | "SNAPSHOT", None) => SegmentContent::List(Vec::new()),
        ("DYNAMIC", Some(filter)) => SegmentContent::Filter(filter),
        ("SNAPSHOT", Some(filter)) => SegmentContent::List(snapshot::matching(&session, &filter).await?),
        ("DYNAMIC", None) => return Err(Failure::invalid("filterBranch: is required for a DYNAMIC list")),
        ("MANUAL", Some(_)) => {
            return Err(Failure::invalid("filterBranch: is not allowed for a MANUAL list"));
        }
        _ => return Err(Failure::invalid("processingType: expected MANUAL, DYNAMIC or SNAPSHOT")),
    };
    let segment = created(&session, NewSegment { name, content }).await?;
    respond(StatusCode::OK, &json!({"list": ListView::with_filters(&segment, &definitions)}))
}

/// Creates a list.
pub(crate) async fn created(session: &Session, new: NewSegment) -> Result<Segment, Failure> {
    let kept = Kept::new();
    let render = |(segment, _): &(Segment, MembersReport)| kept.keep(segment);
    let responder = Responder::new(None, &render);
    session.context.store.create_segment(session.account(), &new, session.now(), responder).await?;
    let segment = kept.take()?;
    if segment.filter.is_none() {
        // The number of members is that before the first ones were added.
        return Ok(session.context.store.segment(session.account(), segment.id).await?);
    }
    Ok(segment)
}

/// Returns the text of a member that a request must have.
fn text<'i>(input: &'i Value, name: &str) -> Result<&'i str, Failure> {
    let text = input.get(name).and_then(Value::as_str);
    text.ok_or_else(|| Failure::invalid(format!("{name}: is required, as a text")))
}

fn require_contacts(object_type: &str) -> Result<(), Failure> {
    match object_type {
        CONTACTS | "contact" | "contacts" | "CONTACT" => Ok(()),
        _ => Err(Failure::invalid("objectTypeId: expected 0-1, because there are lists of contacts only")),
    }
}

/// Checks the name of a list.
fn name_of(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.contains(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(Failure::invalid(format!("name: expected a name of 1 to {NAME_CHARS_MAX} characters")))
    }
}

/// Returns the view of a list for a request that names with `includeFilters` if it wants the filters.
async fn shown(session: &Session, query: &Query, segment: &Segment) -> Result<ListView, Failure> {
    if query.flag("includeFilters") {
        return Ok(ListView::with_filters(segment, &session.definitions().await?));
    }
    Ok(ListView::new(segment))
}

pub(crate) async fn read(session: Session, PathId(id): PathId, query: Query) -> Result<Response, Failure> {
    let segment = find(&session, &id).await?;
    respond(StatusCode::OK, &json!({"list": shown(&session, &query, &segment).await?}))
}

pub(crate) async fn read_by_name(
    session: Session,
    texts: PathTexts,
    query: Query,
) -> Result<Response, Failure> {
    let name = texts.get("name");
    require_contacts(texts.get("object"))?;
    let segment = all(&session).await?.into_iter().find(|segment| segment.name.eq_ignore_ascii_case(name));
    let no_such_name = || Failure::new(Category::ObjectNotFound, "List does not exist with this name.");
    let segment = segment.ok_or_else(no_such_name)?;
    respond(StatusCode::OK, &json!({"list": shown(&session, &query, &segment).await?}))
}

pub(crate) async fn read_many(session: Session, query: Query) -> Result<Response, Failure> {
    let ids = query.list("listIds");
    if ids.len() > CRM_LIST_IDS_MAX {
        return Err(Failure::invalid(format!("listIds: expected at most {CRM_LIST_IDS_MAX} ids")));
    }
    let read = |id: String| {
        let session = &session;
        async move { find_if_known(session, &id).await }
    };
    let reads = stream::iter(ids).map(read).buffered(READ_AT_ONCE);
    let segments: Vec<Option<Segment>> = reads.try_collect().await?;
    let mut lists = Vec::new();
    for segment in segments.into_iter().flatten() {
        lists.push(shown(&session, &query, &segment).await?);
    }
    respond(StatusCode::OK, &json!({"lists": lists}))
}

/// A search of lists.
struct ListSearch {
    ids: Option<Vec<String>>,
    query: String,
    types: Option<Vec<String>>,
    sort: Sort,
    is_descending: bool,
    offset: usize,
    count: usize,
}

/// The value by which lists are sorted.
#[derive(Clone, Copy)]
enum Sort {
    Id,
    Name,
    Updated,
}

impl ListSearch {
    fn read(input: &Value) -> Result<Self, Failure> {
        let texts = |name: &str| {
            let given = input.get(name).filter(|value| !value.is_null())?;
            let texts = given.as_array().into_iter().flatten().map(as_text);
            Some(texts.collect::<Vec<_>>()).filter(|texts| !texts.is_empty())
        };
        let number = |name: &str, default: usize| match input.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => as_text(value)
                .parse::<usize>()
                .map_err(|_| Failure::invalid(format!("{name}: expected a whole number from 0"))),
        };
        let sort = input.get("sort").and_then(Value::as_str).unwrap_or_default();
        let (is_descending, by) = sort.strip_prefix('-').map_or((false, sort), |by| (true, by));
        let sort = match by {
            "" | "HS_LIST_ID" | "HS_CREATEDATE" | "HS_CREATED_AT" => Sort::Id,
            "HS_LIST_NAME" => Sort::Name,
            "HS_LASTMODIFIEDDATE" | "HS_UPDATED_AT" => Sort::Updated,
            _ => {
                let message = "sort: expected HS_LIST_ID, HS_LIST_NAME, HS_CREATEDATE or HS_LASTMODIFIEDDATE";
                return Err(Failure::invalid(message));
            }
        };
        Ok(Self {
            ids: texts("listIds"),
            query: input.get("query").and_then(Value::as_str).unwrap_or_default().to_lowercase(),
            types: texts("processingTypes"),
            sort,
            is_descending,
            offset: number("offset", 0)?,
            count: number("count", SEARCH_DEFAULT)?.clamp(1, CRM_LIST_SEARCH_MAX),
        })
    }

    fn finds(&self, segment: &Segment) -> bool {
        let id = segment.id.number().to_string();
        self.ids.as_ref().is_none_or(|ids| ids.contains(&id))
            && self
                .types
                .as_ref()
                .is_none_or(|types| types.iter().any(|kind| kind == processing_type(segment)))
            && segment.name.to_lowercase().contains(&self.query)
    }

    fn sort(&self, segments: &mut [Segment]) {
        match self.sort {
            Sort::Id => {}
            Sort::Name => segments.sort_by_cached_key(|segment| segment.name.to_lowercase()),
            Sort::Updated => segments.sort_by_key(|segment| segment.updated_at),
        }
        if self.is_descending {
            segments.reverse();
        }
    }
}

/// Returns the text of a value. Clients send ids as texts and as numbers.
pub(crate) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(crate) async fn search(session: Session, request: Request) -> Result<Response, Failure> {
    let search = ListSearch::read(&json_of(request).await?)?;
    let mut found = all(&session).await?;
    found.retain(|segment| search.finds(segment));
    search.sort(&mut found);
    let total = found.len();
    let page = found.iter().skip(search.offset).take(search.count);
    let lists: Vec<ListView> = page.map(ListView::found).collect();
    // `offset` is the place at which the next page begins.
    let offset = search.offset.saturating_add(lists.len());
    let body = json!({"lists": lists, "hasMore": offset < total, "offset": offset, "total": total});
    respond(StatusCode::OK, &body)
}

pub(crate) async fn delete(
    session: Session,
    axum::extract::State(parts): axum::extract::State<Parts>,
    PathId(id): PathId,
) -> Result<Response, Failure> {
    let segment = find(&session, &id).await?;
    let (account, actor) = (session.account(), session.principal.actor());
    let render = |(): &()| empty();
    let responder = Responder::new(None, &render);
    let deleted = session.context.store.delete_segment(account, segment.id, actor, session.now(), responder);
    let (_, has_job) = deleted.await.map_err(|error| missing(error, &id))?;
    if has_job {
        parts.bulk_queue.enqueue(BulkTask { account }).await;
    }
    no_content()
}

/// Returns the refusal of a change of a list. `id` is the text in the request.
fn missing(error: StoreError, id: &str) -> Failure {
    match error {
        StoreError::Refused(Refused::NotFound(_)) => no_list(id),
        error => error.into(),
    }
}

pub(crate) async fn update_name(
    session: Session,
    PathId(id): PathId,
    query: Query,
) -> Result<Response, Failure> {
    let name = name_of(query.get("listName").unwrap_or_default())?;
    let change = UpdateSegment { name: Some(name), filter: None };
    let segment = updated(&session, &id, &change).await?;
    respond(StatusCode::OK, &json!({"updatedList": shown(&session, &query, &segment).await?}))
}

pub(crate) async fn update_filters(
    session: Session,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let definitions = session.definitions().await?;
    let branch = input.get("filterBranch").unwrap_or(&Value::Null);
    let filter: Filter = branch::read(branch, &definitions)?;
    let change = UpdateSegment { name: None, filter: Some(filter) };
    let segment = updated(&session, &id, &change).await?;
    respond(StatusCode::OK, &json!({"updatedList": ListView::with_filters(&segment, &definitions)}))
}

async fn updated(session: &Session, id: &str, change: &UpdateSegment) -> Result<Segment, Failure> {
    let segment = find(session, id).await?;
    if segment.filter.is_none() && change.filter.is_some() {
        return Err(Failure::invalid("filterBranch: is not allowed for a MANUAL list"));
    }
    let kept = Kept::new();
    let render = |segment: &Segment| kept.keep(segment);
    let responder = Responder::new(None, &render);
    let (store, account) = (&session.context.store, session.account());
    let changed = store.update_segment(account, segment.id, change, session.now(), responder).await;
    changed.map_err(|error| missing(error, id))?;
    kept.take()
}
