//! The latest events of the account, each with the page about it.

use domain::event::{EventType, Fact};
use maud::{Markup, html};
use store::{Automation, Notice};

use crate::parts::{Detail, number, time};
use crate::signed::Signed;
use crate::text::overview as words;

/// Returns the latest notices, or nothing if there are none.
pub(super) fn latest(signed: &Signed, notices: &[Notice], automations: &[Automation]) -> Markup {
    let told: Vec<_> = notices
        .iter()
        .filter_map(|notice| Some((notice, Told { signed, notice, automations }.words()?)))
        .collect();
    html! {
        @if !told.is_empty() {
            section aria-labelledby="happened" {
                h2 id="happened" { (words::HAPPENED) }
                ul class="todo-list" {
                    @for (notice, (sentence, page)) in &told {
                        li {
                            span { a href=(page) { (sentence) } } " "
                            span class="quiet" { (time(signed, notice.at, Detail::Short)) }
                        }
                    }
                }
            }
        }
    }
}

/// A notice that is put into words.
struct Told<'a> {
    signed: &'a Signed,
    notice: &'a Notice,
    automations: &'a [Automation],
}

impl Told<'_> {
    /// Returns the sentence with the page to which it leads. `None` for an event that is no notice.
    fn words(&self) -> Option<(String, String)> {
        const USAGE: &str = "/console/usage";
        let number = |name| number(self.signed, self.number(name));
        let (sentence, page) = match self.notice.kind {
            EventType::PeriodClosed => (
                words::period_closed(&number("period"), &number("marketing"), &number("left")),
                "/console/statements".to_owned(),
            ),
            EventType::ThresholdCrossed => {
                (words::threshold_crossed(&number("threshold"), &number("tier_limit")), USAGE.to_owned())
            }
            EventType::LimitRaised => (words::limit_raised(&number("tier_limit")), USAGE.to_owned()),
            EventType::CapReached => (words::cap_reached(&number("cap")), USAGE.to_owned()),
            EventType::JobFinished => (self.job(), format!("/console/jobs/{}", self.text("job_id"))),
            EventType::AutomationPaused => {
                let id = self.text("automation_id");
                let own = self.automations.iter().find(|automation| automation.id.to_string() == id);
                let name = own.map_or(words::AN_AUTOMATION, |automation| automation.name.as_str());
                (words::automation_paused(name, &number("enrolled")), format!("/console/automations/{id}"))
            }
            _ => return None,
        };
        Some((sentence, page))
    }

    fn job(&self) -> String {
        let counts = ["set", "kept", "queued"].map(|name| (name, self.number(name)));
        let counts: Vec<_> = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name, number(self.signed, count)))
            .collect();
        words::job_finished(self.text("state") == "done", &counts)
    }

    fn number(&self, name: &str) -> u64 {
        match self.notice.facts.get(name) {
            Some(Fact::Number(number)) => *number,
            _ => 0,
        }
    }

    fn text(&self, name: &str) -> &str {
        match self.notice.facts.get(name) {
            Some(Fact::Text(text)) => text,
            _ => "",
        }
    }
}
