//! Workers without engines, and who gives them tasks.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autotuner_core::experiment::LaunchFacts;
use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::{ExperimentMove, TaskMove};
use autotuner_core::plan::Next;
use autotuner_core::search::Role;
use autotuner_core::space::{Candidate, ParameterName, Value};
use autotuner_store::{Claim, Database, NewTask, Store, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::made;

/// Tasks have one experiment to so many.
const OF_A_TASK: u64 = 49;
/// After one to so many a worker gives a task back: as servers do that are stopped, and more often.
const OF_A_CLAIM: f64 = 9.0;
/// Tasks that run and that nobody has, at least.
const WAITING: u64 = 1000;
/// As services have them.
const LEASE_MS: i64 = 60_000;
const RENEWED_EACH: Duration = Duration::from_secs(10);
/// How soon who finds nothing looks again.
const IDLE: Duration = Duration::from_secs(5);
/// Experiments that end at ease take so long.
const EASE: Duration = Duration::from_secs(30);

/// How fast everybody works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Nothing takes any time but the verbs.
    Hurry,
    /// An experiment takes half a minute.
    Ease,
    /// Nobody goes on.
    Stop,
}

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    Claim,
    Renew,
    Begin,
    Move,
    Finish,
    End,
    Release,
}

/// How long each took, in microseconds.
pub(crate) type Times = HashMap<Verb, Vec<u64>>;

