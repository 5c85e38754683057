//! Storage in one DynamoDB table. This crate reads and writes; `domain` decides.
//!
//! An operation reads the items that it needs, consistently and in as few batched reads as possible. `domain` decides.
//! One transaction writes the result, on the condition that the items are unchanged. If one has changed, nothing is
//! written, and the operation reads and decides again, a limited number of times.

mod accounts;
mod automations;
mod batches;
mod bulk;
mod compression;
mod conditions;
mod contacts;
mod definitions;
mod delivery;
mod error;
mod exports;
mod expressions;
mod feed;
mod field_target;
mod form_counts;
mod forms;
mod holdings;
mod idempotency;
mod imports;
mod items;
mod job_state;
mod jobs;
pub mod keys;
mod known_names;
mod listing;
mod members;
mod operation;
mod periods;
mod response;
mod retry;
mod rng;
mod seal;
mod segments;
mod sessions;
mod status;
mod store;
mod submissions;
mod submitted;
mod sweep;
mod timeline;
mod tokens;
mod transaction;
mod users;

pub use accounts::{Account, ChangedBy, NewAccount, UpdateAccount};
pub use automations::{
    Automation, AutomationProgress, AutomationReport, AutomationRun, NewAutomation, Pause, Trial,
    TrialResult, UpdateAutomation, Waiting,
};
pub use bulk::{BulkJob, BulkProgress, BulkRequest, Preview, Review, Selected, Selection, Target};
pub use contacts::{
    ChangeId, ChangeOrder, ChangedContacts, ChangedPage, ChangedResult, ContactPage, ContactRef,
    DeleteContact, Examined, Explained, IfMatch, MergeContacts, PropertyChange, SaveContact, SaveMode, Saved,
    Scan, ScannedPage, Search, UndoProperties, Undone, UpdateContact,
};
pub use definitions::{DefinedProperty, Defining, PropertyGroup};
pub use delivery::{DeliveryId, DeliveryIdError};
pub use error::{BoxError, Refused, StoreError};
pub use exports::{Export, ExportRun, ExportSelection, ExportedContact, NewExport};
pub use feed::{Followed, Notice, StreamRecord};
pub use field_target::FieldTarget;
pub use form_counts::FormCounts;
pub use forms::{Form, FormBudget, FormReport, NewForm, UpdateForm};
pub use imports::{
    Import, ImportContact, ImportFile, ImportRow, ImportRun, ImportTerms, ImportedRows, NewImport,
    RowContent, TriedRows, UpdateImport,
};
pub use job_state::{ExportState, FileFormat, ImportState, JobKind, JobState, SelectionKind};
pub use jobs::{
    AutomationTask, BulkTask, Due, DueCursor, DuePage, FileJob, FileTask, InboxTask, Job, SweepTask, Tasks,
};
pub use listing::Listing;
pub use members::{ChangeMembers, MembersReport};
pub use response::{IdempotencyClaim, Responder, StoredResponse};
pub use rng::Rng;
pub use segments::{NewSegment, Segment, SegmentContent, UpdateSegment};
pub use sessions::{Session, SignIn};
pub use status::{StatusOutcome, StatusReport, StatusRequest, StatusResult};
pub use store::Store;
pub use submissions::{
    FieldProblem, InboxReport, Mapped, Rejected, RejectedPage, Rejection, Submission, SubmissionOutcome,
};
pub use submitted::{ContactEffect, MarketingEffect, Person, Submitted};
pub use sweep::Swept;
pub use timeline::Outlook;
pub use tokens::{AdminToken, NewTokenOwner, Token, TokenOwner};
pub use users::{NewUser, UpdateUser, User};
