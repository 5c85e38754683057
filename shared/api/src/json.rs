//! JSON of requests, read in two ways.
//!
//! The API parses more strictly than `serde_json`: a duplicate field is an error, because it is unknown which of the
//! two was meant. Senders of forms can't correct what they send, so [`mended`] repairs what a program cuts or prefixes
//! before a parser sees it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

/// The byte order mark of UTF-8, which some programs write before every text.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The bytes of an escape such as `\ud83d`.
const ESCAPE_BYTES: usize = 6;

/// Returns the repaired JSON text of a body that its sender can't correct.
///
/// A byte order mark is removed. Bytes that are not UTF-8, and escapes of half a surrogate pair, become U+FFFD.
/// Programs that cut texts by UTF-16 units write such halves. A text without any of these is returned as it is.
#[must_use]
pub fn mended(body: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(without_bom(body));
    let halves = half_pairs(text.as_bytes());
    if halves.is_empty() {
        return text;
    }
    let mut mended = text.into_owned();
    for at in halves {
        mended.replace_range(at..at + ESCAPE_BYTES, "\\ufffd");
    }
    Cow::Owned(mended)
}

/// Parses one JSON text, or returns a message with the position of the error. The message repeats nothing of the text
/// but a wrong escape.
///
/// # Errors
///
/// The message for a body that is not one JSON text.
pub fn parse(body: &[u8]) -> Result<Value, String> {
    let text = without_bom(body);
    serde_json::from_slice::<Strict>(text).map(|Strict(value)| value).map_err(|error| {
        if let Some(message) = half_pair_at(text, &error) {
            return message;
        }
        let what = match error.classify() {
            Category::Data => "names a field twice in one object",
            Category::Eof => "ends too early",
            Category::Syntax | Category::Io => "is not valid JSON",
        };
        format!("the body {what} at line {}, column {}", error.line(), error.column())
    })
}

/// Returns true if the body is one JSON object without members.
pub(crate) fn is_empty_object(body: &[u8]) -> bool {
    let read = serde_json::from_slice::<Map<String, Value>>(without_bom(body));
    read.is_ok_and(|members| members.is_empty())
}

fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(BOM).unwrap_or(body)
}

/// Returns the message for an error that half of a surrogate pair caused.
fn half_pair_at(text: &[u8], error: &serde_json::Error) -> Option<String> {
    let at = half_pairs(text).into_iter().next()?;
    let (before, rest) = text.split_at_checked(at)?;
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    // An error that is earlier has another cause.
    if (line, column) > (error.line(), error.column()) {
        return None;
    }
    let escape = String::from_utf8_lossy(rest.get(..ESCAPE_BYTES)?);
    Some(format!("the body has {escape}, half of a surrogate pair, at line {line}, column {column}"))
}

/// Returns the offsets of the escapes in JSON strings that are half of a surrogate pair, in ascending order.
fn half_pairs(text: &[u8]) -> Vec<usize> {
    let mut halves = Vec::new();
    let mut is_in_string = false;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'"' => {
                is_in_string = !is_in_string;
                1
            }
            b'\\' if is_in_string => match (escaped_unit(text, at), escaped_unit(text, at + ESCAPE_BYTES)) {
                (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE_BYTES,
                (Some(0xD800..=0xDFFF), _) => {
                    halves.push(at);
                    ESCAPE_BYTES
                }
                (Some(_), _) => ESCAPE_BYTES,
                (None, _) => 2,
            },
            _ => 1,
        };
    }
    halves
}

