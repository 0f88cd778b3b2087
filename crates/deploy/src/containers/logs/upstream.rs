//! Reads one container's log for as long as anybody looks, through all that may befall it.
//!
//! The idea: that the daemon ends a stream says nothing about the container, and not even that
//! all of its lines were sent. So after each end the log is read once more from where it stands,
//! the container is asked how it is, and only then is anything said about it. What is said is
//! what was seen: it ended, it was started again, it is gone, the daemon is away.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use super::channel::Channel;
use super::life::{Seen, Span};
use super::place::Place;
use super::reading::{Batch, End, Source};
use super::ring::{Item, Life};
use crate::containers::reach::Reach;
use crate::containers::{ContainerError, Shared};

/// How long a log is still read for nobody: a viewer that comes back finds what it missed.
const LINGER: Duration = Duration::from_secs(10);

/// How often a container that has ended is asked whether it was started again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// First pause before a daemon that went away is asked again; each further is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is said where the daemon's log went back while it was followed.
const WENT_BACK: &str = "the daemon exchanged its log while it was read: lines may be missing here";

/// What is said where the log no longer reaches back to where it was left.
const ROTATED: &str = "the daemon has thrown away older lines meanwhile: some are missing here";

/// Follows a container's log into a channel.
pub(super) struct Upstream {
    shared: Arc<Shared>,
    channel: Arc<Channel>,
    source: Source,
    /// How the container was last seen.
    seen: Seen,
    /// Whether it was said already what it is at.
    has_told: bool,
    /// When the oldest line was begun that is not whole yet.
    held_since: Option<Timestamp>,
    /// What the daemon complained of last, which is told once.
    complaint: Option<String>,
    /// How long to wait before a log is read again that brought nothing.
    pause: Duration,
}

