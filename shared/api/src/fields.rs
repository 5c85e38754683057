//! The fields of a request's body or query: one declaration that both reads and describes them.
//!
//! A body is a JSON object; a query string is read as an object of texts. [`FromFields::read`] names each field with its
//! [parser](crate::parse). [`Reader`] runs it over a request, lists everything that is wrong at once, and rejects unknown
//! fields. [`crate::describe`] runs the same function to produce the schema of the OpenAPI document.

use domain::limits::{FIELD_ERRORS_MAX, FIELD_NAME_SHOWN_CHARS_MAX};
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::problem::{FieldError, Problem};

pub use domain::patch::Patch;

/// A type that is read from the fields of a body or a query.
///
/// ```
/// use api::fields::{Fields, FromFields, Reported};
/// use api::parse::{Parser as _, boolean, text};
///
/// struct NewForm {
///     name: String,
///     set_marketing: bool,
/// }
///
/// impl FromFields for NewForm {
///     fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
///         let name = fields.required("name", text(1..=200).about("The form's name."));
///         let set_marketing = fields.optional("set_marketing", boolean().default_value(true));
///         Ok(Self { name: name?, set_marketing: set_marketing?.unwrap_or(true) })
///     }
/// }
/// ```
pub trait FromFields: Sized {
    /// Reads the fields.
    ///
    /// An implementation names every field before its first `?`, so that every error is listed and every field is
    /// described.
    ///
    /// # Errors
    ///
    /// [`Reported`] if something is wrong. `fields` has the list of errors.
    fn read(fields: &mut impl Fields) -> Result<Self, Reported>;
}

/// A body that has a name in the OpenAPI document.
pub trait Documented: FromFields {
    /// The name of its schema.
    const NAME: &'static str;
    /// The description of its schema.
    const ABOUT: &'static str;
}

/// The proof that an error was added to the list of errors. Only this module creates one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported(());

impl Reported {
    /// Returns the result of reading fields that are described and have no values.
    pub(crate) const DESCRIBED: Self = Self(());
}

/// The schemas that another schema refers to, by name.
pub type Components = Vec<(String, RefOr<Schema>)>;

/// A parser of a value that also describes the value.
pub trait Parse {
    /// The type of a parsed value.
    type Output;

    /// Parses the value at this path.
    ///
    /// # Errors
    ///
    /// [`Reported`] after it has rejected the value at `path` with a message that says what was expected.
    fn parse(&self, value: Value, path: &mut FieldPath<'_>) -> Result<Self::Output, Reported>;

    /// Returns the schema of the value, and adds the schemas that it refers to.
    fn schema(&self, components: &mut Components) -> RefOr<Schema>;
}

/// One of two values.
pub enum Either<A, B> {
    /// The value of the first field.
    First(A),
    /// The value of the second field.
    Second(B),
}

/// The fields of an object, which are read or described.
pub trait Fields {
    /// Declares a field that must be present.
    ///
    /// # Errors
    ///
    /// [`Reported`] if it is missing or rejected.
    fn required<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<P::Output, Reported>;

    /// Declares a field that may be absent. It may not be `null`.
    ///
    /// # Errors
    ///
    /// [`Reported`] if it is rejected.
    fn optional<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<Option<P::Output>, Reported>;

    /// Declares a field that may be absent or `null`, which have different meanings.
    ///
    /// # Errors
    ///
    /// [`Reported`] if it is rejected.
    fn nullable<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<Patch<P::Output>, Reported>;

