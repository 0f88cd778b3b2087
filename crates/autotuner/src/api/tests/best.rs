//! The best configuration, ready to be used.

use autotuner_core::experiment::LaunchFacts;
use autotuner_core::lifecycle::TaskMove;
use serde_json::{Value, json};

use super::support::{document, image, launched, of};
use crate::api::testing::TestService;

#[tokio::test]
async fn what_nobody_has_measured_is_not_there() {
    let test = TestService::start().await;
    let id = test.made("fresh").await;
    let told = test.get(&of(id, "/best")).await.is(404).json();
    assert_eq!(
        told["detail"],
        "Task 1 has no best configuration: no experiment of its current run has succeeded"
    );
}

#[tokio::test]
async fn a_local_engine_is_told_as_it_was_started_and_as_a_container() {
    let test = TestService::start().await;
    let id = test.made("Local one").await;
    test.ran(id).await;
    let command = test.get(&of(id, "/best")).await.is(200);
    assert_eq!(command.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(
        command.text,
        "A='b c' HF_TOKEN=\"$HF_TOKEN\" /usr/bin/autotuner sim-engine --port 40001 --text 'it'\\''s $5'\n"
    );
    let docker = test.get(&of(id, "/best?format=docker")).await.is(200).text;
    assert!(
        docker.starts_with("docker run --rm --publish=127.0.0.1:8000:8000"),
        "{docker}"
    );
    assert!(docker.contains("'--gpus=\"device=GPU-1\"'"), "{docker}");
    assert!(
        docker.contains(" inference-autotuner/sim-engine:latest "),
        "{docker}"
    );
    assert!(docker.contains("--max-num-seqs 8"), "{docker}");
    let compose = test.get(&of(id, "/best?format=compose")).await.is(200);
    assert_eq!(compose.headers["content-type"], "application/yaml");
    assert!(
        compose.text.starts_with("# Measured as a local process"),
        "{}",
        compose.text
    );
    let read: Value = serde_saphyr::from_str(&compose.text).expect("YAML");
    assert_eq!(
        read["services"]["engine"]["image"],
        "inference-autotuner/sim-engine:latest"
    );
    let manifest = test.get(&of(id, "/best?format=kubernetes")).await.is(200);
    assert!(manifest.text.contains("kind: 'Deployment'"), "{}", manifest.text);
    assert!(manifest.text.contains("name: 'local-one'"), "{}", manifest.text);
}

#[tokio::test]
async fn a_container_is_told_as_it_was_started() {
    let test = TestService::start().await;
    let mut contained = document("Contained");
    contained["deployment_mode"] = "docker".into();
    contained["base_runtime"] = "vllm".into();
    contained["model"] = json!({"id_or_path": "/models/qwen"});
    let id = test.made_of(contained).await;
    let claim = test.claimed(id).await;
    let words = ["vllm", "serve", "/models/qwen", "--max-num-seqs", "8"];
    let launch = LaunchFacts {
        command: words.map(str::to_owned).to_vec(),
        image: Some(image()),
        ..launched()
    };
    test.measured(&claim, Some(8), 1.0, launch).await;
    test.ended(&claim, TaskMove::Complete).await;
    let docker = test.get(&of(id, "/best?format=docker")).await.is(200).text;
    assert!(
        docker.ends_with("--entrypoint=vllm some/image@sha256:02 serve /models/qwen --max-num-seqs 8\n"),
        "{docker}"
    );
    assert!(
        docker.contains("--mount=type=bind,source=/models/qwen,target=/models/qwen,readonly"),
        "{docker}"
    );
    let compose = test.get(&of(id, "/best?format=compose")).await.is(200).text;
    assert!(!compose.contains("Measured as"), "{compose}");
    let read: Value = serde_saphyr::from_str(&compose).expect("YAML");
    let engine = &read["services"]["engine"];
    assert_eq!(
        engine["command"],
        json!(["serve", "/models/qwen", "--max-num-seqs", "8"])
    );
    let command = test.get(&of(id, "/best?format=command")).await.is(200).text;
    assert!(
        command.starts_with("vllm serve /models/qwen --host 127.0.0.1 --port 8000"),
        "{command}"
    );
}
