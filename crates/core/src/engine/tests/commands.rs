//! The command lines, whole and in detail.

use std::fmt::Write;

use super::*;
use crate::engine::Program;

fn render(title: &str, case: &Case) -> String {
    let plan = case.plan();
    let mut text = format!("## {title}\n");
    match &plan.program {
        Program::Local(program) => writeln!(text, "program    {program}"),
        Program::Image {
            reference,
            entrypoint,
        } => writeln!(text, "image      {reference} {entrypoint:?}"),
    }
    .unwrap();
    for argument in plan.arguments("HOST", 4321) {
        writeln!(text, "           {argument}").unwrap();
    }
    for (name, value) in &plan.env {
        writeln!(text, "env        {name}={value}").unwrap();
    }
    writeln!(text, "gpus       {}", plan.gpus).unwrap();
    writeln!(text, "ready      {}", plan.ready_paths.join(" ")).unwrap();
    writeln!(text, "served as  {}", plan.served_model_name).unwrap();
    writeln!(text, "start      {} s\n", plan.start_timeout.as_secs()).unwrap();
    text
}

fn render_all(cases: &[(&str, Case)]) -> String {
    cases.iter().map(|(title, case)| render(title, case)).collect()
}

#[test]
fn vllm_commands() {
    let tuned = || {
        a(EngineKind::Vllm)
            .with("--tensor_parallel_size", 2)
            .with("pp", 2)
            .with("enable-prefix-caching", false)
            .with("enable_chunked_prefill", true)
            .with("enforce-eager", true)
            .with("gpu-memory-utilization", 0.9)
            .with("quantization", Value::Unset)
            .with("seed", -1)
            .with("cuda-graph-sizes", "1 2 4")
            .with("env.OMP_NUM_THREADS", 2)
    };
    let commands = render_all(&[
        ("defaults", a(EngineKind::Vllm)),
        (
            "tuned",
            tuned()
                .args(&["--trust-remote-code", "--seed", "7"])
                .env("HF_HOME", "/cache"),
        ),
        ("in the usual image", tuned().docker()),
        (
            "in an image of one's own",
            a(EngineKind::Vllm).docker().settings(|settings| {
                settings.image = Some("host:5000/vllm:old".into());
                settings.image_tag = Some("new".into());
                settings.ready_path = Some("/ready".into());
                settings.start_timeout = Some(std::time::Duration::from_secs(5));
            }),
        ),
    ]);
    insta::assert_snapshot!(commands);
}

#[test]
fn sglang_commands() {
    let tuned = || {
        a(EngineKind::Sglang)
            .with("tensor-parallel-size", 4)
            .with("dp-size", 2)
            .with("mem_fraction_static", 0.85)
            .with("disable-radix-cache", true)
            .with("disable-cuda-graph", false)
            .with("chunked-prefill-size", -1)
            .with("schedule-policy", "lpm")
    };
    let commands = render_all(&[
        ("defaults", a(EngineKind::Sglang)),
        ("tuned", tuned()),
        (
            "copies inside tensor parallelism",
            tuned().with("enable-dp-attention", true),
        ),
        (
            "in an image",
            tuned()
                .docker()
                .settings(|settings| settings.image_tag = Some("v0.5.4".into())),
        ),
    ]);
    insta::assert_snapshot!(commands);
}

#[test]
fn trtllm_commands() {
    let tuned = || {
        a(EngineKind::TensorRtLlm)
            .with("tensor-parallel-size", 2)
            .with("max-batch-size", 64)
            .with("free_gpu_memory_fraction", 0.8)
            .with("enable-chunked-prefill", true)
            .with("trust_remote_code", false)
    };
    let commands = render_all(&[
        ("defaults", a(EngineKind::TensorRtLlm).model("/models/qwen/")),
        ("tuned", tuned()),
        ("in an image", tuned().docker()),
    ]);
    insta::assert_snapshot!(commands);
}

