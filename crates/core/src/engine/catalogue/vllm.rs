//! vLLM's flags, as `vllm serve` of release 0.10 declares them, with some of later releases.
//!
//! Its configuration switches know `--x` and `--no-x`; those whose default depends on model
//! or release are said either way. A few of the server's own are plain switches.

use super::FlagKind::*;
use super::{FlagInfo, catalogue};

const QUANTIZATIONS: &[&str] = &[
    "awq",
    "awq_marlin",
    "fp8",
    "fbgemm_fp8",
    "ptpc_fp8",
    "gptq",
    "gptq_marlin",
    "gptq_marlin_24",
    "gptq_bitblas",
    "marlin",
    "bitblas",
    "bitsandbytes",
    "compressed-tensors",
    "experts_int8",
    "gguf",
    "hqq",
    "inc",
    "ipex",
    "auto-round",
    "modelopt",
    "modelopt_fp4",
    "moe_wna16",
    "mxfp4",
    "petit_nvfp4",
    "quark",
    "qqq",
    "rtn",
    "torchao",
    "tpu_int8",
    "deepspeedfp",
    "neuron_quant",
];

const LOAD_FORMATS: &[&str] = &[
    "auto",
    "pt",
    "safetensors",
    "npcache",
    "dummy",
    "tensorizer",
    "sharded_state",
    "gguf",
    "bitsandbytes",
    "mistral",
    "runai_streamer",
    "runai_streamer_sharded",
    "fastsafetensors",
];

