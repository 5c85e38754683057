//! The clock of a sandbox.

use axum::response::{IntoResponse as _, Redirect, Response};
use domain::Timestamp;
use serde_json::json;

use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::typed::Typed;

/// Moves the clock of a sandbox to the instant of the button, and shows the overview as of then. An old page can't pass
/// a later update date, because the API does not turn a clock back.
pub(crate) async fn advance(signed: Signed, typed: Typed) -> Response {
    let to = typed.get("now");
    let call = Call::post("/v1/account/test-clock", json!({"now": to})).once(&typed);
    match signed.call(call).await {
        Ok(_) => {
            let has_passed = to.parse::<Timestamp>().is_ok_and(|to| to >= signed.period().ends_at);
            let passed = if has_passed { "passed" } else { "moved" };
            Redirect::to(&format!("/console?done={passed}")).into_response()
        }
        Err(refusal) => signed.finish(Err(Failure::Refusal(refusal))),
    }
}
