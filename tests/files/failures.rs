//! Failures of S3, by a server that answers as each test says and closes every connection.

use std::sync::{Arc, Mutex};

use domain::limits::AWS_ATTEMPTS_MAX;
use file_store::{FileError, Files};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const CONTENT: &[u8] = b"0123456789";

/// A server that answers each request for a range by the place at which the range begins.
struct Scripted {
    files: Files,
    /// The places of all requests, in their order.
    places: Arc<Mutex<Vec<usize>>>,
}

impl Scripted {
    async fn start(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let places = Arc::<Mutex<Vec<usize>>>::default();
        let seen = places.clone();
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(connection.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
                let range = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
                let place = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
                seen.lock().unwrap().push(place);
                connection.write_all(&answer(place)).await.unwrap();
            }
        });
        Self { files: Files::at_endpoint(&url, "key", "secret", "bucket".to_owned()), places }
    }

    fn places(&self) -> Vec<usize> {
        self.places.lock().unwrap().clone()
    }
}

/// Returns a response that announces the rest of the content and ends after so many bytes of it.
fn cut(place: usize, after: usize) -> Vec<u8> {
    let rest = &CONTENT[place..];
    let head = format!("HTTP/1.1 206 Partial Content\r\ncontent-length: {}\r\n\r\n", rest.len());
    [head.as_bytes(), &rest[..after.min(rest.len())]].concat()
}

/// Returns the response to a refused request.
fn refusal(status: u16, code: &str) -> Vec<u8> {
    let body = format!("<Error><Code>{code}</Code></Error>");
    format!("HTTP/1.1 {status} Refused\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into()
}

#[tokio::test]
async fn broken_connection_is_opened_again_at_its_place() {
    let server = Scripted::start(|place| cut(place, 4)).await;
    let mut body = server.files.read("key", "\"a\"", 1).await.unwrap();
    let mut read = Vec::new();
    while let Some(bytes) = body.next().await.unwrap() {
        read.extend_from_slice(&bytes);
    }
    assert_eq!((&*read, server.places()), (&CONTENT[1..], vec![1, 5, 9]));
}

#[tokio::test]
async fn connection_without_progress_is_given_up() {
    let server = Scripted::start(|place| cut(place, if place == 0 { 4 } else { 0 })).await;
    let mut body = server.files.read("key", "\"a\"", 0).await.unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), CONTENT[..4]);
    let failed = body.next().await;
    assert!(matches!(failed, Err(FileError::Unavailable(..))), "{failed:?}");
    let attempts = usize::try_from(AWS_ATTEMPTS_MAX).unwrap();
    assert_eq!(server.places(), [vec![0], vec![4; attempts]].concat());
}

#[tokio::test]
async fn file_that_changes_while_it_is_read_is_an_error() {
    let server = Scripted::start(|place| match place {
        0 => cut(place, 4),
        _ => refusal(412, "PreconditionFailed"),
    })
    .await;
    let mut body = server.files.read("key", "\"a\"", 0).await.unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), CONTENT[..4]);
    assert!(matches!(body.next().await, Err(FileError::Changed)));
}

#[tokio::test]
async fn refusals_of_s3_are_told_apart() {
    for (status, code, is_transient) in [
        (503, "SlowDown", true),
        (500, "InternalError", true),
        (400, "RequestTimeout", true),
        (409, "OperationAborted", true),
        (403, "AccessDenied", false),
        (404, "NoSuchBucket", false),
        (400, "InvalidRequest", false),
    ] {
        let server = Scripted::start(move |_| refusal(status, code)).await;
        let failed = server.files.read("key", "\"a\"", 0).await.expect_err("a refusal");
        assert_eq!(matches!(failed, FileError::Unavailable(..)), is_transient, "{code}: {failed:?}");
        assert_eq!(matches!(failed, FileError::Fault(..)), !is_transient, "{code}: {failed:?}");
        let chain = api::problem::chain(&failed);
        assert!(chain.contains("a file was not read") && chain.contains(code), "{chain}");
    }
}
