//! The page of an import that has not started: how its file is read, and the outcomes of its first rows.

use std::collections::BTreeMap;

use api::ProblemType;
use domain::decision::Refusal as Reason;
use domain::import::{ImportSummary, RowOutcome};
use maud::{Markup, html};
use serde_json::Value;
use store::{Import, Segment};

use super::columns::{self, Column};
use super::options::{Choices, fields, lists};
use super::shown::path;
use super::sums;
use crate::frame::{Page, Section};
use crate::pages::transfers::IMPORTS;
use crate::parts::{Tone, key, note, number, refused};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, imports as words};
use crate::typed::Typed;

/// The part of a request that the page repeats: what was typed, and its refusal.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked<'a> {
    pub(super) typed: Option<&'a Typed>,
    pub(super) refusal: Option<&'a Refusal>,
}

/// An import that has not started, with what its page shows.
struct View<'a> {
    signed: &'a Signed,
    import: &'a Import,
    /// The options, or what was typed.
    choices: Choices,
    lists: Vec<Segment>,
    /// True if the person may change and start the import.
    may_act: bool,
    asked: Asked<'a>,
}

/// Returns the page.
pub(super) async fn page(signed: &Signed, import: &Import, asked: Asked<'_>) -> Result<Page, Failure> {
    let stored = Choices::of_import(import)?;
    let choices = asked.typed.map_or_else(|| stored.clone(), Choices::of_form);
    let may_act = signed.may_edit() || !import.terms.set_marketing;
    let view = View { signed, import, choices, lists: lists(signed).await?, may_act, asked };
    let read = signed.call(Call::get(format!("/v1/imports/{}/preview", import.id))).await;
    let (start, content) = match read {
        Ok(answer) => {
            let mut columns = columns::columns(&answer.body, &stored.mapping);
            if let Some(typed) = asked.typed {
                columns::type_again(&mut columns, typed);
            }
            (view.start(), view.content(&answer.body, &columns))
        }
        Err(refusal) if refusal.is_fault() => return Err(refusal.into()),
        Err(refusal) => (html! {}, unreadable(&refusal)),
    };
    let name = words::title(&import.name);
    let head = html! {
        p class="trail" { a href=(IMPORTS) { (text::FILES) } " / " (words::state(import.state)) }
        h1 { (name) }
        (start)
    };
    let content = html! { (content) (view.discard()) };
    Ok(Page::new(Section::Files, name, content).with_head(head).with_status_of(asked.refusal))
}

/// Returns the note about a file that is not there, or that can't be imported.
fn unreadable(refusal: &Refusal) -> Markup {
    if refusal.kind == ProblemType::UploadMissing {
        return note(Tone::Plain, &html! { p { (words::UPLOAD_MISSING) } });
    }
    note(
        Tone::Fault,
        &html! {
            p { b { (words::CANNOT_BE_READ) } " " (text::sentence(refusal.errors.first().map_or(refusal.detail.as_str(), |error| error.message.as_str()))) }
            p { a href={ (IMPORTS) "/new" } { (words::ANOTHER_FILE) } }
        },
    )
}

