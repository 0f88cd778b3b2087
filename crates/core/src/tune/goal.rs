//! Which engine, and what to improve.

use super::Request;
use crate::engine::EngineKind;
use crate::problem::{Problem, closest};
use crate::spec::ObjectiveWord;

/// The words for objectives: the short ones first.
const OBJECTIVES: [(&str, ObjectiveWord); 8] = [
    ("throughput", ObjectiveWord::MaximizeThroughput),
    ("latency", ObjectiveWord::MinimizeLatency),
    ("ttft", ObjectiveWord::MinimizeTtft),
    ("tpot", ObjectiveWord::MinimizeTpot),
    ("maximize_throughput", ObjectiveWord::MaximizeThroughput),
    ("minimize_latency", ObjectiveWord::MinimizeLatency),
    ("minimize_ttft", ObjectiveWord::MinimizeTtft),
    ("minimize_tpot", ObjectiveWord::MinimizeTpot),
];

/// The engine that is named, or that serves such a model.
///
/// # Errors
/// The word names no engine, or one of which we know no flags.
pub(super) fn engine(request: &Request, notes: &mut Vec<String>) -> Result<EngineKind, Problem> {
    let Some(word) = &request.engine else {
        let is_gguf = is_gguf(&request.model);
        let (kind, why) = if is_gguf {
            (EngineKind::LlamaCpp, "the model is in the GGUF format")
        } else {
            (EngineKind::Vllm, "no other was named")
        };
        notes.push(format!("engine {}, because {why}", kind.as_str()));
        return Ok(kind);
    };
    match EngineKind::from_word(word) {
        Some(EngineKind::Custom) => Err(Problem::new(
            "engine",
            "of a custom engine no flags are known, so there is nothing to choose",
        )
        .with_hint("write a task file for it; examples/custom-local.yaml is one")),
        Some(kind) => Ok(kind),
        None => {
            let words: Vec<&str> = EngineKind::ALL
                .into_iter()
                .filter(|kind| *kind != EngineKind::Custom)
                .map(EngineKind::as_str)
                .collect();
            let hint = match closest(word, words.iter().copied()) {
                Some(word) => format!("did you mean \"{word}\"?"),
                None => format!("use one of {}", words.join(", ")),
            };
            Err(Problem::new("engine", format!("unknown engine {word:?}")).with_hint(hint))
        }
    }
}

/// A GGUF file, or a hub repository of such files: `owner/name-GGUF`, perhaps with a
/// quantization behind a colon.
fn is_gguf(model: &str) -> bool {
    let model = model.to_lowercase();
    let repository = model
        .split_once(':')
        .map_or(model.as_str(), |(repository, _)| repository);
    repository.ends_with(".gguf") || repository.ends_with("-gguf")
}

/// The objective that the word means; throughput without one.
///
/// # Errors
/// The word names no objective.
pub(super) fn objective(word: Option<&str>) -> Result<ObjectiveWord, Problem> {
    let Some(word) = word else {
        return Ok(ObjectiveWord::MaximizeThroughput);
    };
    let normal = word.to_lowercase().replace('-', "_");
    let known = OBJECTIVES.into_iter().find(|(known, _)| *known == normal);
    known.map(|(_, objective)| objective).ok_or_else(|| {
        let hint = match closest(&normal, OBJECTIVES.map(|(word, _)| word)) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => "use throughput, latency, ttft or tpot, and bound the others with slo".to_owned(),
        };
        Problem::new("objective", format!("unknown objective {word:?}")).with_hint(hint)
    })
}

/// The objective for people.
pub(super) fn words(objective: ObjectiveWord) -> &'static str {
    match objective {
        ObjectiveWord::MaximizeThroughput => "most throughput",
        ObjectiveWord::MinimizeLatency => "lowest latency",
        ObjectiveWord::MinimizeTtft => "shortest time to first token",
        ObjectiveWord::MinimizeTpot => "shortest time per token",
    }
}
