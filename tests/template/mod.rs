//! `infra/template.yaml` against the code: neither `sam validate` nor `cfn-lint` knows what the functions read, call or answer to.

mod deployment;
pub(crate) mod document;
pub(crate) mod functions;
mod messaging;
pub(crate) mod permissions;
mod properties;
pub(crate) mod routes;
mod table;
