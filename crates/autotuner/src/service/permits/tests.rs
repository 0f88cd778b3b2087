//! One table: who asks for what, and what is said of it.

use serde_json::{Value, json};

use super::*;

fn document(engine: &str) -> Value {
    json!({
        "task_name": "t",
        "base_runtime": engine,
        "model": {"id_or_path": "org/name"},
        "parameters": {},
        "optimization": {},
        "benchmark": {},
    })
}

fn permits() -> Permits {
    Permits {
        programs: vec!["/opt/llama/llama-server".into(), "registry.example/own:1".into()],
        directories: vec!["/models".into(), "/more/models".into()],
    }
}

/// What is said to somebody of this role, path and message of each problem.
fn said(document: &Value, role: Role) -> Vec<String> {
    let parsed = TaskSpec::from_value(document).expect("a sound document");
    let task = parsed.spec.resolve().expect("a sound task");
    let problems = check(&parsed.spec, &task, role, &permits());
    problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.message))
        .collect()
}

/// Operators are refused at this place, admins are not.
#[track_caller]
fn for_admins_only(document: &Value, path: &str) {
    let problems = said(document, Role::Operator);
    assert!(
        problems.len() == 1 && problems[0].starts_with(&format!("{path}: ")),
        "{path}: {problems:?}"
    );
    assert_eq!(said(document, Role::Admin), [""; 0], "{path}");
}

#[track_caller]
fn for_everybody(document: &Value) {
    assert_eq!(said(document, Role::Operator), [""; 0], "{document}");
}

#[test]
fn rights_and_secrets_of_a_cluster_are_for_admins_and_volumes_are_not() {
    let with = |key: &str, value: Value| {
        let mut document = document("vllm");
        document["deployment_mode"] = "kubernetes".into();
        document["kubernetes"] = json!({ key: value });
        document
    };
    for_admins_only(&with("service_account", "a".into()), "kubernetes.service_account");
    for_admins_only(&with("hub_token", json!({"secret": "s"})), "kubernetes.hub_token");
    for_admins_only(
        &with("image_pull_secrets", json!(["s"])),
        "kubernetes.image_pull_secrets",
    );
    for_admins_only(&with("priority_class", "p".into()), "kubernetes.priority_class");
    let service = |service: Value| with("service", service);
    for_everybody(&service(json!({ "kind": "ome", "runtime": "r", "model": "m" })));
    for_everybody(&service(json!({ "kind": "kserve", "model": "hf://org/name" })));
    for_admins_only(
        &service(json!({ "kind": "kserve", "model": "s3://bucket/model" })),
        "kubernetes.service.model",
    );
    for_admins_only(
        &service(json!({ "kind": "ome", "annotations": { "a": "b" } })),
        "kubernetes.service.annotations",
    );
    let mut made = service(json!({ "kind": "ome" }));
    made["clusterbasemodel_config"] = json!({ "preset": "deepseek-v3" });
    for_admins_only(&made, "clusterbasemodel_config");
    let mut claimed = with("runtime_class", "nvidia".into());
    claimed["storage"] = json!({"type": "pvc", "pvc_name": "c", "mount_path": "/in/pod"});
    claimed["model"]["id_or_path"] = "/in/pod/llama".into();
    for_everybody(&claimed);
    claimed["model"]["id_or_path"] = "/in/pod/../secret".into();
    for_admins_only(&claimed, "model.id_or_path");
}

fn with(engine: &str, pointer: &str, value: Value) -> Value {
    let mut document = document(engine);
    let mut place = &mut document;
    for key in pointer.split('/').filter(|key| !key.is_empty()) {
        place = &mut place[key];
    }
    *place = value;
    document
}

#[test]
fn programs_are_those_that_are_listed() {
    let named = |program: &str| {
        let mut document = with("llamacpp", "/engine/program", json!(program));
        document["deployment_mode"] = "local".into();
        document["model"]["id_or_path"] = "/models/a.gguf".into();
        document
    };
    for_everybody(&named("/opt/llama/llama-server"));
    for program in [
        "/bin/sh",
        "llama-server",
        "/opt/llama/../llama/llama-server",
        "sh",
    ] {
        for_admins_only(&named(program), "engine.program");
    }
    let custom = |image: &str| {
        let mut document = with("custom", "/engine/image", json!(image));
        document["engine"]["args"] = json!(["--port", "{port}"]);
        document
    };
    for_everybody(&custom("registry.example/own:1"));
    for_admins_only(&custom("registry.example/own:2"), "engine.image");
    for_everybody(&with("vllm", "/engine/image", json!("registry.example/vllm:1")));
}

