//! Whatever an experiment is, it comes back as it was, bit by bit.

use std::collections::BTreeMap;

use autotuner_core::experiment::{ContainerFacts, ImageFacts, LaunchFacts, Measured};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::gpu::{GpuDevice, GpuUse, GpuVendor, Span};
use autotuner_core::lifecycle::ExperimentMove;
use autotuner_core::measure::{EngineFigures, RequestError, Schedule, TokenSource};
use autotuner_core::metrics::{
    Confidence, Counts, Distribution, DistributionParts, ExperimentMetrics, GapDistribution, Interval,
    LevelMetrics, MetricsParts, OwnErrors, PercentileIntervals, Rates, Spread, Steadiness, TimeSeries, Trust,
};
use autotuner_core::plan::Next;
use autotuner_core::score::{Objective, Percentile, Score, ScoreParts, SloMetric, Statistic, Violation};
use autotuner_core::search::Role;
use autotuner_core::space::{Candidate, ParameterName, Value};
use autotuner_store::Store;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Every number but those that are none.
fn real() -> impl Strategy<Value = f64> + Clone {
    use proptest::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE
}

fn text() -> impl Strategy<Value = String> + Clone {
    any::<String>()
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Unset),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        real().prop_map(Value::Float),
        Just(Value::Float(1.0)),
        text().prop_map(Value::Text),
    ]
}

fn next() -> impl Strategy<Value = Next> {
    let candidate = vec((text(), value()), 0..4);
    (0..3_usize, candidate, text(), any::<u32>()).prop_map(|(role, candidate, reason, attempt)| Next {
        role: Role::ALL[role],
        candidate: Candidate::new(
            candidate
                .into_iter()
                .map(|(name, value)| (ParameterName::new(&name), value)),
        ),
        reason,
        attempt,
    })
}

fn gpu() -> impl Strategy<Value = GpuDevice> + Clone {
    (any::<u32>(), text(), text(), 0..2_usize, any::<u64>()).prop_map(
        |(index, uuid, name, vendor, memory_bytes)| GpuDevice {
            index,
            uuid,
            name,
            vendor: GpuVendor::ALL[vendor],
            memory_bytes,
        },
    )
}

fn launch() -> impl Strategy<Value = LaunchFacts> {
    let image = (text(), text(), option::of(text())).prop_map(|(reference, id, digest)| ImageFacts {
        reference,
        id,
        digest,
    });
    let container = (text(), text(), any::<i64>()).prop_map(|(id, name, started_at_ms)| ContainerFacts {
        id,
        name,
        started_at_ms,
    });
    (
        vec(text(), 0..4),
        vec((text(), text()), 0..3),
        option::of(text()),
        option::of(any::<u64>()),
        option::of(image),
        vec(gpu(), 0..3),
        option::of(text()),
        option::of(container),
    )
        .prop_map(
            |(command, env, engine_version, ready_after_ms, image, gpus, base_url, container)| LaunchFacts {
                command,
                env,
                engine_version,
                ready_after_ms,
                image,
                gpus,
                base_url,
                container,
            },
        )
}

fn failure() -> impl Strategy<Value = Failure> {
    let kinds = FailureKind::ALL.len();
    (
        0..kinds,
        text(),
        option::of(text()),
        vec(text(), 0..5),
        option::of(metrics().prop_map(Box::new)),
    )
        .prop_map(|(kind, message, advice, log_tail, partial)| Failure {
            kind: FailureKind::ALL[kind],
            message,
            advice,
            log_tail,
            partial,
        })
}

fn distribution() -> impl Strategy<Value = Distribution> {
    (real(), real(), vec(real(), 1..6), 0..1000_usize).prop_map(|(mean, deviation, mut sorted, failures)| {
        sorted.sort_by(f64::total_cmp);
        Distribution::from_parts(DistributionParts {
            mean,
            deviation,
            sorted,
            failures,
        })
        .expect("values in order")
    })
}

fn spread() -> impl Strategy<Value = Spread> {
    (real(), real(), real()).prop_map(|(mean, min, max)| Spread { mean, min, max })
}

fn error() -> impl Strategy<Value = RequestError> {
    prop_oneof![
        Just(RequestError::Connect),
        any::<u16>().prop_map(RequestError::Status),
        Just(RequestError::Timeout),
        Just(RequestError::Truncated),
        Just(RequestError::InBand),
        Just(RequestError::Empty),
        Just(RequestError::Parse),
    ]
}

fn counts() -> impl Strategy<Value = Counts> {
    let four = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    let errors = btree_map(error(), any::<u32>(), 0..4);
    (four, errors).prop_map(
        |((started, succeeded, failed, cut_off), errors): (_, BTreeMap<_, _>)| Counts {
            started,
            succeeded,
            failed,
            cut_off,
            errors,
        },
    )
}

fn gaps() -> impl Strategy<Value = GapDistribution> {
    (any::<u64>(), vec(real(), 5)).prop_map(|(n, of)| GapDistribution {
        n,
        mean: of[0],
        p50: of[1],
        p90: of[2],
        p99: of[3],
        max: of[4],
    })
}

