//! `POST /v1/contacts/search`: searches for contacts.

use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::filter::{FILTER_GROUPS, filter_groups};
use api::listing::contact_page_of;
use api::paging::{NextPage, Page, Paging};
use api::parse::{Parser, boolean};
use api::views::ContactView;
use api::{AccountCaller, Context, Problem, ReadRequest, respond};
use axum::extract::State;
use axum::response::Response;
use domain::filter::{Filter, Sort, SortPosition};
use domain::ids::AccountId;
use domain::limits::SEARCH_SCAN_TIME_MAX;
use serde::Serialize;
use store::{Examined, Scan, Search};
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::order::{SearchPosition, sort, sorts};

/// A search for contacts and the requested page of its results.
pub(crate) struct ContactSearch {
    filter: Filter,
    sort: Sort,
    /// True if the matches are counted.
    total: bool,
    paging: Paging<SearchPosition>,
}

impl FromFields for ContactSearch {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let filter = fields.required(FILTER_GROUPS, filter_groups());
        let rules = fields.optional("sorts", sorts());
        let total = boolean().about("True to count the matches over all pages.").default_value(false);
        let total = fields.optional("total", total);
        let paging: Result<Paging<SearchPosition>, _> = Paging::read(fields);
        let (filter, rules, total, paging) = (filter?, rules?, total?, paging?);
        let sort = sort(rules.unwrap_or_default());
        if paging.after.as_ref().is_some_and(|after| after.sort != sort) {
            return fields.reject("after", "is not a cursor of a search with these sorts");
        }
        Ok(Self { filter, sort, total: total.unwrap_or_default(), paging })
    }
}

documented! { ContactSearch as "ContactSearch": "A search for contacts and the requested page of its results." }

/// A page of a search's results.
#[derive(Serialize, ToSchema)]
#[schema(as = ContactSearchPage)]
struct SearchPageView {
    /// The results on the page, in the requested order.
    results: Vec<ContactView>,
    /// The reference to the next page. Absent on the last page, and if not all contacts were examined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paging: Option<NextPage>,
    /// The number of matches over all pages. Absent if it was not requested, and if not all contacts were examined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total: Option<u64>,
    /// The contacts that were examined to sort or count the results. Absent if that was not necessary.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    examined: Option<ExaminedView>,
}

/// The contacts that a search examined.
#[derive(Serialize, ToSchema)]
#[schema(as = ExaminedContacts)]
struct ExaminedView {
    /// The number of contacts.
    contacts: u64,
    /// False if the time was over before all contacts were examined. The results are then the first of the examined
    /// contacts.
    complete: bool,
}

impl SearchPageView {
    fn new(page: Page<ContactView>, total: Option<u64>, examined: Option<Examined>) -> Self {
        let examined = examined.map(|Examined { contacts, complete }| ExaminedView { contacts, complete });
        Self { results: page.results, paging: page.paging, total, examined }
    }
}

/// Searches contacts.
///
/// The results have their current state. Texts are compared without case, numbers as numbers. Without `sorts` they are
/// in the order of their creation.
///
/// A page in the order of `hs_object_id` may have fewer results than `limit`, or none, and still have a next page,
/// because one request examines a limited number of contacts. Any other order, and `total`, examine all contacts for
/// each page, for at most 8 seconds. `examined` then contains their number.
///
/// Filters that require an exact `email` or `hs_object_id` examine only the contacts with these. Filters that require a
/// range of `hs_object_id` examine only that range.
#[utoipa::path(
    post, path = "/v1/contacts/search", tag = "Contacts", request_body = ContactSearch,
    responses((status = 200, description = "A page of contacts.", body = SearchPageView)),
)]
pub(crate) async fn search_contacts(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    request: ReadRequest<ContactSearch>,
) -> Result<Response, Problem> {
    let search = &request.body;
    let found = if search.sort.is_by_id() && !search.total {
        by_id(&context, principal.account, search).await?
    } else {
        scanned(&context, principal.account, search).await?
    };
    respond::ok(&found)
}

/// Returns a page in the order of ids, which needs no more contacts than the page.
async fn by_id(
    context: &Context,
    account: AccountId,
    search: &ContactSearch,
) -> Result<SearchPageView, Problem> {
    let ContactSearch { filter, sort, paging: Paging { limit, after }, .. } = search;
    let after = after.as_ref().map(|after| after.place.id);
    let page = Search { account, filter: Some(filter), after, limit: *limit };
    let found = context.store.search_by_id(page, sort.direction, context.clock.now()).await?;
    let place = |id| SearchPosition { sort: sort.clone(), place: SortPosition { value: None, id } };
    let next = found.next.map(place);
    let page =
        contact_page_of(&found.contacts, &found.period, next, |contact| SearchPosition::of(sort, contact));
    Ok(SearchPageView::new(page, None, None))
}