#[test]
fn data_sets_and_traces_are_of_the_web_or_below_the_directories() {
    for (place, is_allowed) in [
        ("https://example.com/a.json", true),
        ("http://example.com/a.json", true),
        ("a.csv", true),
        ("sets/a.csv", true),
        ("/models/a.csv", true),
        ("file:///more/models/a.csv", true),
        ("/etc/passwd", false),
        ("file:///etc/passwd", false),
        ("file://localhost/etc/passwd", false),
        ("/models/../etc/passwd", false),
        ("../a.csv", false),
        ("sets/../../a.csv", false),
        ("./a.csv", false),
        ("~/a.csv", true),
    ] {
        let dataset = with("vllm", "/benchmark/dataset_url", json!(place));
        let arrival = json!({ "type": "trace", "trace": place });
        let trace = with("vllm", "/benchmark/arrival", arrival);
        match is_allowed {
            true => {
                for_everybody(&dataset);
                for_everybody(&trace);
            }
            false => {
                for_admins_only(&dataset, "benchmark.dataset_url");
                for_admins_only(&trace, "benchmark.arrival.trace");
            }
        }
    }
}

#[test]
fn models_are_of_a_hub_or_below_the_directories() {
    let check = |engine: &str, model: &str, is_allowed: bool| {
        let document = with(engine, "/model/id_or_path", json!(model));
        match is_allowed {
            true => for_everybody(&document),
            false => for_admins_only(&document, "model.id_or_path"),
        }
    };
    check("vllm", "Qwen/Qwen2.5-7B-Instruct", true);
    check("vllm", "qwen", true);
    check("vllm", "/models/qwen", true);
    check("vllm", "/more/models/a/b", true);
    check("vllm", "/models/../etc", false);
    check("vllm", "/models-of-others/a", false);
    check("vllm", "/etc", false);
    check("vllm", "./a", false);
    check("vllm", "../a", false);
    check("vllm", "..", false);
    check("vllm", "../..", false);
    check("vllm", "~/a", false);
    check("vllm", "a/b/c", false);
    check("vllm", ".ssh/id", false);
    check("llamacpp", "/models/a.gguf", true);
    check("llamacpp", "a.gguf", true);
    check("llamacpp", "org/a.gguf", false);
    check("sim", "anything/at/all", true);
    check("sim", "/etc/passwd", false);
}

#[test]
fn dangerous_flags_are_for_admins_as_parameters_and_as_arguments() {
    let check = |engine: &str, flag: &str, value: Value| {
        let parameter = with(engine, &format!("/parameters/{flag}"), json!([value]));
        for_admins_only(&parameter, &format!("parameters.{flag}"));
        let dashed = format!("--{}", flag.trim_start_matches('-'));
        let mut arguments = vec![json!(dashed)];
        if let Value::String(text) = &value {
            arguments.push(json!(text));
        }
        for_admins_only(&with(engine, "/engine/args", json!(arguments)), "engine.args[0]");
    };
    for flag in [
        "trust-remote-code",
        "trust_remote_code",
        "trust-remote",
        "trust",
        "enable-custom-logit-processor",
    ] {
        check("vllm", flag, json!(true));
    }
    for flag in [
        "chat-template",
        "tool-parser-plugin",
        "middleware",
        "worker-cls",
        "worker-extension-cls",
        "scheduler-cls",
        "logits-processor-pattern",
        "download-dir",
        "log-config-file",
        "config",
        "ssl-ca-certs",
        "kv-transfer-config",
        "hf-overrides.auto_map",
        "load-format",
        "distributed-executor-backend",
        "lora-modules",
        "allowed-local-media-path",
    ] {
        check("vllm", flag, json!("x"));
    }
    for flag in [
        "custom-weight-loader",
        "chat-template",
        "json-model-override-args",
        "load-format",
        "hicache-storage-backend",
        "crash-dump-folder",
    ] {
        check("sglang", flag, json!("x"));
    }
    for flag in [
        "slot-save-path",
        "path",
        "lora",
        "chat-template-file",
        "lcs",
        "log-file",
    ] {
        let mut document = with("llamacpp", "/model/id_or_path", json!("a.gguf"));
        document["parameters"][flag] = json!(["x"]);
        for_admins_only(&document, &format!("parameters.{flag}"));
    }
    check("tensorrt-llm", "extra_llm_api_options", json!("x"));
    check("tensorrt-llm", "custom_module_dirs", json!("x"));
}

