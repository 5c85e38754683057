//! The owners of contacts: the users of the account.
//!
//! An owner and its user have one number, the number of the user's id. A user without an address has none here, too.

use axum::response::Response;
use domain::address::EmailAddress;
use domain::ids::{NumberedId as _, UserId};
use domain::limits::{CRM_OWNERS_MAX, PAGE_LIMIT_MAX};
use http::StatusCode;
use serde::Serialize;
use store::User;

use crate::body::respond;
use crate::envelope::{Category, Failure};
use crate::number::decimal;
use crate::paging::{Page, PageView};
use crate::path::PathId;
use crate::query::Query;
use crate::session::Session;

/// The number of owners on a page if the request names none.
const PAGE_DEFAULT: usize = 100;

/// An owner in a response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnerView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    user_id: u64,
    user_id_including_inactive: u64,
    created_at: String,
    updated_at: String,
    archived: bool,
}

impl OwnerView {
    fn new(user: &User) -> Self {
        let number = user.id.number();
        let name = user.name.trim();
        // The name is one text. Its last word is most often the family name.
        let (first, last) = name.rsplit_once(char::is_whitespace).unwrap_or((name, ""));
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Self {
            id: number.to_string(),
            email: given(&user.email),
            r#type: "PERSON",
            first_name: given(first),
            last_name: given(last),
            user_id: number,
            user_id_including_inactive: number,
            created_at: user.created_at.to_string(),
            updated_at: user.created_at.to_string(),
            archived: false,
        }
    }
}

pub(crate) async fn list(session: Session, query: Query, page: Page) -> Result<Response, Failure> {
    let limit = query.limit(PAGE_DEFAULT, CRM_OWNERS_MAX)?;
    let after = page.after(|text| decimal(text).and_then(UserId::highest_of))?;
    if query.flag("archived") {
        // A user who is removed leaves nothing behind.
        return respond(StatusCode::OK, &PageView::<OwnerView>::empty());
    }
    if let Some(email) = query.get("email") {
        let results = with_address(&session, email).await?;
        return respond(StatusCode::OK, &PageView::new(results, None));
    }
    // One more than the page shows if another page follows.
    let mut found = session.context.store.users(session.account(), after, limit + 1).await?.items;
    let paging = page.cut(&mut found, limit, |user| user.id.number());
    respond(StatusCode::OK, &PageView::new(found.iter().map(OwnerView::new).collect(), paging))
}

/// Returns the owners with an address.
async fn with_address(session: &Session, email: &str) -> Result<Vec<OwnerView>, Failure> {
    let Ok(wanted) = EmailAddress::parse(email) else { return Ok(Vec::new()) };
    let page = usize::try_from(PAGE_LIMIT_MAX).unwrap_or(usize::MAX);
    let (mut owners, mut after) = (Vec::new(), None);
    loop {
        let found = session.context.store.users(session.account(), after, page).await?;
        let is_wanted = |user: &&User| EmailAddress::parse(&user.email).is_ok_and(|own| own.same_as(&wanted));
        owners.extend(found.items.iter().filter(is_wanted).map(OwnerView::new));
        after = found.items.last().map(|user| user.id);
        if !found.more {
            return Ok(owners);
        }
    }
}

pub(crate) async fn read(session: Session, PathId(id): PathId, query: Query) -> Result<Response, Failure> {
    if !matches!(query.get("idProperty"), None | Some("id" | "userId")) {
        return Err(Failure::invalid("idProperty: expected id or userId"));
    }
    let no_owner = || Failure::new(Category::ObjectNotFound, format!("Owner does not exist with ID {id}."));
    let before = decimal(&id).and_then(UserId::lowest_of).filter(|_| !query.flag("archived"));
    let before = before.ok_or_else(no_owner)?;
    let found = session.context.store.users(session.account(), Some(before), 1).await?;
    let user = found.items.iter().find(|user| user.id.number() == before.number());
    respond(StatusCode::OK, &OwnerView::new(user.ok_or_else(no_owner)?))
}
