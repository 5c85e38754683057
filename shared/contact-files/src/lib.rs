#![doc = include_str!("../README.md")]

mod address;
mod cells;
mod columns;
mod contact;
mod delimiter;
mod detect;
mod encoding;
mod flags;
mod format;
mod header;
mod kinds;
mod layout;
mod lines;
mod names;
mod place;
mod problem;
mod quotes;
mod reader;
mod records;
mod row;
mod sample;
mod survey;
mod target;
mod values;
mod writer;

pub use delimiter::Delimiter;
pub use encoding::{Encoding, UnknownEncoding};
pub use layout::{Column, ColumnNote, FileNote, Layout, Options};
pub use place::Place;
pub use problem::FileProblem;
pub use reader::RowReader;
pub use row::{Content, Reason, Row, RowContact, RowNote, RowProblem};
pub use survey::Survey;
pub use target::Target;
pub use values::cell_value;
pub use writer::{CsvWriter, OUTCOME_COLUMNS, header_of};

#[cfg(test)]
mod tests;
