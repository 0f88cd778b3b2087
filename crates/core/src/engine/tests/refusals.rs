//! What is refused before anything is started, and what the user is told.

use super::*;

/// The one problem of a case: where it is, and words that its text must hold.
fn check(case: &Case, path: &str, words: &str) {
    let problems = case.try_plan().expect_err(&format!("{case:?}"));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].path, path, "{problems:?}");
    assert!(
        problems[0].to_string().contains(words),
        "{} does not say {words:?}",
        problems[0]
    );
}

#[test]
fn what_the_product_sets_is_not_for_users() {
    for (kind, names) in [
        (
            EngineKind::Vllm,
            vec![
                "host",
                "port",
                "model",
                "served_model_name",
                "api-key",
                "ssl-keyfile",
                "por",
            ],
        ),
        (
            EngineKind::Sglang,
            vec![
                "host",
                "port",
                "model-path",
                "served-model-name",
                "api_key",
                "served",
            ],
        ),
        (
            EngineKind::TensorRtLlm,
            vec!["host", "port", "model", "served_model_name", "grpc"],
        ),
        (
            EngineKind::LlamaCpp,
            vec!["host", "port", "m", "hf", "a", "alias", "api-key", "h", "version"],
        ),
        (
            EngineKind::Sim,
            vec!["host", "port", "model", "served-model-name"],
        ),
        (EngineKind::Custom, vec!["host", "port", "weights", "listen"]),
    ] {
        for name in names {
            check(
                &a(kind).with(name, "x"),
                &format!("parameters.{name}"),
                "by the product",
            );
        }
    }
    check(
        &a(EngineKind::LlamaCpp).args(&["--port", "80"]),
        "engine.args",
        "--port",
    );
    check(
        &a(EngineKind::LlamaCpp).args(&["-m", "x"]),
        "engine.args",
        "--model",
    );
    check(
        &a(EngineKind::Vllm).args(&["--port=80"]),
        "engine.args",
        "the product chooses the address",
    );
    check(
        &a(EngineKind::Vllm).with("env.VLLM_API_KEY", "x"),
        "parameters.env.VLLM_API_KEY",
        "by the product",
    );
    check(
        &a(EngineKind::LlamaCpp).env("LLAMA_ARG_PORT", "1"),
        "engine.env.LLAMA_ARG_PORT",
        "by the product",
    );
    a(EngineKind::LlamaCpp).with("no-host", true).plan();
}

#[test]
fn two_names_of_one_flag_are_one_too_many() {
    let pair = |kind: EngineKind, first: &str, second: &str| {
        check(
            &a(kind).with(first, 1).with(second, 1),
            &format!("parameters.{second}"),
            "same flag",
        );
    };
    pair(EngineKind::LlamaCpp, "np", "parallel");
    pair(EngineKind::LlamaCpp, "ubatch-size", "ub");
    pair(EngineKind::LlamaCpp, "c", "ctx_size");
    pair(EngineKind::Vllm, "tp", "tensor-parallel-size");
    pair(EngineKind::Sglang, "tp-size", "tensor_parallel_size");
    pair(
        EngineKind::TensorRtLlm,
        "kv_cache_free_gpu_memory_fraction",
        "free_gpu_memory_fraction",
    );
    pair(EngineKind::Custom, "batch_size", "batch-size");
    let both = a(EngineKind::Vllm)
        .with("enable-prefix-caching", true)
        .with("no-enable-prefix-caching", true);
    check(&both, "parameters.no-enable-prefix-caching", "same flag");
}

#[test]
fn values_that_cannot_be_passed_are_refused() {
    let parameter = |kind: EngineKind, value: &str, words: &str| {
        check(&a(kind).with("some-flag", value), "parameters.some-flag", words);
    };
    for kind in EngineKind::ALL {
        parameter(kind, "a\nb", "control character");
        parameter(kind, "a\0b", "control character");
    }
    parameter(EngineKind::LlamaCpp, "--api-key", "begins with a dash");
    parameter(EngineKind::LlamaCpp, "-inf", "begins with a dash");
    check(
        &a(EngineKind::Sglang).with("cuda-graph-bs", "1 --port 2"),
        "parameters.cuda-graph-bs",
        "one or more values",
    );
    check(
        &a(EngineKind::Sglang).with("cuda-graph-bs", " "),
        "parameters.cuda-graph-bs",
        "one or more values",
    );
    check(
        &a(EngineKind::Vllm).with("max-num-seqs", true),
        "parameters.max-num-seqs",
        "takes a value",
    );
    check(
        &a(EngineKind::Vllm).with("enforce-eager", "ture"),
        "parameters.enforce-eager",
        "write true",
    );
    check(
        &a(EngineKind::Vllm).with("enforce-eager", 7),
        "parameters.enforce-eager",
        "on or off",
    );
    for name in ["a b", "x=1", "", "ä", "1", "_x", "a;b"] {
        check(
            &a(EngineKind::Vllm).with(name, 1),
            &format!("parameters.{name}"),
            "not the name of a flag",
        );
    }
    check(
        &a(EngineKind::Vllm).args(&["a\nb"]),
        "engine.args[0]",
        "control character",
    );
    check(
        &a(EngineKind::Vllm).args(&["--x", "--"]),
        "engine.args[1]",
        "leave it out",
    );
}

