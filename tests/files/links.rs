//! Links: each allows one request with one file, until it expires.

use std::time::Duration;

use chrono::TimeDelta;
use http::Method;
use testkit::{TestFiles, at};

use super::{CSV, content, send};

const HOUR: Duration = Duration::from_secs(60 * 60);
const NOW: &str = "2026-03-10T12:00:00Z";

#[tokio::test]
async fn uploaded_file_is_downloaded_under_its_name() {
    let bucket = TestFiles::start();
    let link = bucket.files.upload_link("uploads/a/b", HOUR, at(NOW)).await.unwrap();
    assert_eq!(link.expires_at, at(NOW).plus(TimeDelta::hours(1)));
    let sent = send(Method::PUT, &link.url, &link.headers, "name\nAda\n").await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let info = bucket.files.info("uploads/a/b").await.unwrap().unwrap();
    assert_eq!((info.bytes, &*info.version), (9, sent.header("etag")));

    let link = bucket.files.download_link("uploads/a/b", "Käufer.csv", CSV, HOUR, at(NOW)).await.unwrap();
    assert!(link.headers.is_empty(), "a browser can follow the link");
    let received = send(Method::GET, &link.url, &[], "").await;
    assert_eq!((received.status, received.text()), (200, "name\nAda\n".to_owned()));
    assert_eq!(received.header("content-type"), CSV);
    let disposition = "attachment; filename=\"Kufer.csv\"; filename*=UTF-8''K%C3%A4ufer.csv";
    assert_eq!(received.header("content-disposition"), disposition);
}

#[tokio::test]
async fn uploaded_file_can_not_be_replaced() {
    let bucket = TestFiles::start();
    let link = bucket.files.upload_link("uploads/a/b", HOUR, at(NOW)).await.unwrap();
    assert_eq!(link.headers, [("if-none-match".to_owned(), "*".to_owned())]);
    let unsigned = send(Method::PUT, &link.url, &[], "name\nEve\n").await;
    assert_eq!(unsigned.status, 403, "the condition is a part of the link");
    assert_eq!(send(Method::PUT, &link.url, &link.headers, "name\nAda\n").await.status, 200);
    let again = bucket.files.upload_link("uploads/a/b", HOUR, at(NOW)).await.unwrap();
    for link in [&link, &again] {
        let refused = send(Method::PUT, &link.url, &link.headers, "name\nEve\n").await;
        assert_eq!(refused.status, 412, "{}", refused.text());
    }
    assert_eq!(content(&bucket.files, "uploads/a/b", 0).await.unwrap(), b"name\nAda\n");
}

#[tokio::test]
async fn one_of_two_uploads_at_once_is_stored() {
    let bucket = TestFiles::start();
    let link = bucket.files.upload_link("uploads/a/b", HOUR, at(NOW)).await.unwrap();
    let sent = ["one", "two", "three", "four"];
    let answers = sent.map(|text| send(Method::PUT, &link.url, &link.headers, text));
    let answers = futures_util::future::join_all(answers).await;
    let stored: Vec<_> = answers.iter().zip(sent).filter(|(answer, _)| answer.status == 200).collect();
    let [(_, text)] = *stored else { panic!("{} were stored", stored.len()) };
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 412)));
    assert_eq!(content(&bucket.files, "uploads/a/b", 0).await.unwrap(), text.as_bytes());
}

#[tokio::test]
async fn downloaded_range_is_a_part_of_the_file() {
    let bucket = TestFiles::start();
    bucket.files.put("exports/a/b", CSV, b"0123456789".to_vec()).await.unwrap();
    let link = bucket.files.download_link("exports/a/b", "b.csv", CSV, HOUR, at(NOW)).await.unwrap();
    for (range, status, expected, of) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=8-100", 206, "89", "bytes 8-9/10"),
    ] {
        let part = send(Method::GET, &link.url, &[("range".to_owned(), range.to_owned())], "").await;
        assert_eq!((part.status, &*part.text()), (status, expected), "{range}");
        assert_eq!(part.header("content-range"), of);
    }
    let after = send(Method::GET, &link.url, &[("range".to_owned(), "bytes=10-".to_owned())], "").await;
    assert_eq!(after.status, 416);
}

