//! Many contacts at once, through the store's own operations.

use domain::Timestamp;
use domain::decision::Command;
use domain::ids::{AccountId, ContactId};
use testkit::TestTable;

use super::{marketing_contacts, set};

/// So many contacts, all of them leaving.
pub async fn leaving(table: &TestTable, account: AccountId, count: u64, now: Timestamp) {
    let ids = marketing_contacts(&table.store, account, usize::try_from(count).unwrap(), now).await;
    for chunk in ids.chunks(980) {
        let chunk: &[ContactId] = chunk;
        set(&table.store, account, Command::SetNonMarketingPending, chunk, now).await.unwrap();
    }
}
