use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::limits::FILTER_VALUES_MAX;

/// A contact whose fields are stored by their names in requests.
#[derive(Clone, Debug)]
struct Contact(BTreeMap<String, String>);

impl Fields for Contact {
    fn field(&self, name: &FieldName) -> Option<Value<'_>> {
        let text = self.0.get(name.as_str())?;
        Some(match name {
            FieldName::CreatedAt | FieldName::UpdatedAt => {
                text.parse().map_or(Value::Text(text), Value::Instant)
            }
            FieldName::HsObjectId => Value::Id(text.parse().ok()?),
            _ => Value::Text(text),
        })
    }
}

fn contact(fields: &[(&str, &str)]) -> Contact {
    Contact(fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn condition(name: &str, operator: &str, operands: &[&str]) -> Result<Condition, Vec<FilterError>> {
    let list: Vec<String> = operands.iter().map(|text| (*text).to_owned()).collect();
    let first = operands.first().copied();
    match operator {
        "IN" | "NOT_IN" => Condition::new(name, operator, None, Some(&list), None),
        "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => Condition::new(name, operator, None, None, None),
        _ => Condition::new(name, operator, first, None, operands.get(1).copied()),
    }
}

fn matches(contact: &Contact, name: &str, operator: &str, operands: &[&str]) -> bool {
    let condition = condition(name, operator, operands)
        .unwrap_or_else(|errors| panic!("{name} {operator} {operands:?}: {errors:?}"));
    Filter::new(vec![vec![condition]]).unwrap().matches(contact)
}

fn ada() -> Contact {
    contact(&[
        ("email", "Ada.Lovelace@Bücher.example"),
        ("unsubscribed", "false"),
        ("bounced", "true"),
        ("created_at", "2026-11-01T00:00:00.000Z"),
        ("updated_at", "2026-11-21T19:59:01.123Z"),
        ("hs_marketable_status", "true"),
        ("hs_marketable_until_renewal", "false"),
        ("hs_marketable_reason_type", "form"),
        ("hs_marketable_reason_id", "frm_1"),
        ("hs_object_id", "891046875642556"),
        ("city", "Köln"),
        ("score", "90"),
        ("account_number", "9007199254740993"),
        ("title", "Head of Research & Development"),
        ("born", "1815-12-10T12:00:00+01:00"),
        ("empty", ""),
    ])
}

#[test]
fn every_operator_has_its_documented_meaning() {
    let table: [(&str, &str, &[&str], bool); 72] = [
        ("city", "EQ", &["köln"], true),
        ("city", "EQ", &["KÖLN"], true),
        ("city", "EQ", &["koln"], false),
        ("empty", "EQ", &[""], true),
        ("missing", "EQ", &[""], true),
        ("score", "EQ", &["90.0"], true),
        ("account_number", "EQ", &["9007199254740992"], false),
        ("hs_marketable_reason_type", "EQ", &["FORM"], true),
        ("hs_marketable_reason_id", "EQ", &["frm_1"], true),
        ("city", "NEQ", &["köln"], false),
        ("city", "NEQ", &["bonn"], true),
        ("missing", "NEQ", &["bonn"], true),
        ("score", "LT", &["100"], true),
        ("score", "LT", &["90"], false),
        ("score", "LT", &["-1"], false),
        ("city", "LT", &["münchen"], true),
        ("missing", "LT", &["z"], false),
        ("score", "LTE", &["90"], true),
        ("score", "LTE", &["89.99"], false),
        ("missing", "LTE", &["z"], false),
        ("score", "GT", &["9"], true),
        ("score", "GT", &["90"], false),
        ("missing", "GT", &["0"], false),
        ("score", "GTE", &["90"], true),
        ("score", "GTE", &["90.5"], false),
        ("missing", "GTE", &["0"], false),
        ("score", "BETWEEN", &["90", "100"], true),
        ("score", "BETWEEN", &["80", "90"], true),
        ("score", "BETWEEN", &["91", "100"], false),
        ("score", "BETWEEN", &["100", "80"], false),
        ("missing", "BETWEEN", &["0", "z"], false),
        ("city", "IN", &["Bonn", "KÖLN"], true),
        ("city", "IN", &["Bonn"], false),
        ("missing", "IN", &[""], true),
        ("score", "IN", &["1", "90.00"], true),
        ("city", "NOT_IN", &["Bonn", "KÖLN"], false),
        ("city", "NOT_IN", &["Bonn"], true),
        ("missing", "NOT_IN", &["Bonn"], true),
        ("empty", "HAS_PROPERTY", &[], false),
        ("missing", "HAS_PROPERTY", &[], false),
        ("empty", "NOT_HAS_PROPERTY", &[], true),
        ("missing", "NOT_HAS_PROPERTY", &[], true),
        ("title", "CONTAINS_TOKEN", &["research"], true),
        ("title", "CONTAINS_TOKEN", &["resea"], false),
        ("title", "CONTAINS_TOKEN", &["resea*"], true),
        ("title", "CONTAINS_TOKEN", &["*search"], true),
        ("title", "CONTAINS_TOKEN", &["head*research"], false),
        ("title", "CONTAINS_TOKEN", &["&"], true),
        ("empty", "CONTAINS_TOKEN", &["*"], false),
        ("missing", "CONTAINS_TOKEN", &["*"], false),
        ("email", "CONTAINS_TOKEN", &["lovelace"], true),
        ("email", "CONTAINS_TOKEN", &["*@bücher.example"], true),
        ("email", "CONTAINS_TOKEN", &["bücher.example"], true),
        ("title", "NOT_CONTAINS_TOKEN", &["research"], false),
        ("title", "NOT_CONTAINS_TOKEN", &["sales"], true),
        ("missing", "NOT_CONTAINS_TOKEN", &["*"], true),
        // Flags.
        ("bounced", "EQ", &["true"], true),
        ("unsubscribed", "EQ", &["TRUE"], false),
        ("hs_marketable_status", "IN", &["true", "false"], true),
        ("hs_marketable_until_renewal", "NEQ", &["true"], true),
        // Instants.
        ("created_at", "EQ", &["2026-11-01"], true),
        ("created_at", "EQ", &["1793491200000"], true),
        ("created_at", "EQ", &["2026-11-01T01:00:00+01:00"], true),
        ("created_at", "LT", &["2026-11-01T00:00:00.001Z"], true),
        ("updated_at", "GT", &["2026-11-21"], true),
        ("updated_at", "BETWEEN", &["2026-11-21T19:59:01.123Z", "1795377541123"], true),
        ("born", "EQ", &["1815-12-10T11:00:00Z"], true),
        ("born", "LT", &["1815-12-10T12:30:00+01:00"], true),
        // Addresses.
        ("email", "EQ", &["ada.lovelace@XN--BCHER-KVA.example"], true),
        ("email", "NEQ", &["ada.lovelace@bücher.example"], false),
        ("email", "IN", &["bob@example.org", "ADA.lovelace@bücher.example"], true),
        ("email", "EQ", &["ada"], false),
    ];
    let ada = ada();
    for (name, operator, operands, expected) in table {
        assert_eq!(matches(&ada, name, operator, operands), expected, "{name} {operator} {operands:?}");
    }
}

#[test]
fn addresses_in_ascii_compare_with_international_ones() {
    let bob = contact(&[("email", "BOB@xn--bcher-kva.example")]);
    assert!(matches(&bob, "email", "EQ", &["bob@Bücher.example"]));
    assert!(matches(&bob, "email", "EQ", &["bob@xn--bcher-kva.example"]));
    assert!(!matches(&bob, "email", "EQ", &["bob@bucher.example"]));
}

#[test]
fn texts_that_only_look_like_numbers_compare_as_texts() {
    let phone = contact(&[("phone", "+4930123"), ("code", "1e3"), ("size", "10 cm")]);
    assert!(!matches(&phone, "phone", "EQ", &["4930123"]));
    assert!(!matches(&phone, "code", "EQ", &["1000"]));
    assert!(matches(&phone, "size", "LT", &["9 cm"]));
}

#[test]
fn filter_matches_if_all_conditions_of_a_group_are_true() {
    let ada = ada();
    let yes = || condition("city", "EQ", &["köln"]).unwrap();
    let no = || condition("city", "EQ", &["bonn"]).unwrap();
    let table = [
        (vec![], true),
        (vec![vec![yes()]], true),
        (vec![vec![no()]], false),
        (vec![vec![yes(), no()]], false),
        (vec![vec![yes(), yes()]], true),
        (vec![vec![no()], vec![yes()]], true),
        (vec![vec![yes(), no()], vec![no()]], false),
    ];
    for (groups, expected) in table {
        let shown = format!("{groups:?}");
        assert_eq!(Filter::new(groups).unwrap().matches(&ada), expected, "{shown}");
    }
    assert!(Filter::default().matches(&contact(&[])));
}

#[test]
fn filter_size_is_limited() {
    let group = |size: usize| vec![condition("city", "HAS_PROPERTY", &[]).unwrap(); size];
    assert!(Filter::new(vec![group(FILTER_CONDITIONS_MAX); FILTER_GROUPS_MAX]).is_ok());
    let errors = Filter::new([vec![group(0), group(11)], vec![group(1); 9]].concat()).unwrap_err();
    let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "filterGroups: expected at most 10 groups",
            "filterGroups: expected 1 to 10 filters in group 1",
            "filterGroups: expected 1 to 10 filters in group 2",
        ]
    );
    let values = vec!["x"; FILTER_VALUES_MAX];
    assert!(condition("city", "IN", &values).is_ok());
    assert!(condition("city", "NOT_IN", &[values, vec!["x"]].concat()).is_err());
}

