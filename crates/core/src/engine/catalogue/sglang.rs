//! SGLang's flags, as its server of release 0.5 declares them.
//!
//! Its switches have no negation; what is on by default has a flag `disable-x`.

use super::FlagKind::*;
use super::{FlagInfo, catalogue};

const ATTENTION: &[&str] = &[
    "triton",
    "torch_native",
    "flex_attention",
    "nsa",
    "cutlass_mla",
    "fa3",
    "fa4",
    "flashinfer",
    "flashmla",
    "trtllm_mla",
    "trtllm_mha",
    "dual_chunk_flash_attn",
    "hybrid_linear_attn",
    "aiter",
    "wave",
    "intel_amx",
    "ascend",
];

const QUANTIZATIONS: &[&str] = &[
    "awq",
    "awq_marlin",
    "fp8",
    "gptq",
    "gptq_marlin",
    "marlin",
    "bitsandbytes",
    "gguf",
    "modelopt",
    "modelopt_fp8",
    "modelopt_fp4",
    "petit_nvfp4",
    "w8a8_int8",
    "w8a8_fp8",
    "moe_wna16",
    "qoq",
    "w4afp8",
    "mxfp4",
    "compressed-tensors",
    "auto-round",
    "quark",
];

const LOAD_FORMATS: &[&str] = &[
    "auto",
    "pt",
    "safetensors",
    "npcache",
    "dummy",
    "sharded_state",
    "gguf",
    "bitsandbytes",
    "layered",
    "remote",
    "remote_instance",
    "mistral",
];

const MIXTURES: &[&str] = &[
    "auto",
    "deep_gemm",
    "triton",
    "triton_kernel",
    "flashinfer_trtllm",
    "flashinfer_cutlass",
    "flashinfer_mxfp4",
    "flashinfer_cutedsl",
    "cutlass",
];

