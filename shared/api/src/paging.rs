//! Pages: the parameters `limit` and `after` of a request, and the opaque cursor of the next page.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{
    AccountId, AutomationId, ContactId, ExportId, FormId, ImportId, JobId, RejectionId, SegmentId, TokenId,
    UserId,
};
use domain::limits::{CURSOR_CHARS_MAX, PAGE_BYTES_MAX, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX};
use domain::period::PeriodNumber;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fields::{Fields, FromFields, Reported};
use crate::parse::{Parser, checked, text, whole};

/// A position in a list, after which the next page begins.
pub trait Position: Sized {
    /// The kind of list, so that a cursor of one list is not valid for another.
    const KIND: &'static str;

    /// Returns the text of the position within a cursor.
    fn to_text(&self) -> String;

    /// Parses a position.
    fn from_text(text: &str) -> Option<Self>;
}

macro_rules! positions {
    ($($type:ty = $kind:literal),+ $(,)?) => {
        $(impl Position for $type {
            const KIND: &'static str = $kind;

            fn to_text(&self) -> String {
                self.to_string()
            }

            fn from_text(text: &str) -> Option<Self> {
                <$type>::from_str(text).ok()
            }
        })+
    };
}

positions! {
    AccountId = "account",
    AutomationId = "automation",
    ContactId = "contact",
    ExportId = "export",
    FormId = "form",
    ImportId = "import",
    JobId = "job",
    RejectionId = "rejection",
    SegmentId = "segment",
    TokenId = "token",
    UserId = "user",
}

impl Position for PeriodNumber {
    const KIND: &'static str = "statement";

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::from_number)
    }
}

/// Returns the cursor of the page after `position`.
#[must_use]
pub fn cursor<P: Position>(position: &P) -> String {
    URL_SAFE_NO_PAD.encode(format!("c1:{}:{}", P::KIND, position.to_text()))
}

/// Parses a cursor. Only a text that [`cursor`] returns for this kind of list is valid.
#[must_use]
pub fn position<P: Position>(text: &str) -> Option<P> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let position = P::from_text(decoded.strip_prefix("c1:")?.strip_prefix(P::KIND)?.strip_prefix(':')?)?;
    // A position has one spelling only, although the decoder accepts others.
    (cursor(&position) == text).then_some(position)
}

/// The requested page of a list, from the query or from the body of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paging<P> {
    /// The largest number of results, 1 to [`PAGE_LIMIT_MAX`].
    pub limit: usize,
    /// The position before the page. `None` for the first page.
    pub after: Option<P>,
}

impl<P: Position> FromFields for Paging<P> {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let limit = whole(1..=PAGE_LIMIT_MAX).about("The number of results on a page.");
        let limit = fields.optional("limit", limit.default_value(PAGE_LIMIT_DEFAULT));
        let after = checked(text(1..=CURSOR_CHARS_MAX), |text| {
            position::<P>(&text).ok_or("is not a cursor of this list")
        });
        let after = after.about("The cursor in the previous page. The results begin after it.");
        let after = after.with(|object| object.pattern = Some("^[A-Za-z0-9_-]+$".to_owned()));
        let after = fields.optional("after", after);
        let limit = limit?.unwrap_or(PAGE_LIMIT_DEFAULT);
        // The limit is at most PAGE_LIMIT_MAX, so it fits.
        Ok(Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), after: after? })
    }
}

/// One page of a list.
#[derive(Serialize, ToSchema, Debug, PartialEq)]
pub struct Page<T> {
    /// The results on the page, in the order of the list.
    pub results: Vec<T>,
    /// The reference to the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub paging: Option<NextPage>,
}

/// The reference to the next page.
#[derive(Serialize, ToSchema, Debug, PartialEq)]
pub struct NextPage {
    /// The beginning of the next page.
    pub next: NextCursor,
}

/// The beginning of the next page.
#[derive(Serialize, ToSchema, Debug, PartialEq)]
pub struct NextCursor {
    /// The opaque cursor to send as `after`.
    pub after: String,
}

impl<T> Page<T> {
    /// Creates a page. `next` is the position of its last result, if more results may follow.
    #[must_use]
    pub fn new<P: Position>(results: Vec<T>, next: Option<&P>) -> Self {
        let paging = next.map(|position| NextPage { next: NextCursor { after: cursor(position) } });
        Self { results, paging }
    }
}

