//! The table: keys, items, expressions, transactions, idempotency, cursors. What `domain` decides, this applies.
//!
//! Every operation reads what it decides on, consistently and in as few batched reads as its keys allow, lets `domain`
//! decide, and writes the result in one transaction that is conditional on what was read. If anything changed meanwhile nothing is
//! written, and the operation reads and decides again, a bounded number of times.

mod accounts;
mod batches;
mod compression;
mod contacts;
mod delivery;
mod error;
mod expressions;
mod field_target;
mod form_counts;
mod forms;
mod holdings;
mod idempotency;
mod items;
mod jobs;
pub mod keys;
mod listing;
mod operation;
mod periods;
mod response;
mod retry;
mod rng;
mod seal;
mod status;
mod store;
mod submissions;
mod submitted;
mod sweep;
mod transaction;
mod users;

pub use accounts::{Account, ChangedBy, NewAccount, UpdateAccount};
pub use contacts::{
    ContactPage, ContactRef, DeleteContact, Explained, IfMatch, SaveContact, SaveMode, Saved, Search,
    UpdateContact,
};
pub use delivery::{DeliveryId, DeliveryIdError};
pub use error::{BoxError, Refused, StoreError};
pub use field_target::FieldTarget;
pub use form_counts::FormCounts;
pub use forms::{Form, FormBudget, FormReport, NewForm, UpdateForm};
pub use jobs::{Due, DueCursor, DuePage, InboxTask, Job, SweepTask, Tasks};
pub use listing::Listing;
pub use response::{IdempotencyClaim, Responder, StoredResponse};
pub use rng::Rng;
pub use status::{StatusOutcome, StatusReport, StatusRequest, StatusResult};
pub use store::Store;
pub use submissions::{
    FieldProblem, InboxReport, Mapped, Rejected, RejectedPage, Rejection, Submission, Taken,
};
pub use submitted::{ContactEffect, MarketingEffect, Person, Submitted};
pub use sweep::Swept;
pub use users::{AdminToken, NewTokenOwner, NewUser, Token, TokenOwner, UpdateUser, User};
