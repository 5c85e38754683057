//! The dependencies that each crate is allowed to have, checked with `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::repository;

/// The layer of a workspace crate, by its folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layer {
    Domain,
    Metrics,
    Store,
    FileStore,
    Api,
    Bootstrap,
    ContactFiles,
    FileJobs,
    FormMapping,
    Function,
    /// The console, which carries out what people ask for through the routes of other functions.
    Console,
    LocalStack,
    Testkit,
    Tests,
    Baseline,
}

impl Layer {
    fn of(package: &Package) -> Self {
        let root = repository().canonicalize().unwrap();
        let folder = package.manifest_path.parent().unwrap().as_std_path().canonicalize().unwrap();
        match folder.strip_prefix(root).unwrap().to_str().unwrap() {
            "shared/domain" => Self::Domain,
            "shared/metrics" => Self::Metrics,
            "shared/store" => Self::Store,
            "shared/file-store" => Self::FileStore,
            "shared/api" => Self::Api,
            "shared/bootstrap" => Self::Bootstrap,
            "shared/contact-files" => Self::ContactFiles,
            "shared/file-jobs" => Self::FileJobs,
            "shared/form-mapping" => Self::FormMapping,
            "shared/testkit" => Self::Testkit,
            "infra/local" => Self::LocalStack,
            "functions/console" => Self::Console,
            "tests" => Self::Tests,
            "tests/benches/baseline" => Self::Baseline,
            folder if folder.strip_prefix("functions/").is_some_and(|name| !name.contains('/')) => {
                Self::Function
            }
            folder => panic!("{folder} belongs to no layer"),
        }
    }

    /// Returns the layers that this one may depend on, other than in its own tests.
    fn may_use(self) -> &'static [Self] {
        match self {
            Self::Domain => &[],
            Self::Metrics => &[Self::Domain],
            Self::Store => &[Self::Domain, Self::Metrics],
            Self::FileStore => &[Self::Domain],
            Self::Api => &[Self::Domain, Self::Store],
            Self::Bootstrap => &[Self::Domain, Self::Metrics, Self::Store, Self::Api],
            Self::ContactFiles => &[Self::Domain],
            Self::FileJobs => &[Self::Domain, Self::Store, Self::ContactFiles, Self::FileStore],
            Self::FormMapping => &[Self::Domain, Self::Store, Self::Api],
            Self::Function => &[
                Self::Domain,
                Self::Metrics,
                Self::Store,
                Self::FileStore,
                Self::Api,
                Self::Bootstrap,
                Self::ContactFiles,
                Self::FileJobs,
                Self::FormMapping,
            ],
            Self::Console => &[
                Self::Domain,
                Self::Store,
                Self::FileStore,
                Self::Api,
                Self::Bootstrap,
                Self::ContactFiles,
                Self::FileJobs,
                Self::Function,
            ],
            Self::LocalStack => &[
                Self::Domain,
                Self::Store,
                Self::FileStore,
                Self::Api,
                Self::Bootstrap,
                Self::Function,
                Self::Console,
            ],
            Self::Testkit => &[
                Self::Domain,
                Self::Store,
                Self::FileStore,
                Self::Api,
                Self::Bootstrap,
                Self::Function,
                Self::LocalStack,
            ],
            Self::Tests => &[
                Self::Domain,
                Self::Metrics,
                Self::Store,
                Self::FileStore,
                Self::Api,
                Self::Bootstrap,
                Self::FileJobs,
                Self::Function,
                Self::LocalStack,
                Self::Testkit,
            ],
            // The benchmark's baseline shares no code with the program that it is compared with.
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
    let layers: BTreeMap<&str, Layer> =
        workspace.packages.iter().map(|package| (package.name.as_str(), Layer::of(package))).collect();
    for package in &workspace.packages {
        let layer = Layer::of(package);
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let used = layers[dependency.name.as_str()];
            let only_in_tests = dependency.kind == DependencyKind::Development && used == Layer::Testkit;
            assert!(
                only_in_tests || layer.may_use().contains(&used),
                "{} depends on {}, which is not below it",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn workspace_has_every_expected_crate() {
    let workspace = workspace();
    let layers: Vec<Layer> = workspace.packages.iter().map(Layer::of).collect();
    let count = |layer: Layer| layers.iter().filter(|other| **other == layer).count();
    assert_eq!(count(Layer::Function), 19);
    for layer in [
        Layer::Domain,
        Layer::Metrics,
        Layer::Store,
        Layer::FileStore,
        Layer::Api,
        Layer::Bootstrap,
        Layer::ContactFiles,
        Layer::FileJobs,
        Layer::FormMapping,
        Layer::Console,
        Layer::LocalStack,
        Layer::Testkit,
        Layer::Tests,
    ] {
        assert_eq!(count(layer), 1, "{layer:?}");
    }
}

/// Returns the workspace crates that depend on an external crate, other than in their own tests.
fn users_of<'a>(workspace: &'a Metadata, wanted: &str) -> BTreeSet<&'a str> {
    let packages = workspace.packages.iter().filter(|package| {
        let mut dependencies = package.dependencies.iter();
        dependencies
            .any(|dependency| dependency.name == wanted && dependency.kind != DependencyKind::Development)
    });
    packages.map(|package| package.name.as_str()).collect()
}

#[test]
fn external_client_crates_have_only_allowed_users() {
    let workspace = workspace();
    let restrictions: [(&str, &[&str]); 10] = [
        // The store owns items, expressions and errors. The others build clients or read the table from outside.
        ("aws-sdk-dynamodb", &["baseline", "bootstrap", "store", "testkit", "tests", "tidemark"]),
        ("serde_dynamo", &["store"]),
        ("aws-config", &["bootstrap", "file-store"]),
        ("aws-sdk-s3", &["file-store"]),
        ("aws-sdk-sqs", &["bootstrap"]),
        ("dynoxide-rs", &["testkit", "tests", "tidemark"]),
        ("rusqlite", &["tidemark"]),
        ("s3s", &["tidemark"]),
        ("clap", &["tests", "tidemark"]),
        ("lambda-simulator", &["tests"]),
    ];
    for (wanted, allowed) in restrictions {
        let users = users_of(&workspace, wanted);
        assert!(!users.is_empty(), "no crate uses {wanted}");
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(users.is_subset(&allowed), "{wanted} is used by {users:?}");
    }
}

#[test]
fn domain_depends_on_pure_crates_only() {
    let workspace = workspace();
    let domain = workspace.packages.iter().find(|package| package.name.as_str() == "domain").unwrap();
    let dependencies =
        domain.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    let outside: BTreeSet<&str> = dependencies.map(|dependency| dependency.name.as_str()).collect();
    // Dates, addresses, names, keys, ids, errors. Before adding a crate here, check that the rules need it.
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
fn only_bootstrap_enables_the_clock_of_chrono() {
    for package in workspace().packages {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.name == "chrono") {
            let clock =
                dependency.features.iter().any(|feature| ["clock", "now"].contains(&feature.as_str()));
            assert!(!clock || package.name.as_str() == "bootstrap", "{} has chrono's clock", package.name);
        }
    }
}
