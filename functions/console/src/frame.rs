//! The frame around every page: the navigation, the usage and the sandbox's clock.

use api::problem::ProblemType;
use axum::response::Response;
use chrono::TimeDelta;
use domain::Timestamp;
use http::StatusCode;
use maud::{Markup, Render, html};

use crate::document::{brand, document, html_response};
use crate::parts::{Detail, Tone, date_text, key, note, number, time};
use crate::request::{Failure, Refusal};
use crate::security::UploadsTo;
use crate::signed::Signed;
use crate::{HOME, chart, text};

/// A section of the console, as the navigation lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Section {
    Overview,
    Contacts,
    Segments,
    Review,
    Automations,
    Forms,
    /// Imports and exports.
    Files,
    Jobs,
    Statements,
    Settings,
    /// A page of no section.
    None,
}

/// The groups of the navigation.
const NAVIGATION: &[&[(Section, &str, &str)]] = &[
    &[(Section::Overview, "/console", text::OVERVIEW)],
    &[
        (Section::Contacts, "/console/contacts", text::CONTACTS),
        (Section::Segments, "/console/segments", text::SEGMENTS),
        (Section::Review, "/console/review", text::REVIEW),
    ],
    &[
        (Section::Forms, "/console/forms", text::FORMS),
        (Section::Automations, "/console/automations", text::AUTOMATIONS),
    ],
    &[
        (Section::Files, "/console/imports", text::FILES),
        (Section::Jobs, "/console/jobs", text::JOBS),
        (Section::Statements, "/console/statements", text::STATEMENTS),
        (Section::Settings, "/console/settings", text::SETTINGS),
    ],
];

/// The content of a page.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) section: Section,
    /// The title of the window, which ends with the account and the program.
    pub(crate) title: String,
    /// The head with the only `h1`, and the page's main action beside it.
    pub(crate) head: Markup,
    pub(crate) content: Markup,
    /// A dialog over the page, which is inert behind it.
    pub(crate) dialog: Option<Dialog>,
    /// The origin of the file server, if the page's script sends a file there.
    pub(crate) uploads_to: Option<String>,
    pub(crate) status: StatusCode,
}

/// A question over a page. Without script it is open, and the page is inert.
#[derive(Clone)]
pub(crate) struct Dialog {
    /// The title, which is that of the window while the dialog is open.
    pub(crate) title: String,
    /// The path to which the form is posted.
    pub(crate) action: String,
    /// True if the title has the focus. Otherwise a field has it.
    pub(crate) is_focused: bool,
    /// The content of the form.
    pub(crate) content: Markup,
}

impl Render for Dialog {
    fn render(&self) -> Markup {
        html! {
            dialog id="consequence" aria-labelledby="consequence-t" open data-modal {
                form method="post" action=(self.action) {
                    h2 id="consequence-t" tabindex="-1" autofocus[self.is_focused] { (self.title) }
                    (self.content)
                }
            }
        }
    }
}

impl Page {
    /// Creates a page whose head is its title.
    pub(crate) fn new(section: Section, title: impl Into<String>, content: Markup) -> Self {
        let title = title.into();
        let head = html! { h1 { (title) } };
        Self { section, title, head, content, dialog: None, uploads_to: None, status: StatusCode::OK }
    }

    /// Returns the page with another head.
    pub(crate) fn with_head(self, head: Markup) -> Self {
        Self { head, ..self }
    }

    /// Returns the page with a dialog over it.
    pub(crate) fn with_dialog(self, dialog: Dialog) -> Self {
        Self { dialog: Some(dialog), ..self }
    }

    /// Returns the page with another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Returns the page with the status of a refusal, if there is one.
    pub(crate) fn with_status_of(self, refusal: Option<&Refusal>) -> Self {
        let status = refusal.map_or(self.status, Refusal::status);
        Self { status, ..self }
    }
}

impl Signed {
    /// Returns the response with a page, or with the page about a failure.
    pub(crate) fn finish(&self, shown: Result<Page, Failure>) -> Response {
        match shown {
            Ok(page) => self.show(&page),
            Err(Failure::Problem(problem)) => {
                let (kind, detail) = (problem.problem_type(), problem.detail().to_owned());
                let page = self.show(&self.failed(kind, &detail));
                // The problem's own response carries the cause to the layer that logs it.
                problem.into_response_with(page)
            }
            Err(Failure::Refusal(refusal)) => self.show(&self.failed(refusal.kind, &refusal.detail)),
        }
    }

    /// Returns the page about a failure, in the section in which it happened. It says nothing of the inside.
    fn failed(&self, kind: ProblemType, detail: &str) -> Page {
        // Exports share the section of imports.
        let own = self.path.replace("/console/exports", "/console/imports");
        let is_of = |path: &str| own == path || own.starts_with(&format!("{path}/"));
        let sections = NAVIGATION.iter().copied().flatten().rev();
        let found = sections.copied().find(|(section, path, _)| *section != Section::Overview && is_of(path));
        let (section, path, name) = found.unwrap_or((Section::None, HOME, text::OVERVIEW));
        Page { section, ..failed(kind, detail, &self.request_id, (path, name)) }
    }

