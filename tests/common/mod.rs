//! The hosts in `tests/hosts`, and copies of them that tests may change.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// Every host, by the name of its folder.
pub(crate) const HOSTS: [&str; 12] = [
    "container-image",
    "containers",
    "debian-12",
    "debian-12-hardened",
    "debian-12-server",
    "garbage",
    "hardened",
    "no-docker",
    "rhel-9",
    "rootless",
    "swarm-manager",
    "ubuntu-24.04",
];

/// The folder of a host: its `root`, its `host.toml`, and what its engine answers.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts").join(name)
}

/// A copy of a host that is gone with the test.
pub(crate) struct Copied(tempfile::TempDir);

impl Copied {
    /// Copies a host.
    pub(crate) fn of(name: &str) -> Self {
        let copied = Self(tempfile::tempdir().unwrap());
        copy(&folder(name), copied.0.path());
        copied
    }

    /// The directory to audit.
    pub(crate) fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    /// A file of the copy, by its path below the folder of the host.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    /// The text of a file of the copy.
    pub(crate) fn text(&self, below: &str) -> String {
        let path = self.path(below);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes a file of the copy, and the directories above it.
    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Changes a text in a file of the copy; it must be there.
    pub(crate) fn change(&self, below: &str, from: &str, to: &str) {
        let text = self.text(below);
        assert!(text.contains(from), "{below} does not say {from}");
        self.write(below, &text.replacen(from, to, 1));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path()).unwrap(), &target).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o755;
            fs::set_permissions(&target, fs::Permissions::from_mode(mode | 0o600)).unwrap();
        }
    }
}
