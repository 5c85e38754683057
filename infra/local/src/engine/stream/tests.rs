use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use super::*;
use crate::engine::{Engine, new_name_in_memory};
use crate::table::{create_table, table_definition};

const TABLE: &str = "contacts";

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn put(client: &Client, key: &str, value: &str) {
    let put = client.put_item().table_name(TABLE).item("pk", text(key)).item("sk", text("ITEM"));
    put.item("value", text(value)).send().await.unwrap();
}

async fn delete(client: &Client, key: &str) {
    let delete = client.delete_item().table_name(TABLE).key("pk", text(key)).key("sk", text("ITEM"));
    delete.send().await.unwrap();
}

fn number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap()
}

/// Opens a further connection to the database of an engine on disk.
fn connect(directory: &Directory) -> Connection {
    Connection::open(directory.file()).unwrap()
}

/// A directory of one test, which is deleted when the test ends.
struct Directory(std::path::PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tidemark-stream-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.join("table.db")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn records_have_both_images_and_are_in_order() {
    let engine = Engine::in_memory().unwrap();
    let client = engine.client();
    create_table(&client, TABLE).await.unwrap();
    put(&client, "a", "1").await;
    put(&client, "b", "1").await;
    put(&client, "a", "2").await;
    delete(&client, "a").await;
    let records = engine.stream(TABLE).read(10).await.unwrap();
    let image = |record: &Value, name: &str| record["dynamodb"][name]["value"]["S"].clone();
    let images: Vec<_> = records
        .iter()
        .map(|record| {
            let key = record["dynamodb"]["Keys"]["pk"]["S"].clone();
            json!([record["eventName"], key, image(record, "OldImage"), image(record, "NewImage")])
        })
        .collect();
    let expected = json!([
        ["INSERT", "a", null, "1"],
        ["INSERT", "b", null, "1"],
        ["MODIFY", "a", "1", "2"],
        ["REMOVE", "a", "2", null]
    ]);
    assert_eq!(Value::from(images), expected);
    let numbers: Vec<&str> = records.iter().map(number).collect();
    assert!(
        numbers.is_sorted_by(|a, b| a < b) && numbers.iter().all(|number| number.len() == 21),
        "{numbers:?}"
    );
    assert_eq!(engine.stream(TABLE).read(2).await.unwrap(), records[..2]);
}

#[tokio::test]
async fn write_without_a_change_is_no_record() {
    let engine = Engine::in_memory().unwrap();
    let client = engine.client();
    create_table(&client, TABLE).await.unwrap();
    delete(&client, "unknown").await;
    let refused = client.put_item().table_name(TABLE).item("pk", text("a")).item("sk", text("ITEM"));
    assert!(refused.condition_expression("attribute_exists(pk)").send().await.is_err());
    assert_eq!(engine.stream(TABLE).read(10).await.unwrap(), [Value::Null; 0]);
}

#[tokio::test]
async fn removed_records_are_gone_also_after_a_restart() {
    let directory = Directory::new("restart");
    let engine = Engine::on_disk(&directory.file()).unwrap();
    let client = engine.client();
    create_table(&client, TABLE).await.unwrap();
    for key in ["a", "b", "c"] {
        put(&client, key, "1").await;
    }
    let stream = engine.stream(TABLE);
    let records = stream.read(10).await.unwrap();
    stream.remove_through(number(&records[1])).await.unwrap();
    assert_eq!(stream.read(10).await.unwrap(), records[2..]);
    engine.stop().await;
    assert!(matches!(stream.read(10).await, Err(StreamError::Stopped)));

    let engine = Engine::on_disk(&directory.file()).unwrap();
    let stream = engine.stream(TABLE);
    assert_eq!(stream.read(10).await.unwrap(), records[2..]);
    stream.remove_through(number(&records[2])).await.unwrap();
    put(&engine.client(), "d", "1").await;
    let [next] = &stream.read(10).await.unwrap()[..] else { panic!("one record") };
    assert!(number(next) > number(&records[2]), "an empty stream begins with no earlier number");
    engine.stop().await;
}

#[tokio::test]
async fn table_without_a_stream_has_no_records() {
    let engine = Engine::in_memory().unwrap();
    let client = engine.client();
    table_definition().unwrap().without_stream().ensure(&client, TABLE).await.unwrap();
    put(&client, "a", "1").await;
    assert!(matches!(engine.stream(TABLE).read(10).await, Err(StreamError::Read(_))));
}

#[tokio::test]
async fn engine_finds_its_records_by_the_index() {
    let directory = Directory::new("index");
    let engine = Engine::on_disk(&directory.file()).unwrap();
    // These are the engine's own statements.
    let next = "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1";
    let page = "SELECT event_name, keys_json, new_image, old_image, sequence_number, created_at, user_identity, event_id
        FROM _stream_records WHERE table_name = ?1 AND shard_id = ?2 AND CAST(sequence_number AS INTEGER) > ?3
        ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT ?4";
    let connection = connect(&directory);
    for sql in [next, page] {
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = vec![rusqlite::types::Null; plan.parameter_count()];
        let steps =
            plan.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>("detail"));
        let steps = steps.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("; ");
        assert!(steps.contains("INDEX tidemark_stream_order"), "{steps}");
        assert!(!steps.contains("TEMP B-TREE"), "{steps}");
    }
    engine.stop().await;
}

#[tokio::test]
async fn records_of_more_than_a_day_are_removed() {
    let directory = Directory::new("trim");
    let engine = Engine::on_disk(&directory.file()).unwrap();
    let client = engine.client();
    create_table(&client, TABLE).await.unwrap();
    for key in ["a", "b", "c"] {
        put(&client, key, "1").await;
    }
    let connection = connect(&directory);
    let day = 24 * 60 * 60;
    let aged = |key: &str, seconds: i64| {
        let sql = "UPDATE _stream_records SET created_at = created_at - ?2 WHERE keys_json LIKE ?1";
        assert_eq!(connection.execute(sql, params![format!("%\"{key}\"%"), seconds]).unwrap(), 1);
    };
    aged("a", day + 60);
    aged("b", day - 60);
    // The next record is the thousandth.
    connection.execute("UPDATE sqlite_sequence SET seq = 999 WHERE name = '_stream_records'", []).unwrap();
    put(&client, "d", "1").await;
    let records = engine.stream(TABLE).read(10).await.unwrap();
    let keys: BTreeSet<_> =
        records.iter().map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str()).collect();
    assert_eq!(keys, ["b", "c", "d"].map(Some).into());
    engine.stop().await;
}

#[tokio::test]
async fn engine_in_memory_leaves_no_data_behind() {
    let name = new_name_in_memory();
    let tables = || -> u32 {
        let connection = Connection::open(&name).unwrap();
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap()
    };
    let engine = Engine::open(&name).unwrap();
    create_table(&engine.client(), TABLE).await.unwrap();
    assert!(tables() > 0);
    engine.stop().await;
    assert_eq!(tables(), 0, "{name}");
}
