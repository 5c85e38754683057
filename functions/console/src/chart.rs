//! Pictures, drawn on the server as SVG. Horizontal positions are in per cent, so that a picture fits its place and its
//! text keeps its size.

use domain::period::Period;
use maud::{Markup, html};

/// Returns the share of `part` in `whole` as a percentage for an attribute.
pub(crate) fn share(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a picture needs few digits")]
    let percent = if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0).min(100.0) };
    format!("{percent:.2}%")
}

/// Returns the bar of the usage within the tier, for the navigation. Its numbers are in the text above it.
pub(crate) fn usage_bar(period: &Period) -> Markup {
    let limit = period.tier.limit_for(period.marketing);
    let stay = share(period.after_next_update(), limit);
    html! {
        svg class="crisp" width="100%" height="4" aria-hidden="true" {
            rect class="c-free" width="100%" height="4" {}
            rect class="c-stay" width=(stay) height="4" {}
            rect class="c-leave" x=(stay) width=(share(period.leaving, limit)) height="4" transform="translate(1)" {}
        }
    }
}

/// Returns the bar of one row of a table.
pub(crate) fn row_bar(part: u64, largest: u64) -> Markup {
    html! {
        svg class="crisp" height="8" aria-hidden="true" {
            rect class="c-stay" width=(share(part, largest)) height="8" {}
        }
    }
}

/// Returns the pattern of leaving contacts, under an id that is unique on the page.
pub(crate) fn hatch(id: &str) -> Markup {
    html! {
        defs {
            pattern id=(id) width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                rect class="c-hatch-bg" width="6" height="6" {}
                path class="c-hatch" d="M1.5 0v6" {}
            }
        }
    }
}
