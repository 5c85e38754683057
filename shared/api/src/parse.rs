//! Parsers of single values in a request. They compose: `list(1..=10, nested::<Filter>())` parses a list of objects.
//!
//! A parser also describes what it parses, so that a bound has one place. The methods of [`Parser`] add to the
//! description.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use domain::limits::{ID_CHARS_MAX, NAME_CHARS_MAX};
use domain::string_enum::StringEnum;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::describe;
use crate::fields::{Components, Documented, FieldPath, Parse, Reader, Reported};

/// A pattern of one line of text that is not blank.
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// The methods that describe a parser's value further. They do not affect parsing.
pub trait Parser: Parse + Sized {
    /// Adds a description for readers of the OpenAPI document.
    fn about(self, text: impl Into<String>) -> impl Parser<Output = Self::Output> {
        let text = text.into();
        annotated(self, move |schema| describe::set_description(schema, &text))
    }

    /// Adds the value that an absent field counts as.
    fn default_value(self, value: impl Into<Value>) -> impl Parser<Output = Self::Output> {
        let value = value.into();
        annotated(self, move |schema| describe::set_default(schema, value.clone()))
    }

    /// Adds an example.
    fn example(self, value: impl Into<Value>) -> impl Parser<Output = Self::Output> {
        let value = value.into();
        annotated(self, move |schema| describe::set_example(schema, value.clone()))
    }

    /// Adds a format.
    fn format(self, format: KnownFormat) -> impl Parser<Output = Self::Output> {
        self.with(move |object| object.format = Some(SchemaFormat::KnownFormat(format.clone())))
    }

    /// Adds the texts of an enum.
    fn variants<T: StringEnum>(self) -> impl Parser<Output = Self::Output> {
        self.with(|object| object.enum_values = Some(T::texts().map(Value::from).collect()))
    }

    /// Changes the schema of a text or a number.
    fn with(self, change: impl Fn(&mut Object)) -> impl Parser<Output = Self::Output> {
        annotated(self, move |schema| {
            if let RefOr::T(Schema::Object(object)) = schema {
                change(object);
            }
        })
    }

    /// Replaces the schema by a reference to another one.
    fn schema_of<S: ToSchema>(self) -> impl Parser<Output = Self::Output> {
        new(
            move |value, path| self.parse(value, path),
            |components| {
                components.push((S::name().into_owned(), S::schema()));
                S::schemas(components);
                Ref::from_schema_name(S::name()).into()
            },
        )
    }
}

impl<P: Parse> Parser for P {}

/// A parser that consists of two functions.
struct Functions<P, S> {
    parse: P,
    schema: S,
}

