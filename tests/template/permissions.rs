//! The permissions of each function's role: only the actions and resources that the function uses.

use std::collections::{BTreeMap, BTreeSet};

use yaml_serde::Value;

use super::document::{Template, entries, intrinsic, logical_name, text, texts};

const LOGS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// The actions that Lambda uses to read a queue on behalf of a function.
const RECEIVING: [&str; 3] = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];

/// The action to send messages, one or many.
const SENDING: [&str; 1] = ["sqs:SendMessage"];

/// The actions that Lambda uses to read the table's stream on behalf of a function.
const READING: [&str; 4] =
    ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];

/// The statements on files, each with the prefix of the files' keys.
const FILES: [(&str, &str); 3] = [("Exports", "exports"), ("Outcomes", "outcomes"), ("Uploads", "uploads")];

/// The key of the condition that limits a statement to certain partitions.
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// The statements of one function's role: Sid → (actions, resource).
type Grants = BTreeMap<String, (BTreeSet<String>, String)>;

/// Returns the grants of each role, by the role's name without `Role`.
fn grants() -> BTreeMap<String, Grants> {
    let template = Template::read();
    let resources = template.resources().into_iter();
    let roles = resources.filter(|(_, resource)| text(&resource["Type"]) == "AWS::IAM::Role");
    roles
        .map(|(id, role)| (id.strip_suffix("Role").unwrap().to_owned(), statements(&role["Properties"])))
        .collect()
}

fn statements(role: &Value) -> Grants {
    assert!(
        role["ManagedPolicyArns"].is_null(),
        "a managed policy grants permissions that are not listed here"
    );
    let policies = role["Policies"].as_sequence().unwrap();
    assert_eq!(policies.len(), 1, "one policy for a role");
    let statements = policies[0]["PolicyDocument"]["Statement"].as_sequence().unwrap();
    let grants: Grants = statements
        .iter()
        .map(|statement| {
            assert_eq!(text(&statement["Effect"]), "Allow");
            let keys: BTreeSet<&str> = entries(statement).map(|(key, _)| key).collect();
            let limited = if is_limited(text(&statement["Sid"])) { &["Condition"][..] } else { &[] };
            assert_eq!(
                keys,
                ["Action", "Effect", "Resource", "Sid"].iter().chain(limited).copied().collect()
            );
            let actions = texts(&statement["Action"]);
            assert!(actions.is_sorted_by(|a, b| a < b), "sorted, each once: {actions:?}");
            let actions = actions.into_iter().map(str::to_owned).collect();
            (text(&statement["Sid"]).to_owned(), (actions, intrinsic(&statement["Resource"])))
        })
        .collect();
    assert_eq!(grants.len(), statements.len(), "one statement for a purpose");
    grants
}

/// A permission of a role: an action and its resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Permission {
    /// The action, such as `dynamodb:Query`.
    pub(crate) action: String,
    /// The logical id of the resource, such as `Table`, with an optional part of it, such as `Table/index/due`.
    pub(crate) on: String,
}

/// Returns the permissions of a function's role, except for those to write its log.
pub(crate) fn permissions_of(function: &str) -> BTreeSet<Permission> {
    let statements = grants().remove(&logical_name(function)).unwrap().into_iter();
    let statements = statements.filter(|(sid, _)| sid != "Logs");
    let permissions = statements.flat_map(|(_, (actions, resource))| {
        let on = on(&resource);
        actions.into_iter().map(move |action| Permission { action, on: on.clone() })
    });
    permissions.collect()
}

/// Returns true for a statement on items, whose condition names the partitions.
fn is_limited(sid: &str) -> bool {
    ["TableReads", "TableWrites", "ChangedIndex", "DueIndex", "LeavingIndex"].contains(&sid)
}

/// A permission of a role for the items of some partitions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct KeyPermission {
    /// True for writes, false for reads.
    pub(crate) writes: bool,
    /// The logical id of the table, or of an index as in [`Permission::on`].
    pub(crate) on: String,
    /// The pattern of the partitions' names, such as `CONTACT#*`.
    pub(crate) prefix: String,
}

/// Returns the partitions that a function's role may read and write.
pub(crate) fn key_permissions_of(function: &str) -> BTreeSet<KeyPermission> {
    let template = Template::read();
    let role = template.properties(&format!("{}Role", logical_name(function)));
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_sequence().unwrap().iter();
    let limited = statements.filter(|statement| is_limited(text(&statement["Sid"])));
    let permissions = limited.flat_map(|statement| {
        let conditions: Vec<(&str, &Value)> = entries(&statement["Condition"]).collect();
        let [("ForAllValues:StringLike", condition)] = conditions[..] else { panic!("one condition") };
        assert_eq!(entries(condition).map(|(key, _)| key).collect::<Vec<_>>(), [LEADING_KEYS]);
        let patterns = texts(&condition[LEADING_KEYS]);
        assert!(patterns.is_sorted_by(|a, b| a < b), "sorted, each once: {patterns:?}");
        let writes = text(&statement["Sid"]) == "TableWrites";
        let on = on(&intrinsic(&statement["Resource"]));
        patterns
            .into_iter()
            .map(move |pattern| KeyPermission { writes, on: on.clone(), prefix: pattern.to_owned() })
            .collect::<Vec<_>>()
    });
    permissions.collect()
}

