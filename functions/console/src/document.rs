//! HTML documents: the head of every page, pages outside the frame, and responses with them.

use api::identity::RequestId;
use api::problem::Problem;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use maud::{DOCTYPE, Markup, html};

use crate::assets::{SCRIPT_PATH, STYLE_PATH};
use crate::text;

/// Returns the name of the product with its sign.
pub(crate) fn brand(is_link: bool) -> Markup {
    let sign = html! {
        svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" {
            path d="M2 5h16M2 10h16" {}
            path class="tide" d="M2 15c2.7-3 5.3 3 8 0s5.3-3 8 0" {}
        }
        (text::PRODUCT)
    };
    html! { p class="brand" { @if is_link { a href="/console" { (sign) } } @else { (sign) } } }
}

/// Returns a document. `language` is that of its numbers.
pub(crate) fn document(title: &str, class: Option<&str>, language: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-numbers=(language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(*STYLE_PATH);
                script type="module" src=(*SCRIPT_PATH) {}
            }
            body class=[class] { (body) }
        }
    }
}

/// Returns a page outside the frame, for people who are not signed in.
pub(crate) fn door(title: &str, content: &Markup) -> Markup {
    let title = format!("{title} – {}", text::PRODUCT);
    document(&title, Some("door"), "en-GB", &html! { main { (brand(false)) (content) } })
}

/// Returns a response with an HTML document.
pub(crate) fn html_response(status: StatusCode, document: Markup) -> Response {
    let mut response = Body::from(document.into_string()).into_response();
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Returns the response for a fault that happened before the person was known.
pub(crate) fn fault_outside(parts: &Parts, problem: Problem) -> Response {
    let id = parts.extensions.get::<RequestId>().map_or("", |RequestId(id)| id.as_str());
    let content = html! { h1 { (text::FAULT) } p { (text::fault_sentence(id)) } };
    let page = html_response(problem.problem_type().status(), door(text::FAULT, &content));
    problem.into_response_with(page)
}
