//! The deployed stack's twin on one machine: the functions' own routers over an embedded DynamoDB engine.

pub mod engine;
pub mod table;
pub mod template;