/// Ends a channel when its reading ends, in whatever way.
struct Ending(Arc<Channel>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// How a reading came to its end.
enum Ended {
    /// As far as the daemon says, there is no more.
    Clean,
    /// The daemon is not there.
    Away(String),
    /// There is no such container any more.
    Removed,
    /// Its log cannot be read.
    Unreadable(String),
}

impl Upstream {
    pub(super) fn new(
        shared: Arc<Shared>,
        channel: Arc<Channel>,
        source: Source,
        seen: Seen,
        held_since: Option<Timestamp>,
    ) -> Self {
        Self {
            shared,
            channel,
            source,
            seen,
            has_told: false,
            held_since,
            complaint: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Reads until the container is gone, or nobody has looked for a while.
    pub(super) async fn run(mut self) {
        let channel = Arc::clone(&self.channel);
        let _ending = Ending(Arc::clone(&channel));
        tokio::select! {
            () = self.read() => {}
            () = unwatched(&channel) => {}
        }
    }

    async fn read(&mut self) {
        loop {
            let before = self.channel.head();
            let next = match self.follow().await {
                Ended::Clean => self.look().await,
                Ended::Away(reason) => {
                    self.wait_for_daemon(reason).await;
                    self.rest(before).await;
                    continue;
                }
                Ended::Removed => None,
                Ended::Unreadable(reason) => {
                    self.channel.push(vec![Item::Gap(reason)]).await;
                    return;
                }
            };
            let Some(seen) = next else {
                self.say(Life::Removed).await;
                return;
            };
            let was_alive = self.seen.is_alive;
            if !self.goes_on_with(seen).await {
                return;
            }
            // The daemon may end the stream of a container that lives.
            if was_alive && self.seen.is_alive {
                self.rest(before).await;
            }
        }
    }

    /// Waits before the next reading, longer each time that one has brought nothing.
    async fn rest(&mut self, before: Place) {
        self.pause = match self.channel.head() == before {
            true => (self.pause * 2).min(LONGEST_PAUSE),
            false => FIRST_PAUSE,
        };
        sleep(self.pause).await;
    }

    async fn say(&self, life: Life) {
        self.channel.push_life(life, self.seen.started_at.clone()).await;
    }

    /// Reads what comes while the container lives, and once more when that has ended.
    async fn follow(&mut self) -> Ended {
        if self.seen.is_alive {
            let range = Span {
                is_following: true,
                limit: None,
                has_ended: false,
            };
            match self.reading(range).await {
                Ended::Clean => {}
                other => return other,
            }
        }
        // Asked before the log is read: what a container that lives has begun to print is not
        // yet a line, and what another life of it prints comes after word of that.
        let now = match self.shared.look(&self.source.id).await {
            Ok(Some(container)) => Seen::of(&container),
            Ok(None) => return Ended::Removed,
            Err(error) => return refused(error),
        };
        self.reading(Span {
            is_following: false,
            limit: now.end_of(&self.seen),
            has_ended: !now.is_alive,
        })
        .await
    }

    /// One reading, from where the channel stands.
    async fn reading(&mut self, mut span: Span) -> Ended {
        let known = self.channel.head();
        let reading = self
            .source
            .read_after(known, self.held_since, span.is_following)
            .await;
        let mut reading = match reading {
            Ok(reading) => reading,
            Err(error) => return refused(error),
        };
        let mut is_checked = !known.has_lines();
        loop {
            let next = reading.next().await;
            self.held_since = reading.held_since();
            let (mut lines, went_back) = match next {
                Batch::Lines(lines) => (lines, false),
                Batch::WentBack(lines) => (lines, span.is_following),
                Batch::End(end) => {
                    if span.has_ended {
                        let rest = reading.finish();
                        self.held_since = None;
                        self.channel
                            .push(rest.into_iter().map(Item::Line).collect())
                            .await;
                    }
                    return self.ended(end).await;
                }
            };
            let mut is_over = false;
            if span.is_beyond(&lines) {
                is_over = match self.is_another_life().await {
                    Ok(is_another) => is_another,
                    Err(ended) => return ended,
                };
                match is_over {
                    true => span.cut(&mut lines),
                    // What was printed at the last moment came late.
                    false => span.limit = None,
                }
            }
            let mut items: Vec<Item> = lines.into_iter().map(Item::Line).collect();
            if !is_checked && !items.is_empty() {
                is_checked = true;
                if !reading.has_met_known() {
                    items.insert(0, Item::Gap(ROTATED.to_owned()));
                }
            }
            if went_back {
                items.push(Item::Gap(WENT_BACK.to_owned()));
            }
            self.channel.push(items).await;
            if is_over {
                return Ended::Clean;
            }
        }
    }

    /// Whether the container was started again since it was last seen.
    async fn is_another_life(&self) -> Result<bool, Ended> {
        match self.shared.look(&self.source.id).await {
            Ok(Some(container)) => Ok(container.started_at != self.seen.started_at),
            Ok(None) => Err(Ended::Removed),
            Err(error) => Err(refused(error)),
        }
    }

    async fn ended(&mut self, end: End) -> Ended {
        match end {
            End::Clean => Ended::Clean,
            End::Broken(reason) => Ended::Away(reason),
            End::Daemon(words) => {
                if self.complaint.as_ref() != Some(&words) {
                    self.complaint = Some(words.clone());
                    self.channel.push(vec![Item::Gap(words)]).await;
                }
                Ended::Clean
            }
        }
    }

    /// How the container is now; `None` when it is gone.
    async fn look(&mut self) -> Option<Seen> {
        loop {
            match self.shared.look(&self.source.id).await {
                Ok(found) => return found.map(|container| Seen::of(&container)),
                Err(error) => {
                    let reason = match error {
                        ContainerError::Unreachable { reason } => reason,
                        other => other.to_string(),
                    };
                    self.wait_for_daemon(reason).await;
                    self.rest(self.channel.head()).await;
                }
            }
        }
    }

    /// Says what became of the container and waits until there is more to read. Whether there
    /// will be.
    async fn goes_on_with(&mut self, seen: Seen) -> bool {
        let is_another_life = seen.started_at != self.seen.started_at;
        let was_alive = std::mem::replace(&mut self.seen, seen).is_alive;
        if self.seen.is_alive {
            if is_another_life {
                self.say(self.seen.life()).await;
            }
            return true;
        }
        let is_news = !std::mem::replace(&mut self.has_told, true);
        if self.seen.started_at.is_some() && (was_alive || is_another_life || is_news) {
            // It may have ended after the last reading had: read again before it is said.
            loop {
                match self.follow().await {
                    Ended::Clean | Ended::Unreadable(_) => break,
                    Ended::Removed => {
                        self.say(Life::Removed).await;
                        return false;
                    }
                    Ended::Away(reason) => {
                        self.wait_for_daemon(reason).await;
                        self.rest(self.channel.head()).await;
                    }
                }
            }
            self.say(self.seen.life()).await;
        }
        self.wait_for_start().await
    }

    /// Waits until a container that has ended is started again. Whether it ever will be.
    async fn wait_for_start(&mut self) -> bool {
        loop {
            sleep(LOOK_AGAIN).await;
            let Some(seen) = self.look().await else {
                self.say(Life::Removed).await;
                return false;
            };
            if seen.is_alive || seen.started_at != self.seen.started_at {
                // One that has ended again by now has lived all the same.
                self.seen = Seen {
                    is_alive: true,
                    ..seen
                };
                self.say(self.seen.life()).await;
                return true;
            }
        }
    }

    /// Says that the daemon is away, waits until it answers, and says that, too.
    async fn wait_for_daemon(&mut self, reason: String) {
        let mut pause = FIRST_PAUSE;
        // What broke off may have been one connection and no more.
        if self.connect_again().await {
            return;
        }
        self.say(Life::DaemonAway { reason }).await;
        while !self.connect_again().await {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.say(Life::DaemonBack).await;
    }

    async fn connect_again(&mut self) -> bool {
        let reach: &Reach = &self.shared.reach;
        reach.forget().await;
        let Ok(daemon) = reach.daemon().await else {
            return false;
        };
        self.source.daemon = daemon;
        true
    }
}

fn refused(error: ContainerError) -> Ended {
    match error {
        ContainerError::NotFound { .. } => Ended::Removed,
        ContainerError::Unreachable { reason } => Ended::Away(reason),
        // What the daemon cannot do now it may be able to do later; that there is no way to read this
        // log stays so.
        ContainerError::Refused { status, message } if status >= 500 && status != 501 => Ended::Away(message),
        // A container that is being removed has no log any more.
        ContainerError::Conflict { .. } => Ended::Clean,
        other => Ended::Unreadable(other.to_string()),
    }
}

/// Ends a channel at which nobody has looked for a while, and returns then.
async fn unwatched(channel: &Channel) {
    loop {
        if channel.viewers() > 0 {
            // Woken in any case now and then: a word that came between is not missed for long.
            let _ = timeout(LINGER, channel.moved()).await;
            continue;
        }
        sleep(LINGER).await;
        if channel.end_if_unwatched() {
            return;
        }
    }
}