#[test]
fn what_is_tuned_every_day_is_for_everybody() {
    let check = |engine: &str, flag: &str, value: Value| {
        let mut document = with(engine, "/model/id_or_path", json!("a"));
        document["parameters"][flag] = json!([value]);
        for_everybody(&document);
    };
    check("vllm", "max-num-seqs", json!(8));
    check("vllm", "load-format", json!("safetensors"));
    check("vllm", "distributed-executor-backend", json!("ray"));
    check("vllm", "enable-prefix-caching", json!(true));
    check("vllm", "tokenizer-mode", json!("slow"));
    check("vllm", "compilation-config", json!("{\"level\": 3}"));
    check("vllm", "speculative-config", json!("{\"method\": \"ngram\"}"));
    check("sglang", "mem-fraction-static", json!(0.8));
    check("sglang", "attention-backend", json!("fa3"));
    check("llamacpp", "chat-template", json!("chatml"));
    check("llamacpp", "override-tensor", json!(r"blk\..*=CPU"));
    check("vllm", "env.OMP_WAIT_POLICY", json!("ACTIVE"));
    check("vllm", "env.PYTHONUNBUFFERED", json!("1"));
    check("sim", "max-num-seqs", json!(4));
}

#[test]
fn values_reach_no_other_files_and_no_code() {
    let check = |flag: &str, value: &str| {
        let document = with("vllm", &format!("/parameters/{flag}"), json!([value]));
        for_admins_only(&document, &format!("parameters.{flag}"));
    };
    check("tokenizer", "/etc/passwd");
    check("tokenizer", "../x");
    check("generation-config", "~/x");
    check("anything", "file:///etc/passwd");
    check("anything", "name=/etc/passwd");
    check("anything", "/models/../etc/passwd");
    check("speculative-config", "{\"model\": \"/etc/x\"}");
    check("speculative-config", "{\"trust_remote_code\": true}");
    check(
        "speculative-config",
        "{\"a\": [{\"kv_connector_module_path\": \"x\"}]}",
    );
    for_everybody(&with("vllm", "/parameters/tokenizer", json!(["/models/qwen"])));
    for_everybody(&with("vllm", "/parameters/tokenizer", json!(["org/name"])));
    let positional = with(
        "vllm",
        "/engine/args",
        json!(["--max-num-seqs", "8", "/etc/passwd"]),
    );
    for_admins_only(&positional, "engine.args[0]");
}

#[test]
fn variables_choose_no_code_and_no_hosts() {
    for name in [
        "PATH",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "BASH_ENV",
        "LD_LIBRARY_PATH",
        "HF_ENDPOINT",
        "https_proxy",
        "SSL_CERT_FILE",
        "VLLM_PLUGINS",
        "LLAMA_ARG_SLOT_SAVE_PATH",
        "LLAMA_ARG_CHAT_TEMPLATE_FILE",
        "NCCL_NET_PLUGIN",
    ] {
        let document = with("vllm", &format!("/engine/env/{name}"), json!("x"));
        for_admins_only(&document, &format!("engine.env.{name}"));
    }
    let elsewhere = with("vllm", "/engine/env/SOME_FILE", json!("/etc/passwd"));
    for_admins_only(&elsewhere, "engine.env.SOME_FILE");
    for_everybody(&with("vllm", "/engine/env/HF_TOKEN", json!("/hf=:x")));
    for_everybody(&with("vllm", "/engine/env/OMP_NUM_THREADS", json!("4")));
}

#[test]
fn address_and_keys_are_nobody_s() {
    let spec = |engine: &str, arguments: Value| with(engine, "/engine/args", arguments);
    // What an engine refuses by itself never comes this far.
    for arguments in [
        json!(["--hf-token", "hf_1"]),
        json!(["--hf-token=hf_1"]),
        json!(["-hft", "x"]),
    ] {
        let mut document = spec("llamacpp", arguments);
        document["model"]["id_or_path"] = "a.gguf".into();
        for role in [Role::Operator, Role::Admin] {
            let problems = said(&document, role);
            assert!(
                problems.len() == 1 && problems[0].contains("nobody's to set"),
                "{problems:?}"
            );
        }
    }
    let secret = with("vllm", "/parameters", json!({"env.HF_TOKEN": ["hf_1"]}));
    let problems = said(&secret, Role::Admin);
    assert!(problems[0].contains("reads like a secret"), "{problems:?}");
    assert!(!problems[0].contains("hf_1"), "{problems:?}");
}
