//! A level's records as an agent says them: the same facts in other words, field by field.
//!
//! Stamps of chunks are said as differences, which are short; everything else as it is.

use autotuner_core::measure::{ClientHealth, EngineFigures, LevelRecords, RequestRecord, Schedule};
use serde::{Deserialize, Serialize};

use super::words::{OutcomeSaid, TokensSaid};

/// See [`LevelRecords`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LevelSaid {
    scenario: String,
    concurrency: u32,
    schedule: Option<ScheduleSaid>,
    window_start_ns: u64,
    window_end_ns: u64,
    requests: Vec<RequestSaid>,
    lead_in: Vec<RequestSaid>,
    client: Option<ClientSaid>,
    engine: Option<EngineSaid>,
}

/// See [`RequestRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RequestSaid {
    intended_ns: u64,
    sent_ns: u64,
    content_ns: Vec<u64>,
    first_visible_ns: Option<u64>,
    chunk_tokens: Vec<u32>,
    first_chunk_tokens: u32,
    ended_ns: u64,
    input_tokens: TokensSaid,
    output_tokens: TokensSaid,
    job: u32,
    turn: u32,
    outcome: OutcomeSaid,
}

/// See [`Schedule`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ScheduleSaid {
    label: String,
    rate: f64,
    held_back: u32,
}

/// See [`ClientHealth`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ClientSaid {
    threads: u32,
    cpu_share: f64,
    lag_p50_ns: u64,
    lag_p99_ns: u64,
    lag_max_ns: u64,
    reads: u64,
    reads_of_several: u64,
    peak_in_flight: u32,
}

/// See [`EngineFigures`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct EngineSaid {
    requests: Option<f64>,
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
    ttft: Option<f64>,
    tpot: Option<f64>,
    latency: Option<f64>,
    queue: Option<f64>,
    preemptions: Option<f64>,
    prefix_hits: Option<f64>,
}

impl From<LevelRecords> for LevelSaid {
    fn from(records: LevelRecords) -> Self {
        let LevelRecords {
            scenario,
            concurrency,
            schedule,
            window_start_ns,
            window_end_ns,
            requests,
            lead_in,
            client,
            engine,
        } = records;
        Self {
            scenario,
            concurrency,
            schedule: schedule.map(Into::into),
            window_start_ns,
            window_end_ns,
            requests: requests.into_iter().map(Into::into).collect(),
            lead_in: lead_in.into_iter().map(Into::into).collect(),
            client: client.map(Into::into),
            engine: engine.map(Into::into),
        }
    }
}

impl From<LevelSaid> for LevelRecords {
    fn from(said: LevelSaid) -> Self {
        let LevelSaid {
            scenario,
            concurrency,
            schedule,
            window_start_ns,
            window_end_ns,
            requests,
            lead_in,
            client,
            engine,
        } = said;
        Self {
            scenario,
            concurrency,
            schedule: schedule.map(Into::into),
            window_start_ns,
            window_end_ns,
            requests: requests.into_iter().map(Into::into).collect(),
            lead_in: lead_in.into_iter().map(Into::into).collect(),
            client: client.map(Into::into),
            engine: engine.map(Into::into),
        }
    }
}

impl From<RequestRecord> for RequestSaid {
    fn from(records: RequestRecord) -> Self {
        let RequestRecord {
            intended_ns,
            sent_ns,
            content_ns,
            first_visible_ns,
            chunk_tokens,
            first_chunk_tokens,
            ended_ns,
            input_tokens,
            output_tokens,
            job,
            turn,
            outcome,
        } = records;
        Self {
            intended_ns,
            sent_ns,
            content_ns: differences(&content_ns),
            first_visible_ns,
            chunk_tokens,
            first_chunk_tokens,
            ended_ns,
            input_tokens: input_tokens.into(),
            output_tokens: output_tokens.into(),
            job,
            turn,
            outcome: outcome.into(),
        }
    }
}

impl From<RequestSaid> for RequestRecord {
    fn from(said: RequestSaid) -> Self {
        let RequestSaid {
            intended_ns,
            sent_ns,
            content_ns,
            first_visible_ns,
            chunk_tokens,
            first_chunk_tokens,
            ended_ns,
            input_tokens,
            output_tokens,
            job,
            turn,
            outcome,
        } = said;
        Self {
            intended_ns,
            sent_ns,
            content_ns: sums(&content_ns),
            first_visible_ns,
            chunk_tokens,
            first_chunk_tokens,
            ended_ns,
            input_tokens: input_tokens.into(),
            output_tokens: output_tokens.into(),
            job,
            turn,
            outcome: outcome.into(),
        }
    }
}

impl From<Schedule> for ScheduleSaid {
    fn from(records: Schedule) -> Self {
        let Schedule {
            label,
            rate,
            held_back,
        } = records;
        Self {
            label,
            rate,
            held_back,
        }
    }
}

