//! Properties of every file: the pieces in which it arrives, and the place from which it is read, change nothing.

use domain::property::PropertyName;
use proptest::prelude::*;

use super::{layout, rows, survey};
use crate::{
    Content, CsvWriter, Layout, OUTCOME_COLUMNS, Options, Row, RowReader, Survey, cell_value, header_of,
};

/// Returns the files that are often tables, in any bytes.
fn near_tables() -> impl Strategy<Value = Vec<u8>> {
    let line = "[a,;\" |\\\\\t@é]{0,12}|a@x\\.org,\"?[a\"é,]{0,6}\"?,b?|\"a@x\\.org,\"\"b\"\"\"";
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("\n\n")];
    let header = prop_oneof![
        Just("email,name,note\n"),
        Just("\u{feff}email;name\r\n"),
        Just("sep=;\nemail;note\n"),
        Just("\"email,name\"\n"),
        Just("Club\n\nE-mail,note\r"),
        Just("email\n"),
    ];
    (header, prop::collection::vec((line, end), 0..12), 0..4_u8).prop_map(|(header, lines, encoding)| {
        let text: String = lines.into_iter().fold(header.to_owned(), |text, (line, end)| text + &line + end);
        match encoding {
            0 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            1 => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
            2 => [text.as_bytes(), b"a@x.org,\xe9\xff\0\n"].concat(),
            _ => text.into_bytes(),
        }
    })
}

/// Returns the names of properties that are often usual names, or names of other parts of a contact.
fn near_names() -> impl Strategy<Value = String> {
    "[a-z_]{1,9}|[a-z]{2,5}name|e?mail[0-9]?|status|bounced_?|email_opt_out|record_id|fname|tel"
}

/// Returns all that is known of a row.
fn all(row: &Row) -> (u64, u64, Vec<String>, String, crate::Place) {
    (row.number, row.line, row.cells.clone(), super::told(row), row.after)
}

/// Returns the rows of a file from a place on, fed in pieces of this size.
fn from_place(bytes: &[u8], layout: &Layout, place: crate::Place, size: usize) -> Vec<Row> {
    let mut reader = RowReader::new(layout, place);
    let mut rows = Vec::new();
    for piece in bytes[usize::try_from(place.byte).unwrap()..].chunks(size) {
        reader.feed(piece);
        rows.extend(std::iter::from_fn(|| reader.next()));
    }
    reader.end();
    rows.extend(std::iter::from_fn(|| reader.next()));
    rows
}

/// Checks all properties of a file.
fn check(bytes: &[u8], size: usize) -> Result<(), TestCaseError> {
    let whole = survey(bytes, Options::default());
    let mut pieces = Survey::new(Options::default());
    bytes.chunks(size).for_each(|piece| pieces.feed(piece));
    prop_assert_eq!(&pieces.finish(true), &whole);
    let Ok(layout) = whole else { return Ok(()) };
    let expected: Vec<_> = rows(bytes, &layout).iter().map(all).collect();
    let in_pieces: Vec<_> = from_place(bytes, &layout, layout.start, size).iter().map(all).collect();
    prop_assert_eq!(&in_pieces, &expected);
    prop_assert_eq!(layout.rows, Some(u64::try_from(expected.len()).unwrap()));
    let mut line = layout.start.line;
    for (index, row) in expected.iter().enumerate() {
        prop_assert_eq!(row.0, u64::try_from(index).unwrap() + 1);
        prop_assert!(row.1 >= line && row.4.line > row.1);
        line = row.4.line;
        let rest: Vec<_> = from_place(bytes, &layout, row.4, size).iter().map(all).collect();
        prop_assert_eq!(&rest[..], &expected[index + 1..]);
    }
    Ok(())
}

fn is_stored(value: &str) -> bool {
    domain::unseen::is_visible(value)
        && value.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'))
}