#[test]
fn llamacpp_commands() {
    let tuned = || {
        a(EngineKind::LlamaCpp)
            .model("/models/tiny.gguf")
            .with("-np", 4)
            .with("t", 2)
            .with("cont-batching", false)
            .with("mmap", false)
            .with("flash_attn", true)
            .with("ctk", "q8_0")
            .with("cpu-strict", true)
            .with("predict", -1)
            .with("env.OMP_WAIT_POLICY", "PASSIVE")
    };
    let commands = render_all(&[
        ("from a hub", a(EngineKind::LlamaCpp)),
        ("tuned", tuned().args(&["--no-webui", "-t", "8"])),
        ("in an image", tuned().docker()),
        (
            "in an image with GPUs",
            tuned().with("ngl", "all").with("ts", "3,1,0").docker(),
        ),
    ]);
    insta::assert_snapshot!(commands);
}

#[test]
fn sim_and_custom_commands() {
    let sim = || {
        a(EngineKind::Sim)
            .with("max_num_seqs", 16)
            .with("enable-prefix-caching", true)
            .with("enable-chunked-prefill", false)
            .with("fault", "stall=2")
    };
    let custom = || {
        a(EngineKind::Custom)
            .with("batch_size", 8)
            .with("turbo", true)
            .with("slow", false)
            .with("offset", -3)
            .gpus(1)
    };
    let commands = render_all(&[
        ("simulated", sim()),
        (
            "simulated by this very program",
            sim().settings(|settings| settings.program = Some("/usr/bin/autotuner".into())),
        ),
        ("custom", custom()),
        (
            "custom in an image",
            custom()
                .docker()
                .settings(|settings| settings.image = Some("team/engine:1".into())),
        ),
        (
            "custom in an image with its own entrypoint",
            custom().docker().settings(|settings| {
                settings.image = Some("team/engine:1".into());
                settings.program = None;
            }),
        ),
    ]);
    insta::assert_snapshot!(commands);
}

#[test]
fn a_boolean_is_said_in_the_engines_way() {
    let check = |kind: EngineKind, name: &str, on: &[&str], off: &[&str]| {
        for (value, expected) in [(true, on), (false, off)] {
            assert_eq!(a(kind).with(name, value).tail(), expected, "{name}={value}");
            let text = if value { "true" } else { "False" };
            if kind
                .engine()
                .catalogue()
                .iter()
                .any(|flag| flag.name == name && flag.kind.is_switch())
            {
                assert_eq!(a(kind).with(name, text).tail(), expected, "{name}={text}");
            }
        }
        assert!(a(kind).with(name, Value::Unset).tail().is_empty());
    };
    let vllm = EngineKind::Vllm;
    check(
        vllm,
        "enable-prefix-caching",
        &["--enable-prefix-caching"],
        &["--no-enable-prefix-caching"],
    );
    check(
        vllm,
        "enable_chunked_prefill",
        &["--enable-chunked-prefill"],
        &["--no-enable-chunked-prefill"],
    );
    check(
        vllm,
        "no-enable-prefix-caching",
        &["--no-enable-prefix-caching"],
        &["--enable-prefix-caching"],
    );
    check(vllm, "enforce-eager", &["--enforce-eager"], &[]);
    check(vllm, "no-enforce-eager", &[], &["--enforce-eager"]);
    check(vllm, "use-tqdm-on-load", &[], &["--no-use-tqdm-on-load"]);
    check(
        vllm,
        "disable-cascade-attn",
        &["--disable-cascade-attn"],
        &["--no-disable-cascade-attn"],
    );
    check(vllm, "disable-log-stats", &["--disable-log-stats"], &[]);
    check(vllm, "some-new-switch", &["--some-new-switch"], &[]);
    check(
        EngineKind::Sglang,
        "disable-radix-cache",
        &["--disable-radix-cache"],
        &[],
    );
    check(
        EngineKind::TensorRtLlm,
        "enable-chunked-prefill",
        &["--enable_chunked_prefill"],
        &[],
    );
    let llama = EngineKind::LlamaCpp;
    check(llama, "cont-batching", &[], &["--no-cont-batching"]);
    check(llama, "nocb", &["--no-cont-batching"], &[]);
    check(llama, "nkvo", &["--no-kv-offload"], &[]);
    check(llama, "no-mmap", &["--no-mmap"], &[]);
    check(llama, "kvu", &["--kv-unified"], &["--no-kv-unified"]);
    check(llama, "fa", &["--flash-attn", "on"], &["--flash-attn", "off"]);
    check(
        llama,
        "cpu-strict",
        &["--cpu-strict", "1"],
        &["--cpu-strict", "0"],
    );
    check(llama, "mlock", &["--mlock"], &[]);
    check(llama, "ui", &[], &["--no-webui"]);
    check(
        EngineKind::Sim,
        "enable-prefix-caching",
        &[],
        &["--no-enable-prefix-caching"],
    );
}

