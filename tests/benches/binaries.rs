//! The executables of the functions, as they are deployed, and of the baseline.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Message, TargetKind};

/// The functions. Each is a package and a binary of this name.
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

/// The paths of the executables, by name.
pub struct Binaries(HashMap<String, PathBuf>);

impl Binaries {
    /// Builds the executables in the profile of the benchmarks.
    ///
    /// In the release profile the build excludes the tests' package, so that the executables have the features of a
    /// deployment and not those of the tests.
    pub fn build() -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.args(["build", "--locked", "--bins", "--message-format=json-render-diagnostics"]);
        if crate::RELEASE {
            cargo.arg("--release");
        } else {
            // This avoids compiling dependencies twice. Sizes are meaningless in this profile.
            cargo.args(["--package", env!("CARGO_PKG_NAME")]);
        }
        for package in FUNCTIONS.iter().chain(&["baseline"]) {
            cargo.args(["--package", package]);
        }
        let built = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("cargo starts");
        assert!(built.status.success(), "the functions do not build");
        let messages = Message::parse_stream(built.stdout.as_slice());
        Self(messages.filter_map(|message| binary(message.expect("a message"))).collect())
    }

    /// Uses the executables in a folder, to measure an earlier build.
    pub fn within(folder: &Path) -> Self {
        let names = FUNCTIONS.iter().chain(&["empty-function", "two-calls", "two-calls-function"]);
        Self(names.map(|name| ((*name).to_owned(), folder.join(name))).collect())
    }

    /// Returns the path of the executable with this name.
    pub fn path(&self, name: &str) -> &Path {
        self.0.get(name).unwrap_or_else(|| panic!("unknown binary {name}"))
    }

    /// Returns the size of an executable in MB (1000 × 1000 bytes).
    pub fn megabytes(&self, name: &str) -> f64 {
        let length = std::fs::metadata(self.path(name)).expect("a file").len();
        #[expect(clippy::cast_precision_loss, reason = "a file's size")]
        let bytes = length as f64;
        bytes / 1e6
    }
}

fn binary(message: Message) -> Option<(String, PathBuf)> {
    let Message::CompilerArtifact(artifact) = message else { return None };
    let is_binary = artifact.target.kind.contains(&TargetKind::Bin);
    let executable = artifact.executable.filter(|_| is_binary)?;
    Some((artifact.target.name, executable.into_std_path_buf()))
}
