//! The sample files that people made, with the outcome of each row.

use super::{layout, outcomes, sample, survey};
use crate::{ColumnNote, Delimiter, FileNote, FileProblem, Options};

/// Checks the encoding, the delimiter and the rows of sample files.
fn check(files: &[(&str, &str, Option<Delimiter>, &[&str])]) {
    for (name, encoding, delimiter, expected) in files {
        let bytes = sample(name);
        let layout = layout(&bytes);
        assert_eq!((layout.encoding.name(), layout.delimiter), (*encoding, *delimiter), "{name}");
        assert_eq!(outcomes(&bytes, Options::default()), *expected, "{name}");
        assert_eq!(layout.rows, Some(u64::try_from(expected.len()).unwrap()), "{name}");
        assert_eq!(layout.bytes, Some(u64::try_from(bytes.len()).unwrap()), "{name}");
    }
}

const COMMA: Option<Delimiter> = Some(Delimiter::Comma);
const SEMICOLON: Option<Delimiter> = Some(Delimiter::Semicolon);
const TAB: Option<Delimiter> = Some(Delimiter::Tab);
const BAR: Option<Delimiter> = Some(Delimiter::Bar);

#[test]
fn bytes_of_every_program_are_decoded() {
    check(&[
        ("excel-utf8-bom", "UTF-8", COMMA, &["zoe firstname=Zoé city=Köln", "li firstname=李 city=北京"]),
        (
            "excel-semicolon-1252",
            "windows-1252",
            SEMICOLON,
            &[
                "jose firstname=José city='s-Gravenhage bedrag=12,50",
                "anna firstname=Anna – Müller city=Köln bedrag=€ 3",
                "lea firstname=Léa",
            ],
        ),
        ("excel-sep-line", "windows-1252", SEMICOLON, &["uwe notiz=a,b", "ina notiz=Größe"]),
        (
            "excel-unicode-text",
            "UTF-16LE",
            TAB,
            &["ada name=Áda opmerking=regel 1\nregel 2", "bob name=Bob opmerking=zegt \"hoi\""],
        ),
        ("utf16le-without-mark", "UTF-16LE", COMMA, &["ida name=Ida", "jan name=Jan"]),
        ("utf16be-mark", "UTF-16BE", COMMA, &["eva name=Éva", "max name=Max"]),
        (
            "excel-czech-1250",
            "windows-1250",
            SEMICOLON,
            &[
                "jiri firstname=Jiří mesto=Třebíč poznamka=příliš žluťoučký kůň úpěl ďábelské ódy",
                "zuzana firstname=Zuzana Dvořáková mesto=Ústí nad Labem poznamka=říká, že přijde později",
                "ludek firstname=Luděk mesto=Plzeň poznamka=děkuji, těším se na viděnou",
            ],
        ),
        (
            "excel-russian-1251",
            "windows-1251",
            SEMICOLON,
            &[
                "ivan field_63565d7f=Иван field_c4f5a5fa=Санкт-Петербург",
                "olga field_63565d7f=Ольга Сергеевна field_c4f5a5fa=Нижний Новгород",
                "petr field_63565d7f=Пётр field_c4f5a5fa=Екатеринбург",
            ],
        ),
        (
            "excel-japanese-shiftjis",
            "Shift_JIS",
            COMMA,
            &[
                "taro field_dfcec724=山田太郎 field_a9181ae3=表計算ソフト株式会社 field_80309c57=ポスト能登",
                "hanako field_dfcec724=佐藤花子 field_a9181ae3=日本電信十本社 field_80309c57=構造・貼り付け",
                "ken field_dfcec724=鈴木健 field_a9181ae3=ソニー暴露社 field_80309c57=申込済み",
            ],
        ),
        ("mac-cr-only", "UTF-8", COMMA, &["mia name=Mia note=one\rtwo", "leo name=Leo note=x"]),
        (
            "mixed-utf8-and-1252",
            "UTF-8",
            COMMA,
            &["uma name=Umä", "pia name=Piä [other-encoding]", "tom name=Tomé"],
        ),
        (
            "nul-bytes",
            "UTF-8",
            COMMA,
            &[
                "nia name=Nia note=ab [control-characters] [control-characters]",
                "rob name=Rob [control-characters]",
            ],
        ),
        ("utf8-read-as-1252", "UTF-8", COMMA, &["moj name=JosÃ© MÃ¼ller"]),
    ]);
}

