//! Searches that begin with what an earlier task found.

use serde_json::{Value, json};

use super::{Scene, document};

fn searching(name: &str, warm_start: bool) -> Value {
    let mut document = document(name, json!({ "rate": [100, 300, 200, 50, 60, 70] }));
    document["optimization"] = json!({
        "strategy": "bayesian",
        "objective": "maximize_throughput",
        "max_iterations": 3,
        "max_replicates": 0,
        "timeout_per_iteration": 30,
        "warm_start": warm_start,
    });
    document
}

#[tokio::test]
async fn the_best_of_an_earlier_task_is_tried_first_where_a_task_asks_for_it() {
    let scene = Scene::new().await;
    let mut grid = searching("earlier", false);
    grid["optimization"]["strategy"] = "grid_search".into();
    grid["optimization"]["max_iterations"] = 6.into();
    let earlier = scene.start_document(grid).await;
    scene.until_ended(earlier).await;
    for (name, warm_start) in [("cold", false), ("warm", true)] {
        let id = scene.start_document(searching(name, warm_start)).await;
        scene.until_ended(id).await;
        let experiments = scene.experiments(id).await;
        let second = &experiments[1];
        let is_taken_over = second.reason == "among the best of an earlier task";
        assert_eq!(is_taken_over, warm_start, "{}", second.reason);
        if warm_start {
            assert_eq!(second.candidate.to_string(), "rate=300");
        }
    }
    scene.end().await;
}