/// A builder of a page that limits the page's size in bytes.
pub struct PageBuilder<T> {
    results: Vec<T>,
    bytes: usize,
}

impl<T> Default for PageBuilder<T> {
    fn default() -> Self {
        Self { results: Vec::new(), bytes: 0 }
    }
}

impl<T: Serialize> PageBuilder<T> {
    /// Adds a result and returns true. Returns false without adding it if the page would exceed [`PAGE_BYTES_MAX`]. The
    /// first result is added whatever its length, so that every page makes progress.
    pub fn push(&mut self, result: T) -> bool {
        // The same code serializes the response, so the length is exact. Every view can be serialized.
        self.bytes += serde_json::to_string(&result).map_or(0, |json| json.len());
        let fits = self.bytes <= PAGE_BYTES_MAX || self.results.is_empty();
        if fits {
            self.results.push(result);
        }
        fits
    }

    /// Returns the number of results.
    #[must_use]
    pub fn count(&self) -> usize {
        self.results.len()
    }

    /// Returns the page. `next` is the position of its last result, if more results may follow.
    #[must_use]
    pub fn finish<P: Position>(self, next: Option<&P>) -> Page<T> {
        Page::new(self.results, next)
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fields::{Errors, read_object, read_query};

    fn contact(random: u128) -> ContactId {
        ContactId::new(Timestamp::from_millis(1_795_377_541_123), random)
    }

    #[test]
    fn paging_is_read_from_query_and_body() {
        let mut errors = Errors::default();
        let id = contact(9);
        let after = cursor(&id);
        assert_eq!(read_query("", &mut errors), Ok(Paging::<ContactId> { limit: 100, after: None }));
        let query = format!("limit=1000&after={after}");
        assert_eq!(read_query(&query, &mut errors), Ok(Paging { limit: 1000, after: Some(id) }));
        let body = json!({"limit": 1, "after": after});
        assert_eq!(read_object(body, &mut errors), Ok(Paging { limit: 1, after: Some(id) }));
        assert_eq!(errors.count(), 0);
    }

    #[test]
    fn invalid_parameters_are_reported_by_name() {
        let other_list = cursor(&PeriodNumber::FIRST);
        for (query, field) in [
            ("limit=0".to_owned(), "limit"),
            ("limit=1001".to_owned(), "limit"),
            ("limit=ten".to_owned(), "limit"),
            ("after=".to_owned(), "after"),
            ("after=17".to_owned(), "after"),
            (format!("after={other_list}"), "after"),
            (format!("after={}%3D", cursor(&contact(1))), "after"),
            (format!("after={}", "A".repeat(CURSOR_CHARS_MAX + 1)), "after"),
            ("page=2".to_owned(), "page"),
        ] {
            let mut errors = Errors::default();
            assert!(read_query::<Paging<ContactId>>(&query, &mut errors).is_err(), "{query}");
            assert_eq!(errors.check().unwrap_err().errors()[0].field, field, "{query}");
        }
    }

    #[test]
    fn last_page_has_no_paging() {
        let last = Page::<u8>::new::<ContactId>(vec![1], None);
        assert_eq!(serde_json::to_value(last).unwrap(), json!({"results": [1]}));
        let id = contact(2);
        let page = Page::<u8>::new(vec![1], Some(&id));
        assert_eq!(
            serde_json::to_value(page).unwrap(),
            json!({"results": [1], "paging": {"next": {"after": cursor(&id)}}})
        );
    }

    proptest! {
        #[test]
        fn cursor_round_trips_for_its_kind_only(random: u128, number in 1_u64..) {
            let id = contact(random);
            prop_assert_eq!(position(&cursor(&id)), Some(id));
            let number = PeriodNumber::from_number(number).unwrap();
            prop_assert_eq!(position(&cursor(&number)), Some(number));
            prop_assert_eq!(position::<ContactId>(&cursor(&number)), None);
        }

        #[test]
        fn garbage_is_not_a_cursor(text in ".{0,80}", bytes: Vec<u8>) {
            prop_assert_eq!(position::<ContactId>(&text), None);
            prop_assert_eq!(position::<PeriodNumber>(&URL_SAFE_NO_PAD.encode(&bytes)), None);
        }
    }
}
