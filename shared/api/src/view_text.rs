//! The JSON text of views.

use serde::Serialize;

/// Returns the JSON text of a view.
pub(crate) fn encode(view: &impl Serialize) -> String {
    #[expect(
        clippy::expect_used,
        reason = "views hold texts, numbers and booleans under names; such values serialise"
    )]
    serde_json::to_string(view).expect("a view serialises")
}