#[test]
fn delimiters_and_quotes_never_move_a_text() {
    check(&[
        (
            "quotes-stray",
            "UTF-8",
            COMMA,
            &[
                "q1 name=Ann \"Annie\" Lee note=ok",
                "q2 name=Tall note=6' 2\"",
                "q3 name=Ann \"Annie\" Lee note=stray [stray-quotes]",
                "q4 name=Lee, Ann note=space before the quote [stray-quotes]",
                "q5 name=“Ann note= Lee”",
                "q6 name=Ann note=space after the quote",
                "q7 name=Bob note=two\nlines",
            ],
        ),
        (
            "quote-unclosed",
            "UTF-8",
            COMMA,
            &[
                "u1 name=One note=ok",
                "row: quote-never-closed",
                "u3 name=Three note=ok",
                "u4 name=Four note=ok",
            ],
        ),
        ("lines-quoted-whole", "UTF-8", COMMA, &["w1 name=Wil note=a, b", "w2 name=Wim note=c"]),
        (
            "backslash-escapes",
            "UTF-8",
            COMMA,
            &["b1 name=Bo \\\"B\\\" Bo groups=INDIE\\, EGYPT [stray-quotes]", "b2 name=C:\\\\ groups=x"],
        ),
        (
            "commas-in-semicolon-file",
            "UTF-8",
            SEMICOLON,
            &["k1 name=Jansen, Jan rollen=a,b,c", "k2 name=Peters, Piet rollen=d,e,f"],
        ),
        ("pipe", "UTF-8", BAR, &["p1 name=Pim note=a,b;c", "p2 name=Pam note=d"]),
        ("one-column", "UTF-8", None, &["c1", "c2", "c3"]),
    ]);
}

#[test]
fn headers_of_every_kind_are_found() {
    check(&[
        ("title-rows", "UTF-8", COMMA, &["t1 name=Tia city=Delft", "t2 name=Tim city=Gouda"]),
        (
            "trailing-empty-columns",
            "UTF-8",
            COMMA,
            &["e1 firstname=Els city=Delft", "e2 firstname=Eef city=Gouda", "empty", "empty", "empty"],
        ),
        ("header-twice", "UTF-8", COMMA, &["h1 phone=1", "h2"]),
        (
            "header-scripts",
            "UTF-8",
            COMMA,
            &["s1 grosse=42 grusse=hallo field_63565d7f=Ада field_edab7d26=エイダ firstname=Ada"],
        ),
        ("reserved-names", "UTF-8", COMMA, &["r1 firstname=Ria"]),
        ("only-header", "UTF-8", COMMA, &[]),
    ]);
}

