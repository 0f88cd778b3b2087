//! What a benchmark asks, when and of whom.

use std::time::Duration;

use serde_json::{Value, json};

use super::{a_document, problems_of, set, warnings_of, with};
use crate::spec::TaskSpec;
use crate::workload::{
    Api, Arrival, Conversation, Figure, FirstWave, Load, Scenario, Sharing, Source, Stage, Workload,
};

fn benchmark(value: Value) -> Value {
    with("benchmark", value)
}

fn workload(value: Value) -> Workload {
    let document = benchmark(value);
    let parsed = TaskSpec::from_value(&document).unwrap_or_else(|problems| panic!("{problems:#?}"));
    parsed
        .spec
        .resolve()
        .expect("a parsed document resolves")
        .workload
}

#[track_caller]
fn refuse(value: Value, expected: &[&str]) {
    assert_eq!(problems_of(&benchmark(value)), expected);
}

#[track_caller]
fn warn(value: Value, expected: &[&str]) {
    assert_eq!(warnings_of(&benchmark(value)), expected);
}

#[test]
fn precision_is_of_what_is_sought_and_bounded() {
    let precise = |objective: &str, slo: Value| {
        let mut document = benchmark(json!({ "precision": 0.02 }));
        document["optimization"]["objective"] = objective.into();
        document["slo"] = slo;
        let task = TaskSpec::from_value(&document).expect("readable").spec.resolve();
        let precision = task.expect("sound").workload.precision.expect("wanted");
        (precision.figures, precision.least_requests)
    };
    assert_eq!(
        precise("maximize_throughput", json!({})),
        (vec![Figure::Tokens], 30)
    );
    let bounds = json!({ "ttft": { "threshold": 0.5 }, "latency": { "p99": { "threshold": 2 } } });
    assert_eq!(
        precise("minimize_ttft", bounds),
        (vec![Figure::Ttft, Figure::Latency], 100),
        "a 99th percentile takes a hundred requests"
    );
    refuse(
        json!({ "precision": 2 }),
        &["benchmark.precision: 2 is more than half of every figure; write a ratio: 0.02 is two per cent"],
    );
    refuse(
        json!({ "precision": 0.02, "arrival": { "type": "stages", "stages": [{ "rate": 2, "seconds": 5 }, { "rate": 4, "seconds": 5 }] } }),
        &[
            "benchmark.precision: a load that changes as it goes cannot end before its time; leave it out, or ask for a steady load",
        ],
    );
}

#[test]
fn arrivals_become_loads() {
    let arrival = |value: Value| workload(json!({ "arrival": value }));
    assert_eq!(arrival(json!({ "type": "closed" })).arrival, Arrival::Closed);
    let poisson = arrival(json!({ "type": "poisson", "rate": [2, 4.5] }));
    assert_eq!(
        poisson.arrival,
        Arrival::Poisson {
            rates: vec![2.0, 4.5]
        }
    );
    assert_eq!(poisson.level_count(), 2);
    assert_eq!(
        poisson.loads()[1],
        Load::Scheduled {
            arrival: Arrival::Poisson { rates: vec![4.5] },
            most: 256
        }
    );
    assert_eq!(
        poisson.max_requests_per_level, 203,
        "4.5/s for 30 s, and half as many again"
    );
    assert_eq!(
        arrival(json!({ "type": "constant", "rate": 0.5 })).arrival,
        Arrival::Constant { rates: vec![0.5] }
    );
    assert_eq!(
        arrival(json!({ "type": "gamma", "rate": 3 })).arrival,
        Arrival::Gamma {
            rates: vec![3.0],
            burstiness: 1.0
        }
    );
    let stages = arrival(json!({ "type": "stages",
        "stages": [{ "rate": 5, "seconds": 30 }, { "rate": 0, "seconds": 1.5 }] }));
    let expected = [(5.0, 30_000), (0.0, 1_500)].map(|(rate, millis)| Stage {
        rate,
        lasts: Duration::from_millis(millis),
    });
    assert_eq!(
        stages.arrival,
        Arrival::Stages {
            stages: expected.into()
        }
    );
    assert_eq!(stages.max_time_per_level, Duration::from_millis(31_500));
    let trace = arrival(json!({ "type": "trace", "trace": "t.jsonl" }));
    let source = Source {
        place: "t.jsonl".into(),
        deduplicate: false,
    };
    assert_eq!(trace.sources.trace, Some(source));
    assert_eq!(
        trace.check(),
        Err("its trace has no start; has it been read?".into())
    );
}

