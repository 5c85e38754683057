//! `POST /v1/contacts/search`: searches for contacts.

use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::filter::{FILTER_GROUPS, filter_groups};
use api::paging::{Page, Paging};
use api::views::ContactView;
use api::{AccountCaller, Context, Problem, ReadRequest, respond};
use axum::extract::State;
use axum::response::Response;
use domain::filter::Filter;
use domain::ids::ContactId;
use store::Search;

use api::listing::contact_page as page;

/// A search for contacts and the requested page of its results.
pub(crate) struct ContactSearch {
    filter: Filter,
    paging: Paging<ContactId>,
}

impl FromFields for ContactSearch {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let filter = fields.required(FILTER_GROUPS, filter_groups());
        let paging = Paging::read(fields);
        Ok(Self { filter: filter?, paging: paging? })
    }
}

documented! { ContactSearch as "ContactSearch": "A search for contacts and the requested page of its results." }

/// Searches contacts.
///
/// The results are in the order of their creation, with their current state. Texts are compared without case, numbers
/// as numbers. A page may have fewer results than `limit`, or none, and still have a next page, because one request
/// examines a limited number of contacts.
#[utoipa::path(
    post, path = "/v1/contacts/search", tag = "Contacts", request_body = ContactSearch,
    responses((status = 200, description = "A page of contacts.", body = Page<ContactView>)),
)]
pub(crate) async fn search_contacts(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    request: ReadRequest<ContactSearch>,
) -> Result<Response, Problem> {
    let ContactSearch { filter, paging: Paging { limit, after } } = &request.body;
    let search = Search { account: principal.account, filter: Some(filter), after: *after, limit: *limit };
    let found = context.store.search(search, context.clock.now()).await?;
    respond::ok(&page(&found))
}

#[cfg(test)]
mod tests {
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
        assert_eq!((search.paging.limit, search.paging.after), (100, None));
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
                "limit": 0, "after": "x", "sorts": [],
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
                "limit",
                "after",
                "sorts",
            ]
        );
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
