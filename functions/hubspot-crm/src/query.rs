//! The query of a request. Unknown parameters are ignored, because clients send some that have no meaning here.

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::envelope::Failure;

/// The parameters of a query, in their order. A name may be repeated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query. Text that is not valid UTF-8 has replacement characters.
    pub(crate) fn parse(query: &str) -> Self {
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// Returns the first value of a parameter, if it is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// Returns the values of a list. Some clients repeat the parameter, and others separate the values by commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let given = self.0.iter().filter(|(of, _)| of == name).flat_map(|(_, value)| value.split(','));
        let values = given.map(str::trim).filter(|value| !value.is_empty());
        let mut list: Vec<String> = Vec::new();
        for value in values {
            if !list.iter().any(|known| known == value) {
                list.push(value.to_owned());
            }
        }
        list
    }

    /// Returns true if a parameter is `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Returns the size of a page: `default` if there is no `limit`.
    ///
    /// # Errors
    ///
    /// A refusal if `limit` is not a number from 1 to `max`.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize, Failure> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
        limit.ok_or_else(|| Failure::invalid(format!("limit: expected a number from 1 to {max}")))
    }

    /// Returns the query with another value of one parameter, for the link to a further page.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let kept = self.0.iter().filter(|(of, _)| of != name);
        let all = kept.map(|(of, value)| (of.as_str(), value.as_str())).chain([(name, value)]);
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, PLAIN).to_string();
        let pairs: Vec<String> =
            all.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.join("&")
    }
}

/// The characters that are percent-encoded in a query: all but those that no program escapes (RFC 3986, unreserved).
const PLAIN: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_repeated_or_separated_by_commas() {
        let query = Query::parse("properties=email&properties=city,%20phone&limit=5&properties=email&x=&");
        assert_eq!(query.list("properties"), ["email", "city", "phone"]);
        assert_eq!((query.get("limit"), query.get("x"), query.get("y")), (Some("5"), None, None));
    }

    #[test]
    fn limit_is_within_its_bounds() {
        assert_eq!(Query::default().limit(10, 100).unwrap(), 10);
        assert_eq!(Query::parse("limit=100").limit(10, 100).unwrap(), 100);
        for wrong in ["limit=0", "limit=101", "limit=-1", "limit=ten"] {
            assert!(Query::parse(wrong).limit(10, 100).is_err(), "{wrong}");
        }
    }

    #[test]
    fn link_has_the_other_parameters() {
        let query = Query::parse("properties=a%26b&after=1&properties=c");
        assert_eq!(query.with("after", "7"), "properties=a%26b&properties=c&after=7");
    }
}