#[tokio::test]
async fn changed_link_is_refused() {
    let bucket = TestFiles::start();
    bucket.files.put("exports/a/b", CSV, b"secret".to_vec()).await.unwrap();
    bucket.files.put("exports/a/c", CSV, b"secret".to_vec()).await.unwrap();
    let link = bucket.files.download_link("exports/a/b", "b.csv", CSV, HOUR, at(NOW)).await.unwrap().url;
    let (unsigned, _) = link.split_once('?').unwrap();
    let replaced = |old: &str, new: &str| {
        assert!(link.contains(old), "{link}");
        link.replace(old, new)
    };
    let changed = [
        unsigned.to_owned(),
        replaced("/a/b", "/a/c"),
        replaced("X-Amz-Expires=3600", "X-Amz-Expires=7200"),
        replaced("b.csv", "c.csv"),
        replaced("X-Amz-Signature=", "X-Amz-Signature=0000"),
        replaced("X-Amz-Credential=", "X-Amz-Credential=0"),
    ];
    for url in changed {
        let refused = send(Method::GET, &url, &[], "").await;
        assert!(matches!(refused.status, 400 | 403) && !refused.text().contains("secret"), "{url}");
    }
    let (upload, none) =
        (send(Method::PUT, &link, &[], "mine").await, send(Method::DELETE, &link, &[], "").await);
    assert_eq!((upload.status, none.status), (403, 403), "a link to read allows nothing else");
    assert_eq!(content(&bucket.files, "exports/a/b", 0).await.unwrap(), b"secret");
}

#[tokio::test]
async fn expired_link_is_refused() {
    let bucket = TestFiles::start();
    // Signatures count whole seconds, so this link has expired when it arrives.
    let moment = Duration::from_millis(1);
    let link = bucket.files.upload_link("uploads/a/b", moment, at(NOW)).await.unwrap();
    let refused = send(Method::PUT, &link.url, &link.headers, "late").await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("expired"), "{}", refused.text());
    assert_eq!(bucket.files.info("uploads/a/b").await.unwrap(), None);
}

#[tokio::test]
async fn link_for_more_than_a_week_is_a_fault() {
    let bucket = TestFiles::start();
    let weeks = 8 * 24 * HOUR;
    assert!(bucket.files.upload_link("uploads/a/b", weeks, at(NOW)).await.is_err());
}

#[tokio::test]
async fn link_does_not_show_its_url_in_logs() {
    let bucket = TestFiles::start();
    let link = bucket.files.upload_link("uploads/a/b", HOUR, at(NOW)).await.unwrap();
    let shown = format!("{link:?} {:?}", bucket.files);
    assert!(!shown.contains("http") && !shown.contains("Signature"), "{shown}");
}

#[tokio::test]
async fn page_of_any_origin_may_use_a_link() {
    let bucket = TestFiles::start();
    let link = bucket.files.upload_link("uploads/a/b", HOUR, at(NOW)).await.unwrap();
    let origin = ("origin".to_owned(), "https://page.example".to_owned());
    let asked = |method: &str| {
        let method = ("access-control-request-method".to_owned(), method.to_owned());
        [origin.clone(), method, ("access-control-request-headers".to_owned(), "if-none-match".to_owned())]
    };
    let allowed = send(Method::OPTIONS, &link.url, &asked("PUT"), "").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), "*");
    assert_eq!(allowed.header("access-control-allow-methods"), "GET,PUT");
    assert_eq!(allowed.header("access-control-allow-headers"), "content-type,if-none-match");
    let headers = [link.headers, vec![origin]].concat();
    let sent = send(Method::PUT, &link.url, &headers, "name\n").await;
    assert_eq!((sent.status, sent.header("access-control-allow-origin")), (200, "*"));
}
