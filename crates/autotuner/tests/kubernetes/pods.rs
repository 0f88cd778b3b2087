//! Pods as people see and delete them, by the server's API and the commands that ask it; and what
//! `doctor` and `tune` know of a cluster.

use autotuner_core::experiment::Experiment;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_store::Page;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::field::{Cluster, Field, cluster, long_task};
use crate::interruptions::{create, serve, with_database};
use crate::support::{Finished, wait_for};

/// A pod of somebody else in our namespace, which goes with its test.
struct Foreign<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Foreign<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let name = format!("at-of-others-{}", std::process::id());
        let made = cluster.kubectl(&[
            "run",
            &name,
            "--image",
            &cluster.image,
            "--restart=Never",
            "--labels=inference-autotuner.owner=0b0b0b,inference-autotuner.task=theirs",
            "--command",
            "--",
            "/bin/autotuner",
            "--version",
        ]);
        made.expect("made");
        Self { cluster, name }
    }

    fn is_there(&self) -> bool {
        self.cluster.kubectl(&["get", "pod", &self.name]).is_ok()
    }
}

impl Drop for Foreign<'_> {
    fn drop(&mut self) {
        // It is gone already where somebody was quicker.
        let _ = self.cluster.kubectl(&[
            "delete",
            "pod",
            &self.name,
            "--wait=false",
            "--grace-period=0",
            "--force",
        ]);
    }
}

