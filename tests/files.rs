//! The files of imports and exports, through the SDK and through links, over the server of the local stack.

mod failures;
mod links;
mod reading;
mod writing;

use axum::body::{Body, Bytes, to_bytes};
use file_store::{FileError, Files};
use http::{HeaderMap, Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// The type of the tests' files.
const CSV: &str = "text/csv; charset=utf-8";

/// A response to a request that was made with a link.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request without a signature of its own.
pub async fn send(method: Method, url: &str, headers: &[(String, String)], body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(body.into()).unwrap()).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap();
    Answer { status, headers, body }
}

/// Sends a file to the URL of a link, with the header that each such link signs.
pub async fn send_upload(url: &str, file: impl Into<Body>) -> Answer {
    send(Method::PUT, url, &[("if-none-match".to_owned(), "*".to_owned())], file).await
}

/// Returns the content of a file from a place on, in its present version.
async fn content(files: &Files, key: &str, from: u64) -> Result<Vec<u8>, FileError> {
    let version = files.info(key).await?.ok_or(FileError::NotFound)?.version;
    let mut body = files.read(key, &version, from).await?;
    let mut content = Vec::new();
    while let Some(bytes) = body.next().await? {
        content.extend_from_slice(&bytes);
    }
    Ok(content)
}
