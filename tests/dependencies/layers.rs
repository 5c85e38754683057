//! What each crate may depend on, from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::repository;

/// What a crate of the workspace is, by its place in the house.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Domain,
    Store,
    Api,
    Bootstrap,
    FormMapping,
    Function,
    LocalStack,
    Testkit,
    Tests,
    Baseline,
}

impl Part {
    fn of(package: &Package) -> Self {
        let root = repository().canonicalize().unwrap();
        let folder = package.manifest_path.parent().unwrap().as_std_path().canonicalize().unwrap();
        match folder.strip_prefix(root).unwrap().to_str().unwrap() {
            "shared/domain" => Self::Domain,
            "shared/store" => Self::Store,
            "shared/api" => Self::Api,
            "shared/bootstrap" => Self::Bootstrap,
            "shared/form-mapping" => Self::FormMapping,
            "shared/testkit" => Self::Testkit,
            "infra/local" => Self::LocalStack,
            "tests" => Self::Tests,
            "tests/benches/baseline" => Self::Baseline,
            folder if folder.strip_prefix("functions/").is_some_and(|name| !name.contains('/')) => {
                Self::Function
            }
            folder => panic!("{folder} has no place in the house"),
        }
    }

    /// The parts that this one may build on, other than in its own tests.
    fn may_use(self) -> &'static [Self] {
        match self {
            Self::Domain => &[],
            Self::Store => &[Self::Domain],
            Self::Api => &[Self::Domain, Self::Store],
            Self::Bootstrap => &[Self::Domain, Self::Store, Self::Api],
            Self::FormMapping => &[Self::Domain, Self::Store, Self::Api],
            Self::Function => &[Self::Domain, Self::Store, Self::Api, Self::Bootstrap, Self::FormMapping],
            Self::LocalStack => &[Self::Domain, Self::Store, Self::Api, Self::Bootstrap, Self::Function],
            Self::Testkit => {
                &[Self::Domain, Self::Store, Self::Api, Self::Bootstrap, Self::Function, Self::LocalStack]
            }
            Self::Tests => &[
                Self::Domain,
                Self::Store,
                Self::Api,
                Self::Bootstrap,
                Self::Function,
                Self::LocalStack,
                Self::Testkit,
            ],
            // What the program is measured against has nothing of the program.
            Self::Baseline => &[],
        }
    }
}

fn workspace() -> Metadata {
    MetadataCommand::new().manifest_path(repository().join("Cargo.toml")).no_deps().exec().unwrap()
}

#[test]
fn dependencies_point_one_way() {
    let workspace = workspace();
    let parts: BTreeMap<&str, Part> =
        workspace.packages.iter().map(|package| (package.name.as_str(), Part::of(package))).collect();
    for package in &workspace.packages {
        let part = Part::of(package);
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let used = parts[dependency.name.as_str()];
            let only_in_tests = dependency.kind == DependencyKind::Development && used == Part::Testkit;
            assert!(
                only_in_tests || part.may_use().contains(&used),
                "{} depends on {}, which is not below it",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn every_part_of_the_house_is_there() {
    let workspace = workspace();
    let parts: Vec<Part> = workspace.packages.iter().map(Part::of).collect();
    let count = |part: Part| parts.iter().filter(|other| **other == part).count();
    assert_eq!(count(Part::Function), 10);
    for part in [
        Part::Domain,
        Part::Store,
        Part::Api,
        Part::Bootstrap,
        Part::FormMapping,
        Part::LocalStack,
        Part::Testkit,
        Part::Tests,
    ] {
        assert_eq!(count(part), 1, "{part:?}");
    }
}

/// Who depends on a crate from outside the workspace, other than in its own tests.
fn users_of<'a>(workspace: &'a Metadata, wanted: &str) -> BTreeSet<&'a str> {
    let packages = workspace.packages.iter().filter(|package| {
        let mut dependencies = package.dependencies.iter();
        dependencies
            .any(|dependency| dependency.name == wanted && dependency.kind != DependencyKind::Development)
    });
    packages.map(|package| package.name.as_str()).collect()
}

#[test]
fn each_way_out_of_the_program_has_its_keepers() {
    let workspace = workspace();
    let keepers: [(&str, &[&str]); 7] = [
        // Items, expressions and errors are the store's; the others build clients or look at the table from outside.
        ("aws-sdk-dynamodb", &["baseline", "bootstrap", "store", "testkit", "tests", "tidemark"]),
        ("serde_dynamo", &["store"]),
        ("aws-config", &["bootstrap"]),
        ("aws-sdk-sqs", &["bootstrap"]),
        ("dynoxide-rs", &["testkit", "tests", "tidemark"]),
        ("clap", &["tests", "tidemark"]),
        ("lambda-simulator", &["tests"]),
    ];
    for (wanted, allowed) in keepers {
        let users = users_of(&workspace, wanted);
        assert!(!users.is_empty(), "nobody uses {wanted}");
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(users.is_subset(&allowed), "{wanted} is used by {users:?}");
    }
}

#[test]
fn the_domain_has_neither_input_nor_output() {
    let workspace = workspace();
    let domain = workspace.packages.iter().find(|package| package.name.as_str() == "domain").unwrap();
    let dependencies =
        domain.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    let outside: BTreeSet<&str> = dependencies.map(|dependency| dependency.name.as_str()).collect();
    // Dates, addresses, names, keys, ids, errors. A new one is added here with the thought of whether the rules need it.
    let pure = [
        "base64",
        "chrono",
        "email_address",
        "icu_casemap",
        "icu_normalizer",
        "icu_properties",
        "idna",
        "sha2",
        "thiserror",
        "tz-rs",
        "tzdb_data",
        "ulid",
        "uuid",
    ];
    assert!(outside.is_subset(&pure.into()), "{outside:?}");
}

#[test]
fn only_bootstrap_asks_for_the_time_of_day() {
    for package in workspace().packages {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.name == "chrono") {
            let clock =
                dependency.features.iter().any(|feature| ["clock", "now"].contains(&feature.as_str()));
            assert!(!clock || package.name.as_str() == "bootstrap", "{} has chrono's clock", package.name);
        }
    }
}
