//! The stylesheet and the script.
//!
//! Their addresses contain a digest of their contents, so browsers keep them for good, and take a new version at once.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use domain::digest::sha256_hex;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::Console;

const STYLE: &str = include_str!("../assets/tidemark.css");
const SCRIPT: &str = include_str!("../assets/console.js");

/// The path of the stylesheet.
pub(crate) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| path("tidemark", STYLE, "css"));
/// The path of the script.
pub(crate) static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| path("console", SCRIPT, "js"));

fn path(name: &str, content: &str, kind: &str) -> String {
    let digest = sha256_hex(content.as_bytes());
    let short = digest.get(..12).unwrap_or(&digest);
    format!("/console/assets/{name}-{short}.{kind}")
}

pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/console/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    let path = format!("/console/assets/{name}");
    let (kind, content) = if path == *STYLE_PATH {
        ("text/css; charset=utf-8", STYLE)
    } else if path == *SCRIPT_PATH {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")], content).into_response()
}
