//! Small files with one oddity each.

use super::{layout, outcomes, survey};
use crate::{Delimiter, FileNote, FileProblem, Options};

/// Returns the outcomes of a file that is read without options.
fn read(file: &[u8]) -> Vec<String> {
    outcomes(file, Options::default())
}

#[test]
fn file_without_a_character_is_empty() {
    for file in [&b""[..], b"\n\r\n", b"\xef\xbb\xbf\n", b"\xff\xfe", b" \t "] {
        assert_eq!(survey(file, Options::default()), Err(FileProblem::Empty), "{file:?}");
    }
}

#[test]
fn kind_of_a_file_is_known_by_its_beginning() {
    let mut tar = vec![b'a'; 257];
    tar.extend_from_slice(b"ustar");
    let utf_16: Vec<u8> = "\u{feff}<html>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (file, problem) in [
        (&b"BZh91AY"[..], FileProblem::Archive),
        (b"7z\xbc\xaf\x27\x1c\0", FileProblem::Archive),
        (b"PK\x03\x04\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet", FileProblem::Spreadsheet),
        (&tar, FileProblem::Archive),
        (b"\xef\xbb\xbf \n<HTML><body>a@x.org", FileProblem::WebPage),
        (&utf_16, FileProblem::WebPage),
        (b"<?xml version=\"1.0\"?><contacts>", FileProblem::WebPage),
        (b"begin:vcard\n", FileProblem::VCard),
        (b"{\"email\": 1}\n{\"email\": 2}", FileProblem::Json),
        (b"[\n  {\"email\": 1}]", FileProblem::Json),
    ] {
        assert_eq!(survey(file, Options::default()), Err(problem), "{file:?}");
    }
    // Brackets and braces may also begin a header.
    assert_eq!(read(b"[email],{name}\na@x.org,Ada\n"), ["a@x.org name=Ada"]);
}

#[test]
fn options_have_priority_over_a_guess() {
    let file = b"email;name,nick\na@x.org;Jos\xe9,J\n";
    let options = Options {
        encoding: Some("windows-1257".parse().unwrap()),
        delimiter: Some(Delimiter::Semicolon),
        ..Options::default()
    };
    let found = survey(file, options.clone()).unwrap();
    assert!(!found.is_encoding_guessed);
    assert_eq!(outcomes(file, options), ["a@x.org name_nick=José,J"]);
    // A mark is no guess.
    let options = Options { encoding: Some("latin1".parse().unwrap()), ..Options::default() };
    assert_eq!(outcomes("\u{feff}email,name\na@x.org,José\n".as_bytes(), options), ["a@x.org name=José"]);
}

#[test]
fn encoding_is_decided_by_the_last_line_too() {
    let mut file = b"email,name\n".to_vec();
    for row in 0..5_000 {
        file.extend_from_slice(format!("a{row}@x.org,Ada\n").as_bytes());
    }
    file.extend_from_slice(b"z@x.org,Ren\xe9e M\xfcller\n");
    let layout = layout(&file);
    assert_eq!((layout.encoding.name(), layout.rows), ("windows-1252", Some(5_001)));
    assert_eq!(read(&file)[5_000], "z@x.org name=Renée Müller");
}

#[test]
fn iso_2022_jp_is_recognised_by_its_escapes() {
    let mut file = b"email,name\na@x.org,".to_vec();
    file.extend_from_slice(b"\x1b$B;3ED\x1b(B\nb@x.org,\x1b$B1|\"=\x1b(B\n");
    let rows = read(&file);
    assert_eq!(layout(&file).encoding.name(), "ISO-2022-JP");
    assert_eq!(rows[0], "a@x.org name=山田");
    assert_eq!(rows.len(), 2);
}

#[test]
fn line_ends_of_every_kind_end_a_row() {
    for end in ["\n", "\r\n", "\r"] {
        for last in [end, ""] {
            let file = format!("email,name{end}a@x.org,Ada{end}{end}b@x.org,Bea{last}");
            assert_eq!(read(file.as_bytes()), ["a@x.org name=Ada", "b@x.org name=Bea"], "{file:?}");
        }
    }
}

