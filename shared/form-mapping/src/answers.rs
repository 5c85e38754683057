//! A form submission's answers, independent of the provider that delivered them.

use std::collections::BTreeMap;

use domain::limits::{REJECTED_ANSWER_CUT_CHARS, REJECTED_ANSWERS_BYTES_MAX, SUBMISSION_FIELDS_MAX};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::names::is_about_the_form;

/// The name of the answer that stores a body without answers.
const BODY: &str = "body";

/// The kind of an answer, which determines its use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text, or a value with a readable text form.
    #[default]
    Text,
    /// The answer to a question that asks for an e-mail address.
    Email,
    /// Information from the sender about the submission, not an answer of the person. It is stored only if the form
    /// maps it.
    About,
    /// An answer of an unknown type. Only the form's map determines its use.
    Unknown,
}

impl Kind {
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

/// The answer to one question.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldAnswer {
    /// The field's names, at least one. The first one from which a property name can be formed names the property. The
    /// form's map may refer to the field by any of them.
    pub names: Vec<String>,
    /// The kind of the answer.
    #[serde(default, skip_serializing_if = "Kind::is_text")]
    pub kind: Kind,
    /// The values: one text, or one for each selected choice.
    pub values: Vec<String>,
    /// True if the values are incomplete, because they were too long to be stored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl FieldAnswer {
    /// Creates a text answer of a field with one name.
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(vec![name.into()], Kind::Text, vec![value.into()])
    }

    /// Creates a text answer of a field with several names.
    pub fn of_names(names: Vec<String>, value: impl Into<String>) -> Self {
        Self::new(names, Kind::Text, vec![value.into()])
    }

    /// Creates an answer with information about the submission itself. The form's map may refer to it by this name.
    pub fn about(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: Kind::About, ..Self::text(name, value) }
    }

    /// Creates a complete answer.
    pub fn new(names: Vec<String>, kind: Kind, values: Vec<String>) -> Self {
        Self { names, kind, values, is_cut: false }
    }

    /// Returns the field's first name.
    pub fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Returns the names of the field itself. A part of a field also has the name of the whole, by which only the
    /// form's map refers to it: `address[city]` is not an `address`.
    pub fn own_names(&self) -> impl Iterator<Item = &str> {
        let is_part_of =
            |part: &str, whole: &str| part.strip_prefix(whole).is_some_and(|rest| rest.starts_with('['));
        let is_whole = move |name: &str| self.names.iter().any(|other| is_part_of(other, name));
        self.names.iter().map(String::as_str).filter(move |name| !is_whole(name))
    }

    /// Returns true for information about the submission or from the page, which is not an answer of the person.
    pub fn is_about(&self) -> bool {
        self.kind == Kind::About || self.names.iter().any(|name| is_about_the_form(name))
    }

    /// Cuts the values to the beginning of the first one. Control characters are removed, because JSON escapes them
    /// with six bytes each.
    fn cut(&mut self) {
        let shorten = |text: &String| {
            text.chars().filter(|c| !c.is_control()).take(REJECTED_ANSWER_CUT_CHARS).collect()
        };
        self.values = self.values.first().map(shorten).into_iter().collect();
        self.is_cut = true;
    }

    fn bytes(&self) -> usize {
        serde_json::to_string(self).map_or(usize::MAX, |text| text.len())
    }
}

/// The answers of a submission. For a rejected submission they are stored as JSON, so it can be mapped again later.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(Vec<FieldAnswer>);

impl Answers {
    /// Creates an answer from a body without answers, so the account can look at the body.
    pub fn of_body(body: &[u8]) -> Self {
        Self(vec![FieldAnswer::about(BODY, String::from_utf8_lossy(body))])
    }

    /// Returns the answers, in the order of arrival.
    pub fn as_slice(&self) -> &[FieldAnswer] {
        &self.0
    }

    /// Returns the answers by value.
    pub fn into_vec(self) -> Vec<FieldAnswer> {
        self.0
    }

