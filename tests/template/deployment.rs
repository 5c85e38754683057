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
    let commands =
        ["infra/build\n", "sam deploy --config-env prod --parameter-overrides OperatorTokenSha256="];
    for command in commands {
        assert!(section.contains(command), "{command}");
    }
    assert!(!section.contains("--guided"), "the guided mode ignores parameters that are not shown");
    assert!(!section.contains("sam build"), "infra/build builds all functions at once");
}

/// Returns the options of an environment in `samconfig.toml`.
fn options(config: &str, environment: &str) -> String {
    let (_, options) =
        config.split_once(&format!("\n[{environment}.deploy.parameters]\n")).expect("an environment");
    options.split("\n[").next().unwrap().to_owned()
}

#[test]
fn deployment_options_are_kept_and_parameters_are_not() {
    let config = text("samconfig.toml");
    for (environment, stack) in [("prod", "tidemark"), ("dev", "tidemark-dev")] {
        let options = options(&config, environment);
        for line in [
            "template_file = \"infra/template.yaml\"",
            &format!("stack_name = \"{stack}\""),
            "capabilities = \"CAPABILITY_IAM\"",
            "resolve_s3 = true",
        ] {
            assert!(options.lines().any(|found| found == line), "{environment}: {line}");
        }
    }
    // A deployment without parameters keeps the values of the previous one, and one without an environment goes nowhere.
    let overrides: Vec<&str> = config.lines().filter(|line| line.contains("parameter_overrides =")).collect();
    assert_eq!(overrides, ["parameter_overrides = \"Stage=dev\""]);
    assert!(options(&config, "dev").contains(overrides[0]));
    assert!(!config.contains("[default"));
}

#[test]
fn minimum_sam_version_matches_the_checks() {
    let pinned = text("infra/requirements-ci.txt");
    let pinned = pinned.lines().find_map(|line| line.strip_prefix("aws-sam-cli==")).expect("a version");
    let least = pinned.rsplit_once('.').expect("three numbers").0;
    assert!(section().contains(&format!("'aws-sam-cli>={least}'")), "{least}");
}
