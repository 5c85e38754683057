//! Reading the fields of a request, so that everything that is wrong with it is said at once and unknown fields are
//! named.
//!
//! A body is a JSON object; a query string is read as an object of texts. Both go through [`Fields`] with the
//! parsers of [`crate::parse`].

use domain::limits::{FIELD_ERRORS_MAX, FIELD_NAME_SHOWN_CHARS_MAX};
use serde_json::{Map, Value};

use crate::problem::{FieldError, Problem};

/// What a request says, as a type of its own: the body, or the query.
///
/// ```
/// use api::fields::{Fields, FromFields};
/// use api::parse::{boolean, text};
///
/// struct NewForm {
///     name: String,
///     set_marketing: bool,
/// }
///
/// impl FromFields for NewForm {
///     fn read(fields: &mut Fields<'_>) -> Option<Self> {
///         // Everything is read first, so that every problem is listed; then it is put together.
///         let name = fields.required("name", text(1..=200));
///         let set_marketing = fields.optional("set_marketing", boolean());
///         Some(Self { name: name?, set_marketing: set_marketing?.unwrap_or(true) })
///     }
/// }
/// ```
pub trait FromFields: Sized {
    /// Reads the fields; none if something was wrong, which is then noted with `fields`.
    fn read(fields: &mut Fields<'_>) -> Option<Self>;
}

/// A body or a query that says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Nothing;

impl FromFields for Nothing {
    fn read(_: &mut Fields<'_>) -> Option<Self> {
        Some(Self)
    }
}

/// A field of a PATCH: left as it is, removed, or set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Patch<T> {
    /// The field was not there.
    #[default]
    Absent,
    /// The field was `null`.
    Null,
    /// The field had a value.
    Value(T),
}

impl<T> Patch<T> {
    /// None to leave as it is, `Some(None)` to remove, `Some(Some(value))` to set.
    pub fn into_change(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

/// Everything that is wrong with one request, up to [`FIELD_ERRORS_MAX`] things.
#[derive(Default)]
pub struct Errors {
    listed: Vec<FieldError>,
    count: usize,
}

impl Errors {
    /// Notes one more.
    pub fn note(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.count += 1;
        if self.listed.len() < FIELD_ERRORS_MAX {
            self.listed.push(FieldError { field: field.into(), message: message.into() });
        }
    }

    /// How many there are, listed or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The problem that lists them, if there are any.
    ///
    /// # Errors
    ///
    /// The problem.
    pub fn check(mut self) -> Result<(), Problem> {
        if self.listed.is_empty() {
            return Ok(());
        }
        let further = self.count - self.listed.len();
        if further > 0 {
            self.listed
                .push(FieldError { field: String::new(), message: format!("and {further} more like these") });
        }
        Err(Problem::invalid(self.listed))
    }
}

/// A place in a request, and what is wrong there.
pub struct Place<'e> {
    path: String,
    /// Values are texts, as in a query, where `7` is a number and `true` a boolean.
    texts: bool,
    errors: &'e mut Errors,
}

impl<'e> Place<'e> {
    pub(crate) fn root(texts: bool, errors: &'e mut Errors) -> Self {
        Self { path: String::new(), texts, errors }
    }

    /// Notes that what stands here is wrong. `message` says what was expected and repeats nothing of the value.
    pub fn refuse<T>(&mut self, message: impl Into<String>) -> Option<T> {
        self.errors.note(self.path.clone(), message);
        None
    }

    /// Whether values are texts, as in a query.
    #[must_use]
    pub fn holds_texts(&self) -> bool {
        self.texts
    }

    /// The place of a field of the object that stands here.
    pub fn field(&mut self, name: &str) -> Place<'_> {
        let shown = shown(name);
        let path = if self.path.is_empty() { shown } else { format!("{}.{shown}", self.path) };
        Place { path, texts: self.texts, errors: self.errors }
    }

    /// The place of an entry of the list that stands here, counted from 0.
    pub fn entry(&mut self, index: usize) -> Place<'_> {
        Place { path: format!("{}[{index}]", self.path), texts: self.texts, errors: self.errors }
    }
}

/// A name as a problem repeats it. Names are the caller's, so their length and their characters are bounded.
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

/// The fields of one object while they are read. A field that is not asked for is an error in the end.
pub struct Fields<'e> {
    place: Place<'e>,
    values: Map<String, Value>,
}

