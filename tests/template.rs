//! `infra/template.yaml` compared with the code.
//!
//! Neither `sam validate` nor `cfn-lint` knows which variables the functions read, which calls they send and which
//! routes they serve.

mod alarms;
mod deployment;
pub(crate) mod document;
mod feed;
mod files;
pub(crate) mod functions;
mod messaging;
pub(crate) mod permissions;
mod properties;
pub(crate) mod routes;
mod table;
