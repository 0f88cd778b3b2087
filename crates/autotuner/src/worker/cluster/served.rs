//! An engine that an operator of the cluster serves, and its load, which is a Job of ours.
//!
//! The one idea: two things run, and the experiment is over when either ends. The service is asked
//! for and watched in the cluster; the agent in its own pod loads it over the cluster's network and
//! says what came of it, as one beside an engine does. What the engine did counts before what its
//! load has seen of that.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::{LaunchPlan, Limits};
use autotuner_core::experiment::{ImageFacts, LaunchFacts};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::measure::RequestOutcome;
use autotuner_core::problem::Problem;
use autotuner_core::serving::Service;
use autotuner_core::task::ClusterSettings;
use autotuner_deploy::kubernetes::service::{
    HOST, PORT, Patience, ServiceOrder, ServiceRun, Serving, Trouble,
};
use autotuner_deploy::kubernetes::{Cluster, JobOrder, nonce};
use autotuner_deploy::{DeployError, Label};
use autotuner_load::{Observer, Recording};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::remote::{Remote, last_lines};
use super::{BEFORE_START, BESIDE, heading, in_image};
use crate::agent::order::Order;
use crate::fault::{FaultPoint, around};
use crate::worker::explain::{exited, not_deployed};
use crate::worker::secret::{is_secret, without_logins};
use crate::worker::start::same_image;
use crate::worker::{Event, Worker, chain};

/// How long an engine's end may take to show after its requests have failed of it: a node tells the
/// cluster of it when it comes to that.
const AFTERMATH: Duration = Duration::from_secs(15);

/// An engine that an operator serves.
pub(in crate::worker) struct Served {
    pub(in crate::worker) number: ExperimentNumber,
    /// What was asked for.
    pub(in crate::worker) command: Vec<String>,
    run: ServiceRun,
    cluster: Arc<Cluster>,
    label: Label,
    reference: String,
    loading: Mutex<Option<Loaded>>,
}

/// A service that is ready, and its load.
struct Loaded {
    serving: Serving,
    image: Option<ImageFacts>,
    remote: Remote,
}

/// Asks for an experiment's service.
///
/// # Errors
/// The cluster would not have it; nothing runs then.
pub(in crate::worker) async fn start(
    worker: &Worker,
    cluster: &Arc<Cluster>,
    service: &Service,
    number: ExperimentNumber,
    plan: &LaunchPlan,
    label: &Label,
) -> Result<Served, Failure> {
    let refused = |problem: Problem| Failure::new(FailureKind::InvalidCandidate, problem.to_string());
    let engine = in_image(&worker.task, plan).map_err(refused)?;
    let order = order(worker, service, plan, label).map_err(refused)?;
    if worker.stop.tokens.soft.is_cancelled() {
        return Err(cancelled());
    }
    let asking = cluster.serve(&order);
    let run = around(FaultPoint::Launch, asking).await;
    let run = run.map_err(|error| not_deployed(&error))?;
    worker.logs.line(
        "INFO",
        &format!(
            "[Experiment {number}] is the InferenceService {} of {}",
            run.name(),
            service.kind.name()
        ),
    );
    Ok(Served {
        number,
        command: order
            .command
            .iter()
            .flatten()
            .chain(&order.args)
            .cloned()
            .collect(),
        run,
        cluster: Arc::clone(cluster),
        label: label.clone(),
        reference: engine.reference,
        loading: Mutex::new(None),
    })
}

