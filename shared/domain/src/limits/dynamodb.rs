//! Limits of DynamoDB and of the calls to it.

/// The maximum number of items of a batched read (DynamoDB's `BatchGetItem`).
pub const BATCH_READ_MAX: usize = 100;

/// The maximum number of contacts in one transaction: its 100 items (DynamoDB) less the period and the stored response.
pub const CONTACTS_PER_TRANSACTION_MAX: usize = 98;

/// The maximum size of the contacts in one transaction, in bytes. DynamoDB accepts 4 MB. The rest is reserved for names
/// of attributes and histories.
pub const TRANSACTION_BYTES_MAX: usize = 3_000_000;

/// The maximum number of items in one transaction (DynamoDB).
pub const TRANSACTION_ITEMS_MAX: usize = 100;

/// The maximum number of items of a batched write (DynamoDB's `BatchWriteItem`).
pub const BATCH_WRITE_MAX: usize = 25;

/// The number of contacts of one bucket that a list or a search reads at once.
pub const BUCKET_PAGE_MAX: usize = 250;

/// The maximum size of an item in DynamoDB in bytes, names of attributes included.
pub const ITEM_BYTES_MAX: usize = 400 * 1024;
