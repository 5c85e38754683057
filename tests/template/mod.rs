//! `infra/template.yaml` against the code: neither `sam validate` nor `cfn-lint` knows what the functions read, call or answer to.

mod document;
mod functions;
mod messaging;
mod permissions;
mod properties;
pub(crate) mod routes;
mod table;
