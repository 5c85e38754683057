//! Imports: their progress, the layout of their files, and the results of their rows.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::decision::{Outcome, Refusal};
use domain::ids::{ImportId, SegmentId};
use domain::import::{ImportMode, ImportSummary, RowOutcome, RowResult};
use domain::source::Actor;
use serde::{Deserialize, Serialize};

use super::history::actor;
use super::{Entity, Versioned, as_text, unreadable};
use crate::StoreError;
use crate::job_state::ImportState;

/// An import and its progress. Every transaction of the import writes this item, so it is small.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ImportItem {
    #[serde(with = "as_text")]
    pub(crate) id: ImportId,
    pub(crate) name: String,
    #[serde(with = "actor")]
    pub(crate) actor: Actor,
    #[serde(with = "as_text")]
    pub(crate) state: ImportState,
    /// The state in which the import ends, once its last rows are done and the results remain to be written.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends_as: Option<ImportState>,
    #[serde(with = "as_text")]
    pub(crate) mode: ImportMode,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) set_marketing: bool,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) add_to_segment: Option<SegmentId>,
    pub(crate) automations: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dry_run: bool,
    /// The options for reading the file, as the caller's text.
    pub(crate) reading: String,
    /// The file, once it is uploaded and the import has started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<ImportFileItem>,
    /// The number of rows in the file, once it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
    /// The number of rows that are done.
    #[serde(default)]
    pub(crate) done: u64,
    /// The place in the file after these rows, as the reader's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    #[serde(default)]
    pub(crate) summary: ImportSummaryItem,
    /// The reason for which the import failed: a slug, a space and a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
    /// True if the files with the results are written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) has_results: bool,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Timestamp>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_shard: Option<String>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

impl Entity for ImportItem {
    const TAG: &'static str = "import";
}

impl Versioned for ImportItem {
    fn version(&self) -> u64 {
        self.version
    }
}

/// An uploaded file.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ImportFileItem {
    pub(crate) bytes: u64,
    /// The version that the file store has assigned to the content.
    pub(crate) version: String,
}

/// The numbers of an import's rows by their results.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ImportSummaryItem {
    rows: BTreeMap<String, u64>,
    #[serde(default)]
    set: u64,
    #[serde(default)]
    kept: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refused: BTreeMap<String, u64>,
}

impl From<&ImportSummary> for ImportSummaryItem {
    fn from(summary: &ImportSummary) -> Self {
        let rows = RowOutcome::ALL.iter().map(|outcome| (outcome.to_string(), summary.rows(*outcome)));
        let refused = summary.refused.iter().map(|(refusal, rows)| (refusal.to_string(), *rows));
        Self {
            rows: rows.filter(|(_, rows)| *rows > 0).collect(),
            set: summary.set,
            kept: summary.kept,
            refused: refused.collect(),
        }
    }
}

impl ImportSummaryItem {
    /// Returns the summary. An outcome or reason that this code does not know is left out.
    pub(crate) fn summary(&self) -> ImportSummary {
        let rows = self.rows.iter().filter_map(|(text, rows)| Some((text.parse().ok()?, *rows)));
        let refused = self.refused.iter().filter_map(|(text, rows)| Some((text.parse().ok()?, *rows)));
        ImportSummary::of(rows.collect(), self.set, self.kept, refused.collect())
    }
}

/// The layout of an import's file, as the reader's text. It is apart from the progress, because it may have hundreds of
/// columns.
#[derive(Serialize, Deserialize)]
pub(crate) struct ImportLayoutItem {
    pub(crate) layout: String,
    pub(crate) expires_at: i64,
}

impl Entity for ImportLayoutItem {
    const TAG: &'static str = "import-layout";
}

/// The results of the rows that one transaction has decided. The sort key is the number of the first row.
#[derive(Serialize, Deserialize)]
pub(crate) struct ImportRowsItem {
    pub(crate) first: u64,
    /// The results, separated by spaces (see [`encode_results`]).
    pub(crate) results: String,
    pub(crate) expires_at: i64,
}

impl Entity for ImportRowsItem {
    const TAG: &'static str = "import-rows";
}

