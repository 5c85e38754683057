//! Associations of contacts with other objects. There are no other objects, so there are no associations.

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use crate::body::respond;
use crate::envelope::Failure;
use crate::session::Session;

pub(crate) async fn read_batch(session: Session) -> Result<Response, Failure> {
    let now = session.now().to_string();
    respond(
        StatusCode::OK,
        &json!({"status": "COMPLETE", "results": [], "startedAt": now, "completedAt": now}),
    )
}

pub(crate) async fn list(_: Session) -> Result<Response, Failure> {
    respond(StatusCode::OK, &json!({"results": []}))
}
