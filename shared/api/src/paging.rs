//! Pages: `limit` and `after` of a request, and the opaque cursor to the next page.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{AccountId, ContactId, FormId, RejectionId, TokenId, UserId};
use domain::limits::{CURSOR_CHARS_MAX, PAGE_BYTES_MAX, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX};
use domain::period::PeriodNumber;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fields::{Fields, FromFields, Reported};
use crate::parse::{Parser, checked, text, whole};

/// Something that a list can go on after.
pub trait Position: Sized {
    /// What kind of list it stands in, so that a cursor of one list is no cursor of another.
    const KIND: &'static str;

    /// Its text within a cursor.
    fn to_text(&self) -> String;

    /// The position with this text.
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
    ContactId = "contact",
    FormId = "form",
    RejectionId = "rejection",
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

/// The cursor that goes on after `position`.
#[must_use]
pub fn cursor<P: Position>(position: &P) -> String {
    URL_SAFE_NO_PAD.encode(format!("c1:{}:{}", P::KIND, position.to_text()))
}

/// The position of a cursor. Only what [`cursor`] writes for this kind of list is one.
#[must_use]
pub fn position<P: Position>(text: &str) -> Option<P> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let position = P::from_text(decoded.strip_prefix("c1:")?.strip_prefix(P::KIND)?.strip_prefix(':')?)?;
    // One spelling a position, whatever the decoding forgave.
    (cursor(&position) == text).then_some(position)
}

/// Which page of a list is asked for, be it in the query or in the body of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paging<P> {
    /// How many results, 1 to [`PAGE_LIMIT_MAX`].
    pub limit: usize,
    /// After which one; from the beginning without.
    pub after: Option<P>,
}

impl<P: Position> FromFields for Paging<P> {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let limit = whole(1..=PAGE_LIMIT_MAX).about("The number of results on a page.");
        let limit = fields.optional("limit", limit.default_value(PAGE_LIMIT_DEFAULT));
        let after = checked(text(1..=CURSOR_CHARS_MAX), |text| {
            position::<P>(&text).ok_or("is not a cursor of this list")
        });
        let after = after.about("The cursor of the previous page: results after it.");
        let after = after.with(|object| object.pattern = Some("^[A-Za-z0-9_-]+$".to_owned()));
        let after = fields.optional("after", after);
        let limit = limit?.unwrap_or(PAGE_LIMIT_DEFAULT);
        // At most PAGE_LIMIT_MAX, so it fits; were it not so, the page would be the largest.
        Ok(Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), after: after? })
    }
}

/// One page of a list.
#[derive(Serialize, ToSchema, Debug, PartialEq)]
pub struct Page<T> {
    /// What is on it, in order.
    pub results: Vec<T>,
    /// How to go on; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub paging: Option<NextPage>,
}

/// How to go on after a page.
#[derive(Serialize, ToSchema, Debug, PartialEq)]
pub struct NextPage {
    /// The next page.
    pub next: NextCursor,
}

/// Where the next page begins.
#[derive(Serialize, ToSchema, Debug, PartialEq)]
pub struct NextCursor {
    /// What to send as `after`. It is opaque.
    pub after: String,
}

impl<T> Page<T> {
    /// A page, and the position of its last result if there may be more after it.
    #[must_use]
    pub fn new<P: Position>(results: Vec<T>, next: Option<&P>) -> Self {
        let paging = next.map(|position| NextPage { next: NextCursor { after: cursor(position) } });
        Self { results, paging }
    }
}

/// A page that is filled one result after another, until one answer holds no more.
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
    /// Adds a result, or says that the page would hold more than [`PAGE_BYTES_MAX`] with it. The first is taken however
    /// long it is, so that every page leads on.
    pub fn push(&mut self, result: T) -> bool {
        // It is written as it will be in the answer, and so by the same code. Every view can be written.
        self.bytes += serde_json::to_string(&result).map_or(0, |json| json.len());
        let fits = self.bytes <= PAGE_BYTES_MAX || self.results.is_empty();
        if fits {
            self.results.push(result);
        }
        fits
    }

    /// How many results it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.results.len()
    }

    /// The page, and the position of its last result if there may be more after it.
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
    fn limit_and_after_are_read_from_a_query_and_from_a_body() {
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
    fn what_is_wrong_is_named() {
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
    fn the_last_page_says_nothing_of_a_next_one() {
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
        fn a_cursor_leads_back_to_its_position(random: u128, number in 1_u64..) {
            let id = contact(random);
            prop_assert_eq!(position(&cursor(&id)), Some(id));
            let number = PeriodNumber::from_number(number).unwrap();
            prop_assert_eq!(position(&cursor(&number)), Some(number));
            prop_assert_eq!(position::<ContactId>(&cursor(&number)), None);
        }

        #[test]
        fn garbage_is_no_cursor(text in ".{0,80}", bytes: Vec<u8>) {
            prop_assert_eq!(position::<ContactId>(&text), None);
            prop_assert_eq!(position::<PeriodNumber>(&URL_SAFE_NO_PAD.encode(&bytes)), None);
        }
    }
}