/// Returns the UTF-16 unit of the escape at offset `at`. `None` if there is no escape.
fn escaped_unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + ESCAPE_BYTES)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, _>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate field"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_every_kind_of_value() {
        let text = r#"{"a": [null, true, -1, 18446744073709551615, 1.5, "x\n\u00fc"], "b": {"c": {}}}"#;
        assert_eq!(
            parse(text.as_bytes()),
            Ok(json!({"a": [null, true, -1, u64::MAX, 1.5, "x\nü"], "b": {"c": {}}}))
        );
    }

    #[test]
    fn parse_error_has_its_position_and_no_content() {
        let table = [
            ("{\"a\": 1,\n \"secret\" 2}", "the body is not valid JSON at line 2, column 11"),
            ("{\"a\":", "the body ends too early at line 1, column 5"),
            ("", "the body ends too early at line 1, column 0"),
            ("{\"a\": 1, \"a\": 2}", "the body names a field twice in one object at line 1, column 16"),
            (
                "{\"a\": {\"b\": [{\"c\": 1, \"c\": 1}]}}",
                "the body names a field twice in one object at line 1, column 29",
            ),
            ("{} {}", "the body is not valid JSON at line 1, column 4"),
            ("[1e999]", "the body is not valid JSON at line 1, column 6"),
        ];
        for (text, message) in table {
            assert_eq!(parse(text.as_bytes()), Err(message.to_owned()), "{text}");
        }
        assert!(parse(b"{\"a\": \"\xff\"}").is_err());
    }

    #[test]
    fn surrogate_half_is_reported_with_its_position() {
        let table = [
            (r#"{"a": "\ud83d"}"#, "the body has \\ud83d, half of a surrogate pair, at line 1, column 8"),
            (
                "{\n  \"\\uD83D\\uDE00 \\uDe00\": 1}",
                "the body has \\uDe00, half of a surrogate pair, at line 2, column 17",
            ),
            (r#"{"a": x, "b": "\ud83d"}"#, "the body is not valid JSON at line 1, column 7"),
            (
                r#"{"a": "\\ud83d", "a": 1}"#,
                "the body names a field twice in one object at line 1, column 24",
            ),
        ];
        for (text, message) in table {
            assert_eq!(parse(text.as_bytes()), Err(message.to_owned()), "{text}");
        }
        assert_eq!(parse(br#"["\ud83d\ude00", "\\ud83d"]"#), Ok(json!(["\u{1F600}", "\\ud83d"])));
    }

    #[test]
    fn byte_order_mark_is_skipped_once() {
        assert_eq!(parse(b"\xef\xbb\xbf{}"), Ok(json!({})));
        assert!(parse(b"\xef\xbb\xbf\xef\xbb\xbf{}").is_err());
        assert_eq!(mended(b"\xef\xbb\xbf{\"a\": 1}"), "{\"a\": 1}");
    }

    #[test]
    fn surrogate_halves_and_invalid_utf8_are_replaced() {
        let table: [(&[u8], &str); 8] = [
            (br#"["cut \ud83d"]"#, "cut \u{FFFD}"),
            (br#"["\udE00 cut"]"#, "\u{FFFD} cut"),
            (br#"["\ud83d\ud83d\ude00"]"#, "\u{FFFD}\u{1F600}"),
            (br#"["\ud83dx\ude00"]"#, "\u{FFFD}x\u{FFFD}"),
            (br#"["\ud83d\n"]"#, "\u{FFFD}\n"),
            (br#"["\\ud83d \"\ud83d"]"#, "\\ud83d \"\u{FFFD}"),
            (b"[\"Jos\xe9\"]", "Jos\u{FFFD}"),
            (br#"["\u00e9\ud83d\ude00"]"#, "\u{e9}\u{1F600}"),
        ];
        for (body, text) in table {
            let read: Value = serde_json::from_str(&mended(body)).unwrap();
            assert_eq!(read, json!([text]), "{}", String::from_utf8_lossy(body));
        }
        assert!(matches!(mended(b"\"\\ud83d\\ude00\""), Cow::Borrowed(_)), "valid text is not copied");
    }

    #[test]
    fn only_an_object_without_members_is_empty() {
        for body in ["{}", " {\n} ", "\u{feff}{}"] {
            assert!(is_empty_object(body.as_bytes()), "{body}");
        }
        for body in ["", "[]", "null", "{\"a\": 1}", "{", "{} {}"] {
            assert!(!is_empty_object(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        let deep = "{\"a\":".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn never_panics_on_garbage(text in any::<Vec<u8>>()) {
            let _ = parse(&text);
        }

        #[test]
        fn mending_never_panics(body in any::<Vec<u8>>(), text in r#"[\\\\uUdD8"eE0n{}]{0,40}"#) {
            let _ = mended(&body);
            let _ = mended(text.as_bytes());
        }

        #[test]
        fn mending_keeps_valid_text(strings in prop::collection::vec(any::<String>(), 0..4)) {
            let escaped = |text: &String| text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            let all_escaped: Vec<String> = strings.iter().map(|text| format!("\"{}\"", escaped(text))).collect();
            let all_escaped = all_escaped.join(",");
            for text in [json!(strings).to_string(), format!("[{all_escaped}]")] {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(json!(strings)));
                prop_assert_eq!(mended(text.as_bytes()), text.as_str());
            }
        }

        #[test]
        fn any_utf16_in_any_string_is_read(units in prop::collection::vec(any::<u16>(), 0..8)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04X}")).collect();
            let text = format!("{{\"{escaped}\": \"{escaped}\"}}");
            let lossy = String::from_utf16_lossy(&units);
            prop_assert_eq!(serde_json::from_str::<Value>(&mended(text.as_bytes())).ok(), Some(json!({ &lossy: lossy })));
        }

        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9a-e\\ .-]{0,40}"#) {
            if let Ok(value) = parse(text.as_bytes()) {
                prop_assert_eq!(Ok(value), serde_json::from_str(&text).map_err(|_| ()));
            }
        }
    }
}
