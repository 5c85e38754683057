//! Consistency of the README's deploy commands, `samconfig.toml` and the tools that the checks use.

use super::document::repository;

fn text(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

/// Returns the README's section on deploying.
fn section() -> String {
    let readme = text("README.md");
    let (_, section) = readme.split_once("\n## Deploy it").expect("a section");
    section.split("\n## ").next().unwrap().to_owned()
}

#[test]
fn readme_commands_need_no_prompt() {
    let section = section();
    let commands = [
        "sam build\n",
        "sam deploy --parameter-overrides OperatorTokenSha256=",
        "sam deploy --parameter-overrides PublicUrl=",
    ];
    for command in commands {
        assert!(section.contains(command), "{command}");
    }
    assert!(!section.contains("--guided"), "the guided mode ignores parameters that are not shown");
}

#[test]
fn deployment_options_are_kept_and_parameters_are_not() {
    let config = text("samconfig.toml");
    for line in [
        "template_file = \"infra/template.yaml\"",
        "stack_name = \"tidemark\"",
        "capabilities = \"CAPABILITY_IAM\"",
        "resolve_s3 = true",
    ] {
        assert!(config.lines().any(|found| found == line), "{line}");
    }
    // A deployment without parameters keeps the values of the previous one.
    assert!(!config.contains("parameter_overrides"));
}

#[test]
fn minimum_sam_version_matches_the_checks() {
    let pinned = text("infra/requirements-ci.txt");
    let pinned = pinned.lines().find_map(|line| line.strip_prefix("aws-sam-cli==")).expect("a version");
    let least = pinned.rsplit_once('.').expect("three numbers").0;
    assert!(section().contains(&format!("'aws-sam-cli>={least}'")), "{least}");
}
