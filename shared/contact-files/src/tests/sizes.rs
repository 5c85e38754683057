//! Files at and beyond the limits.

use domain::limits::{
    IMPORT_COLUMNS_MAX, IMPORT_RECORD_BYTES_MAX, IMPORT_RECORD_CELLS_MAX, IMPORT_SAMPLE_BYTES_MAX,
    PROPERTIES_MAX,
};

use super::{layout, outcomes, rows, survey, told};
use crate::{FileNote, FileProblem, Options, Place, RowReader};

/// Returns a file with this number of columns beside the address, and one row of which this number of cells is filled.
fn wide(columns: usize, filled: usize) -> String {
    let header: String = (0..columns).map(|column| format!(",c{column}")).collect();
    let row: String = (0..columns).map(|column| if column < filled { ",x" } else { "," }).collect();
    format!("email{header}\na@x.org{row}\n")
}

#[test]
fn only_filled_cells_count_as_properties() {
    let row = |columns, filled| outcomes(wide(columns, filled).as_bytes(), Options::default()).remove(0);
    assert!(row(PROPERTIES_MAX, PROPERTIES_MAX).ends_with(" c199=x"));
    assert!(row(250, 40).ends_with(" c39=x"));
    assert_eq!(row(PROPERTIES_MAX + 1, PROPERTIES_MAX + 1), "row: too-many-properties");
    assert_eq!(
        survey(wide(IMPORT_COLUMNS_MAX, 1).as_bytes(), Options::default()),
        Err(FileProblem::TooManyColumns)
    );
}

#[test]
fn value_beyond_the_limit_names_its_column() {
    let long = "x".repeat(64 * 1024);
    let file = format!("email,Long note,b,c\na@x.org,{long},,\nb@x.org,{long}x,,\nc@x.org,{long},{long},y\n");
    let outcomes = outcomes(file.as_bytes(), Options::default());
    assert!(outcomes[0].starts_with("a@x.org long_note=x"));
    assert_eq!(outcomes[1..], ["Long note: value-too-long", "row: properties-too-long"]);
}

/// Reads a file in pieces of this size, and returns the outcomes and the largest memory of the reader.
fn in_pieces(file: &[u8], size: usize) -> (Vec<String>, usize) {
    let layout = layout(file);
    let start = usize::try_from(layout.start.byte).unwrap();
    let mut reader = RowReader::new(&layout, layout.start);
    let (mut outcomes, mut largest) = (Vec::new(), 0);
    for piece in file[start..].chunks(size) {
        reader.feed(piece);
        largest = largest.max(reader.capacity());
        while let Some(row) = reader.next() {
            outcomes.push(told(&row));
        }
        largest = largest.max(reader.capacity());
    }
    reader.end();
    outcomes.extend(std::iter::from_fn(|| reader.next()).map(|row| told(&row)));
    (outcomes, largest)
}

#[test]
fn cell_of_ten_megabytes_is_one_invalid_row() {
    for (quote, end, size) in [("", "\n", 2), ("\"", "\r\n", 10)] {
        let cell = "x".repeat(size * 1024 * 1024);
        let file = format!("email,note{end}a@x.org,{quote}{cell}{quote}{end}b@x.org,ok{end}");
        let (outcomes, largest) = in_pieces(file.as_bytes(), 64 * 1024);
        assert_eq!(outcomes, ["row: row-too-long", "b@x.org note=ok"]);
        assert!(largest <= 4 * IMPORT_RECORD_BYTES_MAX, "{largest}");
    }
}

#[test]
fn quoted_lines_beyond_the_limit_are_rows_of_their_own() {
    let line = "x".repeat(1023);
    let mut file = "email,note\na@x.org,\"".to_owned();
    for _ in 0..2048 {
        file.push_str(&line);
        file.push('\n');
    }
    file.push_str("\"\nb@x.org,ok\n");
    let (outcomes, largest) = in_pieces(file.as_bytes(), 64 * 1024);
    assert_eq!(outcomes[0], "row: quote-never-closed");
    assert_eq!(outcomes[1], "email: invalid-address");
    // Each of the lines in the quote has an outcome, and the line with the quote's end.
    assert_eq!(outcomes.len(), 2048 + 2);
    assert_eq!(outcomes.last().unwrap(), "b@x.org note=ok");
    assert!(largest <= 4 * IMPORT_RECORD_BYTES_MAX, "{largest}");
}

#[test]
fn rows_beyond_the_sample_are_counted() {
    let row = format!("a@x.org,\"two\n{}\"\r\n", "lines".repeat(100));
    let count = IMPORT_SAMPLE_BYTES_MAX / row.len() + 100;
    let file = format!("email,note\r\n{}z@x.org,\"open\r\n", row.repeat(count));
    let expected = u64::try_from(count).unwrap() + 1;
    let whole = layout(file.as_bytes());
    assert_eq!((whole.rows, whole.bytes), (Some(expected), Some(u64::try_from(file.len()).unwrap())));
    assert_eq!(whole.notes, [FileNote::EndsInsideQuote { line: 2 * expected }]);
    assert_eq!(u64::try_from(rows(file.as_bytes(), &whole).len()).unwrap(), expected);

    let mut pieces = crate::Survey::new(Options::default());
    file.as_bytes().chunks(1_021).for_each(|piece| pieces.feed(piece));
    assert_eq!(pieces.finish(true).as_ref(), Ok(&whole));

    let mut beginning = crate::Survey::new(Options::default());
    beginning.feed(&file.as_bytes()[..IMPORT_SAMPLE_BYTES_MAX + 10]);
    let part = beginning.finish(false).unwrap();
    assert_eq!((part.rows, part.bytes, part.columns), (None, None, whole.columns));
}

#[test]
fn row_cut_at_the_limit_shows_the_beginning_of_its_cells() {
    let file = format!("email,note\na@x.org,{}\n", "é".repeat(IMPORT_RECORD_BYTES_MAX / 2));
    let row = rows(file.as_bytes(), &layout(file.as_bytes())).remove(0);
    assert_eq!(row.cells[0], "a@x.org");
    assert!(row.cells[1].chars().all(|c| c == 'é') && row.cells[1].len() <= 1024);
    let after = Place { byte: u64::try_from(file.len()).unwrap(), row: 1, line: 3 };
    assert_eq!(row.after, after);
}

#[test]
fn row_of_too_many_cells_is_too_long() {
    let commas = ",".repeat(IMPORT_RECORD_CELLS_MAX);
    let file = format!("email,note\na@x.org,ok{commas}\nb@x.org,\"{commas}\"\nc@x.org,ok{}\n", &commas[3..]);
    let outcomes = outcomes(file.as_bytes(), Options::default());
    assert_eq!(outcomes[0], "row: row-too-long");
    assert!(outcomes[1].starts_with("b@x.org note=,,"));
    assert_eq!(outcomes[2], "c@x.org note=ok");
}