#[test]
fn a_candidates_flag_replaces_a_fixed_one() {
    let check = |case: Case, expected: &[&str]| assert_eq!(case.tail(), expected, "{case:?}");
    let llama = || a(EngineKind::LlamaCpp).args(&["-t", "8", "--metrics", "--keep", "-1", "--log-file=x"]);
    check(llama(), &["-t", "8", "--metrics", "--keep", "-1", "--log-file=x"]);
    check(
        llama().with("threads", 2),
        &["--metrics", "--keep", "-1", "--log-file=x", "--threads", "2"],
    );
    check(
        llama().with("log_file", "y"),
        &["-t", "8", "--metrics", "--keep", "-1", "--log-file", "y"],
    );
    check(
        llama().with("metrics", false),
        &["-t", "8", "--keep", "-1", "--log-file=x"],
    );
    check(
        llama().with("keep", Value::Unset),
        &["-t", "8", "--metrics", "--log-file=x"],
    );
    let vllm = || {
        a(EngineKind::Vllm).args(&[
            "--no-enable-prefix-caching",
            "-tp",
            "2",
            "--cuda-graph-sizes",
            "1",
            "2",
        ])
    };
    check(
        vllm()
            .with("enable-prefix-caching", true)
            .with("cuda-graph-sizes", 4),
        &["-tp", "2", "--cuda-graph-sizes", "4", "--enable-prefix-caching"],
    );
    let custom = || a(EngineKind::Custom).args(&["--batch", "4", "plain"]);
    check(custom().with("batch", 8), &["plain", "--batch", "8"]);
}

#[test]
fn gpus_follow_from_the_parallel_sizes() {
    let check = |case: Case, expected: u32| assert_eq!(case.plan().gpus, expected, "{case:?}");
    let vllm = || a(EngineKind::Vllm);
    check(vllm(), 1);
    check(vllm().with("tp", 2).with("data-parallel-size", 4), 8);
    check(vllm().args(&["--tensor-parallel-size=4"]), 4);
    check(vllm().args(&["-tp", "4"]).with("tensor_parallel_size", 2), 2);
    check(vllm().with("tp", "2"), 2);
    check(vllm().with("tensor-parallel", 2), 2);
    check(vllm().with("tp", 2).with("dcp", 2), 2);
    check(vllm().with("tp", 8).with("dcp", 4).with("pp", 2), 16);
    check(vllm().with("tp", 2).with("pcp", 2).with("dcp", 4), 4);
    check(vllm().with("dp", 4).with("dpl", 2).with("tp", 2), 4);
    check(vllm().with("dp", 4).with("ep", true), 4);
    check(vllm().with("tp", 2).with("pp", 2).with("dp", 2).with("dcp", 2), 8);
    check(vllm().with("tp", 2).gpus(8), 8);
    check(vllm().with("tp", 2).gpus(0), 0);
    check(vllm().args(&["--device", "cpu"]), 0);
    check(a(EngineKind::Sglang).with("tp-size", 4).with("dp-size", 2), 8);
    check(a(EngineKind::Sglang).with("tp", 8).with("ep", 4), 8);
    check(
        a(EngineKind::Sglang).with("tp", 2).with("pp", 2).with("dp", 3),
        12,
    );
    let attention = |switch: bool| a(EngineKind::Sglang).with("enable-dp-attention", switch);
    check(attention(true).with("tp", 8).with("dp", 8), 8);
    check(attention(true).with("tp", 4).with("pp", 2).with("dp", 2), 8);
    check(attention(false).with("tp", 4).with("dp", 2), 8);
    check(attention(true).with("tp", 4), 4);
    check(
        a(EngineKind::Sglang)
            .with("tp-size", 4)
            .with("dp-size", 2)
            .args(&["--enable-dp-attention"]),
        4,
    );
    check(
        a(EngineKind::TensorRtLlm).with("tp_size", 2).with("pp_size", 2),
        4,
    );
    let tensorrt = || a(EngineKind::TensorRtLlm);
    check(tensorrt().with("tp", 4).with("ep_size", 4), 4);
    check(tensorrt().with("tp", 4).with("cp", 2).with("pp", 2), 16);
    check(
        tensorrt()
            .with("tp", 8)
            .with("ep", 2)
            .with("moe_cluster_parallel_size", 2),
        8,
    );
    let llama = || a(EngineKind::LlamaCpp);
    check(llama(), 0);
    check(llama().with("n-gpu-layers", 0), 0);
    check(llama().with("n-gpu-layers", 99), 1);
    check(llama().with("ngl", "auto").with("ts", "1,1"), 2);
    check(llama().with("ngl", 9).with("dev", "CUDA0,CUDA1"), 2);
    check(llama().with("ngl", 9).with("ts", "1,1").with("sm", "none"), 1);
    check(llama().gpus(3), 3);
    check(a(EngineKind::Sim).with("tensor-parallel-size", 4), 0);
    check(a(EngineKind::Custom), 0);
}

