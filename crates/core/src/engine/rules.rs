//! Which words in an engine's output mean which cause.
//!
//! The one idea: one table, the most specific cause first. Texts are facts about engines,
//! written in lower case, with `*` for anything between; a text that begins with `=` must be
//! the whole line. Adding what a new release prints is adding a line here.

use crate::failure::FailureKind;

/// Why an engine failed, as far as its output tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// A flag or a value that the program does not take.
    Argument,
    /// Flags that do not go together, or with this model or machine.
    Combination,
    /// A type or a quantization that is not supported here.
    Precision,
    /// No room for the key/value cache beside the weights.
    CacheMemory,
    /// Too little device memory was free at the start.
    FreeMemory,
    /// The device ran out of memory.
    DeviceMemory,
    /// The machine or the container ran out of memory.
    HostMemory,
    /// The port was taken.
    Address,
    /// A library or a package is missing.
    Library,
    /// No usable GPU or driver.
    Device,
    /// The program was built for other hardware.
    Build,
    /// The model could not be fetched.
    ModelAccess,
    /// The model could not be read.
    Model,
    /// Disk or shared memory is full.
    Disk,
    /// The devices could not work together.
    Parallel,
    /// The device met an error while computing.
    DeviceFault,
    /// The program crashed.
    Crash,
    /// A simulated fault, switched on for the purpose.
    Fault,
}

impl Cause {
    /// What kind of failure the cause makes.
    ///
    /// A model that cannot be loaded is no candidate's fault: every other configuration
    /// would fail on it too, so it is the world's.
    pub(crate) fn kind(self) -> FailureKind {
        match self {
            Self::Argument | Self::Combination | Self::Precision => FailureKind::InvalidCandidate,
            Self::CacheMemory | Self::FreeMemory | Self::DeviceMemory | Self::HostMemory => {
                FailureKind::OutOfMemory
            }
            Self::Address
            | Self::Library
            | Self::Device
            | Self::Build
            | Self::ModelAccess
            | Self::Model
            | Self::Disk => FailureKind::Infrastructure,
            Self::Parallel | Self::DeviceFault | Self::Crash | Self::Fault => FailureKind::EngineCrashed,
        }
    }
}

