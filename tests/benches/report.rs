//! The printed table of measurements, ratios and targets.

use std::fmt;
use std::io::Write as _;

/// A row of the table.
pub struct Row {
    what: String,
    measured: String,
    unit: &'static str,
    ratio: String,
    target: String,
}

impl Row {
    /// Creates a row from a label and a measurement in this unit.
    pub fn new(what: impl Into<String>, measured: impl fmt::Display, unit: &'static str) -> Self {
        let measured = measured.to_string();
        Self { what: what.into(), measured, unit, ratio: String::new(), target: String::new() }
    }

    /// Sets the ratio to another measurement of the same run.
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = format!("{ratio:.2}");
        self
    }

    /// Sets the text of the ratio, for a measurement with several ratios.
    pub fn ratios(mut self, ratios: impl Into<String>) -> Self {
        self.ratio = ratios.into();
        self
    }

    /// Sets the target.
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// Sets an upper limit as the target. A row above its limit is marked as missed.
    pub fn at_most(self, value: f64, most: f64, unit: &str) -> Self {
        let verdict = if value <= most { "" } else { ", **missed**" };
        self.target(format!("≤ {most}{unit}{verdict}"))
    }

    /// Sets a lower limit as the target. A row below its limit is marked as missed.
    pub fn at_least(self, value: f64, least: f64) -> Self {
        let verdict = if value >= least { "" } else { ", **missed**" };
        self.target(format!("≥ {least}{verdict}"))
    }
}

/// Prints the header of the table.
pub fn head() {
    line("| what | measured | unit | ratio | target |");
    line("|---|---:|---|---:|---|");
}

/// Prints a row.
pub fn row(row: &Row) {
    let Row { what, measured, unit, ratio, target } = row;
    line(&format!("| {what} | {measured} | {unit} | {ratio} | {target} |"));
}

/// Prints and flushes a line, so that the progress is visible.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).expect("an output");
}