/// Returns the logical id in a resource's address, with an optional part of it.
fn on(resource: &str) -> String {
    let on = resource.trim_start_matches("!GetAtt ").trim_start_matches("!Sub ");
    on.replace("${", "").replace(['}'], "").replace(".Arn", "")
}

fn grant(actions: &[&str], resource: &str) -> (BTreeSet<String>, String) {
    (actions.iter().map(|action| (*action).to_owned()).collect(), resource.to_owned())
}

#[test]
fn every_role_belongs_to_a_function_and_trusts_only_lambda() {
    let template = Template::read();
    let functions: BTreeSet<String> =
        template.functions().keys().map(|id| id.strip_suffix("Function").unwrap().to_owned()).collect();
    let roles: BTreeSet<String> = grants().into_keys().collect();
    assert_eq!(roles, functions);
    for role in roles {
        let trust = &template.properties(&format!("{role}Role"))["AssumeRolePolicyDocument"]["Statement"];
        assert_eq!(trust.as_sequence().unwrap().len(), 1);
        assert_eq!(text(&trust[0]["Principal"]["Service"]), "lambda.amazonaws.com");
    }
}

#[test]
fn statement_grants_fitting_actions_on_one_resource() {
    for (role, grants) in grants() {
        for (sid, granted) in grants {
            let expected = match sid.as_str() {
                "Logs" => grant(&LOGS, &format!("!GetAtt {role}Logs.Arn")),
                "ChangedIndex" => grant(&["dynamodb:Query"], "!Sub ${Table.Arn}/index/changed"),
                "DueIndex" => grant(&["dynamodb:Query"], "!Sub ${Table.Arn}/index/due"),
                "LeavingIndex" => grant(&["dynamodb:Query"], "!Sub ${Table.Arn}/index/leaving"),
                "Stream" => grant(&READING, "!GetAtt Table.StreamArn"),
                "DeadLetters" if role == "MonthlyRollover" => {
                    grant(&SENDING, "!GetAtt ScheduleDeadLetters.Arn")
                }
                "DeadLetters" => grant(&SENDING, &format!("!GetAtt {role}DeadLetters.Arn")),
                "AutomationQueue" | "BulkQueue" | "FileQueue" | "IntakeQueue" | "SweepQueue" => {
                    let actions = match role.as_str() {
                        "IntakeWorker" | "SweepPeriod" => RECEIVING.to_vec(),
                        // They also send the message that continues.
                        "AutomationWorker" | "BulkWorker" | "FileWorker" => {
                            [&RECEIVING[..], &SENDING[..]].concat()
                        }
                        _ => SENDING.to_vec(),
                    };
                    grant(&actions, &format!("!GetAtt {sid}.Arn"))
                }
                "TableReads" => {
                    assert!(granted.0.iter().all(|action| reads(action)), "{role}: {:?}", granted.0);
                    (granted.0.clone(), "!GetAtt Table.Arn".to_owned())
                }
                "TableWrites" => {
                    assert!(granted.0.iter().all(|action| writes(action)), "{role}: {:?}", granted.0);
                    (granted.0.clone(), "!GetAtt Table.Arn".to_owned())
                }
                // S3 then answers 404 and not 403 for a file that does not exist.
                "MissingFiles" => grant(&["s3:ListBucket"], "!GetAtt Files.Arn"),
                "Exports" | "Outcomes" | "Uploads" => {
                    assert!(granted.0.iter().all(|action| uses_files(action)), "{role}: {:?}", granted.0);
                    (granted.0.clone(), resource_of_files(&sid).expect("a prefix"))
                }
                other => panic!("{role} has a statement of an unknown purpose: {other}"),
            };
            assert_eq!(granted, expected, "{role} {sid}");
        }
    }
}

/// Returns true if the store reads items by this action. It uses no scan, because no function reads a whole table.
fn reads(action: &str) -> bool {
    ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"].contains(&action)
}

/// Returns true if the store writes items by this action.
fn writes(action: &str) -> bool {
    ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        .contains(&action)
}

/// Returns true if the functions use files by this action. Files are deleted by the rules of the bucket only.
fn uses_files(action: &str) -> bool {
    ["s3:GetObject", "s3:PutObject"].contains(&action)
}

/// Returns the resource of a statement on files: all files with its prefix. `None` for another statement.
fn resource_of_files(sid: &str) -> Option<String> {
    let (_, prefix) = FILES.iter().find(|(of, _)| *of == sid)?;
    Some(format!("!Sub ${{Files.Arn}}/{prefix}/*"))
}