impl View<'_> {
    fn content(&self, preview: &Value, columns: &[Column]) -> Markup {
        let summary = summary_of(preview);
        html! {
            (self.said(columns))
            @if !self.may_act { p class="quiet" id="may-not" { (words::MAY_NOT_START) } }
            @if self.import.terms.dry_run { p class="quiet" { (words::IS_DRY_RUN) } }
            (self.warnings(preview, &summary))
            (self.first_rows(preview, &summary))
            (self.reading(preview, columns))
            (self.each_row(preview))
        }
    }

    /// Returns the note about the act that led to the page, or about its refusal.
    fn said(&self, columns: &[Column]) -> Markup {
        let fields = columns::shown_fields(columns);
        let shown: Vec<&str> = fields.iter().map(String::as_str).collect();
        html! {
            @if let Some(refusal) = self.asked.refusal { (refused(refusal, &shown)) div class="gap" {} }
            @if self.signed.done.as_deref() == Some("applied") {
                (note(Tone::Plain, &html! { p { (words::DONE_APPLIED) } })) div class="gap" {}
            } @else if self.asked.refusal.is_none() { p class="lede" { (words::NOT_STARTED_LEDE) } }
        }
    }

    fn start(&self) -> Markup {
        let terms = &self.import.terms;
        let class = if terms.set_marketing && !terms.dry_run { "set" } else { "act" };
        html! {
            form method="post" action={ (path(self.import.id)) "/start" } {
                (key(self.signed))
                button class=(class) disabled[!self.may_act] aria-describedby=[(!self.may_act).then_some("may-not")] {
                    (if terms.dry_run { words::START_DRY } else { words::START })
                }
            }
        }
    }

    /// Returns what a person should know before the start.
    fn warnings(&self, preview: &Value, summary: &ImportSummary) -> Markup {
        let signed = self.signed;
        let contacts = |count| text::counted(count, &number(signed, count), "contact");
        let clears = ["clears_unsubscribed", "clears_bounced"]
            .map(|member| preview.get(member).and_then(Value::as_u64).unwrap_or_default());
        let refused: u64 = summary.refused.values().sum();
        let period = signed.period();
        let usage =
            [period.marketing, period.tier.limit_for(period.marketing)].map(|count| number(signed, count));
        let notes = preview.get("notes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        html! {
            @if summary.set > 0 {
                (note(Tone::Bills, &html! {
                    p { b { (words::would_set(&contacts(summary.set), summary.set == 1)) } " "
                        (words::usage_now(&usage)) }
                }))
            }
            @if refused > 0 {
                (note(Tone::Fault, &html! { p { b { (words::would_refuse(&contacts(refused), refused == 1)) } } }))
            }
            @if clears.iter().any(|count| *count > 0) {
                (note(Tone::Fault, &html! { p { (words::clears(&contacts(clears[0]), &contacts(clears[1]))) } }))
            }
            @for said in notes.iter().filter_map(words::file_note) {
                (note(Tone::Plain, &html! { p { (said) } }))
            }
        }
    }

    fn first_rows(&self, preview: &Value, summary: &ImportSummary) -> Markup {
        let rows = text::counted(summary.total(), &number(self.signed, summary.total()), "row");
        let is_all = preview.get("rows_in_file").and_then(Value::as_u64) == Some(summary.total());
        html! {
            section aria-labelledby="first" {
                h2 id="first" { (words::FIRST_ROWS) }
                p class="quiet" { (words::of_rows(&rows, is_all)) }
                div class="narrow" {
                    (sums::tables(self.signed, summary, self.import.terms.set_marketing, words::OUTCOMES))
                }
            }
        }
    }

    /// Returns the form with which the file is read in another way.
    fn reading(&self, preview: &Value, columns: &[Column]) -> Markup {
        html! {
            section aria-labelledby="read" {
                h2 id="read" { (words::READ) }
                p class="quiet" { (words::READ_HINT) }
                form method="post" action={ (path(self.import.id)) "/options" } {
                    (key(self.signed))
                    (self.facts(preview))
                    div class="gap" { (columns::table(columns, self.asked.refusal)) }
                    fieldset class="block narrow" {
                        legend { h2 { (words::RULES) } }
                        (fields(self.signed, &self.choices, &self.lists))
                    }
                    div class="row gap" {
                        button disabled[!self.may_act] aria-describedby=[(!self.may_act).then_some("may-not")] {
                            (words::APPLY)
                        }
                    }
                }
            }
        }
    }

    /// Returns what was found out about the file, with the fields to correct it.
    fn facts(&self, preview: &Value) -> Markup {
        let text = |member: &str| preview.get(member).and_then(Value::as_str);
        let count = |member: &str| {
            preview.get(member).and_then(Value::as_u64).map(|count| number(self.signed, count))
        };
        let encoding = words::encoding(text("encoding").unwrap_or_default());
        // A file of plain letters is UTF-8 in any case.
        let is_guessed = preview.get("encoding_guessed").and_then(Value::as_bool) == Some(true)
            && text("encoding") != Some("UTF-8");
        let encoding = if is_guessed { words::guessed(encoding) } else { encoding.to_owned() };
        let delimiter = words::delimiter(text("delimiter"));
        html! {
            dl class="facts narrow" {
                div { dt { label for="encoding" { (words::ENCODING) } } dd {
                    (choice("encoding", &encoding, &words::ENCODINGS, &self.choices.encoding))
                } }
                div { dt { label for="delimiter" { (words::DELIMITER) } } dd {
                    (choice("delimiter", delimiter, &words::DELIMITERS, &self.choices.delimiter))
                } }
                div { dt { (words::HEADER) } dd {
                    (count("header_line").map_or_else(|| words::NO_HEADER.to_owned(), |line| words::header_line(&line)))
                } }
                div { dt { (words::ROWS_IN_FILE) } dd {
                    (count("rows_in_file").unwrap_or_else(|| words::ROWS_UNKNOWN.to_owned()))
                } }
            }
        }
    }

    fn each_row(&self, preview: &Value) -> Markup {
        let rows = preview.get("rows").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let sets = self.import.terms.set_marketing;
        html! {
            section {
                details class="alt" {
                    summary { (words::EACH_ROW) }
                    table class="stack" {
                        caption class="vh" { (words::EACH_ROW_CAPTION) }
                        thead { tr {
                            th scope="col" { (words::ROW) }
                            th scope="col" { (words::OUTCOME) }
                            th scope="col" { (words::REASON) }
                            @if sets { th scope="col" { (words::MARKETING) } }
                        } }
                        tbody { @for row in rows { (self.row(row, sets)) } }
                    }
                }
            }
        }
    }

    fn row(&self, row: &Value, sets: bool) -> Markup {
        let text = |member: &str| row.get(member).and_then(Value::as_str).unwrap_or_default();
        let count =
            |member: &str| row.get(member).and_then(Value::as_u64).map(|count| number(self.signed, count));
        let outcome = words::row_outcome(text("outcome"));
        html! {
            tr {
                th scope="row" { (count("row").unwrap_or_default()) }
                td data-label=(words::OUTCOME) { (outcome) }
                td data-label=(words::REASON) {
                    @if !text("field").is_empty() { (text("field")) ": " }
                    (text("reason"))
                }
                @if sets {
                    td data-label=(words::MARKETING) {
                        @if !text("marketing").is_empty() { (words::row_marketing(text("marketing"))) }
                    }
                }
            }
        }
    }

    fn discard(&self) -> Markup {
        html! {
            section {
                div class="zone" {
                    div {
                        p { b { (words::DISCARD) } (words::DISCARD_HINT) }
                        a class="button lose" href={ (path(self.import.id)) "/cancel" } { (words::DISCARD) }
                    }
                }
            }
        }
    }
}

