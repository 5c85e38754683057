//! The bucket of files: private, over TLS only, and for a limited time.

use chrono::TimeDelta;
use domain::limits::{FILE_KEPT, FILE_PARTS_KEPT, FILE_PREFLIGHT_KEPT_SECONDS};
use yaml_serde::Value;

use super::document::{Template, entries, intrinsic, text, texts};

/// Returns the only element of a list.
fn only(list: &Value) -> &Value {
    let elements = list.as_sequence().unwrap();
    assert_eq!(elements.len(), 1, "{list:?}");
    &elements[0]
}

#[test]
fn bucket_is_private_and_encrypted() {
    let template = Template::read();
    let bucket = template.properties("Files");
    let blocks: Vec<_> = entries(&bucket["PublicAccessBlockConfiguration"]).collect();
    assert!(blocks.len() == 4 && blocks.iter().all(|(_, block)| block.as_bool() == Some(true)), "{blocks:?}");
    let ownership = only(&bucket["OwnershipControls"]["Rules"]);
    assert_eq!(text(&ownership["ObjectOwnership"]), "BucketOwnerEnforced");
    let encryption = only(&bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]);
    assert_eq!(text(&encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"]), "AES256");
    assert!(bucket["VersioningConfiguration"].is_null(), "a deleted file leaves no version");
}

#[test]
fn bucket_refuses_requests_without_tls() {
    let template = Template::read();
    let policy = template.properties("FilesPolicy");
    let statement = only(&policy["PolicyDocument"]["Statement"]);
    let terms = ["Effect", "Principal", "Action"].map(|term| text(&statement[term]));
    assert_eq!(terms, ["Deny", "*", "s3:*"]);
    let resources: Vec<String> = statement["Resource"].as_sequence().unwrap().iter().map(intrinsic).collect();
    assert_eq!(resources, ["!GetAtt Files.Arn", "!Sub ${Files.Arn}/*"]);
    assert_eq!(text(&statement["Condition"]["Bool"]["aws:SecureTransport"]), "false");
}

#[test]
fn files_and_parts_expire_as_documented() {
    let template = Template::read();
    let rules = template.properties("Files")["LifecycleConfiguration"]["Rules"].as_sequence().unwrap();
    assert!(rules.iter().all(|rule| text(&rule["Status"]) == "Enabled" && rule["Prefix"].is_null()));
    let days = |value: &Value| value.as_i64().map(TimeDelta::days);
    let files: Vec<_> = rules.iter().filter_map(|rule| days(&rule["ExpirationInDays"])).collect();
    let parts = rules.iter().map(|rule| &rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]);
    let parts: Vec<_> = parts.filter_map(days).collect();
    assert_eq!((files, parts), (vec![FILE_KEPT], vec![FILE_PARTS_KEPT]));
}

#[test]
fn links_work_on_pages_of_every_origin() {
    let template = Template::read();
    let rule = only(&template.properties("Files")["CorsConfiguration"]["CorsRules"]);
    assert_eq!(texts(&rule["AllowedMethods"]), ["GET", "PUT"]);
    assert_eq!(
        (texts(&rule["AllowedOrigins"]), texts(&rule["AllowedHeaders"])),
        (vec!["*"], vec!["content-type", "if-none-match"])
    );
    assert_eq!(rule["MaxAge"].as_u64(), Some(FILE_PREFLIGHT_KEPT_SECONDS));
}

#[test]
fn files_outlive_the_stack_with_their_rules() {
    let template = Template::read();
    for id in ["Files", "FilesPolicy"] {
        let resource = template.resources()[id];
        let policies = (text(&resource["DeletionPolicy"]), text(&resource["UpdateReplacePolicy"]));
        assert_eq!(policies, ("RetainExceptOnCreate", "Retain"), "{id}");
    }
}
