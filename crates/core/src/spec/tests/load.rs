//! A document's load without the rest of it.

use crate::score::{Percentile, SloMetric, Statistic};
use crate::spec::{Format, LoadSpec};
use crate::workload::Arrival;

fn load(text: &str) -> LoadSpec {
    LoadSpec::parse(text, Format::Yaml).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn a_section_will_do_and_so_will_a_whole_document() {
    let section = load("num_concurrency: [3]\nprefix_sharing: {prefix_tokens: 20}\n");
    let resolved = section.resolve(7).expect("sound");
    assert_eq!(
        (resolved.workload.concurrency, resolved.workload.seed),
        (vec![3], 7)
    );
    assert!(resolved.workload.content.sharing.is_some());
    assert!(resolved.bounds.is_empty());

    let whole = load(
        "task_name: x\nbase_runtime: none such\nslo: {ttft: {threshold: 0.5, p99: {threshold: 1}}}\n\
         benchmark: {arrival: {type: poisson, rate: 4}, dataset_url: set.csv}\n",
    );
    let resolved = whole.resolve(7).expect("sound");
    assert_eq!(resolved.workload.arrival, Arrival::Poisson { rates: vec![4.0] });
    assert_eq!(resolved.workload.scenarios[0].to_string(), "dataset");
    assert!(resolved.workload.sources.dataset.is_some());
    let metrics: Vec<SloMetric> = resolved.bounds.iter().map(|slo| slo.metric).collect();
    let p99 = SloMetric::Ttft(Statistic::At(Percentile::P99));
    assert_eq!(metrics, [SloMetric::Ttft(Statistic::Mean), p99]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let refused = |text: &str| {
        let problems = match LoadSpec::parse(text, Format::Yaml) {
            Ok(spec) => spec.resolve(1).expect_err("refused"),
            Err(problems) => problems,
        };
        problems[0].to_string()
    };
    assert!(refused("num_concurency: [3]").starts_with("benchmark.num_concurency"));
    assert!(refused("benchmark: 3").starts_with("benchmark: expected"));
    assert!(refused("max_requests_per_iteration: 0").starts_with("benchmark.max_requests_per_iteration"));
    assert!(refused("benchmark: {}\nslo: {ttft: {threshold: -1}}").starts_with("slo.ttft"));
    assert!(refused("").contains("empty"));
}