fn errors(result: Result<Condition, Vec<FilterError>>) -> Vec<String> {
    result.unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn every_error_of_a_condition_is_returned() {
    let list = ["x".to_owned()];
    assert_eq!(
        errors(Condition::new("City", "LIKE", Some("x"), None, None)),
        [
            "propertyName: expected a name of a to z, 0 to 9 and _, beginning with a letter, of at most 100",
            "operator: expected one of EQ, NEQ, LT, LTE, GT, GTE, BETWEEN, IN, NOT_IN, HAS_PROPERTY, \
             NOT_HAS_PROPERTY, CONTAINS_TOKEN, NOT_CONTAINS_TOKEN",
        ]
    );
    assert_eq!(
        errors(Condition::new("hs_other", "BETWEEN", None, Some(&list), None)),
        [
            "propertyName: expected one of hs_marketable_status, hs_marketable_until_renewal, \
             hs_marketable_reason_type, hs_marketable_reason_id, hs_object_id, or a property of HubSpot such as \
             hs_lead_status, among the names that begin with hs_",
            "value: is required with BETWEEN",
            "highValue: is required with BETWEEN",
            "values: is not allowed with BETWEEN",
        ]
    );
    assert_eq!(
        errors(Condition::new("id", "EQ", Some("con_1"), None, None)),
        [
            "propertyName: expected a property, or one of email, unsubscribed, bounced, created_at, updated_at, \
             hs_object_id"
        ]
    );
    assert_eq!(
        errors(Condition::new("city", "HAS_PROPERTY", Some("x"), Some(&list), Some("x"))),
        [
            "value: is not allowed with HAS_PROPERTY",
            "values: is not allowed with HAS_PROPERTY",
            "highValue: is not allowed with HAS_PROPERTY",
        ]
    );
    assert_eq!(errors(Condition::new("city", "IN", None, None, None)), ["values: is required with IN"]);
    assert_eq!(
        errors(Condition::new("city", "IN", None, Some(&[]), None)),
        ["values: expected 1 to 100 values"]
    );
    assert_eq!(
        errors(condition("city", "CONTAINS_TOKEN", &[""])),
        ["value: expected one word, without spaces"]
    );
    assert_eq!(
        errors(condition("city", "CONTAINS_TOKEN", &["a b"])),
        ["value: expected one word, without spaces"]
    );
}

#[test]
fn operand_of_another_kind_is_rejected() {
    assert_eq!(errors(condition("bounced", "EQ", &["yes"])), ["value: expected true or false"]);
    assert_eq!(
        errors(condition("bounced", "IN", &["true", "0", ""])),
        ["values: expected true or false (value 2)", "values: expected true or false (value 3)"]
    );
    let instant = "expected an RFC 3339 instant, a date such as 2026-11-01, or milliseconds since 1970";
    assert_eq!(
        errors(condition("created_at", "BETWEEN", &["yesterday", "2026-11-31"])),
        [format!("value: {instant}"), format!("highValue: {instant}")]
    );
    assert_eq!(errors(condition("updated_at", "GT", &[&"9".repeat(30)])), [format!("value: {instant}")]);
}

#[test]
fn empty_operand_of_an_ordering_operator_is_rejected() {
    for operator in ["LT", "LTE", "GT", "GTE"] {
        for name in ["city", "email", "hs_marketable_reason_id"] {
            assert_eq!(
                errors(condition(name, operator, &[""])),
                [format!("value: may not be empty with {operator}")]
            );
        }
    }
    assert_eq!(
        errors(condition("city", "BETWEEN", &["", ""])),
        ["value: may not be empty with BETWEEN", "highValue: may not be empty with BETWEEN"]
    );
}

#[test]
fn operand_for_an_id_is_a_whole_number() {
    for text in ["", "con_1", "1.5", "1e3", " 1", "0x1"] {
        assert_eq!(
            errors(condition("hs_object_id", "EQ", &[text])),
            ["value: expected the id of a contact, or another whole number"],
            "{text}"
        );
    }
    for text in ["0", "-1", "007", "5.0", "891046875642556", &"9".repeat(40)] {
        assert!(condition("hs_object_id", "EQ", &[text]).is_ok(), "{text}");
    }
}

/// Returns the first words of the contacts that a condition matches, from contacts with one field each.
fn found(name: &str, values: &[Option<&str>], operator: &str, operands: &[&str]) -> Vec<String> {
    let all = values.iter().copied();
    let matching = all.filter(|value| {
        let held: Vec<_> = value.iter().map(|value| (name, *value)).collect();
        matches(&contact(&held), name, operator, operands)
    });
    matching.map(|value| value.unwrap_or("-").to_owned()).collect()
}

#[test]
fn negated_operators_include_contacts_without_the_property() {
    let cities = [Some("Delft"), Some("DELFT"), Some("Rome"), Some(""), None];
    for (operator, operands, expected) in [
        ("NEQ", &["Delft"][..], ["Rome", "", "-"]),
        ("NOT_IN", &["Delft", "Paris"], ["Rome", "", "-"]),
        ("NOT_CONTAINS_TOKEN", &["delft"], ["Rome", "", "-"]),
    ] {
        assert_eq!(found("city", &cities, operator, operands), expected, "{operator}");
    }
    assert_eq!(found("city", &cities, "NOT_HAS_PROPERTY", &[]), ["", "-"]);
}

#[test]
fn text_is_neither_above_nor_below_a_number() {
    let scores = [Some("10"), Some("9"), Some("x"), Some("1 000"), Some("10,5"), Some("9.5"), None];
    for (operator, operands, expected) in [
        ("GT", &["9"][..], &["10", "9.5"][..]),
        ("GTE", &["9"], &["10", "9", "9.5"]),
        ("LT", &["10"], &["9", "9.5"]),
        ("LTE", &["10"], &["10", "9", "9.5"]),
        ("BETWEEN", &["0", "9.5"], &["9", "9.5"]),
        ("EQ", &["9.0"], &["9"]),
        ("EQ", &["10,5"], &["10,5"]),
        // A text as the operand orders all values as texts.
        ("GT", &["9 pm"], &["x", "9.5"]),
        ("LT", &["10,5"], &["10", "1 000"]),
    ] {
        assert_eq!(found("score", &scores, operator, operands), expected, "{operator} {operands:?}");
    }
}

#[test]
fn text_is_neither_above_nor_below_an_instant() {
    let seen = [Some("2026-11-01T00:00:00Z"), Some("2026-11-03"), Some("soon"), Some("7"), None];
    let day = "2026-10-31T00:00:00Z";
    assert_eq!(found("seen", &seen, "GT", &[day]), ["2026-11-01T00:00:00Z"]);
    assert!(found("seen", &seen, "LT", &[day]).is_empty());
    assert_eq!(found("seen", &seen, "BETWEEN", &[day, "2027-01-01T00:00:00Z"]), ["2026-11-01T00:00:00Z"]);
    assert_eq!(found("seen", &seen, "EQ", &["2026-11-01T01:00:00+01:00"]), ["2026-11-01T00:00:00Z"]);
}

#[test]
fn empty_text_is_no_property() {
    let cities = [Some("Delft"), Some(" "), Some(""), None];
    for (operator, operands, expected) in [
        ("EQ", &[""][..], &["", "-"][..]),
        ("NEQ", &[""], &["Delft", " "]),
        ("IN", &["", "delft"], &["Delft", "", "-"]),
        ("NOT_IN", &["", "delft"], &[" "]),
        ("HAS_PROPERTY", &[], &["Delft", " "]),
        ("NOT_HAS_PROPERTY", &[], &["", "-"]),
        ("NOT_CONTAINS_TOKEN", &["*"], &[" ", "", "-"]),
    ] {
        assert_eq!(found("city", &cities, operator, operands), expected, "{operator} {operands:?}");
    }
    let emails = [Some("ada@example.org"), None];
    assert_eq!(found("email", &emails, "EQ", &[""]), ["-"]);
    assert_eq!(found("email", &emails, "NEQ", &[""]), ["ada@example.org"]);
    assert_eq!(found("email", &emails, "IN", &["", "ADA@example.org"]), ["ada@example.org", "-"]);
}

#[test]
fn word_with_a_dot_finds_addresses_of_that_domain() {
    let texts = [
        Some("a@corp.org"),
        Some("a@eu.corp.org"),
        Some("a@notcorp.org"),
        Some("a@corp.org.uk"),
        Some("corp.org@else.net"),
        Some("corp.org"),
        Some("eu.corp.org"),
        Some("Ask <Ada@CORP.org>, please"),
    ];
    let all = |expected: &[usize]| expected.iter().map(|at| texts[*at].unwrap()).collect::<Vec<_>>();
    for (word, expected) in [
        ("corp.org", &[0, 1, 5, 7][..]),
        ("CORP.ORG", &[0, 1, 5, 7]),
        ("*@corp.org", &[0]),
        ("*.corp.org", &[1, 6]),
        ("corp.*", &[0, 1, 3, 4, 5, 7]),
        ("c*p.org", &[0, 1, 5, 7]),
        ("eu.corp.org", &[1, 6]),
        ("rp.org", &[]),
        ("corp", &[0, 1, 3, 4, 5, 6, 7]),
    ] {
        assert_eq!(found("bio", &texts, "CONTAINS_TOKEN", &[word]), all(expected), "{word}");
    }
}

#[test]
fn date_is_its_first_instant_in_utc() {
    // In Amsterdam this is 00:30 of the 21st.
    let instants = [Some("2026-11-20T23:30:00.000Z"), Some("2026-11-21T00:00:00.000Z")];
    assert_eq!(found("created_at", &instants, "GTE", &["2026-11-21"]), ["2026-11-21T00:00:00.000Z"]);
    assert_eq!(found("created_at", &instants, "LT", &["2026-11-21"]), ["2026-11-20T23:30:00.000Z"]);
    let with_offset = "2026-11-21T00:00:00+01:00";
    assert_eq!(found("created_at", &instants, "GTE", &[with_offset]).len(), 2);
}

#[test]
fn odd_characters_of_an_operand_are_ordinary_text() {
    let long = "a".repeat(1_000);
    let odd =
        ["'", "\"", "%", "_", "*", "\\", "x' OR '1'='1", "(a)", ":v", "#n", "{\"a\":1}", "\u{1F600}", &long];
    let values: Vec<Option<&str>> = odd.iter().copied().map(Some).chain([Some("a"), None]).collect();
    for text in odd {
        assert_eq!(found("note", &values, "EQ", &[text]), [text]);
        assert_eq!(found("note", &values, "NEQ", &[text]).len(), values.len() - 1);
        assert_eq!(found("note", &values, "IN", &[text, "?"]), [text]);
    }
}

#[test]
fn id_compares_as_a_number() {
    let ids = [Some("9"), Some("10"), Some("891046875642556")];
    let far = "9".repeat(40);
    for (operator, operands, expected) in [
        ("EQ", &["10"][..], &["10"][..]),
        ("EQ", &["0010.0"], &["10"]),
        ("NEQ", &["10"], &["9", "891046875642556"]),
        ("IN", &["9", "891046875642556", "5"], &["9", "891046875642556"]),
        ("NOT_IN", &["9", "5"], &["10", "891046875642556"]),
        ("LT", &["10"], &["9"]),
        ("LTE", &["10"], &["9", "10"]),
        ("GT", &["9"], &["10", "891046875642556"]),
        ("GTE", &["-1"], &["9", "10", "891046875642556"]),
        ("LT", &[&far], &["9", "10", "891046875642556"]),
        ("EQ", &[&far], &[]),
        ("BETWEEN", &["9", "10"], &["9", "10"]),
        ("HAS_PROPERTY", &[], &["9", "10", "891046875642556"]),
        ("CONTAINS_TOKEN", &["8910*"], &["891046875642556"]),
    ] {
        assert_eq!(found("hs_object_id", &ids, operator, operands), expected, "{operator} {operands:?}");
    }
}

#[test]
fn field_and_operator_names_round_trip() {
    for name in ada().0.keys() {
        assert_eq!(name.parse::<FieldName>().unwrap().as_str(), name);
    }
    for operator in Operator::ALL {
        assert_eq!(operator.as_str().parse(), Ok(*operator));
    }
}

#[test]
fn debug_shows_no_operand() {
    let filter = Filter::new(vec![vec![condition("email", "EQ", &["ada@example.org"]).unwrap()]]).unwrap();
    assert_eq!(format!("{filter:?}"), "Filter { groups: [[Condition(email EQ)]], every_any: [] }");
    assert_eq!(format!("{:?}", filter.groups()[0][0].parts()), "ConditionParts(email EQ)");
}

#[test]
fn parts_repeat_the_request_and_the_instant_it_means() {
    let table: [(&str, &str, &[&str], &[&str]); 10] = [
        ("city", "EQ", &["KÖLN "], &["KÖLN "]),
        ("city", "IN", &["1.0", "x"], &["1.0", "x"]),
        ("born", "EQ", &["2026-11-21"], &["2026-11-21"]),
        ("created_at", "GTE", &["2026-11-21"], &["2026-11-21T00:00:00.000Z"]),
        ("created_at", "EQ", &["1793491200000"], &["2026-11-01T00:00:00.000Z"]),
        (
            "updated_at",
            "BETWEEN",
            &["2026-11-01T01:00:00+01:00", "2026-11-01T01:00:00.0000001Z"],
            &["2026-11-01T00:00:00.000Z", "2026-11-01T01:00:00.000000100Z"],
        ),
        (
            "updated_at",
            "NOT_IN",
            &["1970-01-01", "-1"],
            &["1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z"],
        ),
        ("created_at", "LT", &["253402300800000"], &["253402300800000"]),
        ("created_at", "CONTAINS_TOKEN", &["2026-11-21"], &["2026-11-21"]),
        ("created_at", "HAS_PROPERTY", &[], &[]),
    ];
    for (name, operator, given, expected) in table {
        let condition = condition(name, operator, given).unwrap();
        let parts = condition.parts();
        let operands: Vec<&String> =
            parts.value.iter().chain(parts.values.iter().flatten()).chain(&parts.high_value).collect();
        assert_eq!((&*parts.name, parts.operator.as_str()), (name, operator));
        assert_eq!(operands, expected, "{name} {operator} {given:?}");
    }
}

/// Returns texts of all kinds that compare in different ways.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,3}(\\.[0-9]{1,2})?",
        "20[0-9]{2}-(0[1-9]|1[0-2])-[0-2][1-8]T[0-1][0-9]:00:00(Z|\\+01:00)",
        "[a-cA-C ]{0,4}",
        "[aä]@[a-cöÖ]{1,2}\\.[ab]",
        "\\PC{0,12}",
    ]
}

