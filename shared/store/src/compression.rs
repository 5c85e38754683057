//! Compression of long responses, so that each fits into one item of DynamoDB.
//!
//! The largest response is that of a status request with a thousand contacts, whose addresses are nearly 400 KB of
//! JSON. Letters, digits and punctuation contain less than seven bits of information a byte, so DEFLATE shortens even
//! addresses without a pattern. The tests below compare each kind of large response with the size of an item.

use domain::limits::ANSWER_BYTES_MAX;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::StoreError;

/// The default of miniz's levels 0 to 10. Higher levels take several times as long and save a few per cent.
const LEVEL: u8 = 6;

/// Returns the text compressed (DEFLATE, RFC 1951).
pub(crate) fn compress(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, LEVEL)
}

/// Returns the text that [`compress`] received.
///
/// # Errors
///
/// A fault if the input is not DEFLATE, or the text is longer than any response.
pub(crate) fn decompress(compressed: &[u8]) -> Result<Vec<u8>, StoreError> {
    decompress_to_vec_with_limit(compressed, ANSWER_BYTES_MAX).map_err(|error| {
        StoreError::Fault("could not decompress a stored response".to_owned(), Some(error.to_string().into()))
    })
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::{AccountId, ContactId};
    use domain::limits::{
        ADDRESS_BYTES_MAX, EVENT_TYPE_CHARS_MAX, EVENT_TYPES_MAX, FIELD_MAP_MAX, FORM_FIELD_NAME_CHARS_MAX,
        ID_CHARS_MAX, ITEM_BYTES_MAX, LOCAL_PART_BYTES_MAX, PROPERTIES_BYTES_MAX, PROPERTY_NAME_CHARS_MAX,
        STATUS_CONTACTS_MAX, SUBMISSION_FIELDS_MAX,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::items::{AnswerItem, encode};
    use crate::keys::Key;
    use crate::{IdempotencyClaim, Rng, StoredResponse};

    /// Characters to draw from, with equal probability.
    struct Alphabet(Vec<char>);

    impl Alphabet {
        fn of(texts: &[&str], ranges: &[std::ops::RangeInclusive<char>]) -> Self {
            let listed = texts.iter().flat_map(|text| text.chars());
            Self(listed.chain(ranges.iter().cloned().flatten()).collect())
        }

        /// Returns a text without a pattern, of at most this number of bytes.
        fn draw(&self, bytes: usize, rng: &Rng) -> String {
            let mut text = String::new();
            let last = u64::try_from(self.0.len() - 1).unwrap();
            loop {
                let next = self.0[usize::try_from(rng.up_to(last)).unwrap()];
                if text.len() + next.len_utf8() > bytes {
                    return text;
                }
                text.push(next);
            }
        }
    }

    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// The characters of a local part besides letters. Quotes and backslashes are escaped.
    const MARKS: &str = "!#$%&'*+-/=?^_`{|}~\"\\";

    fn alphabets() -> [Alphabet; 4] {
        [
            Alphabet::of(&[LETTERS, MARKS], &[]),
            Alphabet::of(&[LETTERS], &['\u{a1}'..='\u{24f}', '\u{400}'..='\u{52f}']),
            Alphabet::of(&[LETTERS], &['\u{4e00}'..='\u{9fff}', '\u{ac00}'..='\u{d7a3}']),
            Alphabet::of(&[LETTERS, MARKS], &['\u{a1}'..='\u{7ff}', '\u{20000}'..='\u{2fa1d}']),
        ]
    }

    /// Returns the size of the item that stores this body, as DynamoDB counts it.
    fn stored_size(body: &Value) -> usize {
        let now = Timestamp::from_millis(1_795_377_541_123);
        let claim = IdempotencyClaim::new(AccountId::new(now, 1), "key", &[7; 32], now);
        let rng = Rng::seeded(1);
        let answer = StoredResponse {
            status: 200,
            body: body.to_string(),
            etag: Some("\"18446744073709551615\"".to_owned()),
            location: Some("l".repeat(100)),
        };
        let item = AnswerItem::of(&claim, &answer, &rng).unwrap();
        let stored = encode(Key::answer(&claim), &item).unwrap();
        let size = |value: &aws_sdk_dynamodb::types::AttributeValue| match (
            value.as_s(),
            value.as_n(),
            value.as_b(),
        ) {
            (Ok(text), _, _) | (_, Ok(text), _) => text.len(),
            (_, _, Ok(blob)) => blob.as_ref().len(),
            _ => 1,
        };
        assert_eq!(item.replay(&claim, now).unwrap(), Some(answer));
        stored.iter().map(|(name, value)| name.len() + size(value)).sum()
    }

    fn assert_fits(what: &str, body: &Value) {
        let size = stored_size(body);
        assert!(
            size <= ITEM_BYTES_MAX * 9 / 10,
            "{what}: {size} bytes of {} in JSON",
            body.to_string().len()
        );
    }

    #[test]
    fn status_answer_with_patternless_addresses_fits_an_item() {
        let rng = Rng::seeded(2);
        let domain = Alphabet::of(&[LETTERS], &[]);
        for (number, alphabet) in alphabets().iter().enumerate() {
            let results: Vec<Value> = (0..STATUS_CONTACTS_MAX)
                .map(|_| {
                    let id = ContactId::new(Timestamp::from_millis(1_795_377_541_123), rng.bits());
                    let local = alphabet.draw(LOCAL_PART_BYTES_MAX, &rng);
                    let other = if number == 0 { &domain } else { alphabet };
                    let rest = other.draw(ADDRESS_BYTES_MAX - local.len() - 1, &rng);
                    let email = format!("{local}@{rest}");
                    json!({"id": id.to_string(), "email": email, "outcome": "refused", "reason": "cap-reached"})
                })
                .collect();
            assert_fits(&format!("addresses of alphabet {number}"), &json!({"results": results}));
        }
    }

    #[test]
    fn status_answer_with_patternless_unknown_ids_fits_an_item() {
        let rng = Rng::seeded(3);
        let controls = Alphabet::of(&[], &['\u{0}'..='\u{1f}']);
        let all = Alphabet::of(&[LETTERS], &['\u{0}'..='\u{1f}', '\u{10000}'..='\u{10ffff}']);
        for (number, alphabet) in alphabets().iter().chain([&controls, &all]).enumerate() {
            let results: Vec<Value> = (0..STATUS_CONTACTS_MAX)
                .map(|_| {
                    let id: String =
                        alphabet.draw(ID_CHARS_MAX * 4, &rng).chars().take(ID_CHARS_MAX).collect();
                    json!({"id": id, "outcome": "not_found"})
                })
                .collect();
            assert_fits(&format!("ids of alphabet {number}"), &json!({"results": results}));
        }
    }

    #[test]
    fn contact_with_escaped_properties_fits_an_item() {
        let rng = Rng::seeded(4);
        let escaped = Alphabet::of(&["\"\\\n\r\t"], &[]);
        let printable = Alphabet::of(&["\n\r\t"], &[' '..='~']);
        for (number, alphabet) in alphabets().iter().chain([&escaped, &printable]).enumerate() {
            let halves = [(); 2].map(|()| alphabet.draw(PROPERTIES_BYTES_MAX / 2, &rng));
            let body = json!({"properties": {"a": halves[0], "b": halves[1]}});
            assert_fits(&format!("properties of alphabet {number}"), &body);
        }
    }

    #[test]
    fn form_with_full_lists_fits_an_item() {
        let rng = Rng::seeded(5);
        let property = Alphabet::of(&["abcdefghijklmnopqrstuvwxyz0123456789_"], &[]);
        for (number, alphabet) in alphabets().iter().enumerate() {
            let names = |count: usize, chars: usize| -> Vec<String> {
                let name = |_| alphabet.draw(chars * 4, &rng).chars().take(chars).collect();
                (0..count).map(name).collect()
            };
            let map = names(FIELD_MAP_MAX, FORM_FIELD_NAME_CHARS_MAX).into_iter();
            let map: serde_json::Map<String, Value> =
                map.map(|name| (name, json!(property.draw(PROPERTY_NAME_CHARS_MAX, &rng)))).collect();
            let body = json!({
                "field_map": map, "fields": names(SUBMISSION_FIELDS_MAX, FORM_FIELD_NAME_CHARS_MAX),
                "event_types": names(EVENT_TYPES_MAX, EVENT_TYPE_CHARS_MAX),
            });
            assert_fits(&format!("lists of alphabet {number}"), &body);
        }
    }

    #[test]
    fn compressed_text_round_trips_and_other_bytes_are_a_fault() {
        for text in ["", "a", &"ada@example.org ".repeat(10_000)] {
            assert_eq!(decompress(&compress(text.as_bytes())).unwrap(), text.as_bytes());
        }
        assert!(decompress(b"ada@example.org").is_err());
        assert!(decompress(&compress(&vec![b'a'; ANSWER_BYTES_MAX])).is_ok());
        assert!(decompress(&compress(&vec![b'a'; ANSWER_BYTES_MAX + 1])).is_err());
    }
}