    fn show(&self, page: &Page) -> Response {
        let mut response = html_response(page.status, self.document(page));
        if let Some(origin) = &page.uploads_to {
            response.extensions_mut().insert(UploadsTo(origin.clone()));
        }
        response
    }

    fn document(&self, page: &Page) -> Markup {
        let window = |title: &str| format!("{title} – {} – {}", self.account.name, text::PRODUCT);
        let under = window(&page.title);
        let title = page.dialog.as_ref().map(|dialog| window(&dialog.title));
        document(
            title.as_deref().unwrap_or(&under),
            None,
            self.language.tag,
            &html! {
                a class="skip" href="#main" { (text::SKIP) }
                (self.clock_bar())
                div class="frame" inert[title.is_some()] data-title=[title.as_ref().map(|_| &under)] {
                    header class="side" { div class="stick" { (self.side(page.section)) } }
                    main class="main" id="main" tabindex="-1" {
                        div class="head" { (page.head) }
                        (page.content)
                    }
                }
                @if let Some(dialog) = &page.dialog { (dialog) }
            },
        )
    }

    fn side(&self, section: Section) -> Markup {
        let period = self.period();
        let limit = period.tier.limit_for(period.marketing);
        let numbers = [period.marketing, limit, period.leaving].map(|count| number(self, count));
        html! {
            (brand(true))
            div class="account" {
                p { b { (self.account.name) } }
                p { (text::usage_of(&numbers)) }
                (chart::usage_bar(period))
            }
            button class="menu" type="button" popovertarget="nav" { (text::MENU) }
            nav class="nav" id="nav" popover aria-label=(text::CONSOLE) {
                @for group in NAVIGATION {
                    ul {
                        @for (own, path, name) in *group {
                            li { a href=(path) aria-current=[(*own == section).then_some("page")] { (name) } }
                        }
                    }
                }
                div class="who" {
                    p { bdi { (text::who(&self.principal.name, self.principal.is_admin())) } }
                    form method="post" action="/console/sign-out" { button class="link" { (text::SIGN_OUT) } }
                }
            }
        }
    }

    /// Returns the clock of a sandbox, with the moves that people try.
    fn clock_bar(&self) -> Markup {
        let Some(clock) = self.period().test_clock else { return html! {} };
        let ends_at = self.period().ends_at;
        let date = date_text(self, ends_at);
        let [day, before] = [clock.plus(TimeDelta::days(1)), ends_at.plus(TimeDelta::milliseconds(-1))]
            .map(|at| at.to_string());
        html! {
            aside class="clock" aria-label=(text::SANDBOX_CLOCK) {
                p { b { (text::SANDBOX_CLOCK) } " " (exact_time(self, clock)) }
                @if self.principal.is_admin() {
                    form class="row" method="post" action="/console/clock" {
                        (key(self))
                        button name="now" value=(day) { (text::FORWARD_ONE_DAY) }
                        button name="now" value=(before) { (text::to_before(&date)) }
                        button name="now" value=(ends_at) { (text::to_update_date(&date)) }
                    }
                }
            }
        }
    }
}

/// Returns an instant to the millisecond, as the sandbox's clock shows it.
fn exact_time(signed: &Signed, at: Timestamp) -> Markup {
    let zone = signed.period().calendar.time_zone;
    let local = zone.local(at);
    let utc = at.to_string();
    html! {
        time datetime=(utc) title=(utc) {
            (signed.language.date(local.date())) ", " (local.format("%H:%M:%S%.3f")) " (" (zone.as_str()) ")"
            span class="vh" { (text::in_utc(&utc)) }
        }
    }
}

/// Returns the page about a failure. `way` leads out of it.
fn failed(kind: ProblemType, detail: &str, request_id: &str, way: (&str, &str)) -> Page {
    let status = kind.status();
    let (title, content) = if status == StatusCode::NOT_FOUND {
        let content = html! {
            p { (detail) " " (text::MAY_BE_DELETED) " " a href=(way.0) { (way.1) } }
        };
        (text::NOT_FOUND, content)
    } else if status == StatusCode::FORBIDDEN {
        (text::NOT_PERMITTED, note(Tone::Fault, &html! { p { (detail) } }))
    } else if status.is_server_error() {
        let content = html! {
            p { b { (text::nothing_was_changed(true)) } " " (text::fault_sentence(request_id)) }
        };
        (text::FAULT, note(Tone::Fault, &content))
    } else {
        (
            text::REFUSED,
            note(Tone::Fault, &html! { p { b { (text::nothing_was_changed(false)) } " " (detail) } }),
        )
    };
    Page::new(Section::None, title, content).with_status(status)
}

/// Returns the next update date in full, with the time that remains.
pub(crate) fn update_date(signed: &Signed) -> Markup {
    time(signed, signed.period().ends_at, Detail::Zone)
}
