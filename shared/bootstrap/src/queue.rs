//! SQS as a queue of tasks.

use std::sync::{Arc, LazyLock};

use api::Queue;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::limits::QUEUE_BATCH_MAX;
use serde::Serialize;
use store::BoxError;

/// Creates the queue with this URL. Each task becomes a message in JSON. The client is created with the first task,
/// because few events have any, and every start would wait for it.
pub(crate) fn queue<T: Serialize + Send + Sync + 'static>(
    client: impl FnOnce() -> Client + Send + 'static,
    url: String,
) -> Queue<T> {
    let client = Arc::new(LazyLock::new(client));
    Queue::new(move |tasks: Vec<T>| {
        let (client, url) = (client.clone(), url.clone());
        async move {
            for chunk in tasks.chunks(QUEUE_BATCH_MAX) {
                send(&client, &url, chunk).await?;
            }
            Ok(())
        }
    })
}

async fn send<T: Serialize>(client: &Client, url: &str, tasks: &[T]) -> Result<(), BoxError> {
    let mut entries = Vec::new();
    for (index, task) in tasks.iter().enumerate() {
        let body = serde_json::to_string(task)?;
        let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
        entries.push(entry.build()?);
    }
    let sent = client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await?;
    match sent.failed() {
        [] => Ok(()),
        failed => {
            let first = failed.first().map_or("", |first| first.code());
            Err(format!("{} messages were not taken, the first: {first}", failed.len()).into())
        }
    }
}
