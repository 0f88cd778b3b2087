//! The worker of the service: takes on tasks, runs them, sweeps.
//!
//! The one idea: the database is the queue. A loop, woken by the bell or by time, claims what is
//! to run while there is room; each claimed task runs in a task of its own, with its claim kept
//! alive beside it. Nothing is remembered here that a death could lose.

mod board;
mod failed;
mod lease;
mod patient;
mod reporter;
mod run;
mod sweeper;
mod targets;
mod told;

pub(crate) use board::{Board, ExperimentShown, Figures, RunShown, Snapshot};
pub(crate) use targets::Machine;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::ids::TaskId;
use autotuner_load::Bench;
use autotuner_store::{Claim, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Service;
use super::shared_logs::{Carrier, Flush};
use crate::fault::{FaultPoint, around};
use crate::shutdown::Shutdown;
use crate::worker::chain;
use crate::worker::preflight::Places;
use crate::worker::slots::CpuSlots;
use crate::worker::stop::{RunStop, StopCause};
use targets::Targets;

/// Pause between two looks for something to do, when no bell rings.
const TICK: Duration = Duration::from_secs(1);

/// How long runs have to end in an orderly way, once the server is to end; then they are hurried.
const ORDERLY: Duration = Duration::from_secs(7);

/// What the worker needs.
pub(crate) struct Supervisor {
    service: Arc<Service>,
    targets: Arc<dyn Targets>,
    bench: Arc<dyn Bench>,
    slots: CpuSlots,
    places: Places,
    /// Who we are, in claims.
    owner: String,
    steady: Steady,
    /// Cancelled when the first sweep is over.
    swept: CancellationToken,
}

/// A clock that nobody turns back or forward: the wall's at the start, and what has passed since.
/// Claims are made by it.
struct Steady {
    started_at_ms: i64,
    begun: Instant,
}

/// A task that runs here.
struct Current {
    stop: RunStop,
    /// Cancelled when it has ended and nothing of it is left.
    done: CancellationToken,
}

impl Steady {
    fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.started_at_ms.saturating_add(elapsed)
    }
}

impl Supervisor {
    /// The worker of this service, which starts its engines on these targets and loads them so.
    pub(crate) fn new(
        service: Arc<Service>,
        targets: Arc<dyn Targets>,
        bench: Arc<dyn Bench>,
        places: Places,
    ) -> Self {
        let steady = Steady {
            started_at_ms: service.clock.now_ms(),
            begun: Instant::now(),
        };
        Self {
            slots: CpuSlots::of_machine(service.config.cpu_slots),
            owner: service.owner.clone(),
            service,
            targets,
            bench,
            places,
            steady,
            swept: CancellationToken::new(),
        }
    }

    /// The time that claims are made by, for everybody who makes any.
    async fn now_ms(&self) -> Result<i64, StoreError> {
        let shared = self.service.database.now_ms().await?;
        Ok(shared.unwrap_or_else(|| self.steady.now_ms()))
    }

    /// Who carries a run's logs to where others can read them; nobody where there are no others.
    fn carrier(&self, claim: &Claim) -> Option<(Carrier, Flush)> {
        let Service {
            database, own_logs, ..
        } = &*self.service;
        database.is_shared().then(|| {
            let origin = self.service.origin.clone();
            Carrier::new(database.clone(), own_logs.clone(), origin, claim.clone())
        })
    }

    /// Takes on and runs tasks until the server is to end, and lets them end then. Tasks that
    /// were running stay so, for the next start.
    pub(crate) async fn supervise(self) {
        let supervisor = Arc::new(self);
        let mut sweeps = JoinSet::new();
        sweeps.spawn(sweeper::sweep_now_and_then(Arc::clone(&supervisor)));
        let mut runs = Runs::new(Arc::clone(&supervisor));
        let end = supervisor.service.shutdown.soft.clone();
        while !end.is_cancelled() {
            runs.take_on().await;
            tokio::select! {
                () = supervisor.service.bell.notified() => runs.ring(),
                () = sleep(TICK) => {}
                () = runs.next_end() => {}
                () = end.cancelled() => {}
            }
        }
        runs.finish().await;
        // What a sweep has begun it ends quickly, now that it is to.
        drop(tokio::time::timeout(Duration::from_secs(1), sweeps.join_next()).await);
        sweeps.shutdown().await;
        supervisor.targets.close().await;
    }
}

/// The tasks that run here.
struct Runs {
    supervisor: Arc<Supervisor>,
    set: JoinSet<()>,
    current: HashMap<TaskId, Current>,
    bell: watch::Sender<()>,
}

impl Runs {
    fn new(supervisor: Arc<Supervisor>) -> Self {
        Self {
            supervisor,
            set: JoinSet::new(),
            current: HashMap::new(),
            bell: watch::Sender::new(()),
        }
    }

    /// Tells every run that somebody may want something of it.
    fn ring(&self) {
        self.bell.send_replace(());
    }

    /// Claims tasks while there is room.
    async fn take_on(&mut self) {
        let service = Arc::clone(&self.supervisor.service);
        let places = service.config.max_tasks;
        service.board.tick(service.clock.now_ms(), places);
        while self.set.len() < places && !service.shutdown.soft.is_cancelled() {
            let claiming = async {
                let now = self.supervisor.now_ms().await?;
                let lease = service.config.lease_ms;
                service.database.claim(&self.supervisor.owner, now, lease).await
            };
            match around(FaultPoint::Claim, claiming).await {
                Ok(Some(claim)) => self.begin(claim),
                Ok(None) => {
                    service.board.note_problem(None);
                    return;
                }
                Err(error) => {
                    let problem = format!("no task can be taken on: {}", chain(&error));
                    if service.board.snapshot().problem.as_ref() != Some(&problem) {
                        tracing::error!("{problem}");
                    }
                    service.board.note_problem(Some(problem));
                    return;
                }
            }
        }
    }

    fn begin(&mut self, claim: Claim) {
        let hard = self.supervisor.service.shutdown.hard.child_token();
        let stop = RunStop::on(Shutdown {
            soft: CancellationToken::new(),
            hard,
        });
        let done = CancellationToken::new();
        let task = claim.task;
        let current = Current {
            stop: stop.clone(),
            done: done.clone(),
        };
        // A claim of what runs here means that its old claim has expired: we were asleep.
        let earlier = self.current.insert(task, current).map(|earlier| {
            earlier.stop.stop(StopCause::GivenUp);
            earlier.done
        });
        let running = run::run(
            Arc::clone(&self.supervisor),
            claim,
            stop,
            earlier,
            self.bell.subscribe(),
        );
        self.set.spawn(async move {
            let _done = done.drop_guard();
            running.await;
        });
    }

    /// Waits for a run to end; for ever where none is.
    async fn next_end(&mut self) {
        match self.set.join_next().await {
            Some(_) => self.forget_ended(),
            None => std::future::pending().await,
        }
    }

    /// Forgets runs that have ended.
    fn forget_ended(&mut self) {
        self.current.retain(|_, current| !current.done.is_cancelled());
    }

    /// Waits for all runs to end, and hurries those that take long.
    async fn finish(&mut self) {
        let hurry = sleep(ORDERLY);
        tokio::pin!(hurry);
        let hard = self.supervisor.service.shutdown.hard.clone();
        while !self.set.is_empty() {
            tokio::select! {
                _ = self.set.join_next() => self.forget_ended(),
                () = &mut hurry, if !hard.is_cancelled() => hard.cancel(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
