//! Tests of reading a person from a form's fields.

use proptest::prelude::*;

use domain::usual_names::address_name;

use super::*;

fn submission(fields: &[(&str, &str)]) -> Vec<FieldAnswer> {
    fields.iter().map(|&(name, value)| FieldAnswer::text(name, value)).collect()
}

fn map(entries: &[(&str, &str)]) -> FieldMap {
    entries.iter().map(|&(field, target)| (field.to_owned(), target.parse().unwrap())).collect()
}

type Read = Result<(String, Vec<(String, String)>), Vec<String>>;

fn read_with(answers: &[FieldAnswer], map: &FieldMap) -> Read {
    let mut errors = Errors::default();
    let person = read(answers, &FormFields::new(map, None), &mut errors).ok();
    match errors.check() {
        Ok(()) => {
            let Person { email, properties, .. } = person.unwrap();
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
fn address_is_the_mapped_field_or_email_in_any_case() {
    for (fields, mapped, email) in [
        (vec![("email", "ada@example.org")], vec![], "ada@example.org"),
        (vec![(" EMail ", "\t Ada@Example.org \r\n")], vec![], "Ada@Example.org"),
        (
            vec![("your_email", "a@b.example"), ("email", "x@y.example")],
            vec![("your_email", "email")],
            "a@b.example",
        ),
        (vec![("your_email", ""), ("email", "x@y.example")], vec![("your_email", "email")], "x@y.example"),
        (vec![("email", ""), ("Email", "a@b.example"), ("email", "a@b.example")], vec![], "a@b.example"),
        (vec![("email", "a@b\u{0}.example\u{7f}")], vec![], "a@b.example"),
    ] {
        let (found, properties) = read_with(&submission(&fields), &map(&mapped)).unwrap();
        assert_eq!((found.as_str(), properties.len()), (email, 0), "{fields:?}");
    }
}

#[test]
fn address_without_email_is_a_field_with_a_usual_name() {
    for (fields, email, others) in [
        (vec![("Your E-Mail *", "a@b.example"), ("name", "Ada")], "a@b.example", vec![("name", "Ada")]),
        (
            vec![("mail", "b@b.example"), ("email_address", "a@b.example")],
            "a@b.example",
            vec![("mail", "b@b.example")],
        ),
        (vec![("mail", "a@b.example"), ("email_address", " ")], "a@b.example", vec![]),
        (vec![("email", "a@b.example"), ("e-mail", "a@b.example")], "a@b.example", vec![]),
    ] {
        let (found, properties) = read_with(&submission(&fields), &FieldMap::new()).unwrap();
        assert_eq!((found.as_str(), properties), (email, texts(&others)), "{fields:?}");
    }
    assert_eq!(wrong(&[("mailing_list", "a@b.example")], &[]), ["fields.email"]);
}

#[test]
fn field_mapped_to_nothing_is_left_out() {
    let leave_out = |name: &str| FieldMap::from([(name.to_owned(), FieldTarget::Nothing)]);
    let sent = submission(&[("email", "a@b.example"), ("mail", "x@y.example"), ("имя", "Ada")]);
    assert_eq!(
        read_with(&sent, &leave_out("имя")).unwrap(),
        ("a@b.example".into(), texts(&[("mail", "x@y.example")]))
    );
    let sent = submission(&[("email", "a@b.example"), ("mail", "x@y.example")]);
    assert_eq!(read_with(&sent, &leave_out("email")).unwrap(), ("x@y.example".into(), texts(&[])));
}

#[test]
fn field_email_may_be_mapped_to_a_property() {
    let (email, properties) = read_with(
        &submission(&[("email", "boss@example.org"), ("own", "ada@example.org")]),
        &map(&[("email", "reports_to"), ("own", "email")]),
    )
    .unwrap();
    assert_eq!(
        (email.as_str(), properties),
        ("ada@example.org", texts(&[("reports_to", "boss@example.org")]))
    );
}

#[test]
fn missing_or_invalid_address_is_reported_by_its_field() {
    assert_eq!(wrong(&[], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("email", "")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("email", " \n ")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("email", "ada")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("email", "a@b.example"), ("email", "b@c.example")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[], &[("your_email", "email")]), ["fields.your_email"]);
    assert_eq!(wrong(&[("your_email", "@")], &[("your_email", "email")]), ["fields.your_email"]);
}

#[test]
fn unmapped_names_are_tidied() {
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
            ("firstname", "Ada"),
            ("street", "Ring 1"),
        ])
    );
}