/// All workers.
pub(crate) struct Crowd {
    /// Of the process that people talk to.
    people: Database,
    databases: Vec<Database>,
    workers: usize,
    begun: Instant,
    pace: watch::Sender<Pace>,
    times: Mutex<Times>,
    /// Who has which task, as the workers know it.
    held: Mutex<HashSet<TaskId>>,
    /// The latest claim of each task that has not ended.
    epochs: Mutex<HashMap<TaskId, i64>>,
    wrong: Mutex<Vec<String>>,
    made: AtomicU64,
    finished: AtomicU64,
    pub(crate) ended: AtomicU64,
    pub(crate) claims: AtomicU64,
    pub(crate) copied: AtomicU64,
    pub(crate) busy: AtomicU64,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crowd {
    pub(crate) fn new(people: Database, databases: Vec<Database>, workers: usize) -> Self {
        Self {
            people,
            databases,
            workers,
            begun: Instant::now(),
            pace: watch::Sender::new(Pace::Hurry),
            times: Mutex::default(),
            held: Mutex::default(),
            epochs: Mutex::default(),
            wrong: Mutex::default(),
            made: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            claims: AtomicU64::new(0),
            copied: AtomicU64::new(0),
            busy: AtomicU64::new(0),
        }
    }

    /// Lets the one who makes tasks begin and, when there are enough, all workers.
    pub(crate) async fn begin(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        let mut hands = Vec::new();
        let giver = Arc::clone(self);
        hands.push(tokio::spawn(async move { giver.give().await }));
        while self.running() < self.wanted() {
            sleep(Duration::from_millis(50)).await;
        }
        for number in 0..self.workers {
            let worker = Worker {
                crowd: Arc::clone(self),
                database: self.databases[number % self.databases.len()].clone(),
                owner: format!("{}/{number}", number % self.databases.len()),
                pace: self.pace.subscribe(),
                was_at_ease: false,
                chance: u64::try_from(number).unwrap_or_default(),
            };
            hands.push(tokio::spawn(worker.work()));
        }
        hands
    }

    /// Tasks that run, and those that should.
    fn running(&self) -> u64 {
        self.made.load(Ordering::Relaxed) - self.ended.load(Ordering::Relaxed)
    }

    fn wanted(&self) -> u64 {
        u64::try_from(self.workers)
            .unwrap_or(u64::MAX)
            .saturating_add(WAITING)
    }

    pub(crate) fn set(&self, pace: Pace) {
        self.pace.send_replace(pace);
    }

    pub(crate) async fn stop(&self, hands: Vec<JoinHandle<()>>) {
        self.set(Pace::Stop);
        for hand in hands {
            if let Err(error) = hand.await {
                lock(&self.wrong).push(format!("a worker died: {error}"));
            }
        }
    }

    pub(crate) async fn close(&self) {
        for database in self.databases.iter().chain([&self.people]) {
            database.close().await;
        }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.people
    }

    /// Experiments that have ended, by the verbs.
    pub(crate) fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    pub(crate) fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed)
    }

    pub(crate) fn on_record(&self) -> u64 {
        self.finished() + self.copied()
    }

    pub(crate) fn forget_times(&self) {
        lock(&self.times).clear();
    }

    pub(crate) fn take_times(&self) -> Times {
        std::mem::take(&mut *lock(&self.times))
    }

    /// What was seen that may not be.
    pub(crate) fn wrong(&self) -> Vec<String> {
        lock(&self.wrong).clone()
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn is_over(&self) -> bool {
        *self.pace.borrow() == Pace::Stop
    }

    /// Sees to it that there are always tasks that nobody has.
    async fn give(&self) {
        let mut number = 0;
        while !self.is_over() {
            if self.running() >= self.wanted() {
                sleep(Duration::from_millis(5)).await;
                continue;
            }
            number += 1;
            match self.give_one(number).await {
                Ok(()) => drop(self.made.fetch_add(1, Ordering::Relaxed)),
                Err(error) => self.told(&error),
            }
        }
    }

    async fn give_one(&self, number: u64) -> Result<(), StoreError> {
        let name = format!("task {number}");
        let task = NewTask {
            description: None,
            base_runtime: "vllm".into(),
            deployment_mode: "docker".into(),
            document: serde_json::json!({ "task_name": name, "filler": "x".repeat(2000) }),
            slo: Some(serde_json::json!({ "ttft": { "threshold": 0.5 } })),
            max_iterations: 49,
            name,
        };
        let id = self.database().create_task(&made::act(), task).await?.summary.id;
        self.database().start_task(&made::act(), id).await?;
        Ok(())
    }

    /// An error is another's turn, or it must not be.
    fn told(&self, error: &StoreError) {
        match error {
            StoreError::Busy { .. } => {
                self.busy.fetch_add(1, Ordering::Relaxed);
            }
            other => lock(&self.wrong).push(other.to_string()),
        }
    }

    /// Times a verb.
    async fn timed<T>(
        &self,
        verb: Verb,
        doing: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let done = doing.await?;
        let spent = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        lock(&self.times).entry(verb).or_default().push(spent);
        Ok(done)
    }

    /// Whether a claim is what it must be: of a task that nobody has, and later than all before it.
    fn took(&self, claim: &Claim) {
        self.claims.fetch_add(1, Ordering::Relaxed);
        if !lock(&self.held).insert(claim.task) {
            lock(&self.wrong).push(format!("task {} was claimed while somebody held it", claim.task));
        }
        let before = lock(&self.epochs).insert(claim.task, claim.epoch);
        if before.is_some_and(|before| before >= claim.epoch) {
            lock(&self.wrong).push(format!("two claims of task {} have one number", claim.task));
        }
        // Who was told that the server is busy has left one open.
        if !claim.lost.is_empty() && self.busy.load(Ordering::Relaxed) == 0 {
            lock(&self.wrong).push(format!("task {} had open experiments", claim.task));
        }
    }
}

struct Worker {
    crowd: Arc<Crowd>,
    database: Database,
    owner: String,
    pace: watch::Receiver<Pace>,
    was_at_ease: bool,
    /// The state of its dice.
    chance: u64,
}

impl Worker {
    async fn work(mut self) {
        while !self.crowd.is_over() {
            let crowd = Arc::clone(&self.crowd);
            let claiming = self.database.claim(&self.owner, crowd.now_ms(), LEASE_MS);
            match crowd.timed(Verb::Claim, claiming).await {
                Ok(Some(claim)) => {
                    crowd.took(&claim);
                    if let Err(error) = self.run(&claim).await {
                        crowd.told(&error);
                        // It stays this worker's until its claim is over.
                        lock(&crowd.held).remove(&claim.task);
                    }
                }
                Ok(None) => drop(timeout(IDLE, self.pace.changed()).await),
                Err(error) => crowd.told(&error),
            }
        }
    }