impl<T, P, S> Parse for Functions<P, S>
where
    P: Fn(Value, &mut FieldPath<'_>) -> Result<T, Reported>,
    S: Fn(&mut Components) -> RefOr<Schema>,
{
    type Output = T;

    fn parse(&self, value: Value, path: &mut FieldPath<'_>) -> Result<T, Reported> {
        (self.parse)(value, path)
    }

    fn schema(&self, components: &mut Components) -> RefOr<Schema> {
        (self.schema)(components)
    }
}

/// Creates a parser from a function that parses and a function that describes.
pub fn new<T>(
    parse: impl Fn(Value, &mut FieldPath<'_>) -> Result<T, Reported>,
    schema: impl Fn(&mut Components) -> RefOr<Schema>,
) -> impl Parser<Output = T> {
    Functions { parse, schema }
}

/// A parser whose schema is changed.
struct Annotated<P, F> {
    parser: P,
    annotate: F,
}

impl<P: Parse, F: Fn(&mut RefOr<Schema>)> Parse for Annotated<P, F> {
    type Output = P::Output;

    fn parse(&self, value: Value, path: &mut FieldPath<'_>) -> Result<P::Output, Reported> {
        self.parser.parse(value, path)
    }

    fn schema(&self, components: &mut Components) -> RefOr<Schema> {
        let mut schema = self.parser.schema(components);
        (self.annotate)(&mut schema);
        schema
    }
}

fn annotated<P: Parse>(parser: P, annotate: impl Fn(&mut RefOr<Schema>)) -> impl Parser<Output = P::Output> {
    Annotated { parser, annotate }
}

fn of_type(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}

/// Parses `true` or `false`.
pub fn boolean() -> impl Parser<Output = bool> {
    new(
        |value, path| match (value, path.holds_texts()) {
            (Value::Bool(value), _) => Ok(value),
            (Value::String(text), true) if text == "true" => Ok(true),
            (Value::String(text), true) if text == "false" => Ok(false),
            _ => path.reject("expected true or false"),
        },
        |_| of_type(Type::Boolean).into(),
    )
}

/// Parses a whole number within `range`, in any notation of JSON: `5`, `5.0` and `5e0` are one number.
pub fn whole(range: RangeInclusive<u64>) -> impl Parser<Output = u64> {
    let (least, most) = (*range.start(), *range.end());
    new(
        move |value, path| {
            let number = match (&value, path.holds_texts()) {
                (Value::Number(number), _) => number.as_u64().or_else(|| whole_number(number.as_f64()?)),
                // Digits alone: `parse` would also accept a plus sign.
                (Value::String(text), true) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
                _ => None,
            };
            match number.filter(|number| range.contains(number)) {
                Some(number) => Ok(number),
                None => path.reject(format!("expected a whole number from {least} to {most}")),
            }
        },
        move |_| {
            let number = of_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
            number.minimum(Some(least)).maximum(Some(most)).into()
        },
    )
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

/// Parses any text.
pub fn string() -> impl Parser<Output = String> {
    new(
        |value, path| match value {
            Value::String(text) => Ok(text),
            _ => path.reject("expected a string"),
        },
        |_| of_type(Type::String).into(),
    )
}

/// Parses one line of text whose number of characters is in `chars`, without control characters. Unless it may be
/// empty, it may not be blank.
pub fn text(chars: RangeInclusive<usize>) -> impl Parser<Output = String> {
    let (least, most) = (*chars.start(), *chars.end());
    new(
        move |value, path| {
            let text = string().parse(value, path)?;
            if !chars.contains(&text.chars().count()) {
                return path.reject(format!("expected {least} to {most} characters"));
            }
            if text.chars().any(char::is_control) {
                return path.reject("may not contain control characters");
            }
            if least > 0 && text.trim().is_empty() {
                return path.reject("may not be blank");
            }
            Ok(text)
        },
        move |_| {
            let line = of_type(Type::String).max_length(Some(most)).pattern(Some(LINE));
            line.min_length((least > 0).then_some(least)).into()
        },
    )
}

/// Parses a display name.
pub fn name() -> impl Parser<Output = String> {
    text(1..=NAME_CHARS_MAX)
}

/// Parses an opaque id, in Tidemark's form or not: an id of another form is not found.
pub fn opaque_id() -> impl Parser<Output = String> {
    text(1..=ID_CHARS_MAX)
}

/// Parses a text that reads as a `T`, such as a time zone.
pub fn parsed<T>() -> impl Parser<Output = T>
where
    T: FromStr<Err: Display>,
{
    checked(string(), |text: String| text.parse::<T>())
}

/// Parses one of the texts of an enum.
pub fn variant<T: StringEnum>() -> impl Parser<Output = T> {
    parsed::<T>().variants::<T>()
}

/// Parses a value that `check` accepts. Its error says what was expected and does not repeat the value.
pub fn checked<T, U, E: Display>(
    parser: impl Parse<Output = T>,
    check: impl Fn(T) -> Result<U, E>,
) -> impl Parser<Output = U> {
    /// The parser, and the check of its value.
    struct Checked<P, C>(P, C);

    impl<P: Parse, U, E: Display, C: Fn(P::Output) -> Result<U, E>> Parse for Checked<P, C> {
        type Output = U;

        fn parse(&self, value: Value, path: &mut FieldPath<'_>) -> Result<U, Reported> {
            let Self(parser, check) = self;
            check(parser.parse(value, path)?).or_else(|error| path.reject(error.to_string()))
        }

        fn schema(&self, components: &mut Components) -> RefOr<Schema> {
            self.0.schema(components)
        }
    }

    Checked(parser, check)
}

/// Parses a value or `null`.
pub fn or_null<P: Parse>(parser: P) -> impl Parser<Output = Option<P::Output>> {
    /// The parser of values that are not `null`.
    struct OrNull<P>(P);

    impl<P: Parse> Parse for OrNull<P> {
        type Output = Option<P::Output>;

        fn parse(&self, value: Value, path: &mut FieldPath<'_>) -> Result<Self::Output, Reported> {
            if value.is_null() { Ok(None) } else { self.0.parse(value, path).map(Some) }
        }

        fn schema(&self, components: &mut Components) -> RefOr<Schema> {
            describe::or_null(self.0.schema(components))
        }
    }

    OrNull(parser)
}

/// Parses a list whose number of entries is in `entries`.
pub fn list<P: Parse>(entries: RangeInclusive<usize>, entry: P) -> impl Parser<Output = Vec<P::Output>> {
    /// The bounds of the list's length, and the parser of its entries.
    struct List<P>(RangeInclusive<usize>, P);

    impl<P: Parse> Parse for List<P> {
        type Output = Vec<P::Output>;

        fn parse(&self, value: Value, path: &mut FieldPath<'_>) -> Result<Self::Output, Reported> {
            let Self(entries, entry) = self;
            let Value::Array(values) = value else { return path.reject("expected a list") };
            if !entries.contains(&values.len()) {
                return path.reject(format!("expected {} to {} entries", entries.start(), entries.end()));
            }
            // Every entry is parsed before the first error is returned, so that every error is listed.
            let values = values.into_iter().enumerate();
            let parsed: Vec<_> = values.map(|(at, value)| entry.parse(value, &mut path.entry(at))).collect();
            parsed.into_iter().collect()
        }

        fn schema(&self, components: &mut Components) -> RefOr<Schema> {
            let Self(entries, entry) = self;
            let least = *entries.start();
            let array = ArrayBuilder::new().items(entry.schema(components));
            array.min_items((least > 0).then_some(least)).max_items(Some(*entries.end())).into()
        }
    }

    List(entries, entry)
}

/// Parses an object with a type of its own.
pub fn nested<T: Documented>() -> impl Parser<Output = T> {
    new(object_at, |components| describe::reference::<T>(components).into())
}

fn object_at<T: Documented>(value: Value, path: &mut FieldPath<'_>) -> Result<T, Reported> {
    Reader::read(members(value, path)?, path)
}

/// Returns the members of an object.
///
/// # Errors
///
/// [`Reported`] if the value is not an object.
pub fn members(value: Value, path: &mut FieldPath<'_>) -> Result<Map<String, Value>, Reported> {
    match value {
        Value::Object(values) => Ok(values),
        _ => path.reject("expected an object"),
    }
}

/// Parses an object whose names are data, with at most `most` entries, such as the properties of a contact.
pub fn map<K: Parse<Output: Ord>, V: Parse>(
    most: usize,
    key: K,
    entry: V,
) -> impl Parser<Output = BTreeMap<K::Output, V::Output>> {
    /// The largest number of entries, and the parsers of names and values.
    struct Entries<K, V>(usize, K, V);

    impl<K: Parse<Output: Ord>, V: Parse> Parse for Entries<K, V> {
        type Output = BTreeMap<K::Output, V::Output>;

        fn parse(&self, value: Value, path: &mut FieldPath<'_>) -> Result<Self::Output, Reported> {
            let Self(most, key, entry) = self;
            let values = members(value, path)?;
            if values.len() > *most {
                return path.reject(format!("expected at most {most} entries"));
            }
            let parse = |(name, value): (String, Value)| {
                let path = &mut path.field(&name);
                let (key, value) = (key.parse(Value::String(name), path), entry.parse(value, path));
                Ok((key?, value?))
            };
            let parsed: Vec<_> = values.into_iter().map(parse).collect();
            parsed.into_iter().collect()
        }

        fn schema(&self, components: &mut Components) -> RefOr<Schema> {
            let Self(most, key, entry) = self;
            describe::map(key.schema(components), entry.schema(components), Some(*most)).into()
        }
    }

    Entries(most, key, entry)
}

#[cfg(test)]
mod tests {
    use domain::permission::Role;
    use serde_json::json;

    use super::*;
    use crate::describe::documented;
    use crate::fields::{Errors, Fields, FromFields};

    /// Returns the parsed value of a field `x`, or the errors.
    fn read<T>(parser: impl Parse<Output = T>, value: Value) -> Result<T, Vec<String>> {
        let mut errors = Errors::default();
        let parsed = parser.parse(value, &mut FieldPath::root(false, &mut errors).field("x"));
        match errors.check() {
            Ok(()) => Ok(parsed.unwrap()),
            Err(problem) => {
                assert!(parsed.is_err());
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
    fn unknown_variant_error_lists_the_variants() {
        assert_eq!(read(parsed::<Role>(), json!("admin")), Ok(Role::Admin));
        assert_eq!(
            read(parsed::<Role>(), json!("ada@example.org")),
            Err(vec!["x expected one of member, admin".into()])
        );
    }

    #[test]
    fn errors_in_lists_and_maps_have_paths() {
        let parser = || list(1..=3, text(1..=2));
        assert_eq!(read(parser(), json!(["a", "bc"])), Ok(vec!["a".into(), "bc".into()]));
        assert_eq!(read(parser(), json!([])), Err(vec!["x expected 1 to 3 entries".into()]));
        assert_eq!(read(parser(), json!("a")), Err(vec!["x expected a list".into()]));
        assert_eq!(
            read(parser(), json!(["abc", 1, "a"])),
            Err(vec!["x[0] expected 1 to 2 characters".into(), "x[1] expected a string".into()])
        );

        let key = |name: &str| if name.len() == 1 { Ok(name.to_owned()) } else { Err("expected one letter") };
        let parser = || map(2, checked(string(), |name| key(&name)), or_null(text(1..=2)));
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
            fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
                fields.required("on", boolean()).map(Self)
            }
        }
        documented! { Inner as "Inner": "An object." }
        assert!(read(nested::<Inner>(), json!({"on": true})).unwrap().0);
        let errors = read(nested::<Inner>(), json!({"on": 1, "off": 2})).err().unwrap();
        assert_eq!(errors, ["x.on expected true or false", "x.off is not a known field"]);
    }
}
