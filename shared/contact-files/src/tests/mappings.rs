//! The targets of columns.

use super::{layout, mapping, outcomes, sample, survey};
use crate::{ColumnNote, FileNote, FileProblem, Layout, Options};

/// Returns the targets of the columns. A column that is left out has an empty text.
fn targets(layout: &Layout) -> Vec<&str> {
    layout.columns.iter().map(|column| column.target.name().unwrap_or_default()).collect()
}

/// Returns the targets of the columns of a file with this header and one row with this address in this column.
fn targets_of(header: &str, address: usize) -> Vec<String> {
    let count = header.split(',').count();
    let cells: Vec<&str> = (0..count).map(|column| if column == address { "a@x.org" } else { "" }).collect();
    let layout = layout(format!("{header}\n{}\n", cells.join(",")).as_bytes());
    targets(&layout).into_iter().map(str::to_owned).collect()
}

#[test]
fn column_is_mapped_by_name_folded_name_or_position() {
    let file = b"Adres ,Voornaam,Plaats,Plaats\na@x.org,Ada,Delft,Gouda\n";
    for (email, name) in [("Adres", "Voornaam"), ("ADRES", " voornaam"), ("1", "2")] {
        let options = mapping(&[(email, "email"), (name, "nickname"), ("4", "town"), ("3", "")]);
        assert_eq!(outcomes(file, options), ["a@x.org nickname=Ada town=Gouda"], "{email}");
    }
}

#[test]
fn mapping_that_fits_no_file_names_the_column() {
    let file = b"email,name,name\na@x.org,Ada,Ada\n";
    let unknown = |name: &str| Some(FileProblem::UnknownColumn(name.into()));
    for (entries, problem) in [
        (&[("mail", "email")][..], unknown("mail")),
        (&[("4", "city")], unknown("4")),
        (&[("0", "city")], unknown("0")),
        (&[("email", "email"), ("name", "email")], Some(FileProblem::SameTarget("name".into()))),
        (&[("2", "city"), ("3", "city")], Some(FileProblem::SameTarget("3".into()))),
        (&[("2", "city"), ("name", "town")], Some(FileProblem::MappedTwice("name".into()))),
        (&[("email", "")], Some(FileProblem::NoAddressColumn)),
        (&[("name", "email")], None),
    ] {
        let refused = survey(file, mapping(entries)).err();
        assert_eq!(refused, problem, "{entries:?}");
        let named = problem.as_ref().and_then(FileProblem::column);
        assert!(named.is_none_or(|name| entries.iter().any(|(key, _)| *key == name)), "{entries:?}");
    }
}

#[test]
fn file_without_a_header_is_mapped_by_positions() {
    let options = mapping(&[("1", "email"), ("2", "firstname")]);
    let layout = survey(&sample("no-header"), options.clone()).unwrap();
    assert_eq!((layout.header_line, &layout.notes[..]), (None, &[FileNote::NoHeader][..]));
    assert_eq!(targets(&layout), ["email", "firstname", ""]);
    assert_eq!(layout.columns[2].note, Some(ColumnNote::NoName));
    assert_eq!(outcomes(&sample("no-header"), options), ["n1 firstname=Nel", "n2 firstname=Ned"]);
}

#[test]
fn address_is_in_the_likeliest_column() {
    for (header, address, expected) in [
        ("Email address,E-mail", 1, ["", "email"]),
        ("Email,Email 2", 0, ["email", "email_2"]),
        ("Email consent,Work e-mail 2", 1, ["email_consent", "email"]),
        ("E-Mail (Pflichtfeld)*,Ort", 0, ["email", "city"]),
        ("お客様のメールアドレス,Ort", 0, ["email", "city"]),
        ("Kontakt,Ort", 0, ["email", "city"]),
    ] {
        assert_eq!(targets_of(header, address), expected, "{header}");
    }
    let by_values = layout(b"Kontakt,Ort\na@x.org,Ulm\n");
    assert_eq!(by_values.columns[0].note, Some(ColumnNote::AddressByValues));
}

#[test]
fn file_without_one_column_of_addresses_is_refused() {
    for file in
        ["a,b\nx@x.org,y@x.org\n", "a,b\nx@x.org,1\nnone,2\n", "a,b\n1,2\n", "name\n", "\u{0}\u{1}PDF"]
    {
        assert_eq!(
            survey(file.as_bytes(), Options::default()),
            Err(FileProblem::NoAddressColumn),
            "{file:?}"
        );
    }
}

