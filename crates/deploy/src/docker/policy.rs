//! What a task may ask of this machine.
//!
//! Somebody who may use Docker may do anything to the machine, so a task that comes over the
//! network must not be able to pass that on. A plan can ask for an image and for directories
//! to be mounted, read-only, and for nothing else: not for privileges, devices, the host's
//! network, or writable mounts. This module decides about those two.

use std::path::PathBuf;

use autotuner_core::engine::{LaunchPlan, Mount, Program};

use crate::DeployError;

/// What tasks may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Without any, everything is allowed.
    rules: Option<Rules>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rules {
    directories: Vec<PathBuf>,
    images: Vec<String>,
}

/// A reference taken apart: `name:tag@digest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reference<'a> {
    name: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl Policy {
    /// Everything: for the operator's own command line.
    pub fn anything() -> Self {
        Self { rules: None }
    }

    /// Only directories below these, symbolic links followed, and only images that match one
    /// of these patterns. In a pattern `*` stands for anything but a slash. A pattern without
    /// a tag allows every tag and digest of the images it names: `vllm/vllm-openai`,
    /// `lmsysorg/*`, `registry.example.com/engines/*:v1.*`.
    pub fn allowing(directories: Vec<PathBuf>, images: Vec<String>) -> Self {
        Self {
            rules: Some(Rules { directories, images }),
        }
    }

    /// Looks at what the plan asks for and answers with what is really to be mounted: paths
    /// without any link in them, so that what was looked at is what is mounted.
    pub(crate) fn check(&self, plan: &LaunchPlan) -> Result<Vec<Mount>, DeployError> {
        let Some(rules) = &self.rules else {
            return Ok(plan.mounts.clone());
        };
        if let Program::Image { reference, .. } = &plan.program {
            rules.check_image(reference)?;
        }
        plan.mounts.iter().map(|mount| rules.check_mount(mount)).collect()
    }
}

impl Rules {
    fn check_image(&self, reference: &str) -> Result<(), DeployError> {
        if self.images.iter().any(|pattern| matches(pattern, reference)) {
            return Ok(());
        }
        Err(DeployError::NotAllowed {
            what: format!("image {reference}"),
            rule: match self.images.as_slice() {
                [] => "this server allows no images".to_owned(),
                images => format!("allowed are {}", images.join(", ")),
            },
        })
    }

    fn check_mount(&self, mount: &Mount) -> Result<Mount, DeployError> {
        let refuse = |rule: String| DeployError::NotAllowed {
            what: format!("mounting {}", mount.source.display()),
            rule,
        };
        if !mount.source.is_absolute() {
            return Err(refuse("only absolute paths can be mounted".to_owned()));
        }
        let allowed: Vec<String> = self
            .directories
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let rule = match allowed.as_slice() {
            [] => "this server allows no directories".to_owned(),
            allowed => format!("allowed is what exists below {}", allowed.join(", ")),
        };
        // One answer for what is elsewhere and what is nowhere: it tells nobody what is there.
        let Ok(source) = std::fs::canonicalize(&mount.source) else {
            return Err(refuse(rule));
        };
        let is_below = |directory: &PathBuf| {
            std::fs::canonicalize(directory).is_ok_and(|directory: PathBuf| source.starts_with(directory))
        };
        if self.directories.iter().any(is_below) {
            Ok(Mount {
                source,
                target: mount.target.clone(),
            })
        } else {
            Err(refuse(rule))
        }
    }
}

/// Whether a pattern allows an image.
fn matches(pattern: &str, reference: &str) -> bool {
    let (pattern, reference) = (take_apart(pattern), take_apart(reference));
    let part = |pattern: Option<&str>, found: Option<&str>| match pattern {
        None => true,
        Some(pattern) => found.is_some_and(|found| glob(pattern, found)),
    };
    let is_any_version = pattern.tag.is_none() && pattern.digest.is_none();
    glob(pattern.name, reference.name)
        && (is_any_version
            || part(pattern.digest, reference.digest)
                && part(
                    pattern.tag,
                    // A digest decides alone, and an allowed tag must not vouch for any digest.
                    match (reference.digest, pattern.digest) {
                        (Some(_), None) => None,
                        _ => reference.tag.or(Some("latest")),
                    },
                ))
}

fn take_apart(reference: &str) -> Reference<'_> {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let after_slash = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[after_slash..].rfind(':') {
        Some(colon) => (
            &rest[..after_slash + colon],
            Some(&rest[after_slash + colon + 1..]),
        ),
        None => (rest, None),
    };
    let name = ["docker.io/", "index.docker.io/"]
        .iter()
        .find_map(|registry| name.strip_prefix(registry))
        .unwrap_or(name);
    Reference {
        name: name.strip_prefix("library/").unwrap_or(name),
        tag,
        digest,
    }
}