/// Returns a page for which all contacts are examined.
async fn scanned(
    context: &Context,
    account: AccountId,
    search: &ContactSearch,
) -> Result<SearchPageView, Problem> {
    let ContactSearch { filter, sort, total, paging: Paging { limit, after } } = search;
    let after = after.as_ref().map(|after| &after.place);
    let scan = Scan { account, filter: Some(filter), sort, after, limit: *limit };
    let begun = Instant::now();
    let in_time = move || begun.elapsed() < SEARCH_SCAN_TIME_MAX;
    let found = context.store.scan(scan, context.clock.now(), in_time).await?;
    let next = found.next.map(|place| SearchPosition { sort: sort.clone(), place });
    let mut page =
        contact_page_of(&found.contacts, &found.period, next, |contact| SearchPosition::of(sort, contact));
    if found.examined.is_some_and(|examined| !examined.complete) {
        // Contacts that were not examined may precede those on the next page.
        page.paging = None;
    }
    Ok(SearchPageView::new(page, found.total.filter(|_| *total), found.examined))
}

#[cfg(test)]
mod tests {
    use api::paging::cursor;
    use serde_json::{Value, json};

    use super::*;
    use crate::body::tests::read;

    fn wrong(body: &Value) -> Vec<String> {
        read::<ContactSearch>(body).err().unwrap()
    }

    fn with_filters(filters: &Value) -> Value {
        json!({"filterGroups": [{"filters": filters}]})
    }

    #[test]
    fn operands_are_texts_numbers_and_booleans() {
        let filters = json!([
            {"propertyName": "age", "operator": "GT", "value": 36},
            {"propertyName": "age", "operator": "BETWEEN", "value": 1.5, "highValue": "40"},
            {"propertyName": "bounced", "operator": "EQ", "value": false},
            {"propertyName": "city", "operator": "IN", "values": ["Paris", 7, true]},
            {"propertyName": "created_at", "operator": "LT", "value": 1_795_377_541_123_u64},
            {"propertyName": "phone", "operator": "NOT_HAS_PROPERTY"},
        ]);
        let search: ContactSearch = read(&with_filters(&filters)).ok().unwrap();
        assert_eq!((search.paging.limit, search.paging.after, search.total), (100, None, false));
    }

    #[test]
    fn search_without_groups_is_valid() {
        assert!(read::<ContactSearch>(&json!({"filterGroups": [], "limit": 1})).is_ok());
        assert_eq!(wrong(&json!({})), ["filterGroups"]);
    }

    #[test]
    fn all_errors_are_listed_by_path() {
        assert_eq!(
            wrong(&json!({
                "filterGroups": [
                    {"filters": [
                        {"propertyName": "age", "operator": "GT", "value": 36},
                        {"propertyName": "created_at", "operator": "LT", "value": "soon"},
                        {"propertyName": "First Name", "operator": "EQUALS", "value": "x"},
                        {"propertyName": "age", "operator": "EQ"},
                        {"operator": "EQUALS", "values": []},
                    ]},
                    {"filters": []},
                    {"filters": [{"propertyName": "age", "operator": "EQ", "value": null, "colour": 1}], "name": "x"},
                    7,
                ],
                "limit": 0, "after": "x", "sorts": [{}, {}], "query": "x",
            })),
            [
                "filterGroups[0].filters[1].value",
                "filterGroups[0].filters[2].propertyName",
                "filterGroups[0].filters[2].operator",
                "filterGroups[0].filters[3].value",
                "filterGroups[0].filters[4].propertyName",
                "filterGroups[0].filters[4].operator",
                "filterGroups[1].filters",
                "filterGroups[2].filters[0].value",
                "filterGroups[2].filters[0].colour",
                "filterGroups[2].name",
                "filterGroups[3]",
                "sorts",
                "limit",
                "after",
                "query",
            ]
        );
    }

    #[test]
    fn cursor_of_another_order_is_rejected() {
        let sorts = |name: &str, direction: &str| json!([{"propertyName": name, "direction": direction}]);
        let place = |sorts: &Value| {
            let body = json!({"filterGroups": [], "sorts": sorts});
            let sort = read::<ContactSearch>(&body).ok().unwrap().sort;
            let id = "7".parse().unwrap();
            cursor(&SearchPosition { sort, place: SortPosition { value: None, id } })
        };
        let orders = [
            json!([]),
            sorts("hs_object_id", "DESCENDING"),
            sorts("city", "ASCENDING"),
            sorts("city", "DESCENDING"),
            sorts("zip", "ASCENDING"),
        ];
        for (number, order) in orders.iter().enumerate() {
            for (other_number, other) in orders.iter().enumerate() {
                let body = json!({"filterGroups": [], "sorts": order, "after": place(other)});
                let expected: &[&str] = if number == other_number { &[] } else { &["after"] };
                assert_eq!(
                    read::<ContactSearch>(&body).err().unwrap_or_default(),
                    expected,
                    "{order} {other}"
                );
            }
        }
        let by_id = json!({"filterGroups": [], "sorts": sorts("hs_object_id", "ASCENDING"), "after": place(&json!([]))});
        assert!(read::<ContactSearch>(&by_id).is_ok(), "it is the order of creation");
    }

    #[test]
    fn groups_filters_and_values_are_bounded() {
        let filter = json!({"propertyName": "age", "operator": "HAS_PROPERTY"});
        assert_eq!(wrong(&with_filters(&json!(vec![filter.clone(); 11]))), ["filterGroups[0].filters"]);
        assert_eq!(wrong(&json!({"filterGroups": vec![json!({"filters": [filter]}); 11]})), ["filterGroups"]);
        let values = json!([{"propertyName": "age", "operator": "IN", "values": vec![1; 101]}]);
        assert_eq!(wrong(&with_filters(&values)), ["filterGroups[0].filters[0].values"]);
    }
}
