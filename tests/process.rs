//! The functions' real binaries, driven over the Lambda Runtime API with the events that AWS sends.
//!
//! Each test starts the binaries that it needs in their own environment. A [`gate`] between a binary and the table, and a
//! [`file_gate`] before the files, allow only the calls that the function's role in the template permits, as IAM does.
//! When a test ends, the harness checks every line that the process wrote against the rules for log lines.

mod accounts;
mod authorizing;
mod binaries;
mod bulk;
mod console;
mod contacts;
mod crm;
mod events;
mod faults;
mod file_gate;
mod file_permissions;
mod files;
mod following;
mod function;
mod fuzz;
mod gate;
mod hooks;
mod imports;
mod intaking;
mod marketing;
mod metrics;
mod permissions;
mod queue;
mod rolling_over;
mod setting;
mod starting;
mod submissions;
mod sweeping;
mod time_limits;
