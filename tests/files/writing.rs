//! Writing: in parts, by writers that stop at any point.

use domain::limits::FILE_PART_BYTES;
use file_store::{FileError, FileWriter, Files, PartTag, UploadId, WrittenParts};
use testkit::TestFiles;

use super::{CSV, content};

const KEY: &str = "exports/acc_1/exp_1/contacts.csv";

fn part(letter: u8) -> Vec<u8> {
    vec![letter; FILE_PART_BYTES]
}

fn writer(files: &Files, written: WrittenParts) -> FileWriter {
    FileWriter::new(files.clone(), KEY.to_owned(), CSV.to_owned(), written)
}

/// Stores the state of a writer and returns it as the next run of a worker reads it.
fn stored(writer: &FileWriter) -> WrittenParts {
    serde_json::from_str(&serde_json::to_string(writer.written()).unwrap()).unwrap()
}

#[tokio::test]
async fn parts_become_one_file() {
    let bucket = TestFiles::start();
    let upload = bucket.files.begin(KEY, CSV).await.unwrap();
    let mut tags = Vec::new();
    for (number, bytes) in [(1, part(b'a')), (2, part(b'b')), (3, b"end".to_vec())] {
        tags.push(bucket.files.put_part(KEY, &upload, number, bytes).await.unwrap());
    }
    assert_eq!(bucket.files.info(KEY).await.unwrap(), None, "no file exists before all parts are joined");
    bucket.files.complete(KEY, &upload, &tags).await.unwrap();
    let joined = content(&bucket.files, KEY, 0).await.unwrap();
    assert!(joined == [part(b'a'), part(b'b'), b"end".to_vec()].concat());
    let again = bucket.files.complete(KEY, &upload, &tags).await;
    assert!(matches!(again, Err(FileError::NotFound)), "{again:?}");
}

#[tokio::test]
async fn part_that_was_replaced_prevents_the_file() {
    let bucket = TestFiles::start();
    let upload = bucket.files.begin(KEY, CSV).await.unwrap();
    let old = bucket.files.put_part(KEY, &upload, 1, b"old".to_vec()).await.unwrap();
    let new = bucket.files.put_part(KEY, &upload, 1, b"new".to_vec()).await.unwrap();
    for tags in [vec![old], vec![PartTag("\"none\"".to_owned())]] {
        let refused = bucket.files.complete(KEY, &upload, &tags).await;
        assert!(matches!(refused, Err(FileError::Changed)), "{refused:?}");
    }
    bucket.files.complete(KEY, &upload, &[new]).await.unwrap();
    assert_eq!(content(&bucket.files, KEY, 0).await.unwrap(), b"new");
}

#[tokio::test]
async fn short_part_before_the_last_is_a_fault() {
    let bucket = TestFiles::start();
    let upload = bucket.files.begin(KEY, CSV).await.unwrap();
    let one = bucket.files.put_part(KEY, &upload, 1, b"short".to_vec()).await.unwrap();
    let two = bucket.files.put_part(KEY, &upload, 2, b"end".to_vec()).await.unwrap();
    let refused = bucket.files.complete(KEY, &upload, &[one, two]).await;
    assert!(matches!(refused, Err(FileError::Fault(..))), "{refused:?}");
}

#[tokio::test]
async fn aborted_upload_is_gone() {
    let bucket = TestFiles::start();
    let upload = bucket.files.begin(KEY, CSV).await.unwrap();
    let tag = bucket.files.put_part(KEY, &upload, 1, b"part".to_vec()).await.unwrap();
    bucket.files.abort(KEY, &upload).await.unwrap();
    bucket.files.abort(KEY, &upload).await.unwrap();
    bucket.files.abort(KEY, &UploadId("../stored".to_owned())).await.unwrap();
    let put = bucket.files.put_part(KEY, &upload, 2, b"part".to_vec()).await;
    let completed = bucket.files.complete(KEY, &upload, &[tag]).await;
    assert!(matches!((put, completed), (Err(FileError::NotFound), Err(FileError::NotFound))));
    assert_eq!(bucket.files.info(KEY).await.unwrap(), None);
}

