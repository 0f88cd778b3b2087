//! The version in what a program printed when asked for it.
//!
//! The one idea: programs print versions in a few shapes and much else beside; the first
//! line with one of the shapes counts. A Python interpreter's own version is not the engine's.

use super::text::{plain, shorten};

/// The version in a program's output.
///
/// Known shapes: `version: 5410 (e3a9421b)`, `0.11.0`, `v0.11.0`, `autotuner 0.1.0`.
pub(crate) fn parse(output: &str) -> Option<String> {
    let lines: Vec<String> = output.lines().map(plain).collect();
    let labelled = lines.iter().find_map(|line| after_label(line));
    let bare = || lines.iter().find(|line| is_version(line)).map(String::as_str);
    let named = || lines.iter().find_map(|line| after_name(line));
    labelled.or_else(bare).or_else(named).map(shorten)
}

fn after_label(line: &str) -> Option<&str> {
    let at = line.to_ascii_lowercase().find("version:")?;
    let rest = line.get(at + "version:".len()..)?.trim();
    rest.split_whitespace()
        .next()
        .filter(|word| begins_as_version(word))
        .map(|_| rest)
}

fn after_name(line: &str) -> Option<&str> {
    let (name, version) = line.split_once(' ')?;
    let is_name = name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    (is_name && !name.eq_ignore_ascii_case("python") && is_version(version)).then_some(version)
}

fn is_version(text: &str) -> bool {
    begins_as_version(text) && text.contains('.') && !text.contains(char::is_whitespace)
}

fn begins_as_version(text: &str) -> bool {
    let digits = text.strip_prefix(['v', 'b']).unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-+_".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_engines_print() {
        let check = |output: &str, expected: Option<&str>| {
            assert_eq!(parse(output).as_deref(), expected, "{output}");
        };
        check("0.11.0\n", Some("0.11.0"));
        check(
            "INFO 10-02 11:22:33 [__init__.py:216] platform cuda.\n0.11.0rc2.dev5+g1a2b\n",
            Some("0.11.0rc2.dev5+g1a2b"),
        );
        check(
            "version: 5410 (e3a9421b)\nbuilt with cc 13.3.0 for x86_64-linux-gnu\n",
            Some("5410 (e3a9421b)"),
        );
        check(
            "ggml_cuda_init: found 1 CUDA devices\nversion: 0.6.0-dev (build 0, commit unknown)\nbuilt with GNU 12.2.0\n",
            Some("0.6.0-dev (build 0, commit unknown)"),
        );
        check(
            "[TensorRT-LLM] TensorRT-LLM version: 1.0.0\nUsage: trtllm-serve serve [OPTIONS] MODEL\n",
            Some("1.0.0"),
        );
        check("\u{1b}[1mautotuner 0.1.0\u{1b}[0m", Some("0.1.0"));
        check("v0.5.2", Some("v0.5.2"));
        check("Python 3.11.2", None);
        check(
            "Traceback (most recent call last):\nModuleNotFoundError: No module named 'sglang'",
            None,
        );
        check("", None);
    }
}
