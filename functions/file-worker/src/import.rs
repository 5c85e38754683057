//! The work on an import: the survey of its file, its rows in order, and the files with their results.

use contact_files::{Layout, RowReader};
use domain::Timestamp;
use domain::ids::{AccountId, ImportId};
use file_jobs::{
    SurveyError, layout_text, read_layout, read_options, read_place, survey, to_import, upload_key,
};
use file_store::FileError;
use store::{ImportFile, ImportRun};

use crate::{WorkError, Worked, Worker};

impl<C, G> Worker<'_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    /// Works on an import until it is finished or the time is up.
    pub(crate) async fn import(&self, account: AccountId, import: ImportId) -> Result<Worked, WorkError> {
        let Some(mut run) = self.store.open_import(account, import, self.now()).await? else {
            return Ok(Worked::Finished);
        };
        let stored = run.import();
        let Some(file) = stored.file else { return Ok(Worked::Finished) };
        let key = upload_key(account, import);
        match Box::pin(self.import_file(&mut run, account, &key, &file)).await {
            // The owner of the bucket has deleted or replaced the file. A caller can't: a link stores a file once.
            Err(WorkError::Files(FileError::NotFound | FileError::Changed)) => {
                let text = "The file was replaced or deleted after the import had started.";
                run.refuse("file-changed", text, self.now()).await?;
                Ok(Worked::Finished)
            }
            worked => worked,
        }
    }

    async fn import_file(
        &self,
        run: &mut ImportRun<'_>,
        account: AccountId,
        key: &str,
        file: &ImportFile,
    ) -> Result<Worked, WorkError> {
        let layout = match run.layout() {
            Some(layout) => read_layout(layout)?,
            None => match self.survey(run, key, file).await? {
                Ok(layout) => layout,
                Err(worked) => return Ok(worked),
            },
        };
        if run.ends_as().is_none() {
            let applied = self.rows(run, &layout, key, file).await?;
            if applied != Worked::Finished {
                return Ok(applied);
            }
        }
        self.results(run, &layout, account, key, file).await
    }

    /// Surveys the file. Returns the end of the work if there is no layout.
    async fn survey(
        &self,
        run: &mut ImportRun<'_>,
        key: &str,
        file: &ImportFile,
    ) -> Result<Result<Layout, Worked>, WorkError> {
        let options = read_options(&run.import().reading)?;
        let surveyed = survey(self.files, key, &file.version, options, None, self.should_continue).await;
        let layout = match surveyed {
            Ok(Some(layout)) => layout,
            Ok(None) => return Ok(Err(Worked::OutOfTime)),
            Err(SurveyError::Files(error)) => return Err(error.into()),
            Err(SurveyError::File(problem)) => {
                let is_stored = run.refuse(problem.slug(), &problem.to_string(), self.now()).await?;
                return Ok(Err(if is_stored { Worked::Finished } else { Worked::Superseded }));
            }
        };
        let is_stored = run.record_layout(layout_text(&layout)?, layout.rows, self.now()).await?;
        Ok(if is_stored { Ok(layout) } else { Err(Worked::Superseded) })
    }

    /// Applies the rows from the import's place on.
    async fn rows(
        &self,
        run: &mut ImportRun<'_>,
        layout: &Layout,
        key: &str,
        file: &ImportFile,
    ) -> Result<Worked, WorkError> {
        let place = run.place().map(read_place).transpose()?.unwrap_or(layout.start);
        let mut body = self.files.read(key, &file.version, place.byte).await?;
        let mut reader = RowReader::new(layout, place);
        let mut is_read = false;
        loop {
            while run.wants_rows() {
                if let Some(row) = reader.next() {
                    run.push(to_import(&row));
                } else if is_read {
                    break;
                } else if let Some(bytes) = body.next().await? {
                    reader.feed(&bytes);
                } else {
                    reader.end();
                    is_read = true;
                }
            }
            if run.is_idle() {
                let is_stored = run.finish_rows(self.now()).await?;
                return Ok(if is_stored { Worked::Finished } else { Worked::Superseded });
            }
            if !(self.should_continue)() {
                return Ok(Worked::OutOfTime);
            }
            if !run.apply(self.now()).await? {
                return Ok(Worked::Superseded);
            }
        }
    }
}
