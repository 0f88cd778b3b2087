//! Follows what happens to the daemon's containers, for as long as anybody wants.
//!
//! The idea: events are followed, not polled for. The stream is asked for from a time of the
//! daemon's own clock on, and everything is listed after that, so that nothing falls between. The
//! daemon keeps only its latest events, so after each break everything is listed again, and what
//! was missed is told as far as it shows. Where the daemon answers and lets nobody listen, it is
//! asked every few seconds. It is written down once when the daemon goes and once when it is back.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use bollard::errors::Error as ClientError;
use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::cache::Cache;
use super::{Change, Container, ContainerChange, ContainerError, ContainerId, Containers};
use crate::docker::Daemon;

/// Pause after the first break; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause between two attempts to listen.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Pause between two lists while nobody may listen.
const POLL: Duration = Duration::from_secs(5);

/// How long the daemon may take to let us listen.
const OPENING: Duration = Duration::from_secs(10);

/// How long nothing may be heard before the daemon is asked whether it is still there.
const QUIET: Duration = Duration::from_secs(15);

/// How long a look may hold up what else is to be heard.
const GLANCE: Duration = Duration::from_secs(2);

impl Containers {
    /// What happens from now on, while [`watch`](Self::watch) runs. Who is far behind misses some.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }

    /// Follows the daemon until `end`: lists are quick then, and changes are told.
    pub async fn watch(&self, end: CancellationToken) {
        let watch = Watch {
            containers: self,
            seen: None,
            heard_ns: None,
            is_away: None,
            is_refused: false,
            polled_at: None,
        };
        end.run_until_cancelled(watch.run()).await;
    }

    /// Whether changes are heard of as they happen.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.shared.cache.is_trusted()
    }

    fn tell(&self, change: Change) {
        // Nobody need listen.
        let _ = self.shared.changes.send(change);
    }
}

struct Watch<'a> {
    containers: &'a Containers,
    /// Every container as it was seen last; `None` before the first time.
    seen: Option<HashMap<ContainerId, Container>>,
    /// When the latest event was, by the daemon's clock, in nanoseconds.
    heard_ns: Option<i64>,
    /// Whether the daemon is away; `None` before it is known.
    is_away: Option<bool>,
    /// Whether it is known that the daemon lets nobody listen.
    is_refused: bool,
    polled_at: Option<Instant>,
}

/// Why listening ended.
enum Broken {
    /// The daemon does not answer.
    Away(String),
    /// It does, and lets nobody listen.
    Refused(String),
    /// The stream ended.
    Off,
}

/// What is kept is true as long as this lives.
struct Listening<'a>(&'a Cache);

