//! Named places at which the program kills itself when it is told to: for tests of what a death
//! leaves behind. Released programs have none of it.
//!
//! The one idea: every step of a run with an effect outside of this process has a point, with
//! one side before the effect and one after it. Tests go through all of them, so that a point
//! cannot be forgotten.

/// A step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FaultPoint {
    /// A task is taken from the queue.
    Claim,
    /// A task's log is opened.
    OpenLog,
    /// What a task needs is looked for.
    Prepare,
    /// An experiment is put on record.
    BeginExperiment,
    /// It moves on to deploying.
    MoveToDeploying,
    /// Its target is asked for program or image.
    PrepareLaunch,
    /// Processors or GPUs are held for it.
    Hold,
    /// Its engine is started.
    Launch,
    /// What was started is put on record.
    RecordLaunch,
    /// Its engine gets ready.
    Ready,
    /// How long that took is put on record.
    RecordReady,
    /// It moves on to benchmarking.
    MoveToBenchmarking,
    /// Its benchmark runs.
    Benchmark,
    /// Its benchmark tells how far it is.
    Progress,
    /// The records of its requests are written.
    WriteRecords,
    /// What was recorded is judged.
    Judge,
    /// Its engine is stopped.
    Stop,
    /// That it is gone is put on record.
    RecordStop,
    /// The engine's log is kept.
    PreserveLog,
    /// Its end is put on record.
    FinishExperiment,
    /// Its end is told.
    Tell,
    /// The history is read and the next step planned.
    Plan,
    /// The task's end is put on record.
    EndTask,
    /// The claim is lengthened.
    Renew,
    /// The claim is given back.
    Release,
    /// What dead servers left is cleared away.
    Sweep,
}

/// When, relative to a step's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Side {
    /// It has not had its effect.
    Before,
    /// It has had its effect.
    After,
}

#[cfg(debug_assertions)]
pub(crate) use armed::{arm, at};

/// Passes a point.
#[cfg(not(debug_assertions))]
pub(crate) fn at(_point: FaultPoint, _side: Side) {}

/// Refuses: there is nothing to arm.
#[cfg(not(debug_assertions))]
pub(crate) fn arm(_text: &str) -> Result<(), String> {
    Err("this program was built without faults".to_owned())
}

/// Does a step between its two sides.
pub(crate) async fn around<T>(point: FaultPoint, step: impl Future<Output = T>) -> T {
    at(point, Side::Before);
    let done = step.await;
    at(point, Side::After);
    done
}

#[cfg(debug_assertions)]
mod armed {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use super::{FaultPoint, Side};

    impl FaultPoint {
        /// Every point.
        pub(crate) const ALL: [Self; 26] = [
            Self::Claim,
            Self::OpenLog,
            Self::Prepare,
            Self::BeginExperiment,
            Self::MoveToDeploying,
            Self::PrepareLaunch,
            Self::Hold,
            Self::Launch,
            Self::RecordLaunch,
            Self::Ready,
            Self::RecordReady,
            Self::MoveToBenchmarking,
            Self::Benchmark,
            Self::Progress,
            Self::WriteRecords,
            Self::Judge,
            Self::Stop,
            Self::RecordStop,
            Self::PreserveLog,
            Self::FinishExperiment,
            Self::Tell,
            Self::Plan,
            Self::EndTask,
            Self::Renew,
            Self::Release,
            Self::Sweep,
        ];