#[test]
fn only_account_management_writes_tokens() {
    let functions = grants().into_keys().filter(|role| {
        let template = Template::read();
        let id = format!("{role}Role");
        let statements = template.properties(&id)["Policies"][0]["PolicyDocument"]["Statement"].clone();
        let mut statements = statements.as_sequence().unwrap().clone().into_iter();
        statements.any(|statement| {
            text(&statement["Sid"]) == "TableWrites"
                && texts(&statement["Condition"]["ForAllValues:StringLike"][LEADING_KEYS])
                    .contains(&"TOKEN#*")
        })
    });
    assert_eq!(functions.collect::<Vec<_>>(), ["Account", "Console"]);
}

#[test]
fn indexes_and_queues_are_granted_to_their_users_only() {
    let roles_with = |sid: &str| -> Vec<String> {
        let roles = grants().into_iter().filter(|(_, grants)| grants.contains_key(sid));
        roles.map(|(role, _)| role).collect()
    };
    assert_eq!(roles_with("DueIndex"), ["MonthlyRollover"]);
    assert_eq!(roles_with("ChangedIndex"), ["HubspotCrm"]);
    assert_eq!(roles_with("LeavingIndex"), ["HubspotCrm", "SweepPeriod"]);
    assert_eq!(roles_with("IntakeQueue"), ["FormSubmission", "IntakeWorker", "MonthlyRollover"]);
    assert_eq!(roles_with("SweepQueue"), ["MonthlyRollover", "SweepPeriod"]);
    assert_eq!(
        roles_with("BulkQueue"),
        ["Automations", "BulkJobs", "BulkWorker", "Console", "HubspotCrm", "MonthlyRollover", "Segments"]
    );
    assert_eq!(roles_with("AutomationQueue"), ["AutomationWorker", "ChangeFeed", "MonthlyRollover"]);
    assert_eq!(roles_with("FileQueue"), ["Console", "FileWorker", "Files", "HubspotCrm", "MonthlyRollover"]);
    assert_eq!(roles_with("Exports"), ["Console", "FileWorker", "Files"]);
    for sid in ["MissingFiles", "Outcomes"] {
        assert_eq!(roles_with(sid), ["Console", "FileWorker", "Files"]);
    }
    assert_eq!(roles_with("Uploads"), ["Console", "FileWorker", "Files", "HubspotCrm"]);
    assert_eq!(roles_with("Stream"), ["ChangeFeed"]);
    assert_eq!(roles_with("DeadLetters"), ["ChangeFeed", "MonthlyRollover"]);
    assert_eq!(roles_with("TableReads").len(), grants().len());
    assert_eq!(roles_with("Logs").len(), grants().len());
}

#[test]
fn authorizer_may_only_get_items() {
    assert_eq!(grants()["Authorizer"]["TableReads"].0, ["dynamodb:GetItem".to_owned()].into());
    assert!(!grants()["Authorizer"].contains_key("TableWrites"));
}

#[test]
fn only_permissions_for_files_have_a_wildcard() {
    let template = Template::read();
    let mut statements = Vec::new();
    collect_statements(template.root(), &mut statements);
    assert!(statements.len() > grants().len(), "the search finds fewer statements than the roles have");
    // A statement that denies is stricter with a wildcard.
    for statement in statements.into_iter().filter(|statement| text(&statement["Effect"]) != "Deny") {
        let of_files = statement["Sid"].as_str().and_then(resource_of_files);
        for part in ["Action", "NotAction", "Resource", "NotResource", "Principal"] {
            if part == "Resource" && of_files.is_some() {
                // The keys of files have ids, so a role names their prefix.
                assert_eq!(Some(intrinsic(&statement[part])), of_files);
                continue;
            }
            assert!(!contains_wildcard(&statement[part]), "{part} of {statement:?}");
        }
    }
}

/// Collects every mapping with an `Effect` below a node.
fn collect_statements<'a>(node: &'a Value, found: &mut Vec<&'a Value>) {
    match node {
        Value::Mapping(mapping) => {
            if mapping.contains_key("Effect") {
                found.push(node);
            }
            mapping.values().for_each(|value| collect_statements(value, found));
        }
        Value::Sequence(list) => list.iter().for_each(|value| collect_statements(value, found)),
        Value::Tagged(tagged) => collect_statements(&tagged.value, found),
        _ => {}
    }
}

fn contains_wildcard(node: &Value) -> bool {
    match node {
        Value::String(text) => text.contains('*') || text.contains('?'),
        Value::Sequence(list) => list.iter().any(contains_wildcard),
        Value::Mapping(mapping) => mapping.values().any(contains_wildcard),
        Value::Tagged(tagged) => contains_wildcard(&tagged.value),
        _ => false,
    }
}
