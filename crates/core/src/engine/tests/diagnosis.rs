//! What engines print when they fail, and what is made of it.

use super::*;
use crate::engine::Diagnosis;
use crate::failure::FailureKind;

fn diagnose(kind: EngineKind, log: &str) -> Option<Diagnosis> {
    let lines: Vec<String> = log.lines().map(str::to_owned).collect();
    kind.engine().diagnose(&lines)
}

/// The kind that a log shows, a part of the line quoted, and a word of the advice.
fn check(engine: EngineKind, log: &str, kind: FailureKind, evidence: &str, advice: &str) {
    let found = diagnose(engine, log).unwrap_or_else(|| panic!("nothing found in {log}"));
    assert_eq!(found.kind, kind, "{found:?}");
    assert!(
        found.evidence.contains(evidence),
        "{found:?} does not quote {evidence:?}"
    );
    assert!(
        found.advice.unwrap_or_default().contains(advice),
        "no {advice:?} in the advice on {log}"
    );
}

#[test]
fn memory_is_told_with_the_engines_own_flags() {
    let memory =
        |engine, log, evidence, advice| check(engine, log, FailureKind::OutOfMemory, evidence, advice);
    let vllm = EngineKind::Vllm;
    memory(
        vllm,
        "(EngineCore_0 pid=71) ERROR 10-01 12:00:00 [core.py:708] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n\
         Traceback (most recent call last):\n\
         RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
        "torch.OutOfMemoryError",
        "gpu-memory-utilization",
    );
    memory(
        vllm,
        "ValueError: The model's max seq len (131072) is larger than the maximum number of tokens that can be stored in KV cache (39024).",
        "131072",
        "lower max-model-len",
    );
    memory(
        vllm,
        "ValueError: To serve at least one request with the model's max seq len (32768), 4 GiB KV cache is needed, which is larger than the available KV cache memory (1.2 GiB).",
        "32768",
        "max-model-len",
    );
    memory(
        vllm,
        "    raise ValueError(\"No available memory for the cache blocks. \"\n\
         ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`.",
        "ValueError: No available memory",
        "max-model-len",
    );
    memory(
        vllm,
        "ERROR 06-30 13:53:19 [core.py:515] ValueError: Free memory on device (31.4/47.4 GiB) on startup is less than desired GPU memory utilization (0.95, 45.0 GiB).",
        "Free memory",
        "lower gpu-memory-utilization",
    );
    let sglang = EngineKind::Sglang;
    memory(
        sglang,
        "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static. Current value: 0.2",
        "Not enough",
        "raise mem-fraction-static",
    );
    memory(
        sglang,
        "Exception: Capture cuda graph failed: CUDA out of memory. Tried to allocate 448.00 MiB.",
        "448",
        "lower mem-fraction-static",
    );
    memory(
        sglang,
        "torch.OutOfMemoryError: HIP out of memory.",
        "HIP",
        "tp-size",
    );
    memory(
        EngineKind::TensorRtLlm,
        "[07/08/2025-19:47:15] [TRT-LLM] [RANK 1] [E] Failed to initialize executor on rank 1: Executor creation failed due to insufficient GPU memory.",
        "insufficient GPU memory",
        "max_seq_len",
    );
    let llama = EngineKind::LlamaCpp;
    memory(
        llama,
        "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9866.00 MiB on device 1: cudaMalloc failed: out of memory\n\
         llama_model_load: error loading model: unable to allocate CUDA1 buffer\n\
         main: exiting due to model loading error",
        "9866.00 MiB",
        "n-gpu-layers",
    );
    memory(
        llama,
        "0.01.459.046 E ggml_aligned_malloc: insufficient memory (attempted to allocate 16384.00 MB)\n\
         0.01.459.127 E ggml_backend_buft_alloc_buffer_n_default: failed to allocate CPU buffer of size 17179869184\n\
         0.01.490.000 E llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache\n\
         0.01.490.423 E srv  llama_server: exiting due to model loading error",
        "kv cache",
        "lower ctx-size",
    );
    memory(
        llama,
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "bad_alloc",
        "resources.memory",
    );
    memory(
        EngineKind::Custom,
        "starting\nKilled",
        "Killed",
        "resources.memory",
    );
    let sim = EngineKind::Sim;
    memory(
        sim,
        "error: out of memory while loading: 30.0 GiB needed, 21.6 GiB available; raise --gpu-memory-utilization",
        "while loading",
        "raise gpu-memory-utilization",
    );
    memory(
        sim,
        "error: out of memory under load: a step needed 3.0 GiB outside the cache, 2.4 GiB were free",
        "under load",
        "lower gpu-memory-utilization",
    );
}