impl From<ScheduleSaid> for Schedule {
    fn from(said: ScheduleSaid) -> Self {
        let ScheduleSaid {
            label,
            rate,
            held_back,
        } = said;
        Self {
            label,
            rate,
            held_back,
        }
    }
}

impl From<ClientHealth> for ClientSaid {
    fn from(records: ClientHealth) -> Self {
        let ClientHealth {
            threads,
            cpu_share,
            lag_p50_ns,
            lag_p99_ns,
            lag_max_ns,
            reads,
            reads_of_several,
            peak_in_flight,
        } = records;
        Self {
            threads,
            cpu_share,
            lag_p50_ns,
            lag_p99_ns,
            lag_max_ns,
            reads,
            reads_of_several,
            peak_in_flight,
        }
    }
}

impl From<ClientSaid> for ClientHealth {
    fn from(said: ClientSaid) -> Self {
        let ClientSaid {
            threads,
            cpu_share,
            lag_p50_ns,
            lag_p99_ns,
            lag_max_ns,
            reads,
            reads_of_several,
            peak_in_flight,
        } = said;
        Self {
            threads,
            cpu_share,
            lag_p50_ns,
            lag_p99_ns,
            lag_max_ns,
            reads,
            reads_of_several,
            peak_in_flight,
        }
    }
}

impl From<EngineFigures> for EngineSaid {
    fn from(records: EngineFigures) -> Self {
        let EngineFigures {
            requests,
            input_tokens,
            output_tokens,
            ttft,
            tpot,
            latency,
            queue,
            preemptions,
            prefix_hits,
        } = records;
        Self {
            requests,
            input_tokens,
            output_tokens,
            ttft,
            tpot,
            latency,
            queue,
            preemptions,
            prefix_hits,
        }
    }
}

impl From<EngineSaid> for EngineFigures {
    fn from(said: EngineSaid) -> Self {
        let EngineSaid {
            requests,
            input_tokens,
            output_tokens,
            ttft,
            tpot,
            latency,
            queue,
            preemptions,
            prefix_hits,
        } = said;
        Self {
            requests,
            input_tokens,
            output_tokens,
            ttft,
            tpot,
            latency,
            queue,
            preemptions,
            prefix_hits,
        }
    }
}

/// Each number less the one before it.
fn differences(numbers: &[u64]) -> Vec<u64> {
    let before = std::iter::once(&0).chain(numbers);
    let pairs = numbers.iter().zip(before);
    pairs
        .map(|(number, before)| number.wrapping_sub(*before))
        .collect()
}

/// What [`differences`] was made from.
fn sums(differences: &[u64]) -> Vec<u64> {
    let mut sum = 0_u64;
    let sums = differences.iter().map(|difference| {
        sum = sum.wrapping_add(*difference);
        sum
    });
    sums.collect()
}

#[cfg(test)]
mod tests {
    use autotuner_core::measure::{RequestError, RequestOutcome, TokenCount, TokenSource};

    use super::*;

    #[test]
    fn records_survive_being_said() {
        let request = |outcome| RequestRecord {
            intended_ns: 1,
            sent_ns: 2,
            content_ns: vec![1_000_000_007, 1_000_000_009, 1_000_000_008],
            first_visible_ns: Some(1_000_000_009),
            chunk_tokens: vec![1, 4],
            first_chunk_tokens: 1,
            ended_ns: u64::MAX,
            input_tokens: TokenCount {
                count: 100,
                source: TokenSource::Usage,
            },
            output_tokens: TokenCount {
                count: 5,
                source: TokenSource::Chunks,
            },
            job: 3,
            turn: 1,
            outcome,
        };
        let failed = |error| RequestOutcome::Failed {
            error,
            detail: "a \"detail\"\n".into(),
        };
        let level = LevelRecords {
            scenario: "D(100,128)".into(),
            concurrency: 8,
            schedule: Some(Schedule {
                label: "poisson at 10/s".into(),
                rate: 10.1,
                held_back: 2,
            }),
            window_start_ns: 5,
            window_end_ns: 6,
            requests: [
                RequestOutcome::Success,
                RequestOutcome::CutOff,
                failed(RequestError::Status(429)),
                failed(RequestError::InBand),
            ]
            .map(request)
            .into(),
            lead_in: vec![request(RequestOutcome::Success)],
            client: Some(ClientHealth {
                threads: 2,
                cpu_share: 0.123_456_789,
                lag_max_ns: 7,
                ..ClientHealth::default()
            }),
            engine: Some(EngineFigures {
                ttft: Some(0.1 + 0.2),
                ..EngineFigures::default()
            }),
        };
        let said = serde_json::to_string(&LevelSaid::from(level.clone())).expect("JSON");
        let heard: LevelSaid = serde_json::from_str(&said).expect("a level");
        assert_eq!(LevelRecords::from(heard), level);
    }
}
