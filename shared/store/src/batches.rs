//! Writes of many items without conditions: pages of history, and deletions of items that nothing refers to.

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::limits::{BATCH_READ_MAX, BATCH_WRITE_MAX};

use crate::StoreError;
use crate::error::call_error;
use crate::keys::{Item, Key};
use crate::retry::Retries;
use crate::store::{Query, Store};

impl Store {
    /// Deletes all items of a partition.
    pub(crate) async fn delete_partition(&self, pk: &str, retries: &Retries<'_>) -> Result<(), StoreError> {
        let query =
            Query { pk: pk.to_owned(), prefix: "", after: None, limit: BATCH_READ_MAX, newest_first: true };
        loop {
            let page = self.query(&query).await?;
            let keys: Vec<Key> = page.items.iter().filter_map(Key::of).collect();
            if keys.is_empty() {
                return Ok(());
            }
            self.delete_all(&keys, retries).await?;
        }
    }

    /// Deletes items. Keys without an item are ignored.
    pub(crate) async fn delete_all(&self, keys: &[Key], retries: &Retries<'_>) -> Result<(), StoreError> {
        let keys: Vec<Item> = keys.iter().cloned().map(Key::into_item).collect();
        for chunk in keys.chunks(BATCH_WRITE_MAX) {
            self.batch_delete(chunk, retries).await?;
        }
        Ok(())
    }

    async fn batch_delete(&self, keys: &[Item], retries: &Retries<'_>) -> Result<(), StoreError> {
        let mut requests = Vec::new();
        for key in keys {
            let delete = DeleteRequest::builder().set_key(Some(key.clone())).build()?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        self.batch_write(requests, retries).await
    }

    /// Puts items and replaces existing ones.
    pub(crate) async fn put_all(&self, items: Vec<Item>, retries: &Retries<'_>) -> Result<(), StoreError> {
        let mut requests = Vec::new();
        for item in items {
            let put = PutRequest::builder().set_item(Some(item)).build()?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        for chunk in requests.chunks(BATCH_WRITE_MAX) {
            self.batch_write(chunk.to_vec(), retries).await?;
        }
        Ok(())
    }

    /// Writes up to [`BATCH_WRITE_MAX`] items without conditions. Each write is independent.
    async fn batch_write(
        &self,
        mut requests: Vec<WriteRequest>,
        retries: &Retries<'_>,
    ) -> Result<(), StoreError> {
        while !requests.is_empty() {
            let sent =
                self.client.batch_write_item().request_items(&*self.table, requests.clone()).send().await;
            let output = match sent.map_err(|error| call_error("a batched write", error)) {
                Ok(output) => output,
                Err(StoreError::Unavailable(why, _)) => {
                    retries.back_off(&why).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let rest = output.unprocessed_items.and_then(|mut tables| tables.remove(&*self.table));
            requests = rest.unwrap_or_default();
            if !requests.is_empty() {
                retries.back_off("a batched write was incomplete").await?;
            }
        }
        Ok(())
    }
}
