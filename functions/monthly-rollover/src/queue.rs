//! Where sweeps are asked for.

use std::future::Future;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::limits::QUEUE_BATCH_MAX;
use store::{BoxError, SweepTask};

/// Takes sweeps to be done soon, at least once each.
pub trait SweepQueue: Sync {
    /// Asks for these sweeps.
    ///
    /// # Errors
    ///
    /// The queue's own, when not all of them were taken.
    fn send(&self, tasks: &[SweepTask]) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// An SQS queue. Its own delay lets the `leaving` index catch up with the table before a sweep begins.
#[derive(Clone, Debug)]
pub struct Sqs {
    client: Client,
    url: String,
}

impl Sqs {
    /// The queue with this URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }
}

impl SweepQueue for Sqs {
    async fn send(&self, tasks: &[SweepTask]) -> Result<(), BoxError> {
        for chunk in tasks.chunks(QUEUE_BATCH_MAX) {
            let mut entries = Vec::new();
            for (index, task) in chunk.iter().enumerate() {
                let body = serde_json::to_string(task)?;
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
                entries.push(entry.build()?);
            }
            let sent = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries))
                .send()
                .await?;
            if let Some(failed) = sent.failed().first() {
                return Err(format!(
                    "{} messages were not taken, the first: {}",
                    sent.failed().len(),
                    failed.code()
                )
                .into());
            }
        }
        Ok(())
    }
}
