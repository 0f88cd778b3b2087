//! Sends a log that somebody writes, as far as the client takes it.
//!
//! The client pulls: a frame is made when there is room for it, so that a slow client costs a
//! file's position and no memory. While a log grows it is looked at ten times a second, and read
//! without a pause until its end; files are all that is watched, because other programs write
//! them. A stream ends when the log is gone, when none will come, and when the service stops; at
//! the end of a task it stays open, because the next run writes to the same log.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;
use tokio::time::{Instant, sleep};

use super::frames::Form;
use super::subject::Subject;
use crate::api::streaming::{HEARTBEAT, HEARTBEAT_FRAME, Hold};
use crate::service::Service;
use crate::service::log_files::blocking;
use crate::service::log_files::follow::{Follower, Step};

/// How often a log that grows is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How often one that has not grown for a while is.
const LAZY_LOOK: Duration = Duration::from_millis(250);

/// How long a log must not have grown for a lazy look.
const QUIET: Duration = Duration::from_secs(10);

/// How long it must not have grown before anybody asks whether its writer has ended, and how
/// often that is asked.
const DOUBT: Duration = Duration::from_secs(1);

/// The id of what is said last. Who comes back with it need not come back again.
const GONE: &str = "gone";

const WAITING: &str = "Waiting for log file to be created...";
const NONE_WILL_COME: &str = "Log file not found. Task may not have started yet.";
const REMOVED: &str = "[Log file removed]";
const TRUNCATED: &str = "[Log file was truncated]";

/// A log on its way to a client.
pub(super) struct Relay {
    service: Arc<Service>,
    subject: Subject,
    form: Form,
    /// Gone when the stream has come to its end.
    follower: Option<Follower>,
    is_waiting: bool,
    /// Whether to wait before the next look.
    pause: Option<Doubt>,
    /// Whether nobody writes any more, as of the last asking.
    is_over: bool,
    grown_at: Instant,
    asked_at: Instant,
    sent_at: Instant,
    _hold: Hold,
}

/// Whether something is held back that is to come only at the end: a line without its newline,
/// or that there will be no log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    Some,
}

/// What came of one look.
struct Look {
    follower: Follower,
    found: Found,
}

enum Found {
    /// Frames to be sent, perhaps none, and whether there was no more.
    Frames {
        frames: String,
        is_all: bool,
    },
    Nothing,
    Missing,
    Removed,
}

impl Relay {
    /// A stream of this log; `None` where the client was told that it is gone, and it is.
    pub(super) async fn open(
        service: Arc<Service>,
        hold: Hold,
        subject: Subject,
        form: Form,
        after: Option<&str>,
    ) -> Option<Self> {
        let path = subject.fetched(&service).await;
        let was_gone = after == Some(GONE);
        if was_gone && subject.is_over(&service).await {
            let path = path.clone();
            let found = blocking(move || path.try_exists()).await;
            if matches!(found, Ok(false)) {
                return None;
            }
        }
        let now = Instant::now();
        Some(Self {
            follower: Some(Follower::new(path, after.filter(|_| !was_gone))),
            service,
            subject,
            form,
            is_waiting: false,
            pause: None,
            is_over: false,
            grown_at: now,
            asked_at: now,
            sent_at: now,
            _hold: hold,
        })
    }

    /// Its frames.
    pub(super) fn frames(self) -> impl Stream<Item = String> + Send {
        stream::unfold(self, |mut relay| async {
            let end = relay.service.shutdown.soft.clone();
            let frames = end.run_until_cancelled_owned(relay.next()).await??;
            relay.sent_at = Instant::now();
            Some((frames, relay))
        })
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(doubt) = self.pause.take() {
                self.wait(doubt).await;
            }
            if self.sent_at.elapsed() >= HEARTBEAT {
                return Some(HEARTBEAT_FRAME.to_owned());
            }
            let follower = self.follower.take()?;
            // Asked again before it is believed again: a task can be started anew.
            let is_over = std::mem::take(&mut self.is_over);
            let Look { follower, found } = match look(follower, self.form, is_over).await {
                Ok(look) => look,
                Err(error) => return Some(self.fail(&error)),
            };
            let doubt = match follower.has_unfinished() {
                true => Doubt::Some,
                false => Doubt::None,
            };
            let frames = match found {
                Found::Frames { frames, is_all } => {
                    self.pause = is_all.then_some(doubt);
                    if !frames.is_empty() {
                        self.grown_at = Instant::now();
                    }
                    frames
                }
                Found::Nothing => {
                    self.pause = Some(doubt);
                    String::new()
                }
                Found::Missing => match self.missing(is_over).await {
                    Ok(frames) => frames,
                    Err(last) => return Some(last),
                },
                Found::Removed => return Some(self.form.notice(Some(&GONE), REMOVED)),
            };
            self.follower = Some(follower);
            if !frames.is_empty() {
                return Some(frames);
            }
        }
    }

    /// There is no file yet, or there will be none, which is the last that is said.
    async fn missing(&mut self, mut is_over: bool) -> Result<String, String> {
        let is_told = std::mem::replace(&mut self.is_waiting, true);
        if !is_told {
            is_over = self.subject.is_over(&self.service).await;
        }
        if is_over {
            return Err(self.form.notice(Some(&GONE), NONE_WILL_COME));
        }
        self.pause = Some(Doubt::Some);
        Ok(match is_told {
            true => String::new(),
            false => self.form.notice(None, WAITING),
        })
    }

    /// Waits for the next look. Where it matters, it is asked whether anybody still writes.
    async fn wait(&mut self, doubt: Doubt) {
        let quiet = self.grown_at.elapsed();
        sleep(if quiet < QUIET { LOOK } else { LAZY_LOOK }).await;
        self.subject.fetched(&self.service).await;
        if doubt == Doubt::Some && quiet >= DOUBT && self.asked_at.elapsed() >= DOUBT {
            self.is_over = self.subject.is_over(&self.service).await;
            self.asked_at = Instant::now();
        }
    }

    fn fail(&self, error: &io::Error) -> String {
        let path = self.subject.path(&self.service.logs);
        tracing::warn!(%error, path = %path.display(), "a log cannot be followed");
        let text = format!("[Log file cannot be read: {}]", error.kind());
        self.form.notice(None, &text)
    }
}

/// Looks once, and makes frames of what there is, where nobody else has to wait for it.
async fn look(mut follower: Follower, form: Form, is_over: bool) -> io::Result<Look> {
    blocking(move || {
        let found = match follower.step(is_over)? {
            Step::Lines { lines, is_all } => Found::Frames {
                frames: form.lines(&lines),
                is_all,
            },
            Step::Truncated => Found::Frames {
                frames: form.notice(Some(&follower.mark()), TRUNCATED),
                is_all: false,
            },
            Step::Nothing => Found::Nothing,
            Step::Missing => Found::Missing,
            Step::Removed => Found::Removed,
        };
        Ok(Look { follower, found })
    })
    .await
}
