//! What people answered in a form, in the same words whoever delivers it: what a person is made of.

use std::collections::BTreeMap;

use domain::limits::{REJECTED_ANSWER_CUT_CHARS, REJECTED_ANSWERS_BYTES_MAX, SUBMISSION_FIELDS_MAX};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::names::is_about_the_form;

/// The name under which a body is kept that has no answers.
const BODY: &str = "body";

/// What kind of answer it is, as far as that decides anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text, or what reads well as one.
    #[default]
    Text,
    /// The answer to a question that asks for an e-mail address.
    Email,
    /// Not the person's word, but the sender's about the submission. It is kept only where the form maps it.
    About,
    /// Of a type that nothing is known of. Only the form's map can say what becomes of it.
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
    /// The field's names, of which there is at least one. Its property is named after the first that is near to a
    /// name, and the form's map may speak of it by any of them.
    pub names: Vec<String>,
    #[serde(default, skip_serializing_if = "Kind::is_text")]
    /// The kind of field that it answers.
    pub kind: Kind,
    /// What was answered: one text, or one for each choice that was made.
    pub values: Vec<String>,
    /// Whether the values are not whole, because they were too long to be kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl FieldAnswer {
    /// A text by the field's own name.
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(vec![name.into()], Kind::Text, vec![value.into()])
    }

    /// A text by several names of its field.
    pub fn of_names(names: Vec<String>, value: impl Into<String>) -> Self {
        Self::new(names, Kind::Text, vec![value.into()])
    }

    /// What is said of the submission itself, by the name under which the form's map may speak of it.
    pub fn about(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: Kind::About, ..Self::text(name, value) }
    }

    /// An answer that is whole.
    pub fn new(names: Vec<String>, kind: Kind, values: Vec<String>) -> Self {
        Self { names, kind, values, is_cut: false }
    }

    /// The name that it is called by.
    pub fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// The names of the field itself. A part of a field also has the name of the whole, by which only the form's map
    /// speaks of it: `address[city]` is no `address`.
    pub fn own_names(&self) -> impl Iterator<Item = &str> {
        let is_part_of =
            |part: &str, whole: &str| part.strip_prefix(whole).is_some_and(|rest| rest.starts_with('['));
        let is_whole = move |name: &str| self.names.iter().any(|other| is_part_of(other, name));
        self.names.iter().map(String::as_str).filter(move |name| !is_whole(name))
    }

    /// Returns true for what is said of the submission or by the page, not by the person.
    pub fn is_about(&self) -> bool {
        self.kind == Kind::About || self.names.iter().any(|name| is_about_the_form(name))
    }

    /// Leaves little of the values, and of those none that take more room in JSON than they are worth.
    fn cut(&mut self) {
        let little = |text: &String| {
            text.chars().filter(|c| !c.is_control()).take(REJECTED_ANSWER_CUT_CHARS).collect()
        };
        self.values = self.values.first().map(little).into_iter().collect();
        self.is_cut = true;
    }

    fn bytes(&self) -> usize {
        serde_json::to_string(self).map_or(usize::MAX, |text| text.len())
    }
}

/// The answers of a submission. As JSON they are kept of one that is rejected, to be made a person of later.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(Vec<FieldAnswer>);

impl Answers {
    /// A body that has no answers, so that something of what was sent can be looked at.
    pub fn of_body(body: &[u8]) -> Self {
        Self(vec![FieldAnswer::about(BODY, String::from_utf8_lossy(body))])
    }

    /// Each of them, in the order in which they came.
    pub fn as_slice(&self) -> &[FieldAnswer] {
        &self.0
    }

    /// All of them, by value.
    pub fn into_vec(self) -> Vec<FieldAnswer> {
        self.0
    }

    /// Returns true if nothing was answered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is kept of them: all, unless they are longer than [`REJECTED_ANSWERS_BYTES_MAX`]. The longest are cut then,
    /// and can no longer become somebody's properties; a form can only leave them out.
    pub fn to_keep(&self) -> Self {
        let mut kept = self.clone();
        let mut sizes: Vec<(usize, usize)> = kept.0.iter().map(FieldAnswer::bytes).zip(0..).collect();
        let mut total = sizes.iter().fold(0, |total: usize, (bytes, _)| total.saturating_add(*bytes));
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        // Names are long only if somebody wants them to be. The first will do then.
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

/// Answers while they are read. Those with the same names become one, with the values of all.
///
/// It takes one field more than a submission may have and no further ones, so that there are known to be too many of
/// them, and yet no body can make more of them than is good.
#[derive(Default)]
pub struct Collector {
    answers: Vec<FieldAnswer>,
    places: BTreeMap<(Vec<String>, Kind), usize>,
    fields: usize,
}

impl Collector {
    /// Takes one more. One without values says nothing.
    pub fn push(&mut self, answer: FieldAnswer) {
        let FieldAnswer { names, kind, mut values, is_cut } = answer;
        values.retain(|value| !value.is_empty());
        if values.is_empty() || names.is_empty() {
            return;
        }
        let answer = FieldAnswer::new(names, kind, Vec::new());
        let is_field = !answer.is_about();
        let place = (answer.names, kind);
        if let Some(there) = self.places.get(&place).and_then(|index| self.answers.get_mut(*index)) {
            there.values.append(&mut values);
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

    /// All that were taken.
    pub fn finish(self) -> Answers {
        Answers(self.answers)
    }
}

/// The text of a value that has one: a text, a number, true or false.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(plain(number)),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number as people write it: no `1.0` and no exponent.
pub fn plain(number: &Number) -> String {
    match number.as_f64() {
        // Beyond 2^53 a float would not have all of a whole number's digits.
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
    fn answers_to_one_question_are_one() {
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
    fn there_are_never_more_than_one_too_many() {
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
    fn page_machinery_is_about_the_form_and_no_field() {
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
    fn body_without_answers_can_be_looked_at() {
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
    fn they_are_kept_as_short_json() {
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
    fn the_longest_are_cut_until_the_rest_can_be_kept() {
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
    fn whatever_they_are_they_can_be_kept() {
        let names = |number: usize| vec!["\u{1F600}".repeat(196) + &format!("{number:04}"); 4];
        let value = "\0\u{1F600}".repeat(1000);
        let all =
            (0..400).map(|number| FieldAnswer::new(names(number), Kind::Unknown, vec![value.clone(); 3]));
        let kept = serde_json::to_string(&collected(all).to_keep()).unwrap();
        assert!(kept.len() <= REJECTED_ANSWERS_BYTES_MAX, "{}", kept.len());
    }
}
