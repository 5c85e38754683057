//! The survey of an uploaded file, and the texts by which the store keeps what it found.

use contact_files::{FileProblem, Layout, Options, Place, Survey};
use file_store::{FileError, Files};
use store::BoxError;
use thiserror::Error;

/// The reason for which a survey has no layout.
#[derive(Debug, Error)]
pub enum SurveyError {
    /// The file can't be imported.
    #[error(transparent)]
    File(#[from] FileProblem),
    /// The file could not be read now.
    #[error(transparent)]
    Files(#[from] FileError),
}

/// Surveys a file, or its first `most` bytes. Returns `None` if `should_continue` returned false before the end.
///
/// # Errors
///
/// See [`SurveyError`].
pub async fn survey(
    files: &Files,
    key: &str,
    version: &str,
    options: Options,
    most: Option<usize>,
    should_continue: impl Fn() -> bool,
) -> Result<Option<Layout>, SurveyError> {
    let mut survey = Survey::new(options);
    let mut body = files.read(key, version, 0).await?;
    let mut read = 0;
    while let Some(bytes) = body.next().await? {
        let rest = most.map_or(bytes.len(), |most| bytes.len().min(most - read));
        survey.feed(bytes.get(..rest).unwrap_or_default());
        read += rest;
        if most.is_some_and(|most| read >= most) {
            return Ok(Some(survey.finish(false)?));
        }
        if !should_continue() {
            return Ok(None);
        }
    }
    Ok(Some(survey.finish(true)?))
}

/// Returns the text of options.
///
/// # Errors
///
/// A failure of the encoding, which options can't cause.
pub fn options_text(options: &Options) -> Result<String, BoxError> {
    Ok(serde_json::to_string(options)?)
}

/// Parses the text of options.
///
/// # Errors
///
/// A text that [`options_text`] did not return.
pub fn read_options(text: &str) -> Result<Options, BoxError> {
    Ok(serde_json::from_str(text)?)
}

/// Returns the text of a layout.
///
/// # Errors
///
/// A failure of the encoding, which a layout can't cause.
pub fn layout_text(layout: &Layout) -> Result<String, BoxError> {
    Ok(serde_json::to_string(layout)?)
}

/// Parses the text of a layout.
///
/// # Errors
///
/// A text that [`layout_text`] did not return.
pub fn read_layout(text: &str) -> Result<Layout, BoxError> {
    Ok(serde_json::from_str(text)?)
}

/// Returns the text of a place.
#[must_use]
pub fn place_text(place: Place) -> String {
    format!("{}:{}:{}", place.byte, place.row, place.line)
}

/// Parses the text of a place.
///
/// # Errors
///
/// A text that [`place_text`] did not return.
pub fn read_place(text: &str) -> Result<Place, BoxError> {
    let mut numbers = text.split(':').map(str::parse::<u64>);
    match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(byte)), Some(Ok(row)), Some(Ok(line)), None) => Ok(Place { byte, row, line }),
        _ => Err("a stored place in a file is unreadable".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_round_trips_and_another_text_is_an_error() {
        let place = Place { byte: 1 << 40, row: 7, line: 9 };
        assert_eq!(read_place(&place_text(place)).unwrap(), place);
        for text in ["", "1", "1:2", "1:2:3:4", "a:1:1", "-1:1:1"] {
            assert!(read_place(text).is_err(), "{text}");
        }
    }
}
