//! What an agent says, step by step, and its packing.

use std::time::Duration;

use autotuner_core::failure::{Failure, FailureKind};
use autotuner_load::{Live, Progress, Recording};
use serde::{Deserialize, Serialize};

use super::records::LevelSaid;
use super::words::ErrorSaid;

/// How hard messages are packed.
const EFFORT: i32 = 3;

/// One thing that an agent says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// It lives, and is of this version.
    Hello {
        /// The product's version.
        version: String,
    },
    /// The engine was started.
    Launched {
        /// The argument vector, program first.
        command: Vec<String>,
    },
    /// The engine answers.
    Ready {
        /// How long after its start.
        after_ms: u64,
    },
    /// How a level goes.
    Progress(ProgressSaid),
    /// A level is over.
    Level(Box<LevelSaid>),
    /// All levels are.
    Measured {
        /// See [`Recording::notes`].
        notes: Vec<String>,
        /// See [`Recording::fingerprints`].
        fingerprints: Vec<String>,
        /// See [`Recording::clock_zero_ns`].
        clock_zero_ns: u64,
    },
    /// It has failed.
    Failed {
        /// The kind's word.
        kind: String,
        /// What happened.
        message: String,
        /// What to do about it.
        advice: Option<String>,
    },
    /// Nothing comes after this, and the engine is gone.
    Over,
}

/// See [`Progress`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProgressSaid {
    level: usize,
    levels: usize,
    label: String,
    warming_up: bool,
    completed: u32,
    failed: u32,
    planned: u32,
    in_flight: u32,
    errors: Vec<(ErrorSaid, u32)>,
    live: Option<LiveSaid>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LiveSaid {
    ttft: f64,
    ttft_p50: f64,
    ttft_p99: f64,
    tpot: Option<f64>,
    output_tokens_per_second: f64,
}

impl Said {
    /// The first word.
    pub(crate) fn hello() -> Self {
        Self::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The engine answers.
    pub(crate) fn ready(took: Duration) -> Self {
        Self::Ready {
            after_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// What came of it; the levels themselves were said before.
    pub(crate) fn outcome(outcome: Result<Recording, Failure>) -> Self {
        match outcome {
            Ok(recording) => {
                let Recording {
                    levels: _,
                    notes,
                    fingerprints,
                    clock_zero_ns,
                } = recording;
                Self::Measured {
                    notes,
                    fingerprints,
                    clock_zero_ns,
                }
            }
            Err(failure) => Self::Failed {
                kind: failure.kind.as_str().to_owned(),
                message: failure.message,
                advice: failure.advice,
            },
        }
    }

    /// As bytes.
    pub(crate) fn pack(&self) -> Vec<u8> {
        // Neither can fail on memory; what cannot be packed is missed where it is read.
        let text = serde_json::to_vec(self).unwrap_or_default();
        zstd::encode_all(text.as_slice(), EFFORT).unwrap_or_default()
    }

    /// Out of bytes; `None` where they are none of ours.
    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let text = zstd::decode_all(bytes).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// The failure that was said.
pub(crate) fn failure(kind: &str, message: String, advice: Option<String>) -> Failure {
    let kind = FailureKind::from_word(kind).unwrap_or(FailureKind::Infrastructure);
    Failure {
        advice,
        ..Failure::new(kind, message)
    }
}

impl From<Progress> for ProgressSaid {
    fn from(progress: Progress) -> Self {
        let Progress {
            level,
            levels,
            label,
            warming_up,
            completed,
            failed,
            planned,
            in_flight,
            errors,
            live,
        } = progress;
        let errors = errors.into_iter();
        Self {
            level,
            levels,
            label,
            warming_up,
            completed,
            failed,
            planned,
            in_flight,
            errors: errors.map(|(error, count)| (error.into(), count)).collect(),
            live: live.map(|live| {
                let Live {
                    ttft,
                    ttft_p50,
                    ttft_p99,
                    tpot,
                    output_tokens_per_second,
                } = live;
                LiveSaid {
                    ttft,
                    ttft_p50,
                    ttft_p99,
                    tpot,
                    output_tokens_per_second,
                }
            }),
        }
    }
}

impl From<ProgressSaid> for Progress {
    fn from(said: ProgressSaid) -> Self {
        let ProgressSaid {
            level,
            levels,
            label,
            warming_up,
            completed,
            failed,
            planned,
            in_flight,
            errors,
            live,
        } = said;
        let errors = errors.into_iter();
        Self {
            level,
            levels,
            label,
            warming_up,
            completed,
            failed,
            planned,
            in_flight,
            errors: errors.map(|(error, count)| (error.into(), count)).collect(),
            live: live.map(|live| {
                let LiveSaid {
                    ttft,
                    ttft_p50,
                    ttft_p99,
                    tpot,
                    output_tokens_per_second,
                } = live;
                Live {
                    ttft,
                    ttft_p50,
                    ttft_p99,
                    tpot,
                    output_tokens_per_second,
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        let progress = Progress {
            level: 1,
            levels: 3,
            label: "D(100,128) at 8".into(),
            warming_up: false,
            completed: 5,
            failed: 1,
            planned: 40,
            in_flight: 8,
            errors: vec![(autotuner_core::measure::RequestError::Status(503), 1)],
            live: Some(Live {
                ttft: 0.1,
                ttft_p50: 0.2,
                ttft_p99: 0.3,
                tpot: None,
                output_tokens_per_second: 12.5,
            }),
        };
        let said = Said::Progress(progress.clone().into());
        let Some(Said::Progress(heard)) = Said::unpack(&said.pack()) else {
            panic!("it is progress");
        };
        assert_eq!(Progress::from(heard), progress);
        assert_eq!(Said::unpack(b"noise"), None);
        let failed = Failure::new(FailureKind::OutOfMemory, "gone");
        let Some(Said::Failed {
            kind,
            message,
            advice,
        }) = Said::unpack(&Said::outcome(Err(failed.clone())).pack())
        else {
            panic!("it is a failure");
        };
        assert_eq!(failure(&kind, message, advice), failed);
    }
}