/// What is asked of the operator for a plan.
fn order(
    worker: &Worker,
    service: &Service,
    plan: &LaunchPlan,
    label: &Label,
) -> Result<ServiceOrder, Problem> {
    let engine = in_image(&worker.task, plan)?;
    let settings = &worker.task.settings;
    let is_runtimes = service.runtime.is_some() && settings.image.is_none() && settings.image_tag.is_none();
    let (secret_env, env) = plan
        .env
        .clone()
        .into_iter()
        .partition(|(name, value)| is_secret(name) || without_logins(value) != *value);
    Ok(ServiceOrder {
        label: label.clone(),
        service: service.clone(),
        image: (!is_runtimes).then_some(engine.reference),
        command: engine
            .program
            .map(|program| std::iter::once(program).chain(engine.first).collect()),
        args: plan.arguments(HOST, PORT),
        env,
        secret_env,
        ready_path: plan.ready_paths.first().cloned(),
        gpus: plan.gpus,
        limits: plan.limits,
        settings: worker.task.cluster.clone(),
        grace: worker.stop_grace,
    })
}

impl Served {
    /// What the service is called.
    pub(in crate::worker) fn name(&self) -> &str {
        self.run.name()
    }

    /// Waits until the service is ready and runs what was asked for, and until the Job that is to
    /// load it has heard it answer. How long the service took.
    pub(in crate::worker) async fn ready(
        &self,
        worker: &Worker,
        plan: &LaunchPlan,
    ) -> Result<Duration, Failure> {
        let number = self.number;
        let told = |what: &str| {
            worker
                .logs
                .line("INFO", &format!("[Experiment {number}] waiting: {what}"));
            let what = Some(what);
            worker.reporter.report(Event::Waiting { number, what });
        };
        let patience = Patience {
            start: plan.start_timeout,
        };
        let begun = Instant::now();
        let serving = tokio::select! {
            biased;
            () = worker.stop.tokens.soft.cancelled() => Err(cancelled()),
            serving = self.run.until_ready(patience, &told) => {
                serving.map_err(|trouble| failure(trouble, "before it was ready"))
            }
        };
        worker.reporter.report(Event::Waiting { number, what: None });
        let (serving, took) = (serving?, begun.elapsed());
        worker.logs.line(
            "INFO",
            &format!(
                "[Experiment {number}] answers at {} and runs in the pod {} on the node {}",
                serving.url, serving.placed.pod, serving.placed.node
            ),
        );
        let image = serving.placed.image.as_ref().map(|id| ImageFacts {
            reference: self.reference.clone(),
            digest: id.contains('@').then(|| id.clone()),
            id: id.clone(),
        });
        let image = same_image(worker, image.as_ref())?;
        let mut loading = self.loading.lock().await;
        let remote = self.start_loader(worker, plan, &serving).await?;
        let Loaded { serving, remote, .. } = loading.insert(Loaded {
            serving,
            image,
            remote,
        });
        let loader = async {
            remote.until_launched(worker).await?;
            remote.ready(worker, plan).await
        };
        tokio::select! {
            heard = loader => heard.map(|_| took),
            // The agent goes on at once: by the time it is heard its load may have begun.
            trouble = self.run.until_broken(serving) => Err(failure(trouble, "as its load began")),
        }
    }

    /// Makes the Job that loads the service.
    async fn start_loader(
        &self,
        worker: &Worker,
        plan: &LaunchPlan,
        serving: &Serving,
    ) -> Result<Remote, Failure> {
        let infrastructure = |error: DeployError| not_deployed(&error);
        let nonce = nonce().map_err(infrastructure)?;
        let told = Order::to_load(heading(worker, &self.label, &nonce), plan, serving.url.clone());
        let settings = &worker.task.cluster;
        let order = JobOrder {
            label: self.label.clone(),
            image: self.cluster.agent_image().to_owned(),
            // A tree of texts and numbers can always be written.
            order: serde_json::to_vec(&told).unwrap_or_default(),
            gpus: 0,
            limits: Limits::default(),
            // Where the engine runs is no place for who loads it; how images are fetched is the same.
            settings: ClusterSettings {
                image_pull_secrets: settings.image_pull_secrets.clone(),
                priority_class: settings.priority_class.clone(),
                ..ClusterSettings::default()
            },
            deadline: BEFORE_START + plan.start_timeout + worker.task.search.timeout_per_iteration + BESIDE,
            grace: worker.stop_grace,
            is_loader: true,
        };
        let run = self.cluster.start(&order, &nonce).await.map_err(infrastructure)?;
        if let Err(error) = self.run.tie_to(&run).await {
            // It is removed when the experiment ends; this is for when nobody is left to do that.
            worker.warn(&format!("[Experiment {}] {}", self.number, chain(&error)));
        }
        Ok(Remote::hear(
            Arc::clone(&self.cluster),
            self.number,
            run,
            &self.label,
            self.reference.clone(),
        ))
    }