proptest! {
    #[test]
    fn near_table_reads_alike_in_pieces_and_from_any_row(bytes in near_tables(), size in 1..40_usize) {
        check(&bytes, size)?;
    }

    #[test]
    fn any_bytes_read_alike_in_pieces_and_from_any_row(
        bytes in prop::collection::vec(any::<u8>(), 0..150), size in 1..40_usize,
    ) {
        check(&bytes, size)?;
        check(&[b"email,name\n", &bytes[..]].concat(), size)?;
    }

    #[test]
    fn written_value_comes_back_as_it_was(
        values in prop::collection::vec("['=+@\t\r\n\",;| \\\\a-]{0,8}|\\PC{0,20}|=\"[a\"]{0,3}\"", 3),
    ) {
        prop_assume!(values.iter().all(|value| value.is_empty() || is_stored(value)));
        let mut writer = CsvWriter::new();
        writer.record(["email", "a", "b", "c"]);
        let cells = std::iter::once("x@x.org").chain(values.iter().map(String::as_str));
        writer.record(cells);
        writer.record(["y@x.org", "", "", ""]);
        let file = writer.take();
        let rows = rows(&file, &layout(&file));
        prop_assert_eq!(rows.len(), 2);
        let Content::Contact(contact) = &rows[0].content else { panic!("{:?}", rows[0]) };
        let expected: Vec<&String> = values.iter().filter(|value| !value.is_empty()).collect();
        let read: Vec<&String> = contact.properties.iter().map(|(_, value)| value).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn written_column_comes_back_to_its_property(names in prop::collection::btree_set(near_names(), 1..6)) {
        let names: Vec<PropertyName> = names.iter().filter_map(|name| PropertyName::parse(name).ok()).collect();
        let mut writer = CsvWriter::new();
        let header: Vec<String> = names.iter().map(header_of).collect();
        writer.record(["email", "unsubscribed"].into_iter().chain(header.iter().map(String::as_str)));
        writer.record(["x@x.org", ""].into_iter().chain(names.iter().map(PropertyName::as_str)));
        let file = writer.take();
        let rows = rows(&file, &layout(&file));
        let Content::Contact(contact) = &rows[0].content else { panic!("{:?}", rows[0]) };
        let read: Vec<(&str, &str)> =
            contact.properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn written_file_is_one_that_spreadsheets_read() {
    let mut writer = CsvWriter::new();
    assert!(!writer.is_empty());
    writer.record(["email", "note"]);
    writer.record(["+a@x.org", "=1+1"]);
    writer.record(["a@x.org", "'=x"]);
    writer.record(["a@x.org", "a,\"b\""]);
    let file = writer.take();
    assert_eq!(
        String::from_utf8(file).unwrap(),
        "\u{feff}email,note\r\n'+a@x.org,'=1+1\r\na@x.org,''=x\r\na@x.org,\"a,\"\"b\"\"\"\r\n"
    );
    assert_eq!(writer.len(), 0);
    let mut resumed = CsvWriter::resumed();
    resumed.record([""]);
    assert_eq!(resumed.take(), b"\"\"\r\n");
}

#[test]
fn written_address_comes_back_as_it_was() {
    let addresses = [
        "+a@x.org",
        "=a@x.org",
        "-a@x.org",
        "'+a@x.org",
        "''=a@x.org",
        "'a@x.org",
        "\"a,b\"@x.org",
        "A.b@x.org",
    ];
    let mut writer = CsvWriter::new();
    writer.record(["email", "note"]);
    for address in addresses {
        writer.record([address, ""]);
    }
    let file = writer.take();
    let told: Vec<String> = rows(&file, &layout(&file)).iter().map(super::told).collect();
    assert_eq!(told, addresses);
}

#[test]
fn cell_has_the_same_value_in_the_file_of_outcomes() {
    let file = b"email,a,b,c,d\n'+a@x.org,'=1+1,\"=\"\"007\"\"\",''=x,=1+1\n";
    let layout_before = layout(file);
    let before = rows(file, &layout_before).remove(0);
    let mut writer = CsvWriter::new();
    writer.record(
        OUTCOME_COLUMNS.into_iter().chain(layout_before.columns.iter().map(|column| column.name.as_str())),
    );
    let values: Vec<_> = before.cells.iter().map(|cell| cell_value(cell)).collect();
    writer.record(OUTCOME_COLUMNS.iter().map(|_| "").chain(values.iter().map(AsRef::as_ref)));
    let outcomes = writer.take();
    let after = rows(&outcomes, &layout(&outcomes)).remove(0);
    assert_eq!(super::told(&after), "+a@x.org a==1+1 b=007 c='=x d==1+1");
    assert_eq!(super::told(&before), super::told(&after));
}

#[test]
fn own_export_sets_no_state_when_it_comes_back() {
    let mut writer = CsvWriter::new();
    writer.record([
        "id",
        "email",
        "firstname",
        "property:fname",
        "unsubscribed",
        "bounced",
        "created_at",
        "updated_at",
        "marketing.state",
        "marketing.billable",
        "marketing.since",
        "marketing.leaves_at",
        "marketing.source.type",
        "marketing.source.name",
        "marketing.source.id",
    ]);
    let time = "2026-01-02T03:04:05.000Z";
    writer.record([
        "1",
        "a@x.org",
        "Ada",
        "A",
        "true",
        "false",
        time,
        time,
        "marketing",
        "true",
        time,
        "",
        "form",
        "News",
        "2",
    ]);
    let file = writer.take();
    let told: Vec<String> = rows(&file, &layout(&file)).iter().map(super::told).collect();
    assert_eq!(told, ["a@x.org unsubscribed firstname=Ada fname=A"]);
}

#[test]
fn file_of_outcomes_is_read_like_the_first_file() {
    let mut writer = CsvWriter::new();
    writer.record(OUTCOME_COLUMNS.into_iter().chain(["Email", "First Name"]));
    writer.record(["1", "2", "not-run", "", "", "", "a@x.org", "Ada"]);
    let file = writer.take();
    let layout = layout(&file);
    let rows = rows(&file, &layout);
    assert_eq!(super::told(&rows[0]), "a@x.org firstname=Ada");
}
