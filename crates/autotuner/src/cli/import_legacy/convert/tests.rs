//! What becomes of single tasks and experiments.

use super::*;

fn legacy(change: impl FnOnce(&mut LegacyTask)) -> LegacyTask {
    let mut task = LegacyTask {
        id: 1,
        name: "old".into(),
        description: None,
        status: TaskStatus::Completed,
        base_runtime: "vllm".into(),
        runtime_image_tag: None,
        deployment_mode: Some("docker".into()),
        model: json!({"id_or_path": "m/m"}),
        parameters: json!({"max-num-seqs": [1, 2]}),
        optimization: json!({"strategy": "grid_search"}),
        benchmark: json!({"max_time_per_iteration": 2}),
        slo: None,
        quant_config: None,
        parallel_config: None,
        metadata: None,
        total_experiments: None,
        successful_experiments: None,
        best_experiment: None,
        created_at_ms: Some(1_000),
        started_at_ms: Some(2_000),
        completed_at_ms: None,
        elapsed_seconds: None,
        experiments: Vec::new(),
    };
    change(&mut task);
    task
}

fn old_experiment(status: ExperimentStatus) -> LegacyExperiment {
    LegacyExperiment {
        id: 7,
        number: 1,
        parameters: json!({"--max-num-seqs": 2, "__parallel__tp": 2, "odd": [1]}),
        status,
        error_message: None,
        metrics: None,
        objective_score: Some(f64::INFINITY),
        gpu_info: None,
        created_at_ms: Some(3_000),
        started_at_ms: None,
        completed_at_ms: None,
        elapsed_seconds: Some(1.5),
    }
}

#[test]
fn statuses_end_where_nobody_goes_on() {
    let check = |status, has_experiments: bool, expected, because: Option<&str>| {
        let task = task(
            &legacy(|task| {
                task.status = status;
                if has_experiments {
                    task.experiments = vec![old_experiment(ExperimentStatus::Success)];
                }
            }),
            "new",
            false,
        )
        .task;
        assert_eq!((task.status, task.ended_because.as_deref()), (expected, because));
        assert_eq!(task.started_at_ms.is_some(), expected.is_ended());
        assert_eq!(task.completed_at_ms.is_some(), expected.is_ended());
    };
    use TaskStatus as S;
    check(S::Completed, true, S::Completed, None);
    check(S::Cancelled, false, S::Cancelled, None);
    check(S::Pending, false, S::Pending, None);
    check(S::Pending, true, S::Failed, Some(WAS_WAITING));
    check(S::Running, true, S::Failed, Some(WAS_RUNNING));
}

#[test]
fn experiments_end_and_keep_what_was_tried() {
    let one = experiment(&old_experiment(ExperimentStatus::Benchmarking), 0);
    assert!(!one.is_success);
    assert_eq!((one.started_at_ms, one.ended_at_ms), (3_000, 4_500));
    assert_eq!(one.foreign.error_message.as_deref(), Some(WAS_RUNNING));
    assert_eq!(one.foreign.objective_score, None);
    assert_eq!(
        Value::Object(one.candidate.to_json()),
        json!({"max-num-seqs": 2, "__parallel__tp": 2, "odd": "[1]"})
    );
}

#[test]
fn documents_are_read_by_todays_rules_or_kept_word_for_word() {
    let good = task(&legacy(|_| {}), "new", true);
    assert!(good.is_startable && good.has_time);
    assert_eq!(good.task.task.name, "new");
    assert_eq!(good.task.task.document["task_name"], "new");
    assert_eq!(
        good.task.task.document["benchmark"]["max_time_per_iteration"].as_f64(),
        Some(120.0)
    );
    let odd = task(
        &legacy(|task| {
            task.base_runtime = "my-own-engine".into();
            task.optimization = json!({"objective": "balanced", "max_iterations": 9});
        }),
        "new",
        false,
    );
    assert!(!odd.is_startable);
    assert!(
        odd.notes.iter().any(|note| note.contains("balanced")),
        "{:?}",
        odd.notes
    );
    let kept = odd.task.task;
    assert_eq!(
        (kept.base_runtime.as_str(), kept.max_iterations),
        ("my-own-engine", 9)
    );
    assert_eq!(kept.document["optimization"]["objective"], "balanced");
}

#[test]
fn names_go_on_for_ever() {
    let first: Vec<String> = names("a").take(3).collect();
    assert_eq!(first, ["a", "a-imported", "a-imported-2"]);
}
