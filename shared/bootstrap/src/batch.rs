//! Batches of a queue's messages.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use serde::de::DeserializeOwned;

/// The messages of one event, each with the task in its body.
#[derive(Debug)]
pub struct Batch<T>(Vec<(String, Option<T>)>);

impl<T: DeserializeOwned> Batch<T> {
    /// Reads the messages of an event. A message without a valid task is logged without its text, which may be
    /// anything. [`Self::failed`] includes it, so the queue moves it to its dead letters.
    #[must_use]
    pub fn read(event: SqsEvent) -> Self {
        Self(event.records.into_iter().map(read).collect())
    }
}

impl<T> Batch<T> {
    /// Returns the tasks, in the order of the messages.
    pub fn tasks(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|(_, task)| task.as_ref())
    }

    /// Returns the response with the ids of the messages whose task is not done. The queue delivers them again.
    pub fn failed(self, is_done: impl Fn(&T) -> bool) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        let failed = self.0.into_iter().filter(|(_, task)| !task.as_ref().is_some_and(&is_done));
        response.batch_item_failures = failed
            .map(|(id, _)| {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id;
                failure
            })
            .collect();
        response
    }
}

fn read<T: DeserializeOwned>(message: SqsMessage) -> (String, Option<T>) {
    let task = match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
        Ok(task) => Some(task),
        Err(error) => {
            tracing::error!(column = error.column(), "a message names no task");
            None
        }
    };
    (message.message_id.unwrap_or_default(), task)
}
