//! JSON of a request as a value, read more strictly than `serde_json` does: a field that stands twice is an error,
//! for which of the two was meant is anybody's guess.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

/// Reads one JSON text, or says where it is not one. The message repeats nothing of the text.
pub(crate) fn parse(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice::<Strict>(text).map(|Strict(value)| value).map_err(|error| {
        let what = match error.classify() {
            Category::Data => "names a field twice in one object",
            Category::Eof => "ends too early",
            Category::Syntax | Category::Io => "is not valid JSON",
        };
        format!("the body {what} at line {}, column {}", error.line(), error.column())
    })
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
                return Err(A::Error::custom("a field stands twice"));
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
    fn says_where_it_is_wrong_and_repeats_nothing() {
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
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9a-e\\ .-]{0,40}"#) {
            if let Ok(value) = parse(text.as_bytes()) {
                prop_assert_eq!(Ok(value), serde_json::from_str(&text).map_err(|_| ()));
            }
        }
    }
}
