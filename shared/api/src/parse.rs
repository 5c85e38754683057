//! Parsers of single values in a request. They compose: a list of objects with texts is
//! `list(1..=10, object(|fields| fields.required("name", text(1..=200))))`.
//!
//! A parser takes the value and its place, and answers none after it has noted there what was expected.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use domain::limits::{ID_CHARS_MAX, NAME_CHARS_MAX};
use serde_json::Value;

use crate::fields::{Fields, FromFields, Place};

/// `true` or `false`.
pub fn boolean() -> impl Fn(Value, &mut Place<'_>) -> Option<bool> {
    |value, place| match (value, place.holds_texts()) {
        (Value::Bool(value), _) => Some(value),
        (Value::String(text), true) if text == "true" => Some(true),
        (Value::String(text), true) if text == "false" => Some(false),
        _ => place.refuse("expected true or false"),
    }
}

/// A whole number within `range`, in whichever way JSON writes it: `5`, `5.0` and `5e0` are one number.
pub fn whole(range: RangeInclusive<u64>) -> impl Fn(Value, &mut Place<'_>) -> Option<u64> {
    move |value, place| {
        let number = match (&value, place.holds_texts()) {
            (Value::Number(number), _) => number.as_u64().or_else(|| whole_number(number.as_f64()?)),
            // Digits alone: `parse` would also take a plus sign.
            (Value::String(text), true) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => {
                place.refuse(format!("expected a whole number from {} to {}", range.start(), range.end()))
            }
        }
    }
}

/// Returns the number as an integer, if it is one and exactly itself as a float.
fn whole_number(number: f64) -> Option<u64> {
    /// The first integer that a float can't tell from the next one.
    const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;
    let is_exact = number.fract() == 0.0 && (0.0..EXACT_BELOW).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it has no fraction, and is in the range of both types"
    )]
    is_exact.then_some(number as u64)
}

/// Any text.
pub fn string() -> impl Fn(Value, &mut Place<'_>) -> Option<String> {
    |value, place| match value {
        Value::String(text) => Some(text),
        _ => place.refuse("expected a string"),
    }
}

/// A line of text with so many characters, none of them a control character, and not all of them blank.
pub fn text(chars: RangeInclusive<usize>) -> impl Fn(Value, &mut Place<'_>) -> Option<String> {
    move |value, place| {
        let text = string()(value, place)?;
        if !chars.contains(&text.chars().count()) {
            return place.refuse(format!("expected {} to {} characters", chars.start(), chars.end()));
        }
        if text.chars().any(char::is_control) {
            return place.refuse("may not contain control characters");
        }
        if *chars.start() > 0 && text.trim().is_empty() {
            return place.refuse("may not be blank");
        }
        Some(text)
    }
}

/// A name that people give to something.
pub fn name() -> impl Fn(Value, &mut Place<'_>) -> Option<String> {
    text(1..=NAME_CHARS_MAX)
}

/// An opaque id, whether or not it has the form of one of ours: an unknown one is not found rather than malformed.
pub fn opaque_id() -> impl Fn(Value, &mut Place<'_>) -> Option<String> {
    text(1..=ID_CHARS_MAX)
}

