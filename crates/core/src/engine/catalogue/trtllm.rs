//! TensorRT-LLM's flags, as `trtllm-serve` of release 1.0 and later declares them.
//!
//! Most of what can be tuned stands in a file of options, which the engine reads from its own
//! machine; of that file only the path can be a parameter.

use super::FlagKind::*;
use super::{FlagInfo, catalogue};

pub(in crate::engine) const CATALOGUE: &[FlagInfo] = catalogue! {
    Memory {
        "kv_cache_free_gpu_memory_fraction", Number, "0.9", "share of the memory left after the weights for the key/value cache", above(0.0), to(1.0), usually(0.3, 0.97), common(), numbers(&[0.8, 0.9, 0.95]);
        "kv_cache_dtype", Choice(&["auto", "fp8", "nvfp4"]), "auto", "type of the key/value cache; newer versions", texts(&["auto", "fp8"]);
        "max_seq_len", Integer, "the model's own", "longest prompt and answer together, in tokens", from(1.0), common(), integers(&[4096, 8192, 16384]);
    }
    Batching {
        "max_batch_size", Integer, "", "most requests computed at once", from(1.0), common(), integers(&[64, 128, 256, 512]);
        "max_num_tokens", Integer, "", "most tokens computed in one step", from(1.0), common(), integers(&[2048, 4096, 8192, 16384]);
        "max_beam_width", Integer, "1", "most beams of a search", from(1.0);
        "enable_chunked_prefill", Switch, "off", "mix parts of long prompts with decoding; older versions have it in the file of options only", common(), both();
    }
    Parallel {
        "tp_size", Integer, "1", "GPUs that share every layer", from(1.0), common(), integers(&[1, 2, 4, 8]);
        "pp_size", Integer, "1", "groups of GPUs that share the layers in turn", from(1.0), common(), integers(&[1, 2]);
        "cp_size", Integer, "1", "GPUs that share a request's context; newer versions", from(1.0);
        "ep_size", Integer, "", "GPUs over which a mixture's experts are spread", from(1.0), common(), integers(&[1, 2, 4, 8]);
        "cluster_size", Integer, "", "GPUs in one cluster of experts", from(1.0);
        "gpus_per_node", Integer, "counted", "GPUs of one machine", from(1.0);
        "num_postprocess_workers", Integer, "0", "processes that turn tokens into answers", from(0.0), common(), integers(&[0, 2, 4]);
    }
    Kernels {
        "backend", Choice(&["pytorch", "tensorrt", "trt", "_autodeploy"]), "pytorch", "how the model is run", texts(&["pytorch", "tensorrt"]);
        "custom_module_dirs", Text, "", "directory of modules to import, on the engine's machine";
    }
    Loading {
        "trust_remote_code", Switch, "off", "run code that comes with the model";
        "revision", Text, "", "branch, tag or commit of the model on the hub";
        "tokenizer", Text, "the model's own", "name or path of the tokenizer";
        "custom_tokenizer", Text, "", "name or import path of a tokenizer's class";
        "extra_llm_api_options", Text, "", "file of further options, on the engine's machine";
        "fail_fast_on_attention_window_too_large", Switch, "off", "end when not even one sequence fits into the cache";
    }
    Serving {
        "log_level", Choice(&["internal_error", "error", "warning", "info", "verbose", "debug", "trace"]), "info", "how much is logged";
        "reasoning_parser", Text, "", "how thoughts are told from answers";
        "tool_parser", Text, "", "how calls of tools are read from answers";
        "chat_template", Text, "the model's own", "template of conversations, or a file of it";
        "metadata_server_config_file", Text, "", "file that describes a metadata server";
        "server_role", Text, "", "part of this server where prompts and answers are computed apart";
        "disagg_cluster_uri", Text, "", "address of a cluster that computes prompts and answers apart";
        "otlp_traces_endpoint", Text, "", "address to which traces are sent";
        "media_io_kwargs", Text, "", "options for reading images and sound, as JSON";
    }
};
