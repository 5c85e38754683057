//! Searches for contacts.
//!
//! Every search has a total, and its pages begin at a place in the results. A search by exact addresses or ids reads these
//! contacts alone. A search by `lastmodifieddate` reads the index of changes, if the account has it. Any other search reads
//! all contacts, and is refused if these are too many for one request.

mod changed;
mod conditions;
mod order;

use axum::extract::Request;
use axum::response::Response;
use domain::contact::Contact;
use domain::filter::Filter;
use domain::limits::{CRM_SEARCH_MAX, CRM_SEARCH_RESULTS_MAX, SEARCH_SCAN_TIME_MAX};
use domain::period::Period;
use http::StatusCode;
use serde_json::Value;
use store::Scan;
use tokio::time::Instant;

use self::changed::ChangedQuery;
use self::order::Order;
use crate::body::{json_of, respond};
use crate::envelope::Failure;
use crate::object::{ObjectView, Selection};
use crate::paging::{PageView, Paging};
use crate::session::Session;

/// The number of contacts on a page if the request names none.
const PAGE_DEFAULT: usize = 10;

/// The requested part of the results.
#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    limit: usize,
}

/// The contacts on a page, and the number of all results.
struct Found {
    contacts: Vec<Contact>,
    period: Period,
    total: u64,
}

pub(crate) async fn search(session: Session, request: Request) -> Result<Response, Failure> {
    let body = json_of(request).await?;
    let place = place(&body)?;
    let order = Order::read(body.get("sorts"))?;
    let groups = conditions::groups(&body)?;
    let properties = body.get("properties").and_then(Value::as_array).into_iter().flatten();
    let properties: Vec<String> = properties.filter_map(Value::as_str).map(str::to_owned).collect();
    let filtered: Vec<String> =
        conditions::stored(&groups).chain(order.stored()).map(str::to_owned).collect();
    let named = properties.iter().chain(&filtered).map(String::as_str);
    let definitions = session.definitions_of(named).await?;
    if let Some(name) = filtered.iter().find(|name| definitions.get(name).is_none()) {
        return Err(undefined(name));
    }
    let changed = ChangedQuery::of(&groups, &body, &order);
    let filter = conditions::filter(groups, &body)?;
    let found = match changed {
        Some(changed) => match changed.find(&session, place).await? {
            Some(found) => found,
            None => scan(&session, &filter, &order, place).await?,
        },
        None => scan(&session, &filter, &order, place).await?,
    };
    let selection = Selection::new(&properties, &definitions);
    let view = |contact| ObjectView::new(contact, &found.period, &selection);
    let results: Vec<ObjectView> = found.contacts.iter().map(view).collect();
    let next = place.offset + results.len();
    let has_more = !results.is_empty() && (next as u64) < found.total;
    let paging = has_more.then(|| Paging::without_link(&next));
    respond(StatusCode::OK, &PageView { total: Some(found.total), results, paging })
}

/// Returns the requested part of the results. `after` is a number or its text.
fn place(body: &Value) -> Result<Place, Failure> {
    let number = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let number = text.parse::<usize>();
            number.map(Some).map_err(|_| Failure::invalid(format!("{name}: expected a whole number")))
        }
    };
    let limit = number("limit")?.unwrap_or(PAGE_DEFAULT);
    if limit > CRM_SEARCH_MAX {
        return Err(Failure::invalid(format!("limit: expected a number up to {CRM_SEARCH_MAX}")));
    }
    let offset = number("after")?.unwrap_or_default();
    if offset.saturating_add(limit) > CRM_SEARCH_RESULTS_MAX {
        let message = format!(
            "A search returns at most {CRM_SEARCH_RESULTS_MAX} results. Continue with a filter for greater values of \
             the property by which the results are sorted."
        );
        return Err(Failure::invalid(message));
    }
    Ok(Place { offset, limit })
}

/// Returns a page for which all contacts are read that the filter may select.
async fn scan(session: &Session, filter: &Filter, order: &Order, place: Place) -> Result<Found, Failure> {
    let limit = place.offset + place.limit;
    let scan =
        Scan { account: session.account(), filter: Some(filter), sort: order.sort(), after: None, limit };
    let begun = Instant::now();
    let in_time = move || begun.elapsed() < SEARCH_SCAN_TIME_MAX;
    let found = session.context.store.scan(scan, session.now(), in_time).await?;
    let Some(total) = found.total else { return Err(too_large()) };
    let contacts = found.contacts.into_iter().skip(place.offset).collect();
    Ok(Found { contacts, period: found.period, total })
}

/// Returns the refusal of a filter or an order by a property that is not defined.
fn undefined(name: &str) -> Failure {
    Failure::invalid(format!("There was a problem with the request: there is no property {name}"))
}

/// Returns the refusal of a search that can't be completed. A smaller total would be wrong.
fn too_large() -> Failure {
    Failure::invalid(
        "The account has too many contacts for this search. Filter by email, by hs_object_id, or by lastmodifieddate, \
         for which an admin can switch on the index of changes.",
    )
}