/// Returns operands that fields of every kind accept.
fn any_operand() -> impl Strategy<Value = String> {
    prop_oneof![
        any_text(),
        "true|false",
        "20[0-9]{2}-(0[1-9]|1[0-2])-[0-2][1-8]",
        "20[0-9]{2}-11-01T0[0-9]:00:00\\.[0-9]{1,9}(Z|-03:00)",
        any::<i64>().prop_map(|millis| millis.to_string()),
    ]
}

fn any_contact() -> impl Strategy<Value = Contact> {
    proptest::option::of(any_text()).prop_map(|text| match text {
        Some(text) => contact(&[("field", &text), ("email", &text)]),
        None => contact(&[]),
    })
}

/// Returns true if the text is neither a number nor an instant.
fn is_plain_text(text: &str) -> bool {
    decimal::Decimal::read(text).is_none() && chrono::DateTime::parse_from_rfc3339(text).is_err()
}

fn any_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("field"), Just("email")]
}

proptest! {
    #[test]
    fn negated_operator_matches_exactly_the_other_contacts(
        contact in any_contact(), name in any_name(), operand in any_text(), other in any_text(),
    ) {
        let pairs: [(&str, &str, &[&str]); 3] = [
            ("EQ", "NEQ", &[&operand]),
            ("IN", "NOT_IN", &[&operand, &other]),
            ("HAS_PROPERTY", "NOT_HAS_PROPERTY", &[]),
        ];
        for (positive, negative, operands) in pairs {
            let holds = matches(&contact, name, positive, operands);
            prop_assert_eq!(holds, !matches(&contact, name, negative, operands), "{} {}", positive, negative);
        }
        if let Ok(found) = condition(name, "CONTAINS_TOKEN", &[&operand]) {
            let found = Filter::new(vec![vec![found]]).unwrap().matches(&contact);
            prop_assert_eq!(found, !matches(&contact, name, "NOT_CONTAINS_TOKEN", &[&operand]));
        }
    }

    #[test]
    fn comparisons_agree_with_each_other(
        contact in any_contact(), operand in any_text(), other in any_text(),
    ) {
        let is = |operator, operands: &[&str]| matches(&contact, "field", operator, operands);
        prop_assume!(!operand.is_empty() && !other.is_empty());
        let has = is("HAS_PROPERTY", &[]);
        let (below, equal, above) = (is("LT", &[&operand]), is("EQ", &[&operand]), is("GT", &[&operand]));
        let count = u8::from(below) + u8::from(equal) + u8::from(above);
        prop_assert!(count <= u8::from(has));
        if is_plain_text(&operand) {
            prop_assert_eq!(count, u8::from(has), "texts have a place in the order of all texts");
        }
        prop_assert_eq!(is("LTE", &[&operand]), below || equal);
        prop_assert_eq!(is("GTE", &[&operand]), above || equal);
        prop_assert_eq!(is("BETWEEN", &[&operand, &other]), is("GTE", &[&operand]) && is("LTE", &[&other]));
        prop_assert_eq!(is("IN", &[&operand, &other]), equal || is("EQ", &[&other]));
    }

    #[test]
    fn text_equals_itself_in_any_case(text in any_text(), name in any_name()) {
        let held = contact(&[("field", &text), ("email", &text)]);
        prop_assert!(matches(&held, name, "EQ", &[&text]));
        prop_assert!(matches(&held, name, "EQ", &[&text.to_ascii_uppercase()]));
    }

    #[test]
    fn every_word_of_a_text_is_found(
        words in proptest::collection::vec("[a-zA-Z0-9äöü]{1,6}", 1..5), mark in "[ ,.@/-]",
    ) {
        let held = contact(&[("field", &words.join(&mark))]);
        for word in &words {
            prop_assert!(matches(&held, "field", "CONTAINS_TOKEN", &[word]));
        }
    }

    #[test]
    fn parts_are_read_as_the_same_condition(
        contact in any_contact(), name in prop_oneof![any_name(), Just("updated_at")],
        operator in proptest::sample::select(Operator::ALL),
        operands in proptest::collection::vec(any_operand(), 2), instant in -1_i64..2_000_000_000_000,
    ) {
        let operands: Vec<&str> = operands.iter().map(|operand| &**operand).collect();
        if let Ok(original) = condition(name, operator.as_str(), &operands) {
            let repeated = Condition::from_parts(original.parts().clone()).unwrap();
            prop_assert_eq!(repeated.parts(), original.parts());
            let mut contact = contact;
            contact.0.insert("updated_at".to_owned(), Timestamp::from_millis(instant).to_string());
            prop_assert_eq!(original.holds(&contact), repeated.holds(&contact));
        }
    }

    #[test]
    fn never_panics(
        name in "\\PC{0,20}|field|email|created_at|bounced",
        operator in proptest::sample::select(Operator::ALL),
        value in proptest::option::of("[\\s\\S]{0,20}"), values in proptest::option::of(vec_of_texts()),
        high in proptest::option::of("\\PC{0,20}"), text in "[\\s\\S]{0,40}",
    ) {
        let held = contact(&[("field", &text), ("email", &text), ("created_at", &text), ("bounced", &text)]);
        let (value, values, high) = (value.as_deref(), values.as_deref(), high.as_deref());
        if let Ok(condition) = Condition::new(&name, operator.as_str(), value, values, high) {
            let _ = Filter::new(vec![vec![condition]]).unwrap().matches(&held);
        }
    }
}

fn vec_of_texts() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("\\PC{0,9}", 0..4)
}