#[test]
fn a_bad_candidate_is_told_from_a_bad_world() {
    let bad = |engine, log, evidence| check(engine, log, FailureKind::InvalidCandidate, evidence, "");
    bad(
        EngineKind::Vllm,
        "usage: vllm [-h]\nvllm: error: unrecognized arguments: --num-lanes 4",
        "--num-lanes",
    );
    bad(
        EngineKind::Sglang,
        "launch_server.py: error: argument --page-size: invalid int value: 'x'",
        "--page-size",
    );
    bad(
        EngineKind::TensorRtLlm,
        "Error: No such option: --max_lanes Did you mean --max_beam_width?",
        "--max_lanes",
    );
    bad(
        EngineKind::TensorRtLlm,
        "Error: Invalid value for '--tp_size': 'x' is not a valid integer.",
        "--tp_size",
    );
    bad(
        EngineKind::LlamaCpp,
        "error: invalid argument: --no-mmap",
        "--no-mmap",
    );
    bad(
        EngineKind::LlamaCpp,
        "error while handling argument \"--ctx-size\": stoi\n\nusage:\n-c,    --ctx-size N  size",
        "stoi",
    );
    bad(
        EngineKind::LlamaCpp,
        "0.00.016.162 E llama_init_from_model: quantized V cache requires flash_attn to be enabled\n\
         0.00.024.406 E srv  llama_server: exiting due to model loading error",
        "flash_attn",
    );
    bad(
        EngineKind::Sim,
        "error: unexpected argument '--lanes' found\n\n  tip: a similar argument exists",
        "--lanes",
    );
    bad(
        EngineKind::Sim,
        "error: cannot run with --tensor-parallel-size: 3 devices are not 1, 2, 4 or 8",
        "3 devices",
    );
    bad(
        EngineKind::Vllm,
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig\n  \
         Value error, Total number of attention heads (32) must be divisible by tensor parallel size (3).",
        "attention heads",
    );
    bad(
        EngineKind::Vllm,
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0.",
        "Bfloat16",
    );

    let world = |engine, log, advice| check(engine, log, FailureKind::Infrastructure, "", advice);
    world(
        EngineKind::Vllm,
        "OSError: [Errno 98] Address already in use",
        "port",
    );
    world(
        EngineKind::LlamaCpp,
        "0.00.003.283 E srv  start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 18999",
        "port",
    );
    world(
        EngineKind::LlamaCpp,
        "llama-server: error while loading shared libraries: libgomp.so.1: cannot open",
        "install",
    );
    world(
        EngineKind::Vllm,
        "ImportError: libcuda.so.1: cannot open shared object file: No such file",
        "nvidia-smi",
    );
    world(
        EngineKind::Sglang,
        "/usr/bin/python3: No module named sglang",
        "install",
    );
    world(
        EngineKind::Vllm,
        "RuntimeError: Found no NVIDIA driver on your system.",
        "nvidia-smi",
    );
    world(
        EngineKind::Vllm,
        "CUDA error: no kernel image is available for execution on the device",
        "build",
    );
    world(
        EngineKind::Vllm,
        "OSError: org/model is not a local folder and is not a valid model identifier",
        "id_or_path",
    );
    world(
        EngineKind::Sglang,
        "huggingface_hub.errors.GatedRepoError: 401 Client Error.",
        "HF_TOKEN",
    );
    world(
        EngineKind::LlamaCpp,
        "0.00.004.983 E llama_model_load_from_file_impl: failed to load model\n\
         0.00.004.988 I srv    operator(): operator(): cleaning up before exit...",
        "id_or_path",
    );
    world(
        EngineKind::Vllm,
        "RuntimeError: [Errno 28] No space left on device",
        "disk",
    );
}

#[test]
fn crashes_are_crashes() {
    let crash =
        |engine, log, evidence, advice| check(engine, log, FailureKind::EngineCrashed, evidence, advice);
    crash(
        EngineKind::Vllm,
        "torch.distributed.DistBackendError: NCCL error in: x.cpp:1, unhandled",
        "NCCL",
        "tensor-parallel-size",
    );
    crash(
        EngineKind::Sglang,
        "RuntimeError: CUDA error: an illegal memory access was encountered",
        "illegal memory",
        "",
    );
    crash(
        EngineKind::LlamaCpp,
        "/src/ggml.c:100: GGML_ASSERT(a->ne[0] == 1) failed",
        "GGML_ASSERT",
        "",
    );
    crash(
        EngineKind::Sim,
        "error: cannot load the model `m`: the fault `exit-at-load` is switched on",
        "exit-at-load",
        "",
    );
    crash(
        EngineKind::Vllm,
        "ERROR 10-01 12:00:00 [core.py:708] Traceback (most recent call last):\n\
         ERROR 10-01 12:00:00 [core.py:708]   File \"core.py\", line 1, in run\n\
         ERROR 10-01 12:00:00 [core.py:708] KeyError: 'lanes'\n\
         Traceback (most recent call last):\n\
         RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
        "KeyError: 'lanes'",
        "",
    );
    crash(
        EngineKind::Custom,
        "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\nAssertionError",
        "AssertionError",
        "",
    );
}

#[test]
fn the_specific_cause_wins_over_the_last_line() {
    let log = "torch.OutOfMemoryError: CUDA out of memory.\n\
               ModuleNotFoundError: No module named 'extra'\n\
               OSError: [Errno 98] something else\n\
               Segmentation fault (core dumped)";
    check(
        EngineKind::Vllm,
        log,
        FailureKind::OutOfMemory,
        "OutOfMemoryError",
        "",
    );
}

#[test]
fn a_log_that_says_nothing_gives_nothing() {
    for log in [
        "",
        "INFO 08-07 00:12:04 model_runner.py:984] If you are running out of memory, consider enforcing eager mode.",
        "(Worker pid=3) WARNING 08-07 00:12:04 [x.py:1] No module named 'vllm._version'",
        "0.00.106.090 W sched_reserve: compute buffer allocation failed: out of memory, retrying without pipeline parallelism",
        "[TensorRT-LLM][WARNING] out of memory soon",
        "srv  update_slots: all slots are idle",
        "GET /v1/models 200 Error: none of this",
        "ready\nstopped",
    ] {
        for kind in EngineKind::ALL {
            assert_eq!(diagnose(kind, log), None, "{log}");
        }
    }
}

#[test]
fn evidence_is_short_and_without_colours() {
    let log = format!(
        "\u{1b}[31mRuntimeError: CUDA out of memory{}\u{1b}[0m",
        " größer".repeat(100)
    );
    let found = diagnose(EngineKind::Vllm, &log).unwrap();
    assert_eq!(found.evidence.chars().count(), 300);
    assert!(
        found
            .evidence
            .starts_with("RuntimeError: CUDA out of memory größer")
    );
}
