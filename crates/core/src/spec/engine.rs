//! Which engine, and what is fixed for it in every experiment.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Findings;
use super::read::{Node, join, shorten};
use super::rules;
use super::schema::Scalar;
use crate::engine::EngineKind;
use crate::problem::{Problem, closest};

/// What is fixed for every experiment of the task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EngineSpec {
    /// Program for the local mode: a path, or a name looked up on PATH; the engine's usual
    /// one when absent. `custom` needs this or `image`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Whole image reference; the engine's usual one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Arguments added to every configuration. For `custom` they are all there is beside
    /// the parameters, and `{host}`, `{port}` and `{model}` are filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Scalar>>")]
    pub args: Option<Vec<String>>,
    /// Environment variables of every configuration; a parameter `env.NAME` replaces one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, Scalar>>")]
    pub env: Option<BTreeMap<String, String>>,
    /// Path that is asked first when waiting for readiness, for example `/health`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_path: Option<String>,
    /// Longest time from start to ready, in seconds; the engine's usual one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<f64>,
}

/// Reads the `engine` object.
pub(super) fn read(node: &Node<'_>) -> Option<EngineSpec> {
    node.object(|fields| EngineSpec {
        program: fields.take("program", Node::text),
        image: fields.take("image", Node::text),
        args: fields.take("args", |node| node.list(Node::text_of_scalar)),
        env: fields.take("env", read_environment),
        ready_path: fields.take("ready_path", Node::text),
        start_timeout: fields.take("start_timeout", Node::real),
    })
}

fn read_environment(node: &Node<'_>) -> Option<BTreeMap<String, String>> {
    let entries = node.free_object()?.iter().map(|(name, value)| {
        let entry = Node {
            path: join(&node.path, &shorten(name)),
            value,
            findings: node.findings,
        };
        (name.clone(), entry.text_of_scalar().unwrap_or_default())
    });
    Some(entries.collect())
}

impl EngineSpec {
    /// Holds the rules.
    pub(super) fn check(&self, findings: &Findings) {
        let texts = [("engine.program", &self.program), ("engine.image", &self.image)];
        for (path, text) in texts {
            if let Some(text) = text {
                rules::argument(path, text, findings);
            }
        }
        if let Some(image) = &self.image {
            check_image("engine.image", image, findings);
        }
        for (index, arg) in self.args.iter().flatten().enumerate() {
            rules::no_nul(&format!("engine.args[{index}]"), arg, findings);
        }
        for (name, value) in self.env.iter().flatten() {
            let path = join("engine.env", &shorten(name));
            rules::variable_name(&path, name, findings);
            rules::no_nul(&path, value, findings);
        }
        if let Some(path) = self.ready_path.as_ref().filter(|path| !path.starts_with('/')) {
            let message = format!("\"{}\" does not begin with a slash", shorten(path));
            findings.refuse(Problem::new("engine.ready_path", message).with_hint("for example /health"));
        }
    }
}

/// Holds the rules of an image reference: no spaces, nothing that reads as an option.
pub(super) fn check_image(path: &str, image: &str, findings: &Findings) {
    if image.contains(char::is_whitespace) || image.starts_with('-') {
        let message = format!("\"{}\" is not an image reference", shorten(image));
        findings.refuse(Problem::new(path, message).with_hint("for example vllm/vllm-openai:v0.11.0"));
    }
}

/// Holds the rules of an image tag.
pub(super) fn check_tag(path: &str, tag: &str, findings: &Findings) {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_sound =
        !tag.is_empty() && tag.len() <= 128 && !tag.starts_with(['.', '-']) && tag.chars().all(is_inside);
    if !is_sound {
        let message = format!("\"{}\" is not an image tag", shorten(tag));
        let hint = "a tag is what follows the colon, for example v0.11.0; runtime_image names a whole image";
        findings.refuse(Problem::new(path, message).with_hint(hint));
    }
}

/// The engine that `base_runtime` names, by its word or an alias. A name that only begins with
/// one, such as `sglang-llama-small`, means that engine.
pub(super) fn kind(name: &str, findings: &Findings) -> Option<EngineKind> {
    let path = "base_runtime";
    if let Some(kind) = EngineKind::from_word(name) {
        return Some(kind);
    }
    if let Some(kind) = EngineKind::from_prefix(name) {
        let message = format!("\"{}\" is taken as {}", shorten(name), kind.as_str());
        let hint = format!("write {} to mean that engine", kind.as_str());
        findings.warn(Problem::new(path, message).with_hint(hint));
        return Some(kind);
    }
    let words = EngineKind::ALL.map(EngineKind::as_str);
    let begun = words.into_iter().find(|word| is_beginning(name, word));
    let hint = match begun.or_else(|| closest(&shorten(name), words)) {
        Some(word) => format!("did you mean \"{word}\"?"),
        None => format!("use one of {}", words.join(", ")),
    };
    let message = format!("unknown engine \"{}\"", shorten(name));
    findings.refuse(Problem::new(path, message).with_hint(hint));
    None
}

/// Whether a name is the first part of an engine's, as `tensorrt` is.
fn is_beginning(name: &str, word: &str) -> bool {
    word.strip_prefix(&name.to_lowercase())
        .is_some_and(|rest| rest.starts_with('-'))
}
