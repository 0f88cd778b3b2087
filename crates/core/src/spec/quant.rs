//! Quantization in words that fit every engine. Understood and checked, not yet applied.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Findings;
use super::read::{Fields, Node, shorten};
use super::schema::OneOrMany;
use crate::problem::{Problem, closest};

const GEMM: [&str; 6] = ["auto", "float16", "bfloat16", "float32", "fp8", "int8"];
const KV_CACHE: [&str; 8] = [
    "auto", "fp16", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "int8", "int4",
];
const ATTENTION: [&str; 7] = [
    "auto",
    "float16",
    "bfloat16",
    "fp8",
    "fp8_e5m2",
    "fp8_e4m3",
    "fp8_block",
];
const MOE: [&str; 7] = ["auto", "float16", "bfloat16", "fp8", "w4afp8", "mxfp4", "int8"];
const PRESETS: [&str; 5] = [
    "default",
    "kv-cache-fp8",
    "dynamic-fp8",
    "bf16-stable",
    "aggressive-moe",
];

/// What may be quantized, each to one type or several to try. Understood, not yet applied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct QuantSpec {
    /// Weights and matrix products: auto, float16, bfloat16, float32, fp8, int8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub gemm_dtype: Option<Vec<String>>,
    /// The cache of keys and values: auto, fp16, bfloat16, fp8, fp8_e5m2, fp8_e4m3, int8, int4.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub kvcache_dtype: Option<Vec<String>>,
    /// Attention: auto, float16, bfloat16, fp8, fp8_e5m2, fp8_e4m3, fp8_block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub attention_dtype: Option<Vec<String>>,
    /// Experts: auto, float16, bfloat16, fp8, w4afp8, mxfp4, int8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub moe_dtype: Option<Vec<String>>,
    /// Named combinations in place of the four: default, kv-cache-fp8, dynamic-fp8,
    /// bf16-stable, aggressive-moe.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub presets: Option<Vec<String>>,
}

/// Reads the `quant_config` object.
pub(super) fn read(node: &Node<'_>) -> Option<QuantSpec> {
    let words = |node: &Node<'_>| node.list_or_one(Node::text);
    node.object(|fields: &mut Fields<'_>| QuantSpec {
        gemm_dtype: fields.take("gemm_dtype", words),
        kvcache_dtype: fields.take("kvcache_dtype", words),
        attention_dtype: fields.take("attention_dtype", words),
        moe_dtype: fields.take("moe_dtype", words),
        presets: fields.take_renamed("presets", "preset", words),
    })
}

impl QuantSpec {
    /// Holds the rules: known types and presets, not both, no empty list.
    pub(super) fn check(&self, findings: &Findings) {
        let check = |key: &str, words: &Option<Vec<String>>, known: &[&str]| {
            check_words(&format!("quant_config.{key}"), words, known, "type", findings);
        };
        check("gemm_dtype", &self.gemm_dtype, &GEMM);
        check("kvcache_dtype", &self.kvcache_dtype, &KV_CACHE);
        check("attention_dtype", &self.attention_dtype, &ATTENTION);
        check("moe_dtype", &self.moe_dtype, &MOE);
        check_words(
            "quant_config.presets",
            &self.presets,
            &PRESETS,
            "preset",
            findings,
        );
        if self.presets.is_some() && self.names_a_type() {
            let problem = Problem::new("quant_config", "gives presets and single types together");
            findings.refuse(problem.with_hint("use either presets or the four *_dtype keys"));
        }
    }

    fn names_a_type(&self) -> bool {
        self.gemm_dtype.is_some()
            || self.kvcache_dtype.is_some()
            || self.attention_dtype.is_some()
            || self.moe_dtype.is_some()
    }

    /// Why this cannot be applied yet; `None` where it leaves everything to the engine.
    pub(super) fn not_built(&self) -> Option<Problem> {
        let only =
            |words: &Option<Vec<String>>, word: &str| words.iter().flatten().all(|given| given == word);
        let asks_for_nothing = only(&self.gemm_dtype, "auto")
            && only(&self.kvcache_dtype, "auto")
            && only(&self.attention_dtype, "auto")
            && only(&self.moe_dtype, "auto")
            && only(&self.presets, "default");
        (!asks_for_nothing).then(|| {
            Problem::new("quant_config", "is understood but cannot be applied yet").with_hint(
                "leave it out, or set the engine's own flags under parameters, for example kv-cache-dtype",
            )
        })
    }
}

/// Holds the rules of a list of words out of a known set.
pub(super) fn check_words(
    path: &str,
    words: &Option<Vec<String>>,
    known: &[&str],
    what: &str,
    findings: &Findings,
) {
    let Some(words) = words else { return };
    if words.is_empty() {
        findings.refuse(Problem::new(path, "the list is empty").with_hint("leave the key out"));
    }
    for word in words.iter().filter(|word| !known.contains(&word.as_str())) {
        let hint = match closest(&shorten(word), known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("use one of {}", known.join(", ")),
        };
        let message = format!("unknown {what} \"{}\"", shorten(word));
        findings.refuse(Problem::new(path, message).with_hint(hint));
    }
}