    /// A few experiments of a task; all that are left, where those are no more.
    async fn run(&mut self, claim: &Claim) -> Result<(), StoreError> {
        let crowd = Arc::clone(&self.crowd);
        let store = self.database.run_store(claim);
        let before = store.history(claim.task).await?.len();
        // Some tasks are at their end while others have just begun.
        let of_all = usize::try_from(1 + claim.task.0.unsigned_abs() % OF_A_TASK).unwrap_or(1);
        let of_claim = 1 + (self.throw() * OF_A_CLAIM) as usize;
        let until = of_all.min(before + of_claim);
        for step in before..until {
            if crowd.is_over() {
                break;
            }
            self.experiment(claim, step).await?;
        }
        if until == of_all && !crowd.is_over() {
            let now_ms = crowd.now_ms();
            let ending = store.end_task(claim.task, TaskMove::Complete, "all was tried", now_ms);
            crowd.timed(Verb::End, ending).await?;
            lock(&crowd.epochs).remove(&claim.task);
            crowd.ended.fetch_add(1, Ordering::Relaxed);
        }
        // From here on it may be another's.
        lock(&crowd.held).remove(&claim.task);
        crowd.timed(Verb::Release, self.database.release(claim)).await
    }

    async fn experiment(&mut self, claim: &Claim, step: usize) -> Result<(), StoreError> {
        let crowd = Arc::clone(&self.crowd);
        let (store, task) = (self.database.run_store(claim), claim.task);
        let point = i64::try_from(step).unwrap_or(i64::MAX);
        let next = Next {
            role: Role::Search,
            candidate: Candidate::new([
                (ParameterName::new("max-num-seqs"), Value::Int(point)),
                (ParameterName::new("gpu-memory-utilization"), Value::Float(0.9)),
            ]),
            reason: "the next point of the grid".into(),
            attempt: 1,
        };
        self.renew(claim).await?;
        let beginning = store.begin_experiment(task, next, crowd.now_ms());
        let number = crowd.timed(Verb::Begin, beginning).await?;
        let moving = store.move_experiment(task, number, ExperimentMove::Deploy);
        crowd.timed(Verb::Move, moving).await?;
        self.pause(claim).await?;
        let facts = LaunchFacts {
            command: ["vllm", "serve", "model", "--port", "8000"]
                .map(Into::into)
                .to_vec(),
            ..LaunchFacts::default()
        };
        store.record_launch(task, number, facts).await?;
        let moving = store.move_experiment(task, number, ExperimentMove::Benchmark);
        crowd.timed(Verb::Move, moving).await?;
        self.pause(claim).await?;
        // The best of a task changes now and then.
        let value =
            -(f64::from(claim.task.0.unsigned_abs() as u32 % 7) + 1.0) * (1.0 + (step as f64 - 4.0).abs());
        let finishing = store.finish_experiment(task, number, Ok(made::result(1, 8, value)), crowd.now_ms());
        crowd.timed(Verb::Finish, finishing).await?;
        crowd.finished.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn renew(&self, claim: &Claim) -> Result<(), StoreError> {
        let crowd = &self.crowd;
        let renewing = self.database.renew(claim, crowd.now_ms(), LEASE_MS);
        crowd.timed(Verb::Renew, renewing).await.map(drop)
    }

    /// From zero to one.
    fn throw(&mut self) -> f64 {
        // Knuth's; the upper bits are the good ones.
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 40) as f64 / f64::from(1 << 24)
    }

    /// Waits about half an experiment at ease, and renews the claim meanwhile. Those who have just
    /// come to be at ease are in the middle of one.
    async fn pause(&mut self, claim: &Claim) -> Result<(), StoreError> {
        let begun = Instant::now();
        let before = std::mem::replace(&mut self.was_at_ease, *self.pace.borrow() == Pace::Ease);
        let share = self.throw() + if before { 0.5 } else { 0.0 };
        let ease = (EASE / 2).mul_f64(share);
        loop {
            let spent = begun.elapsed();
            if *self.pace.borrow_and_update() != Pace::Ease || spent >= ease {
                return Ok(());
            }
            let slice = RENEWED_EACH.min(ease - spent);
            if timeout(slice, self.pace.changed()).await.is_err() && begun.elapsed() < ease {
                self.renew(claim).await?;
            }
        }
    }
}
