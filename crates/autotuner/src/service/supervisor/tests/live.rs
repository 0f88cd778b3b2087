//! What runs, as a page sees it that opens in the middle.

use serde_json::{Value, json};

use super::{Scene, document};
use crate::api::testing::get_of;

async fn get(scene: &Scene, path: &str) -> Value {
    get_of(&scene.test.service, path).await.is(200).json()
}

#[tokio::test]
async fn what_runs_is_shown_with_its_latest_progress() {
    let scene = Scene::new().await;
    let id = scene
        .start("fake", json!({"behave": ["hang"], "rate": [50, 60, 70]}))
        .await;
    scene
        .until("the second experiment's benchmark", async |scene| {
            let live = get(scene, &format!("/api/tasks/{id}/live")).await;
            let experiments = live["experiments"].as_array().expect("a list").clone();
            experiments
                .iter()
                .any(|one| one["experiment_id"] == 2 && one["progress"].is_object())
        })
        .await;
    let live = get(&scene, &format!("/api/tasks/{id}/live")).await;
    let expected = json!({
        "task_id": id.0,
        "task_name": "fake",
        "status": "running",
        "run": 1,
        "waiting_for": null,
        "experiments": [{
            "experiment_id": 2,
            "phase": "benchmarking",
            "since": "2023-11-14T22:13:20.000Z",
            "waiting_for": null,
            "parameters": {"behave": "hang", "rate": 50},
            "progress": {
                "level": 0,
                "levels": 1,
                "label": "fake",
                "warming_up": false,
                "completed": 0,
                "failed": 0,
                "planned": live["experiments"][0]["progress"]["planned"],
                "in_flight": 0,
                "errors": {},
                "ttft": null,
                "ttft_p50": null,
                "ttft_p99": null,
                "tpot": null,
                "output_throughput": null,
            },
        }],
        "planned_experiments": 3,
        "done_experiments": 0,
        "planned_replicates": 0,
        "done_replicates": 0,
        "best_score": live["best_score"],
        "eta_seconds": 0.0,
    });
    assert_eq!(
        live, expected,
        "the clock stands still: the baseline took no time"
    );
    assert!(
        live["best_score"].as_f64().is_some_and(|score| score < 0.0),
        "{live:#}"
    );
    assert_eq!(
        get(&scene, "/api/live").await,
        json!({"tasks": [live], "queue": []})
    );
    scene.end().await;
}

#[tokio::test]
async fn tasks_behind_the_first_stand_in_the_queue() {
    let scene = Scene::new().await;
    let places = scene.test.service.board.snapshot().places;
    let mut ids = Vec::new();
    for index in 0..20 {
        let mut hanging = document("x", json!({"behave": ["hang"]}));
        hanging["task_name"] = format!("fake {index}").into();
        ids.push(scene.start_document(hanging).await.0);
    }
    scene
        .until("every place to be taken", async |scene| {
            let shown = scene.test.service.board.snapshot();
            shown.places > 0 && shown.runs.len() == shown.places
        })
        .await;
    let live = get(&scene, "/api/live").await;
    let told = |key: &str| -> Vec<i64> {
        let rows = live[key].as_array().expect("a list").iter();
        rows.map(|row| row["task_id"].as_i64().expect("an id")).collect()
    };
    let (tasks, queue) = (told("tasks"), told("queue"));
    assert!(!queue.is_empty(), "{places} places: {live:#}");
    assert_eq!(
        [tasks.clone(), queue].concat(),
        ids,
        "in the order of their starts"
    );
    let first = &live["queue"][0];
    let expected = format!("waiting for one of {} running tasks to end", tasks.len());
    assert_eq!(first["waiting_for"], expected);
    let waiting = get(&scene, &format!("/api/tasks/{}/live", first["task_id"])).await;
    assert_eq!(waiting["experiments"], json!([]));
    assert_eq!(
        (&waiting["waiting_for"], &waiting["eta_seconds"]),
        (&json!(expected), &Value::Null)
    );
    scene.end().await;
}
