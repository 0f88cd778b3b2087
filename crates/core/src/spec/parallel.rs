//! Parallel sizes in words that fit every engine. Understood and checked, not yet applied.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Findings;
use super::quant::check_words;
use super::read::{Fields, Node};
use super::rules;
use super::schema::OneOrMany;
use crate::engine::EngineKind;
use crate::problem::Problem;

const VLLM_PRESETS: [&str; 7] = [
    "single-gpu",
    "high-throughput",
    "large-model-tp",
    "large-model-tp-pp",
    "moe-optimized",
    "long-context",
    "balanced",
];
const SGLANG_PRESETS: [&str; 6] = [
    "single-gpu",
    "high-throughput",
    "large-model-tp",
    "large-model-tp-pp",
    "moe-optimized",
    "balanced",
];
const TENSORRT_PRESETS: [&str; 5] = [
    "single-gpu",
    "large-model-tp",
    "large-model-tp-pp",
    "moe-optimized",
    "long-context",
];

/// The preset that asks for nothing.
const NO_PARALLELISM: &str = "single-gpu";

/// How a model is spread over GPUs, each size alone or several to try. Understood, not yet
/// applied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ParallelSpec {
    /// Tensor parallel size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub tp: Option<Vec<u32>>,
    /// Pipeline parallel size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub pp: Option<Vec<u32>>,
    /// Data parallel size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub dp: Option<Vec<u32>>,
    /// Context parallel size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub cp: Option<Vec<u32>>,
    /// Context parallel size of decoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub dcp: Option<Vec<u32>>,
    /// Whether experts are spread whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<bool>>")]
    pub enable_expert_parallel: Option<Vec<bool>>,
    /// Tensor parallel size inside experts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub moe_tp: Option<Vec<u32>>,
    /// Expert parallel size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub moe_ep: Option<Vec<u32>>,
    /// Expert cluster size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub moe_cluster: Option<Vec<u32>>,
    /// Tensor parallel size of the dense layers of an expert model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<u32>>")]
    pub moe_dense_tp: Option<Vec<u32>>,
    /// Named combinations in place of the sizes, for example single-gpu or balanced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub presets: Option<Vec<String>>,
}

/// Reads the `parallel_config` object.
pub(super) fn read(node: &Node<'_>) -> Option<ParallelSpec> {
    let sizes = |node: &Node<'_>| node.list_or_one(Node::whole);
    node.object(|fields: &mut Fields<'_>| ParallelSpec {
        tp: fields.take("tp", sizes),
        pp: fields.take("pp", sizes),
        dp: fields.take("dp", sizes),
        cp: fields.take("cp", sizes),
        dcp: fields.take("dcp", sizes),
        enable_expert_parallel: fields.take("enable_expert_parallel", |node| node.list_or_one(Node::flag)),
        moe_tp: fields.take("moe_tp", sizes),
        moe_ep: fields.take("moe_ep", sizes),
        moe_cluster: fields.take("moe_cluster", sizes),
        moe_dense_tp: fields.take("moe_dense_tp", sizes),
        presets: fields.take_renamed("presets", "preset", |node| node.list_or_one(Node::text)),
    })
}

impl ParallelSpec {
    fn sizes(&self) -> [(&'static str, &Option<Vec<u32>>); 9] {
        [
            ("tp", &self.tp),
            ("pp", &self.pp),
            ("dp", &self.dp),
            ("cp", &self.cp),
            ("dcp", &self.dcp),
            ("moe_tp", &self.moe_tp),
            ("moe_ep", &self.moe_ep),
            ("moe_cluster", &self.moe_cluster),
            ("moe_dense_tp", &self.moe_dense_tp),
        ]
    }

    /// Holds the rules: sizes of at least 1, presets that the engine has, not both.
    pub(super) fn check(&self, engine: Option<EngineKind>, findings: &Findings) {
        for (key, sizes) in self.sizes() {
            let path = format!("parallel_config.{key}");
            if sizes.as_ref().is_some_and(Vec::is_empty) {
                let problem = Problem::new(path.as_str(), "the list is empty");
                findings.refuse(problem.with_hint("leave the key out"));
            }
            for size in sizes.iter().flatten() {
                rules::at_least_one(&path, *size, findings);
            }
        }
        let known: &[&str] = match engine {
            Some(EngineKind::Sglang) => &SGLANG_PRESETS,
            Some(EngineKind::TensorRtLlm) => &TENSORRT_PRESETS,
            _ => &VLLM_PRESETS,
        };
        check_words(
            "parallel_config.presets",
            &self.presets,
            known,
            "preset",
            findings,
        );
        let has_sizes =
            self.sizes().iter().any(|(_, sizes)| sizes.is_some()) || self.enable_expert_parallel.is_some();
        if self.presets.is_some() && has_sizes {
            let problem = Problem::new("parallel_config", "gives presets and single sizes together");
            findings.refuse(problem.with_hint("use either presets or sizes"));
        }
    }

    /// Why this cannot be applied yet; `None` where it asks for one GPU and nothing else.
    pub(super) fn not_built(&self) -> Option<Problem> {
        let asks_for_nothing = self
            .sizes()
            .iter()
            .all(|(_, sizes)| sizes.iter().flatten().all(|size| *size == 1))
            && self.enable_expert_parallel.iter().flatten().all(|flag| !flag)
            && self
                .presets
                .iter()
                .flatten()
                .all(|preset| preset == NO_PARALLELISM);
        (!asks_for_nothing).then(|| {
            Problem::new("parallel_config", "is understood but cannot be applied yet").with_hint(
                "leave it out, or set the engine's own flags under parameters, for example tensor-parallel-size",
            )
        })
    }
}
