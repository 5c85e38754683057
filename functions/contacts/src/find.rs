//! Reads and lists of contacts.

use api::describe::Parameters;
use api::listing::contact_page;
use api::paging::{Page, Paging};
use api::path::PathId;
use api::views::{ContactView, etag};
use api::{AccountCaller, Context, Problem, Query, respond};
use axum::extract::State;
use axum::response::Response;
use domain::ids::{AccountId, ContactId};
use http::StatusCode;
use store::{ContactRef, Search, StoredResponse};

use crate::body::PathEmail;

/// Returns a contact.
#[utoipa::path(
    get, path = "/v1/contacts/{id}", tag = "Contacts",
    params(("id" = String, Path, description = "The contact's id.")),
    responses((status = 200, description = "The contact in its current state.", body = ContactView,
               headers(("ETag" = String, description = "The contact's version.")))),
)]
pub(crate) async fn get_contact(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ContactId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    read(&context, principal.account, ContactRef::Id(id)).await
}

/// Returns the contact with an email address.
#[utoipa::path(
    get, path = "/v1/contacts/by-email/{email}", tag = "Contacts",
    params(("email" = String, Path, description = "The address, percent-encoded.")),
    responses((status = 200, description = "The contact in its current state.", body = ContactView,
               headers(("ETag" = String, description = "The contact's version.")))),
)]
pub(crate) async fn get_contact_by_email(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathEmail(email): PathEmail,
    Query(_): Query,
) -> Result<Response, Problem> {
    read(&context, principal.account, ContactRef::Email(email)).await
}

async fn read(context: &Context, account: AccountId, reference: ContactRef) -> Result<Response, Problem> {
    let (contact, period) = context.store.contact(account, reference, context.clock.now()).await?;
    let response = respond::json(StatusCode::OK, &ContactView::new(&contact, &period));
    respond::send(StoredResponse { etag: Some(etag(&contact)), ..response })
}

/// Lists contacts.
///
/// The contacts are in the order of their creation. A page of large contacts may have fewer results than `limit`.
#[utoipa::path(
    get, path = "/v1/contacts", tag = "Contacts", params(Parameters<Paging<ContactId>>),
    responses((status = 200, description = "A page of contacts in their current state.", body = Page<ContactView>)),
)]
pub(crate) async fn list_contacts(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<ContactId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let search = Search { account: principal.account, filter: None, after, limit };
    let found = context.store.search(search, context.clock.now()).await?;
    respond::ok(&contact_page(&found))
}

#[cfg(test)]
mod tests {
    use api::paging::position;
    use domain::Timestamp;
    use domain::calendar::{Calendar, Term, parse_date};
    use domain::contact::Contact;
    use domain::limits::{PAGE_BYTES_MAX, PROPERTY_VALUE_BYTES_MAX};
    use domain::marketing::{EffectiveState as Status, Marketing, StoredState};
    use domain::period::{Period, Terms};
    use domain::property::{Properties, PropertyName};
    use domain::source::{Actor, Source};
    use domain::tier::Tier;
    use serde_json::Value;
    use store::ContactPage;

    use super::*;

    fn contact(number: u128, value: &str) -> Contact {
        let now = Timestamp::from_millis(1_795_377_541_123);
        let mut properties = Properties::new();
        for name in ["bio", "note"] {
            properties.insert(PropertyName::parse(name).unwrap(), value.to_owned()).unwrap();
        }
        Contact {
            id: ContactId::new(now, number),
            email: None,
            properties,
            unsubscribed: false,
            bounced: false,
            marketing: Marketing::new(
                StoredState::NonMarketing,
                Status::NonMarketing,
                now,
                Source::update_date(),
                Actor::System,
            ),
            created_at: now,
            updated_at: now,
            version: 1,
            deleted_at: None,
            chain: Vec::new(),
            unenrolled: false,
            imported: None,
            edited: None,
        }
    }

    fn found(contacts: Vec<Contact>, next: Option<ContactId>) -> ContactPage {
        let calendar = Calendar {
            term: Term::Annual,
            renewal_date: parse_date("2027-06-15").unwrap(),
            time_zone: "UTC".parse().unwrap(),
        };
        let tier = Tier::new(1000, 1000).unwrap();
        let terms = Terms { calendar, tier, cap: None, marketing_contacts: true, test_clock: None };
        ContactPage { contacts, period: Period::first(terms, Timestamp::MIN), next }
    }

    /// Returns the number of results on the page, the position of the next page, and the length of the JSON in bytes.
    fn rendered(found: &ContactPage) -> (usize, Option<ContactId>, usize) {
        let json = serde_json::to_string(&contact_page(found)).unwrap();
        let value: Value = serde_json::from_str(&json).unwrap();
        let after = value["paging"]["next"]["after"].as_str().map(|cursor| position(cursor).unwrap());
        (value["results"].as_array().unwrap().len(), after, json.len())
    }

    #[test]
    fn page_of_small_contacts_is_complete() {
        let contacts: Vec<_> = (0..1000).map(|number| contact(number, "Ada")).collect();
        assert_eq!(rendered(&found(contacts.clone(), None)).0, 1000);
        let last = contacts[999].id;
        let (count, next, _) = rendered(&found(contacts, Some(last)));
        assert_eq!((count, next), (1000, Some(last)));
        assert_eq!(rendered(&found(Vec::new(), None)).1, None);
    }

    #[test]
    fn page_of_large_contacts_ends_early() {
        // A quote has two bytes in JSON.
        let large = "\"".repeat(PROPERTY_VALUE_BYTES_MAX - 100);
        let contacts: Vec<_> = (0..30).map(|number| contact(number, &large)).collect();
        let (count, next, bytes) = rendered(&found(contacts.clone(), None));
        assert!((1..30).contains(&count) && bytes < PAGE_BYTES_MAX + 1000, "{count} {bytes}");
        assert_eq!(next, Some(contacts[count - 1].id));
    }
}
