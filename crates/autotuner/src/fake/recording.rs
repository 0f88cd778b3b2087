//! What the fake load generator records.

use autotuner_core::measure::{
    LevelRecords, RequestError, RequestOutcome, RequestRecord, TokenCount, TokenSource,
};
use autotuner_core::workload::Workload;
use autotuner_load::{Observer, Recording, Verdict};

/// Every level of a workload at the same rate, as far as the observer wants them.
pub(super) async fn by_levels(rate: u32, workload: &Workload, observer: &mut dyn Observer) -> Recording {
    let mut recording = recording(rate, 0);
    recording.levels.clear();
    for plan in workload.levels() {
        let records = level(rate, 0, plan.load.most_in_flight());
        let verdict = observer.level_done(&records).await;
        recording.levels.push(records);
        if verdict == Verdict::Stop {
            break;
        }
    }
    recording
}

/// Ten requests, `failed` of them failures, of `rate` tokens a second in all.
pub(super) fn recording(rate: u32, failed: usize) -> Recording {
    Recording {
        levels: vec![level(rate, failed, 1)],
        notes: vec![],
        fingerprints: vec![],
        clock_zero_ns: 0,
    }
}

fn level(rate: u32, failed: usize, concurrency: u32) -> LevelRecords {
    let tokens = |count| TokenCount {
        count,
        source: TokenSource::Usage,
    };
    let request = |index: usize| RequestRecord {
        intended_ns: 0,
        sent_ns: 0,
        content_ns: vec![1_000_000, 2_000_000],
        first_chunk_tokens: 1,
        ended_ns: 2_000_000,
        input_tokens: tokens(0),
        output_tokens: tokens(rate / 10),
        outcome: if index < failed {
            RequestOutcome::Failed {
                error: RequestError::Status(500),
                detail: "no".into(),
            }
        } else {
            RequestOutcome::Success
        },
        ..RequestRecord::default()
    };
    LevelRecords {
        scenario: "D(1,1)".into(),
        concurrency,
        window_start_ns: 0,
        window_end_ns: 1_000_000_000,
        requests: (0..10).map(request).collect(),
        ..LevelRecords::default()
    }
}