    /// Declares two fields of which exactly one must be present.
    ///
    /// # Errors
    ///
    /// [`Reported`] if both or neither are present, or one is rejected.
    fn either<A: Parse, B: Parse>(
        &mut self,
        first: (&'static str, A),
        second: (&'static str, B),
    ) -> Result<Either<A::Output, B::Output>, Reported>;

    /// Declares that exactly one of these fields must be present. It is called before the fields are declared as
    /// optional.
    ///
    /// # Errors
    ///
    /// [`Reported`] if none or several are present.
    fn exactly_one(&mut self, names: &[&'static str]) -> Result<(), Reported>;

    /// Declares a field of another operation. It is rejected with `message` and not described.
    ///
    /// # Errors
    ///
    /// [`Reported`] if it is present.
    fn misplaced(&mut self, name: &'static str, message: &'static str) -> Result<(), Reported>;

    /// Rejects a field for a reason outside it, such as the value of another field.
    ///
    /// # Errors
    ///
    /// [`Reported`], always.
    fn reject<T>(&mut self, name: &str, message: impl Into<String>) -> Result<T, Reported>;
}

/// A body or a query without fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Nothing;

impl FromFields for Nothing {
    fn read(_: &mut impl Fields) -> Result<Self, Reported> {
        Ok(Self)
    }
}

/// The errors of one request, of which up to [`FIELD_ERRORS_MAX`] are listed.
#[derive(Default)]
pub struct Errors {
    listed: Vec<FieldError>,
    count: usize,
}

impl Errors {
    /// Adds an error.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) -> Reported {
        self.count += 1;
        if self.listed.len() < FIELD_ERRORS_MAX {
            self.listed.push(FieldError { field: field.into(), message: message.into() });
        }
        Reported(())
    }

    /// Returns the number of errors, listed or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns `Ok` if there are no errors.
    ///
    /// # Errors
    ///
    /// The problem that lists them.
    pub fn check(mut self) -> Result<(), Problem> {
        if self.listed.is_empty() {
            return Ok(());
        }
        let further = self.count - self.listed.len();
        if further > 0 {
            let message = format!("and {further} more like these");
            self.listed.push(FieldError { field: String::new(), message });
        }
        Err(Problem::invalid(self.listed))
    }
}

/// The path of a value in a request, such as `contacts[3].email`, with the list of errors.
pub struct FieldPath<'e> {
    path: String,
    /// True for a query, where values are texts: `7` is a number and `true` a boolean.
    texts: bool,
    errors: &'e mut Errors,
}

impl<'e> FieldPath<'e> {
    pub(crate) fn root(texts: bool, errors: &'e mut Errors) -> Self {
        Self { path: String::new(), texts, errors }
    }

    /// Rejects the value at this path. `message` says what was expected and repeats nothing of the value.
    ///
    /// # Errors
    ///
    /// [`Reported`], always.
    pub fn reject<T>(&mut self, message: impl Into<String>) -> Result<T, Reported> {
        Err(self.errors.push(self.path.clone(), message))
    }

    /// Returns true if values are texts, as in a query.
    #[must_use]
    pub fn holds_texts(&self) -> bool {
        self.texts
    }

    /// Returns the path of a field of the object at this path.
    pub fn field(&mut self, name: &str) -> FieldPath<'_> {
        let shown = shown(name);
        let path = if self.path.is_empty() { shown } else { format!("{}.{shown}", self.path) };
        FieldPath { path, texts: self.texts, errors: self.errors }
    }

    /// Returns the path of an entry of the list at this path, counted from 0.
    pub fn entry(&mut self, index: usize) -> FieldPath<'_> {
        FieldPath { path: format!("{}[{index}]", self.path), texts: self.texts, errors: self.errors }
    }
}

/// Returns a name as an error repeats it. The client chooses names, so their length and characters are bounded.
fn shown(name: &str) -> String {
    let mut shown: String = name
        .chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .take(FIELD_NAME_SHOWN_CHARS_MAX)
        .collect();
    if name.chars().nth(FIELD_NAME_SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// The fields of one object of a request. A field that nothing reads is rejected in the end.
pub struct Reader<'e> {
    path: FieldPath<'e>,
    values: Map<String, Value>,
}

impl Reader<'_> {
    /// Reads the object at `path`.
    ///
    /// # Errors
    ///
    /// [`Reported`] if anything in it is wrong.
    pub fn read<T: FromFields>(values: Map<String, Value>, path: &mut FieldPath<'_>) -> Result<T, Reported> {
        let before = path.errors.count();
        let path = FieldPath { path: path.path.clone(), texts: path.texts, errors: path.errors };
        let mut reader = Reader { path, values };
        let read = T::read(&mut reader);
        reader.reject_the_rest();
        // An error counts even if the implementation continued after it.
        if reader.path.errors.count() > before { Err(Reported(())) } else { read }
    }

    fn reject_the_rest(&mut self) {
        for (name, _) in std::mem::take(&mut self.values) {
            let message =
                if self.path.holds_texts() { "is not a known parameter" } else { "is not a known field" };
            let _ = self.path.field(&name).reject::<()>(message);
        }
    }
}

impl Fields for Reader<'_> {
    fn required<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<P::Output, Reported> {
        match self.values.remove(name) {
            Some(value) => parser.parse(value, &mut self.path.field(name)),
            None => self.path.field(name).reject("is required"),
        }
    }