#[test]
fn values_of_one_property_are_joined_and_the_map_has_priority() {
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
fn values_lose_control_characters_only() {
    assert_eq!(
        properties(
            &[("note", "  a\u{0}\u{1b}\t\r\nb \u{85}"), ("removed", "\u{0}\u{7f}"), ("blank", " ")],
            &[]
        ),
        texts(&[("note", "  a\t\r\nb ")])
    );
}

#[test]
fn submission_information_is_stored_only_if_mapped() {
    let mut sent = submission(&[("email", "a@b.example")]);
    sent.push(FieldAnswer::about("page_url", "https://example.org/"));
    sent.push(FieldAnswer::about("submitted_at", "2026-11-21T19:59:01Z"));
    sent.push(FieldAnswer::about("submission_id", "s-1"));
    assert_eq!(read_with(&sent, &FieldMap::new()).unwrap().1, []);
    assert_eq!(
        read_with(&sent, &map(&[("page_url", "last_page")])).unwrap().1,
        texts(&[("last_page", "https://example.org/")])
    );
}

/// Returns the properties that fields fill beside an address.
fn filled(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    properties(fields, &[])
}

#[test]
fn field_of_another_script_gets_a_digest_name() {
    let found = filled(&[("名前", "Ada"), ("имя", "Grace"), ("שם", " ")]);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["field_63565d7f", "field_7ec26292"]);
    assert_eq!(found[0].1, "Grace");
    assert_eq!(properties(&[("名前", "Ada")], &[("名前", "firstname")]), texts(&[("firstname", "Ada")]));
    assert_eq!(filled(&[("", "x"), ("_", "y"), ("✓", "z")]), []);
}

#[test]
fn usual_names_fill_one_property_each() {
    assert_eq!(
        filled(&[
            ("Vorname", "Ada"),
            ("NACHNAME", "Lovelace"),
            ("PLZ", "10115"),
            ("Straße", "Ring 1"),
            ("Firma", "AE")
        ]),
        texts(&[
            ("address", "Ring 1"),
            ("company", "AE"),
            ("firstname", "Ada"),
            ("lastname", "Lovelace"),
            ("zip", "10115")
        ])
    );
    assert_eq!(
        properties(&[("First Name", "Ada"), ("City", "Rome")], &[("First Name", "given"), ("Stadt", "city")]),
        texts(&[("city", "Rome"), ("given", "Ada")]),
        "the form's map has priority"
    );
}

#[test]
fn two_fields_with_usual_names_stay_two() {
    let expected = texts(&[("first_name", "Grace"), ("firstname", "Ada"), ("vorname", "Emmy")]);
    let mut fields = [("firstname", "Ada"), ("First Name", "Grace"), ("Vorname", "Emmy")];
    for _ in 0..3 {
        fields.rotate_left(1);
        assert_eq!(filled(&fields), expected, "in any order");
    }
    assert_eq!(filled(&[("firstname", "Ada"), ("First Name", "Ada")]), texts(&[("firstname", "Ada")]));
    assert_eq!(filled(&[("firstname", " "), ("First Name", "Ada")]), texts(&[("firstname", "Ada")]));
    assert_eq!(
        properties(&[("Given", "Ada"), ("firstname", "Eve"), ("Vorname", "Emmy")], &[("Given", "firstname")]),
        texts(&[("firstname", "Ada"), ("vorname", "Emmy")])
    );
}

#[test]
fn two_fields_with_similar_names_stay_two() {
    assert_eq!(
        filled(&[
            ("Größe", "42"),
            ("Grüße", "hallo"),
            ("Grosse", "L"),
            ("size (<5)", "a"),
            ("size (>5)", "b")
        ]),
        texts(&[
            ("grosse", "L"),
            ("grosse_2", "42"),
            ("grusse", "hallo"),
            ("size_5", "a"),
            ("size_5_2", "b")
        ])
    );
    let answer =
        |key: &str, value: &str| FieldAnswer::of_names(vec!["Comment".to_owned(), key.to_owned()], value);
    let sent = [
        FieldAnswer::text("email", "a@b.example"),
        answer("q_2", "b"),
        answer("q_1", "a"),
        answer("q_2", "c"),
    ];
    assert_eq!(
        read_with(&sent, &FieldMap::new()).unwrap().1,
        texts(&[("comment", "a"), ("comment_2", "b;c")]),
        "two questions with one label"
    );
}

