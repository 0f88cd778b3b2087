//! Whether a model's weights are already quantized, as far as the task or its name says.
//!
//! The one idea: what the task says counts; where it says nothing, publishers put the method
//! into the name, so the last part of a path or hub id is searched for it. Nothing here opens
//! a file; a name without a method may still be of a quantized model, which the engine then
//! finds out for itself.

use crate::task::Checkpoint;

/// Parts of names that tell a method, each with what we call it; the first that fits counts,
/// so that the more telling come first.
const MARKS: &[(&str, &str)] = &[
    ("w4afp8", "w4afp8"),
    ("mxfp4", "mxfp4"),
    ("gpt-oss", "mxfp4"),
    ("awq", "awq"),
    ("gptq", "gptq"),
    ("gguf", "gguf"),
    ("nvfp4", "nvfp4"),
    ("fp4", "nvfp4"),
    ("fp8", "fp8"),
    ("bitsandbytes", "bitsandbytes"),
    ("bnb", "bitsandbytes"),
    ("hqq", "hqq"),
    ("marlin", "marlin"),
    ("squeezellm", "squeezellm"),
    ("autoround", "autoround"),
    ("auto-round", "autoround"),
    ("exl2", "exl2"),
    ("w8a8", "w8a8"),
    ("w8a16", "w8a16"),
    ("w4a16", "w4a16"),
    ("w4a8", "w4a8"),
    ("int8", "int8"),
    ("int4", "int4"),
    ("8bit", "8bit"),
    ("8-bit", "8bit"),
    ("4bit", "4bit"),
    ("4-bit", "4bit"),
];

/// The method with which a model is quantized, by what is said of it or else by its name.
pub(crate) fn method<'a>(said: &'a Checkpoint, id_or_path: &str) -> Option<&'a str> {
    match said {
        Checkpoint::Unsaid => quantization(id_or_path),
        Checkpoint::Plain => None,
        Checkpoint::Quantized(method) => Some(method),
    }
}

/// The method with which the model of this path or hub id is quantized, if its name says so.
///
/// Only the last part counts: a directory above it may be called anything.
fn quantization(id_or_path: &str) -> Option<&'static str> {
    let name = id_or_path.trim_end_matches(['/', '\\']);
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_lowercase();
    let name = name.replace('_', "-");
    MARKS
        .iter()
        .find(|(mark, _)| name.contains(mark))
        .map(|(_, method)| *method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_is_read_from_the_last_part_of_the_name() {
        let check = |name: &str, expected: Option<&str>| assert_eq!(quantization(name), expected, "{name}");
        check("Qwen/Qwen2.5-7B-Instruct", None);
        check("meta-llama/Llama-3.1-8B-Instruct", None);
        check("Qwen/Qwen2.5-7B-Instruct-AWQ", Some("awq"));
        check("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4", Some("gptq"));
        check("/models/qwen-q4_k_m.gguf", Some("gguf"));
        check("Qwen/Qwen3-8B-FP8", Some("fp8"));
        check("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic/", Some("fp8"));
        check("nvidia/Llama-3.1-405B-Instruct-NVFP4", Some("nvfp4"));
        check("nvidia/DeepSeek-R1-FP4", Some("nvfp4"));
        check("openai/gpt-oss-20b", Some("mxfp4"));
        check("tencent/DeepSeek-V3.1-W4AFP8", Some("w4afp8"));
        check("RedHatAI/Qwen2-quantized.w8a8", Some("w8a8"));
        check("unsloth/llama-3-8b-bnb-4bit", Some("bitsandbytes"));
        check("/fp8-user/models/llama", None);
        check("awq-models/llama", None);
        check("", None);
    }
}
