//! llama.cpp's flags, as `llama-server --help` lists them, with some of older builds.
//!
//! What replaces the model, prints and ends, or turns the server into a router is not listed.

use super::FlagKind::*;
use super::{FlagInfo, catalogue};

const CACHE_TYPES: &[&str] = &[
    "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1",
];

pub(in crate::engine) const CATALOGUE: &[FlagInfo] = catalogue! {
    Memory {
        "ctx-size", Integer, "0", "tokens of context, divided among the slots; 0 for the model's own", from(0.0), common(), integers(&[4096, 8192, 16384]);
        "kv-unified", Toggle, "", "one key/value buffer for all slots", common(), both();
        "kv-unified-per-slot", Integer, "", "most tokens of a slot in one buffer for all", from(1.0);
        "kv-offload", DefaultOn, "on", "keep the key/value cache on the GPU", common(), both();
        "swa-full", Switch, "off", "keep as much cache for layers with a window as for the others";
        "fit", OnOff, "on", "fit what is not set into device memory";
        "fit-target", Text, "1024", "memory left free on each device, in MiB";
        "fit-ctx", Integer, "4096", "smallest context that fitting may choose", from(0.0);
        "n-cpu-moe", Integer, "0", "first layers whose experts stay in host memory", from(0.0), integers(&[0, 8, 16]);
        "cpu-moe", Switch, "off", "keep all experts in host memory";
        "n-cpu-ffn", Integer, "0", "first layers whose dense part stays in host memory", from(0.0);
        "override-tensor", Text, "", "where single tensors are kept";
        "no-host", Switch, "off", "do without the host's own buffers";
        "op-offload", DefaultOn, "on", "compute on the device what lies in host memory";
    }
    Batching {
        "parallel", Integer, "-1", "requests computed at once, which share ctx-size; -1 for automatic", from(-1.0), common(), integers(&[1, 2, 4, 8]);
        "batch-size", Integer, "2048", "most tokens handed over in one step", from(1.0), common(), integers(&[512, 1024, 2048]);
        "ubatch-size", Integer, "512", "most tokens computed at once", from(1.0), common(), integers(&[128, 256, 512, 1024]);
        "cont-batching", DefaultOn, "on", "let requests join a running batch", both();
        "keep", Integer, "0", "tokens of the prompt kept when the context is full; -1 for all", from(-1.0);
        "context-shift", Toggle, "off", "drop old tokens when the context is full";
        "n-predict", Integer, "-1", "most tokens of an answer; -1 for no limit", from(-1.0);
    }
    Parallel {
        "threads", Integer, "-1", "CPU threads for decoding; -1 for all cores", from(-1.0), common(), integers(&[1, 2, 4, 8]);
        "threads-batch", Integer, "as threads", "CPU threads for prompts", from(-1.0), common(), integers(&[1, 2, 4, 8]);
        "threads-http", Integer, "-1", "threads that speak HTTP; -1 for automatic", from(-1.0);
        "n-gpu-layers", Integer, "auto", "layers kept on GPUs: a number, auto or all", from(-2.0), or(&["auto", "all"]), common(), integers(&[0, 99]);
        "split-mode", Choice(&["none", "layer", "row", "tensor"]), "layer", "how several GPUs share the model", common(), texts(&["layer", "row"]);
        "tensor-split", Text, "", "shares of the GPUs, like 3,1";
        "main-gpu", Integer, "0", "GPU for what is not shared", from(0.0);
        "device", Text, "", "devices to use, or none";
        "cpu-mask", Text, "", "CPUs to run on, as a mask";
        "cpu-range", Text, "", "CPUs to run on, as lo-hi";
        "cpu-strict", OneZero, "0", "bind threads to CPUs", integers(&[0, 1]);
        "prio", Integer, "0", "priority of threads", from(-1.0), to(3.0), integers(&[0, 2]);
        "poll", Integer, "50", "how eagerly threads wait for work, 0 to 100", from(0.0), to(100.0), common(), integers(&[0, 50, 100]);
        "cpu-mask-batch", Text, "as cpu-mask", "CPUs for prompts, as a mask";
        "cpu-range-batch", Text, "", "CPUs for prompts, as lo-hi";
        "cpu-strict-batch", OneZero, "as cpu-strict", "bind the threads of prompts to CPUs";
        "prio-batch", Integer, "0", "priority of the threads of prompts", from(0.0), to(3.0);
        "poll-batch", OneZero, "as poll", "wait eagerly for prompts";
        "numa", Choice(&["distribute", "isolate", "numactl"]), "off", "how memory nodes are used", common(), texts(&["distribute", "isolate"]);
        "rpc", Text, "", "servers that compute too, as host:port";
    }
    Cache {
        "cache-type-k", Choice(CACHE_TYPES), "f16", "type of the cache's keys", common(), texts(&["f16", "q8_0"]);
        "cache-type-v", Choice(CACHE_TYPES), "f16", "type of the cache's values", common(), texts(&["f16", "q8_0"]);
        "cache-prompt", DefaultOn, "on", "reuse the computed beginning of prompts", common(), both();
        "cache-reuse", Integer, "0", "smallest piece of a prompt reused by shifting", from(0.0), common(), integers(&[0, 256]);
        "cache-ram", Integer, "8192", "host memory for kept prompts, in MiB; -1 for no limit, 0 for none", from(-1.0), integers(&[0, 8192]);
        "cache-idle-slots", DefaultOn, "on", "keep the prompts of idle slots";
        "ctx-checkpoints", Integer, "32", "saved states of each slot", from(0.0);
        "checkpoint-min-step", Integer, "8192", "tokens between two saved states", from(0.0);
        "slot-prompt-similarity", Number, "0.1", "how alike a prompt must be to get a slot's cache; 0 for never", from(0.0), to(1.0), numbers(&[0.0, 0.1, 0.5]);
        "slot-save-path", Text, "", "directory for saved slots";
        "lookup-cache-static", Text, "", "file of guesses that stays as it is";
        "lookup-cache-dynamic", Text, "", "file of guesses that grows";
        "defrag-thold", Number, "", "share of holes from which the cache is tidied; without effect in newer builds";
    }
    Kernels {
        "flash-attn", OnOff, "auto", "attention without the large intermediate matrix", common(), texts(&["on", "off"]);
        "repack", DefaultOn, "on", "rearrange weights for the CPU at load", common(), both();
        "backend-sampling", Switch, "off", "choose tokens on the device", both();
        "perf", DefaultOff, "off", "measure inner times";
    }
    Speculative {
        "spec-type", Text, "none", "how tokens are guessed ahead", texts(&["none", "ngram-simple"]);
        "spec-default", Switch, "off", "guess ahead with the usual settings";
        "model-draft", Text, "", "model that guesses";
        "hf-repo-draft", Text, "", "hub repository of the model that guesses";
        "spec-draft-n-max", Integer, "3", "most tokens guessed at once", from(0.0), integers(&[3, 8, 16]);
        "spec-draft-n-min", Integer, "0", "fewest tokens guessed at once", from(0.0);
        "draft-p-min", Number, "0", "least probability of a guess", from(0.0), to(1.0), numbers(&[0.0, 0.5, 0.75]);
        "draft-p-split", Number, "0.1", "probability from which on guesses branch", from(0.0), to(1.0);
        "draft-max", Integer, "", "most tokens guessed at once; older builds", from(0.0);
        "draft-min", Integer, "", "fewest tokens guessed at once; older builds", from(0.0);
        "spec-draft-sampling", Choice(&["greedy", "probabilistic"]), "greedy", "how guesses are chosen";
        "spec-draft-backend-sampling", DefaultOn, "on", "choose guesses on the device";
        "spec-synth-len", Number, "", "accepted guesses to pretend; for measuring only", from(1.0);
        "spec-synth-rates", Text, "", "rates of acceptance to pretend; for measuring only";
        "n-gpu-layers-draft", Integer, "auto", "layers of that model kept on GPUs", from(-2.0), or(&["auto", "all"]);
        "device-draft", Text, "as device", "devices for that model";
        "threads-draft", Integer, "as threads", "CPU threads of that model for decoding", from(-1.0);
        "threads-batch-draft", Integer, "as threads-draft", "CPU threads of that model for prompts", from(-1.0);
        "cache-type-k-draft", Choice(CACHE_TYPES), "f16", "type of its cache's keys";
        "cache-type-v-draft", Choice(CACHE_TYPES), "f16", "type of its cache's values";
        "cpu-moe-draft", Switch, "off", "keep its experts in host memory";
        "n-cpu-moe-draft", Integer, "0", "first layers whose experts stay in host memory", from(0.0);
        "override-tensor-draft", Text, "", "where single tensors of it are kept";
        "cpu-mask-draft", Text, "as cpu-mask", "its CPUs, as a mask";
        "cpu-range-draft", Text, "", "its CPUs, as lo-hi";
        "cpu-strict-draft", OneZero, "as cpu-strict", "bind its threads to CPUs";
        "prio-draft", Integer, "0", "priority of its threads", from(0.0), to(3.0);
        "poll-draft", OneZero, "as poll", "wait eagerly for its work";
        "cpu-mask-batch-draft", Text, "as cpu-mask", "its CPUs for prompts, as a mask";
        "cpu-strict-batch-draft", OneZero, "as cpu-strict-draft", "bind its threads of prompts to CPUs";
        "prio-batch-draft", Integer, "0", "priority of its threads of prompts", from(0.0), to(3.0);
        "poll-batch-draft", OneZero, "as poll-draft", "wait eagerly for its prompts";
        "spec-ngram-mod-n-min", Integer, "48", "fewest tokens guessed from text before, mod", from(0.0);
        "spec-ngram-mod-n-max", Integer, "64", "most tokens guessed from text before, mod", from(0.0);
        "spec-ngram-mod-n-match", Integer, "24", "tokens that must match, mod", from(1.0);
        "spec-ngram-simple-size-n", Integer, "12", "tokens that must match, simple", from(1.0);
        "spec-ngram-simple-size-m", Integer, "48", "tokens guessed from text before, simple", from(1.0);
        "spec-ngram-simple-min-hits", Integer, "1", "matches before a guess, simple", from(1.0);
        "spec-ngram-map-k-size-n", Integer, "12", "tokens that must match, map-k", from(1.0);
        "spec-ngram-map-k-size-m", Integer, "48", "tokens guessed from text before, map-k", from(1.0);
        "spec-ngram-map-k-min-hits", Integer, "1", "matches before a guess, map-k", from(1.0);
        "spec-ngram-map-k4v-size-n", Integer, "12", "tokens that must match, map-k4v", from(1.0);
        "spec-ngram-map-k4v-size-m", Integer, "48", "tokens guessed from text before, map-k4v", from(1.0);
        "spec-ngram-map-k4v-min-hits", Integer, "1", "matches before a guess, map-k4v", from(1.0);
    }
    Loading {
        "load-mode", Choice(&["auto", "none", "mmap", "mlock", "mmap+mlock", "dio"]), "auto", "how the model file is read; newer builds", texts(&["auto", "none", "mmap"]);
        "lazy-mode", OnOff, "auto", "read certain tensors when they are needed";
        "mmap", DefaultOn, "on", "map the model file; older builds", both();
        "mlock", Switch, "off", "keep the model in memory; older builds", both();
        "direct-io", DefaultOff, "off", "read the model file past the system's cache; older builds";
        "warmup", DefaultOn, "on", "compute once before the first request";
        "check-tensors", Switch, "off", "look for bad numbers in the weights";
        "override-kv", Text, "", "changes to the model's own data, as KEY=TYPE:VALUE";
        "hf-file", Text, "", "file of the hub's repository";
        "hf-token", Text, "", "key to the hub; better kept in the environment as HF_TOKEN";
        "offline", Switch, "off", "fetch nothing";
        "rope-scaling", Choice(&["none", "linear", "yarn"]), "the model's own", "how positions are stretched";
        "rope-scale", Number, "", "how far the context is stretched";
        "rope-freq-base", Number, "the model's own", "base of rotary positions";
        "rope-freq-scale", Number, "", "inverse of rope-scale";
        "yarn-orig-ctx", Integer, "0", "context that the model was trained with; 0 for its own", from(0.0);
        "yarn-ext-factor", Number, "-1", "how YaRN mixes; 0 for interpolation alone";
        "yarn-attn-factor", Number, "-1", "how YaRN scales attention";
        "yarn-beta-slow", Number, "-1", "YaRN's bound of high dimensions";
        "yarn-beta-fast", Number, "-1", "YaRN's bound of low dimensions";
        "lora", Text, "", "adapters to load, with commas between them";
        "lora-scaled", Text, "", "adapters with their scales, as FILE:SCALE";
        "lora-init-without-apply", Switch, "off", "load adapters without using them";
        "control-vector", Text, "", "control vectors to add";
        "control-vector-scaled", Text, "", "control vectors with their scales";
        "mmproj", Text, "", "file that prepares images";
        "mmproj-url", Text, "", "address of that file";
        "mmproj-auto", DefaultOn, "on", "take that file from the hub's repository";
        "mmproj-offload", DefaultOn, "on", "prepare images on the GPU";
        "mmproj-device", Text, "as device", "device that prepares images";
        "image-min-tokens", Integer, "the model's own", "fewest tokens of an image", from(0.0);
        "image-max-tokens", Integer, "the model's own", "most tokens of an image", from(0.0);
        "mtmd-batch-max-tokens", Integer, "1024", "most tokens of images prepared at once", from(1.0);
        "video-fps", Number, "4", "pictures of a video for each second", above(0.0);
        "video-timestamp-interval", Integer, "5000", "milliseconds between times told in a video", from(0.0);
        "video-ffmpeg-dir", Text, "", "directory of ffmpeg";
        "media-path", Text, "", "directory of images that requests may name";
        "pooling", Choice(&["none", "mean", "cls", "last", "rank"]), "the model's own", "how embeddings are pooled";
        "embd-normalize", Integer, "2", "how embeddings are normalized", from(-1.0);
        "embedding", Switch, "off", "serve embeddings only";
        "rerank", Switch, "off", "serve rankings";
    }
    Serving {
        "metrics", Switch, "off", "serve figures at /metrics";
        "props", Switch, "off", "let properties be changed over HTTP";
        "slots", DefaultOn, "on", "tell of the slots over HTTP";
        "webui", DefaultOn, "on", "serve the web page";
        "ui-config", Text, "", "settings of the web page, as JSON";
        "ui-config-file", Text, "", "file of such settings";
        "timeout", Integer, "3600", "seconds before a silent connection ends", from(1.0);
        "sse-ping-interval", Integer, "30", "seconds between signs of life while streaming; -1 for none", from(-1.0);
        "sleep-idle-seconds", Integer, "-1", "idle seconds before the model is put away; -1 for never", from(-1.0);
        "reuse-port", Switch, "off", "share the port with other programs";
        "path", Text, "", "directory of static files to serve";
        "tags", Text, "", "tags of the model";
        "cors-origins", Text, "*", "origins from which browsers may ask";
        "cors-methods", Text, "", "methods that browsers may use";
        "cors-headers", Text, "*", "headers that browsers may send";
        "cors-credentials", DefaultOn, "on", "let browsers send credentials";
        "jinja", DefaultOn, "on", "use the model's own template engine";
        "chat-template", Text, "the model's own", "template of conversations, or its name";
        "chat-template-file", Text, "the model's own", "file of the template of conversations";
        "chat-template-kwargs", Text, "", "options of the template, as JSON";
        "skip-chat-parsing", DefaultOff, "off", "leave thoughts and calls of tools in the answer";
        "prefill-assistant", DefaultOn, "on", "go on with a last message of the assistant";
        "reasoning", OnOff, "auto", "let the model think";
        "reasoning-format", Choice(&["auto", "none", "deepseek", "deepseek-legacy"]), "auto", "where thoughts are told";
        "reasoning-effort", Text, "default", "how hard the model thinks";
        "reasoning-budget", Integer, "-1", "most tokens of thoughts; -1 for no limit", from(-1.0);
        "reasoning-budget-message", Text, "", "what is said when that is used up";
        "reasoning-preserve", DefaultOn, "on", "keep thoughts of earlier messages";
        "special", Switch, "off", "tell special tokens";
        "spm-infill", Switch, "off", "put what follows a gap first";
        "reverse-prompt", Text, "", "text at which an answer ends";
        "escape", DefaultOn, "on", "read backslashes as escapes";
        "log-disable", Switch, "off", "log nothing";
        "log-file", Text, "", "file to log to";
        "log-jsonl", DefaultOff, "off", "log as JSON";
        "log-colors", OnOff, "auto", "log in colour";
        "log-prefix", Toggle, "", "begin lines of the log with where they are from";
        "log-timestamps", Toggle, "", "begin lines of the log with the time";
        "log-prompts-dir", Text, "", "directory to write prompts to";
        "verbose", Switch, "off", "log everything";
        "verbosity", Integer, "3", "how much is logged", from(0.0), to(5.0);
        "seed", Integer, "-1", "seed of sampling; -1 for random", from(-1.0);
        "samplers", Text, "", "steps of sampling, with semicolons between them";
        "sampler-seq", Text, "", "steps of sampling, as letters";
        "ignore-eos", Switch, "off", "never let the model end an answer";
        "temperature", Number, "0.8", "usual temperature", from(0.0);
        "top-k", Integer, "40", "usual top-k; 0 for off", from(0.0);
        "top-p", Number, "0.95", "usual top-p; 1 for off", from(0.0), to(1.0);
        "min-p", Number, "0.05", "usual min-p; 0 for off", from(0.0), to(1.0);
        "top-n-sigma", Number, "-1", "usual top-n-sigma; -1 for off";
        "xtc-probability", Number, "0", "usual probability of XTC; 0 for off", from(0.0);
        "xtc-threshold", Number, "0.1", "usual threshold of XTC", from(0.0);
        "typical-p", Number, "1", "usual typical-p; 1 for off", from(0.0), to(1.0);
        "repeat-last-n", Integer, "64", "tokens looked at for repetitions; 0 for none", from(-1.0);
        "repeat-penalty", Number, "1", "usual penalty of repetitions; 1 for off";
        "presence-penalty", Number, "0", "usual penalty of tokens that occurred";
        "frequency-penalty", Number, "0", "usual penalty of tokens by how often they occurred";
        "dry-multiplier", Number, "0", "usual strength of DRY; 0 for off";
        "dry-base", Number, "1.75", "usual base of DRY";
        "dry-allowed-length", Integer, "2", "repetition that DRY allows", from(0.0);
        "dry-penalty-last-n", Integer, "64", "tokens that DRY looks at; 0 for none", from(-1.0);
        "dry-sequence-breaker", Text, "", "text at which DRY begins anew";
        "adaptive-target", Number, "-1", "usual target of adaptive-p; negative for off", to(1.0);
        "adaptive-decay", Number, "0.9", "how slowly adaptive-p adapts", from(0.0), to(0.99);
        "dynatemp-range", Number, "0", "range of a changing temperature; 0 for off", from(0.0);
        "dynatemp-exp", Number, "1", "exponent of a changing temperature";
        "mirostat", Integer, "0", "Mirostat's version; 0 for off", from(0.0), to(2.0);
        "mirostat-lr", Number, "0.1", "Mirostat's rate of learning";
        "mirostat-ent", Number, "5", "Mirostat's target";
        "logit-bias", Text, "", "changes to tokens' probabilities, as ID+BIAS";
        "grammar", Text, "", "form of all answers";
        "grammar-file", Text, "", "file of the form of all answers";
        "json-schema", Text, "", "JSON schema of all answers";
        "json-schema-file", Text, "", "file of the JSON schema of all answers";
    }
};