#[test]
fn field_with_a_word_for_email_may_be_the_address() {
    for name in [
        "E-mailadres",
        "E-Posta",
        "Indirizzo e-mail",
        "Adres e-mail",
        "E-postadress",
        "Endereço de e-mail",
        "Ihre E-Mail-Adresse",
        "Email Address (required)",
        "Email 2",
        "login email",
        "メールアドレス",
        "お客様のメール",
        "Confirm email",
    ] {
        let sent =
            submission(&[(name, "ada@example.org"), ("email_opt_in", "yes"), ("Email me news", "true")]);
        let found = read_with(&sent, &FieldMap::new()).unwrap();
        let others = texts(&[("email_me_news", "true"), ("email_opt_in", "yes")]);
        assert_eq!(found, ("ada@example.org".into(), others), "{name}");
    }
    assert_eq!(wrong(&[("email_opt_in", "yes")], &[]), ["fields.email"]);
    assert_eq!(wrong(&[("E-mailadres", "ada")], &[]), ["fields.E-mailadres"]);
    assert_eq!(wrong(&[("Friend's email", "friend@example.org")], &[]), ["fields.email"]);
}

#[test]
fn likelier_address_has_priority() {
    for (fields, email) in [
        ([("Email 2", "b@x.example"), ("Email 1", "a@x.example")], "a@x.example"),
        ([("Confirm login email", "b@x.example"), ("login email", "a@x.example")], "a@x.example"),
        ([("Friend's email", "b@x.example"), ("login email", "a@x.example")], "a@x.example"),
        ([("login email", "b@x.example"), ("Mail", "a@x.example")], "a@x.example"),
        ([("login email", "b@x.example"), ("email address", "a@x.example")], "a@x.example"),
    ] {
        let (found, properties) = read_with(&submission(&fields), &FieldMap::new()).unwrap();
        assert_eq!((found.as_str(), properties.len()), (email, 1), "{fields:?}");
        assert_eq!(properties[0].1, "b@x.example");
    }
    assert_eq!(
        wrong(&[("login email", "a@x.example"), ("shop email", "b@x.example")], &[]),
        ["fields.login email"]
    );
}

#[test]
fn one_address_in_several_spellings_is_one_person() {
    for fields in [
        [("email", "Ada@corp.example"), ("email", "ada@CORP.example")],
        [("email", "\u{200b}Ada@corp.example\u{feff}"), ("E-Mail", "ada@CORP.example")],
        [("email", "Ada@corp.example"), ("email", "see above")],
    ] {
        let found = read_with(&submission(&fields), &FieldMap::new()).unwrap();
        assert_eq!(found, ("Ada@corp.example".into(), texts(&[])), "{fields:?}");
    }
}

#[test]
fn unseen_characters_around_an_address_are_removed() {
    for unseen in ["\u{200b}", "\u{feff}", "\u{200e}", "\u{202a}", "\u{202c}", "\u{a0}", "\u{3000}", "\t \n"]
    {
        let sent = submission(&[("email", &format!("{unseen}ada@corp.example{unseen}"))]);
        assert_eq!(read_with(&sent, &FieldMap::new()).unwrap().0, "ada@corp.example", "{unseen:?}");
    }
    assert_eq!(wrong(&[("email", "\u{200b}\u{feff}")], &[]), ["fields.email"]);
}

#[test]
fn technical_fields_of_a_page_are_stored_only_if_mapped() {
    let fields = [
        ("g-recaptcha-response", "x"),
        ("csrfmiddlewaretoken", "y"),
        ("UTF8", "✓"),
        ("form-name", "contact"),
    ];
    assert_eq!(filled(&fields), []);
    assert_eq!(properties(&fields, &[("form-name", "came_by")]), texts(&[("came_by", "contact")]));
}

/// Returns the properties, and the number of fields left out, for a form that accepts only the listed fields.
fn accepting(
    fields: &[(&str, &str)],
    mapped: &[(&str, &str)],
    accepted: &[&str],
) -> (Vec<(String, String)>, u64) {
    let (map, accepted) = (map(mapped), accepted.iter().map(|&name| name.to_owned()).collect());
    let form = FormFields::new(&map, Some(&accepted));
    let person = read(&submission(fields), &form, &mut Errors::default()).ok().unwrap();
    let properties = person.properties.into_iter().map(|(name, value)| (name.to_string(), value.unwrap()));
    (properties.collect(), person.left_out)
}