    /// Returns true if there are no answers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the answers to store: all, unless they are longer than [`REJECTED_ANSWERS_BYTES_MAX`]. Then the
    /// longest are cut. A cut answer can no longer fill a property, so the form can only leave it out.
    pub fn to_keep(&self) -> Self {
        let mut kept = self.clone();
        let mut sizes: Vec<(usize, usize)> = kept.0.iter().map(FieldAnswer::bytes).zip(0..).collect();
        let mut total = sizes.iter().fold(0, |total: usize, (bytes, _)| total.saturating_add(*bytes));
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        // Long names are rare and intended by the sender. Then the first name is enough.
        let steps = [FieldAnswer::cut, |answer: &mut FieldAnswer| answer.names.truncate(1)];
        for (step, &(_, index)) in steps.iter().flat_map(|step| sizes.iter().map(move |size| (step, size))) {
            if total <= REJECTED_ANSWERS_BYTES_MAX {
                break;
            }
            if let Some(answer) = kept.0.get_mut(index) {
                total = total.saturating_sub(answer.bytes());
                step(answer);
                total = total.saturating_add(answer.bytes());
            }
        }
        kept
    }
}

/// A collector of answers. Answers with the same names become one, with the values of all.
///
/// It accepts one field more than a submission may have, and no further ones. So too many fields are detected, and
/// memory stays bounded.
#[derive(Default)]
pub struct Collector {
    answers: Vec<FieldAnswer>,
    places: BTreeMap<(Vec<String>, Kind), usize>,
    fields: usize,
}

impl Collector {
    /// Adds an answer. An answer without values is ignored.
    pub fn push(&mut self, answer: FieldAnswer) {
        let FieldAnswer { names, kind, mut values, is_cut } = answer;
        values.retain(|value| !value.is_empty());
        if values.is_empty() || names.is_empty() {
            return;
        }
        let answer = FieldAnswer::new(names, kind, Vec::new());
        let is_field = !answer.is_about();
        let place = (answer.names, kind);
        if let Some(existing) = self.places.get(&place).and_then(|index| self.answers.get_mut(*index)) {
            existing.values.append(&mut values);
            return;
        }
        if is_field {
            if self.fields > SUBMISSION_FIELDS_MAX {
                return;
            }
            self.fields += 1;
        }
        self.places.insert(place.clone(), self.answers.len());
        self.answers.push(FieldAnswer { names: place.0, kind, values, is_cut });
    }

    /// Returns all accepted answers.
    pub fn finish(self) -> Answers {
        Answers(self.answers)
    }
}

