//! The work on an export: its columns, and its file in parts.

use contact_files::CsvWriter;
use domain::Timestamp;
use domain::ids::{AccountId, ExportId};
use domain::property::PropertyName;
use file_jobs::export_key;
use file_store::{FileError, FileWriter, WrittenParts};
use store::{BoxError, ExportRun, ExportedContact, FileFormat};

use crate::results::CSV;
use crate::row::{JsonRow, Rows};
use crate::{WorkError, Worked, Worker};

/// The media type of lines of JSON.
const NDJSON: &str = "application/x-ndjson";

/// The number of contacts that are read and written at once.
const CONTACTS: usize = 500;

impl<C, G> Worker<'_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    /// Works on an export until it is finished or the time is up.
    pub(crate) async fn export(&self, account: AccountId, export: ExportId) -> Result<Worked, WorkError> {
        let Some(mut run) = self.store.open_export(account, export, self.now()).await? else {
            return Ok(Worked::Finished);
        };
        let format = run.export().format;
        let mut columns = run.columns()?;
        if columns.is_none() && format == FileFormat::Csv && run.export().selection.is_some() {
            let is_found = run.find_columns(self.clock, self.should_continue).await?;
            if !is_found {
                let is_over = (self.should_continue)();
                return Ok(if is_over { Worked::Superseded } else { Worked::OutOfTime });
            }
            columns = run.columns()?;
        }
        let rows = match (format, run.export().selection) {
            (FileFormat::Ndjson, _) => Rows::Json,
            (FileFormat::Csv, None) => Rows::Statement,
            (FileFormat::Csv, Some(_)) => Rows::Contacts(columns.clone().unwrap_or_default()),
        };
        let key = export_key(account, export, format);
        match Box::pin(self.export_file(&mut run, key, &rows, columns.as_deref())).await {
            // The stored parts are gone or not those that were recorded, so the file begins again.
            Err(WorkError::Files(FileError::NotFound | FileError::Changed)) => {
                let is_stored = run.begin_again(self.now()).await?;
                Ok(if is_stored { Worked::OutOfTime } else { Worked::Finished })
            }
            worked => worked,
        }
    }

    async fn export_file(
        &self,
        run: &mut ExportRun<'_>,
        key: String,
        rows: &Rows,
        columns: Option<&[PropertyName]>,
    ) -> Result<Worked, WorkError> {
        let written: WrittenParts = match run.file() {
            Some(text) => serde_json::from_str(text).map_err(BoxError::from)?,
            None => WrittenParts::default(),
        };
        let media_type = if matches!(rows, Rows::Json) { NDJSON } else { CSV };
        let mut lines = Lines::new(rows, columns, written.parts.is_empty());
        let mut file = FileWriter::new(self.files.clone(), key, media_type.to_owned(), written);
        let mut count = run.export().rows;
        loop {
            let contacts = run.contacts(CONTACTS, self.now()).await?;
            if contacts.is_empty() {
                file.write(&lines.take()).await?;
                let bytes = file.finish().await?;
                let is_stored = run.finish(bytes, count, self.now()).await?;
                return Ok(if is_stored { Worked::Finished } else { Worked::Superseded });
            }
            count += contacts.len() as u64;
            for contact in &contacts {
                lines.add(contact)?;
            }
            if file.write(&lines.take()).await? {
                let text = serde_json::to_string(file.written()).map_err(BoxError::from)?;
                if !run.record(text, count, self.now()).await? {
                    return Ok(Worked::Superseded);
                }
            }
            if !(self.should_continue)() {
                return Ok(Worked::OutOfTime);
            }
        }
    }
}

/// The lines of a file that are not passed to its writer yet.
struct Lines<'r> {
    rows: &'r Rows,
    columns: Option<&'r [PropertyName]>,
    csv: CsvWriter,
    json: Vec<u8>,
}

impl<'r> Lines<'r> {
    /// Creates the lines of a file, with its header if it begins.
    fn new(rows: &'r Rows, columns: Option<&'r [PropertyName]>, begins: bool) -> Self {
        let mut csv = CsvWriter::resumed();
        if begins && let Some(header) = rows.header() {
            csv = CsvWriter::new();
            csv.record(header.iter().map(String::as_str));
        }
        Self { rows, columns, csv, json: Vec::new() }
    }

    fn add(&mut self, contact: &ExportedContact) -> Result<(), WorkError> {
        if matches!(self.rows, Rows::Json) {
            let row = JsonRow::new(contact, self.columns);
            serde_json::to_writer(&mut self.json, &row).map_err(BoxError::from)?;
            self.json.push(b'\n');
        } else {
            self.csv.record(self.rows.cells(contact).iter().map(String::as_str));
        }
        Ok(())
    }

    fn take(&mut self) -> Vec<u8> {
        let mut bytes = self.csv.take();
        bytes.append(&mut self.json);
        bytes
    }
}
