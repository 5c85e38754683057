//! What each function may do: only what it calls, on what it calls it.

use std::collections::{BTreeMap, BTreeSet};

use yaml_serde::Value;

use super::document::{Template, entries, intrinsic, logical_name, text, texts};

const LOGS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// What Lambda does with a queue in the name of the function that works through it.
const RECEIVING: [&str; 3] = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];

/// The statements of one function's role: Sid → (actions, resource).
type Grants = BTreeMap<String, (BTreeSet<String>, String)>;

/// What each role grants, by the role's name without `Role`.
fn grants() -> BTreeMap<String, Grants> {
    let template = Template::read();
    let resources = template.resources().into_iter();
    let roles = resources.filter(|(_, resource)| text(&resource["Type"]) == "AWS::IAM::Role");
    roles
        .map(|(id, role)| (id.strip_suffix("Role").unwrap().to_owned(), statements(&role["Properties"])))
        .collect()
}

fn statements(role: &Value) -> Grants {
    assert!(role["ManagedPolicyArns"].is_null(), "managed policies grant what is not written here");
    let policies = role["Policies"].as_sequence().unwrap();
    assert_eq!(policies.len(), 1, "one policy for a role");
    let statements = policies[0]["PolicyDocument"]["Statement"].as_sequence().unwrap();
    let grants: Grants = statements
        .iter()
        .map(|statement| {
            assert_eq!(text(&statement["Effect"]), "Allow");
            let keys: BTreeSet<&str> = entries(statement).map(|(key, _)| key).collect();
            assert_eq!(keys, ["Action", "Effect", "Resource", "Sid"].into());
            let actions = texts(&statement["Action"]);
            assert!(actions.is_sorted_by(|a, b| a < b), "sorted, each once: {actions:?}");
            let actions = actions.into_iter().map(str::to_owned).collect();
            (text(&statement["Sid"]).to_owned(), (actions, intrinsic(&statement["Resource"])))
        })
        .collect();
    assert_eq!(grants.len(), statements.len(), "one statement for a purpose");
    grants
}

/// Something that a role allows: an action, and the resource that it is allowed on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Permission {
    /// Such as `dynamodb:Query`.
    pub(crate) action: String,
    /// The logical id of the resource, such as `Table`, and what it is of it, such as `Table/index/due`.
    pub(crate) on: String,
}

/// What a function's role allows beyond writing its log.
pub(crate) fn permissions_of(function: &str) -> BTreeSet<Permission> {
    let statements = grants().remove(&logical_name(function)).unwrap().into_iter();
    let statements = statements.filter(|(sid, _)| sid != "Logs");
    let permissions = statements.flat_map(|(_, (actions, resource))| {
        let on = resource.trim_start_matches("!GetAtt ").trim_start_matches("!Sub ");
        let on = on.replace("${", "").replace(['}'], "").replace(".Arn", "");
        actions.into_iter().map(move |action| Permission { action, on: on.clone() })
    });
    permissions.collect()
}

fn grant(actions: &[&str], resource: &str) -> (BTreeSet<String>, String) {
    (actions.iter().map(|action| (*action).to_owned()).collect(), resource.to_owned())
}

#[test]
fn every_role_is_a_functions_role_and_lambdas_alone() {
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
fn a_statement_is_about_one_resource_and_fits_it() {
    for (role, grants) in grants() {
        for (sid, granted) in grants {
            let expected = match sid.as_str() {
                "Logs" => grant(&LOGS, &format!("!GetAtt {role}Logs.Arn")),
                "DueIndex" => grant(&["dynamodb:Query"], "!Sub ${Table.Arn}/index/due"),
                "LeavingIndex" => grant(&["dynamodb:Query"], "!Sub ${Table.Arn}/index/leaving"),
                "IntakeQueue" | "SweepQueue" => {
                    let works_through_it = ["IntakeWorker", "SweepPeriod"].contains(&role.as_str());
                    let actions: &[&str] = if works_through_it { &RECEIVING } else { &["sqs:SendMessage"] };
                    grant(actions, &format!("!GetAtt {sid}.Arn"))
                }
                "Table" => {
                    assert!(granted.0.iter().all(|action| of_items(action)), "{role}: {:?}", granted.0);
                    (granted.0.clone(), "!GetAtt Table.Arn".to_owned())
                }
                other => panic!("{role} has a statement of an unknown purpose: {other}"),
            };
            assert_eq!(granted, expected, "{role} {sid}");
        }
    }
}

/// The actions on items that the store's calls need. There is no scan: nothing reads a whole table.
fn of_items(action: &str) -> bool {
    [
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    ]
    .contains(&action)
}

#[test]
fn indexes_and_queues_are_for_those_who_work_through_them() {
    let holders = |sid: &str| -> Vec<String> {
        let roles = grants().into_iter().filter(|(_, grants)| grants.contains_key(sid));
        roles.map(|(role, _)| role).collect()
    };
    assert_eq!(holders("DueIndex"), ["MonthlyRollover"]);
    assert_eq!(holders("LeavingIndex"), ["SweepPeriod"]);
    assert_eq!(holders("IntakeQueue"), ["FormSubmission", "IntakeWorker", "MonthlyRollover"]);
    assert_eq!(holders("SweepQueue"), ["MonthlyRollover", "SweepPeriod"]);
    assert_eq!(holders("Table").len(), grants().len());
    assert_eq!(holders("Logs").len(), grants().len());
}

#[test]
fn the_authorizer_only_reads_one_item() {
    assert_eq!(grants()["Authorizer"]["Table"].0, ["dynamodb:GetItem".to_owned()].into());
}

#[test]
fn no_statement_anywhere_has_a_wildcard() {
    let template = Template::read();
    let mut statements = Vec::new();
    collect_statements(template.root(), &mut statements);
    assert!(statements.len() > grants().len(), "the walk finds them");
    for statement in statements {
        for part in ["Action", "NotAction", "Resource", "NotResource", "Principal"] {
            assert!(!contains_wildcard(&statement[part]), "{part} of {statement:?}");
        }
    }
}

/// Every mapping with an `Effect`, wherever it stands.
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
