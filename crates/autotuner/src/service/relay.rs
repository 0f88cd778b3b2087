//! Events between the processes that share a database.
//!
//! The one idea: every process has its own hub, and what happens in one is told in all. What comes
//! from elsewhere also rings the bell, as somebody may have started or cancelled a task there.
//! Nothing rests on it: the worker looks by itself every now and then, and pages that may have
//! missed something are told to ask again.
//!
//! A notice is lines: the name of the hub in which its events were told first, then one event each.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use autotuner_store::{Heard, LONGEST_NOTICE, Listener};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::events::{Kind, within};
use super::{Service, workers};
use crate::worker::chain;

/// How long events may wait to be told together.
const TOGETHER: Duration = Duration::from_millis(20);

/// How long nothing is told before that is doubted.
const QUIET: Duration = Duration::from_secs(30);

/// A line that says that events could not be told.
const GAP: &str = "gap";

/// Pause after the server could not be reached.
const PAUSE: Duration = Duration::from_secs(2);

/// Tells events of this process to the others on its database, and theirs here, for as long as it
/// is let; where there are no others, it does nothing.
pub(crate) async fn relay(service: Arc<Service>) -> Infallible {
    if service.database.is_shared() {
        let telling = tell(&service, service.events.for_elsewhere());
        tokio::join!(listen(&service), telling, workers::share(&service));
    }
    std::future::pending().await
}

async fn listen(service: &Service) {
    let mut is_first = true;
    loop {
        match service.database.listen().await {
            Ok(Some(listener)) => {
                if !std::mem::replace(&mut is_first, false) {
                    missed(service);
                }
                let error = hear(service, listener).await;
                tracing::warn!("other processes are not heard: {error}");
            }
            Ok(None) => return,
            Err(error) => tracing::warn!("other processes cannot be heard: {}", chain(&error)),
        }
        sleep(PAUSE).await;
    }
}

/// Hears until the server cannot be reached. Where nothing is told for a while, we tell ourselves:
/// a connection that was cut without a word says nothing of it.
async fn hear(service: &Service, mut listener: Listener) -> String {
    let mut has_asked = false;
    loop {
        match timeout(QUIET, listener.next()).await {
            Ok(Ok(Heard::Notice(text))) => {
                has_asked = false;
                take(service, &text);
            }
            Ok(Ok(Heard::Gap)) => missed(service),
            Ok(Err(error)) => return chain(&error),
            Err(_) if has_asked => return "not even what we tell ourselves".into(),
            Err(_) => {
                has_asked = true;
                // That it fails is heard, or rather not.
                drop(service.database.notify(service.events.boot()).await);
            }
        }
    }
}

/// Takes what others have told.
fn take(service: &Service, notice: &str) {
    let mut lines = notice.lines();
    if lines.next() == Some(service.events.boot()) {
        return;
    }
    if lines.clone().any(|line| line == GAP) {
        missed(service);
    }
    let kinds: Vec<Kind> = lines
        .filter_map(|line| service.events.hear_from_elsewhere(line))
        .collect();
    if kinds.into_iter().any(is_of_people) {
        service.bell.notify_one();
    }
}

/// Whether a person may have done it, who wants something of the worker.
fn is_of_people(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::TaskCreated | Kind::TaskUpdated | Kind::TaskDeleted | Kind::TaskCancelled
    )
}

fn missed(service: &Service) {
    service.events.lose();
    service.bell.notify_one();
}

/// Tells what is told here, several events at once where they come quickly.
async fn tell(service: &Service, mut told: mpsc::Receiver<String>) {
    let boot = service.events.boot();
    let room = LONGEST_NOTICE - boot.len() - 1;
    let mut is_told = true;
    while let Some(first) = told.recv().await {
        sleep(TOGETHER).await;
        let mut waiting = vec![first];
        while let Ok(line) = told.try_recv() {
            waiting.push(line);
        }
        let mut notice = boot.to_owned();
        if !is_told {
            waiting.insert(0, GAP.to_owned());
        }
        is_told = true;
        for line in waiting.into_iter().filter_map(|line| within(line, room)) {
            if notice.len() + 1 + line.len() > LONGEST_NOTICE {
                is_told &= send(service, &std::mem::replace(&mut notice, boot.to_owned())).await;
            }
            notice.push('\n');
            notice.push_str(&line);
        }
        is_told &= send(service, &notice).await;
    }
}

/// Whether it could be told.
async fn send(service: &Service, notice: &str) -> bool {
    let told = service.database.notify(notice).await;
    if let Err(error) = &told {
        tracing::warn!("events are not told to other processes: {}", chain(error));
    }
    told.is_ok()
}
