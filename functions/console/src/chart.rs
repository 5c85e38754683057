//! Pictures, drawn on the server as SVG. Horizontal positions are in per cent, so that a picture fits its place and its
//! text keeps its size.

use domain::period::Period;
use maud::{Markup, html};

/// The most parts of a scale.
const PARTS: u64 = 6;

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

/// Returns the step and the parts of a scale that ends at `most` or above. The steps are 1, 2 or 5 with zeros.
pub(crate) fn steps(most: u64) -> (u64, u64) {
    let mut power: u64 = 1;
    loop {
        for step in [1, 2, 5].map(|digit| power.saturating_mul(digit)) {
            let parts = most.div_ceil(step).max(1);
            if parts <= PARTS {
                return (step, parts);
            }
        }
        power = power.saturating_mul(10);
    }
}

/// Returns a picture within the picture, whose unit is a hundredth of the width by a pixel, so that a line of any width
/// can be a path.
pub(crate) fn stretched(height: u32, content: &Markup) -> Markup {
    html! {
        svg width="100%" height=(height) viewBox={ "0 0 100 " (height) } preserveAspectRatio="none" { (content) }
    }
}

/// Returns a length in pixels for an attribute.
pub(crate) fn px(pixels: f64) -> String {
    format!("{pixels:.1}")
}

/// Returns a horizontal place for an attribute.
pub(crate) fn percent(percent: f64) -> String {
    format!("{percent:.2}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_has_few_round_steps_and_ends_above_the_largest_number() {
        for (most, scale) in [
            (0, (1, 1)),
            (6, (1, 6)),
            (7, (2, 4)),
            (20, (5, 4)),
            (1_000, (200, 5)),
            (5_500, (1_000, 6)),
            (6_001, (2_000, 4)),
            (41_200, (10_000, 5)),
        ] {
            assert_eq!(steps(most), scale, "{most}");
        }
    }
}