impl<'a> Listening<'a> {
    fn begin(cache: &'a Cache) -> Self {
        cache.begin();
        Self(cache)
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl From<ContainerError> for Broken {
    fn from(error: ContainerError) -> Self {
        match error {
            ContainerError::Unreachable { reason } => Self::Away(reason),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl Watch<'_> {
    async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            let broken = self.listen().await;
            if !matches!(broken, Broken::Refused(_)) {
                // Another one may answer next time, in another version.
                self.containers.shared.reach.forget().await;
            }
            match broken {
                Broken::Away(reason) => self.away(reason),
                Broken::Refused(reason) => self.refused(&reason).await,
                Broken::Off => {}
            }
            // One that breaks at once again and again is no stream.
            if begun.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Listens until that breaks.
    async fn listen(&mut self) -> Broken {
        match self.try_to_listen().await {
            Ok(never) => match never {},
            Err(broken) => broken,
        }
    }

    async fn try_to_listen(&mut self) -> Result<Infallible, Broken> {
        let shared = &self.containers.shared;
        let daemon = shared.reach.daemon().await?;
        let since = match self.heard_ns {
            Some(heard) => Some(heard),
            None => now_of(&daemon, self.containers).await?,
        };
        let listening = Listening::begin(&shared.cache);
        let docker = daemon.docker().clone().with_timeout(OPENING);
        let mut events = pin!(docker.events(Some(options(since))));
        let early = self.begin(&daemon, events.as_mut()).await?;
        listening.0.trust();
        self.is_refused = false;
        for event in early {
            self.heard(&daemon, event).await;
        }
        loop {
            match timeout(QUIET, events.next()).await {
                Ok(Some(Ok(event))) => self.heard(&daemon, event).await,
                // Whether the daemon has gone too shows at the next attempt.
                Ok(Some(Err(_)) | None) => return Err(Broken::Off),
                Err(_) => {
                    let ping = async { daemon.docker().ping().await };
                    shared.reach.call(&daemon, "", OPENING, ping).await?;
                }
            }
        }
    }

    /// Lists everything while the stream is opened; what is heard meanwhile is given back.
    async fn begin(
        &mut self,
        daemon: &Daemon,
        mut events: impl Stream<Item = Result<EventMessage, ClientError>> + Unpin,
    ) -> Result<Vec<EventMessage>, Broken> {
        let containers = self.containers;
        let mut early = Vec::new();
        let mut list = pin!(containers.list_of(daemon, true));
        let listed = loop {
            tokio::select! {
                biased;
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        if let Some(id) = id_of(&event) {
                            containers.shared.cache.touch(&id);
                        }
                        early.push(event);
                    }
                    Some(Err(error)) => return Err(self.broken(daemon, &error)),
                    None => return Err(Broken::Off),
                },
                listed = &mut list => break listed?,
            }
        };
        let told: HashSet<ContainerId> = early.iter().filter_map(id_of).collect();
        self.back();
        self.compare(listed, &told);
        Ok(early)
    }

    /// Tells what has changed since everything was seen last, those apart that are told of anyway.
    fn compare(&mut self, listed: Vec<Container>, told: &HashSet<ContainerId>) {
        let now: HashMap<_, _> = listed.into_iter().map(|one| (one.id.clone(), one)).collect();
        if let Some(before) = self.seen.take() {
            let ids: HashSet<_> = before.keys().chain(now.keys()).collect();
            for id in ids.into_iter().filter(|id| !told.contains(*id)) {
                if let Some(change) = ContainerChange::between(before.get(id), now.get(id)) {
                    self.containers.tell(Change::Container(change));
                }
            }
        }
        self.seen = Some(now);
    }

    /// Hears an event.
    async fn heard(&mut self, daemon: &Daemon, event: EventMessage) {
        let at = event.time_nano;
        // The one that was heard last comes again with whatever follows it.
        if at.is_some() && at == self.heard_ns {
            return;
        }
        self.heard_ns = at.or(self.heard_ns);
        let containers = self.containers;
        let owner = containers.shared.owner.as_ref();
        let Some(mut change) = ContainerChange::of_event(event, owner) else {
            return;
        };
        containers.shared.cache.touch(&change.id);
        let seen = self.seen.get_or_insert_default();
        let before = seen.remove(&change.id);
        let now = match change.action.as_str() {
            "destroy" => None,
            _ => {
                let look = containers.look_at(daemon, &change.id);
                timeout(GLANCE, look).await.ok().and_then(Result::ok)
            }
        };
        let is_no_news = change.action == "health_status"
            && before.as_ref().map(|before| &before.health) == now.as_ref().map(|now| &now.health);
        if let Some(now) = now {
            change.state = Some(now.state.clone());
            seen.insert(change.id.clone(), now);
        }
        if !is_no_news {
            containers.tell(Change::Container(change));
        }
    }

    fn broken(&self, daemon: &Daemon, error: &ClientError) -> Broken {
        ContainerError::of_client("", error, daemon.address()).into()
    }

    fn away(&mut self, reason: String) {
        match self.is_away.replace(true) {
            Some(true) => return,
            // Not every machine has one, and not everybody needs it.
            None => tracing::info!("no Docker daemon: {reason}"),
            Some(false) => tracing::warn!("the Docker daemon has gone: {reason}"),
        }
        self.containers.tell(Change::Away { reason });
    }

    fn back(&mut self) {
        if self.is_away.replace(false) == Some(true) {
            tracing::info!("the Docker daemon is back");
            self.containers.tell(Change::Back);
        }
    }

    /// Looks now and then at a daemon that lets nobody listen.
    async fn refused(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.is_refused, true) {
            tracing::warn!("what happens to containers is asked for, as Docker does not tell it: {reason}");
        }
        if self.polled_at.is_some_and(|at| at.elapsed() < POLL) {
            return;
        }
        self.polled_at = Some(Instant::now());
        match self.containers.list(true).await {
            Ok(listed) => {
                self.back();
                self.compare(listed, &HashSet::new());
            }
            Err(ContainerError::Unreachable { reason }) => self.away(reason),
            Err(error) => tracing::debug!(%error, "the containers cannot be listed"),
        }
    }
}

fn id_of(event: &EventMessage) -> Option<ContainerId> {
    ContainerId::read(event.actor.as_ref()?.id.as_deref()?)
}

/// Events of containers from this time of the daemon's on.
fn options(since_ns: Option<i64>) -> bollard::query_parameters::EventsOptions {
    let filters = HashMap::from([("type".to_owned(), vec!["container".to_owned()])]);
    let options = EventsOptionsBuilder::new().filters(&filters);
    match since_ns {
        Some(ns) => options.since(&time(ns)).build(),
        None => options.build(),
    }
}

/// A time as the daemon wants to be told one.
fn time(ns: i64) -> String {
    const SECOND: i64 = 1_000_000_000;
    format!("{}.{:09}", ns.div_euclid(SECOND), ns.rem_euclid(SECOND))
}

/// What time the daemon has, in nanoseconds; `None` where it does not say.
async fn now_of(daemon: &Daemon, containers: &Containers) -> Result<Option<i64>, Broken> {
    let asked = daemon.docker().info();
    match containers.shared.reach.look(daemon, "", asked).await {
        Ok(info) => {
            let now = info
                .system_time
                .and_then(|time| time.parse::<jiff::Timestamp>().ok());
            Ok(now.and_then(|now| i64::try_from(now.as_nanosecond()).ok()))
        }
        Err(error @ ContainerError::Unreachable { .. }) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
