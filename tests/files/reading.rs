//! Reading: from any place of one version of a file.

use domain::limits::FILE_PART_BYTES;
use file_store::FileError;
use testkit::TestFiles;

use super::{CSV, content};

const KEY: &str = "uploads/acc_1/imp_1";

#[tokio::test]
async fn file_is_read_from_any_place() {
    let bucket = TestFiles::start();
    let bytes: Vec<u8> = (0..1_000_003_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    bucket.files.put(KEY, CSV, bytes.clone()).await.unwrap();
    let info = bucket.files.info(KEY).await.unwrap().unwrap();
    assert_eq!(info.bytes, 1_000_003);
    for from in [0, 1, 65_536, 1_000_002] {
        assert!(content(&bucket.files, KEY, from).await.unwrap() == bytes[usize::try_from(from).unwrap()..]);
    }
}

#[tokio::test]
async fn read_at_or_after_the_end_yields_nothing() {
    let bucket = TestFiles::start();
    bucket.files.put(KEY, CSV, b"abc".to_vec()).await.unwrap();
    bucket.files.put("empty", CSV, Vec::new()).await.unwrap();
    for (key, from) in [(KEY, 3), (KEY, 4), (KEY, 5 << 40), ("empty", 0), ("empty", 1)] {
        assert_eq!(content(&bucket.files, key, from).await.unwrap(), b"", "{key} from {from}");
    }
}

#[tokio::test]
async fn file_that_was_replaced_is_not_read() {
    let bucket = TestFiles::start();
    bucket.files.put(KEY, CSV, b"old".to_vec()).await.unwrap();
    let old = bucket.files.info(KEY).await.unwrap().unwrap();
    bucket.files.put(KEY, CSV, b"new".to_vec()).await.unwrap();
    for from in [0, 2, 3] {
        let read = bucket.files.read(KEY, &old.version, from).await;
        assert!(matches!(read, Err(FileError::Changed)), "from {from}: {read:?}");
    }
    assert_eq!(content(&bucket.files, KEY, 0).await.unwrap(), b"new");
}

#[tokio::test]
async fn same_content_has_the_same_version() {
    let bucket = TestFiles::start();
    let mut versions = Vec::new();
    for text in ["one", "two", "one"] {
        bucket.files.put(KEY, CSV, text.as_bytes().to_vec()).await.unwrap();
        versions.push(bucket.files.info(KEY).await.unwrap().unwrap().version);
    }
    assert!(versions[0] == versions[2] && versions[0] != versions[1], "{versions:?}");
}

#[tokio::test]
async fn file_that_does_not_exist_is_not_found() {
    let bucket = TestFiles::start();
    assert_eq!(bucket.files.info(KEY).await.unwrap(), None);
    let read = bucket.files.read(KEY, "\"a\"", 0).await;
    assert!(matches!(read, Err(FileError::NotFound)), "{read:?}");
    bucket.files.delete(KEY).await.unwrap();
    bucket.files.put(KEY, CSV, b"abc".to_vec()).await.unwrap();
    bucket.files.delete(KEY).await.unwrap();
    assert_eq!(bucket.files.info(KEY).await.unwrap(), None);
}

#[tokio::test]
async fn file_is_deleted_while_it_is_read() {
    let bucket = TestFiles::start();
    let bytes = vec![b'a'; 2 * FILE_PART_BYTES];
    bucket.files.put(KEY, CSV, bytes.clone()).await.unwrap();
    let version = bucket.files.info(KEY).await.unwrap().unwrap().version;
    let mut body = bucket.files.read(KEY, &version, 0).await.unwrap();
    let mut read = body.next().await.unwrap().unwrap().len();
    bucket.files.delete(KEY).await.unwrap();
    while let Some(bytes) = body.next().await.unwrap() {
        read += bytes.len();
    }
    assert_eq!(read, bytes.len(), "an open file is read to its end");
}

#[tokio::test]
async fn strange_keys_are_separate_files() {
    let bucket = TestFiles::start();
    let keys = ["a/b", "a%2Fb", "a b", "a+b", "../a", "a/../b", "ä", "a/b/c"];
    for key in keys {
        bucket.files.put(key, CSV, key.as_bytes().to_vec()).await.unwrap();
    }
    for key in keys {
        assert_eq!(content(&bucket.files, key, 0).await.unwrap(), key.as_bytes());
    }
    let long = "k".repeat(300);
    assert!(matches!(bucket.files.put(&long, CSV, Vec::new()).await, Err(FileError::Fault(..))));
}

#[tokio::test]
async fn server_that_has_stopped_is_unavailable() {
    let bucket = TestFiles::start();
    let files = bucket.files.clone();
    drop(bucket);
    let info = files.info(KEY).await;
    assert!(matches!(info, Err(FileError::Unavailable(..))), "{info:?}");
}
