//! Rules about the names that sources use, which a dependency list cannot check.

use std::path::{Path, PathBuf};

use super::repository;

/// The maximum number of lines of a function's `main.rs`, because it only wires and decides nothing.
const MAIN_LINES: usize = 40;

/// The calls that read the clock or the environment.
const SIDE_EFFECTS: [&str; 5] =
    ["SystemTime::now", "UNIX_EPOCH.elapsed", "Utc::now", "Local::now", "env::var"];

/// A source file and its program text, which excludes comments and the unit tests at its end.
struct Source {
    path: PathBuf,
    program: String,
}

/// Returns the sources below a folder of the repository.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&repository().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let program = program(&std::fs::read_to_string(&path).unwrap());
            found.push(Source { path, program });
        }
    }
}

/// Returns the program text of a source without comments and without the unit tests at its end.
pub(super) fn program(text: &str) -> String {
    let before_tests = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Returns the source folders of the functions.
fn functions() -> Vec<String> {
    let folders = std::fs::read_dir(repository().join("functions")).unwrap().map(Result::unwrap);
    folders.map(|entry| format!("functions/{}/src", entry.file_name().to_str().unwrap())).collect()
}

#[test]
fn only_bootstrap_reads_the_clock_and_the_environment() {
    let others = [
        "shared/domain/src",
        "shared/store/src",
        "shared/file-store/src",
        "shared/api/src",
        "infra/local/src",
    ]
    .map(str::to_owned);
    for source in functions().iter().chain(&others).flat_map(|folder| sources(folder)) {
        for name in SIDE_EFFECTS {
            assert!(!source.program.contains(name), "{} has {name}", source.path.display());
        }
    }
    let mut bootstrap = sources("shared/bootstrap/src").into_iter();
    assert!(
        bootstrap.any(|source| source.program.contains("env::var")),
        "the names searched for match the spelling in the sources"
    );
}

#[test]
fn functions_domain_and_api_name_no_types_of_aws() {
    let others = ["shared/domain/src", "shared/api/src"].map(str::to_owned);
    for source in functions().iter().chain(&others).flat_map(|folder| sources(folder)) {
        for name in ["aws_sdk_dynamodb", "aws_sdk_s3", "serde_dynamo", "AttributeValue"] {
            assert!(!source.program.contains(name), "{} names {name}", source.path.display());
        }
    }
    assert!(
        sources("shared/store/src").into_iter().any(|source| source.program.contains("aws_sdk_dynamodb"))
    );
}

#[test]
fn function_main_only_wires() {
    for folder in functions() {
        let main = repository().join(&folder).join("main.rs");
        let lines = std::fs::read_to_string(&main).unwrap().lines().count();
        assert!(lines <= MAIN_LINES, "{folder}/main.rs has {lines} lines");
        assert!(repository().join(&folder).join("lib.rs").is_file(), "{folder} has no library to test");
    }
}

#[test]
fn source_check_ignores_comments_and_unit_tests() {
    let text = "//! SystemTime::now\nfn now() {\n    // Utc::now\n    Utc::now()\n}\n\n#[cfg(test)]\nmod tests { fn t() { env::var(); } }\n";
    let program = program(text);
    assert_eq!(program.matches("now").count(), 2);
    assert!(
        program.contains("Utc::now()") && !program.contains("SystemTime") && !program.contains("env::var")
    );
}
