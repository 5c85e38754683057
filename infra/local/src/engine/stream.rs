//! The stream of a table: its changes in the order in which the engine records them.
//!
//! The engine searches its records with every write and never removes one, so writes would get slower without end. A
//! second connection to its database therefore adds an index for these searches, and removes records: those that a
//! reader has done, and those of more than a day, as DynamoDB does.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use dynoxide::actions::get_records::{GetRecordsRequest, GetRecordsResponse};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::{Database, DynoxideError, streams};
use rusqlite::{Connection, params};
use serde_json::Value;
use thiserror::Error;

use super::operations::InProcess;

/// The time for which a connection waits until the other one has written.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The index by which the engine finds its last record and reads in order, and the removal of old records.
///
/// Every thousandth record removes up to two thousand that are older than a day. So the work of one write is limited,
/// and more records are removed than added.
const SCHEMA: &str = "
    CREATE INDEX IF NOT EXISTS tidemark_stream_order
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER));

    CREATE TRIGGER IF NOT EXISTS tidemark_stream_trim
    AFTER INSERT ON _stream_records WHEN NEW.id % 1000 = 0
    BEGIN
        DELETE FROM _stream_records
        WHERE id IN (SELECT id FROM _stream_records ORDER BY id LIMIT 2000) AND created_at < NEW.created_at - 86400;
    END;";

/// The error of reading or removing the records of a stream.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The engine could not return its records.
    #[error("the engine could not read the stream")]
    Read(#[source] DynoxideError),
    /// The table has no stream.
    #[error("the table has no stream")]
    Missing,
    /// A record cannot be represented in JSON.
    #[error("a record cannot be represented in JSON")]
    Json(#[source] serde_json::Error),
    /// The records could not be removed.
    #[error("the records could not be removed")]
    Remove(#[source] rusqlite::Error),
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

/// The connection that maintains the records of a database.
#[derive(Debug)]
pub(super) struct Maintenance(Mutex<Connection>);

impl Maintenance {
    /// Opens a second connection to an engine's database, and prepares the records.
    pub(super) fn open(name: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(name)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // A removal that a crash undoes is a record that is read again, which has no effect.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Removes the records of a table up to this sequence number.
    fn remove_through(&self, table: &str, sequence_number: i64) -> rusqlite::Result<()> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sql =
            "DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2";
        connection.prepare_cached(sql)?.execute(params![table, sequence_number])?;
        Ok(())
    }
}

/// The stream of one table. Records stay until they are removed, so that a reader continues where it stopped, also after
/// a restart. The stream has one reader.
#[derive(Clone, Debug)]
pub struct Stream {
    engine: InProcess,
    table: String,
}

impl Stream {
    pub(super) fn new(engine: InProcess, table: String) -> Self {
        Self { engine, table }
    }

    /// Returns the oldest records, up to this number, each in the format of Lambda's events.
    ///
    /// # Errors
    ///
    /// [`StreamError`] if the table has no stream or the engine fails.
    pub async fn read(&self, limit: usize) -> Result<Vec<Value>, StreamError> {
        let table = self.table.clone();
        self.engine
            .with(move |operations| read(&operations.database, &table, limit))
            .await
            .unwrap_or(Err(StreamError::Stopped))
    }

    /// Removes a record and all earlier ones.
    ///
    /// # Errors
    ///
    /// [`StreamError`] if the engine fails.
    pub async fn remove_through(&self, sequence_number: &str) -> Result<(), StreamError> {
        let Some(stored) = stored(sequence_number) else { return Ok(()) };
        let table = self.table.clone();
        let removed = self.engine.with(move |operations| match &operations.maintenance {
            Some(maintenance) => maintenance.remove_through(&table, stored).map_err(StreamError::Remove),
            None => Err(StreamError::Missing),
        });
        removed.await.unwrap_or(Err(StreamError::Stopped))
    }

    /// Waits for the next write to any table. A write since the last call counts.
    pub async fn written(&self) {
        self.engine.written().await;
    }
}

/// Returns the number that the engine stores for a sequence number of 21 digits, of which the first is 1.
fn stored(sequence_number: &str) -> Option<i64> {
    sequence_number.strip_prefix('1')?.parse().ok()
}

/// Returns the oldest records of a table.
fn read(database: &Database, table: &str, limit: usize) -> Result<Vec<Value>, StreamError> {
    let request = GetShardIteratorRequest {
        // The engine reads the table's name from it, and nothing else.
        stream_arn: streams::stream_arn(table, ""),
        shard_id: streams::shard_id(table),
        shard_iterator_type: "TRIM_HORIZON".to_owned(),
        sequence_number: None,
    };
    let iterator = database.get_shard_iterator(request).map_err(StreamError::Read)?.shard_iterator;
    let request =
        GetRecordsRequest { shard_iterator: iterator.ok_or(StreamError::Missing)?, limit: Some(limit) };
    let GetRecordsResponse { records, .. } = database.get_records(request).map_err(StreamError::Read)?;
    records.iter().map(serde_json::to_value).collect::<Result<_, _>>().map_err(StreamError::Json)
}

#[cfg(test)]
mod tests;
