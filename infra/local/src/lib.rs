//! The local stack: the functions' own routers over an embedded DynamoDB engine, on one machine.

pub mod app;
mod data_directory;
pub mod demo;
pub mod engine;
pub mod feed;
pub mod file_server;
pub mod jobs;
pub mod options;
mod private;
pub mod secrets;
pub mod server;
pub mod stack;
pub mod table;
pub mod template;
