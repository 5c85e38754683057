//! Parts that the pages of imports and exports have in common.

use domain::Timestamp;
use domain::limits::FILE_KEPT;
use maud::{Markup, html};

use crate::signed::Signed;
use crate::text::{self, exports, imports};

/// The path of the imports.
pub(super) const IMPORTS: &str = "/console/imports";
/// The path of the exports.
pub(super) const EXPORTS: &str = "/console/exports";

/// Returns the links between the two lists. `current` is the path of the list that is shown.
pub(super) fn tabs(current: &str) -> Markup {
    let pages = [(IMPORTS, imports::IMPORTS), (EXPORTS, exports::EXPORTS)];
    html! {
        nav class="tabs" aria-label=(text::FILES) {
            @for (path, name) in pages {
                a href=(path) aria-current=[(path == current).then_some("page")] { (name) }
            }
        }
    }
}

/// Returns true if files that were written at this instant are stored. The clock of a sandbox says nothing of the age of
/// a file, so its files count as stored.
pub(super) fn is_kept(signed: &Signed, written: Timestamp) -> bool {
    signed.period().test_clock.is_some() || written.plus(FILE_KEPT) > signed.wall_clock
}
