#![doc = include_str!("../README.md")]

pub mod address;
pub mod automation;
pub mod budget;
pub mod bulk;
pub mod calendar;
pub mod contact;
pub mod decision;
pub mod digest;
pub mod event;
pub mod explain;
pub mod filter;
pub mod form;
pub mod ids;
pub mod import;
mod latin;
pub mod limits;
pub mod marketing;
pub mod patch;
pub mod period;
pub mod permission;
pub mod property;
pub mod property_definition;
pub mod provider;
pub mod secrets;
pub mod source;
pub mod string_enum;
pub mod tier;
pub mod time;
pub mod timeline;
pub mod tools;
pub mod unseen;
pub mod usage_forecast;
pub mod usual_names;

pub use time::Timestamp;