        /// The word that names it.
        pub(crate) fn as_str(self) -> &'static str {
            match self {
                Self::Claim => "claim",
                Self::OpenLog => "open-log",
                Self::Prepare => "prepare",
                Self::BeginExperiment => "begin-experiment",
                Self::MoveToDeploying => "move-to-deploying",
                Self::PrepareLaunch => "prepare-launch",
                Self::Hold => "hold",
                Self::Launch => "launch",
                Self::RecordLaunch => "record-launch",
                Self::Ready => "ready",
                Self::RecordReady => "record-ready",
                Self::MoveToBenchmarking => "move-to-benchmarking",
                Self::Benchmark => "benchmark",
                Self::Progress => "progress",
                Self::WriteRecords => "write-records",
                Self::Judge => "judge",
                Self::Stop => "stop",
                Self::RecordStop => "record-stop",
                Self::PreserveLog => "preserve-log",
                Self::FinishExperiment => "finish-experiment",
                Self::Tell => "tell",
                Self::Plan => "plan",
                Self::EndTask => "end-task",
                Self::Renew => "renew",
                Self::Release => "release",
                Self::Sweep => "sweep",
            }
        }
    }

    impl Side {
        /// The word that names it.
        pub(crate) fn as_str(self) -> &'static str {
            match self {
                Self::Before => "before",
                Self::After => "after",
            }
        }
    }

    /// Where the program is to kill itself.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Fault {
        pub(crate) point: FaultPoint,
        pub(crate) side: Side,
        /// At which passage, from 1.
        pub(crate) nth: u32,
    }

    static FAULT: OnceLock<Fault> = OnceLock::new();
    static PASSED: Mutex<BTreeMap<(FaultPoint, Side), u32>> = Mutex::new(BTreeMap::new());

    /// Arms the fault that a text names: `launch:after`, `launch:after:2`.
    ///
    /// # Errors
    /// The text names none; why not.
    pub(crate) fn arm(text: &str) -> Result<(), String> {
        let fault = parse(text).ok_or_else(|| {
            let known: Vec<&str> = FaultPoint::ALL.iter().map(|point| point.as_str()).collect();
            format!(
                "no fault is called {text:?}: POINT:before or POINT:after, with :N for the N-th passage; \
                 points are {}",
                known.join(", ")
            )
        })?;
        let _ = FAULT.set(fault);
        Ok(())
    }

    pub(super) fn parse(text: &str) -> Option<Fault> {
        let words: Vec<&str> = text.split(':').collect();
        let (point, side, nth) = match words.as_slice() {
            [point, side] => (*point, *side, "1"),
            [point, side, nth] => (*point, *side, *nth),
            _ => return None,
        };
        let point = FaultPoint::ALL
            .into_iter()
            .find(|known| known.as_str() == point)?;
        let side = [Side::Before, Side::After]
            .into_iter()
            .find(|known| known.as_str() == side)?;
        let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
        Some(Fault { point, side, nth })
    }

    /// Passes a point: the program ends here, as if it had been killed, if it was told to.
    pub(crate) fn at(point: FaultPoint, side: Side) {
        let passage = {
            let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
            let passage = passed.entry((point, side)).or_insert(0);
            *passage += 1;
            *passage
        };
        let reached = Fault {
            point,
            side,
            nth: passage,
        };
        if FAULT.get() == Some(&reached) {
            use nix::sys::signal::{Signal, kill};
            let _ = kill(nix::unistd::Pid::this(), Signal::SIGKILL);
            // The signal may be another thread's to receive.
            loop {
                std::thread::park();
            }
        }
    }

    /// How often each side of each point was passed in this process.
    #[cfg(test)]
    pub(crate) fn passed() -> BTreeMap<(FaultPoint, Side), u32> {
        PASSED.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(all(test, debug_assertions))]
pub(crate) use armed::passed;

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::armed::{Fault, parse};
    use super::*;

    #[test]
    fn faults_are_read() {
        let check = |text: &str, expected: Option<(FaultPoint, Side, u32)>| {
            let expected = expected.map(|(point, side, nth)| Fault { point, side, nth });
            assert_eq!(parse(text), expected, "{text}");
        };
        check("launch:after", Some((FaultPoint::Launch, Side::After, 1)));
        check("end-task:before:3", Some((FaultPoint::EndTask, Side::Before, 3)));
        for wrong in [
            "",
            "launch",
            "launch:during",
            "lunch:after",
            "launch:after:0",
            "launch:after:1:2",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn every_point_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> =
            FaultPoint::ALL.iter().map(|point| point.as_str()).collect();
        assert_eq!(words.len(), FaultPoint::ALL.len());
    }
}