fn rates() -> impl Strategy<Value = Rates> {
    vec(real(), 6).prop_map(|of| Rates {
        input_tokens: of[0],
        output_tokens: of[1],
        total_tokens: of[2],
        requests: of[3],
        goodput: of[4],
        attainment: of[5],
    })
}

fn series() -> impl Strategy<Value = TimeSeries> {
    let slice = (real(), any::<u32>(), any::<u32>(), real(), option::of(real()));
    (real(), vec(slice, 0..4)).prop_map(|(slice, of)| TimeSeries {
        slice,
        output_tokens: of.iter().map(|slice| slice.0).collect(),
        completed: of.iter().map(|slice| slice.1).collect(),
        failed: of.iter().map(|slice| slice.2).collect(),
        in_flight: of.iter().map(|slice| slice.3).collect(),
        ttft: of.iter().map(|slice| slice.4).collect(),
    })
}

fn confidence() -> impl Strategy<Value = Confidence> {
    let interval = (real(), real()).prop_map(|(low, high)| Interval { low, high });
    (any::<u32>(), vec(option::of(interval), 13)).prop_map(|(blocks, of)| Confidence {
        blocks,
        ttft: of[0],
        tpot: of[1],
        latency: of[2],
        ttft_percentiles: PercentileIntervals {
            p50: of[3],
            p90: of[4],
            p99: of[5],
        },
        latency_percentiles: PercentileIntervals {
            p50: of[6],
            p90: of[7],
            p99: of[8],
        },
        output_tokens: of[9],
        total_tokens: of[10],
        requests: of[11],
        goodput: of[12],
    })
}

fn trust() -> impl Strategy<Value = Trust> {
    let asked = option::of(any::<u32>());
    (asked, vec(option::of(real()), 10), vec(text(), 0..3)).prop_map(|(asked_concurrency, of, reasons)| {
        Trust {
            asked_concurrency,
            achieved_concurrency: of[0],
            asked_rate: of[1],
            achieved_rate: of[2],
            loop_lag_p99: of[3],
            cpu_share: of[4],
            stamp_error_p99: of[5],
            errors: OwnErrors {
                ttft: of[6],
                tpot: of[7],
                latency: of[8],
                throughput: of[9],
            },
            reasons,
        }
    })
}

fn engine() -> impl Strategy<Value = EngineFigures> {
    vec(option::of(real()), 9).prop_map(|of| EngineFigures {
        requests: of[0],
        input_tokens: of[1],
        output_tokens: of[2],
        ttft: of[3],
        tpot: of[4],
        latency: of[5],
        queue: of[6],
        preemptions: of[7],
        prefix_hits: of[8],
    })
}

type Worth = (
    Option<Schedule>,
    Option<TimeSeries>,
    Option<Steadiness>,
    Option<Confidence>,
    Option<Trust>,
    Option<EngineFigures>,
    Option<EngineFigures>,
);

fn worth() -> impl Strategy<Value = Worth> {
    let schedule = (text(), real(), any::<u32>()).prop_map(|(label, rate, held_back)| Schedule {
        label,
        rate,
        held_back,
    });
    let steadiness = (any::<bool>(), real(), option::of(real()), any::<u32>()).prop_map(
        |(is_steady, throughput_drift, ttft_drift, slices)| Steadiness {
            is_steady,
            throughput_drift,
            ttft_drift,
            slices,
        },
    );
    (
        option::of(schedule),
        option::of(series()),
        option::of(steadiness),
        option::of(confidence()),
        option::of(trust()),
        option::of(engine()),
        option::of(engine()),
    )
}

fn level() -> impl Strategy<Value = LevelMetrics> {
    let source = prop_oneof![
        Just(TokenSource::Usage),
        Just(TokenSource::Chunks),
        Just(TokenSource::Requested)
    ];
    (
        (text(), any::<u32>(), real(), counts(), rates()),
        vec(option::of(distribution()), 8),
        (vec(option::of(gaps()), 5), option::of(real())),
        option::of(source),
        worth(),
    )
        .prop_map(
            |(plain, mut of, (mut brief, chunk_tokens), token_source, worth)| {
                let (scenario, concurrency, window, counts, rates) = plain;
                let (schedule, series, steadiness, confidence, trust, engine, seen) = worth;
                let mut one = || of.pop().flatten();
                let mut brief = || brief.pop().flatten();
                LevelMetrics {
                    scenario,
                    concurrency,
                    schedule,
                    window,
                    counts,
                    ttft: one(),
                    ttft_from_schedule: one(),
                    tpot: one(),
                    latency: one(),
                    latency_from_schedule: one(),
                    stall: one(),
                    gaps: brief(),
                    token_gaps: brief(),
                    chunk_tokens,
                    first_visible: brief(),
                    ntpot: brief(),
                    schedule_lag: brief(),
                    input_tokens: one(),
                    output_tokens: one(),
                    token_source,
                    rates,
                    series,
                    steadiness,
                    confidence,
                    trust,
                    engine,
                    seen,
                }
            },
        )
}