#[test]
fn a_running_experiments_pod_is_shown_read_and_deleted_and_others_are_not() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let foreign = Foreign::new(&field.cluster);
    let mut task = long_task(&field.cluster, &json!({}));
    // Longer than all that is looked at here.
    task["benchmark"]["max_time_per_iteration"] = json!(40);
    task["benchmark"]["max_requests_per_iteration"] = json!(1_000_000);
    let id = create(&field, &task);
    let mut server = serve(&field);
    let pod = field.wait_for_running_pod(&mut server);
    let pod = pod.strip_prefix("pod/").expect("a pod");
    let pods = |arguments: &[&str]| -> Finished {
        let arguments: Vec<&str> = [&["pods"], arguments].concat();
        field.sandbox.run(&arguments)
    };

    let listed = pods(&["--json"]).expect(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed:#}");
    let one = &listed[0];
    assert_eq!(
        (
            &one["name"],
            &one["state"],
            &one["task_id"],
            &one["experiment_id"],
            &one["attempt"]
        ),
        (&json!(pod), &json!("running"), &json!(id.0), &json!(1), &json!(1)),
        "{one:#}"
    );
    assert_eq!(one["is_needed"], true, "{one:#}");
    let whole = pods(&["show", pod, "--json"]).expect(0).json();
    let reasons: Vec<&str> = whole["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["reason"].as_str())
        .collect();
    assert!(
        reasons.contains(&"Scheduled") && reasons.contains(&"Started"),
        "{whole:#}"
    );

    // The engine's words, and no line of an agent's.
    let log = wait_for("the engine's words", || {
        let log = pods(&["logs", pod]).expect(0).stdout;
        log.contains("INFO ready").then_some(log)
    });
    assert!(!log.contains("autotuner1 "), "{log}");
    let found = pods(&["logs", pod, "--search", "ready$", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&found["logs"], &found["matching"]),
        (&json!("INFO ready\n"), &json!(1))
    );
    let mut follower = field
        .sandbox
        .start(&["pods", "logs", pod, "--follow", "--tail", "2"]);
    follower.wait_for("the end of the log so far", |follower| {
        follower.stdout().contains("INFO ready").then_some(())
    });

    // Others' are not there.
    for (action, code) in [(&["show"][..], 2), (&["logs"], 2), (&["rm", "--force"], 1)] {
        let arguments: Vec<&str> = [action, &[foreign.name.as_str()]].concat();
        pods(&arguments)
            .expect(code)
            .says(&[&format!("Pod {} not found", foreign.name)]);
    }
    assert!(foreign.is_there());

    // Ours goes when that is meant, and its experiment is made again.
    pods(&["rm", pod]).expect(1).says(&[
        "Experiment 1 of the running task 'sim-test' needs the pod",
        "force=true",
    ]);
    pods(&["rm", pod, "--force"])
        .expect(0)
        .says(&["is being deleted", "the attempt is lost and made again"]);
    let followed = follower.wait().expect(0);
    assert_eq!(
        followed.stdout.matches("INFO ready").count(),
        1,
        "{}",
        followed.stdout
    );
    assert!(followed.stdout.contains("INFO stopped"), "{}", followed.stdout);
    server.wait_for("a further attempt", |_| {
        let experiments = experiments(&field, id);
        let [lost, again] = experiments.as_slice() else {
            return None;
        };
        let failure = lost.failure().expect("the first has failed");
        assert_eq!(failure.kind.as_str(), "infrastructure", "{failure:?}");
        assert_eq!(again.attempt, 2);
        Some(())
    });
    let cancelled = field.sandbox.run(&["tasks", "cancel", &id.0.to_string()]);
    cancelled.expect(0);
    server.wait_for("the task's end", |_| {
        let task = with_database(&field, async |database| {
            database.task(id).await.expect("it is there")
        });
        (task.summary.status == TaskStatus::Cancelled).then_some(())
    });
    server.signal(Signal::SIGTERM);
    server.wait();
    assert!(foreign.is_there());
    drop(foreign);
    field.assert_nothing_left();
}

fn experiments(field: &Field, id: autotuner_core::ids::TaskId) -> Vec<Experiment> {
    with_database(field, async |database| {
        let page = Page { skip: 0, limit: 100 };
        let listed = database.experiments_of(id, None, page).await.expect("readable");
        listed.rows.into_iter().map(|row| row.experiment).collect()
    })
}

#[test]
fn doctor_knows_the_cluster_and_sweeps_it() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let doctor = |arguments: &[&str]| {
        let arguments: Vec<&str> = [&["doctor"], arguments].concat();
        field.sandbox.run(&arguments)
    };
    let told = doctor(&[]).stdout;
    let line = told
        .lines()
        .find(|line| line.contains("Kubernetes"))
        .expect("a line");
    assert!(line.starts_with("ok") && line.contains("namespace "), "{line}");
    // Looking leaves no trace, so that nobody asks a cluster that was never used.
    assert!(!field.sandbox.data_dir().join("instances/.cluster-owner").exists());

    let mut task = long_task(&field.cluster, &json!({}));
    task["benchmark"]["max_time_per_iteration"] = json!(100);
    let mut running = field.sandbox.start_task(&task);
    field.wait_for_running_pod(&mut running);
    running.signal(Signal::SIGKILL);
    running.wait();
    let told = doctor(&[]).expect(1).stdout;
    assert!(
        told.contains("1 left in the cluster by runs that were killed"),
        "{told}"
    );
    let swept = doctor(&["--sweep"]).expect(0).stdout;
    assert!(
        swept.contains("task sim-test, experiment 1 (Job at-sim-test-"),
        "{swept}"
    );
    let told = doctor(&[]).expect(0).stdout;
    assert!(told.contains("nothing; 0 of ours running"), "{told}");
    field.assert_nothing_left();
}

#[test]
fn tune_makes_a_task_for_a_cluster_and_runs_it() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let finished = field.sandbox.run(&[
        "tune",
        "any-name",
        "--engine=sim",
        "--mode=kubernetes",
        "--namespace=default",
        "--cpus=0.2",
        "--memory=256MiB",
        "--workload=D(16,4)",
        "--concurrency=1",
        "--max-requests=8",
        "--max-time=2",
        "--budget=1",
        "--output=results.json",
    ]);
    let finished = finished.expect(0);
    let results = field.sandbox.results();
    assert_eq!(results["deployment_mode"], "kubernetes", "{results:#}");
    assert!(
        results["successful_experiments"].as_u64() >= Some(2),
        "{results:#}"
    );
    assert!(
        finished.stderr.contains("sim on kubernetes"),
        "{}",
        finished.stderr
    );
    field.assert_nothing_left();
}
