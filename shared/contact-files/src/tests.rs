//! Tests of whole files.

mod files;
mod mappings;
mod programs;
mod samples;
mod sizes;
mod streams;

use crate::{Content, FileProblem, Layout, Options, Row, RowReader, Survey, Target};

/// Returns a sample file (`tests/fixtures/files/README.md`).
fn sample(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/files");
    std::fs::read(format!("{folder}/{name}.csv")).unwrap()
}

/// Surveys a whole file.
fn survey(bytes: &[u8], options: Options) -> Result<Layout, FileProblem> {
    let mut survey = Survey::new(options);
    survey.feed(bytes);
    survey.finish(true)
}

/// Returns the layout of a whole file that is read without options.
fn layout(bytes: &[u8]) -> Layout {
    survey(bytes, Options::default()).unwrap()
}

/// Returns options that map columns. An empty target is nothing.
fn mapping(entries: &[(&str, &str)]) -> Options {
    let target = |text: &str| if text.is_empty() { Target::Nothing } else { text.parse().unwrap() };
    let mapping = entries.iter().map(|(name, text)| ((*name).to_owned(), target(text))).collect();
    Options { mapping, ..Options::default() }
}

/// Returns the rows of a whole file.
fn rows(bytes: &[u8], layout: &Layout) -> Vec<Row> {
    let mut reader = RowReader::new(layout, layout.start);
    reader.feed(&bytes[usize::try_from(layout.start.byte).unwrap()..]);
    reader.end();
    std::iter::from_fn(|| reader.next()).collect()
}

/// Returns the outcome of each row of a whole file, as [`told`] shows it.
fn outcomes(bytes: &[u8], options: Options) -> Vec<String> {
    let layout = survey(bytes, options).unwrap();
    rows(bytes, &layout).iter().map(told).collect()
}

/// Returns a row as a text: the address, the flags, the properties and the remarks, or the problem. A property that is
/// written only where the contact has no value has a question mark.
fn told(row: &Row) -> String {
    let mut parts = match &row.content {
        Content::Empty => vec!["empty".to_owned()],
        Content::Invalid(problem) => vec![format!("{}: {}", problem.field, problem.reason.slug())],
        Content::Contact(contact) => {
            let mut parts = vec![contact.email.given().replace("@fixture.example", "")];
            for (flag, name) in [(contact.unsubscribed, "unsubscribed"), (contact.bounced, "bounced")] {
                parts.extend(flag.map(|is_set| if is_set { name.to_owned() } else { format!("not {name}") }));
            }
            for (name, value) in &contact.properties {
                let mark = if contact.cautious.contains(name) { "?" } else { "" };
                parts.push(format!("{name}{mark}={value}"));
            }
            parts
        }
    };
    parts.extend(row.notes.iter().map(|note| format!("[{}]", note.slug())));
    parts.join(" ")
}
