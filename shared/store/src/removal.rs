//! Removing what can't be reached any more.

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use domain::limits::{BATCH_READ_MAX, BATCH_WRITE_MAX};

use crate::StoreError;
use crate::keys::{Item, Key};
use crate::retry::Retries;
use crate::store::{Query, Store, read_error};

impl Store {
    /// Removes everything in a partition.
    pub(crate) async fn delete_partition(
        &self,
        pk: &str,
        retries: &mut Retries<'_>,
    ) -> Result<(), StoreError> {
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

    /// Removes these items, where they are there.
    pub(crate) async fn delete_all(&self, keys: &[Key], retries: &mut Retries<'_>) -> Result<(), StoreError> {
        let keys: Vec<Item> = keys.iter().cloned().map(Key::into_item).collect();
        for chunk in keys.chunks(BATCH_WRITE_MAX) {
            self.batch_delete(chunk, retries).await?;
        }
        Ok(())
    }

    async fn batch_delete(&self, keys: &[Item], retries: &mut Retries<'_>) -> Result<(), StoreError> {
        let mut requests = Vec::new();
        for key in keys {
            let delete = DeleteRequest::builder().set_key(Some(key.clone())).build()?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        while !requests.is_empty() {
            let sent = self.client.batch_write_item().request_items(&*self.table, requests).send().await;
            let output = sent.map_err(|error| read_error("a batched delete", error))?;
            let rest = output.unprocessed_items.and_then(|mut tables| tables.remove(&*self.table));
            requests = rest.unwrap_or_default();
            if !requests.is_empty() {
                retries.pause("a batched delete was done in part").await?;
            }
        }
        Ok(())
    }
}