#[test]
fn delimiter_is_not_the_most_frequent_sign() {
    for (file, delimiter) in [
        ("email;date\na@x.org;May 1, 2026\nb@x.org;May 2, 2026\n", Some(Delimiter::Semicolon)),
        ("email\tnote\na@x.org\ta,b;c,d\n", Some(Delimiter::Tab)),
        ("email,a|b\nx@x.org,c|d\n", Some(Delimiter::Comma)),
        ("email;name (last, first, middle)\na@x.org;Lee, Ann, B\n", Some(Delimiter::Semicolon)),
        ("email\na@x.org\n", None),
        ("\"email\",\"a;b;c\"\na@x.org,1\n", Some(Delimiter::Comma)),
    ] {
        assert_eq!(layout(file.as_bytes()).delimiter, delimiter, "{file}");
    }
    assert_eq!(read(b"\"sep=\t\"\r\nemail\tname\r\na@x.org\tA,B\r\n"), ["a@x.org name=A,B"]);
}

#[test]
fn quotes_of_every_dialect_keep_the_columns() {
    for (row, expected) in [
        (r#""a@x.org","",x"#, "a@x.org note=x"),
        (r#"a@x.org,"say \"hi\", twice",x"#, r#"a@x.org name=say \"hi\", twice note=x [stray-quotes]"#),
        (r#"a@x.org,"Ann" Lee,x"#, r#"a@x.org name="Ann" Lee note=x [stray-quotes]"#),
        (r#"a@x.org,"C:\",x"#, r"a@x.org name=C:\ note=x"),
        (r#"a@x.org,"a "b", c",d,e"#, "row: stray-quote"),
        (r#"a@x.org,O'Neil "Ed",x,y"#, "row: too-many-cells"),
        (r#"a@x.org,"open"#, "row: ends-inside-quote"),
        (r#"a@x.org,6" pipe,x"#, r#"a@x.org name=6" pipe note=x"#),
        ("a@x.org,\"\"\"", "row: ends-inside-quote"),
        (r#"a@x.org,"""""#, r#"a@x.org name=""#),
    ] {
        let file = format!("email,name,note\n{row}\n");
        let rows = read(file.as_bytes());
        assert!(rows[0].starts_with(expected), "{row}: {rows:?}");
        assert_eq!(rows.len(), 1, "{row}");
    }
}

#[test]
fn open_quote_in_the_header_is_said() {
    let file = b"email,\"name\na@x.org,Ada\n";
    assert_eq!(layout(file).notes, [FileNote::QuoteNeverClosed { line: 1 }]);
    assert_eq!(read(file), ["a@x.org name=Ada"]);
}

#[test]
fn mark_before_a_quoted_name_is_skipped() {
    assert_eq!(read("\u{feff}\"Email\",\"Name\"\na@x.org,Ada\n".as_bytes()), ["a@x.org name=Ada"]);
}

#[test]
fn quote_that_spans_lines_irregularly_takes_one_line() {
    let file = b"email,name\na@x.org,\"open\nb@x.org,Bea \"B\" Bo\nc@x.org,\"Cy\"\nd@x.org,Dee\n";
    assert_eq!(
        read(file),
        ["row: quote-never-closed", "b@x.org name=Bea \"B\" Bo", "c@x.org name=Cy", "d@x.org name=Dee"]
    );
    let two = b"email,name\na@x.org,\"open\nb@x.org,\"also open\nc@x.org,Cy\n";
    assert_eq!(read(two), ["row: quote-never-closed", "row: quote-never-closed", "c@x.org name=Cy"]);
}

#[test]
fn address_is_taken_out_of_its_cell() {
    for (cell, expected) in [
        ("\"Lee, Ann\" <a@x.org>", "a@x.org"),
        ("<a@x.org>", "a@x.org"),
        ("MAILTO:a@x.org?subject=Hi", "a@x.org"),
        ("“a@x.org”", "a@x.org"),
        ("a@x.org;", "a@x.org"),
        ("a@x.org, A@X.org", "a@x.org"),
        ("a@x.org / b@x.org", "email: several-addresses"),
        ("a@x.org b@x.org", "email: several-addresses"),
        ("Ann <a@x.org>, Bea <b@x.org>", "email: several-addresses"),
        ("a@x.org ::: b@x.org", "a@x.org [further-addresses]"),
        ("'+a@x.org", "+a@x.org"),
        ("'a@x.org", "'a@x.org"),
        ("=\"a@x.org\"", "a@x.org"),
        ("ü@bücher.example", "ü@bücher.example"),
        ("Ann a@x.org", "email: invalid-address"),
        ("-", "email: invalid-address"),
        ("@", "email: invalid-address"),
        ("\u{200b}", "empty"),
    ] {
        let file = format!("email\n\"{}\"\n", cell.replace('"', "\"\""));
        assert_eq!(read(file.as_bytes()), [expected], "{cell}");
    }
}

#[test]
fn values_lose_only_the_marks_of_spreadsheets() {
    for (cell, expected) in [
        ("'=1+1", "=1+1"),
        ("''=1+1", "'=1+1"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ("''x", "''x"),
        ("=\"007\"", "007"),
        ("=\"a\"\"b\"", "a\"b"),
        ("=\"a\"&\"b\"", "=\"a\"&\"b\""),
        ("'=\"007\"", "=\"007\""),
        (" two  spaces ", " two  spaces "),
    ] {
        let file = format!("email,note\na@x.org,\"{}\"\n", cell.replace('"', "\"\""));
        assert_eq!(read(file.as_bytes()), [format!("a@x.org note={expected}")], "{cell}");
    }
}

#[test]
fn rounded_phone_is_written_with_caution() {
    let file = b"email,Mobile phone,code\na@x.org,3.16E+10,4.4E+10\nb@x.org,\"3,16E+10\",\nc@x.org,1E5,\n";
    assert_eq!(
        read(file),
        [
            "a@x.org mobile_phone?=3.16E+10 code=4.4E+10 [rounded-number]",
            "b@x.org mobile_phone?=3,16E+10 [rounded-number]",
            "c@x.org mobile_phone=1E5"
        ]
    );
}

#[test]
fn flag_is_cleared_only_on_request() {
    let file =
        "email,unsubscribed,bounced\na@x.org,no,nein\nb@x.org,subscribed,\nc@x.org,,0\nd@x.org,да,はい\n";
    assert_eq!(read(file.as_bytes()), ["a@x.org", "b@x.org", "c@x.org", "d@x.org unsubscribed bounced"]);
    let options = Options { clear_flags: true, ..Options::default() };
    assert_eq!(
        outcomes(file.as_bytes(), options),
        [
            "a@x.org not unsubscribed not bounced",
            "b@x.org not unsubscribed",
            "c@x.org not bounced",
            "d@x.org unsubscribed bounced"
        ]
    );
}

#[test]
fn time_of_leaving_is_a_yes() {
    for (cell, expected) in [
        ("2024-05-01", "a@x.org unsubscribed"),
        ("2024-05-01T10:00:00Z", "a@x.org unsubscribed"),
        ("2024-05-01T10:00:00.123+02:00", "a@x.org unsubscribed"),
        ("1.5.2024", "a@x.org unsubscribed"),
        ("5/1/2024 10:00 PM", "a@x.org unsubscribed"),
        ("0000-00-00 00:00:00", "a@x.org"),
        ("0.0.00", "a@x.org"),
        ("2024", "unsubscribed: unknown-flag"),
        ("10:00", "unsubscribed: unknown-flag"),
        ("-", "unsubscribed: unknown-flag"),
        ("nope", "unsubscribed: unknown-flag"),
    ] {
        let file = format!("email,unsubscribed\na@x.org,{cell}\n");
        assert_eq!(read(file.as_bytes()), [expected], "{cell}");
    }
}

#[test]
fn debug_of_a_row_shows_no_value() {
    let file = b"email,name\nada@lovelace.org,Lovelace\nnot lovelace,Lovelace\n";
    let layout = layout(file);
    for row in super::rows(file, &layout) {
        let shown = format!("{row:?}");
        assert!(!shown.to_lowercase().contains("lovelace"), "{shown}");
    }
}
