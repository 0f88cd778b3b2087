//! The house rules that a compiler does not hold: who may depend on whom, and how long files get.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Longest Rust file, tests apart.
const LONGEST_FILE: usize = 400;

/// Files that may be longer, each with its reason.
const LONGER: [(&str, usize, &str); 0] = [];

/// What `core` must never reach for: it does no I/O.
const NOT_IN_CORE: [&str; 9] = [
    "tokio", "hyper", "reqwest", "axum", "sqlx", "rusqlite", "bollard", "kube", "async-trait",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the crate lies two levels below the root")
        .to_owned()
}

fn packages() -> Vec<Package> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo knows its workspace")
        .packages
}

/// Names of normal and build dependencies, package by package.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    packages()
        .into_iter()
        .map(|package| {
            let names = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind != DependencyKind::Development)
                .map(|dependency| dependency.name.clone())
                .collect();
            (package.name.to_string(), names)
        })
        .collect()
}

#[test]
fn the_brain_touches_nothing() {
    let core = &dependencies()["autotuner-core"];
    for banned in NOT_IN_CORE {
        assert!(!core.contains(banned), "autotuner-core depends on {banned}");
    }
}

#[test]
fn hands_do_not_know_each_other() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("autotuner-core", &[] as &[&str]),
        ("autotuner-load", &["autotuner-core"]),
        ("autotuner-deploy", &["autotuner-core"]),
        ("autotuner-store", &["autotuner-core"]),
        ("autotuner-sim-engine", &[]),
        ("autotuner-tiny-model", &[]),
    ]);
    for (package, names) in dependencies() {
        let ours: BTreeSet<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| name.starts_with("autotuner"))
            .collect();
        match allowed.get(package.as_str()) {
            Some(allowed) => assert_eq!(ours, allowed.iter().copied().collect(), "{package}"),
            None => assert_eq!(package, "autotuner", "a crate that these rules do not know"),
        }
    }
}

#[test]
fn every_package_keeps_the_workspace_lints_and_licence() {
    for package in packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).expect("readable");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} does not keep the workspace lints",
            package.name
        );
        assert_eq!(package.license.as_deref(), Some("Apache-2.0"), "{}", package.name);
    }
}

#[test]
fn files_hold_one_idea_each() {
    let mut too_long = Vec::new();
    for file in rust_files(&root().join("crates")) {
        let text = std::fs::read_to_string(&file).expect("readable");
        let name = file.strip_prefix(root()).expect("below the root").display().to_string();
        let is_test = name.contains("/tests/") || name.ends_with("tests.rs") || name.ends_with("conformance.rs");
        let lines = code_lines(&text);
        let limit = LONGER
            .iter()
            .find(|(path, ..)| *path == name)
            .map_or(LONGEST_FILE, |(_, limit, _)| *limit);
        if !is_test && lines > limit {
            too_long.push(format!("{name}: {lines} lines, at most {limit}"));
        }
    }
    assert!(too_long.is_empty(), "{too_long:#?}");
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<String> = rust_files(&root().join("crates"))
        .into_iter()
        .filter(|file| !file.ends_with("tests.rs"))
        .filter(|file| {
            let text = std::fs::read_to_string(file).expect("readable");
            !text.starts_with("//!")
        })
        .map(|file| file.strip_prefix(root()).expect("below the root").display().to_string())
        .collect();
    assert!(silent.is_empty(), "no `//!` at the top of {silent:#?}");
}

/// Lines before the unit tests at a file's end.
fn code_lines(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
