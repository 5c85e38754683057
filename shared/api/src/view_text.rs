//! The JSON text of views.

use serde::Serialize;

/// Returns the JSON text of a view.
pub(crate) fn encode(view: &impl Serialize) -> String {
    #[expect(
        clippy::expect_used,
        reason = "views consist of texts, numbers and booleans under names, which always serialize"
    )]
    serde_json::to_string(view).expect("a view serializes")
}
