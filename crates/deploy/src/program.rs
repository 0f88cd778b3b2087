//! Finds the program that a plan names, or says where it was looked for.
//!
//! A name with a slash is a path; any other is looked up in the search path that was handed
//! in. Whether the program works is not asked: starting it tells.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::DeployError;

/// The file that would be run for this name.
///
/// # Errors
/// [`DeployError::ProgramMissing`], or [`DeployError::NotExecutable`] when the only files of
/// that name may not be run.
pub(crate) fn find_program(name: &str, search_path: Option<&OsStr>) -> Result<PathBuf, DeployError> {
    if name.contains('/') {
        let path = PathBuf::from(name);
        return match kind_of(&path) {
            Kind::Program => Ok(path),
            Kind::OtherFile => Err(DeployError::NotExecutable { path }),
            Kind::NoFile => Err(missing(name, String::new())),
        };
    }
    let directories: Vec<PathBuf> = search_path
        .map(|path| std::env::split_paths(path).collect())
        .unwrap_or_default();
    let mut not_executable = None;
    for directory in directories
        .iter()
        .filter(|directory| !directory.as_os_str().is_empty())
    {
        let path = directory.join(name);
        match kind_of(&path) {
            Kind::Program => return Ok(path),
            Kind::OtherFile => not_executable = not_executable.or(Some(path)),
            Kind::NoFile => {}
        }
    }
    match not_executable {
        Some(path) => Err(DeployError::NotExecutable { path }),
        None => Err(missing(name, searched(&directories))),
    }
}

enum Kind {
    Program,
    OtherFile,
    NoFile,
}

fn kind_of(path: &Path) -> Kind {
    if !path.is_file() {
        Kind::NoFile
    } else if access(path, AccessFlags::X_OK).is_ok() {
        Kind::Program
    } else {
        Kind::OtherFile
    }
}

fn missing(name: &str, searched: String) -> DeployError {
    DeployError::ProgramMissing {
        program: name.to_owned(),
        searched,
    }
}

fn searched(directories: &[PathBuf]) -> String {
    let names: Vec<String> = directories
        .iter()
        .map(|directory| directory.display().to_string())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        ": the search path (PATH) is empty; give the whole path of the program".to_owned()
    } else {
        format!(
            " in {}; install it, or give the whole path of the program",
            names.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// `a/tool` may be run, `b/tool` and `b/text` may not; `b/folder` is a folder.
    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, mode) in [("a/tool", 0o755), ("b/tool", 0o644), ("b/text", 0o644)] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(root.path().join("b/folder")).unwrap();
        root
    }

    fn check(name: &str, search_path: Option<&str>, expected: &str) {
        let root = machine();
        let place = |text: &str| text.replace("ROOT", root.path().to_str().unwrap());
        let search_path = search_path.map(place);
        let found = find_program(&place(name), search_path.as_deref().map(OsStr::new));
        let found = match found {
            Ok(path) => path.display().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, place(expected), "{name} {search_path:?}");
    }

    #[test]
    fn a_name_is_looked_up_in_order() {
        check("tool", Some("ROOT/a"), "ROOT/a/tool");
        check("tool", Some("ROOT/b:ROOT/a"), "ROOT/a/tool");
        check("tool", Some("ROOT/none::ROOT/a"), "ROOT/a/tool");
    }

    #[test]
    fn a_path_is_not_looked_up() {
        check("ROOT/a/tool", None, "ROOT/a/tool");
        check("ROOT/c/tool", Some("ROOT/a"), "program ROOT/c/tool not found");
    }

    #[test]
    fn what_is_missing_is_named_with_where_it_was_looked_for() {
        check(
            "vllm",
            Some("ROOT/a:ROOT/b"),
            "program vllm not found in ROOT/a, ROOT/b; install it, or give the whole path of the program",
        );
        for empty in [None, Some("")] {
            check(
                "vllm",
                empty,
                "program vllm not found: the search path (PATH) is empty; give the whole path of the program",
            );
        }
        check(
            "folder",
            Some("ROOT/b"),
            "program folder not found in ROOT/b; install it, or give the whole path of the program",
        );
    }

    #[test]
    fn a_file_that_may_not_be_run_is_said_to_be_one() {
        let expected = "ROOT/b/text is not a program that may be run: check its permissions";
        check("text", Some("ROOT/a:ROOT/b"), expected);
        check("ROOT/b/text", None, expected);
    }
}
