//! The overview: the usage, the next update date and what needs attention.

mod happened;
mod picture;

use std::cmp::Reverse;

use axum::response::Response;
use domain::automation::AutomationState;
use domain::limits::{AUTOMATIONS_MAX, FORMS_SHOWN_MAX};
use maud::{Markup, html};
use store::{Automation, Form, FormReport, ImportState, Notice};

use crate::frame::{Page, Section};
use crate::parts::{Detail, Tone, date_text, note, number, time};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::overview as words;
use crate::{chart, text};

/// The number of bulk jobs, of imports and of exports that are looked at for those that run.
const JOBS: usize = 5;
/// The number of notices that are shown.
const NOTICES: usize = 5;

/// Everything on the page that is not in the account.
struct Facts {
    statements: Vec<domain::period::Statement>,
    forms: Vec<FormReport>,
    /// The forms with rejected submissions that wait for somebody.
    rejecting: Vec<Form>,
    running: Vec<Run>,
    automations: Vec<Automation>,
    /// The latest notices, newest first.
    notices: Vec<Notice>,
    has_contacts: bool,
}

/// A job, an import or an export that runs.
struct Run {
    title: String,
    path: String,
    /// The part that is done, from 0 to 1. `None` while it is not known.
    progress: Option<f64>,
}

/// Shows the overview.
pub(crate) async fn show(signed: Signed) -> Response {
    let shown = page(&signed).await;
    signed.finish(shown)
}

async fn page(signed: &Signed) -> Result<Page, Failure> {
    let facts = Facts::read(signed).await?;
    let date = date_text(signed, signed.period().ends_at);
    let has_history = !facts.statements.is_empty() || signed.period().marketing > 0;
    let is_empty = !facts.has_contacts && !has_history && facts.running.is_empty();
    let head = html! {
        h1 { (text::OVERVIEW) }
        @if !is_empty && signed.may_edit() {
            a class="button act" href="/console/review" { (words::review_before(&date)) }
        }
    };
    let content = html! {
        (done(signed))
        (figures(signed))
        @if is_empty { (start(signed)) } @else {
            (picture::over_time(signed, &facts.statements))
            div class="two" {
                div {
                    (by_form(signed, &facts.forms))
                    (happened::latest(signed, &facts.notices, &facts.automations))
                }
                div {
                    (needs_attention(signed, &facts)) (running(&facts.running)) (thresholds(signed))
                }
            }
        }
    };
    Ok(Page::new(Section::Overview, text::OVERVIEW, content).with_head(head))
}

impl Facts {
    async fn read(signed: &Signed) -> Result<Self, Failure> {
        let (store, account) = (signed.store(), signed.account.id);
        let statements =
            store.statements(account, signed.wall_clock, None, picture::PERIODS + 1).await?.items;
        let (forms, rejecting) = Self::forms(signed).await?;
        let automations = store.automations(account, None, AUTOMATIONS_MAX).await?.items;
        let notices = store.notices(account, None, NOTICES, signed.wall_clock).await?.items;
        let search = store::Search { account, filter: None, after: None, limit: 1 };
        let has_contacts = match signed.period().marketing {
            0 => !store.search(search, signed.wall_clock).await?.contacts.is_empty(),
            _ => true,
        };
        let running = Self::running(signed).await?;
        Ok(Self { statements, forms, rejecting, running, automations, notices, has_contacts })
    }

    /// Reads the jobs, imports and exports that run.
    async fn running(signed: &Signed) -> Result<Vec<Run>, Failure> {
        let (store, account) = (signed.store(), signed.account.id);
        let jobs = store.bulk_jobs(account, None, JOBS).await?.items;
        let imports = store.imports(account, None, JOBS).await?.items;
        let exports = store.exports(account, None, JOBS).await?.items;
        let jobs = jobs.iter().filter(|job| !job.state.is_finished()).map(|job| Run {
            title: crate::pages::jobs::title(signed, job),
            path: format!("/console/jobs/{}", job.id),
            progress: Some(job.progress),
        });
        let runs = |state: ImportState| !state.is_finished() && state != ImportState::Created;
        let imports = imports.iter().filter(|import| runs(import.state)).map(|import| Run {
            title: text::imports::title(&import.name),
            path: format!("/console/imports/{}", import.id),
            progress: Some(import.progress()),
        });
        let exports = exports.iter().filter(|export| !export.state.is_finished()).map(|export| Run {
            title: text::exports::title(&crate::pages::exports::name(export)),
            path: format!("/console/exports/{}", export.id),
            progress: export.progress(),
        });
        Ok(jobs.chain(imports).chain(exports).collect())
    }

