//! The kinds of engine by name: which words in a task document mean which.
//!
//! The one idea: a word is looked up in one table, whole or as a prefix. Nothing here knows
//! what an engine wants.

use super::{Engine, custom, llamacpp, sglang, sim, trtllm, vllm};

/// The serving programs we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EngineKind {
    /// vLLM, `vllm serve`.
    Vllm,
    /// SGLang, `python3 -m sglang.launch_server`.
    Sglang,
    /// TensorRT-LLM, `trtllm-serve`.
    TensorRtLlm,
    /// llama.cpp, `llama-server`.
    LlamaCpp,
    /// The simulated engine that ships with the product.
    Sim,
    /// Whatever the task document describes.
    Custom,
}

impl EngineKind {
    /// Every kind, in the order in which they are listed to users.
    pub const ALL: [Self; 6] = [
        Self::Vllm,
        Self::Sglang,
        Self::TensorRtLlm,
        Self::LlamaCpp,
        Self::Sim,
        Self::Custom,
    ];

    /// The word in task documents (`base_runtime`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::TensorRtLlm => "tensorrt-llm",
            Self::LlamaCpp => "llamacpp",
            Self::Sim => "sim",
            Self::Custom => "custom",
        }
    }

    /// Other words that mean the same, as accepted by [`EngineKind::from_word`].
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Vllm | Self::Sglang | Self::Custom => &[],
            Self::TensorRtLlm => &["trtllm", "trt-llm", "trtllm-serve", "tensorrt_llm", "tensorrtllm"],
            Self::LlamaCpp => &["llama.cpp", "llama-cpp", "llama_cpp", "llama-server"],
            Self::Sim => &["sim-engine"],
        }
    }

    /// The kind that this word or alias means, in whatever case.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        Self::ALL
            .into_iter()
            .find(|kind| kind.words().any(|known| known == word))
    }

    /// The kind whose word or alias, and a dash, begin `text`: `sglang-llama-small` is SGLang,
    /// `simple` is not the simulation.
    pub fn from_prefix(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let begins = |word: &str| {
            text.strip_prefix(word)
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|rest| !rest.is_empty())
        };
        Self::ALL.into_iter().find(|kind| kind.words().any(begins))
    }

    /// What knows how to start engines of this kind and to read their output.
    pub fn engine(self) -> &'static dyn Engine {
        match self {
            Self::Vllm => &vllm::Vllm,
            Self::Sglang => &sglang::Sglang,
            Self::TensorRtLlm => &trtllm::TensorRtLlm,
            Self::LlamaCpp => &llamacpp::LlamaCpp,
            Self::Sim => &sim::Sim,
            Self::Custom => &custom::Custom,
        }
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.as_str()).chain(self.aliases().iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_aliases_name_their_engine() {
        let check = |word: &str, expected: Option<EngineKind>| {
            assert_eq!(EngineKind::from_word(word), expected, "{word}");
        };
        for kind in EngineKind::ALL {
            check(kind.as_str(), Some(kind));
            assert_eq!(kind.engine().kind(), kind);
        }
        check("vLLM", Some(EngineKind::Vllm));
        check("trtllm", Some(EngineKind::TensorRtLlm));
        check("tensorrt_llm", Some(EngineKind::TensorRtLlm));
        check("llama.cpp", Some(EngineKind::LlamaCpp));
        check("vllm-0.11", None);
        check("", None);
    }

    #[test]
    fn a_prefix_names_an_engine_only_as_a_whole_word_before_a_dash() {
        let check = |text: &str, expected: Option<EngineKind>| {
            assert_eq!(EngineKind::from_prefix(text), expected, "{text}");
        };
        check("sglang-llama-small", Some(EngineKind::Sglang));
        check("vllm", None);
        check("vllm-", None);
        check("llama.cpp-b5000", Some(EngineKind::LlamaCpp));
        check("TensorRT-LLM-1.0", Some(EngineKind::TensorRtLlm));
        check("TensorRT-LLM/1.0", None);
        check("simple", None);
        check("vllmish", None);
        check("my-vllm", None);
    }
}
