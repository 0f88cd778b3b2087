//! Help texts in the layouts of real programs, and what is found missing in them.

use super::*;
use crate::engine::known_flags;

const LLAMA: &str = "\
----- common params -----

-h,    --help, --usage                  print usage and exit
--version                               show version
-t,    --threads N                      CPU threads to use (default: -1)
                                        (env: LLAMA_ARG_THREADS)
-c,    --ctx-size N                     size of the context (default: 0)
-ub,   --ubatch-size N                  physical batch, see --batch-size
-fa,   --flash-attn [on|off|auto]       Flash Attention ('on', 'off', or 'auto')
-kvo,  --kv-offload, -nkvo, --no-kv-offload
                                        whether to offload (default: enabled)
-lm,   --load-mode MODE                 how to load (default: auto)
                                        - none: no mapping
-np,   --parallel N                     number of slots (default: -1, -1 = auto)
-cb,   --cont-batching, -nocb, --no-cont-batching
                                        continuous batching
-m,    --model FNAME                    model path
-a,    --alias STRING                   name in the API
--host HOST                             address
--port PORT                             port (default: 8080)
--metrics                               figures
";

const ARGPARSE: &str = "\
usage: vllm serve [model_tag] [options]

options:
  -h, --help            show this help message and exit
  --host HOST           Host name. (default: None)
  --port PORT           Port number. (default: 8000)
  --served-model-name SERVED_MODEL_NAME [SERVED_MODEL_NAME ...]
  --max-num-seqs MAX_NUM_SEQS
                        Most sequences.
  --max-model-len MAX_MODEL_LEN
  --tensor-parallel-size TENSOR_PARALLEL_SIZE, -tp TENSOR_PARALLEL_SIZE
  --enable-prefix-caching, --no-enable-prefix-caching
  --enable-chunked-prefill | --no-enable-chunked-prefill
  --[no-]async-scheduling
  --kv-cache-dtype {auto,fp8}
  --compilation-config COMPILATION_CONFIG, -O COMPILATION_CONFIG
";

const CLAP: &str = "\
A simulated engine

Usage: autotuner sim-engine [OPTIONS]

Options:
      --host <HOST>                          Address [default: 127.0.0.1]
      --port <PORT>                          Port [default: 0]
      --model <MODEL>                        Model
      --served-model-name <NAME>             Name [default: the --model]
      --max-num-seqs <N>                     Batch limit [default: 8]
      --gpu-memory-utilization <SHARE>       Share
      --enable-prefix-caching                Reuse
      --no-enable-prefix-caching             Compute in full
      --fault <FAULT>                        What goes wrong
  -v, --verbose...                           More
  -h, --help                                 Print help
";

#[test]
fn flags_are_found_in_every_layout() {
    let check = |help: &str, known: &[&str], unknown: &[&str]| {
        let flags = known_flags(help);
        for name in known {
            assert!(flags.contains(*name), "{name} not in {flags:?}");
        }
        for name in unknown {
            assert!(!flags.contains(*name), "{name} in {flags:?}");
        }
    };
    let llama = [
        "h",
        "help",
        "usage",
        "threads",
        "ub",
        "ubatch-size",
        "nkvo",
        "no-kv-offload",
        "nocb",
        "metrics",
    ];
    check(LLAMA, &llama, &["no-mmap", "1", "none", "off", "params", ""]);
    let argparse = [
        "max-num-seqs",
        "tp",
        "no-enable-prefix-caching",
        "no-enable-chunked-prefill",
        "async-scheduling",
        "no-async-scheduling",
        "O",
    ];
    check(ARGPARSE, &argparse, &["MAX_NUM_SEQS", "fp8"]);
    check(
        CLAP,
        &["max-num-seqs", "v", "verbose", "no-enable-prefix-caching"],
        &["N", "FAULT"],
    );
    check("--max_batch_size INTEGER", &["max-batch-size"], &[]);
    check(
        "Usage: x [--alpha] [--beta=N] (--gamma|-d)",
        &["alpha", "beta", "gamma", "d"],
        &["N"],
    );
}

/// The unknown flags that are told, in order, each with what was meant if anything.
fn check(case: &Case, help: &str, expected: &[(&str, Option<&str>)]) {
    let problems = case.kind.engine().preflight(help, &case.plan());
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, (flag, meant)) in problems.iter().zip(expected) {
        assert!(problem.message.ends_with(&format!("know {flag}")), "{problem}");
        let hint = problem.hint.as_deref().unwrap();
        assert!(hint.contains("between builds"), "{hint}");
        assert_eq!(hint.contains("did you mean"), meant.is_some(), "{hint}");
        assert!(hint.contains(meant.unwrap_or("")), "{hint}");
    }
}

#[test]
fn flags_that_the_program_does_not_know_are_told() {
    let llama = || a(EngineKind::LlamaCpp).model("/m.gguf");
    check(&llama(), LLAMA, &[]);
    check(
        &llama()
            .with("np", 2)
            .with("fa", true)
            .with("cont-batching", false),
        LLAMA,
        &[],
    );
    check(&llama().with("mmap", false), LLAMA, &[("--no-mmap", None)]);
    check(
        &llama().with("thread", 2),
        LLAMA,
        &[("--thread", Some("--threads"))],
    );
    check(
        &llama().args(&["-tt", "2", "--keep", "-1"]),
        LLAMA,
        &[("-tt", None), ("--keep", None)],
    );

    let vllm = || a(EngineKind::Vllm);
    check(
        &vllm()
            .with("tp", 2)
            .with("enable-prefix-caching", false)
            .with("O.level", 3),
        ARGPARSE,
        &[],
    );
    check(
        &vllm().args(&["-O3", "--compilation-config.level=3"]),
        ARGPARSE,
        &[],
    );
    check(
        &vllm().with("max-num-sequence", 2),
        ARGPARSE,
        &[("--max-num-sequence", None)],
    );
    check(&vllm().with("max-num-seq", 2), ARGPARSE, &[]);
    check(
        &vllm().with("max-mun-seqs", -2),
        ARGPARSE,
        &[("--max-mun-seqs", Some("--max-num-seqs"))],
    );
    check(
        &vllm().with("enforce-eager", true),
        ARGPARSE,
        &[("--enforce-eager", None)],
    );

    let sim = || a(EngineKind::Sim);
    check(&sim().with("max-num-seqs", 2).with("fault", "stall"), CLAP, &[]);
    check(
        &sim().with("max-num-seq", 2),
        CLAP,
        &[("--max-num-seq", Some("--max-num-seqs"))],
    );
}

#[test]
fn help_that_cannot_be_trusted_says_nothing() {
    let wrong = a(EngineKind::LlamaCpp).with("no-such-flag", 1);
    check(&wrong, LLAMA, &[("--no-such-flag", None)]);
    check(&wrong, "", &[]);
    check(&wrong, "usage: llama-server [-h] [--port N]", &[]);
    let without_port = LLAMA.replace("--port", "port");
    check(&wrong, &without_port, &[]);
}