pub(in crate::engine) const CATALOGUE: &[FlagInfo] = catalogue! {
    Memory {
        "mem-fraction-static", Number, "", "share of GPU memory for weights and key/value cache", above(0.0), below(1.0), usually(0.3, 0.97), common(), numbers(&[0.85, 0.88, 0.92]);
        "context-length", Integer, "the model's own", "longest prompt and answer together, in tokens", from(1.0), common(), integers(&[4096, 8192, 16384]);
        "max-total-tokens", Integer, "measured", "tokens in the key/value cache, instead of measuring", from(1.0), common(), integers(&[65536, 131072]);
        "hybrid-kvcache-ratio", Number, "", "from one cache for all layers, 0, to one for each kind of layer, 1; older releases", from(0.0), to(1.0), common(), numbers(&[0.0, 0.5, 1.0]);
        "swa-full-tokens-ratio", Number, "0.8", "tokens cached in layers with a window for each token of the others", from(0.0), to(1.0);
        "disable-hybrid-swa-memory", Switch, "off", "keep as much cache for layers with a window as for the others";
        "cpu-offload-gb", Integer, "0", "weights kept in host memory, in GiB", from(0.0), common(), integers(&[0, 4, 8]);
        "offload-group-size", Integer, "-1", "layers in one group of offloading; -1 for none", from(-1.0);
        "offload-num-in-group", Integer, "1", "layers of a group that are offloaded", from(0.0);
        "offload-prefetch-step", Integer, "1", "steps ahead in which offloaded layers are fetched", from(0.0);
        "offload-mode", Text, "cpu", "where offloaded layers are kept";
        "enable-memory-saver", Switch, "off", "let the engine give memory back on demand";
        "max-mamba-cache-size", Integer, "", "requests whose Mamba states are kept", from(1.0);
        "mamba-full-memory-ratio", Number, "", "memory for Mamba states relative to the key/value cache; newer releases", above(0.0);
        "num-reserved-decode-tokens", Integer, "512", "tokens of memory kept for a request that joins to be decoded", from(0.0);
    }
    Batching {
        "max-running-requests", Integer, "", "most requests computed at once", from(1.0), common(), integers(&[64, 128, 256]);
        "max-queued-requests", Integer, "no limit", "most requests that wait", from(1.0), common(), integers(&[256, 1024]);
        "max-prefill-tokens", Integer, "16384", "most prompt tokens computed in one step", from(1.0), common(), integers(&[8192, 16384, 32768]);
        "chunked-prefill-size", Integer, "", "most tokens of a prompt computed at once; -1 for all", from(-1.0), common(), integers(&[2048, 4096, 8192]);
        "enable-mixed-chunk", Switch, "off", "mix parts of long prompts with decoding", common(), both();
        "schedule-policy", Choice(&["lpm", "random", "fcfs", "dfs-weight", "lof", "priority"]), "fcfs", "which waiting request goes next", common(), texts(&["fcfs", "lpm"]);
        "schedule-conservativeness", Number, "1.0", "how carefully new requests are let in", from(0.0), usually(0.1, 3.0), common(), numbers(&[0.8, 1.0]);
        "disable-overlap-schedule", Switch, "off", "do not plan while the GPU computes", common(), both();
        "num-continuous-decode-steps", Integer, "1", "steps of decoding without looking for new requests", from(1.0), integers(&[1, 2, 4]);
        "stream-interval", Integer, "1", "tokens sent at once", from(1.0), integers(&[1, 4]);
        "scheduler-recv-interval", Integer, "1", "steps between two looks for new requests", from(1.0);
        "enable-priority-scheduling", Switch, "off", "heed priorities of requests; newer releases";
        "max-micro-batch-size", Integer, "", "requests in one part of a batch that goes through the groups of GPUs", from(1.0), common(), integers(&[8, 16, 32]);
        "pp-max-micro-batch-size", Integer, "", "newer name of max-micro-batch-size", from(1.0), integers(&[8, 16, 32]);
        "enable-two-batch-overlap", Switch, "off", "compute one half batch while the other communicates", common(), both();
        "enable-single-batch-overlap", Switch, "off", "overlap computing and communicating within a batch; newer releases";
        "tbo-token-distribution-threshold", Number, "0.48", "how evenly a batch must be cut for its halves to overlap", from(0.0), to(0.5);
        "enable-tokenizer-batch-encode", Switch, "off", "turn several prompts into tokens together";
        "tokenizer-worker-num", Integer, "1", "processes that turn prompts into tokens", from(1.0), integers(&[1, 2, 4]);
        "enable-pdmux", Switch, "off", "compute prompts and answers on parts of one GPU";
        "sm-group-num", Integer, "8", "parts of the GPU for enable-pdmux", from(1.0);
        "prefill-round-robin-balance", Switch, "off", "send prompts to the copies in turn";
        "load-balance-method", Choice(&["round_robin", "shortest_queue", "minimum_tokens"]), "round_robin", "which copy gets a request";
    }
    Parallel {
        "tp-size", Integer, "1", "GPUs that share every layer", from(1.0), common(), integers(&[1, 2, 4]);
        "pp-size", Integer, "1", "groups of GPUs that share the layers in turn", from(1.0), common(), integers(&[1, 2]);
        "dp-size", Integer, "1", "copies of the model, each with its own GPUs", from(1.0), common(), integers(&[1, 2]);
        "ep-size", Integer, "1", "GPUs over which a mixture's experts are spread", from(1.0), common(), integers(&[1, 2, 4]);
        "enable-dp-attention", Switch, "off", "split attention by requests, all else as tp-size says", both();
        "enable-dp-lm-head", Switch, "off", "keep the last layer within each copy of attention";
        "moe-dense-tp-size", Integer, "", "GPUs that share the layers without experts", from(1.0);
        "enable-ep-moe", Switch, "off", "spread experts over GPUs; older releases", common(), both();
        "enable-deepep-moe", Switch, "off", "spread experts with DeepEP; older releases", common(), both();
        "moe-a2a-backend", Choice(&["none", "deepep", "mooncake", "ascend_fuseep"]), "none", "how tokens travel between experts", texts(&["none", "deepep"]);
        "deepep-mode", Choice(&["normal", "low_latency", "auto"]), "auto", "which kernels of DeepEP are used";
        "deepep-config", Text, "", "options of DeepEP, as JSON or a file";
        "ep-num-redundant-experts", Integer, "0", "experts held twice", from(0.0);
        "ep-dispatch-algorithm", Choice(&["static", "dynamic", "fake"]), "", "which of two equal experts gets a token";
        "init-expert-location", Text, "trivial", "where experts are at the start";
        "enable-eplb", Switch, "off", "move experts where the load is", both();
        "eplb-algorithm", Text, "auto", "how experts are moved";
        "eplb-rebalance-num-iterations", Integer, "1000", "steps between two moves of experts", from(1.0);
        "eplb-rebalance-layers-per-chunk", Integer, "all", "layers whose experts are moved in one step", from(1.0);
        "eplb-min-rebalancing-utilization-threshold", Number, "1.0", "use of GPUs below which experts are moved", from(0.0), to(1.0);
        "expert-distribution-recorder-mode", Choice(&["stat", "stat_approx", "per_pass", "per_token"]), "", "how the load of experts is recorded";
        "expert-distribution-recorder-buffer-size", Integer, "", "steps whose load of experts is kept; -1 for all", from(-1.0);
        "enable-expert-distribution-metrics", Switch, "off", "log how evenly experts are loaded";
        "disable-custom-all-reduce", Switch, "off", "sum across GPUs with NCCL alone", common(), both();
        "enable-mscclpp", Switch, "off", "sum small messages with MSCCL++";
        "enable-nccl-nvls", Switch, "off", "let the switch between GPUs sum";
        "enable-symm-mem", Switch, "off", "communicate over symmetric memory";
        "enable-p2p-check", Switch, "off", "test whether GPUs reach each other's memory";
        "nnodes", Integer, "1", "machines that share the model", from(1.0);
        "node-rank", Integer, "0", "number of this machine", from(0.0);
        "dist-init-addr", Text, "", "address of the machine that leads";
        "dist-timeout", Integer, "", "seconds to wait for other workers at the start", from(1.0);
        "nccl-port", Integer, "a free one", "port on which workers meet", from(1.0), to(65535.0);
        "base-gpu-id", Integer, "0", "number of the first GPU", from(0.0);
        "gpu-id-step", Integer, "1", "distance between the numbers of two GPUs", from(1.0);
        "numa-node", List, "", "memory node of each worker";
        "disaggregation-mode", Choice(&["null", "prefill", "decode"]), "null", "compute prompts and answers on different servers";
        "disaggregation-transfer-backend", Choice(&["mooncake", "nixl", "ascend", "fake"]), "mooncake", "how caches travel between servers";
        "disaggregation-bootstrap-port", Integer, "8998", "port on which such servers meet", from(1.0), to(65535.0);
        "disaggregation-decode-tp", Integer, "", "tp-size of the server of answers", from(1.0);
        "disaggregation-decode-dp", Integer, "", "dp-size of the server of answers", from(1.0);
        "disaggregation-prefill-pp", Integer, "1", "pp-size of the server of prompts", from(1.0);
        "disaggregation-ib-device", Text, "", "InfiniBand devices between such servers";
    }
    Cache {
        "disable-radix-cache", Switch, "off", "do not reuse the computed beginning of prompts", common(), both();
        "radix-eviction-policy", Choice(&["lru", "lfu", "slru", "priority"]), "lru", "which kept beginnings go first; newer releases", texts(&["lru", "lfu"]);
        "page-size", Integer, "1", "tokens in one page of the key/value cache", from(1.0), common(), integers(&[1, 16, 64]);
        "kv-cache-dtype", Choice(&["auto", "fp8_e5m2", "fp8_e4m3", "bf16", "bfloat16", "fp4_e2m1"]), "auto", "type of the key/value cache", common(), texts(&["auto", "fp8_e5m2"]);
        "disable-chunked-prefix-cache", Switch, "off", "read a reused beginning at once; DeepSeek models";
        "enable-hierarchical-cache", Switch, "off", "keep caches in host memory too", common(), both();
        "hicache-ratio", Number, "2.0", "cache in host memory relative to that on the GPU", above(0.0), common(), numbers(&[2.0, 4.0]);
        "hicache-size", Integer, "0", "cache in host memory, in GB, instead of hicache-ratio", from(0.0);
        "hicache-write-policy", Choice(&["write_back", "write_through", "write_through_selective"]), "", "when caches are written to host memory";
        "hicache-io-backend", Choice(&["direct", "kernel", "kernel_ascend"]), "kernel", "what copies caches";
        "hicache-mem-layout", Choice(&["layer_first", "page_first", "page_first_direct", "page_first_kv_split"]), "layer_first", "how caches lie in host memory";
        "hicache-storage-backend", Choice(&["file", "mooncake", "hf3fs", "nixl", "aibrix", "dynamic", "eic"]), "none", "where caches are kept beyond host memory";
        "hicache-storage-prefetch-policy", Choice(&["best_effort", "wait_complete", "timeout"]), "best_effort", "how long to wait for stored caches";
        "hicache-storage-backend-extra-config", Text, "", "options of that storage, as JSON";
        "enable-lmcache", Switch, "off", "keep caches with LMCache";
        "kv-events-config", Text, "", "where events of the cache are sent, as JSON";
    }
    Kernels {
        "attention-backend", Choice(ATTENTION), "", "which attention kernels are used", common(), texts(&["flashinfer", "triton", "fa3"]);
        "prefill-attention-backend", Choice(ATTENTION), "", "the same for prompts", common(), texts(&["flashinfer", "fa3"]);
        "decode-attention-backend", Choice(ATTENTION), "", "the same for answers", common(), texts(&["flashinfer", "triton"]);
        "mm-attention-backend", Choice(&["sdpa", "fa3", "triton_attn", "ascend_attn", "aiter_attn"]), "", "the same for images";
        "sampling-backend", Choice(&["flashinfer", "pytorch", "ascend"]), "", "which sampling kernels are used", common(), texts(&["flashinfer", "pytorch"]);
        "grammar-backend", Choice(&["xgrammar", "outlines", "llguidance", "none"]), "", "what holds answers to a form", common(), texts(&["xgrammar", "llguidance"]);
        "moe-runner-backend", Choice(MIXTURES), "auto", "which kernels of experts are used", common(), texts(&["auto", "triton"]);
        "cuda-graph-max-bs", Integer, "", "largest batch for which a CUDA graph is captured", from(1.0), common(), integers(&[128, 256]);
        "cuda-graph-bs", List, "", "batch sizes for which CUDA graphs are captured", common(), texts(&["1 2 4 8 16 32 64"]);
        "disable-cuda-graph", Switch, "off", "compute without captured CUDA graphs", common(), both();
        "disable-cuda-graph-padding", Switch, "off", "use CUDA graphs for exact batch sizes only", common(), both();
        "enable-profile-cuda-graph", Switch, "off", "measure the capture of CUDA graphs";
        "enable-cudagraph-gc", Switch, "off", "collect garbage while CUDA graphs are captured";
        "enable-torch-compile", Switch, "off", "compile the model; starts much later", common(), both();
        "torch-compile-max-bs", Integer, "32", "largest batch that is compiled for", from(1.0);
        "enable-flashinfer-allreduce-fusion", Switch, "off", "sum across GPUs and normalize in one";
        "enable-flashinfer-cutlass-moe", Switch, "off", "experts with FlashInfer's CUTLASS kernels; older releases", common(), both();
        "enable-flashinfer-trtllm-moe", Switch, "off", "experts with FlashInfer's TensorRT-LLM kernels; older releases";
        "enable-flashinfer-mxfp4-moe", Switch, "off", "experts in MXFP4 with FlashInfer; older releases";
        "enable-triton-kernel-moe", Switch, "off", "experts with Triton's own kernels; older releases";
        "flashinfer-mxfp4-moe-precision", Choice(&["default", "bf16", "fp8"]), "default", "type in which MXFP4 experts compute";
        "flashinfer-mla-disable-ragged", Switch, "off", "do without ragged prompts in FlashInfer's latent attention";
        "disable-flashinfer-cutlass-moe-fp4-allgather", Switch, "off", "gather before quantizing to FP4";
        "disable-shared-experts-fusion", Switch, "off", "compute shared experts apart; DeepSeek models";
        "triton-attention-num-kv-splits", Integer, "8", "parts into which Triton's attention cuts a context", from(1.0), integers(&[8, 16]);
        "triton-attention-reduce-in-fp32", Switch, "off", "sum Triton's attention in 32 bits";
        "enable-double-sparsity", Switch, "off", "attend to the heaviest tokens only";
        "ds-channel-config-path", Text, "", "file of channels for enable-double-sparsity";
        "ds-heavy-channel-num", Integer, "32", "channels that choose heavy tokens", from(1.0);
        "ds-heavy-token-num", Integer, "256", "heavy tokens attended to", from(1.0);
        "ds-heavy-channel-type", Text, "qk", "which channels choose";
        "ds-sparse-decode-threshold", Integer, "4096", "context from which on attention is sparse", from(0.0);
        "model-impl", Choice(&["auto", "sglang", "transformers"]), "auto", "whose code of the model is run";
        "device", Choice(&["cuda", "xpu", "hpu", "npu", "cpu"]), "what is here", "kind of device";
        "sleep-on-idle", Switch, "off", "spare the CPU while there is nothing to do";
        "disable-fast-image-processor", Switch, "off", "prepare images the slow way";
        "mamba-ssm-dtype", Choice(&["float32", "bfloat16"]), "float32", "type of Mamba states";
    }
    Speculative {
        "speculative-algorithm", Choice(&["EAGLE", "EAGLE3", "NEXTN", "STANDALONE", "NGRAM"]), "off", "how tokens are guessed ahead", common(), texts(&["EAGLE", "NGRAM"]);
        "speculative-draft-model-path", Text, "", "model that guesses";
        "speculative-draft-model-revision", Text, "", "branch, tag or commit of that model";
        "speculative-num-steps", Integer, "", "steps of guessing", from(1.0), common(), integers(&[3, 5]);
        "speculative-eagle-topk", Integer, "", "guesses kept in each step", from(1.0), integers(&[1, 4]);
        "speculative-num-draft-tokens", Integer, "", "guessed tokens that are checked at once", from(1.0), common(), integers(&[4, 8, 16]);
        "speculative-accept-threshold-single", Number, "1.0", "probability from which on a guess is taken", from(0.0), to(1.0);
        "speculative-accept-threshold-acc", Number, "1.0", "divisor of a guess's probability", from(0.0), to(1.0);
        "speculative-token-map", Text, "", "file of tokens that may be guessed";
        "speculative-attention-mode", Choice(&["prefill", "decode"]), "prefill", "which attention kernels check guesses";
    }
    Quantization {
        "quantization", Choice(QUANTIZATIONS), "the model's own", "how the weights are quantized", common(), texts(&["fp8"]);
        "quantization-param-path", Text, "", "file of scales for an fp8 key/value cache";
        "dtype", Choice(&["auto", "half", "float16", "bfloat16", "float", "float32"]), "auto", "type of weights and activations", common(), texts(&["auto", "bfloat16"]);
        "torchao-config", Text, "", "how torchao quantizes";
        "enable-fp32-lm-head", Switch, "off", "compute the last layer in 32 bits; newer releases", both();
    }
    Loading {
        "trust-remote-code", Switch, "off", "run code that comes with the model";
        "load-format", Choice(LOAD_FORMATS), "auto", "how the weights are read", common(), texts(&["auto", "safetensors"]);
        "model-loader-extra-config", Text, "", "options of the loader, as JSON";
        "weight-loader-disable-mmap", Switch, "off", "read safetensors files without mapping them";
        "custom-weight-loader", List, "", "import paths of functions that load weights";
        "delete-ckpt-after-loading", Switch, "off", "delete the model's files after loading";
        "download-dir", Text, "", "where models from the hub are kept";
        "revision", Text, "", "branch, tag or commit of the model on the hub";
        "tokenizer-path", Text, "the model's own", "name or path of the tokenizer";
        "tokenizer-mode", Choice(&["auto", "slow"]), "auto", "which tokenizer is used";
        "skip-tokenizer-init", Switch, "off", "do without a tokenizer";
        "is-embedding", Switch, "off", "serve embeddings";
        "enable-multimodal", Switch, "", "take images and sound";
        "json-model-override-args", Text, "", "changes to the model's configuration, as JSON";
        "random-seed", Integer, "random", "seed of sampling";
        "skip-server-warmup", Switch, "off", "compute nothing before the first request";
        "warmups", Text, "", "names of functions that warm the engine up";
        "config", Text, "", "file of further options, on the engine's machine; newer releases";
    }
    Serving {
        "enable-lora", Switch, "off", "serve adapters beside the model", common(), both();
        "lora-paths", List, "", "adapters to serve, as path or name=path";
        "max-loras-per-batch", Integer, "8", "adapters in one batch", from(1.0), common(), integers(&[4, 8, 16]);
        "max-loaded-loras", Integer, "no limit", "adapters kept in host memory", from(1.0);
        "max-lora-rank", Integer, "as the adapters", "largest rank of an adapter", from(1.0), common(), integers(&[16, 32, 64]);
        "lora-target-modules", List, "as the adapters", "layers that adapters may change";
        "lora-backend", Choice(&["triton", "csgmv", "ascend", "torch_native", "flashinfer"]), "", "which kernels of adapters are used";
        "chat-template", Text, "the model's own", "template of conversations, its name or a file of it";
        "completion-template", Text, "", "template of completions, its name or a file of it";
        "reasoning-parser", Text, "", "how thoughts are told from answers";
        "tool-call-parser", Text, "", "how calls of tools are read from answers";
        "tool-server", Text, "", "servers of tools, or demo";
        "constrained-json-whitespace-pattern", Text, "", "which blanks JSON may have";
        "preferred-sampling-params", Text, "", "sampling that is recommended to clients, as JSON";
        "sampling-defaults", Choice(&["openai", "model"]), "model", "where defaults of sampling come from; newer releases";
        "allow-auto-truncate", Switch, "off", "shorten prompts that are too long";
        "stream-output", Switch, "off", "send each piece of an answer once";
        "enable-cache-report", Switch, "off", "tell how much of a prompt was reused";
        "enable-return-hidden-states", Switch, "off", "let requests ask for inner states";
        "enable-custom-logit-processor", Switch, "off", "let requests bring processors of probabilities";
        "disable-outlines-disk-cache", Switch, "off", "let Outlines keep nothing on disk";
        "file-storage-path", Text, "sglang_storage", "directory for uploaded files";
        "weight-version", Text, "default", "name of these weights";
        "watchdog-timeout", Number, "300", "seconds after which a step that hangs ends the engine", from(0.0);
        "log-level", Choice(&["critical", "error", "warning", "info", "debug", "trace"]), "info", "how much is logged";
        "log-level-http", Choice(&["critical", "error", "warning", "info", "debug", "trace"]), "as log-level", "how much the HTTP server logs";
        "log-requests", Switch, "off", "log requests";
        "log-requests-level", Integer, "", "how much of requests is logged", from(0.0), to(3.0);
        "crash-dump-folder", Text, "", "directory for the last requests before a crash";
        "show-time-cost", Switch, "off", "log how long marked parts take";
        "decode-log-interval", Integer, "40", "steps of decoding between two lines of the log", from(1.0);
        "gc-warning-threshold-secs", Number, "0", "seconds of garbage collection worth a warning; 0 for never", from(0.0);
        "enable-metrics", Switch, "off", "serve figures at /metrics";
        "enable-metrics-for-all-schedulers", Switch, "off", "serve figures of every worker";
        "enable-request-time-stats-logging", Switch, "off", "log the times of every request";
        "collect-tokens-histogram", Switch, "off", "count lengths of prompts and answers";
        "prompt-tokens-buckets", List, "", "steps of the count of prompts' lengths";
        "generation-tokens-buckets", List, "", "steps of the count of answers' lengths";
        "bucket-time-to-first-token", List, "", "steps of the count of times to the first token";
        "bucket-inter-token-latency", List, "", "steps of the count of times between tokens";
        "bucket-e2e-request-latency", List, "", "steps of the count of whole requests' times";
        "enable-nan-detection", Switch, "off", "look for numbers that are none";
        "debug-tensor-dump-output-folder", Text, "", "directory for inner states";
        "debug-tensor-dump-input-file", Text, "", "file of inner states to read";
        "debug-tensor-dump-inject", Text, "", "take the states of that file in every layer";
        "debug-tensor-dump-prefill-only", Switch, "off", "write the states of prompts only";
    }
};