    /// Reads the forms with their counts, and those of them with rejected submissions.
    async fn forms(signed: &Signed) -> Result<(Vec<FormReport>, Vec<Form>), Failure> {
        let (store, account) = (signed.store(), signed.account.id);
        let listed = store.forms(account, None, FORMS_SHOWN_MAX).await?.items;
        let (mut forms, mut rejecting) = (Vec::new(), Vec::new());
        for form in listed {
            let report = store.form_report(account, form.id, signed.wall_clock).await?;
            // Rejected submissions stay counted after they have expired.
            if report.counts.rejected > 0 {
                let rejected = store.rejected(account, form.id, signed.wall_clock, None, 1).await?;
                let has_some = !rejected.items.is_empty() || rejected.next.is_some();
                rejecting.extend(has_some.then_some(form));
            }
            forms.push(report);
        }
        Ok((forms, rejecting))
    }
}

fn done(signed: &Signed) -> Markup {
    let (tone, said) = match signed.done.as_deref() {
        Some("moved") => (Tone::Plain, words::CLOCK_MOVED),
        Some("passed") => (Tone::Leaves, words::DATE_PASSED),
        _ => return html! {},
    };
    html! { (note(tone, &html! { p { (said) } })) }
}

/// Returns the largest numbers of the page: the usage, the next update date, and what remains after it.
fn figures(signed: &Signed) -> Markup {
    let period = signed.period();
    let usage = period.marketing;
    let limit = period.tier.limit_for(usage);
    let limit_text = number(signed, limit);
    let percent =
        |count| words::percent_of(&signed.language.percent(period.tier.percent(count)), &limit_text);
    let left = period.remaining_capacity();
    let capped = period.cap.map(|cap| (number(signed, left), number(signed, cap)));
    let in_tier = limit.saturating_sub(usage);
    // What ends first: the tier, or the places under the cap.
    let (places, is_by_cap) =
        if period.cap.is_some() && left < in_tier { (left, true) } else { (in_tier, false) };
    html! {
        dl class={ "figures" @if signed.done.is_some() { " block" } } {
            div class="usage" {
                dt { (words::USAGE) }
                dd { span class="big" { (number(signed, usage)) } }
                dd { (percent(usage)) (words::of_them(&number(signed, period.leaving)))
                    a href="/console/contacts?state=leaving" { (words::LEAVING) } }
            }
            div class="date" {
                dt { (words::NEXT_UPDATE) }
                dd { span class="big" { (time(signed, period.ends_at, Detail::Date)) } }
                dd { (next_update(signed)) }
            }
            div class="rest" {
                dt { (words::REMAINING) }
                dd { span class="big" { (number(signed, period.after_next_update())) } }
                dd { (percent(period.after_next_update())) }
            }
            div class="rest" {
                dt { (words::PLACES_LEFT) }
                dd { span class="big" { (number(signed, places)) } }
                dd { @match &capped {
                    Some((_, cap)) if is_by_cap => { (words::under_the_cap(cap, &number(signed, in_tier))) }
                    _ => { (words::in_the_tier(capped.as_ref().map(|(left, cap)| (left.as_str(), cap.as_str())))) }
                } }
            }
        }
    }
}

fn next_update(signed: &Signed) -> String {
    let period = signed.period();
    let zone = period.calendar.time_zone;
    let clock = signed.language.time(zone.local(period.ends_at));
    let rest = text::duration(period.ends_at.to_utc() - signed.now.to_utc());
    words::at_midnight(&clock, zone.as_str(), &rest, period.test_clock.is_some())
}

/// Returns the first steps of an account without contacts.
fn start(signed: &Signed) -> Markup {
    let step = |title, hint, path: &str, is_main: bool| {
        html! {
            li {
                div { h3 { (title) } p { (hint) } }
                a class={ "button" @if is_main { " act" } } href=(path) { (title) }
            }
        }
    };
    let tier = &signed.period().tier;
    let limit = tier.limit_for(0);
    let [before, after] = words::no_cap(
        &number(signed, limit + 1),
        &number(signed, tier.limit_for(limit + 1)),
        &number(signed, limit),
    );
    html! {
        section aria-labelledby="start" {
            h2 id="start" { (words::START) }
            ol class="start" {
                (step(words::START_FORM, words::START_FORM_HINT, "/console/forms/new", true))
                (step(words::START_IMPORT, words::START_IMPORT_HINT, "/console/imports/new", false))
                (step(words::START_CONTACT, words::START_CONTACT_HINT, "/console/contacts/new", false))
                @if signed.principal.is_admin() {
                    (step(words::START_TOKEN, words::START_TOKEN_HINT, "/console/settings#tokens", false))
                }
            }
        }
        @if signed.period().cap.is_none() {
            section aria-labelledby="bill" {
                h2 id="bill" { (words::FIRST_BILL) }
                p class="narrow" { (before) a href="/console/settings" { (words::SET_A_CAP) } (after) }
            }
        }
    }
}