/// Returns the text of a scalar value: a text, a number, true or false.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(plain(number)),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns a number in its usual form: without a trailing `.0` and without an exponent.
pub fn plain(number: &Number) -> String {
    match number.as_f64() {
        // Beyond 2^53 a float would not represent all digits of an integer.
        Some(float) if number.is_f64() => if float == 0.0 { 0.0 } else { float }.to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(answers: impl IntoIterator<Item = FieldAnswer>) -> Answers {
        let mut collector = Collector::default();
        answers.into_iter().for_each(|answer| collector.push(answer));
        collector.finish()
    }

    #[test]
    fn answers_to_one_question_are_merged() {
        let answers = collected([
            FieldAnswer::text("topic", "a"),
            FieldAnswer::text("name", "Ada"),
            FieldAnswer::text("topic", ""),
            FieldAnswer::text("topic", "b"),
            FieldAnswer::about("topic", "c"),
            FieldAnswer::text("void", ""),
        ]);
        let found: Vec<_> = answers.as_slice().iter().map(|answer| (answer.name(), &answer.values)).collect();
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let (topics, names, about) = (texts(&["a", "b"]), texts(&["Ada"]), texts(&["c"]));
        assert_eq!(found, [("topic", &topics), ("name", &names), ("topic", &about)]);
    }

    #[test]
    fn collector_accepts_one_field_beyond_the_limit() {
        let numbered = (0..5000).map(|number| FieldAnswer::text(format!("f{number}"), "x"));
        let about = (0..5).map(|number| FieldAnswer::about(format!("a{number}"), "x"));
        let answers = collected(numbered.chain(about));
        assert_eq!(answers.as_slice().len(), SUBMISSION_FIELDS_MAX + 1 + 5);
        assert_eq!(answers.as_slice().last().unwrap().name(), "a4");
    }

    #[test]
    fn part_has_the_name_of_the_whole_but_is_not_the_whole() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let part =
            FieldAnswer::new(names(&["address[geo][lat]", "address", "place"]), Kind::Text, Vec::new());
        assert_eq!(part.own_names().collect::<Vec<_>>(), ["address[geo][lat]", "place"]);
        let whole = FieldAnswer::text("address", "x");
        assert_eq!(whole.own_names().collect::<Vec<_>>(), ["address"]);
    }

    #[test]
    fn technical_fields_of_a_page_do_not_count_as_fields() {
        let tokens = (0..SUBMISSION_FIELDS_MAX * 2).map(|number| {
            FieldAnswer::new(
                vec!["G-Recaptcha-Response".into(), number.to_string()],
                Kind::Text,
                vec!["x".into()],
            )
        });
        let answers = collected(tokens.chain([FieldAnswer::text("name", "Ada")]));
        assert_eq!(answers.as_slice().iter().filter(|answer| !answer.is_about()).count(), 1);
    }

    #[test]
    fn body_without_answers_is_stored_as_text() {
        let kept = Answers::of_body(b"{\"email\": Jos\xe9");
        assert_eq!(kept.as_slice()[0].values, ["{\"email\": Jos\u{FFFD}"]);
        assert!(kept.as_slice()[0].is_about());
    }

    #[test]
    fn numbers_are_plain() {
        for (json, text) in [
            ("5", "5"),
            ("5.0", "5"),
            ("-0.0", "0"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("1e-7", "0.0000001"),
            ("-18446744073709551615", "-18446744073709552000"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(plain(&serde_json::from_str(json).unwrap()), text, "{json}");
        }
    }

    #[test]
    fn answers_are_stored_as_short_json() {
        let answers = collected([
            FieldAnswer::new(
                vec!["E-mail".into(), "q_1".into()],
                Kind::Email,
                vec!["ada@example.org".into()],
            ),
            FieldAnswer::text("topics", "a"),
        ]);
        let json = serde_json::to_value(&answers).unwrap();
        assert_eq!(
            json,
            serde_json::json!([
                {"names": ["E-mail", "q_1"], "kind": "email", "values": ["ada@example.org"]},
                {"names": ["topics"], "values": ["a"]},
            ])
        );
        assert!(serde_json::from_value::<Answers>(json).unwrap() == answers);
    }

    #[test]
    fn longest_answers_are_cut_until_the_rest_can_be_stored() {
        let long = "\"".repeat(100 * 1024);
        let answers = collected([
            FieldAnswer::text("short", "x"),
            FieldAnswer::text("bio", long.clone()),
            FieldAnswer::text("note", &long[1..]),
        ]);
        let kept = answers.to_keep();
        let found: Vec<_> = kept.as_slice().iter().map(|a| (a.name(), a.values[0].len(), a.is_cut)).collect();
        assert_eq!(found, [("short", 1, false), ("bio", 100, true), ("note", long.len() - 1, false)]);
        let small = collected([
            FieldAnswer::text("bio", &long[..60_000]),
            FieldAnswer::text("note", &long[..60_000]),
        ]);
        assert!(small.to_keep() == small);
    }

    #[test]
    fn answers_of_any_size_can_be_stored() {
        let names = |number: usize| vec!["\u{1F600}".repeat(196) + &format!("{number:04}"); 4];
        let value = "\0\u{1F600}".repeat(1000);
        let all =
            (0..400).map(|number| FieldAnswer::new(names(number), Kind::Unknown, vec![value.clone(); 3]));
        let kept = serde_json::to_string(&collected(all).to_keep()).unwrap();
        assert!(kept.len() <= REJECTED_ANSWERS_BYTES_MAX, "{}", kept.len());
    }
}
