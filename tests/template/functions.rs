//! The function resources, their crates and their environment variables.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cargo_metadata::MetadataCommand;

use super::document::{Template, entries, function_of, intrinsic, logical_name, number, repository, text};

/// The maximum time that the HTTP API waits for a function, in seconds.
const HTTP_API_TIMEOUT: u64 = 30;

/// The maximum time that the HTTP API waits for an authorizer, in seconds.
const AUTHORIZER_TIMEOUT: u64 = 10;

fn folders() -> BTreeSet<String> {
    let folders = std::fs::read_dir(repository().join("functions")).unwrap().map(Result::unwrap);
    let folders = folders.filter(|entry| entry.file_type().unwrap().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn folders_and_functions_correspond() {
    let template = Template::read();
    let expected: BTreeMap<String, String> =
        folders().into_iter().map(|folder| (logical_name(&folder) + "Function", folder)).collect();
    let declared: BTreeMap<String, String> = template
        .functions()
        .keys()
        .map(|id| ((*id).to_owned(), function_of(template.properties(id)).to_owned()))
        .collect();
    assert_eq!(declared, expected);
}

#[test]
fn every_folder_builds_the_function_of_the_template() {
    let mut command = MetadataCommand::new();
    let metadata = command.manifest_path(repository().join("Cargo.toml")).no_deps().exec().unwrap();
    for folder in folders() {
        let package = metadata.packages.iter().find(|package| package.name.as_str() == folder).unwrap();
        let binaries = package.targets.iter().filter(|target| target.is_bin());
        let binaries: Vec<&str> = binaries.map(|target| target.name.as_str()).collect();
        assert_eq!(binaries, [folder.as_str()]);
        assert!(package.manifest_path.ends_with(format!("functions/{folder}/Cargo.toml")), "{folder}");
    }
}

#[test]
fn every_function_runs_on_the_same_platform() {
    let template = Template::read();
    let globals = &template.root()["Globals"]["Function"];
    assert_eq!(text(&globals["Runtime"]), "provided.al2023");
    assert_eq!(text(&globals["Handler"]), "bootstrap");
    assert_eq!(intrinsic(&globals["Architectures"][0]), "!Ref Architecture");
    assert_eq!(text(&template.root()["Parameters"]["Architecture"]["Default"]), "arm64");
    assert_eq!(text(&globals["LoggingConfig"]["LogFormat"]), "JSON");
    assert_eq!(text(&globals["LoggingConfig"]["SystemLogLevel"]), "WARN");
    for (id, properties) in template.functions() {
        for name in ["Runtime", "Handler", "Architectures"] {
            assert!(properties[name].is_null(), "{id} has its own {name}");
        }
    }
}

#[test]
fn every_function_has_its_own_log_group_and_role() {
    let template = Template::read();
    for folder in folders() {
        let name = logical_name(&folder);
        let properties = template.properties(&format!("{name}Function"));
        assert_eq!(intrinsic(&properties["Role"]), format!("!GetAtt {name}Role.Arn"));
        assert_eq!(intrinsic(&properties["LoggingConfig"]["LogGroup"]), format!("!Ref {name}Logs"));
        assert_eq!(
            intrinsic(&template.properties(&format!("{name}Logs"))["RetentionInDays"]),
            "!Ref LogRetentionDays"
        );
    }
}

#[test]
fn functions_behind_the_api_end_before_the_api_times_out() {
    let template = Template::read();
    let default = number(&template.root()["Globals"]["Function"]["Timeout"]);
    for (id, properties) in template.functions() {
        let timeout = properties["Timeout"].as_u64().unwrap_or(default);
        let http = entries(&properties["Events"]).any(|(_, event)| text(&event["Type"]) == "HttpApi");
        if id == "AuthorizerFunction" {
            assert!(timeout < AUTHORIZER_TIMEOUT, "{id}");
        } else if http {
            assert!(timeout < HTTP_API_TIMEOUT, "{id}");
        } else {
            let expected = match id {
                // A submission in the inbox should apply soon, and SQS redelivers a message only after the time limit.
                "IntakeWorkerFunction" => 60,
                // A long job occupies a worker for the whole time, and then lets others go first.
                "AutomationWorkerFunction" | "BulkWorkerFunction" => 120,
                // The changes behind a batch that hangs wait for the whole time.
                "ChangeFeedFunction" => 60,
                // The survey of a file and the files with the results are each done in one run, so it has the longest time
                // that Lambda allows.
                "FileWorkerFunction" => 900,
                _ => 300,
            };
            assert_eq!(timeout, expected, "{id}");
        }
    }
}

/// Returns the time limit of this function for one event.
pub(crate) fn time_limit_of(function: &str) -> Duration {
    let template = Template::read();
    let own = template.properties(&(logical_name(function) + "Function"))["Timeout"].as_u64();
    Duration::from_secs(own.unwrap_or_else(|| number(&template.root()["Globals"]["Function"]["Timeout"])))
}

/// Returns the environment variables of each function, by the name of its binary.
fn environment() -> BTreeMap<String, BTreeSet<String>> {
    let template = Template::read();
    let names = |owner: &yaml_serde::Value| -> BTreeSet<String> {
        entries(&owner["Environment"]["Variables"]).map(|(name, _)| name.to_owned()).collect()
    };
    let shared = names(&template.root()["Globals"]["Function"]);
    let own = |folder: &str| names(template.properties(&(logical_name(folder) + "Function")));
    folders().into_iter().map(|folder| (folder.clone(), &shared | &own(&folder))).collect()
}

#[test]
fn function_environment_has_only_needed_variables() {
    let all = ["STACK_NAME", "TABLE_NAME"];
    for (function, variables) in environment() {
        let own: &[&str] = match function.as_str() {
            "authorizer" => &["OPERATOR_TOKEN_SHA256"],
            "automation-worker" | "change-feed" => &["AUTOMATION_QUEUE_URL"],
            "automations" | "bulk-jobs" | "bulk-worker" | "segments" => &["BULK_QUEUE_URL"],
            "console" => &["BULK_QUEUE_URL", "FILES_BUCKET", "FILE_QUEUE_URL", "PUBLIC_URL"],
            "file-worker" | "files" => &["FILES_BUCKET", "FILE_QUEUE_URL"],
            "form-submission" => &["INTAKE_QUEUE_URL"],
            "hubspot-crm" => &["BULK_QUEUE_URL", "FILES_BUCKET", "FILE_QUEUE_URL", "PUBLIC_URL"],
            "forms" => &["PUBLIC_URL"],
            "monthly-rollover" => &[
                "AUTOMATION_QUEUE_URL",
                "BULK_QUEUE_URL",
                "FILE_QUEUE_URL",
                "INTAKE_QUEUE_URL",
                "SWEEP_QUEUE_URL",
            ],
            _ => &[],
        };
        let expected: BTreeSet<String> = all.iter().chain(own).map(|name| (*name).to_owned()).collect();
        assert_eq!(variables, expected, "{function}");
    }
}

#[test]
fn template_sets_exactly_the_variables_bootstrap_reads() {
    let given: BTreeSet<String> = environment().into_values().flatten().collect();
    let sources = std::fs::read_dir(repository().join("shared/bootstrap/src"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let sources = sources.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut read: BTreeSet<String> =
        sources.flat_map(|path| variable_names(&std::fs::read_to_string(path).unwrap())).collect();
    // The local stack's own variables begin with the program's name.
    read.retain(|name| !name.starts_with("TIDEMARK_"));
    assert_eq!(read, given);
}

/// Returns the quoted texts in the form of a variable's name, except for the variables that Lambda itself sets.
fn variable_names(source: &str) -> BTreeSet<String> {
    let program = source.split("#[cfg(test)]").next().unwrap();
    let code: String = program.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let quoted = code.split('"').skip(1).step_by(2);
    let named = quoted.filter(|text| {
        text.contains('_')
            && text
                .chars()
                .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
    });
    named.filter(|text| !text.starts_with("AWS_") && !text.starts_with('_')).map(str::to_owned).collect()
}

#[test]
fn variable_names_are_found_in_code_only() {
    let source = "// \"NOT_THIS\"\nlet table = text(\"TABLE_NAME\"); let x = \"AWS_REGION\";\n#[cfg(test)]\nlet y = \"NOR_THIS\";";
    assert_eq!(variable_names(source), ["TABLE_NAME".to_owned()].into());
}