/// Causes with the texts that show them, the most specific first.
pub(crate) const RULES: &[(Cause, &[&str])] = &[
    (Cause::Fault, &["the fault `*` is switched on"]),
    (
        Cause::Argument,
        &[
            "error: unrecognized arguments:",
            "error: argument -",
            "error: invalid argument:",
            "error while handling argument",
            "error: ambiguous option",
            "no such option:",
            "error: unexpected argument '",
            "error: invalid value",
            "error: a value is required for",
            "error: option '-",
            "got unexpected extra argument",
            "the argument has been removed",
            "cannot run with --",
        ],
    ),
    (
        Cause::Address,
        &[
            "address already in use",
            "couldn't bind http server socket",
            "couldn't bind to server socket",
            "error while attempting to bind on address",
            "failed to bind socket to",
            "cannot listen on ",
        ],
    ),
    (
        Cause::CacheMemory,
        &[
            "max seq len*larger than the maximum number of tokens that can be stored in kv cache",
            "larger than the available kv cache memory",
            "no available memory for the cache blocks",
            "not enough memory*mem-fraction-static",
            "executor creation failed due to insufficient gpu memory",
            "failed to allocate*kv cache",
            "failed to allocate buffer for kv",
            "must be large enough to process at least 1 sequence",
            "out of memory while loading:",
        ],
    ),
    (
        Cause::FreeMemory,
        &[
            "free memory on device*less than desired gpu memory utilization",
            "memory capacity is unbalanced",
        ],
    ),
    (
        Cause::HostMemory,
        &[
            "std::bad_alloc",
            "insufficient memory (attempted to allocate",
            "cannot allocate memory",
            "=killed",
            "out of memory: killed process",
            "oom-kill",
            "=memoryerror",
            "memoryerror: unable to allocate",
            "unable to allocate cpu buffer",
            "failed to allocate cpu buffer",
            "defaultcpuallocator: can't allocate memory",
        ],
    ),
    (
        Cause::DeviceMemory,
        &[
            "outofmemoryerror",
            "cuda out of memory",
            "hip out of memory",
            "xpu out of memory",
            "cudamalloc failed",
            "hipmalloc failed",
            "erroroutofdevicememory",
            "cuda_error_out_of_memory",
            "cudaerrormemoryallocation",
            "cublas_status_alloc_failed",
            "failed to allocate",
            "unable to allocate",
            "out of memory",
        ],
    ),
    (
        Cause::Precision,
        &[
            "bfloat16 is only supported on gpus",
            "not supported for the quantization method",
            "not supported for quantization method",
            "unknown quantization method",
            "quantization method specified in the model config*does not match",
            "quantization method*not supported",
            "minimum capability",
            "v cache quantization requires",
            "quantized v cache",
            "unsupported cache type",
            "unsupported kv cache",
            "kv_cache_dtype*not supported",
            "fp8*not supported on",
            "fp8*requires compute capability",
        ],
    ),
    (
        Cause::Combination,
        &[
            "must be divisible by",
            "is not divisible by",
            "greater than the derived max_model_len",
            "max_num_batched_tokens*smaller than max_model_len",
            "max_num_batched_tokens*must be greater than or equal to max_num_seqs",
            "larger than the number of available gpus",
            "is not supported with",
            "are mutually exclusive",
        ],
    ),
    (
        Cause::Build,
        &["no kernel image is available", "illegal instruction"],
    ),
    (
        Cause::Device,
        &[
            "cuda driver version is insufficient",
            "no cuda-capable device is detected",
            "no cuda gpus are available",
            "found no nvidia driver",
            "failed to infer device type",
            "no gpu devices found on the node",
            "could not select device driver",
            "torch not compiled with cuda enabled",
            "libcuda.so*cannot open shared object file",
        ],
    ),
    (
        Cause::Library,
        &[
            "error while loading shared libraries",
            "cannot open shared object file",
            "no module named",
            "version `glibc",
            "undefined symbol:",
        ],
    ),
    (
        Cause::ModelAccess,
        &[
            "gated repo",
            "gatedrepoerror",
            "401 client error",
            "403 client error",
            "repository not found",
            "repositorynotfounderror",
            "localentrynotfounderror",
            "offlinemodeisenabled",
            "couldn't connect to*huggingface",
            "max retries exceeded with url",
        ],
    ),
    (
        Cause::Disk,
        &["no space left on device", "=bus error", "bus error (core dumped)"],
    ),
    (
        Cause::Model,
        &[
            "does not appear to have a file named",
            "is not a local folder and is not a valid model identifier",
            "is not a valid model identifier",
            "invalid repository id or local directory",
            "incorrect path_or_model_id",
            "repo id must",
            "can't load tokenizer",
            "can't load the configuration",
            "unable to load vocabulary",
            "does not recognize this architecture",
            "unknown model architecture",
            "architectures*are not supported for now",
            "failed to open gguf file",
            "invalid magic",
            "safetensorerror",
            "tensor*not within the file bounds",
            "error loading model",
            "failed to load model",
            "no such file or directory: '",
        ],
    ),
    (
        Cause::Parallel,
        &[
            "nccl error",
            "ncclunhandledcudaerror",
            "ncclsystemerror",
            "ncclinternalerror",
            "ncclremoteerror",
            "distbackenderror",
            "peer access is not supported between these two devices",
        ],
    ),
    (
        Cause::DeviceFault,
        &[
            "illegal memory access",
            "device-side assert",
            "cuda error:",
            "hip error:",
            "cublas_status_",
        ],
    ),
    (Cause::Combination, &["value error, "]),
    (
        Cause::Crash,
        &[
            "ggml_assert",
            "segmentation fault",
            "(core dumped)",
            "terminate called after throwing",
        ],
    ),
];

/// Whether a line in lower case shows the text.
pub(crate) fn shows(line: &str, text: &str) -> bool {
    if let Some(whole) = text.strip_prefix('=') {
        return line == whole;
    }
    let mut rest = line;
    text.split('*').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}