#[test]
fn columns_of_one_meaning_fill_one_property_each() {
    for (header, expected) in [
        ("email,First Name", ["email", "firstname"].as_slice()),
        ("email,FNAME,LNAME", &["email", "firstname", "lastname"]),
        ("email,Organization,Company", &["email", "organization", "company"]),
        ("email,Telephone,Phone,Tel.", &["email", "telephone", "phone", "tel"]),
        ("email,Size (cm),Size (in)", &["email", "size_cm", "size_in"]),
        ("email,Size (cm)", &["email", "size"]),
        ("email,First-Name,First Name", &["email", "firstname", "first_name"]),
        ("email,1,(2),  ,***", &["email", "field_1", "field_2", "", ""]),
        ("email,property:fname,First name", &["email", "fname", "firstname"]),
        ("email,property:phone,Phone", &["email", "phone", ""]),
        ("email,property:Ä", &["email", ""]),
    ] {
        let targets = targets_of(header, 0);
        let expected: Vec<&str> = expected.to_vec();
        let named = targets.len();
        assert_eq!(targets, expected[..named], "{header}");
        assert!(expected[named..].iter().all(|target| target.is_empty()), "{header}");
    }
}

#[test]
fn column_of_the_program_sets_nothing() {
    let header = "email,id,ID,created_at,updated_at,marketing,marketing.state,marketing.source.id,hs_object_id,\
                  Record ID,Marketing contact status,tidemark:row,tidemark:outcome";
    let layout = layout(format!("{header}\na@x.org,1,2,3,4,true,marketing,6,7,8,9,10,11\n").as_bytes());
    for column in &layout.columns[1..] {
        assert_eq!(column.target.name(), None, "{}", column.name);
        assert_eq!(column.note, Some(ColumnNote::SetByProgram), "{}", column.name);
    }
}

#[test]
fn column_of_hubspot_that_is_a_property_fills_it() {
    assert_eq!(targets_of("email,hs_lead_status,hs_marketable_status", 0)[..2], ["email", "hs_lead_status"]);
    let layout = layout(b"email,hs_lead_status,hs_unknown\na@x.org,NEW,1\n");
    assert_eq!(layout.columns[2].note, Some(ColumnNote::SetByProgram));
}

#[test]
fn column_that_means_the_opposite_is_no_flag() {
    let header = "email,Subscribed,Opt-in,Consent,Marketing consent,Newsletter";
    assert_eq!(
        targets_of(header, 0),
        ["email", "subscribed", "opt_in", "consent", "marketing_consent", "newsletter"]
    );
    let rows = outcomes(b"email,Subscribed\na@x.org,no\nb@x.org,yes\n", Options::default());
    assert_eq!(rows, ["a@x.org subscribed=no", "b@x.org subscribed=yes"]);
}

#[test]
fn status_is_a_flag_only_if_its_values_are_known() {
    for (values, expected) in [
        (["active", "unsubscribed"], ["a@x.org", "b@x.org unsubscribed"]),
        (["Active", "hard bounce"], ["a@x.org", "b@x.org bounced"]),
        (["active", "active"], ["a@x.org status=active", "b@x.org status=active"]),
        (["customer", "unsubscribed"], ["a@x.org status=customer", "b@x.org status=unsubscribed"]),
        (["active", "cancelled"], ["a@x.org status=active", "b@x.org status=cancelled"]),
        (["married", "single"], ["a@x.org status=married", "b@x.org status=single"]),
        (["yes", "no"], ["a@x.org status=yes", "b@x.org status=no"]),
    ] {
        let [first, second] = values;
        let file = format!("email,Status\na@x.org,{first}\nb@x.org,{second}\n");
        assert_eq!(outcomes(file.as_bytes(), Options::default()), expected, "{values:?}");
    }
}

#[test]
fn layout_is_the_same_after_it_was_stored() {
    for name in ["mixed-utf8-and-1252", "activecampaign", "header-twice", "title-rows", "one-column"] {
        let layout = layout(&sample(name));
        let stored = serde_json::to_string(&layout).unwrap();
        assert_eq!(serde_json::from_str::<Layout>(&stored).unwrap(), layout, "{name}");
    }
    let options: Options = serde_json::from_str(
        r#"{"encoding": "latin1", "delimiter": ";", "mapping": {"a": "email", "b": null}}"#,
    )
    .unwrap();
    assert_eq!(options.encoding.unwrap().name(), "windows-1252");
    assert_eq!(options.mapping, mapping(&[("a", "email"), ("b", "")]).mapping);
    for wrong in [r#"{"encoding": "klingon"}"#, r#"{"delimiter": ":"}"#, r#"{"mapping": {"a": "id"}}"#] {
        assert!(serde_json::from_str::<Options>(wrong).is_err(), "{wrong}");
    }
}
