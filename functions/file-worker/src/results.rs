//! The files with the results of an import's rows. They are written after the rows, from the uploaded file and the stored
//! results. So a row's cells are stored once, and a result is stored with its contact.

use std::borrow::Cow;
use std::collections::VecDeque;

use contact_files::{CsvWriter, Layout, OUTCOME_COLUMNS, Row, RowReader, cell_value};
use domain::Timestamp;
use domain::ids::{AccountId, ImportId};
use domain::import::{RowOutcome, RowResult};
use file_jobs::{ResultRows, outcome_cells, results_key};
use file_store::{FileWriter, Files, WrittenParts};
use store::{ImportFile, ImportRun, Store};

use crate::{WorkError, Worked, Worker};

/// The media type of the files.
pub(crate) const CSV: &str = "text/csv; charset=utf-8";

/// The number of bytes that are collected before they are passed to a file's writer.
const COLLECTED_BYTES: usize = 64 * 1024;

impl<C, G> Worker<'_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    /// Writes the files and finishes the import. A run that is interrupted begins them again.
    pub(crate) async fn results(
        &self,
        run: &mut ImportRun<'_>,
        layout: &Layout,
        account: AccountId,
        key: &str,
        file: &ImportFile,
    ) -> Result<Worked, WorkError> {
        let import = run.import().id;
        let columns = header(layout);
        let output = |rows| Output::new(self.files, results_key(account, import, rows), &columns);
        let (mut all, mut failed) = (output(ResultRows::All), output(ResultRows::Failed));
        let mut results =
            Results { store: self.store, account, import, read: VecDeque::new(), next: 1, is_over: false };
        let mut body = self.files.read(key, &file.version, layout.start.byte).await?;
        let mut reader = RowReader::new(layout, layout.start);
        let (mut is_read, mut not_run) = (false, 0);
        loop {
            let Some(row) = reader.next() else {
                if is_read {
                    break;
                }
                if !(self.should_continue)() {
                    return Ok(Worked::OutOfTime);
                }
                match body.next().await? {
                    Some(bytes) => reader.feed(&bytes),
                    None => {
                        reader.end();
                        is_read = true;
                    }
                }
                continue;
            };
            let result = results.of(row.number).await?;
            not_run += u64::from(result.outcome == RowOutcome::NotRun);
            all.write(&row, &result, &columns).await?;
            if result.has_failed() {
                failed.write(&row, &result, &columns).await?;
            }
        }
        all.finish().await?;
        failed.finish().await?;
        let is_stored = run.finish(not_run, self.now()).await?;
        Ok(if is_stored { Worked::Finished } else { Worked::Superseded })
    }
}

/// Returns the names of the file's own columns. A file without a header has their positions.
fn header(layout: &Layout) -> Vec<String> {
    layout.columns.iter().map(|column| column.name.clone()).collect()
}

/// One file with results.
struct Output {
    csv: CsvWriter,
    file: FileWriter,
}

impl Output {
    fn new(files: &Files, key: String, columns: &[String]) -> Self {
        let mut csv = CsvWriter::new();
        csv.record(OUTCOME_COLUMNS.into_iter().chain(columns.iter().map(String::as_str)));
        let file = FileWriter::new(files.clone(), key, CSV.to_owned(), WrittenParts::default());
        Self { csv, file }
    }

    async fn write(&mut self, row: &Row, result: &RowResult, columns: &[String]) -> Result<(), WorkError> {
        let outcome = outcome_cells(row, result, columns);
        let cells: Vec<Cow<'_, str>> = row.cells.iter().map(|cell| cell_value(cell)).collect();
        self.csv.record(outcome.iter().map(String::as_str).chain(cells.iter().map(AsRef::as_ref)));
        if self.csv.len() >= COLLECTED_BYTES {
            self.file.write(&self.csv.take()).await.map_err(WorkError::Results)?;
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<(), WorkError> {
        self.file.write(&self.csv.take()).await.map_err(WorkError::Results)?;
        self.file.finish().await.map_err(WorkError::Results)?;
        Ok(())
    }
}

/// The stored results, in the order of the rows.
struct Results<'s> {
    store: &'s Store,
    account: AccountId,
    import: ImportId,
    /// The results that were read, beginning with that of the row `next`.
    read: VecDeque<RowResult>,
    next: u64,
    /// True if no later row has a result.
    is_over: bool,
}

impl Results<'_> {
    /// Returns the result of the next row. A row without a stored result was not run.
    async fn of(&mut self, row: u64) -> Result<RowResult, WorkError> {
        if self.read.is_empty() && !self.is_over {
            for part in self.store.imported_rows(self.account, self.import, row).await? {
                // A dry run that began again may have left parts of its first run behind.
                if part.first == self.next + self.read.len() as u64 {
                    self.read.extend(part.results);
                }
            }
            self.is_over = self.read.is_empty();
        }
        self.next = row + 1;
        Ok(self.read.pop_front().unwrap_or_else(|| RowResult::new(RowOutcome::NotRun)))
    }
}