#[test]
fn the_candidates_environment_lies_over_the_tasks() {
    let check = |case: Case, expected: &[(&str, &str)]| {
        let env = case.plan().env;
        let env: Vec<(&str, &str)> = env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(env, expected, "{case:?}");
    };
    let fixed = || {
        a(EngineKind::LlamaCpp)
            .env("A", "1")
            .env("LD_LIBRARY_PATH", "/opt/lib")
    };
    check(fixed(), &[("A", "1"), ("LD_LIBRARY_PATH", "/opt/lib")]);
    check(
        fixed().with("env.A", 2).with("env.B", true),
        &[("A", "2"), ("B", "true"), ("LD_LIBRARY_PATH", "/opt/lib")],
    );
    check(
        fixed().with("env.A", Value::Unset),
        &[("LD_LIBRARY_PATH", "/opt/lib")],
    );
}

#[test]
fn every_listed_flag_can_be_set() {
    use crate::engine::catalogue::FlagKind;
    const SIZES: [&str; 11] = [
        "tensor-parallel-size",
        "pipeline-parallel-size",
        "data-parallel-size",
        "decode-context-parallel-size",
        "tp-size",
        "pp-size",
        "dp-size",
        "ep-size",
        "tp_size",
        "pp_size",
        "cp_size",
    ];
    for kind in EngineKind::ALL {
        let mut names: Vec<&str> = Vec::new();
        for flag in kind.engine().catalogue() {
            let value = match flag.kind {
                // One GPU is what every engine takes anyway, and not said.
                FlagKind::Integer if SIZES.contains(&flag.name) => Value::Int(2),
                FlagKind::Integer | FlagKind::Number | FlagKind::Text | FlagKind::List => Value::Int(1),
                FlagKind::Choice(words) if words[0] == flag.default => words[1].into(),
                FlagKind::Choice(words) => words[0].into(),
                FlagKind::Switch
                | FlagKind::Toggle
                | FlagKind::DefaultOn
                | FlagKind::DefaultOff
                | FlagKind::OnOff
                | FlagKind::OneZero => Value::Bool(true),
            };
            let mut case = a(kind).with(flag.name, value);
            if flag.name == "decode-context-parallel-size" {
                case = case.with("tensor-parallel-size", 2);
            }
            if flag.name == "ep-size" {
                case = case.with("tp-size", 2);
            }
            let tail = case.tail();
            let spelt = format!("--{}", flag.name);
            assert_eq!(
                tail.first(),
                (flag.kind != FlagKind::DefaultOn).then_some(&spelt),
                "{flag:?}"
            );
            assert!(!flag.help.is_empty() && !names.contains(&flag.name), "{flag:?}");
            names.push(flag.name);
        }
        assert_eq!(names.is_empty(), kind == EngineKind::Custom, "{kind:?}");
    }
}
