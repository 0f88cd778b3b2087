//! Flags, keys and variables that are not for everybody, as data.
//!
//! The one idea: a line names what it is about and what it would let somebody do. Engines share
//! most of the names, and where one does not know a flag it refuses it anyway, so there is one
//! list for all; what means something else in one engine is listed apart. A name that ends in `*`
//! stands for all that begin so.

use autotuner_core::engine::{Engine, EngineKind};

/// Who may set a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Anybody,
    /// Admins only; what it does, to follow its name.
    Admin(&'static str),
    /// Nobody; why not.
    Never(&'static str),
}

const ADDRESS: &str = "the product chooses the address";
const KEY: &str = "the benchmark sends no key";
const HUB_KEY: &str = "arguments are shown to everybody; set HF_TOKEN in engine.env, where it is not shown";

/// Nobody's to set. Engines refuse most of them already, each its own.
const NEVER: [(&str, &str); 6] = [
    ("host", ADDRESS),
    ("port", ADDRESS),
    ("api-key", KEY),
    ("api-key-file", KEY),
    ("admin-api-key", KEY),
    ("hf-token", HUB_KEY),
];

const RUNS_CODE: &str = "makes the engine run code that is named here or comes with the model";
const READS: &str = "makes the engine read a file of the machine it runs on";
const WRITES: &str = "makes the engine write files on the machine it runs on";
const TALKS: &str = "makes the engine talk to another machine";
const OPENS: &str = "lets whoever asks the engine reach what is behind it";

/// For admins. Other engines' names do no harm.
const ADMIN: [(&str, &str); 87] = [
    ("trust-remote-code", RUNS_CODE),
    ("middleware", RUNS_CODE),
    ("tool-parser-plugin", RUNS_CODE),
    ("reasoning-parser-plugin", RUNS_CODE),
    ("io-processor-plugin", RUNS_CODE),
    ("logits-processors", RUNS_CODE),
    ("logits-processor-pattern", OPENS),
    ("enable-custom-logit-processor", OPENS),
    ("worker-cls", RUNS_CODE),
    ("worker-extension-cls", RUNS_CODE),
    ("scheduler-cls", RUNS_CODE),
    ("custom-weight-loader", RUNS_CODE),
    ("custom-sigquit-handler", RUNS_CODE),
    ("custom-module-dirs", RUNS_CODE),
    ("custom-tokenizer", RUNS_CODE),
    ("forward-hooks", RUNS_CODE),
    ("model-loader-extra-config", RUNS_CODE),
    ("kv-transfer-config", RUNS_CODE),
    ("ec-transfer-config", RUNS_CODE),
    ("kv-connector-*", RUNS_CODE),
    ("additional-config", RUNS_CODE),
    ("json-model-override-args", RUNS_CODE),
    ("hf-overrides", RUNS_CODE),
    ("model-class-overrides", RUNS_CODE),
    ("hf-config-path", READS),
    ("config", "reads any other flag from a file"),
    ("extra-llm-api-options", "reads any other option from a file"),
    ("extra-engine-args", READS),
    ("chat-template", READS),
    ("chat-template-file", READS),
    ("trust-request-chat-template", OPENS),
    ("completion-template", READS),
    ("tool-chat-template", READS),
    ("log-config-file", READS),
    ("logging-config", READS),
    ("allowed-local-media-path", OPENS),
    ("allowed-media-domains", OPENS),
    ("media-path", OPENS),
    ("path", "serves the files of a directory to whoever asks"),
    ("props", OPENS),
    ("slots", OPENS),
    ("tools", OPENS),
    ("webui-mcp-proxy", OPENS),
    ("webui-config-file", READS),
    ("grammar-file", READS),
    ("json-schema-file", READS),
    ("file", READS),
    ("binary-file", READS),
    ("in-file", READS),
    ("lookup-cache-static", READS),
    ("lookup-cache-dynamic", WRITES),
    ("lora", READS),
    ("lora-scaled", READS),
    ("lora-modules", READS),
    ("lora-paths", READS),
    ("control-vector*", READS),
    ("quantization-param-path", READS),
    ("speculative-token-map", READS),
    ("init-expert-location", READS),
    ("decrypted-*", READS),
    ("metadata-server-config-file", READS),
    ("download-dir", WRITES),
    ("file-storage-*", WRITES),
    ("slot-save-path", WRITES),
    ("log-file", WRITES),
    ("log-dir", WRITES),
    ("log-requests-target", WRITES),
    ("crash-dump-folder", WRITES),
    ("debug-tensor-dump-*", WRITES),
    ("export-metrics-*", WRITES),
    ("expert-distribution-recorder-*", WRITES),
    ("modelopt-*", WRITES),
    ("delete-ckpt-after-loading", "deletes the model's files"),
    ("profiler-config", WRITES),
    ("hicache-storage-*", RUNS_CODE),
    ("ssl-*", "changes how the engine is spoken to"),
    ("uds", "changes where the engine listens"),
    ("otlp-*", TALKS),
    ("kv-events-config", TALKS),
    ("tool-server", TALKS),
    ("rpc", TALKS),
    ("mmproj-url", TALKS),
    ("model-url", TALKS),
    ("dist-init-addr", TALKS),
    ("data-parallel-address", TALKS),
    ("disagg*", TALKS),
    ("remote-instance-*", TALKS),
];

/// Flags that choose among words, some of which name code: the words that do not.
const WORDS: [(&str, &[&str], &str); 2] = [
    (
        "load-format",
        &[
            "auto",
            "hf",
            "safetensors",
            "fastsafetensors",
            "dummy",
            "gguf",
            "mistral",
            "bitsandbytes",
            "sharded_state",
            "layered",
        ],
        "takes formats that can hold code, or a plugin's name",
    ),
    (
        "distributed-executor-backend",
        &["mp", "ray", "uni"],
        "takes the name of a class to run",
    ),
];

/// Keys of settings that are given as JSON, or after a flag's dot.
const KEYS: [(&str, &str); 10] = [
    ("trust_remote_code", RUNS_CODE),
    ("auto_map", RUNS_CODE),
    ("kv_connector_module_path", RUNS_CODE),
    ("ec_connector_module_path", RUNS_CODE),
    ("module_path", RUNS_CODE),
    ("inductor_passes", RUNS_CODE),
    ("custom_class", RUNS_CODE),
    ("debug_dump_path", WRITES),
    ("cache_dir", WRITES),
    ("local_cache_dir", WRITES),
];

const LOADS: &str = "decides which code the engine runs";
const FETCHES: &str = "decides where the engine fetches from and whom it trusts";
const KEEPS: &str = "decides where the engine keeps its files";

/// Variables of the engine's process.
const VARIABLES: [(&str, &str); 42] = [
    ("PATH", LOADS),
    ("ENV", LOADS),
    ("BASH_ENV", LOADS),
    ("SHELLOPTS", LOADS),
    ("IFS", LOADS),
    ("GCONV_PATH", LOADS),
    ("NODE_OPTIONS", LOADS),
    ("LD_*", LOADS),
    ("DYLD_*", LOADS),
    ("PYTHON*", LOADS),
    ("PERL*", LOADS),
    ("RUBY*", LOADS),
    ("JAVA_*", LOADS),
    ("GIT_*", LOADS),
    ("CUDA_INJECTION64_PATH", LOADS),
    ("NCCL_NET_PLUGIN", LOADS),
    ("NCCL_TUNER_PLUGIN", LOADS),
    ("NCCL_PROFILER_PLUGIN", LOADS),
    ("OMP_TOOL_LIBRARIES", LOADS),
    ("TORCH_EXTENSIONS_DIR", LOADS),
    ("TRITON_*_PATH", LOADS),
    ("GGML_BACKEND_PATH", LOADS),
    ("GGML_BACKEND_DIR", LOADS),
    ("VLLM_PLUGINS", LOADS),
    ("VLLM_ALLOW_INSECURE_SERIALIZATION", LOADS),
    ("VLLM_ALLOW_RUNTIME_LORA_UPDATING", LOADS),
    ("VLLM_SERVER_DEV_MODE", OPENS),
    ("SGLANG_EXTERNAL_*", LOADS),
    ("CC", LOADS),
    ("CXX", LOADS),
    ("CUDA_HOME", LOADS),
    ("HF_ENDPOINT", FETCHES),
    ("HF_MODULES_CACHE", LOADS),
    ("SSL_CERT_*", FETCHES),
    ("REQUESTS_CA_BUNDLE", FETCHES),
    ("CURL_CA_BUNDLE", FETCHES),
    ("HF_HOME", KEEPS),
    ("HF_HUB_CACHE", KEEPS),
    ("HUGGINGFACE_HUB_CACHE", KEEPS),
    ("TRANSFORMERS_CACHE", KEEPS),
    ("LLAMA_CACHE", KEEPS),
    ("HOME", KEEPS),
];

/// Variables of Python that change nothing but its manners.
const HARMLESS: [&str; 3] = ["PYTHONUNBUFFERED", "PYTHONHASHSEED", "PYTHONFAULTHANDLER"];

/// Who may set a flag, given by its one name, to these values.
pub(super) fn flag(engine: &dyn Engine, name: &str, values: &[&str]) -> Verdict {
    let is_meant = |listed: &str| is_named(listed, name) || is_beginning(engine, listed, name);
    if let Some((_, why)) = NEVER.iter().find(|(listed, _)| is_meant(listed)) {
        return Verdict::Never(why);
    }
    // llama.cpp's own templates have names; its flag reads no file.
    if engine.kind() == EngineKind::LlamaCpp
        && name == "chat-template"
        && values.iter().all(|value| is_word(value))
    {
        return Verdict::Anybody;
    }
    if let Some((_, known, why)) = WORDS.iter().find(|(listed, ..)| is_meant(listed)) {
        let is_known = values.iter().all(|value| known.contains(value));
        return if is_known && !values.is_empty() {
            Verdict::Anybody
        } else {
            Verdict::Admin(why)
        };
    }
    match ADMIN.iter().find(|(listed, _)| is_meant(listed)) {
        Some((_, why)) => Verdict::Admin(why),
        None => Verdict::Anybody,
    }
}

/// What a key of settings would let somebody do, where it is not for operators.
pub(super) fn key(name: &str) -> Option<&'static str> {
    let name = name.replace('-', "_");
    let found = KEYS.iter().find(|(listed, _)| *listed == name);
    found.map(|(_, why)| *why)
}

/// What a variable would let somebody do, where it is not for operators.
pub(super) fn variable(name: &str) -> Option<&'static str> {
    if HARMLESS.contains(&name) {
        return None;
    }
    if name.to_ascii_uppercase().ends_with("_PROXY") {
        return Some(FETCHES);
    }
    let found = VARIABLES.iter().find(|(listed, _)| is_named(listed, name));
    found.map(|(_, why)| *why)
}

/// A `*` stands for anything.
fn is_named(listed: &str, name: &str) -> bool {
    match listed.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => listed == name,
    }
}

/// Whether the program would take the name for the beginning of a longer one that is listed.
fn is_beginning(engine: &dyn Engine, listed: &str, name: &str) -> bool {
    let is_known = || {
        let mut known = engine.catalogue().iter();
        known.any(|flag| flag.name.replace('_', "-") == name)
    };
    engine.takes_beginnings() && !name.is_empty() && listed.starts_with(name) && !is_known()
}

fn is_word(value: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