fn metrics() -> impl Strategy<Value = ExperimentMetrics> {
    (
        vec((level(), real()), 0..3),
        option::of(spread()),
        spread(),
        spread(),
        spread(),
        any::<u32>(),
    )
        .prop_map(
            |(levels, latency, total_throughput, output_throughput, goodput, gpus)| {
                let (levels, weights) = levels.into_iter().unzip();
                ExperimentMetrics::from_parts(MetricsParts {
                    levels,
                    latency,
                    total_throughput,
                    output_throughput,
                    goodput,
                    gpus,
                    weights,
                })
                .expect("one weight a level")
            },
        )
}

fn slo_metric() -> impl Strategy<Value = SloMetric> {
    let percentile = (0..4_usize).prop_map(|index| Percentile::ALL[index]);
    let statistic = prop_oneof![Just(Statistic::Mean), percentile.clone().prop_map(Statistic::At)];
    prop_oneof![
        percentile.prop_map(SloMetric::Latency),
        statistic.clone().prop_map(SloMetric::Ttft),
        statistic.prop_map(SloMetric::Tpot),
    ]
}

fn score() -> impl Strategy<Value = Score> {
    let violation =
        (slo_metric(), real(), real(), real()).prop_map(|(metric, threshold, actual, ratio)| Violation {
            metric,
            threshold,
            actual,
            ratio,
        });
    (
        any::<bool>(),
        (real(), real(), real()),
        0..4_usize,
        vec(violation, 0..3),
        any::<bool>(),
    )
        .prop_map(
            |(feasible, (value, objective_value, penalty), objective, violations, low_n)| {
                Score::from_parts(ScoreParts {
                    feasible,
                    value,
                    objective: Objective::ALL[objective],
                    objective_value,
                    penalty,
                    violations,
                    low_n,
                })
            },
        )
}

fn gpu_use() -> impl Strategy<Value = GpuUse> {
    let span = (real(), real(), real()).prop_map(|(min, mean, max)| Span { min, mean, max });
    (
        gpu(),
        any::<u32>(),
        real(),
        vec(option::of(span), 5),
        option::of(real()),
    )
        .prop_map(|(device, samples, seconds, spans, energy_j)| GpuUse {
            device,
            samples,
            seconds,
            utilization_percent: spans[0],
            memory_used_bytes: spans[1],
            memory_percent: spans[2],
            temperature_c: spans[3],
            power_w: spans[4],
            energy_j,
        })
}

fn measured() -> impl Strategy<Value = Measured> {
    (
        metrics(),
        score(),
        vec(text(), 0..3),
        vec(gpu_use(), 0..2),
        vec(text(), 0..3),
    )
        .prop_map(|(metrics, score, remarks, gpu_use, fingerprints)| Measured {
            metrics,
            score,
            remarks,
            gpu_use,
            fingerprints,
        })
}

type Whole = (Next, Option<LaunchFacts>, Result<Measured, Failure>, i64, i64);

fn whole() -> impl Strategy<Value = Whole> {
    let result = prop_oneof![3 => measured().prop_map(Ok), 1 => failure().prop_map(Err)];
    // Between any two times there is a length that a whole number holds.
    let time = || -(1_i64 << 53)..1 << 53;
    (next(), option::of(launch()), result, time(), time())
}

#[test]
fn an_experiment_comes_back_as_it_was() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let Some(fresh) = runtime.block_on(super::fresh()) else {
        return;
    };
    let claim = runtime.block_on(fresh.claimed("as it was"));
    let store = fresh.database.run_store(&claim);
    let config = ProptestConfig::with_cases(96);
    proptest!(config, |((next, launch, result, started_at_ms, ended_at_ms) in whole())| {
        let record = runtime.block_on(async {
            let task = claim.task;
            let number = store.begin_experiment(task, next.clone(), started_at_ms).await.expect("begins");
            for wanted in [ExperimentMove::Deploy, ExperimentMove::Benchmark] {
                store.move_experiment(task, number, wanted).await.expect("legal");
            }
            if let Some(facts) = launch.clone() {
                store.record_launch(task, number, facts).await.expect("held");
            }
            store.finish_experiment(task, number, result.clone(), ended_at_ms).await.expect("legal");
            fresh.database.experiment_numbered(task, number).await.expect("known")
        });
        let experiment = record.experiment;
        let back = Next {
            role: experiment.role,
            candidate: experiment.candidate.clone(),
            reason: experiment.reason.clone(),
            attempt: experiment.attempt,
        };
        let result_back = experiment.result.clone().expect("ended");
        prop_assert_eq!(&back, &next);
        prop_assert_eq!(&experiment.launch, &launch);
        prop_assert_eq!(&result_back, &result);
        // What is equal may still differ in the sign of a zero.
        prop_assert_eq!(format!("{back:?}{result_back:?}"), format!("{next:?}{result:?}"));
        prop_assert_eq!(experiment.started_at_ms, started_at_ms);
        prop_assert_eq!(experiment.ended_at_ms, Some(ended_at_ms));
    });
}