#[tokio::test]
async fn small_file_is_written_without_parts() {
    let bucket = TestFiles::start();
    for text in ["", "name\nAda\n"] {
        let mut writer = writer(&bucket.files, WrittenParts::default());
        assert!(!writer.write(text.as_bytes()).await.unwrap());
        assert_eq!(*writer.written(), WrittenParts::default());
        assert_eq!(usize::try_from(writer.finish().await.unwrap()).unwrap(), text.len());
        assert_eq!(content(&bucket.files, KEY, 0).await.unwrap(), text.as_bytes());
    }
}

#[tokio::test]
async fn writer_resumes_after_its_last_stored_part() {
    let bucket = TestFiles::start();
    let row = vec![b'r'; FILE_PART_BYTES / 3];
    let mut first = writer(&bucket.files, WrittenParts::default());
    // The fourth row completes the first part, and the fifth one is lost with the first writer.
    let mut kept = WrittenParts::default();
    for _ in 0..5 {
        if first.write(&row).await.unwrap() {
            kept = stored(&first);
        }
    }
    drop(first);
    assert_eq!((kept.parts.len(), kept.bytes), (1, u64::try_from(4 * row.len()).unwrap()));

    let mut second = writer(&bucket.files, kept);
    second.write(&row).await.unwrap();
    second.write(b"end").await.unwrap();
    assert_eq!(second.finish().await.unwrap(), u64::try_from(5 * row.len() + 3).unwrap());
    let read = content(&bucket.files, KEY, 0).await.unwrap();
    assert!(read == [row.repeat(5), b"end".to_vec()].concat());
}

#[tokio::test]
async fn finish_is_repeated_after_a_lost_response() {
    let bucket = TestFiles::start();
    let mut first = writer(&bucket.files, WrittenParts::default());
    assert!(first.write(&part(b'a')).await.unwrap());
    let kept = stored(&first);
    first.write(b"end").await.unwrap();
    let bytes = first.finish().await.unwrap();
    assert_eq!(first.finish().await.unwrap(), bytes);

    let mut second = writer(&bucket.files, kept.clone());
    second.write(b"end").await.unwrap();
    assert_eq!(second.finish().await.unwrap(), bytes);
    let mut other = writer(&bucket.files, kept);
    other.write(b"another end").await.unwrap();
    assert!(matches!(other.finish().await, Err(FileError::NotFound)));
    assert!(content(&bucket.files, KEY, 0).await.unwrap().ends_with(b"aend"));
}

#[tokio::test]
async fn writer_whose_part_was_replaced_does_not_finish() {
    let bucket = TestFiles::start();
    let mut late = writer(&bucket.files, WrittenParts::default());
    late.write(&part(b'a')).await.unwrap();
    let (kept, mut other) = (stored(&late), writer(&bucket.files, stored(&late)));
    late.write(&part(b'b')).await.unwrap();
    other.write(&part(b'c')).await.unwrap();
    assert!(matches!(late.finish().await, Err(FileError::Changed)));
    other.finish().await.unwrap();
    assert_eq!(kept.parts.len(), 1);
    assert!(content(&bucket.files, KEY, 0).await.unwrap() == [part(b'a'), part(b'c')].concat());
}

#[tokio::test]
async fn aborted_writer_leaves_no_parts() {
    let bucket = TestFiles::start();
    let mut writer = writer(&bucket.files, WrittenParts::default());
    writer.write(&part(b'a')).await.unwrap();
    let upload = writer.written().upload.clone().unwrap();
    writer.abort().await.unwrap();
    let put = bucket.files.put_part(KEY, &upload, 1, b"part".to_vec()).await;
    assert!(matches!(put, Err(FileError::NotFound)));
}
