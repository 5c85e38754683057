//! Pages of results, and the links between them.

use std::convert::Infallible;

use api::Context;
use api::public_url::PublicUrl;
use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use serde::Serialize;

use crate::envelope::Failure;
use crate::query::Query;

/// A page of results in a response.
#[derive(Serialize)]
pub(crate) struct PageView<R> {
    /// The number of results on all pages, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    pub(crate) results: Vec<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paging: Option<Paging>,
}

impl<R> PageView<R> {
    /// Creates a page of a list whose number of results is not known.
    pub(crate) fn new(results: Vec<R>, paging: Option<Paging>) -> Self {
        Self { total: None, results, paging }
    }

    /// Creates the only page of a list without results.
    pub(crate) fn empty() -> Self {
        Self::new(Vec::new(), None)
    }
}

/// The place of the next page.
#[derive(Serialize)]
pub(crate) struct Paging {
    next: Next,
}

#[derive(Serialize)]
struct Next {
    after: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl Paging {
    /// Creates the place of a page that is read by a request with a body, so it has no link.
    pub(crate) fn without_link(after: &impl ToString) -> Self {
        Self { next: Next { after: after.to_string(), link: None } }
    }
}

/// The page that a request's query names.
pub(crate) struct Page {
    /// The absolute address of the list, without a query.
    address: String,
    query: Query,
}

impl Page {
    /// Parses the place at which the page begins. It is `None` for the first page, whose place some clients send as 0.
    ///
    /// # Errors
    ///
    /// A refusal if `parse` returns `None`.
    pub(crate) fn after<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        match self.query.get("after") {
            None | Some("0") => Ok(None),
            Some(text) => parse(text)
                .map(Some)
                .ok_or_else(|| Failure::invalid("after: expected the value of paging.next.after")),
        }
    }

    /// Returns the link to the page that begins at `after`.
    pub(crate) fn next(&self, after: &impl ToString) -> Paging {
        let after = after.to_string();
        let link = format!("{}?{}", self.address, self.query.with("after", &after));
        Paging { next: Next { after, link: Some(link) } }
    }

    /// Removes the items beyond `limit`. If there are some, returns the link to the page after the last item that remains.
    pub(crate) fn cut<T, A: ToString>(
        &self,
        items: &mut Vec<T>,
        limit: usize,
        place_of: impl FnOnce(&T) -> A,
    ) -> Option<Paging> {
        let has_more = items.len() > limit;
        items.truncate(limit);
        items.last().filter(|_| has_more).map(|last| self.next(&place_of(last)))
    }
}

impl<S> FromRequestParts<S> for Page
where
    S: Sync,
    Context: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let PublicUrl(base) = PublicUrl::from_request_parts(parts, state).await?;
        let query = Query::from_request_parts(parts, state).await?;
        Ok(Self { address: format!("{base}{}", parts.uri.path()), query })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(query: &str) -> Page {
        let address = "https://tidemark.example/crm/v3/owners".to_owned();
        Page { address, query: Query::parse(query) }
    }

    #[test]
    fn first_page_has_no_place() {
        let number = |text: &str| text.parse::<u64>().ok();
        for (query, expected) in [("", None), ("after=", None), ("after=0", None), ("after=7", Some(7))] {
            assert_eq!(page(query).after(number).unwrap(), expected, "{query}");
        }
        assert!(page("after=x").after(number).is_err());
    }

    #[test]
    fn link_is_to_the_item_after_the_last_one_shown() {
        let page = page("limit=2&after=1");
        let mut items = vec![2, 3, 4];
        let paging = page.cut(&mut items, 2, |last| *last);
        assert_eq!(items, [2, 3]);
        let link = "https://tidemark.example/crm/v3/owners?limit=2&after=3";
        assert_eq!(
            serde_json::to_value(paging.unwrap()).unwrap(),
            json!({"next": {"after": "3", "link": link}})
        );
        assert!(page.cut(&mut items, 2, |last| *last).is_none());
    }
}
