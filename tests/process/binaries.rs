//! The functions' binaries: those of `infra/build`, or those that one nested `cargo build` builds for all tests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use cargo_metadata::{Message, TargetKind};

/// The functions. Each name is that of a folder, a package and a binary.
pub const FUNCTIONS: [&str; 20] = [
    "account",
    "authorizer",
    "automation-worker",
    "automations",
    "bulk-jobs",
    "bulk-worker",
    "change-feed",
    "console",
    "contacts",
    "file-worker",
    "files",
    "form-submission",
    "forms",
    "hubspot-crm",
    "intake-worker",
    "monthly-rollover",
    "segments",
    "set-marketing",
    "set-non-marketing-pending",
    "sweep-period",
];

/// Returns the executable of a function.
///
/// `TIDEMARK_FUNCTIONS` names the folder of functions that were built to be deployed. Without it they are built in the
/// profile of the tests.
pub fn executable(function: &str) -> &'static Path {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| given_folder().map_or_else(build, |folder| built_in(&folder)));
    built.get(function).unwrap_or_else(|| panic!("{function} is not a function"))
}

#[expect(clippy::disallowed_methods, reason = "the caller of the tests sets this variable")]
fn given_folder() -> Option<PathBuf> {
    // Tests run in the folder of their package, and the caller names the folder from the repository's root.
    std::env::var_os("TIDEMARK_FUNCTIONS")
        .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder))
}

/// Returns the executables in a folder of `infra/build`, and panics if one is missing.
fn built_in(folder: &Path) -> HashMap<String, PathBuf> {
    let bootstrap = |function: &str| {
        let path = folder.join(function).join("bootstrap");
        path.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    FUNCTIONS.iter().map(|function| ((*function).to_owned(), bootstrap(function))).collect()
}

fn build() -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--locked", "--bins", "--message-format=json-render-diagnostics"]);
    cargo.args(["--profile", &profile()]);
    // Including this package selects the features of the tests' own build, so nothing is compiled twice.
    cargo.args(["--package", env!("CARGO_PKG_NAME")]);
    FUNCTIONS.iter().for_each(|function| {
        cargo.args(["--package", function]);
    });
    let built = cargo.stdin(Stdio::null()).output().expect("cargo starts");
    assert!(
        built.status.success(),
        "the functions do not build:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    Message::parse_stream(built.stdout.as_slice())
        .filter_map(|message| binary(message.expect("a message")))
        .collect()
}

fn binary(message: Message) -> Option<(String, PathBuf)> {
    let Message::CompilerArtifact(artifact) = message else { return None };
    let is_binary = artifact.target.kind.contains(&TargetKind::Bin);
    let executable = artifact.executable.filter(|_| is_binary)?;
    Some((artifact.target.name, executable.into_std_path_buf()))
}

/// Returns the profile of the tests, which their folder `target/<profile>/deps` names.
fn profile() -> String {
    let tests = std::env::current_exe().expect("the tests' own path");
    let folder = tests.parent().and_then(Path::parent).and_then(Path::file_name).expect("a profile's folder");
    match folder.to_str().expect("a profile's name") {
        // This is the only profile with a different folder name.
        "debug" => "dev".to_owned(),
        name => name.to_owned(),
    }
}

#[test]
fn every_function_folder_is_listed() {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions")).unwrap();
    let mut folders: Vec<String> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    assert_eq!(folders, FUNCTIONS);
}