impl Fields<'_> {
    /// Reads the object that stands at `place`. None if anything in it was wrong.
    pub fn read_at<T>(
        values: Map<String, Value>,
        place: &mut Place<'_>,
        read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let before = place.errors.count();
        let place = Place { path: place.path.clone(), texts: place.texts, errors: place.errors };
        let mut fields = Fields { place, values };
        let read = read(&mut fields);
        fields.refuse_the_rest();
        // What the reader refused along the way counts even if it went on.
        read.filter(|_| fields.place.errors.count() == before)
    }

    /// A field that has to be there.
    pub fn required<T>(
        &mut self,
        name: &str,
        parser: impl FnOnce(Value, &mut Place<'_>) -> Option<T>,
    ) -> Option<T> {
        match self.values.remove(name) {
            Some(value) => parser(value, &mut self.place.field(name)),
            None => self.place.field(name).refuse("is required"),
        }
    }

    /// A field that may be left out; `Some(None)` then. It may not be `null`.
    pub fn optional<T>(
        &mut self,
        name: &str,
        parser: impl FnOnce(Value, &mut Place<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.values.remove(name) {
            Some(value) => parser(value, &mut self.place.field(name)).map(Some),
            None => Some(None),
        }
    }

    /// A field that may be left out or be `null`, with a difference between the two.
    pub fn nullable<T>(
        &mut self,
        name: &str,
        parser: impl FnOnce(Value, &mut Place<'_>) -> Option<T>,
    ) -> Option<Patch<T>> {
        match self.values.remove(name) {
            Some(Value::Null) => Some(Patch::Null),
            Some(value) => parser(value, &mut self.place.field(name)).map(Patch::Value),
            None => Some(Patch::Absent),
        }
    }

    /// Whether the field is there, be it `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Notes that a field is wrong for a reason that lies outside it, such as another field.
    pub fn refuse<T>(&mut self, name: &str, message: impl Into<String>) -> Option<T> {
        self.place.field(name).refuse(message)
    }

    /// Notes that the object as a whole is wrong.
    pub fn refuse_all<T>(&mut self, message: impl Into<String>) -> Option<T> {
        self.place.refuse(message)
    }

    fn refuse_the_rest(&mut self) {
        for (name, _) in std::mem::take(&mut self.values) {
            let what =
                if self.place.holds_texts() { "is not a known parameter" } else { "is not a known field" };
            self.place.field(&name).refuse::<()>(what);
        }
    }
}

/// Reads a body that has to be a JSON object.
pub(crate) fn read_object<T: FromFields>(value: Value, errors: &mut Errors) -> Option<T> {
    let mut place = Place::root(false, errors);
    match value {
        Value::Object(values) => Fields::read_at(values, &mut place, T::read),
        _ => place.refuse("the body is not a JSON object"),
    }
}

/// Reads a query string; a parameter that stands twice is an error.
pub(crate) fn read_query<T: FromFields>(query: &str, errors: &mut Errors) -> Option<T> {
    let before = errors.count();
    let mut place = Place::root(true, errors);
    let mut values = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if values.insert(name.clone().into_owned(), Value::String(value.into_owned())).is_some() {
            place.field(&name).refuse::<()>("is given twice");
        }
    }
    let read = Fields::read_at(values, &mut place, T::read);
    read.filter(|_| errors.count() == before)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::parse::{boolean, list, object, text, whole};

    #[derive(PartialEq, Debug)]
    struct Thing {
        name: String,
        flag: Option<bool>,
        cap: Patch<u64>,
        parts: Vec<u64>,
    }

    impl FromFields for Thing {
        fn read(fields: &mut Fields<'_>) -> Option<Self> {
            let name = fields.required("name", text(1..=5));
            let flag = fields.optional("flag", boolean());
            let cap = fields.nullable("cap", whole(0..=9));
            let parts = fields.optional(
                "parts",
                list(1..=2, object(|part: &mut Fields<'_>| part.required("size", whole(1..=3)))),
            );
            Some(Self { name: name?, flag: flag?, cap: cap?, parts: parts?.unwrap_or_default() })
        }
    }

    fn read(value: Value) -> Result<Thing, Vec<(String, String)>> {
        let mut errors = Errors::default();
        let thing = read_object(value, &mut errors);
        match errors.check() {
            Ok(()) => Ok(thing.unwrap()),
            Err(problem) => {
                assert!(thing.is_none());
                Err(problem.errors().iter().map(|e| (e.field.clone(), e.message.clone())).collect())
            }
        }
    }

    fn wrong(value: Value) -> Vec<(String, String)> {
        read(value).unwrap_err()
    }

    #[test]
    fn reads_what_is_there_and_tells_absent_from_null() {
        let thing = |flag, cap, parts| Thing { name: "Ada".into(), flag, cap, parts };
        assert_eq!(read(json!({"name": "Ada"})), Ok(thing(None, Patch::Absent, vec![])));
        assert_eq!(read(json!({"name": "Ada", "cap": null})), Ok(thing(None, Patch::Null, vec![])));
        assert_eq!(
            read(json!({"name": "Ada", "flag": false, "cap": 9, "parts": [{"size": 1}, {"size": 3}]})),
            Ok(thing(Some(false), Patch::Value(9), vec![1, 3]))
        );
    }

    #[test]
    fn lists_everything_that_is_wrong_by_its_path() {
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
    fn null_is_no_value_where_it_means_nothing() {
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
    fn the_list_of_errors_and_the_names_in_it_are_bounded() {
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
        fn read(fields: &mut Fields<'_>) -> Option<Self> {
            let limit = fields.optional("limit", whole(1..=9));
            let deep = fields.optional("deep", boolean());
            Some(Self { limit: limit?, deep: deep? })
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
            assert!(read_query::<Search>(query, &mut errors).is_none(), "{query}");
            let problem = errors.check().unwrap_err();
            assert_eq!(
                (problem.errors()[0].field.as_str(), problem.errors()[0].message.as_str()),
                (field, message)
            );
        }
    }
}