/// Whether a text is what a pattern describes, `*` being anything but a slash.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let reach = text.find('/').unwrap_or(text.len());
            (0..=reach)
                .filter(|end| text.is_char_boundary(*end))
                .any(|end| glob(rest, &text[end..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::time::Duration;

    use autotuner_core::engine::Limits;

    use super::*;

    fn plan(image: &str, mounts: &[&Path]) -> LaunchPlan {
        LaunchPlan {
            program: Program::Image {
                reference: image.to_owned(),
                entrypoint: None,
            },
            args: vec![],
            env: BTreeMap::new(),
            gpus: 0,
            ready_paths: vec![],
            served_model_name: String::new(),
            start_timeout: Duration::from_secs(1),
            mounts: mounts
                .iter()
                .map(|source| Mount {
                    source: (*source).to_owned(),
                    target: "/model".to_owned(),
                })
                .collect(),
            uses_hub: false,
            limits: Limits::default(),
        }
    }

    #[test]
    fn only_images_that_a_pattern_names_are_allowed() {
        let check = |pattern: &str, image: &str, expected: bool| {
            let policy = Policy::allowing(vec![], vec![pattern.to_owned()]);
            let checked = policy.check(&plan(image, &[]));
            assert_eq!(checked.is_ok(), expected, "{pattern} {image}: {checked:?}");
        };
        check("vllm/vllm-openai", "vllm/vllm-openai:v0.11.0", true);
        check("vllm/vllm-openai", "docker.io/vllm/vllm-openai", true);
        check("vllm/vllm-openai", "vllm/vllm-openai@sha256:ab", true);
        check("vllm/vllm-openai", "vllm/vllm-openai2", false);
        check("vllm/vllm-openai", "evil.example.com/vllm/vllm-openai", false);
        check("vllm/vllm-openai:v0.*", "vllm/vllm-openai:v0.11.0", true);
        check("vllm/vllm-openai:v0.*", "vllm/vllm-openai:v1", false);
        check("vllm/vllm-openai:v0.*", "vllm/vllm-openai:v0.1@sha256:ab", false);
        check("vllm/vllm-openai:latest", "vllm/vllm-openai", true);
        check("vllm/vllm-openai@sha256:ab", "vllm/vllm-openai@sha256:ab", true);
        check("vllm/vllm-openai@sha256:ab", "vllm/vllm-openai@sha256:cd", false);
        check("vllm/vllm-openai@sha256:ab", "vllm/vllm-openai:v1", false);
        check("lmsysorg/*", "lmsysorg/sglang:v0.5.2", true);
        check("lmsysorg/*", "lmsysorg/deep/er", false);
        check("vllm*", "vllm.example.com/x", false);
        check("r.example.com:5000/*/x", "r.example.com:5000/a/x:1", true);
        check("library/redis", "redis:7", true);
        check("*", "vllm/vllm-openai", false);
        check("vllm/vllm-openai", "sha256:abcdef", false);
    }

    #[test]
    fn without_rules_anything_goes_and_with_none_allowed_nothing_does() {
        let open = Policy::anything().check(&plan("any/thing", &[Path::new("/etc")]));
        assert_eq!(open.unwrap().len(), 1);
        let closed = Policy::allowing(vec![], vec![]);
        for plan in [plan("any/thing", &[]), plan("any/thing", &[Path::new("/etc")])] {
            assert!(matches!(closed.check(&plan), Err(DeployError::NotAllowed { .. })));
        }
    }

    #[test]
    fn no_way_leads_out_of_the_allowed_directories() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["models/a", "models-secret", "elsewhere"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        symlink(root.join("elsewhere"), root.join("models/out")).unwrap();
        symlink(root.join("models/a"), root.join("models/in")).unwrap();
        let policy = Policy::allowing(vec![root.join("models")], vec!["x".to_owned()]);
        let check = |path: &str, expected: Option<&str>| {
            let found = policy.check(&plan("x", &[&root.join(path)])).ok();
            let found = found.map(|mounts| mounts[0].source.clone());
            let expected = expected.map(|path| std::fs::canonicalize(root).unwrap().join(path));
            assert_eq!(found, expected, "{path}");
        };
        check("models", Some("models"));
        check("models/a", Some("models/a"));
        check("models/in", Some("models/a"));
        check("elsewhere/../models/a", Some("models/a"));
        check("models/out", None);
        check("models/../elsewhere", None);
        check("models-secret", None);
        check("models/missing", None);
        let relative = policy.check(&plan("x", &[Path::new("models/a")]));
        assert!(matches!(relative, Err(DeployError::NotAllowed { .. })));
    }
}
