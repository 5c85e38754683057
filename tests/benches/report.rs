//! The table: what was measured, and what it is held against.

use std::fmt;
use std::io::Write as _;

/// One row.
pub struct Row {
    what: String,
    measured: String,
    unit: &'static str,
    ratio: String,
    target: String,
}

impl Row {
    /// What was measured, in this unit.
    pub fn new(what: impl Into<String>, measured: impl fmt::Display, unit: &'static str) -> Self {
        let measured = measured.to_string();
        Self { what: what.into(), measured, unit, ratio: String::new(), target: String::new() }
    }

    /// How it stands to something else that was measured in the same run.
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = format!("{ratio:.2}");
        self
    }

    /// The same where one number does not tell it.
    pub fn ratios(mut self, ratios: impl Into<String>) -> Self {
        self.ratio = ratios.into();
        self
    }

    /// What it should be.
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// What it should be at the most; a row that is above it says so.
    pub fn at_most(self, value: f64, most: f64, unit: &str) -> Self {
        let verdict = if value <= most { "" } else { ", **missed**" };
        self.target(format!("≤ {most}{unit}{verdict}"))
    }
}

/// Prints the table's head.
pub fn head() {
    line("| what | measured | unit | ratio | target |");
    line("|---|---:|---|---:|---|");
}

/// Prints a row.
pub fn row(row: &Row) {
    let Row { what, measured, unit, ratio, target } = row;
    line(&format!("| {what} | {measured} | {unit} | {ratio} | {target} |"));
}

/// Prints a line at once, so that whoever waits sees how far it is.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).expect("an output");
}