/// Returns a list of known values, with the one that was found out before them.
fn choice(name: &str, found: &str, known: &[(&str, &str)], chosen: &str) -> Markup {
    let is_other = !chosen.is_empty() && known.iter().all(|(value, _)| *value != chosen);
    html! {
        select id=(name) name=(name) class="w-l" {
            option value="" selected[chosen.is_empty()] {
                @if chosen.is_empty() { (words::found_out(found)) } @else { (words::FOUND_OUT) }
            }
            @for (value, name) in known { option value=(value) selected[*value == chosen] { (name) } }
            @if is_other { option value=(chosen) selected { (chosen) } }
        }
    }
}

/// Returns the numbers of a preview.
fn summary_of(preview: &Value) -> ImportSummary {
    let count = |member: &str| {
        preview.pointer(&format!("/summary/{member}")).and_then(Value::as_u64).unwrap_or_default()
    };
    let outcomes =
        RowOutcome::ALL.iter().map(|outcome| (*outcome, count(&outcome.as_str().replace('-', "_"))));
    let refused = preview.pointer("/summary/refused").and_then(Value::as_object);
    let refused = refused
        .into_iter()
        .flatten()
        .filter_map(|(reason, rows)| Some((reason.parse::<Reason>().ok()?, rows.as_u64()?)));
    ImportSummary::of(outcomes.collect(), count("set"), count("kept"), refused.collect::<BTreeMap<_, _>>())
}
