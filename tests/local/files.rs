//! The files of the local stack: in its data directory, private to its owner, and on a port with bounds of its own.

use std::time::Duration;

use domain::limits::FILE_UPLOAD_BYTES_MAX;
use testkit::at;
use tidemark::stack::{Stack, StackError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{options, start};
use crate::files::send_upload;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// The maximum wait of a test, far above every limit below, so that a test fails instead of hanging.
const MAX_WAIT: Duration = Duration::from_secs(20);
const KEY: &str = "uploads/acc_1/imp_1";

/// Sends the head of an upload of this announced size and this body, and returns the first line of the response.
async fn send_raw(stack: &Stack, announced: u64, body: &str) -> String {
    let link = link(stack).await;
    let (host, path) = link.trim_start_matches("http://").split_once('/').unwrap();
    let mut connection = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "PUT /{path} HTTP/1.1\r\nhost: {host}\r\nif-none-match: *\r\ncontent-length: {announced}\r\n\r\n{body}"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let read = timeout(MAX_WAIT, connection.read_to_end(&mut response)).await.expect("an end in time");
    read.unwrap();
    String::from_utf8(response).unwrap().lines().next().unwrap_or_default().to_owned()
}

async fn link(stack: &Stack) -> String {
    stack.files.upload_link(KEY, HOUR, at("2026-03-10T12:00:00Z")).await.unwrap().url
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_parts_survive_a_restart() {
    let options = options("files-restart", &[]);
    let first = start(&options).await;
    let before = link(&first).await;
    assert_eq!(send_upload(&before, "name\n").await.status, 200);
    let info = first.files.info(KEY).await.unwrap();
    assert!(info.is_some());
    let upload = first.files.begin("export", "text/csv").await.unwrap();
    let tag = first.files.put_part("export", &upload, 1, b"part".to_vec()).await.unwrap();
    first.stop().await;

    let second = start(&options).await;
    assert_eq!(second.files.info(KEY).await.unwrap(), info);
    second.files.complete("export", &upload, &[tag]).await.unwrap();
    let port = |link: &str| link.split('/').nth(2).unwrap().to_owned();
    let old = before.replace(&port(&before), &port(&link(&second).await));
    assert_eq!(send_upload(&old, "late").await.status, 403, "links end with the program");
    second.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_read_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let options = options("files-owner", &[]);
    let stack = start(&options).await;
    stack.files.put(KEY, "text/csv", b"name\n".to_vec()).await.unwrap();
    let upload = stack.files.begin("export", "text/csv").await.unwrap();
    stack.files.put_part("export", &upload, 1, b"part".to_vec()).await.unwrap();
    let (mut seen, mut waiting) = (0, vec![options.data_dir.join("files")]);
    while let Some(path) = waiting.pop() {
        let metadata = std::fs::metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", path.display());
        if metadata.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            seen += 1;
        }
    }
    assert_eq!(seen, 3, "the file, the part and the description of the upload");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_have_the_address_of_the_option() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    let taken = options("files-taken", &["--listen-files", &address]);
    let refused = Stack::start(&taken, bootstrap::system_clock()).await.expect_err("the address is in use");
    assert!(matches!(refused, StackError::Files(..)) && refused.to_string().contains("--listen-files"));
    drop(free);
    let stack = start(&options("files-address", &["--listen-files", &address])).await;
    assert!(link(&stack).await.starts_with(&format!("http://{address}/")));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_in_memory_is_not_in_the_data_directory() {
    let mut options = options("files-memory", &[]);
    options.in_memory = true;
    let stack = start(&options).await;
    assert_eq!(send_upload(&link(&stack).await, "name\n").await.status, 200);
    assert_eq!(stack.files.info(KEY).await.unwrap().unwrap().bytes, 5);
    stack.stop().await;
    assert!(!options.data_dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_that_stops_or_is_too_large_is_ended() {
    let mut options = options("files-bounds", &[]);
    (options.in_memory, options.server_limits.body_time) = (true, Duration::from_millis(400));
    let stack = start(&options).await;
    assert_eq!(send_raw(&stack, 100, "a part of it").await, "HTTP/1.1 400 Bad Request");
    let large = u64::try_from(FILE_UPLOAD_BYTES_MAX).unwrap() + 1;
    assert_eq!(send_raw(&stack, large, "").await, "HTTP/1.1 413 Payload Too Large");
    assert_eq!(stack.files.info(KEY).await.unwrap(), None, "no part of a file is stored");
    stack.stop().await;
}
