//! The parts of imports and exports that several functions share: the keys of their files, the survey of an uploaded
//! file, and the conversion of a file's rows.

mod keys;
mod outcome;
mod rows;
mod survey;

pub use keys::{ResultRows, export_key, results_key, upload_key};
pub use outcome::{Explained, explain, outcome_cells};
pub use rows::to_import;
pub use survey::{
    SurveyError, layout_text, options_text, place_text, read_layout, read_options, read_place, survey,
};
