//! The record of a run, kept in spite of a database that cannot be written for a while.
//!
//! The one idea: what was measured must not be lost because the disk was full for a minute or
//! another program held the database. Such a write has had no effect, so it is simply tried
//! again, until it works, the patience is spent, or the server ends.

use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::experiment::{Experiment, LaunchFacts, Measured};
use autotuner_core::failure::Failure;
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, TaskMove, TaskStatus};
use autotuner_core::plan::Next;
use autotuner_store::{IsAlike, Store, StoreError};
use tokio::time::{Instant, sleep};

use crate::worker::chain;
use crate::worker::stop::RunStop;

/// How long a write is tried.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How long when the run is to end.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Told what cannot be written, and with `None` that it could be.
pub(super) type Told = Box<dyn Fn(Option<&str>) + Send + Sync>;

/// A store that is asked again.
pub(super) struct Patient<Inner> {
    pub(super) inner: Inner,
    pub(super) stop: RunStop,
    pub(super) told: Told,
}

impl<Inner: Store> Patient<Inner> {
    async fn again<T, Attempt>(&self, mut attempt: impl FnMut() -> Attempt + Send) -> Result<T, StoreError>
    where
        Attempt: Future<Output = Result<T, StoreError>> + Send,
    {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match attempt().await {
                Err(error @ (StoreError::Busy { .. } | StoreError::CannotWrite { .. })) => error,
                done => {
                    if pause > FIRST_PAUSE {
                        (self.told)(None);
                    }
                    return done;
                }
            };
            let is_ending = self.stop.cause().is_some();
            let patience = if is_ending { LAST_PATIENCE } else { PATIENCE };
            if begun.elapsed() >= patience {
                return Err(error);
            }
            (self.told)(Some(&chain(&error)));
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.tokens.soft.cancelled(), if !is_ending => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[async_trait]
impl<Inner: Store> Store for Patient<Inner> {
    async fn task_status(&self, task: TaskId) -> Result<TaskStatus, StoreError> {
        self.again(|| self.inner.task_status(task)).await
    }

    async fn end_task(
        &self,
        task: TaskId,
        wanted: TaskMove,
        because: &str,
        now_ms: i64,
    ) -> Result<TaskStatus, StoreError> {
        self.again(|| self.inner.end_task(task, wanted, because, now_ms))
            .await
    }

    async fn begin_experiment(
        &self,
        task: TaskId,
        next: Next,
        now_ms: i64,
    ) -> Result<ExperimentNumber, StoreError> {
        self.again(|| self.inner.begin_experiment(task, next.clone(), now_ms))
            .await
    }

    async fn move_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        wanted: ExperimentMove,
    ) -> Result<(), StoreError> {
        self.again(|| self.inner.move_experiment(task, number, wanted))
            .await
    }

    async fn record_launch(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        facts: LaunchFacts,
    ) -> Result<(), StoreError> {
        self.again(|| self.inner.record_launch(task, number, facts.clone()))
            .await
    }

    async fn record_stop(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.again(|| self.inner.record_stop(task, number, now_ms)).await
    }

    async fn finish_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        result: Result<Measured, Failure>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let again = || self.inner.finish_experiment(task, number, result.clone(), now_ms);
        self.again(again).await
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Experiment>, StoreError> {
        self.again(|| self.inner.history(task)).await
    }

    async fn alike(
        &self,
        task: TaskId,
        most: usize,
        is_alike: &IsAlike<'_>,
    ) -> Result<Vec<Vec<Experiment>>, StoreError> {
        self.again(|| self.inner.alike(task, most, is_alike)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::stop::StopCause;
    use autotuner_store::MemoryStore;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};

    /// A store whose histories fail so often before they can be read.
    struct Failing {
        inner: MemoryStore,
        left: AtomicU32,
        error: StoreError,
    }

    #[async_trait]
    impl Store for Failing {
        async fn history(&self, task: TaskId) -> Result<Vec<Experiment>, StoreError> {
            let less = |left: u32| left.checked_sub(1);
            match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
                Ok(_) => Err(self.error.clone()),
                Err(_) => self.inner.history(task).await,
            }
        }
        async fn alike(
            &self,
            task: TaskId,
            most: usize,
            is_alike: &IsAlike<'_>,
        ) -> Result<Vec<Vec<Experiment>>, StoreError> {
            self.inner.alike(task, most, is_alike).await
        }
        async fn task_status(&self, task: TaskId) -> Result<TaskStatus, StoreError> {
            self.inner.task_status(task).await
        }
        async fn end_task(
            &self,
            task: TaskId,
            wanted: TaskMove,
            because: &str,
            now_ms: i64,
        ) -> Result<TaskStatus, StoreError> {
            self.inner.end_task(task, wanted, because, now_ms).await
        }
        async fn begin_experiment(
            &self,
            task: TaskId,
            next: Next,
            now_ms: i64,
        ) -> Result<ExperimentNumber, StoreError> {
            self.inner.begin_experiment(task, next, now_ms).await
        }
        async fn move_experiment(
            &self,
            task: TaskId,
            number: ExperimentNumber,
            wanted: ExperimentMove,
        ) -> Result<(), StoreError> {
            self.inner.move_experiment(task, number, wanted).await
        }
        async fn record_launch(
            &self,
            task: TaskId,
            number: ExperimentNumber,
            facts: LaunchFacts,
        ) -> Result<(), StoreError> {
            self.inner.record_launch(task, number, facts).await
        }
        async fn record_stop(
            &self,
            task: TaskId,
            number: ExperimentNumber,
            now_ms: i64,
        ) -> Result<(), StoreError> {
            self.inner.record_stop(task, number, now_ms).await
        }
        async fn finish_experiment(
            &self,
            task: TaskId,
            number: ExperimentNumber,
            result: Result<Measured, Failure>,
            now_ms: i64,
        ) -> Result<(), StoreError> {
            self.inner.finish_experiment(task, number, result, now_ms).await
        }
    }

    /// What came of reading a history that fails so, and what was told meanwhile.
    async fn read(
        failures: u32,
        error: StoreError,
        stop: RunStop,
    ) -> (Result<usize, StoreError>, Vec<Option<String>>) {
        let inner = MemoryStore::new();
        let task = inner.begin_task("t").expect("new");
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = Arc::clone(&told);
        let patient = Patient {
            inner: Failing {
                inner,
                left: failures.into(),
                error,
            },
            stop,
            told: Box::new(move |why| teller.lock().expect("whole").push(why.map(str::to_owned))),
        };
        let read = patient.history(task).await.map(|history| history.len());
        let told = told.lock().expect("whole").clone();
        (read, told)
    }

    #[tokio::test]
    async fn a_busy_database_is_asked_again_and_told_of() {
        let busy = StoreError::Busy { doing: "reading" };
        let (read, told) = read(1, busy.clone(), RunStop::default()).await;
        assert!(matches!(read, Ok(0)), "{read:?}");
        assert_eq!(told, [Some(busy.to_string()), None]);
    }

    #[tokio::test]
    async fn what_no_later_attempt_can_mend_is_told_at_once() {
        let lost = StoreError::LeaseLost(TaskId(1));
        let (read, told) = read(1, lost, RunStop::default()).await;
        assert!(matches!(read, Err(StoreError::LeaseLost(_))), "{read:?}");
        assert_eq!(told, []);
    }

    #[tokio::test]
    async fn a_run_that_is_to_end_has_little_patience() {
        let stop = RunStop::default();
        stop.stop(StopCause::ServerEnds);
        let (read, _) = read(u32::MAX, StoreError::Busy { doing: "reading" }, stop).await;
        assert!(matches!(read, Err(StoreError::Busy { .. })), "{read:?}");
    }
}