/// A text that reads as a `T`: a word of a set, an instant, a time zone.
pub fn parsed<T>() -> impl Fn(Value, &mut Place<'_>) -> Option<T>
where
    T: FromStr<Err: Display>,
{
    checked(string(), |text: String| text.parse::<T>())
}

/// What `parser` reads, if `check` takes it; its error says what was expected and may not repeat the value.
pub fn checked<T, U, E: Display>(
    parser: impl Fn(Value, &mut Place<'_>) -> Option<T>,
    check: impl Fn(T) -> Result<U, E>,
) -> impl Fn(Value, &mut Place<'_>) -> Option<U> {
    move |value, place| match check(parser(value, place)?) {
        Ok(checked) => Some(checked),
        Err(error) => place.refuse(error.to_string()),
    }
}

/// What `parser` reads, or `null`.
pub fn or_null<T>(
    parser: impl Fn(Value, &mut Place<'_>) -> Option<T>,
) -> impl Fn(Value, &mut Place<'_>) -> Option<Option<T>> {
    move |value, place| if value.is_null() { Some(None) } else { parser(value, place).map(Some) }
}

/// A list with so many entries.
pub fn list<T>(
    entries: RangeInclusive<usize>,
    entry: impl Fn(Value, &mut Place<'_>) -> Option<T>,
) -> impl Fn(Value, &mut Place<'_>) -> Option<Vec<T>> {
    move |value, place| {
        let Value::Array(values) = value else { return place.refuse("expected a list") };
        if !entries.contains(&values.len()) {
            return place.refuse(format!("expected {} to {} entries", entries.start(), entries.end()));
        }
        // Every entry is read, so that every problem is listed, before the first bad one decides.
        let read: Vec<_> =
            values.into_iter().enumerate().map(|(at, value)| entry(value, &mut place.entry(at))).collect();
        read.into_iter().collect()
    }
}

/// An object that `read` reads.
pub fn object<T>(read: impl Fn(&mut Fields<'_>) -> Option<T>) -> impl Fn(Value, &mut Place<'_>) -> Option<T> {
    move |value, place| match value {
        Value::Object(values) => Fields::read_at(values, place, &read),
        _ => place.refuse("expected an object"),
    }
}

/// An object with a type of its own.
pub fn nested<T: FromFields>() -> impl Fn(Value, &mut Place<'_>) -> Option<T> {
    object(T::read)
}

/// An object whose names are data, with at most `most` entries, such as the properties of a contact. `key` says what
/// is wrong with a name.
pub fn map<K: Ord, V, E: Display>(
    most: usize,
    key: impl Fn(&str) -> Result<K, E>,
    entry: impl Fn(Value, &mut Place<'_>) -> Option<V>,
) -> impl Fn(Value, &mut Place<'_>) -> Option<BTreeMap<K, V>> {
    move |value, place| {
        let Value::Object(values) = value else { return place.refuse("expected an object") };
        if values.len() > most {
            return place.refuse(format!("expected at most {most} entries"));
        }
        let read: Vec<_> = values
            .into_iter()
            .map(|(name, value)| {
                let place = &mut place.field(&name);
                let key = key(&name).map_or_else(|error| place.refuse(error.to_string()), Some);
                let value = entry(value, place);
                key.zip(value)
            })
            .collect();
        read.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::permission::Role;
    use serde_json::json;

    use super::*;
    use crate::fields::{Errors, read_object};

    /// What a parser makes of a value that stands in the field `x`.
    fn read<T: std::fmt::Debug>(
        parser: impl Fn(Value, &mut Place<'_>) -> Option<T>,
        value: Value,
    ) -> Result<T, Vec<String>> {
        let mut errors = Errors::default();
        let object = json!({"x": value});
        let Value::Object(values) = object else { unreachable!() };
        let mut root = Place::root(false, &mut errors);
        let found = Fields::read_at(values, &mut root, |fields| fields.required("x", parser));
        match errors.check() {
            Ok(()) => Ok(found.unwrap()),
            Err(problem) => {
                assert!(found.is_none());
                Err(problem.errors().iter().map(|e| format!("{} {}", e.field, e.message)).collect())
            }
        }
    }

    #[test]
    fn single_values() {
        assert_eq!(read(boolean(), json!(true)), Ok(true));
        assert!(read(boolean(), json!("true")).is_err(), "a body says true, not \"true\"");
        assert_eq!(read(whole(0..=u64::MAX), json!(u64::MAX)), Ok(u64::MAX));
        for (value, number) in
            [(json!(5.0), 5), (json!(0.0), 0), (json!(-0.0), 0), (json!(1e12), 1_000_000_000_000)]
        {
            assert_eq!(read(whole(0..=u64::MAX), value), Ok(number));
        }
        for value in [json!(5.5), json!(-5.0), json!(1e16), json!(1e300)] {
            assert!(read(whole(0..=u64::MAX), value.clone()).is_err(), "{value}");
        }
        for value in [json!(-1), json!(1.5), json!(11), json!("5"), json!(1e300), json!(null), json!([1])] {
            assert_eq!(
                read(whole(0..=10), value),
                Err(vec!["x expected a whole number from 0 to 10".into()])
            );
        }
        assert_eq!(read(string(), json!("\n")), Ok("\n".into()));
        assert_eq!(read(string(), json!(5)), Err(vec!["x expected a string".into()]));
    }

    #[test]
    fn texts() {
        assert_eq!(read(text(1..=3), json!("üöä")), Ok("üöä".into()));
        assert_eq!(read(text(0..=3), json!("")), Ok(String::new()));
        for (value, message) in [
            (json!(""), "x expected 1 to 3 characters"),
            (json!("abcd"), "x expected 1 to 3 characters"),
            (json!("a\u{0}"), "x may not contain control characters"),
            (json!(" \u{a0}"), "x may not be blank"),
            (json!({}), "x expected a string"),
        ] {
            assert_eq!(read(text(1..=3), value), Err(vec![message.into()]));
        }
    }

    #[test]
    fn words_say_what_they_might_be_and_repeat_nothing() {
        assert_eq!(read(parsed::<Role>(), json!("admin")), Ok(Role::Admin));
        assert_eq!(
            read(parsed::<Role>(), json!("ada@example.org")),
            Err(vec!["x expected one of member, admin".into()])
        );
    }

    #[test]
    fn lists_and_maps_name_each_place() {
        let parser = || list(1..=3, text(1..=2));
        assert_eq!(read(parser(), json!(["a", "bc"])), Ok(vec!["a".into(), "bc".into()]));
        assert_eq!(read(parser(), json!([])), Err(vec!["x expected 1 to 3 entries".into()]));
        assert_eq!(read(parser(), json!("a")), Err(vec!["x expected a list".into()]));
        assert_eq!(
            read(parser(), json!(["abc", 1, "a"])),
            Err(vec!["x[0] expected 1 to 2 characters".into(), "x[1] expected a string".into()])
        );

        let key = |name: &str| if name.len() == 1 { Ok(name.to_owned()) } else { Err("expected one letter") };
        let parser = || map(2, key, or_null(text(1..=2)));
        let found = read(parser(), json!({"a": "b", "c": null})).unwrap();
        assert_eq!(found, BTreeMap::from([("a".into(), Some("b".into())), ("c".into(), None)]));
        assert_eq!(
            read(parser(), json!({"a": 1, "bb": "c"})),
            Err(vec!["x.a expected a string".into(), "x.bb expected one letter".into()])
        );
        assert_eq!(
            read(parser(), json!({"a": "1", "b": "1", "c": "1"})),
            Err(vec!["x expected at most 2 entries".into()])
        );
    }

    #[test]
    fn objects_within_objects() {
        struct Inner(bool);
        impl FromFields for Inner {
            fn read(fields: &mut Fields<'_>) -> Option<Self> {
                fields.required("on", boolean()).map(Self)
            }
        }
        struct Outer(Inner);
        impl FromFields for Outer {
            fn read(fields: &mut Fields<'_>) -> Option<Self> {
                fields.required("inner", nested()).map(Self)
            }
        }
        let mut errors = Errors::default();
        let outer: Outer = read_object(json!({"inner": {"on": true}}), &mut errors).unwrap();
        assert!(outer.0.0);
        assert!(read_object::<Outer>(json!({"inner": {"on": 1, "off": 2}}), &mut errors).is_none());
        let problem = errors.check().unwrap_err();
        assert_eq!(
            problem.errors().iter().map(|e| e.field.as_str()).collect::<Vec<_>>(),
            ["inner.on", "inner.off"]
        );
    }
}
