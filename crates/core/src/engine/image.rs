//! Container image references: replacing a tag without taking a port for one.
//!
//! The one idea: a colon separates a tag only after the last slash, and a digest after `@`
//! fixes the image beyond any tag. Nothing here asks whether an image exists.

use super::text::has_control;
use crate::problem::Problem;

/// The reference with its tag replaced.
///
/// # Errors
/// The tag is none, or the reference is pinned by a digest.
pub(crate) fn with_tag(reference: &str, tag: &str) -> Result<String, Problem> {
    let at = "runtime_image_tag";
    if !is_tag(tag) {
        return Err(
            Problem::new(at, format!("{tag:?} is not an image tag")).with_hint(
                "a tag is up to 128 letters, digits, '_', '.' and '-', and begins with none of the last two",
            ),
        );
    }
    if reference.contains('@') {
        return Err(Problem::new(
            at,
            format!("the image {reference} is pinned by its digest, so a tag cannot replace anything"),
        )
        .with_hint("leave out runtime_image_tag, or name the image without a digest"));
    }
    let name_start = reference.rfind('/').map_or(0, |slash| slash + 1);
    let name_end = reference[name_start..]
        .find(':')
        .map_or(reference.len(), |colon| name_start + colon);
    Ok(format!("{}:{tag}", &reference[..name_end]))
}

/// Why the text cannot be an image reference, if it cannot.
pub(crate) fn check(reference: &str) -> Result<(), Problem> {
    let is_plain = !reference.is_empty()
        && !reference.starts_with(['-', '/', ':', '@'])
        && !reference.ends_with(['/', ':', '@'])
        && !reference.contains(char::is_whitespace)
        && !has_control(reference);
    if is_plain {
        return Ok(());
    }
    Err(
        Problem::new("engine.image", format!("{reference:?} is not an image reference"))
            .with_hint("name it like registry.example/team/engine:1.0"),
    )
}

fn is_tag(tag: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (1..=128).contains(&tag.len()) && tag.chars().all(is_part) && !tag.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_replaces_a_tag_and_never_a_port() {
        let check = |reference: &str, tag: &str, expected: &str| {
            assert_eq!(with_tag(reference, tag).unwrap(), expected, "{reference}");
        };
        check("vllm/vllm-openai:latest", "v0.11.0", "vllm/vllm-openai:v0.11.0");
        check("vllm/vllm-openai", "v0.11.0", "vllm/vllm-openai:v0.11.0");
        check("host:5000/name", "a", "host:5000/name:a");
        check("host:5000/team/name:b", "a", "host:5000/team/name:a");
        check("name:b", "a", "name:a");
        check("[::1]:5000/name", "a", "[::1]:5000/name:a");
    }

    #[test]
    fn a_digest_or_a_strange_tag_is_refused() {
        let check = |reference: &str, tag: &str, named: &str| {
            let problem = with_tag(reference, tag).unwrap_err();
            assert!(problem.message.contains(named), "{problem}");
            assert!(problem.hint.is_some());
        };
        check("name@sha256:0123", "a", "digest");
        check("host:5000/name:b@sha256:0123", "a", "digest");
        check("name", "", "not an image tag");
        check("name", "a/b", "not an image tag");
        check("name", "a:b", "not an image tag");
        check("name", "-a", "not an image tag");
        check("name", &"a".repeat(129), "not an image tag");
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for reference in ["", "-v", "a b", "a\n", "/a", "a:"] {
            assert!(check(reference).is_err(), "{reference:?}");
        }
        for reference in ["a", "host:5000/a", "a@sha256:01"] {
            assert_eq!(check(reference), Ok(()), "{reference:?}");
        }
    }
}
