//! The sizes of one configuration: of a preset, or beside the engine's own flags.
//!
//! The one idea: presets are sizes like any others, so chosen for each engine that it takes
//! them. Nothing here judges sizes.

use super::super::EngineKind::{self, Custom, LlamaCpp, Sglang, Sim, TensorRtLlm, Vllm};
use super::super::portable::flag_of;

/// The sizes of one configuration, 1 where nothing is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) tp: u32,
    pub(super) pp: u32,
    pub(super) dp: u32,
    pub(super) cp: u32,
    pub(super) dcp: u32,
    /// Whether experts are spread whole; `None` where nothing is said.
    pub(super) expert_parallel: Option<bool>,
    pub(super) moe_tp: u32,
    pub(super) moe_ep: u32,
    pub(super) moe_cluster: u32,
    /// Not asked for is something else than 1 here.
    pub(super) moe_dense_tp: Option<u32>,
    /// Whether copies share the GPUs of `tp` and split attention alone. Has no word of its
    /// own: a preset or the engine's own flag says so.
    pub(super) attention_copies: bool,
}

pub(super) const NO_SIZES: Sizes = Sizes {
    tp: 1,
    pp: 1,
    dp: 1,
    cp: 1,
    dcp: 1,
    expert_parallel: None,
    moe_tp: 1,
    moe_ep: 1,
    moe_cluster: 1,
    moe_dense_tp: None,
    attention_copies: false,
};

/// What the user sets by the engine's own flags, which the rules must know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Own {
    /// By `engine.args`: counts where no word says otherwise.
    pub(crate) fixed: OwnSizes,
    /// By parameters: counts whatever the words say.
    pub(crate) tuned: OwnSizes,
    /// Whether SGLang's `enable-dp-attention` is on, by either.
    pub(crate) attention_copies: bool,
}

/// Sizes by the engine's own flags, `None` where not set so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OwnSizes {
    tp: Option<u32>,
    pp: Option<u32>,
    dp: Option<u32>,
}

impl OwnSizes {
    /// The sizes among flags, asked by their resolved names. What is no size is not one:
    /// the flag itself is complained about elsewhere.
    pub(crate) fn of<'a>(kind: EngineKind, value: impl Fn(&str) -> Option<&'a str>) -> Self {
        let size = |field: &str| {
            value(flag_of(kind, field)?)?
                .parse()
                .ok()
                .filter(|size| *size > 0)
        };
        Self {
            tp: size("tp"),
            pp: size("pp"),
            dp: size("dp"),
        }
    }

    /// Puts what is set into its place.
    pub(super) fn put_into(self, sizes: &mut Sizes) {
        sizes.tp = self.tp.unwrap_or(sizes.tp);
        sizes.pp = self.pp.unwrap_or(sizes.pp);
        sizes.dp = self.dp.unwrap_or(sizes.dp);
    }
}

/// The presets of an engine by name.
pub(crate) fn presets(kind: EngineKind) -> &'static [&'static str] {
    match kind {
        Vllm => &[
            "single-gpu",
            "high-throughput",
            "large-model-tp",
            "large-model-tp-pp",
            "moe-optimized",
            "long-context",
            "balanced",
        ],
        Sglang => &[
            "single-gpu",
            "high-throughput",
            "large-model-tp",
            "large-model-tp-pp",
            "moe-optimized",
            "balanced",
        ],
        TensorRtLlm => &[
            "single-gpu",
            "large-model-tp",
            "large-model-tp-pp",
            "moe-optimized",
            "long-context",
        ],
        Sim => &["single-gpu", "large-model-tp"],
        LlamaCpp | Custom => &["single-gpu"],
    }
}

/// The sizes of a preset, so chosen that the engine takes them and that they mean what the
/// name says.
pub(super) fn preset(kind: EngineKind, name: &str) -> Option<Sizes> {
    if !presets(kind).contains(&name) {
        return None;
    }
    Some(match (kind, name) {
        (_, "high-throughput") => Sizes { dp: 8, ..NO_SIZES },
        (_, "large-model-tp") => Sizes { tp: 8, ..NO_SIZES },
        (_, "large-model-tp-pp") => Sizes {
            tp: 8,
            pp: 2,
            ..NO_SIZES
        },
        (_, "balanced") => Sizes {
            tp: 2,
            dp: 4,
            ..NO_SIZES
        },
        (Vllm, "moe-optimized") => Sizes {
            tp: 2,
            dp: 8,
            expert_parallel: Some(true),
            ..NO_SIZES
        },
        // Attention is copied and experts are spread, both over the same eight GPUs.
        (Sglang, "moe-optimized") => Sizes {
            tp: 8,
            dp: 8,
            expert_parallel: Some(true),
            moe_dense_tp: Some(1),
            attention_copies: true,
            ..NO_SIZES
        },
        // Each expert is split over two of the four GPUs.
        (TensorRtLlm, "moe-optimized") => Sizes {
            tp: 4,
            moe_tp: 2,
            moe_ep: 2,
            ..NO_SIZES
        },
        (Vllm, "long-context") => Sizes {
            tp: 4,
            dcp: 4,
            ..NO_SIZES
        },
        (TensorRtLlm, "long-context") => Sizes {
            tp: 8,
            cp: 2,
            ..NO_SIZES
        },
        _ => NO_SIZES,
    })
}
