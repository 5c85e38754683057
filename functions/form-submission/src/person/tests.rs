//! Fields of forms made a person.

use domain::limits::PROPERTY_VALUE_BYTES_MAX;
use proptest::prelude::*;

use super::*;
use crate::sent::Sent;

fn submission(fields: &[(&str, &str)]) -> Sent {
    let fields = fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Sent { fields, ..Sent::default() }
}

fn map(entries: &[(&str, &str)]) -> FieldMap {
    entries.iter().map(|&(field, target)| (field.to_owned(), target.parse().unwrap())).collect()
}

type Read = Result<(String, Vec<(String, String)>), Vec<String>>;

fn read_with(sent: &Sent, map: &FieldMap) -> Read {
    let mut errors = Errors::default();
    let person = read(&sent.answers(), map, &mut errors).ok();
    match errors.check() {
        Ok(()) => {
            let Person { email, properties } = person.unwrap();
            let properties = properties.into_iter().map(|(name, value)| (name.to_string(), value.unwrap()));
            Ok((email.given().to_owned(), properties.collect()))
        }
        Err(problem) => {
            assert!(person.is_none());
            Err(problem.errors().iter().map(|error| error.field.clone()).collect())
        }
    }
}

fn properties(fields: &[(&str, &str)], mapped: &[(&str, &str)]) -> Vec<(String, String)> {
    let with_address = [&[("email", "ada@example.org")], fields].concat();
    let (email, properties) = read_with(&submission(&with_address), &map(mapped)).unwrap();
    assert_eq!(email, "ada@example.org");
    properties
}

fn wrong(fields: &[(&str, &str)], mapped: &[(&str, &str)]) -> Vec<String> {
    read_with(&submission(fields), &map(mapped)).unwrap_err()
}

fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_address_is_email_in_any_case_or_what_the_form_maps_to_it() {
    for (fields, mapped, email) in [
        (vec![("email", "ada@example.org")], vec![], "ada@example.org"),
        (vec![(" EMail ", "\t Ada@Example.org \r\n")], vec![], "Ada@Example.org"),
        (vec![("your_email", "a@b.c"), ("email", "x@y.z")], vec![("your_email", "email")], "a@b.c"),
        (vec![("your_email", ""), ("email", "x@y.z")], vec![("your_email", "email")], "x@y.z"),
        (vec![("email", ""), ("Email", "a@b.c"), ("email", "a@b.c")], vec![], "a@b.c"),
        (vec![("email", "a@b\u{0}.c\u{7f}")], vec![], "a@b.c"),
    ] {
        let (found, properties) = read_with(&submission(&fields), &map(&mapped)).unwrap();
        assert_eq!((found.as_str(), properties.len()), (email, 0), "{fields:?}");
    }
}

#[test]
fn without_these_it_is_a_field_with_a_usual_name() {
    for (fields, email, others) in [
        (vec![("Your E-Mail *", "a@b.c"), ("name", "Ada")], "a@b.c", vec![("name", "Ada")]),
        (vec![("mail", "b@b.c"), ("email_address", "a@b.c")], "a@b.c", vec![("mail", "b@b.c")]),
        (vec![("mail", "a@b.c"), ("email_address", " ")], "a@b.c", vec![("email_address", " ")]),
        (vec![("email", "a@b.c"), ("e-mail", "a@b.c")], "a@b.c", vec![]),
    ] {
        let (found, properties) = read_with(&submission(&fields), &FieldMap::new()).unwrap();
        assert_eq!((found.as_str(), properties), (email, texts(&others)), "{fields:?}");
    }
    assert_eq!(wrong(&[("mailing_list", "a@b.c")], &[]), ["fields.email"]);
}

#[test]
fn a_form_may_leave_a_field_out() {
    let leave_out = |name: &str| FieldMap::from([(name.to_owned(), FieldTarget::Nothing)]);
    let sent = submission(&[("email", "a@b.c"), ("mail", "x@y.z"), ("имя", "Ada")]);
    assert_eq!(read_with(&sent, &leave_out("имя")).unwrap(), ("a@b.c".into(), texts(&[("mail", "x@y.z")])));
    let sent = submission(&[("email", "a@b.c"), ("mail", "x@y.z")]);
    assert_eq!(read_with(&sent, &leave_out("email")).unwrap(), ("x@y.z".into(), texts(&[])));
}

#[test]
fn a_form_may_make_its_field_email_something_else() {
    let (email, properties) = read_with(
        &submission(&[("email", "boss@example.org"), ("mine", "ada@example.org")]),
        &map(&[("email", "reports_to"), ("mine", "email")]),
    )
    .unwrap();
    assert_eq!(
        (email.as_str(), properties),
        ("ada@example.org", texts(&[("reports_to", "boss@example.org")]))
    );
}

#[test]
fn a_missing_or_bad_address_is_named_by_its_field() {
    assert_eq!(wrong(&[], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("email", "")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("email", " \n ")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("email", "ada")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("email", "a@b"), ("email", "b@c")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[], &[("your_email", "email")]), ["fields.your_email"]);
    assert_eq!(wrong(&[("your_email", "@")], &[("your_email", "email")]), ["fields.your_email"]);
}

