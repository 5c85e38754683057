//! The step with the numbers before and after.

use api::Problem;
use domain::ids::JobId;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::{BulkJob, JobKind, Refused, Segment, StoreError};

use super::choice::Choice;
use super::{Shown, Step, Stepped, buttons, segments, step_page, update_text};
use crate::chart::{hatch, share};
use crate::frame::update_date;
use crate::parts::{number, refused};
use crate::request::{Answer, Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::review as words;
use crate::typed::Typed;

/// The numbers of a review.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Numbers {
    /// The number of contacts that the review queues.
    matched: u64,
    /// The usage.
    usage: u64,
    /// The usage right after the next update date.
    rest: u64,
    non_marketing: u64,
    unsubscribed: u64,
    bounced: u64,
}

/// A count of a review's contacts.
enum Counted {
    /// `true` if the numbers are those with which a job ended.
    Complete(Numbers, bool),
    /// The job that continues the count. `true` if it was asked for again.
    Continues(JobId, bool),
    Refused(Refusal),
}

impl Numbers {
    /// Returns the numbers in the API's answer.
    fn of(answer: &Value) -> Option<Self> {
        let count = |pointer: &str| answer.pointer(pointer)?.as_u64();
        Some(Self {
            matched: count("/confirm_count")?,
            usage: count("/marketing/before")?,
            rest: count("/marketing/after_next_update")?,
            non_marketing: count("/non_marketing/before")?,
            unsubscribed: count("/unengaged/unsubscribed")?,
            bounced: count("/unengaged/bounced")?,
        })
    }

    /// Returns the numbers with which a count that continued as a job ended.
    fn of_job(job: &BulkJob) -> Option<Self> {
        let (forecast, tally) = job.forecast.as_ref().filter(|_| job.kind == JobKind::Review)?;
        Some(Self {
            matched: forecast.matched,
            usage: forecast.usage_before,
            rest: forecast.after_next_update,
            non_marketing: tally.existing.non_marketing,
            unsubscribed: tally.unsubscribed,
            bounced: tally.bounced,
        })
    }

    /// Returns the number of contacts that are leaving already.
    fn leaving(&self) -> u64 {
        self.usage.saturating_sub(self.rest).saturating_sub(self.matched)
    }
}

/// Returns the step's page.
pub(super) async fn page(signed: &Signed, choice: &Choice, typed: &Typed) -> Stepped {
    let segments = match choice.read(signed).await? {
        Ok(segments) => segments,
        Err(misfit) => return segments::page(signed, choice, "", Some(misfit)).await,
    };
    let review = match choice.review(&segments) {
        Ok(review) => review,
        Err(misfit) => return segments::page(signed, choice, "", Some(misfit)).await,
    };
    let job: Option<JobId> = typed.get("job").parse().ok();
    let (numbers, is_jobs) = match count(signed, review, job).await? {
        Counted::Complete(numbers, is_jobs) => (numbers, is_jobs),
        Counted::Continues(job, is_again) => return Ok(waiting(signed, choice, job, is_again)),
        Counted::Refused(refusal) => return Ok(refused_page(signed, choice, &refusal)),
    };
    let unengaged = unengaged(signed, choice, &numbers, is_jobs).await;
    let job = job.filter(|_| is_jobs);
    Ok(numbers_page(signed, choice, &numbers, unengaged, &segments, job))
}

