//! The clock of a sandbox.

use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::TimeDelta;
use serde_json::json;

use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::typed::Typed;

/// Moves the clock of a sandbox, and shows the overview as of then.
pub(crate) async fn advance(signed: Signed, typed: Typed) -> Response {
    let ends_at = signed.period().ends_at;
    let to = match typed.get("move") {
        "before" => ends_at.plus(TimeDelta::milliseconds(-1)),
        "update" => ends_at,
        _ => signed.now.plus(TimeDelta::days(1)),
    };
    let call = Call::post("/v1/account/test-clock", json!({"now": to.to_string()})).once(&typed);
    match signed.call(call).await {
        Ok(_) => {
            let passed = if to >= ends_at { "passed" } else { "moved" };
            Redirect::to(&format!("/console?done={passed}")).into_response()
        }
        Err(refusal) => signed.finish(Err(Failure::Refusal(refusal))),
    }
}
