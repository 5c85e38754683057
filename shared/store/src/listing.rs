//! Pages of lists.

use domain::ids::AccountId;

use crate::StoreError;
use crate::items::{Entity, decode};
use crate::keys::{Collection, account_pk};
use crate::store::{Query, Store};

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// The page's entries, in order.
    pub items: Vec<T>,
    /// True if there may be more entries after the last one.
    pub more: bool,
}

impl Store {
    /// Returns one page of an account's collection.
    pub(crate) async fn list<E: Entity, T: From<E>>(
        &self,
        account: AccountId,
        collection: Collection,
        after: Option<String>,
        limit: usize,
    ) -> Result<Listing<T>, StoreError> {
        let prefix = collection.prefix();
        let query = Query { pk: account_pk(account), prefix, after, limit, newest_first: false };
        let page = self.query(&query).await?;
        let more = page.next.is_some();
        let items = page.items.into_iter().map(|item| decode::<E>(item).map(T::from));
        Ok(Listing { items: items.collect::<Result<_, _>>()?, more })
    }
}