    fn optional<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<Option<P::Output>, Reported> {
        let value = self.values.remove(name);
        value.map(|value| parser.parse(value, &mut self.path.field(name))).transpose()
    }

    fn nullable<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<Patch<P::Output>, Reported> {
        match self.values.remove(name) {
            None => Ok(Patch::Keep),
            Some(Value::Null) => Ok(Patch::Remove),
            Some(value) => parser.parse(value, &mut self.path.field(name)).map(Patch::Set),
        }
    }

    fn either<A: Parse, B: Parse>(
        &mut self,
        (first, a): (&'static str, A),
        (second, b): (&'static str, B),
    ) -> Result<Either<A::Output, B::Output>, Reported> {
        let both = self.values.contains_key(first) && self.values.contains_key(second);
        let (a, b) = (self.optional(first, a), self.optional(second, b));
        match (a?, b?) {
            (Some(a), None) => Ok(Either::First(a)),
            (None, Some(b)) => Ok(Either::Second(b)),
            _ if both => self.path.reject(format!("expected either {first} or {second}, not both")),
            _ => self.path.reject(format!("expected either {first} or {second}")),
        }
    }

    fn exactly_one(&mut self, names: &[&'static str]) -> Result<(), Reported> {
        match names.iter().filter(|name| self.values.contains_key(**name)).count() {
            1 => Ok(()),
            0 => self.path.reject(format!("expected one of {}", names.join(", "))),
            _ => self.path.reject(format!("expected only one of {}", names.join(", "))),
        }
    }

    fn misplaced(&mut self, name: &'static str, message: &'static str) -> Result<(), Reported> {
        match self.values.remove(name) {
            Some(_) => self.path.field(name).reject(message),
            None => Ok(()),
        }
    }

    fn reject<T>(&mut self, name: &str, message: impl Into<String>) -> Result<T, Reported> {
        self.path.field(name).reject(message)
    }
}

/// Reads a body, which must be a JSON object, and adds its errors to `errors`.
///
/// # Errors
///
/// [`Reported`] if anything is wrong.
pub fn read_object<T: FromFields>(value: Value, errors: &mut Errors) -> Result<T, Reported> {
    let mut path = FieldPath::root(false, errors);
    match value {
        Value::Object(values) => Reader::read(values, &mut path),
        _ => path.reject("the body is not a JSON object"),
    }
}

/// Reads a query string. A parameter that is given twice is an error.
pub(crate) fn read_query<T: FromFields>(query: &str, errors: &mut Errors) -> Result<T, Reported> {
    let mut path = FieldPath::root(true, errors);
    let (mut values, mut twice) = (Map::new(), None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if values.insert(name.clone().into_owned(), Value::String(value.into_owned())).is_some() {
            twice = path.field(&name).reject::<()>("is given twice").err();
        }
    }
    let read = Reader::read(values, &mut path);
    twice.map_or(read, Err)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::describe::documented;
    use crate::parse::{boolean, list, nested, text, whole};

    #[derive(PartialEq, Debug)]
    struct Thing {
        name: String,
        flag: Option<bool>,
        cap: Patch<u64>,
        parts: Vec<u64>,
    }

    impl FromFields for Thing {
        fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
            let name = fields.required("name", text(1..=5));
            let flag = fields.optional("flag", boolean());
            let cap = fields.nullable("cap", whole(0..=9));
            let parts = fields.optional("parts", list(1..=2, nested::<Part>()));
            let sizes = parts?.unwrap_or_default().into_iter().map(|Part(size)| size);
            Ok(Self { name: name?, flag: flag?, cap: cap?, parts: sizes.collect() })
        }
    }

    struct Part(u64);

    impl FromFields for Part {
        fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
            fields.required("size", whole(1..=3)).map(Self)
        }
    }

    documented! { Part as "Part": "A part." }

    fn read(value: Value) -> Result<Thing, Vec<(String, String)>> {
        let mut errors = Errors::default();
        let thing = read_object(value, &mut errors);
        match errors.check() {
            Ok(()) => Ok(thing.unwrap()),
            Err(problem) => {
                assert!(thing.is_err());
                Err(problem.errors().iter().map(|e| (e.field.clone(), e.message.clone())).collect())
            }
        }
    }

    fn wrong(value: Value) -> Vec<(String, String)> {
        read(value).unwrap_err()
    }

    #[test]
    fn absent_and_null_fields_are_distinguished() {
        let thing = |flag, cap, parts| Thing { name: "Ada".into(), flag, cap, parts };
        assert_eq!(read(json!({"name": "Ada"})), Ok(thing(None, Patch::Keep, vec![])));
        assert_eq!(read(json!({"name": "Ada", "cap": null})), Ok(thing(None, Patch::Remove, vec![])));
        assert_eq!(
            read(json!({"name": "Ada", "flag": false, "cap": 9, "parts": [{"size": 1}, {"size": 3}]})),
            Ok(thing(Some(false), Patch::Set(9), vec![1, 3]))
        );
    }

    #[test]
    fn all_errors_are_listed_by_path() {
        let found = wrong(json!({
            "flag": "yes", "cap": 10, "parts": [{"size": 0, "colour": 1}, 7], "nmae": "Ada", "x": {"y": 1},
        }));
        let found: Vec<_> = found.iter().map(|(field, message)| (field.as_str(), message.as_str())).collect();
        assert_eq!(
            found,
            [
                ("name", "is required"),
                ("flag", "expected true or false"),
                ("cap", "expected a whole number from 0 to 9"),
                ("parts[0].size", "expected a whole number from 1 to 3"),
                ("parts[0].colour", "is not a known field"),
                ("parts[1]", "expected an object"),
                ("nmae", "is not a known field"),
                ("x", "is not a known field"),
            ]
        );
    }

    #[test]
    fn description_has_every_field_and_bound() {
        let schema = serde_json::to_value(crate::describe::schema::<Part>(&mut Vec::new())).unwrap();
        let size = json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": 3});
        let expected = json!({
            "type": "object", "description": "A part.", "properties": {"size": size}, "required": ["size"],
            "additionalProperties": false,
        });
        assert_eq!(schema, expected);
    }

    #[test]
    fn null_is_rejected_where_it_has_no_meaning() {
        let found = wrong(json!({"name": null, "flag": null}));
        assert_eq!(found.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["name", "flag"]);
    }

    #[test]
    fn the_body_is_an_object() {
        for value in [json!(null), json!([]), json!("x"), json!(1), json!(true)] {
            assert_eq!(wrong(value), [(String::new(), "the body is not a JSON object".to_owned())]);
        }
    }

    #[test]
    fn error_list_and_names_are_bounded() {
        let many: Map<String, Value> = (0..5000).map(|i| (format!("x{i}"), json!(1))).collect();
        let found = wrong(Value::Object(many));
        assert_eq!(found.len(), FIELD_ERRORS_MAX + 1);
        assert_eq!(found.last().unwrap().1, "and 4901 more like these");

        let found = wrong(json!({"name": "Ada", ("\n".to_owned() + &"é".repeat(100_000)): 1}));
        assert_eq!(found[0].0.chars().count(), FIELD_NAME_SHOWN_CHARS_MAX + 1);
        assert!(found[0].0.starts_with('\u{FFFD}') && found[0].0.ends_with('…'));
    }

    struct Search {
        limit: Option<u64>,
        deep: Option<bool>,
    }

    impl FromFields for Search {
        fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
            let limit = fields.optional("limit", whole(1..=9));
            let deep = fields.optional("deep", boolean());
            Ok(Self { limit: limit?, deep: deep? })
        }
    }

    #[test]
    fn a_query_is_read_as_texts() {
        let mut errors = Errors::default();
        let search: Search = read_query("limit=7&deep=true", &mut errors).unwrap();
        assert_eq!((search.limit, search.deep, errors.count()), (Some(7), Some(true), 0));

        for (query, field, message) in [
            ("limit=0", "limit", "expected a whole number from 1 to 9"),
            ("limit=%2B7", "limit", "expected a whole number from 1 to 9"),
            ("limit=", "limit", "expected a whole number from 1 to 9"),
            ("deep=1", "deep", "expected true or false"),
            ("limit=1&limit=2", "limit", "is given twice"),
            ("page=2", "page", "is not a known parameter"),
        ] {
            let mut errors = Errors::default();
            assert!(read_query::<Search>(query, &mut errors).is_err(), "{query}");
            let problem = errors.check().unwrap_err();
            assert_eq!(
                (problem.errors()[0].field.as_str(), problem.errors()[0].message.as_str()),
                (field, message)
            );
        }
    }
}
