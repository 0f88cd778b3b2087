//! A closed loop: so many in flight at once, each of which sends its next request as soon as
//! its last one has ended.
//!
//! The one idea: a warm-up that is to run into the window does not stop for it. When enough of
//! its requests have ended the window opens, and each slot's next request belongs to it; what
//! was under way is the window's lead-in. So the window begins at full load, and the slots keep
//! the distance from one another that the warm-up has given them. That they begin one shortly
//! after the other sets apart the chunks of a server that sends them at a steady pace, too.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use autotuner_core::measure::RequestRecord;
use tokio::time::Instant;

use crate::BenchError;
use crate::phase::Phase;
use crate::shared::nothing_succeeded;
use crate::slot::Slot;

/// The time over which the slots' first requests are spread: many times that between two tokens,
/// and little beside a warm-up.
const RAMP: Duration = Duration::from_millis(250);

/// What a closed loop runs through.
#[derive(Clone)]
pub(crate) struct Course {
    /// What comes first and is not recorded, if it runs into the window.
    pub(crate) lead: Option<Lead>,
    pub(crate) window: Arc<Phase>,
    /// Whether what is asked is worth a record.
    pub(crate) is_recorded: bool,
}

/// A warm-up that runs into the window.
#[derive(Clone)]
pub(crate) struct Lead {
    pub(crate) phase: Arc<Phase>,
    /// Slots that begin with it.
    pub(crate) slots: u32,
    /// When the first of them did.
    pub(crate) begun: Instant,
    /// Its requests that must have ended.
    pub(crate) enough: u32,
    /// Whether the window opens although none of them has succeeded.
    pub(crate) may_fail: bool,
}

/// Works one slot through the course.
///
/// # Errors
/// As [`Phase::serve`]; [`BenchError::NothingSucceeded`] when the warm-up ends without a success.
pub(crate) async fn work(mut slot: Slot, course: Course) -> Result<Vec<Slot>, BenchError> {
    if let Some(lead) = &course.lead {
        tokio::time::sleep(wait(slot.number, lead.slots)).await;
    }
    while let Some(lead) = course.lead()? {
        let Some(job) = lead.take_job() else { continue };
        for record in converse(lead, &mut slot, job, || course.is_open()).await? {
            let is_under_way = |opened: Instant| lead.shared.clock.stamp(opened) < record.ended_ns;
            if course.window.opened().is_some_and(is_under_way) {
                slot.lead_in.push(record);
            }
        }
    }
    course.window.open();
    while let Some(job) = course.window.take_job() {
        let records = converse(&course.window, &mut slot, job, || false).await?;
        if course.is_recorded {
            slot.records.extend(records);
        }
    }
    Ok(vec![slot])
}

/// How long one of so many slots waits before its first request; the last, where there are fewer.
fn wait(slot: usize, slots: u32) -> Duration {
    let slot = u32::try_from(slot).unwrap_or(u32::MAX);
    RAMP * slot.min(slots.saturating_sub(1)) / slots.max(1)
}

/// Asks one conversation's requests one after the other, until `is_over`.
async fn converse(
    phase: &Phase,
    slot: &mut Slot,
    job: u32,
    is_over: impl Fn() -> bool,
) -> Result<Vec<RequestRecord>, BenchError> {
    let mut records = Vec::new();
    for turn in 0..phase.list.turns(job) {
        if turn > 0 {
            let next = Instant::now() + phase.list.think();
            tokio::time::sleep_until(next.min(phase.stop_at())).await;
        }
        if is_over() || !phase.may_start() {
            break;
        }
        let intended_ns = phase.shared.clock.now();
        records.push(phase.serve(slot, job, turn, intended_ns).await?);
        phase.rest(slot).await;
    }
    Ok(records)
}

impl Course {
    fn is_open(&self) -> bool {
        self.window.opened().is_some()
    }

    /// The warm-up, while it lasts. Opens the window when it has lasted long enough.
    fn lead(&self) -> Result<Option<&Phase>, BenchError> {
        let Some(Lead {
            phase,
            slots,
            begun,
            enough,
            may_fail,
        }) = self.lead.as_ref().filter(|_| !self.is_open())
        else {
            return Ok(None);
        };
        // Were answers short, the first slots could have asked all before the last has begun.
        let is_complete = begun.elapsed() >= wait(slots.saturating_sub(1) as usize, *slots);
        let is_enough = phase.ended() >= *enough && is_complete;
        let is_late = Instant::now() >= phase.stop_at();
        if !is_enough && !is_late {
            return Ok(Some(phase));
        }
        if !may_fail && phase.counts.succeeded.load(Ordering::Relaxed) == 0 {
            return Err(nothing_succeeded(&phase.shared.health, || {
                format!("no request ended within the warm-up's {:?}", phase.lasts)
            }));
        }
        self.window.open();
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_requests_are_spread_evenly() {
        for slots in [1, 2, 256, 65_536] {
            let waits: Vec<Duration> = (0..slots as usize).map(|slot| wait(slot, slots)).collect();
            assert_eq!(waits[0], Duration::ZERO, "one alone waits for nothing");
            let whole = RAMP / slots;
            for pair in waits.windows(2) {
                let apart = pair[1] - pair[0];
                assert!(
                    apart >= whole && apart <= whole + Duration::from_nanos(1),
                    "{apart:?} of {slots}"
                );
            }
            assert!(*waits.last().unwrap() < RAMP);
        }
    }
}
