//! `/v1/imports/{id}/preview`: how a file is read, and the outcomes of its first rows.

use api::path::PathId;
use api::{AccountCaller, Problem, Query, respond};
use axum::extract::State;
use axum::response::Response;
use contact_files::{Column, Delimiter, FileNote, Layout, Row, RowReader};
use domain::ids::ImportId;
use domain::import::{ImportSummary, RowResult};
use domain::limits::{PREVIEW_BYTES, PREVIEW_CELL_CHARS, PREVIEW_ROWS, PREVIEW_VALUES};
use file_jobs::{explain, read_options, to_import, upload_key};
use serde::Serialize;
use serde_json::Value;
use store::{ImportFile, TriedRows};
use utoipa::ToSchema;

use crate::Parts;
use crate::import_view::SummaryView;
use crate::imports::file_problem;

/// A column of a file.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportColumn)]
struct ColumnView {
    /// The position, from 1. A mapping can name the column by it.
    position: usize,
    /// The name in the header.
    name: String,
    /// The part of a contact that the column fills: `email`, `unsubscribed`, `bounced` or a property. `null` if the column
    /// is not read.
    to: Option<String>,
    /// A remark, such as the reason for which the column is not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<&'static str>,
    /// The first values, each cut to 100 characters.
    values: Vec<String>,
}

/// The outcome of a row, if the import began now.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRow)]
struct RowView {
    /// The number of the row, from 1 after the header.
    row: u64,
    /// The number of its first line in the file.
    line: u64,
    /// The outcome.
    outcome: &'static str,
    /// The earlier row for the same contact, for the outcome `duplicate-of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    duplicate_of: Option<u64>,
    /// The part of a contact or the column that the reason is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(nullable = false)]
    field: String,
    /// The reason of an invalid row, and remarks.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(nullable = false)]
    reason: String,
    /// The outcome for the marketing state: `set`, `kept`, `unchanged` or `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    marketing: Option<&'static str>,
}

/// The way in which a file is read, with the outcomes of its first rows.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportPreview)]
pub(crate) struct PreviewView {
    /// The character encoding.
    encoding: &'static str,
    /// True if the encoding was guessed from the bytes.
    encoding_guessed: bool,
    /// The delimiter. `null` for a file of one column.
    delimiter: Option<&'static str>,
    /// The number of the line with the header. `null` for a file without one.
    header_line: Option<u64>,
    /// The columns.
    columns: Vec<ColumnView>,
    /// Remarks about the file, each with its name in `note`.
    notes: Vec<Value>,
    /// The number of rows. `null` if the file is longer than the part that a preview reads.
    rows_in_file: Option<u64>,
    /// True if the whole file was read. The encoding of a longer file is known only at the end.
    whole_file: bool,
    /// The outcomes of the first rows, at most 100.
    rows: Vec<RowView>,
    /// The numbers of these rows by their outcomes.
    summary: SummaryView,
    /// The number of these rows that would clear `unsubscribed`.
    clears_unsubscribed: u64,
    /// The number of these rows that would clear `bounced`.
    clears_bounced: u64,
}

/// Shows how a file is read.
///
/// The response contains the encoding, the delimiter, the columns with their targets, and the outcomes of the first 100
/// rows, as if the import began now. It reads the first 4 MB of the file and changes nothing. A file that can't be imported
/// is refused as when it is started.
#[utoipa::path(
    get, path = "/v1/imports/{id}/preview", tag = "Imports and exports",
    params(("id" = String, Path, description = "The import's id.")),
    responses(
        (status = 200, description = "The preview.", body = PreviewView),
        (status = 409, description = "upload-missing"),
    ),
)]
pub(crate) async fn preview_import(
    State(parts): State<Parts>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ImportId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    let (context, account) = (&parts.context, principal.account);
    let import = context.store.import(account, id).await?;
    let version = match &import.file {
        Some(ImportFile { version, .. }) => version.clone(),
        None => parts.upload(account, &import).await?.version,
    };
    let key = upload_key(account, id);
    let options = read_options(&import.reading).map_err(Problem::internal)?;
    let layout = parts.look_at(account, &import, &version, options).await?;
    let rows = parts.first_rows(&key, &version, &layout).await?;
    let imported: Vec<_> = rows.iter().map(to_import).collect();
    let tried = context.store.try_import_rows(account, &import, &imported, context.clock.now()).await?;
    respond::ok(&PreviewView::new(&layout, &rows, &tried)?)
}

impl Parts {
    async fn first_rows(&self, key: &str, version: &str, layout: &Layout) -> Result<Vec<Row>, Problem> {
        let mut body = self.files.read(key, version, layout.start.byte).await.map_err(file_problem)?;
        let mut reader = RowReader::new(layout, layout.start);
        let (mut rows, mut read, mut is_read) = (Vec::new(), 0, false);
        while rows.len() < PREVIEW_ROWS {
            match reader.next() {
                Some(row) => rows.push(row),
                None if is_read || read >= PREVIEW_BYTES => break,
                None => match body.next().await.map_err(file_problem)? {
                    Some(bytes) => {
                        read += bytes.len();
                        reader.feed(&bytes);
                    }
                    None => {
                        reader.end();
                        is_read = true;
                    }
                },
            }
        }
        Ok(rows)
    }
}

impl PreviewView {
    fn new(layout: &Layout, rows: &[Row], tried: &TriedRows) -> Result<Self, Problem> {
        let names: Vec<String> = layout.columns.iter().map(|column| column.name.clone()).collect();
        let mut summary = ImportSummary::default();
        tried.results.iter().for_each(|result| summary.add(result));
        let pairs = rows.iter().zip(&tried.results);
        let notes = layout.notes.iter().map(|note: &FileNote| serde_json::to_value(note));
        Ok(Self {
            encoding: layout.encoding.name(),
            encoding_guessed: layout.is_encoding_guessed,
            delimiter: layout.delimiter.map(Delimiter::as_str),
            header_line: layout.header_line,
            columns: layout.columns.iter().map(|column| ColumnView::new(column, rows)).collect(),
            notes: notes.collect::<Result<_, _>>().map_err(Problem::internal)?,
            rows_in_file: layout.rows,
            whole_file: layout.bytes.is_some(),
            rows: pairs.map(|(row, result)| RowView::new(row, result, &names)).collect(),
            summary: SummaryView::new(&summary),
            clears_unsubscribed: tried.cleared.0,
            clears_bounced: tried.cleared.1,
        })
    }
}

impl ColumnView {
    fn new(column: &Column, rows: &[Row]) -> Self {
        let cells = rows.iter().filter_map(|row| row.cells.get(column.position));
        let filled = cells.filter(|cell| !cell.trim().is_empty());
        let cut = |cell: &String| cell.chars().take(PREVIEW_CELL_CHARS).collect();
        Self {
            position: column.position + 1,
            name: column.name.clone(),
            to: column.target.name().map(str::to_owned),
            note: column.note.map(contact_files::ColumnNote::message),
            values: filled.take(PREVIEW_VALUES).map(cut).collect(),
        }
    }
}

impl RowView {
    fn new(row: &Row, result: &RowResult, columns: &[String]) -> Self {
        let explained = explain(row, result, columns);
        Self {
            row: row.number,
            line: row.line,
            outcome: result.outcome.as_str(),
            duplicate_of: result.duplicate_of,
            field: explained.field,
            reason: explained.reason,
            marketing: result.marketing.map(|marketing| match marketing {
                Ok(outcome) => outcome.as_str(),
                Err(_) => "refused",
            }),
        }
    }
}