#[test]
fn the_environment_is_kept_from_running_other_code() {
    let tuned = |name: &str, words: &str| {
        check(
            &a(EngineKind::Sim).with(&format!("env.{name}"), "x"),
            &format!("parameters.env.{name}"),
            words,
        );
    };
    for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "BASH_ENV"] {
        tuned(name, "which code");
    }
    tuned("CUDA_VISIBLE_DEVICES", "resources.gpus");
    tuned("1A", "not the name of an environment variable");
    tuned("A=B", "not the name of an environment variable");
    tuned("", "not the name of an environment variable");
    check(
        &a(EngineKind::Sim).with("env.A", "a\nb"),
        "parameters.env.A",
        "control character",
    );
    check(
        &a(EngineKind::Sim).with("env.A", 1).with("env.A", 2),
        "parameters.env.A",
        "set twice",
    );
    check(
        &a(EngineKind::Sim).env("LD_PRELOAD", "x"),
        "engine.env.LD_PRELOAD",
        "which code",
    );
    check(
        &a(EngineKind::Sim).env("a b", "x"),
        "engine.env.a b",
        "not the name",
    );
}

#[test]
fn images_programs_and_paths_are_checked() {
    let vllm = || a(EngineKind::Vllm).docker();
    let pinned = |settings: &mut EngineSettings| {
        settings.image = Some("vllm@sha256:01".into());
        settings.image_tag = Some("v1".into());
    };
    check(&vllm().settings(pinned), "runtime_image_tag", "digest");
    check(
        &vllm().settings(|settings| settings.image = Some("a b".into())),
        "engine.image",
        "not an image reference",
    );
    check(&a(EngineKind::Custom).docker(), "engine.image", "no usual image");
    let local = |program: &str| {
        let program = program.to_owned();
        a(EngineKind::Vllm).settings(|settings| settings.program = Some(program))
    };
    check(&local(" "), "engine.program", "is empty");
    check(&local("--x"), "engine.program", "dash");
    check(&a(EngineKind::Vllm).model("--port"), "model.id_or_path", "dash");
    check(&a(EngineKind::Vllm).model(""), "model.id_or_path", "is empty");
    check(
        &a(EngineKind::Vllm).settings(|settings| settings.ready_path = Some("health".into())),
        "engine.ready_path",
        "/health",
    );
}

#[test]
fn sizes_and_gpus_must_fit() {
    check(&a(EngineKind::Vllm).with("tp", 0), "parameters.tp", "no size");
    check(&a(EngineKind::Vllm).with("tp", "two"), "parameters.tp", "no size");
    check(
        &a(EngineKind::Sglang).args(&["--tp", "1.5"]),
        "engine.args",
        "no size",
    );
    let vllm = || a(EngineKind::Vllm);
    check(
        &vllm().with("tp", 4).with("dcp", 3),
        "parameters.dcp",
        "does not divide",
    );
    check(&vllm().with("dcp", 2), "parameters.dcp", "does not divide");
    check(
        &vllm().args(&["--dcp", "3"]).with("tp", 4),
        "engine.args",
        "does not divide",
    );
    check(&vllm().with("dcp", 0), "parameters.dcp", "no size");
    check(
        &vllm().with("dpl", 2),
        "parameters.dpl",
        "more than --data-parallel-size",
    );
    let sglang = || a(EngineKind::Sglang);
    check(
        &sglang()
            .with("tp", 4)
            .with("dp", 3)
            .with("enable-dp-attention", true),
        "parameters.dp",
        "does not divide tp-size of 4",
    );
    check(
        &sglang().with("tp", 2).with("ep", 4),
        "parameters.ep",
        "does not divide",
    );
    check(
        &a(EngineKind::TensorRtLlm)
            .with("tp_size", 4)
            .with("ep_size", 2)
            .with("cluster_size", 4),
        "parameters.cluster_size",
        "ep-size × cluster-size is 8",
    );
    let huge = a(EngineKind::Vllm).with("tp", 4_000_000).with("pp", 4_000_000);
    check(&huge, "parameters.pp", "more GPUs than there are");
    check(
        &a(EngineKind::Vllm).with("tp", 4).gpus(2),
        "resources.gpus",
        "need 4 GPUs",
    );
}

#[test]
fn a_task_says_which_gpus_are_seen_only_where_none_are_held() {
    let named = |kind: EngineKind, name: &str| a(kind).env(name, "1");
    for name in ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"] {
        let path = format!("engine.env.{name}");
        check(&named(EngineKind::Vllm, name), &path, "follows from the GPUs");
        check(
            &named(EngineKind::Custom, name).gpus(1),
            &path,
            "follows from the GPUs",
        );
        let free = named(EngineKind::LlamaCpp, name).plan();
        assert_eq!((free.gpus, free.env[name].as_str()), (0, "1"));
    }
}

#[test]
fn a_custom_engine_needs_a_program_and_a_port() {
    let custom = || a(EngineKind::Custom);
    check(
        &custom().settings(|settings| settings.args.clear()),
        "engine.args",
        "{port}",
    );
    check(
        &custom().settings(|settings| settings.program = None),
        "engine.program",
        "needs a program",
    );
    check(
        &custom().docker().settings(|settings| settings.program = None),
        "engine.image",
        "no usual image",
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let case = a(EngineKind::Vllm)
        .model("")
        .with("port", 1)
        .with("max-num-seqs", true)
        .with("env.PATH", "x")
        .args(&["--host", "x"]);
    let problems = case.try_plan().unwrap_err();
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "model.id_or_path",
            "engine.args",
            "parameters.port",
            "parameters.max-num-seqs",
            "parameters.env.PATH"
        ]
    );
    assert!(
        problems.iter().all(|problem| problem.hint.is_some()),
        "{problems:?}"
    );
}
