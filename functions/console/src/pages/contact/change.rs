//! The change of a contact's state.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::{Value, json};

use super::{Asked, page, path, unknown};
use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::typed::Typed;

/// Sets or keeps a contact as marketing.
pub(super) async fn set(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    change(&signed, &id, &typed, "/v1/contacts/marketing").await
}

/// Queues a contact to leave.
pub(super) async fn queue(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    change(&signed, &id, &typed, "/v1/contacts/non-marketing-pending").await
}

async fn change(signed: &Signed, id: &str, typed: &Typed, command: &str) -> Response {
    let call = Call::post(command, json!({"contacts": [{"id": id}]})).once(typed);
    let answer = match signed.call(call).await {
        Ok(answer) => answer,
        Err(refusal) => return signed.finish(Err(Failure::Refusal(refusal))),
    };
    let text = |member: &str| answer.body.pointer(&format!("/results/0/{member}")).and_then(Value::as_str);
    match text("outcome").unwrap_or_default() {
        "not_found" => signed.finish(Ok(unknown(id))),
        "refused" => {
            let asked = Asked { not_changed: Some(text("reason").unwrap_or_default()), ..Asked::default() };
            signed.finish(page(signed, id, &asked).await)
        }
        done => Redirect::to(&format!("{}?done={done}", path(id))).into_response(),
    }
}