    /// What is known only once the service was ready.
    pub(in crate::worker) async fn add_to(&self, facts: &mut LaunchFacts) {
        if let Some(loaded) = &*self.loading.lock().await {
            facts.image.clone_from(&loaded.image);
            facts.base_url = Some(loaded.serving.url.clone());
        }
    }

    /// Hears how the service is loaded, as long as it is what it was.
    pub(in crate::worker) async fn load(
        &self,
        worker: &Worker,
        observer: &mut dyn Observer,
    ) -> Result<Recording, Failure> {
        let loading = self.loading.lock().await;
        let Some(Loaded { serving, remote, .. }) = &*loading else {
            let message = "the service was loaded before it was ready";
            return Err(Failure::new(FailureKind::Infrastructure, message));
        };
        let broken = |trouble| failure(trouble, "under load");
        let recorded = tokio::select! {
            recorded = remote.load(worker, observer) => recorded,
            trouble = self.run.until_broken(serving) => return Err(broken(trouble)),
        };
        let watched_for = match &recorded {
            Err(failure) if failure.kind == FailureKind::Cancelled => return recorded,
            Ok(recording) if !has_failures(recording) => Duration::ZERO,
            _ => AFTERMATH,
        };
        // A service that nobody has seen to be what it was is not judged.
        let trouble = tokio::select! {
            trouble = self.run.since(serving, watched_for) => trouble,
            () = worker.stop.tokens.soft.cancelled() => {
                return Err(Failure::new(FailureKind::Cancelled, "cancelled under load"));
            }
        };
        match trouble {
            Some(trouble) => Err(broken(trouble)),
            None => recorded,
        }
    }

    /// The last lines of the engine's output.
    pub(in crate::worker) async fn tail(&self, lines: usize) -> Result<Vec<String>, DeployError> {
        let path: PathBuf = self.label.log_file.clone();
        last_lines(path, lines).await
    }

    /// Removes the Job that loads, and the service.
    pub(in crate::worker) async fn end(&self, worker: &Worker, grace: Duration) -> Result<(), DeployError> {
        let loading = self.loading.lock().await;
        let unloaded = match &*loading {
            Some(loaded) => loaded.remote.end(worker, grace).await,
            None => Ok(()),
        };
        if let Err(error) = &unloaded {
            worker.warn(&format!("[Experiment {}] {}", self.number, chain(error)));
        }
        self.run.end(grace).await?;
        unloaded
    }
}

/// Whether some request has failed, of which the engine's end may be the reason.
fn has_failures(recording: &Recording) -> bool {
    let mut requests = recording.levels.iter().flat_map(|level| &level.requests);
    requests.any(|request| matches!(request.outcome, RequestOutcome::Failed { .. }))
}

fn cancelled() -> Failure {
    Failure::new(FailureKind::Cancelled, "cancelled")
}

/// The failure of an experiment whose service is of no use.
fn failure(trouble: Trouble, when: &str) -> Failure {
    match trouble {
        Trouble::Lost(message) => not_deployed(&DeployError::Interrupted {
            target: "the experiment's InferenceService".to_owned(),
            message,
        }),
        Trouble::Exited(exit) => exited(&exit, when),
        Trouble::NotReady(message) => Failure::new(FailureKind::NotReadyInTime, message),
        Trouble::Ignored(message) => Failure {
            advice: Some(
                "what would be measured is another configuration; see what the runtime and the operator make of \
                 the container"
                    .into(),
            ),
            ..Failure::new(FailureKind::Infrastructure, message)
        },
    }
}
