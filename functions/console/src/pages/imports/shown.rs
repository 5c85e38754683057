//! The address of an import, and its state in words.

use domain::ids::ImportId;
use maud::{Markup, html};
use store::ImportState;

use crate::pages::transfers::IMPORTS;
use crate::text::{self, imports as words};

/// Returns the path of an import's page.
pub(super) fn path(id: ImportId) -> String {
    format!("{IMPORTS}/{id}")
}

/// Returns a state with its sign.
pub(super) fn state(state: ImportState) -> Markup {
    let class = match state {
        ImportState::Created => "state off",
        ImportState::Reading | ImportState::Running | ImportState::Finishing => "state on",
        ImportState::Done => "state yes",
        ImportState::Cancelled => "state no",
        ImportState::Failed => "state halt",
    };
    html! { span class=(class) { (text::capitalized(words::state(state))) } }
}