fn by_form(signed: &Signed, forms: &[FormReport]) -> Markup {
    let mut forms: Vec<_> = forms.iter().collect();
    forms.sort_by_key(|report| Reverse(report.counts.set));
    let largest = forms.first().map(|report| report.counts.set).unwrap_or_default();
    let total = forms.iter().map(|report| report.counts.set).sum();
    html! {
        section aria-labelledby="by-form" {
            h2 id="by-form" { (words::BY_FORM) }
            table {
                caption class="vh" { (words::BY_FORM_CAPTION) }
                thead { tr {
                    th scope="col" { (words::FORM) }
                    th scope="col" { span class="vh" { (words::SHARE) } }
                    th scope="col" class="n" { (text::CONTACTS) }
                } }
                tbody {
                    @for report in forms {
                        tr {
                            th scope="row" { a href={ "/console/forms/" (report.form.id) } { (report.form.name) } }
                            td class="bar" { (chart::row_bar(report.counts.set, largest)) }
                            td class="n" { (number(signed, report.counts.set)) }
                        }
                    }
                }
                tfoot { tr { th scope="row" { (words::ALL_FORMS) } td {} td class="n" { (number(signed, total)) } } }
            }
        }
    }
}

fn needs_attention(signed: &Signed, facts: &Facts) -> Markup {
    let is_paused = |automation: &&Automation| automation.state == AutomationState::Paused;
    let paused: Vec<_> = facts.automations.iter().filter(is_paused).collect();
    html! {
        section aria-labelledby="needs" {
            h2 id="needs" { (words::NEEDS_ATTENTION) }
            @if facts.rejecting.is_empty() && paused.is_empty() { p class="quiet" { (words::NOTHING_NEEDS) } }
            ul class="todo-list" {
                @for automation in paused {
                    @let enrolled = automation.paused.map_or(0, |pause| pause.enrolled);
                    li {
                        span { (words::is_paused(&automation.name, &number(signed, enrolled))) } " "
                        a href={ "/console/automations/" (automation.id) } {
                            (words::DECIDE) span class="vh" { (words::about(&automation.name)) }
                        }
                    }
                }
                @for form in &facts.rejecting {
                    li {
                        span { (words::has_rejected(&form.name)) } " "
                        a href={ "/console/forms/" (form.id) "#rejected" } {
                            (words::REVIEW_THEM) span class="vh" { (words::of_form(&form.name)) }
                        }
                    }
                }
            }
        }
    }
}

fn running(runs: &[Run]) -> Markup {
    html! {
        section aria-labelledby="runs" {
            h2 id="runs" { (words::RUNNING) }
            @if runs.is_empty() { p class="quiet" { (words::NOTHING_RUNS) } }
            ul class="todo-list" {
                @for (place, run) in runs.iter().enumerate() {
                    @let id = format!("run-{place}");
                    li {
                        span id=(id) { (run.title) } " "
                        a href=(run.path) { (words::OPEN) }
                        progress max="1" value=[run.progress] aria-labelledby=(id) {}
                    }
                }
            }
        }
    }
}

fn thresholds(signed: &Signed) -> Markup {
    let period = signed.period();
    // The thresholds are those of the limit at the start of the period.
    let limit = period.tier.limit_for(0);
    let crossed = period.tier.thresholds_crossed(period.marketing);
    html! {
        section aria-labelledby="thresholds" {
            h2 id="thresholds" { (words::THRESHOLDS) }
            ul class="todo-list" {
                @for percent in domain::tier::THRESHOLDS {
                    @let is_crossed = crossed.contains(&percent);
                    @let at = (limit * u64::from(percent)).div_ceil(100);
                    li {
                        span class=(if is_crossed { "state yes" } else { "state no" }) {
                            (words::threshold(percent, &number(signed, limit)))
                        }
                        " "
                        span class="quiet" {
                            @if is_crossed { (words::CROSSED) }
                            @else {
                                @let rest = at.saturating_sub(period.marketing);
                                (words::away(&text::counted(rest, &number(signed, rest), "contact")))
                            }
                        }
                    }
                }
            }
        }
    }
}
