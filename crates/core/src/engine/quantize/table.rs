//! What each engine makes of each word, field by field.
//!
//! The one idea: four tables and nothing else. Which words exist for a field is held where
//! documents are read; a word that a table does not know is refused.

use super::super::EngineKind::{self, Custom, LlamaCpp, Sglang, Sim, TensorRtLlm, Vllm};
use super::AUTO;

/// What one field with one word comes to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    /// The engine does this anyway.
    Nothing,
    /// These flags.
    Flags(&'static [(&'static str, &'static str)]),
    /// These flags, which quantize the weights while loading: for plain checkpoints only.
    Quantizes(&'static [(&'static str, &'static str)]),
    /// The same, which newer versions refuse.
    OlderQuantizes(&'static [(&'static str, &'static str)]),
    /// These flags, which older versions lack.
    Newer(&'static [(&'static str, &'static str)]),
    /// These flags, which name how the checkpoint is quantized.
    Names(&'static [(&'static str, &'static str)]),
    /// No flags: the type follows `gemm_dtype`, which must then be this.
    Follows(&'static str),
    /// These flags, beside a cache of eight-bit floats.
    WithSmallCache(&'static [(&'static str, &'static str)]),
    /// Not possible: why, and what to do.
    Refused(&'static str, &'static str),
}

use Effect::{Flags, Follows, Names, Newer, Nothing, OlderQuantizes, Quantizes, Refused, WithSmallCache};

const QUANTIZED_FILE: &str = "use a checkpoint that is quantized so, and leave it auto";

/// Weights and matrix products.
pub(super) fn gemm(kind: EngineKind, word: &str) -> Effect {
    match (kind, word) {
        (_, AUTO) => Nothing,
        (Vllm | Sglang, "float16") => Flags(&[("dtype", "float16")]),
        (Vllm | Sglang, "bfloat16") => Flags(&[("dtype", "bfloat16")]),
        (Vllm | Sglang, "float32") => Flags(&[("dtype", "float32")]),
        (Vllm | Sglang | Sim, "fp8") => Quantizes(&[("quantization", "fp8")]),
        (Sim, "int8") => Quantizes(&[("quantization", "int8")]),
        (Vllm | Sglang, "int8") => Refused(
            "cannot quantize weights to int8 while it loads them",
            "use a checkpoint that is quantized to int8 (w8a8) and leave it auto, or use fp8",
        ),
        (TensorRtLlm, "fp8" | "int8") => Refused(
            "takes quantized weights only as the checkpoint has them: trtllm-serve has no flag for it",
            QUANTIZED_FILE,
        ),
        (TensorRtLlm, _) => Refused(
            "takes the weights' type from the checkpoint: trtllm-serve has no flag for it",
            "leave it auto",
        ),
        (LlamaCpp, _) => Refused(
            "takes the weights as the GGUF file has them",
            "name another GGUF file as the model, and leave it auto",
        ),
        (Sim, _) => Refused("simulates no such weights", "use auto, fp8 or int8"),
        _ => unknown(kind),
    }
}

/// The cache of keys and values.
pub(super) fn cache(kind: EngineKind, word: &str) -> Effect {
    const FP8: Effect = Flags(&[("kv-cache-dtype", "fp8")]);
    const E5M2: Effect = Flags(&[("kv-cache-dtype", "fp8_e5m2")]);
    const E4M3: Effect = Flags(&[("kv-cache-dtype", "fp8_e4m3")]);
    match (kind, word) {
        (_, AUTO) => Nothing,
        (Vllm | Sglang, "fp16") => Follows("float16"),
        (Vllm | Sglang, "bfloat16") => Follows("bfloat16"),
        // To vLLM, fp8 is another word for fp8_e4m3.
        (Vllm, "fp8" | "fp8_e4m3") => FP8,
        (Vllm, "fp8_e5m2") => E5M2,
        // SGLang has no plain fp8; e5m2 needs no scaling factors from the checkpoint.
        (Sglang, "fp8" | "fp8_e5m2") => E5M2,
        (Sglang, "fp8_e4m3") => E4M3,
        (Vllm | Sglang, _) => Refused(
            "has no cache of whole numbers",
            "use auto, fp8, fp8_e4m3 or fp8_e5m2",
        ),
        (TensorRtLlm, "fp8" | "fp8_e4m3") => Newer(&[("kv-cache-dtype", "fp8")]),
        (TensorRtLlm, _) => Refused("has no such cache", "use auto, fp8 or fp8_e4m3"),
        (LlamaCpp, "fp16") => Nothing,
        (LlamaCpp, "bfloat16") => Flags(&[("cache-type-k", "bf16"), ("cache-type-v", "bf16")]),
        (LlamaCpp, "int8") => Flags(&[("cache-type-k", "q8_0"), ("cache-type-v", "q8_0")]),
        (LlamaCpp, "int4") => Flags(&[("cache-type-k", "q4_0"), ("cache-type-v", "q4_0")]),
        (LlamaCpp, _) => Refused(
            "has no cache of eight-bit floats",
            "use auto, fp16, bfloat16, int8 (q8_0) or int4 (q4_0)",
        ),
        (Sim, "fp16" | "bfloat16") => Nothing,
        (Sim, "fp8" | "fp8_e4m3" | "fp8_e5m2") => FP8,
        (Sim, _) => Refused("simulates no such cache", "use auto or fp8"),
        _ => unknown(kind),
    }
}

/// Attention.
pub(super) fn attention(kind: EngineKind, word: &str) -> Effect {
    // These kernels compute on such a cache as it is.
    const ON_SMALL_CACHE: Effect = WithSmallCache(&[("attention-backend", "flashinfer")]);
    match (kind, word) {
        (_, AUTO) => Nothing,
        (Vllm | Sglang, "float16") => Follows("float16"),
        (Vllm | Sglang, "bfloat16") => Follows("bfloat16"),
        (Sglang, "fp8" | "fp8_e4m3" | "fp8_e5m2") => ON_SMALL_CACHE,
        (Sglang, _) => Refused("has no attention in blocks of fp8", "use fp8 or auto"),
        (Vllm, _) => Refused(
            "has no setting for the type of attention: it follows the cache",
            "leave it auto, and set kvcache_dtype: fp8",
        ),
        (TensorRtLlm, _) => Refused(
            "has no setting for the type of attention: trtllm-serve has no flag for it",
            "leave it auto",
        ),
        (LlamaCpp | Sim, _) => Refused("has no setting for the type of attention", "leave it auto"),
        _ => unknown(kind),
    }
}

/// Experts.
pub(super) fn experts(kind: EngineKind, word: &str) -> Effect {
    match (kind, word) {
        (_, AUTO) => Nothing,
        (Vllm | Sglang, "float16") => Follows("float16"),
        (Vllm | Sglang, "bfloat16") => Follows("bfloat16"),
        (Vllm | Sglang, "fp8") => Follows("fp8"),
        // Deprecated in vLLM 0.14, which wants another flag beside it, and removed after.
        (Vllm, "int8") => OlderQuantizes(&[("quantization", "experts_int8")]),
        (Vllm, "mxfp4") => Refused(
            "reads mxfp4 experts from a checkpoint by itself and makes none",
            QUANTIZED_FILE,
        ),
        (Vllm, _) => Refused(
            "has no experts of four-bit weights and fp8 activations",
            "use int8 or fp8",
        ),
        (Sglang, "w4afp8") => Names(&[("quantization", "w4afp8")]),
        (Sglang, "mxfp4") => Names(&[("quantization", "mxfp4")]),
        (Sglang, _) => Refused(
            "cannot quantize experts to int8 while it loads them",
            "use fp8 with gemm_dtype: fp8, or a quantized checkpoint",
        ),
        (TensorRtLlm, _) => Refused(
            "takes experts as the checkpoint has them: trtllm-serve has no flag for their type",
            QUANTIZED_FILE,
        ),
        (LlamaCpp, _) => Refused(
            "takes experts as the GGUF file has them",
            "name another GGUF file as the model, and leave it auto",
        ),
        (Sim, _) => Refused("simulates no experts", "leave it auto"),
        _ => unknown(kind),
    }
}

/// What no engine's table has.
fn unknown(kind: EngineKind) -> Effect {
    if kind == Custom {
        Refused(
            "may take any flags, and which one this is we cannot know",
            "set the program's own flags under parameters, and leave it auto",
        )
    } else {
        Refused("knows no such type", "leave it auto")
    }
}
