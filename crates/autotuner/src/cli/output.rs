//! Where a run's results go: which file, whether it can be written, what becomes of an
//! earlier one.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::session::context;
use super::{Refusal, say};
use crate::report::files::is_device;

/// `results/<task_name>_results.json`, with a name that cannot leave the directory.
pub(super) fn results_path(task_name: &str) -> PathBuf {
    PathBuf::from("results").join(format!("{}_results.json", file_name(task_name)))
}

/// The name with everything but letters, digits, `.`, `-` and `_` replaced.
pub(super) fn file_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '_'
            }
        })
        .collect();
    // A name in the file system has at most 255 bytes; what is put around this one needs some.
    let safe = &safe[..safe.floor_char_boundary(200)];
    if safe.trim_matches('.').is_empty() {
        "task".into()
    } else {
        safe.into()
    }
}

/// Moves an earlier run's results aside: a new run that is cancelled at once must not cost them.
pub(super) fn keep_earlier(output: &Path) -> Result<(), Refusal> {
    if !output.is_file() {
        return Ok(());
    }
    let earlier = output.with_extension("previous.json");
    std::fs::rename(output, &earlier).map_err(context("cannot move the earlier results aside"))?;
    say(&format!("earlier results: {}", earlier.display()));
    Ok(())
}

/// Finds out before hours of measuring whether the results can be written at their end.
pub(super) fn check_writable(output: &Path) -> Result<(), Refusal> {
    if output.is_dir() || output.as_os_str().to_string_lossy().ends_with('/') {
        return Err(Refusal::message(format!(
            "cannot write results to {}: it is a directory; name a file in it",
            output.display()
        )));
    }
    if is_device(output) {
        return Ok(());
    }
    let refuse = |why: &str| Refusal::message(format!("cannot write results to {}: {why}", output.display()));
    match std::fs::metadata(output) {
        Ok(there) if !there.is_file() => {
            return Err(refuse("it is no file; --json prints them on standard output"));
        }
        Err(error) if error.kind() == ErrorKind::InvalidFilename => return Err(refuse(&error.to_string())),
        _ => {}
    }
    if output.starts_with("~") {
        return Err(refuse("only a shell knows what ~ is; write the whole path"));
    }
    let directory = output
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)
        .and_then(|()| tempfile_probe(directory))
        .map_err(|error| {
            let text = format!("cannot write results into {}", directory.display());
            Refusal::Error(anyhow::Error::new(error).context(text))
        })
}

fn tempfile_probe(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(format!(".autotuner-{}.probe", std::process::id()));
    std::fs::write(&path, b"")?;
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_s_name_makes_a_file_name() {
        let check = |name: &str, expected: &str| assert_eq!(file_name(name), expected, "{name}");
        check("chat-throughput_v1.2", "chat-throughput_v1.2");
        check("../x y", ".._x_y");
        check("..", "task");
        check("größe", "größe");
        check(&"x".repeat(200), &"x".repeat(200));
        check(&"漢".repeat(200), &"漢".repeat(66));
    }

    #[test]
    fn results_that_cannot_be_written_are_known_before_the_run() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let check = |name: &str, is_fit: bool| {
            let path = folder.path().join(name);
            assert_eq!(check_writable(&path).is_ok(), is_fit, "{name}");
        };
        check("new.json", true);
        check("new/folder/new.json", true);
        check("", false);
        check("new", false);
        check(&"x".repeat(256), false);
        check_writable(Path::new("/dev/null")).expect("a device is fit");
        assert!(check_writable(Path::new("~/x.json")).is_err());
    }
}
