//! Form posts with bracketed names such as `fields[email][value]`, which are parsed like the same fields in JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::flatten::{self, Path, is_described};
use form_mapping::answers::{Collector, FieldAnswer};
use form_mapping::names::names;

/// The name of the object that only wraps fields, in JSON and in form posts.
const WRAPPER: &str = "fields";

/// Adds the names and values of a form post as fields.
///
/// A name within `fields[…]` is the field's first name, and the full name is its second. Names that differ only in
/// their last part become one field if together they describe one, as `value` and `type` do.
pub(crate) fn fields(pairs: &[(String, String)], out: &mut Collector) {
    let mut described = described(pairs);
    for (name, value) in pairs {
        match member(name).and_then(|(outer, _)| described.get_mut(outer)) {
            // The first part adds the whole field. The others add nothing.
            Some(whole) => {
                if let Some(values) = whole.take() {
                    flatten::field(&Path::new(named(outer(name))), &Value::Object(values), out);
                }
            }
            None => out.push(FieldAnswer::of_names(named(name), value)),
        }
    }
}

/// Returns the objects that describe one field each, by the common part of their members' names.
fn described(pairs: &[(String, String)]) -> BTreeMap<&str, Option<Map<String, Value>>> {
    let mut objects: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (name, value) in pairs {
        if let Some((outer, member)) = member(name) {
            let value = Value::String(value.clone());
            match objects.entry(outer).or_default().entry(member) {
                serde_json::map::Entry::Vacant(place) => {
                    place.insert(value);
                }
                serde_json::map::Entry::Occupied(mut there) => match there.get_mut() {
                    Value::Array(values) => values.push(value),
                    one => *one = Value::Array(vec![one.take(), value]),
                },
            }
        }
    }
    let described = objects.into_iter().filter(|(_, values)| is_described(values));
    described.map(|(outer, values)| (outer, Some(values))).collect()
}

/// Splits `fields[email][value]` or `fields[email][value][]` into `fields[email]` and `value`.
fn member(name: &str) -> Option<(&str, &str)> {
    let name = name.strip_suffix("[]").unwrap_or(name);
    let (outer, member) = name.strip_suffix(']')?.rsplit_once('[')?;
    (!outer.is_empty() && !member.is_empty()).then_some((outer, member))
}

/// Returns the part of a name that it has in common with the other members of its field.
fn outer(name: &str) -> &str {
    member(name).map_or(name, |(outer, _)| outer)
}

/// Returns the names of a field: the name within `fields[…]`, and the full name.
fn named(name: &str) -> Vec<String> {
    names([unwrapped(name).as_deref(), Some(name)])
}

/// Returns `name[first]` for `fields[name][first]`.
fn unwrapped(name: &str) -> Option<String> {
    let (inner, rest) = name.strip_prefix(WRAPPER)?.strip_prefix('[')?.split_once(']')?;
    Some(format!("{inner}{rest}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use form_mapping::answers::Kind;

    fn read(pairs: &[(&str, &str)]) -> Vec<FieldAnswer> {
        let pairs: Vec<_> = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut out = Collector::default();
        fields(&pairs, &mut out);
        out.finish().as_slice().to_vec()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn parts_describing_one_field_become_one_answer() {
        let answers = read(&[
            ("form[id]", "7"),
            ("fields[email][id]", "email"),
            ("fields[email][type]", "email"),
            ("fields[email][title]", "Your address"),
            ("fields[email][value]", "a@corp.example"),
            ("fields[email][raw_value]", "A@corp.example"),
            ("fields[topics][type]", "checkbox"),
            ("fields[topics][value][]", "a"),
            ("fields[topics][value][]", "b"),
            ("meta[date][value]", "today"),
        ]);
        let found: Vec<_> = answers.iter().map(|a| (a.names.clone(), a.kind, a.values.clone())).collect();
        let whole = |names: &[&str], kind, values: &[&str]| (texts(names), kind, texts(values));
        assert!(
            found
                == [
                    whole(&["form[id]"], Kind::Text, &["7"]),
                    whole(&["Your address", "email", "fields[email]"], Kind::Email, &["a@corp.example"]),
                    whole(&["topics", "fields[topics]"], Kind::Text, &["a", "b"]),
                    whole(&["meta[date][value]"], Kind::Text, &["today"]),
                ]
        );
    }

    #[test]
    fn name_within_fields_brackets_comes_first() {
        let answers =
            read(&[("fields[name][first]", "Ada"), ("fields[age]", "36"), ("fields", "x"), ("fields[", "y")]);
        let found: Vec<_> = answers.into_iter().map(|answer| answer.names).collect();
        assert_eq!(
            found,
            [
                texts(&["name[first]", "fields[name][first]"]),
                texts(&["age", "fields[age]"]),
                texts(&["fields"]),
                texts(&["fields["]),
            ]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_names_yield_no_extra_answers(
            pairs in prop::collection::vec(("([a-b\\[\\]]|value|type|fields){0,8}", "[a-b]{0,2}"), 0..12),
        ) {
            let count = pairs.iter().filter(|(_, value)| !value.is_empty()).count();
            let mut out = Collector::default();
            fields(&pairs, &mut out);
            prop_assert!(out.finish().as_slice().len() <= count);
        }
    }
}