pub(in crate::engine) const CATALOGUE: &[FlagInfo] = catalogue! {
    Memory {
        "gpu-memory-utilization", Number, "0.9", "share of each GPU's memory that the engine takes", above(0.0), to(1.0), usually(0.3, 0.98), common(), numbers(&[0.85, 0.9, 0.95]);
        "max-model-len", Integer, "the model's own", "longest prompt and answer together, in tokens", suffixed(), from(-1.0), or(&["auto"]), common(), integers(&[4096, 8192, 16384]);
        "cpu-offload-gb", Number, "0", "weights kept in host memory for each GPU, in GiB", from(0.0), common(), integers(&[0, 4, 8]);
        "swap-space", Number, "4", "host memory for swapped-out caches for each GPU, in GiB; without effect in the V1 engine", from(0.0), common(), integers(&[4, 8]);
        "num-gpu-blocks-override", Integer, "measured", "blocks of the key/value cache, instead of measuring", from(0.0);
        "kv-cache-memory-bytes", Integer, "", "size of the key/value cache on each GPU; newer releases", suffixed(), above(0.0);
        "enable-sleep-mode", DefaultOff, "off", "let the engine give memory back on demand";
    }
    Batching {
        "max-num-seqs", Integer, "", "most requests computed at once", from(1.0), common(), integers(&[64, 128, 256]);
        "max-num-batched-tokens", Integer, "", "most tokens computed in one step", suffixed(), from(1.0), common(), integers(&[2048, 4096, 8192, 16384]);
        "enable-chunked-prefill", Toggle, "on for most models", "mix parts of long prompts with decoding", common(), both();
        "max-num-partial-prefills", Integer, "1", "prompts computed in parts at the same time", from(1.0), common(), integers(&[1, 2, 4]);
        "max-long-partial-prefills", Integer, "1", "long prompts computed in parts at the same time", from(1.0), common(), integers(&[1, 2]);
        "long-prefill-token-threshold", Integer, "0", "tokens from which on a prompt is long", from(0.0), common(), integers(&[0, 1024, 2048]);
        "scheduling-policy", Choice(&["fcfs", "priority"]), "fcfs", "which waiting request goes next", common(), texts(&["fcfs", "priority"]);
        "async-scheduling", Toggle, "", "plan the next step while the GPU computes this one", common(), both();
        "scheduler-delay-factor", Number, "0", "wait this times the last prompt's time before the next; older releases", from(0.0), common(), numbers(&[0.0, 0.5]);
        "preemption-mode", Choice(&["recompute", "swap"]), "", "what becomes of requests that are put off; older releases", common(), texts(&["recompute", "swap"]);
        "num-scheduler-steps", Integer, "1", "steps computed for each plan; older releases", from(1.0), common(), integers(&[1, 8]);
        "multi-step-stream-outputs", DefaultOn, "on", "send tokens after every step of several; older releases", common(), both();
        "num-lookahead-slots", Integer, "0", "slots kept for guessed tokens; older releases", from(0.0);
        "disable-chunked-mm-input", DefaultOff, "off", "do not compute an image or sound in parts";
        "disable-async-output-proc", Switch, "off", "turn tokens into text in step with computing; older releases";
        "stream-interval", Integer, "1", "tokens sent at once; newer releases", from(1.0), integers(&[1, 4, 10]);
        "scheduler-cls", Text, "", "import path of another scheduler";
    }
    Parallel {
        "tensor-parallel-size", Integer, "1", "GPUs that share every layer", from(1.0), common(), integers(&[1, 2, 4]);
        "pipeline-parallel-size", Integer, "1", "groups of GPUs that share the layers in turn", from(1.0), common(), integers(&[1, 2]);
        "data-parallel-size", Integer, "1", "copies of the model, each with its own GPUs", from(1.0), common(), integers(&[1, 2]);
        "data-parallel-size-local", Integer, "", "copies on this machine", from(0.0);
        "data-parallel-rank", Integer, "", "number of this copy among several servers", from(0.0);
        "data-parallel-start-rank", Integer, "", "number of this machine's first copy", from(0.0);
        "data-parallel-address", Text, "", "address of the machine that leads the copies";
        "data-parallel-rpc-port", Integer, "", "port on which copies talk to each other", from(1.0), to(65535.0);
        "data-parallel-backend", Choice(&["mp", "ray"]), "mp", "what starts the copies", common(), texts(&["mp", "ray"]);
        "data-parallel-hybrid-lb", DefaultOff, "off", "balance among this machine's copies only", common(), both();
        "prefill-context-parallel-size", Integer, "1", "GPUs that share the prompt of one request; newer releases", from(1.0);
        "decode-context-parallel-size", Integer, "1", "GPUs of a tensor group that share a request's context; newer releases", from(1.0);
        "enable-expert-parallel", DefaultOff, "off", "spread a mixture's experts instead of splitting each", common(), both();
        "enable-eplb", DefaultOff, "off", "move experts where the load is", common(), both();
        "num-redundant-experts", Integer, "0", "experts held twice", from(0.0), common(), integers(&[0, 2, 4]);
        "eplb-window-size", Integer, "1000", "steps over which the load of experts is counted", from(1.0);
        "eplb-step-interval", Integer, "3000", "steps between two moves of experts", from(1.0);
        "eplb-log-balancedness", DefaultOff, "off", "log how evenly experts are loaded";
        "enable-dbo", DefaultOff, "off", "overlap two half batches of a mixture of experts; newer releases";
        "distributed-executor-backend", Choice(&["ray", "mp", "uni", "external_launcher"]), "", "what starts the workers", common(), texts(&["mp", "ray"]);
        "disable-custom-all-reduce", DefaultOff, "off", "sum across GPUs with NCCL alone", common(), both();
        "enable-multimodal-encoder-data-parallel", DefaultOff, "off", "split the encoder of images by requests, not by layers";
        "api-server-count", Integer, "1", "processes that speak HTTP", from(0.0), integers(&[1, 2, 4]);
        "ray-workers-use-nsight", DefaultOff, "off", "profile workers with Nsight";
        "worker-cls", Text, "auto", "import path of another worker";
        "worker-extension-cls", Text, "", "import path of what a worker gains";
        "headless", Switch, "off", "compute only, without the API; then it is never ready";
        "disable-frontend-multiprocessing", DefaultOff, "off", "serve HTTP in the process that computes";
    }
    Cache {
        "enable-prefix-caching", Toggle, "on for most models", "reuse the computed beginning of prompts", common(), both();
        "block-size", Choice(&["1", "8", "16", "32", "64", "128", "256"]), "16 on most GPUs", "tokens in one block of the key/value cache", common(), integers(&[16, 32]);
        "kv-cache-dtype", Choice(&["auto", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "fp8_inc", "fp8_ds_mla"]), "auto", "type of the key/value cache", common(), texts(&["auto", "fp8"]);
        "calculate-kv-scales", DefaultOff, "off", "measure the scales of an fp8 cache while running", common(), both();
        "prefix-caching-hash-algo", Choice(&["builtin", "sha256", "sha256_cbor_64bit", "sha256_cbor", "xxhash", "xxhash_cbor"]), "", "how beginnings of prompts are told apart", common(), texts(&["builtin", "sha256"]);
        "disable-hybrid-kv-cache-manager", Toggle, "off for most models", "keep as much cache for layers with a window as for the others", common(), both();
        "disable-sliding-window", DefaultOff, "off", "shorten the context to the window instead of sliding it", common(), both();
        "kv-sharing-fast-prefill", DefaultOff, "off", "skip prompt work in layers that share a cache; newer releases";
        "kv-transfer-config", Text, "", "how caches move between servers, as JSON";
        "kv-events-config", Text, "", "where events of the cache are sent, as JSON";
        "disable-mm-preprocessor-cache", DefaultOff, "off", "do not keep prepared images; older releases";
        "mm-processor-cache-gb", Number, "4", "memory for prepared images, in GiB; newer releases", from(0.0);
    }
    Kernels {
        "enforce-eager", DefaultOff, "off", "compute without captured CUDA graphs", common(), both();
        "cuda-graph-sizes", List, "", "batch sizes for which CUDA graphs are captured; to release 0.10", common(), integers(&[256, 512]);
        "cudagraph-capture-sizes", List, "", "batch sizes for which CUDA graphs are captured; newer releases";
        "max-cudagraph-capture-size", Integer, "", "largest batch for which a CUDA graph is captured; newer releases", from(0.0), integers(&[256, 512]);
        "max-seq-len-to-capture", Integer, "8192", "longest context that CUDA graphs cover; older releases", from(1.0), common(), integers(&[8192, 16384]);
        "disable-cascade-attn", Toggle, "", "compute shared beginnings of a batch once for each request", common(), both();
        "compilation-config", Text, "", "how the model is compiled: a level, or JSON";
        "optimization-level", Integer, "", "how much is optimized at start; newer releases", from(0.0), to(3.0);
        "override-attention-dtype", Text, "", "type in which attention computes";
        "attention-backend", Text, "", "which attention kernels are used; newer releases";
        "device", Choice(&["auto", "cuda", "neuron", "cpu", "tpu", "xpu", "hpu"]), "auto", "kind of device; older releases";
        "model-impl", Choice(&["auto", "vllm", "transformers", "terratorch"]), "auto", "whose code of the model is run";
        "additional-config", Text, "", "options of the platform, as JSON";
        "override-neuron-config", Text, "", "options of AWS Neuron, as JSON";
    }
    Speculative {
        "speculative-config", Text, "off", "how tokens are guessed ahead, as JSON", common(), texts(&["{\"method\":\"ngram\",\"num_speculative_tokens\":4,\"prompt_lookup_max\":4}"]);
    }
    Quantization {
        "quantization", Choice(QUANTIZATIONS), "the model's own", "how the weights are quantized", common(), texts(&["fp8"]);
        "dtype", Choice(&["auto", "half", "float16", "bfloat16", "float", "float32"]), "auto", "type of weights and activations", common(), texts(&["auto", "bfloat16"]);
    }
    Loading {
        "trust-remote-code", DefaultOff, "off", "run code that comes with the model";
        "load-format", Choice(LOAD_FORMATS), "auto", "how the weights are read", common(), texts(&["auto", "safetensors"]);
        "max-parallel-loading-workers", Integer, "", "workers that load at the same time; older releases", from(1.0);
        "download-dir", Text, "", "where models from the hub are kept";
        "model-loader-extra-config", Text, "", "options of the loader, as JSON";
        "ignore-patterns", List, "", "files of the model that are not fetched";
        "pt-load-map-location", Text, "cpu", "device on which PyTorch checkpoints are read";
        "use-tqdm-on-load", DefaultOn, "on", "show a bar while loading";
        "safetensors-load-strategy", Text, "lazy", "how safetensors files are read; newer releases";
        "revision", Text, "", "branch, tag or commit of the model on the hub";
        "code-revision", Text, "", "branch, tag or commit of the model's code on the hub";
        "tokenizer", Text, "the model's own", "name or path of the tokenizer";
        "tokenizer-revision", Text, "", "branch, tag or commit of the tokenizer on the hub";
        "tokenizer-mode", Choice(&["auto", "slow", "mistral", "custom", "hf"]), "auto", "which tokenizer is used";
        "skip-tokenizer-init", DefaultOff, "off", "do without a tokenizer";
        "hf-token", Text, "", "key to the hub; better kept in the environment as HF_TOKEN";
        "hf-config-path", Text, "", "another place of the model's configuration";
        "hf-overrides", Text, "", "changes to the model's configuration, as JSON";
        "config-format", Choice(&["auto", "hf", "mistral"]), "auto", "format of the model's configuration";
        "config", Text, "", "file of further options, on the engine's machine";
        "rope-scaling", Text, "", "how positions are stretched, as JSON";
        "rope-theta", Number, "", "base of rotary positions";
        "seed", Integer, "", "seed of sampling";
        "task", Choice(&["auto", "generate", "embedding", "embed", "classify", "score", "reward", "transcription", "draft"]), "auto", "what the model is used for; older releases";
        "runner", Choice(&["auto", "generate", "pooling", "draft"]), "auto", "what the model is used for; newer releases";
        "convert", Choice(&["auto", "none", "embed", "classify", "reward"]), "auto", "what the model is turned into; newer releases";
    }
    Serving {
        "enable-lora", DefaultOff, "off", "serve adapters beside the model", common(), both();
        "enable-lora-bias", DefaultOff, "off", "let adapters have biases; older releases", common(), both();
        "max-loras", Integer, "1", "adapters in one batch", from(1.0), common(), integers(&[1, 4, 8]);
        "max-lora-rank", Choice(&["1", "8", "16", "32", "64", "128", "256", "320", "512"]), "16", "largest rank of an adapter", common(), integers(&[16, 32, 64]);
        "max-cpu-loras", Integer, "as max-loras", "adapters kept in host memory", from(1.0);
        "fully-sharded-loras", DefaultOff, "off", "split adapters over GPUs in full", common(), both();
        "lora-dtype", Text, "auto", "type of adapters";
        "lora-extra-vocab-size", Choice(&["0", "256", "512"]), "256", "tokens that adapters may add; older releases";
        "lora-modules", List, "", "adapters to serve, as name=path";
        "default-mm-loras", Text, "", "adapters for images or sound, as JSON";
        "guided-decoding-backend", Choice(&["auto", "xgrammar", "guidance", "outlines", "lm-format-enforcer"]), "auto", "what holds answers to a form; older releases", common(), texts(&["auto", "xgrammar", "guidance"]);
        "guided-decoding-disable-fallback", DefaultOff, "off", "never use another of these programs; older releases";
        "guided-decoding-disable-any-whitespace", DefaultOff, "off", "no free blanks in JSON; older releases";
        "guided-decoding-disable-additional-properties", DefaultOff, "off", "no keys beyond the schema; older releases";
        "structured-outputs-config", Text, "", "what holds answers to a form, as JSON; newer releases";
        "logits-processor-pattern", Text, "", "which processors of probabilities requests may name";
        "logits-processors", List, "", "import paths of processors of probabilities; newer releases";
        "max-logprobs", Integer, "20", "most probabilities told for a token", from(-1.0);
        "logprobs-mode", Choice(&["raw_logprobs", "processed_logprobs", "raw_logits", "processed_logits"]), "raw_logprobs", "which probabilities are told";
        "generation-config", Text, "auto", "where defaults of sampling come from";
        "override-generation-config", Text, "", "defaults of sampling, as JSON";
        "override-pooler-config", Text, "", "how embeddings are pooled, as JSON";
        "reasoning-parser", Text, "", "how thoughts are told from answers";
        "tool-call-parser", Text, "", "how calls of tools are read from answers";
        "tool-parser-plugin", Text, "", "file with another reader of calls of tools";
        "enable-auto-tool-choice", DefaultOff, "off", "let the model call tools";
        "chat-template", Text, "the model's own", "template of conversations, or a file of it";
        "chat-template-content-format", Choice(&["auto", "string", "openai"]), "auto", "how the template gets a message's parts";
        "response-role", Text, "assistant", "role of answers";
        "return-tokens-as-token-ids", DefaultOff, "off", "tell tokens by number";
        "enable-prompt-embeds", DefaultOff, "off", "take prompts as embeddings";
        "enable-prompt-tokens-details", DefaultOff, "off", "tell how much of a prompt was reused";
        "enable-force-include-usage", DefaultOff, "off", "tell the usage of every request";
        "enable-request-id-headers", DefaultOff, "off", "send each request's id back";
        "enable-server-load-tracking", DefaultOff, "off", "count requests in work";
        "enable-tokenizer-info-endpoint", DefaultOff, "off", "tell of the tokenizer over HTTP";
        "enable-prompt-adapter", Switch, "off", "without effect; older releases";
        "limit-mm-per-prompt", Text, "", "most images and sounds in a prompt, as JSON";
        "media-io-kwargs", Text, "", "options for reading images and sound, as JSON";
        "mm-processor-kwargs", Text, "", "options for preparing images and sound, as JSON";
        "interleave-mm-strings", DefaultOff, "off", "let images stand within the text";
        "allowed-local-media-path", Text, "", "directory from which requests may read files";
        "allow-credentials", DefaultOff, "off", "let browsers send credentials";
        "allowed-origins", Text, "", "origins from which browsers may ask, as JSON";
        "allowed-methods", Text, "", "methods that browsers may use, as JSON";
        "allowed-headers", Text, "", "headers that browsers may send, as JSON";
        "middleware", Text, "", "import path of a part between server and requests";
        "root-path", Text, "", "path under which a proxy serves the engine";
        "ssl-ca-certs", Text, "", "certificates that are trusted";
        "ssl-cert-reqs", Integer, "0", "whether clients need a certificate", from(0.0), to(2.0);
        "enable-ssl-refresh", DefaultOff, "off", "read certificates anew when they change";
        "disable-fastapi-docs", DefaultOff, "off", "serve no page of the API";
        "disable-log-requests", Switch, "off", "do not log requests; older releases";
        "enable-log-requests", DefaultOff, "off", "log requests; newer releases";
        "disable-log-stats", Switch, "off", "do not log figures";
        "disable-uvicorn-access-log", DefaultOff, "off", "do not log HTTP requests";
        "uvicorn-log-level", Choice(&["critical", "error", "warning", "info", "debug", "trace"]), "info", "how much the HTTP server logs";
        "log-config-file", Text, "", "file that configures logging";
        "max-log-len", Integer, "no limit", "most characters of a prompt that are logged", from(0.0);
        "show-hidden-metrics-for-version", Text, "", "release whose hidden figures are shown again";
        "otlp-traces-endpoint", Text, "", "address to which traces are sent";
        "collect-detailed-traces", Text, "", "parts that are traced in detail";
    }
};