/// Counts the contacts of a review, or reads the job that went on counting.
async fn count(signed: &Signed, review: Value, job: Option<JobId>) -> Result<Counted, Failure> {
    if let Some(id) = job {
        match signed.store().bulk_job(signed.account.id, id).await {
            Ok(job) if !job.state.is_finished() => return Ok(Counted::Continues(id, true)),
            Ok(job) => {
                if let Some(numbers) = Numbers::of_job(&job) {
                    return Ok(Counted::Complete(numbers, true));
                }
            }
            Err(StoreError::Refused(Refused::NotFound(_))) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match signed.call(Call::post("/v1/review", review)).await {
        Ok(answer) if answer.status == StatusCode::ACCEPTED => {
            Ok(Counted::Continues(job_id(&answer).ok_or_else(unexpected)?, false))
        }
        Ok(answer) => Ok(Counted::Complete(Numbers::of(&answer.body).ok_or_else(unexpected)?, false)),
        Err(refusal) if refusal.is_fault() => Err(refusal.into()),
        Err(refusal) => Ok(Counted::Refused(refusal)),
    }
}

/// Returns the id of the job in an answer.
pub(super) fn job_id(answer: &Answer) -> Option<JobId> {
    answer.body.pointer("/job/id")?.as_str()?.parse().ok()
}

/// Returns the fault of an answer without the numbers that it should have.
pub(super) fn unexpected() -> Failure {
    Failure::Problem(Problem::internal("an answer of the API has another form than expected"))
}

/// Returns the number of contacts that were chosen as unengaged, each one once. `None` if it is not known: where the
/// first count took a job, there is no second one.
async fn unengaged(signed: &Signed, choice: &Choice, numbers: &Numbers, is_jobs: bool) -> Option<u64> {
    match (choice.unsubscribed, choice.bounced) {
        (false, false) => Some(0),
        _ if choice.segments.is_empty() => Some(numbers.matched),
        (true, false) => Some(numbers.unsubscribed),
        (false, true) => Some(numbers.bounced),
        (true, true) if is_jobs => None,
        (true, true) => {
            let review = json!({"unengaged": {"unsubscribed": true, "bounced": true}});
            let answer = signed.call(Call::post("/v1/review", review)).await.ok()?;
            Some(Numbers::of(&answer.body)?.matched).filter(|count| *count <= numbers.matched)
        }
    }
}

/// Returns the page of a count that continues as a job.
fn waiting(signed: &Signed, choice: &Choice, job: JobId, is_again: bool) -> crate::frame::Page {
    let content = html! {
        p class="sentence" role="status" {
            b { (if is_again { words::STILL_COUNTING } else { words::COUNTING }) } " "
            (words::COUNTING_WHY)
            a href={ "/console/jobs/" (job) } { (words::OPEN_THE_JOB) } ". " (words::CONTINUE_WHEN_DONE)
        }
        input type="hidden" name="job" value=(job);
        (buttons(
            Some(Step::Segments),
            None,
            &html! { button class="act" name="step" value="4" { (words::CONTINUE) } },
        ))
    };
    step_page(signed, &Shown { step: Step::Numbers, choice, counted: None, next: "4", content })
}

fn refused_page(signed: &Signed, choice: &Choice, refusal: &Refusal) -> crate::frame::Page {
    let content = html! {
        (refused(refusal, &[]))
        (buttons(Some(Step::Segments), None, &html! {}))
    };
    let shown = Shown { step: Step::Numbers, choice, counted: None, next: "3", content };
    step_page(signed, &shown).with_status_of(Some(refusal))
}

fn numbers_page(
    signed: &Signed,
    choice: &Choice,
    numbers: &Numbers,
    unengaged: Option<u64>,
    segments: &[Segment],
    job: Option<JobId>,
) -> crate::frame::Page {
    let matched = numbers.matched;
    let text = number(signed, matched);
    let main = html! {
        @if matched > 0 {
            button class="act" name="step" value="5" { (words::continue_with(matched, &text)) }
        }
    };
    let content = html! {
        (sentence(signed, matched))
        div class="two" {
            section aria-labelledby="numbers" {
                h2 id="numbers" { (words::BEFORE_AND_AFTER) }
                (table(signed, numbers))
                (bars(signed, numbers))
            }
            @if let Some(unengaged) = unengaged.filter(|_| matched > 0) {
                (origin(signed, choice, numbers, unengaged, segments))
            }
        }
        input type="hidden" name="matched" value=(matched);
        @if let Some(job) = job { input type="hidden" name="job" value=(job); }
        (buttons(Some(Step::Segments), None, &main))
    };
    let counted = unengaged.map(|unengaged| {
        let further = number(signed, matched.saturating_sub(unengaged));
        [words::contacts(unengaged, &number(signed, unengaged)), words::more(&further)]
    });
    let next = if matched > 0 { "5" } else { "3" };
    step_page(signed, &Shown { step: Step::Numbers, choice, counted, next, content })
}

/// Returns the sentence about what is queued, and when it leaves.
pub(super) fn sentence(signed: &Signed, matched: u64) -> Markup {
    html! {
        p class="sentence" {
            @if matched == 0 { b { (words::NONE_MATCH) } " " (words::NONE_MATCH_WHY) }
            @else {
                b { (words::will_be_queued(matched, &number(signed, matched))) } " "
                (words::REMAIN_UNTIL) (update_date(signed)) ". " (words::NOTHING_BEFORE)
            }
        }
    }
}

fn table(signed: &Signed, numbers: &Numbers) -> Markup {
    let Numbers { matched, usage, rest, non_marketing, .. } = *numbers;
    let leaving = numbers.leaving();
    let row = |class: Option<&str>, name: &str, counts: [u64; 3]| {
        html! {
            tr class=[class] {
                th scope="row" { (name) }
                @for count in counts { td class="n" { (number(signed, count)) } }
            }
        }
    };
    html! {
        table {
            caption class="vh" { (words::NUMBERS_CAPTION) }
            thead { tr {
                td {}
                th scope="col" class="n" { (words::NOW) }
                th scope="col" class="n" { (words::WHEN_QUEUED) }
                th scope="col" class="n" { (words::after(&update_text(signed))) }
            } }
            tbody {
                (row(Some("key"), words::MARKETING, [usage, usage, rest]))
                (row(Some("part"), words::OF_THEM_LEAVING, [leaving, leaving + matched, 0]))
                (row(None, words::NON_MARKETING, [non_marketing, non_marketing, non_marketing + usage.saturating_sub(rest)]))
                (row(None, words::ALL, [non_marketing + usage; 3]))
            }
        }
    }
}

/// Returns the two bars: the usage now with what leaves, and what remains.
fn bars(signed: &Signed, numbers: &Numbers) -> Markup {
    let Numbers { matched, usage, rest, .. } = *numbers;
    let leaving = numbers.leaving();
    let limit = signed.period().tier.limit_for(usage);
    let counts = [usage, rest, leaving, matched];
    let texts = counts.map(|count| number(signed, count));
    let (date, limit_text) = (update_text(signed), number(signed, limit));
    let [usage_text, rest_text, ..] = &texts;
    html! {
        figure class="block" {
            svg class="crisp" width="100%" height="120" role="img" aria-labelledby="rev-t rev-d" {
                title id="rev-t" { (words::bars_title(&date, &limit_text)) }
                desc id="rev-d" { (words::bars_description(&texts, &date)) }
                (hatch("hatch"))
                text class="say" x="0" y="12" { (words::NOW) }
                text class="say" x="100%" y="12" text-anchor="end" { (words::of_limit(usage_text, &limit_text)) }
                rect class="c-room" x="0" y="20" width="100%" height="20" {}
                rect class="c-stay" x="0" y="20" width=(share(rest, limit)) height="20" {}
                @if leaving > 0 {
                    rect fill="url(#hatch)" transform="translate(1)" x=(share(rest, limit)) y="20"
                        width=(share(leaving, limit)) height="20" {}
                }
                @if matched > 0 {
                    rect class="c-leave" transform="translate(1)" x=(share(rest + leaving, limit)) y="20"
                        width=(share(matched, limit)) height="20" {}
                }
                text class="say" x="0" y="76" { (words::after(&date)) }
                text class="say" x="100%" y="76" text-anchor="end" { (words::of_limit(rest_text, &limit_text)) }
                rect class="c-room" x="0" y="84" width="100%" height="20" {}
                rect class="c-rest" x="0" y="84" width=(share(rest, limit)) height="20" {}
            }
            (legend())
        }
    }
}

fn legend() -> Markup {
    let sign = |name: &str, sign: Markup| {
        html! {
            li { svg class="crisp" width="12" height="12" aria-hidden="true" { (sign) } " " (name) }
        }
    };
    let filled = |class: &str| html! { rect class=(class) width="12" height="12" {} };
    let outlined = |class: &str| html! { rect class=(class) x=".5" y=".5" width="11" height="11" {} };
    html! {
        ul class="legend gap" {
            (sign(words::LEGEND_STAY, filled("c-stay")))
            (sign(words::LEGEND_LEAVING, html! {
                (hatch("hatch-l")) rect fill="url(#hatch-l)" width="12" height="12" {}
            }))
            (sign(words::LEGEND_QUEUED, filled("c-leave")))
            (sign(words::LEGEND_REMAIN, outlined("c-rest")))
            (sign(words::LEGEND_FREE, outlined("c-room")))
        }
    }
}

/// Returns where the contacts come from. `unengaged` is the number of those chosen as unengaged, each one once.
fn origin(
    signed: &Signed,
    choice: &Choice,
    numbers: &Numbers,
    unengaged: u64,
    segments: &[Segment],
) -> Markup {
    let title = words::where_from(&number(signed, numbers.matched));
    let leaving = numbers.leaving();
    html! {
        section aria-labelledby="made-of" {
            h2 id="made-of" { (title) }
            table {
                caption class="vh" { (title) }
                thead { tr {
                    th scope="col" { (words::CHOSEN_IN) }
                    th scope="col" class="n" { (words::CONTACTS) }
                } }
                tbody { (origins(signed, choice, numbers, unengaged, segments)) }
                tfoot { tr {
                    th scope="row" { (words::TO_BE_QUEUED) }
                    td class="n" { (number(signed, numbers.matched)) }
                } }
            }
            p class="quiet gap" { (words::stay_queued(leaving, &number(signed, leaving), &update_text(signed))) }
        }
    }
}

/// Returns a row for each part of the choice.
fn origins(
    signed: &Signed,
    choice: &Choice,
    numbers: &Numbers,
    unengaged: u64,
    segments: &[Segment],
) -> Markup {
    let twice = match (choice.unsubscribed, choice.bounced) {
        (true, true) => (numbers.unsubscribed + numbers.bounced).saturating_sub(unengaged),
        _ => 0,
    };
    let names: Vec<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
    let further = html! {
        (words::in_step(3, &names.join(", ")))
        @if choice.has_unengaged() { " " span class="quiet" { (words::NOT_ABOVE) } }
    };
    let row =
        |name: &Markup, count: &str| html! { tr { th scope="row" { (name) } td class="n" { (count) } } };
    let step_2 = |kind: &str, count: u64| row(&html! { (words::in_step(2, kind)) }, &number(signed, count));
    html! {
        @if choice.unsubscribed { (step_2(words::UNSUBSCRIBED, numbers.unsubscribed)) }
        @if choice.bounced { (step_2(words::BOUNCED, numbers.bounced)) }
        @if twice > 0 { (row(&html! { (words::TWICE) }, &format!("−{}", number(signed, twice)))) }
        @if !segments.is_empty() {
            (row(&further, &number(signed, numbers.matched.saturating_sub(unengaged))))
        }
    }
}