// Each result is a letter for the outcome and what belongs to it, then the result for the marketing state after a `+`,
// and a `~` if a value was left out. A row takes one to three bytes, so a transaction of a thousand rows costs little
// more than one without their results.

/// Encodes results in one text.
pub(crate) fn encode_results(results: &[RowResult]) -> String {
    let texts: Vec<String> = results.iter().map(encode_result).collect();
    texts.join(" ")
}

fn encode_result(result: &RowResult) -> String {
    let mut text = match result.outcome {
        RowOutcome::Created => "c".to_owned(),
        RowOutcome::Updated => "u".to_owned(),
        RowOutcome::Unchanged => "n".to_owned(),
        RowOutcome::DuplicateOf => format!("d{}", result.duplicate_of.unwrap_or_default()),
        RowOutcome::Empty => "e".to_owned(),
        RowOutcome::Invalid => format!("i{}", result.problem.as_deref().unwrap_or_default()),
        RowOutcome::NotRun => "x".to_owned(),
    };
    match result.marketing {
        None => {}
        Some(Ok(outcome)) => text.push_str(&format!("+{outcome}")),
        Some(Err(refusal)) => text.push_str(&format!("+!{refusal}")),
    }
    if result.kept_value {
        text.push('~');
    }
    text
}

impl ImportRowsItem {
    /// Returns the results.
    ///
    /// # Errors
    ///
    /// A fault if the text has another format.
    pub(crate) fn decode_results(&self) -> Result<Vec<RowResult>, StoreError> {
        let results = self.results.split(' ').map(decode_result).collect::<Option<_>>();
        results.ok_or_else(|| unreadable::<Self>("result"))
    }
}

fn decode_result(text: &str) -> Option<RowResult> {
    let (text, kept_value) = text.strip_suffix('~').map_or((text, false), |text| (text, true));
    let (text, marketing) = match text.rsplit_once('+') {
        Some((text, refused)) if refused.starts_with('!') => {
            (text, Some(Err(refused.strip_prefix('!')?.parse::<Refusal>().ok()?)))
        }
        Some((text, outcome)) => (text, Some(Ok(outcome.parse::<Outcome>().ok()?))),
        None => (text, None),
    };
    let mut letters = text.chars();
    let letter = letters.next()?;
    let rest = letters.as_str();
    let result = match letter {
        'c' => RowResult::new(RowOutcome::Created),
        'u' => RowResult::new(RowOutcome::Updated),
        'n' => RowResult::new(RowOutcome::Unchanged),
        'd' => {
            RowResult { duplicate_of: Some(rest.parse().ok()?), ..RowResult::new(RowOutcome::DuplicateOf) }
        }
        'e' => RowResult::new(RowOutcome::Empty),
        'i' => RowResult::invalid(rest),
        'x' => RowResult::new(RowOutcome::NotRun),
        _ => return None,
    };
    Some(RowResult { marketing, kept_value, ..result })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_every_kind_round_trip() {
        let marketing = [
            None,
            Some(Ok(Outcome::Set)),
            Some(Ok(Outcome::Kept)),
            Some(Ok(Outcome::Unchanged)),
            Some(Err(Refusal::CapReached)),
        ];
        let mut results = Vec::new();
        for outcome in RowOutcome::ALL {
            for (marketing, kept_value) in marketing.into_iter().zip([false, true, false, true, true]) {
                results.push(RowResult {
                    outcome: *outcome,
                    duplicate_of: (*outcome == RowOutcome::DuplicateOf).then_some(17),
                    problem: (*outcome == RowOutcome::Invalid).then(|| "3:several-addresses".to_owned()),
                    marketing,
                    kept_value,
                });
            }
        }
        let item = ImportRowsItem { first: 1, results: encode_results(&results), expires_at: 0 };
        assert_eq!(item.decode_results().unwrap(), results);
    }

    #[test]
    fn text_of_another_format_is_a_fault() {
        for results in ["", "y", "dx", "c+sold", "c+!none", "c  c"] {
            let item = ImportRowsItem { first: 1, results: results.to_owned(), expires_at: 0 };
            assert!(matches!(item.decode_results(), Err(StoreError::Fault(..))), "{results}");
        }
    }
}