#[test]
fn what_is_said_of_a_closed_loop_is_kept() {
    let given = workload(json!({ "first_wave": "together", "num_concurrency": [3, 4] }));
    assert_eq!(given.first_wave, FirstWave::Together);
    assert_eq!(given.loads(), [Load::InFlight(3), Load::InFlight(4)]);
    assert_eq!(given.check(), Ok(()));
    assert_eq!(workload(json!({})).first_wave, FirstWave::Spread);
}

#[test]
fn wrong_arrivals_are_named() {
    let arrival = |value: Value, expected: &[&str]| refuse(json!({ "arrival": value }), expected);
    arrival(
        json!({ "type": "constant", "rate": [] }),
        &["benchmark.arrival.rate: the list is empty; at least one rate is needed; for example [1, 4]"],
    );
    arrival(
        json!({ "type": "poisson", "rate": [1, -1, 1e9] }),
        &[
            "benchmark.arrival.rate[1]: is -1; a number above 0 is needed",
            "benchmark.arrival.rate[2]: is 1000000000; at most 100000 requests a second",
        ],
    );
    arrival(
        json!({ "type": "poisson", "rate": "4" }),
        &[r#"benchmark.arrival.rate: expected a number, found the text "4"; leave the quotes away"#],
    );
    arrival(
        json!({ "type": "gamma", "rate": 1, "burstiness": 0 }),
        &["benchmark.arrival.burstiness: is 0; give 0.01 to 1000, 1 for Poisson"],
    );
    arrival(
        json!({ "type": "stages" }),
        &["benchmark.arrival.stages: is missing; write stages: [{ rate: 5, seconds: 30 }, …]"],
    );
    arrival(
        json!({ "type": "stages", "stages": [{ "rate": 0, "seconds": 5 }] }),
        &["benchmark.arrival.stages: start nothing: no stage has a rate above 0"],
    );
    arrival(
        json!({ "type": "stages", "stages": [{ "rate": 1 }, { "rate": -1, "seconds": 0 }] }),
        &[
            "benchmark.arrival.stages[0].seconds: is missing; say how long the stage lasts",
            "benchmark.arrival.stages[1].rate: is -1; a number of at least 0 is needed",
            "benchmark.arrival.stages[1].seconds: is 0; a number above 0 is needed",
        ],
    );
    arrival(
        json!({ "type": "trace" }),
        &["benchmark.arrival.trace: is missing; name the file that holds the starts"],
    );
    arrival(
        json!({ "type": "trace", "trace": "s3://a/b" }),
        &[
            r#"benchmark.arrival.trace: data sets are not fetched over "s3"; use https://, http://, file:// or a path"#,
        ],
    );
    refuse(
        json!({ "first_wave": "spred" }),
        &[r#"benchmark.first_wave: unknown first wave "spred"; did you mean "spread"?"#],
    );
    warn(
        json!({ "arrival": { "type": "closed", "rate": 4, "trace": "t" } }),
        &[
            "benchmark.arrival.rate: has no meaning for arrivals of type closed and is left out",
            "benchmark.arrival.trace: has no meaning for arrivals of type closed and is left out",
        ],
    );
    warn(
        json!({ "max_time_per_iteration": 5,
            "arrival": { "type": "stages", "stages": [{ "rate": 1, "seconds": 6 }] } }),
        &[
            "benchmark.max_time_per_iteration: a level measures for 5 seconds, but its stages last 6; leave it out to measure them all",
        ],
    );
}

#[test]
fn rates_count_as_levels() {
    let weights = |weights: Value| {
        benchmark(
            json!({ "traffic_scenarios": ["D(5,5)", "D(6,6)"], "num_concurrency": [1, 2, 3],
            "arrival": { "type": "poisson", "rate": [1, 2] }, "level_weights": weights }),
        )
    };
    assert_eq!(problems_of(&weights(json!([1, 2, 3, 4]))), [""; 0]);
    assert_eq!(problems_of(&weights(json!([1, 2, 3, 4, 5, 6]))).len(), 1);
}

#[test]
fn the_api_is_said_or_follows() {
    let api = |value: Value| workload(value).api;
    assert_eq!(api(json!({})), Api::Chat);
    for (word, expected, scenario) in [
        ("chat", Api::Chat, "D(100,100)"),
        ("completions", Api::Completions, "D(100,100)"),
        ("llamacpp", Api::LlamaCpp, "D(100,100)"),
        ("llama.cpp", Api::LlamaCpp, "D(100,100)"),
        ("tgi", Api::Tgi, "D(100,100)"),
        ("embeddings", Api::Embeddings, "E(100)"),
        ("rerank", Api::Rerank, "R(100,20)"),
    ] {
        let given = workload(json!({ "endpoint": word }));
        assert_eq!(
            (given.api, given.scenarios[0].to_string().as_str()),
            (expected, scenario)
        );
        assert_eq!(given.check(), Ok(()), "{word}");
    }
    for (task, expected, scenario) in [
        ("text-to-text", Api::Chat, "D(100,100)"),
        ("image-text-to-text", Api::Chat, "I(512,512)"),
        ("text-to-embeddings", Api::Embeddings, "E(100)"),
        ("text-to-rerank", Api::Rerank, "R(100,20)"),
    ] {
        let given = workload(json!({ "task": task }));
        assert_eq!(
            (given.api, given.scenarios[0].to_string().as_str()),
            (expected, scenario)
        );
    }
    assert_eq!(
        api(json!({ "traffic_scenarios": ["E(5)", "E(9)"] })),
        Api::Embeddings
    );
    assert_eq!(
        api(json!({ "task": "text-to-text", "endpoint": "tgi" })),
        Api::Tgi
    );
    assert_eq!(
        workload(json!({ "endpoint": "embeddings", "batch_size": 8 }))
            .content
            .batch,
        8
    );
}

#[test]
fn an_api_that_cannot_be_asked_so_is_refused() {
    refuse(
        json!({ "endpoint": "chat", "traffic_scenarios": ["D(1,2)", "E(5)"] }),
        &[
            "benchmark.traffic_scenarios[1]: E(5) cannot be asked of chat; set benchmark.endpoint to embeddings, and give it a task of its own",
        ],
    );
    refuse(
        json!({ "endpoint": "embeddings", "traffic_scenarios": ["D(1,2)"] }),
        &[
            "benchmark.traffic_scenarios[0]: D(1,2) cannot be asked of embeddings; use E(tokens) for embeddings and R(document,query) for rerank",
        ],
    );
    refuse(
        json!({ "task": "text-to-rerank", "endpoint": "chat" }),
        &[
            "benchmark.endpoint: chat is not asked for text-to-rerank; leave out benchmark.endpoint or benchmark.task",
        ],
    );
    refuse(
        json!({ "task": "image-to-embeddings" }),
        &[r#"benchmark.task: unknown benchmark task "image-to-embeddings"; images cannot be embedded yet"#],
    );
    let mut document = benchmark(json!({ "traffic_scenarios": ["E(5)"] }));
    set(&mut document, "optimization/objective", json!("minimize_tpot"));
    assert_eq!(
        problems_of(&document),
        [
            "optimization.objective: answers of E(5) are no text, so they have no time per token; \
             ask for longer answers, or for another metric"
        ]
    );
    refuse(
        json!({ "additional_params": { "n_predict": 5 } }),
        &[
            "benchmark.additional_params.n_predict: is set by the benchmark itself; answer lengths come from traffic_scenarios",
        ],
    );
    warn(
        json!({ "batch_size": 4 }),
        &[
            "benchmark.batch_size: has no meaning for chat, which is asked one thing at a time, and is left out",
        ],
    );
}

#[test]
fn data_sets_have_still_to_be_read() {
    let given = workload(json!({ "dataset_url": "https://a.example/b.json" }));
    assert_eq!(given.scenarios, [Scenario::DataSet], "asked as they are");
    let source = |deduplicate| Source {
        place: "https://a.example/b.json".into(),
        deduplicate,
    };
    assert_eq!(given.sources.dataset, Some(source(true)));
    assert_eq!(
        given.check(),
        Err("its data set has no entry; has it been read?".into())
    );
    let given = workload(
        json!({ "dataset_url": "https://a.example/b.json", "dataset_deduplicate": false,
        "traffic_scenarios": ["D(5,5)"] }),
    );
    assert_eq!(given.sources.dataset, Some(source(false)));
    refuse(
        json!({ "traffic_scenarios": ["D(1,2)", "dataset"] }),
        &[
            "benchmark.traffic_scenarios[1]: asks the entries of a data set, and none is named; name it in benchmark.dataset_url",
        ],
    );
}

#[test]
fn a_salt_is_used_only_where_it_is_asked_for() {
    assert_eq!(workload(json!({})).content.salt, None);
    assert_eq!(workload(json!({ "salt": 0 })).content.salt, Some(0));
    refuse(
        json!({ "salt": "new" }),
        &["benchmark.salt: expected a whole number, found the text \"new\""],
    );
}

#[test]
fn shared_beginnings_and_conversations() {
    let given = workload(
        json!({ "prefix_sharing": { "groups": 4, "prefix_tokens": 80, "hit_ratio": 0.5 },
        "conversation": { "turns": 3, "think_seconds": 1.5 } }),
    );
    assert_eq!(
        given.content.sharing,
        Some(Sharing {
            groups: 4,
            prefix_tokens: 80,
            hit_ratio: 0.5
        })
    );
    assert_eq!(
        given.content.conversation,
        Some(Conversation {
            turns: 3,
            think: Duration::from_millis(1_500)
        })
    );
    let own = workload(json!({ "prefix_sharing": { "groups": 4 }, "traffic_scenarios": ["P(80,20)/5"] }));
    assert_eq!(
        own.content.sharing.map(|it| (it.groups, it.hit_ratio)),
        Some((4, 1.0))
    );
    refuse(
        json!({ "prefix_sharing": { "groups": 0, "hit_ratio": 1.5 }, "conversation": { "turns": 0, "think_seconds": -1 } }),
        &[
            "benchmark.prefix_sharing.groups: is 0; at least 1 is needed",
            "benchmark.prefix_sharing.prefix_tokens: is missing; say how many tokens are shared, or use scenarios P(prefix,suffix)/out",
            "benchmark.prefix_sharing.hit_ratio: is 1.5; a share from 0 to 1 is needed",
            "benchmark.conversation.turns: is 0; at least 1 is needed",
            "benchmark.conversation.think_seconds: is -1; a number of at least 0 is needed",
        ],
    );
    refuse(
        json!({ "conversation": {} }),
        &["benchmark.conversation.turns: is missing; say how many requests a conversation has"],
    );
    refuse(
        json!({ "endpoint": "embeddings", "conversation": { "turns": 2 }, "prefix_sharing": { "prefix_tokens": 5 } }),
        &[
            "benchmark.prefix_sharing: embeddings asks documents, which share nothing",
            "benchmark.conversation: embeddings holds no conversations",
        ],
    );
}

#[test]
fn a_document_without_any_of_it_means_what_it_meant() {
    let plain = workload(a_document()["benchmark"].clone());
    assert_eq!(plain.content, crate::workload::Content::default());
    assert_eq!(plain.sources, crate::workload::Sources::default());
}
