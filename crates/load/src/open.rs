//! An open loop: requests start when the schedule says so, whatever became of those before.
//!
//! The one idea: each load thread follows its own share of the schedule with an alarm of its
//! own, and has connections open before they are needed. A start for which there is no
//! connection, because as many requests are in flight as may be, waits; it keeps the moment
//! at which it should have been, and is counted as held back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::BenchError;
use crate::alarm::Alarm;
use crate::crew::flatten;
use crate::phase::Phase;
use crate::slot::Slot;

/// One thread's share of a schedule.
pub(crate) struct Share {
    pub(crate) phase: Arc<Phase>,
    /// Which conversations are its own, and when they start: offsets from the opening.
    pub(crate) starts: Vec<(u32, Duration)>,
    /// Most requests that this thread may have in flight.
    pub(crate) most: usize,
    pub(crate) thread: usize,
    /// Starts that were held back.
    pub(crate) held_back: Arc<AtomicU32>,
}

/// Starts what is to be started, and waits for the ends.
///
/// # Errors
/// As [`Phase::serve`]; [`BenchError::BadWorkload`] when the system has no timer.
pub(crate) async fn follow(mut idle: Vec<Slot>, share: Share) -> Result<Vec<Slot>, BenchError> {
    let Share {
        phase,
        starts,
        most,
        thread,
        held_back,
    } = share;
    let no_timer = |error: std::io::Error| BenchError::BadWorkload {
        reason: format!("the system gives no timer to follow its schedule: {error}"),
    };
    let alarm = Alarm::new().map_err(no_timer)?;
    let clock = phase.shared.clock;
    let opened = phase.open();
    let mut under_way: JoinSet<Result<Slot, BenchError>> = JoinSet::new();
    for (job, offset) in starts {
        let intended_ns = clock.stamp(opened + offset);
        let mut is_held_back = false;
        loop {
            tokio::select! {
                biased;
                waited = alarm.wait_until(clock, intended_ns) => {
                    waited.map_err(no_timer)?;
                    break;
                }
                Some(ended) = under_way.join_next() => idle.push(flatten(ended)?),
            }
        }
        while let Some(ended) = under_way.try_join_next() {
            idle.push(flatten(ended)?);
        }
        while idle.is_empty() && under_way.len() >= most {
            is_held_back = true;
            idle.extend(under_way.join_next().await.map(flatten).transpose()?);
        }
        held_back.fetch_add(u32::from(is_held_back), Ordering::Relaxed);
        if Instant::now() >= phase.stop_at() || phase.started() >= phase.limit {
            break;
        }
        let slot = idle.pop().unwrap_or_else(|| Slot::new(thread));
        under_way.spawn(converse(Arc::clone(&phase), slot, job, intended_ns));
    }
    while let Some(ended) = under_way.join_next().await {
        idle.push(flatten(ended)?);
    }
    Ok(idle)
}

/// Asks one conversation's requests: the first when the schedule wants it, each further one when
/// the one before it has been answered.
async fn converse(phase: Arc<Phase>, mut slot: Slot, job: u32, first_ns: u64) -> Result<Slot, BenchError> {
    let mut intended_ns = first_ns;
    for turn in 0..phase.list.turns(job) {
        if turn > 0 {
            let next = (Instant::now() + phase.list.think()).min(phase.stop_at());
            tokio::time::sleep_until(next).await;
            intended_ns = phase.shared.clock.now();
        }
        if !phase.may_start() {
            break;
        }
        let record = phase.serve(&mut slot, job, turn, intended_ns).await?;
        slot.records.push(record);
    }
    Ok(slot)
}
