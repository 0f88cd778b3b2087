//! Parallel sizes in words that fit every engine.
//!
//! The one idea: each key is a dimension of the space like any parameter; what its sizes
//! become is the engine's matter.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::TaskSpec;
use super::findings::Findings;
use super::group::{Group, Part, Surroundings};
use super::quant::check_words;
use super::read::{Fields, Node};
use super::rules;
use super::schema::OneOrMany;
use crate::engine::EngineKind;
use crate::engine::parallel::{self, Own, OwnSizes};
use crate::engine::portable::{self, Setting};
use crate::problem::Problem;
use crate::space::{ParameterName, Value};

/// How a model is spread over GPUs, each size alone or several to try.
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

    /// Holds the rules: sizes of at least 1, known presets, not both. vLLM has every
    /// preset that there is; which of them another engine has is told later.
    pub(super) fn check(&self, findings: &Findings) {
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
        let known = parallel::presets(EngineKind::Vllm);
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

    /// The lists that are given, each with the name of its field in candidates.
    fn lists(&self) -> Vec<(&'static str, Vec<Json>)> {
        fn list<T: Clone + Into<Json>>(values: &Option<Vec<T>>) -> Option<Vec<Json>> {
            Some(values.as_ref()?.iter().cloned().map(Into::into).collect())
        }
        let sizes = self
            .sizes()
            .into_iter()
            .map(|(field, sizes)| (field, list(sizes)));
        let others = [
            ("enable_expert_parallel", list(&self.enable_expert_parallel)),
            ("preset", list(&self.presets)),
        ];
        sizes
            .chain(others)
            .filter_map(|(field, values)| Some((field, values?)))
            .collect()
    }
}

/// The dimensions of `parallel_config`, held against its own rules and the engine's.
pub(super) fn group(spec: &TaskSpec, kind: Option<EngineKind>, findings: &Findings) -> Option<Group> {
    let given = spec.parallel_config.as_ref()?;
    let lists = given.lists();
    let before = findings.count();
    given.check(findings);
    let is_sound = findings.count() == before && !findings.is_spoilt(parallel::KEY);
    let (true, Some(kind)) = (is_sound, kind) else {
        return Some(Group::unjudged(ParameterName::PARALLEL_PREFIX, &lists));
    };
    let surroundings = Surroundings { spec, kind };
    let owns = owns(&surroundings);
    let owned: Vec<(&str, &str)> = lists
        .iter()
        .filter_map(|(field, _)| Some((*field, portable::flag_of(kind, field)?)))
        .collect();
    Some(Group::of(
        &Part {
            key: parallel::KEY,
            prefix: ParameterName::PARALLEL_PREFIX,
            owned: &owned,
            admits: &|field, value| parallel::check_value(kind, field, value),
            settings: &|fields| possible_beside(kind, &owns, fields),
        },
        lists,
        &surroundings,
        findings,
    ))
}

/// What the engine's own flags may say of parallel sizes, one entry a possibility.
fn owns(surroundings: &Surroundings<'_>) -> Vec<Own> {
    let kind = surroundings.kind;
    let sizes = ["tp", "pp", "dp"].map(|field| portable::flag_of(kind, field));
    let copies = "enable-dp-attention";
    let flags: Vec<&str> = sizes.into_iter().flatten().chain([copies]).collect();
    let arguments: HashMap<&str, String> = flags
        .iter()
        .filter_map(|flag| Some((*flag, surroundings.argument(flag)?)))
        .collect();
    let own = |tuned: HashMap<String, String>| Own {
        fixed: OwnSizes::of(kind, |flag| arguments.get(flag).map(String::as_str)),
        tuned: OwnSizes::of(kind, |flag| tuned.get(flag).map(String::as_str)),
        attention_copies: tuned
            .get(copies)
            .or(arguments.get(copies))
            .is_some_and(|state| state == "on"),
    };
    surroundings.own_values(&flags).into_iter().map(own).collect()
}

/// What a combination becomes beside the first of these that it is possible beside.
fn possible_beside(
    kind: EngineKind,
    owns: &[Own],
    fields: &[(&str, &Value)],
) -> Result<Vec<Setting>, Vec<Problem>> {
    let mut refused = None;
    for own in owns {
        match parallel::settings(kind, own, fields) {
            Ok(settings) => return Ok(settings),
            Err(problems) => {
                refused.get_or_insert(problems);
            }
        }
    }
    refused.map_or_else(|| Ok(Vec::new()), Err)
}