#[test]
fn form_that_lists_its_fields_leaves_the_others_out() {
    let fields = [
        ("Email", "a@b.example"),
        ("Topic[]", "a"),
        ("First Name", "Ada"),
        ("spam", "x"),
        ("spam", "y"),
        ("empty", " "),
        ("utf8", "✓"),
    ];
    assert_eq!(accepting(&fields, &[], &["topic"]), (texts(&[("topic", "a")]), 3));
    assert_eq!(accepting(&fields, &[("spam", "note")], &["spam"]), (texts(&[("note", "x;y")]), 2));
    let (found, left_out) = accepting(&fields, &[], &["Email", "first name", "topic", "spam"]);
    assert_eq!((found.len(), left_out), (3, 0));
}

#[test]
fn field_that_the_form_does_not_accept_causes_no_error() {
    let answers = [
        FieldAnswer::text("email", "a@b.example"),
        FieldAnswer::new(vec!["list".to_owned()], Kind::Unknown, vec!["[{}]".to_owned()]),
    ];
    let (map, accepted) = (FieldMap::new(), BTreeSet::from(["email".to_owned()]));
    let person = from_answers(&answers, &FormFields::new(&map, Some(&accepted)));
    assert!(person.is_ok_and(|person| person.left_out == 1));
    assert!(from_answers(&answers, &FormFields::new(&map, None)).is_err());
}

#[test]
fn all_errors_are_returned_at_once() {
    let mut answers: Vec<FieldAnswer> =
        (0..201).map(|number| FieldAnswer::text(format!("f{number}"), "x")).collect();
    answers.push(FieldAnswer::text("email", "no"));
    answers.push(FieldAnswer { is_cut: true, ..FieldAnswer::text("bio", "x") });
    let map = FieldMap::new();
    let rejection = from_answers(&answers, &FormFields::new(&map, None)).err().unwrap();
    let fields: Vec<_> = rejection.errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["fields", "fields.bio", "fields.email"]);
    assert_eq!(rejection.reason, Reason::InvalidAddress);
}

#[test]
fn number_of_fields_is_limited() {
    let many: Vec<String> = (0..201).map(|number| format!("f{number}")).collect();
    let mut fields: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "x")).collect();
    assert_eq!(properties(&fields[..199], &[]).len(), 199);
    fields.push(("email", "a@b.example"));
    assert_eq!(wrong(&fields, &[]), ["fields"]);
    let repeated = vec![("topic", "x"); 1000];
    assert_eq!(properties(&repeated, &[]).len(), 1);
    let long = "e mail".repeat(40);
    let shown = wrong(&[(&long, "no")], &[(&long, "email")]);
    assert_eq!(shown[0].chars().count(), "fields.".len() + FIELD_NAME_SHOWN_CHARS_MAX);
}

proptest! {
    #[test]
    fn every_person_has_valid_properties(fields in prop::collection::vec((".{0,8}", ".{0,8}"), 0..20)) {
        let fields = fields.into_iter().chain(texts(&[("email", "ada@example.org")]));
        let sent: Vec<FieldAnswer> = fields.map(|(name, value)| FieldAnswer::text(name, value)).collect();
        let mut errors = Errors::default();
        let map = FieldMap::new();
        if let Ok(person) = read(&sent, &FormFields::new(&map, None), &mut errors) {
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

    #[test]
    fn any_text_in_any_field_keeps_the_person(fields in prop::collection::vec((".{0,20}", "(?s).{0,20}"), 0..20)) {
        let answers = fields.iter().filter(|(name, _)| address_name(name).is_none());
        let answers = answers.map(|(name, value)| FieldAnswer::text(name, value));
        let answers: Vec<FieldAnswer> = answers.chain([FieldAnswer::text("email", "ada@example.org")]).collect();
        let person = from_answers(&answers, &FormFields::new(&FieldMap::new(), None)).ok().unwrap();
        prop_assert_eq!(person.email.given(), "ada@example.org");
        let answered: BTreeSet<String> = answers[..answers.len() - 1]
            .iter()
            .filter(|answer| answer.name().contains(char::is_alphanumeric) && is_visible(&without_control_characters(&answer.values[0])))
            .map(|answer| field_key(answer.name()))
            .collect();
        prop_assert_eq!(person.properties.len(), answered.len(), "no two fields fill one property");
    }
}