#[test]
fn names_are_tidied_where_the_form_does_not_map_them() {
    assert_eq!(
        properties(
            &[
                ("First Name", "Ada"),
                ("company", "Analytical"),
                ("id", "7"),
                ("marketing", "no"),
                ("hs_marketable_status", "true"),
                ("2nd", "x"),
                ("Straße", "Ring 1"),
                ("Straße", ""),
            ],
            &[("company", "employer"), ("Straße", "street")],
        ),
        texts(&[
            ("employer", "Analytical"),
            ("field_2nd", "x"),
            ("field_hs_marketable_status", "true"),
            ("field_id", "7"),
            ("field_marketing", "no"),
            ("first_name", "Ada"),
            ("street", "Ring 1"),
        ])
    );
}

#[test]
fn values_of_one_property_are_joined_unless_the_form_prefers_some() {
    assert_eq!(
        properties(&[("topic", "b"), ("topic", ""), ("Topic[]", "a"), ("topic", "b")], &[]),
        texts(&[("topic", "b;a;b")])
    );
    let mapped = [("Thema", "topic"), ("sujet", "topic")];
    assert_eq!(
        properties(&[("topic", "a"), ("sujet", "c"), ("Thema", "b")], &mapped),
        texts(&[("topic", "c;b")])
    );
    assert_eq!(properties(&[("topic", "a"), ("Thema", "")], &mapped), texts(&[("topic", "a")]));
}

#[test]
fn values_stay_as_they_are_but_for_control_characters() {
    assert_eq!(
        properties(&[("note", "  a\u{0}\u{1b}\t\r\nb \u{85}"), ("gone", "\u{0}\u{7f}"), ("blank", " ")], &[]),
        texts(&[("blank", " "), ("note", "  a\t\r\nb ")])
    );
}

#[test]
fn what_is_said_of_the_submission_is_kept_only_where_the_form_maps_it() {
    let sent = Sent {
        page_url: Some("https://example.org/".to_owned()),
        submitted_at: Some("2026-11-21T19:59:01Z".to_owned()),
        submission_id: Some("s-1".to_owned()),
        ..submission(&[("email", "a@b")])
    };
    assert_eq!(read_with(&sent, &FieldMap::new()).unwrap().1, []);
    assert_eq!(
        read_with(&sent, &map(&[("page_url", "last_page")])).unwrap().1,
        texts(&[("last_page", "https://example.org/")])
    );
}

#[test]
fn a_name_that_is_near_to_no_property_has_to_be_mapped() {
    assert_eq!(wrong(&[("email", "a@b"), ("名前", "Ada"), ("имя", "")], &[]), ["fields.имя", "fields.名前"]);
    assert_eq!(properties(&[("名前", "Ada")], &[("名前", "firstname")]), texts(&[("firstname", "Ada")]));
    assert_eq!(properties(&[("", "x"), ("_", "y"), ("✓", "z")], &[]), []);
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let long = "x".repeat(PROPERTY_VALUE_BYTES_MAX + 1);
    let half = "x".repeat(PROPERTY_VALUE_BYTES_MAX / 2);
    let full = "x".repeat(PROPERTY_VALUE_BYTES_MAX);
    assert_eq!(properties(&[("bio", &full)], &[]).len(), 1);
    assert_eq!(
        wrong(&[("email", "no"), ("Bio", &long), ("topic", &half), ("topic", &half), ("имя", "")], &[]),
        ["fields.имя", "fields.email", "fields.Bio", "fields.topic"]
    );
}

#[test]
fn fields_and_their_names_are_bounded() {
    let many: Vec<String> = (0..201).map(|number| format!("f{number}")).collect();
    let mut fields: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "x")).collect();
    assert_eq!(properties(&fields[..199], &[]).len(), 199);
    fields.push(("email", "a@b"));
    assert_eq!(wrong(&fields, &[]), ["fields"]);
    let repeated = vec![("topic", "x"); 1000];
    assert_eq!(properties(&repeated, &[]).len(), 1);
    let long = "é".repeat(201);
    assert_eq!(wrong(&[("email", "a@b"), (&long, "x")], &[]), ["fields"]);
    let fitting = "é".repeat(200);
    let shown = wrong(&[("email", "a@b"), (&fitting, "x")], &[]);
    assert_eq!(shown[0].chars().count(), "fields.".len() + FIELD_NAME_SHOWN_CHARS_MAX);
}

proptest! {
    #[test]
    fn every_person_is_one_that_can_be_kept(fields in prop::collection::vec((".{0,8}", ".{0,8}"), 0..20)) {
        let sent = Sent { fields: [fields, texts(&[("email", "ada@example.org")])].concat(), ..Sent::default() };
        let mut errors = Errors::default();
        if let Ok(person) = read(&sent.answers(), &FieldMap::new(), &mut errors) {
            let names: BTreeSet<_> = person.properties.iter().map(|(name, _)| name.clone()).collect();
            prop_assert_eq!(names.len(), person.properties.len());
            for (name, value) in person.properties {
                prop_assert!(PropertyName::parse(name.as_str()).is_ok());
                prop_assert!(value.is_some_and(|value| !value.is_empty() && name.check_value(&value).is_ok()));
            }
        } else {
            prop_assert!(errors.count() > 0);
        }
    }
}