#[test]
fn addresses_and_values_are_read() {
    check(&[
        (
            "addresses",
            "UTF-8",
            COMMA,
            &[
                "a1 name=Ada",
                "a2 name=Bea",
                "a3 name=Cor",
                "a4 name=Dik",
                "email: several-addresses",
                "a6 name=Fae",
                "email: invalid-address",
                "email: invalid-address",
                "email: no-address",
                "email: invalid-address",
                "a9 name=Kik",
                "A10@Fixture.Example name=Lou",
            ],
        ),
        (
            "values-mangled",
            "UTF-8",
            COMMA,
            &[
                "v1 phone?=3.16E+10 zip=01234 code=00420 born=03/04/1990 amount=1.234,50 flag=TRUE \
                 [rounded-number]",
                "v2 phone=0031612345678 zip=7 code=1E5 born=1990-04-03 amount=1234.50 flag=WAAR",
                "v3 phone=+31612345678 code=#N/A born=32874 amount=-5",
                "v4 phone=+31 6 1234 5678 zip=N/A code=null born=3-apr-90 amount==1+1",
            ],
        ),
        (
            "flags",
            "UTF-8",
            COMMA,
            &[
                "f1 unsubscribed",
                "f2 unsubscribed",
                "f3 unsubscribed",
                "f4 unsubscribed",
                "f5 unsubscribed",
                "f6 unsubscribed",
                "f7 bounced",
                "f8 bounced",
                "f9",
                "unsubscribed: unknown-flag",
                "f11 unsubscribed",
                "f12 bounced",
            ],
        ),
        ("empty-cells", "UTF-8", COMMA, &["m1 city=Delft", "m1b"]),
        (
            "duplicates-case",
            "UTF-8",
            COMMA,
            &[
                "d1 name=First city=Delft",
                "D1@FIXTURE.example name=Second",
                "d1 name=Third city=Gouda",
                "d2 name=Other city=Delft",
            ],
        ),
        (
            "short-and-long",
            "UTF-8",
            COMMA,
            &["l1", "l2 name=Lo", "row: too-many-cells", "l4 name=Li city=Delft", "l5 name=Lu city=Delft"],
        ),
        ("truncated", "UTF-8", COMMA, &["x1 name=Xia note=whole", "row: ends-inside-quote"]),
    ]);
}

#[test]
fn file_that_is_no_table_is_refused_by_its_kind() {
    for (name, problem) in [
        ("xlsx-renamed", FileProblem::Spreadsheet),
        ("xls-renamed", FileProblem::Spreadsheet),
        ("zip-of-three", FileProblem::Archive),
        ("gzip", FileProblem::Archive),
        ("error-page", FileProblem::WebPage),
        ("vcard", FileProblem::VCard),
        ("json", FileProblem::Json),
        ("empty", FileProblem::Empty),
        ("only-mark", FileProblem::Empty),
        ("no-header", FileProblem::NoHeader),
    ] {
        assert_eq!(survey(&sample(name), Options::default()), Err(problem), "{name}");
    }
}

#[test]
fn remarks_name_the_oddities_of_a_file() {
    let fallback = "windows-1252".parse().unwrap();
    for (name, notes) in [
        ("excel-utf8-bom", vec![]),
        ("excel-sep-line", vec![FileNote::DelimiterNamed]),
        ("mixed-utf8-and-1252", vec![FileNote::MixedEncodings { fallback }]),
        ("utf8-read-as-1252", vec![FileNote::DecodedTwice]),
        ("quote-unclosed", vec![FileNote::QuoteNeverClosed { line: 3 }]),
        ("truncated", vec![FileNote::EndsInsideQuote { line: 3 }]),
        ("lines-quoted-whole", vec![FileNote::LinesQuotedWhole]),
        ("title-rows", vec![FileNote::HeaderAt { line: 4 }]),
    ] {
        assert_eq!(layout(&sample(name)).notes, notes, "{name}");
    }
}

#[test]
fn remarks_name_the_columns_that_are_left_out() {
    use ColumnNote::{FurtherAddress, NoName, RepeatedName, SetByProgram};
    for (name, expected) in [
        ("trailing-empty-columns", vec![(2, NoName)]),
        ("header-twice", vec![(2, RepeatedName), (3, RepeatedName), (4, FurtherAddress)]),
        (
            "reserved-names",
            vec![
                (0, SetByProgram),
                (2, SetByProgram),
                (3, SetByProgram),
                (4, SetByProgram),
                (5, SetByProgram),
            ],
        ),
        ("listmonk", vec![(5, SetByProgram), (6, SetByProgram)]),
        ("hubspot-contacts", vec![(0, SetByProgram), (7, SetByProgram)]),
    ] {
        let layout = layout(&sample(name));
        let noted = layout.columns.iter().filter_map(|column| Some((column.position, column.note?)));
        assert_eq!(noted.collect::<Vec<_>>(), expected, "{name}");
    }
}
