//! Somebody who follows a pod's log.
//!
//! The one idea: a stream of a cluster breaks off, or goes silent for good, without saying so. So it
//! is opened again from a little before the last line that was given, walks over what is known, and
//! is over only when the pod itself says that it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};

use super::super::{Pod, PodError, Pods};
use super::reading::{Brought, Range, Reading};
use crate::containers::logs::place::{Step, Walk};
use crate::containers::logs::ring::Chunk;
use crate::containers::{Item, Life, Line, Place};

/// How long a stream may bring nothing before it is opened again: to one that is dead nobody says so.
const SILENCE: Duration = Duration::from_secs(60);

/// Pause before a log is opened again, or for the first time.
const PAUSE: Duration = Duration::from_secs(1);

/// How far before its place a log is opened again: a cluster is asked in whole seconds, and a line
/// that comes in parts began before it ended.
const OVERLAP: SignedDuration = SignedDuration::from_secs(5);

/// A pod's log, from a place on.
pub struct PodViewer {
    pods: Pods,
    name: String,
    uid: String,
    place: Place,
    way: Way,
    /// Given before anything else.
    first: Option<Arc<Chunk>>,
}

/// Where what comes next is had from.
enum Way {
    /// From the log, which is to be opened at this time.
    Opening { at: Instant },
    /// From a reading of it.
    Reading {
        reading: Box<Reading>,
        walk: Walk,
        /// What became of the pod, where this is the last reading.
        end: Option<Life>,
        silent_at: Instant,
    },
    /// Nothing comes any more but this.
    Last(Life),
    /// Nothing comes any more.
    Over,
}

impl PodViewer {
    pub(super) fn new(pods: Pods, pod: &Pod, first: Option<Chunk>, place: Place) -> Self {
        Self {
            pods,
            name: pod.name.clone(),
            uid: pod.uid.clone(),
            place,
            way: Way::Opening { at: Instant::now() },
            first: first.filter(|chunk| !chunk.items().is_empty()).map(Arc::new),
        }
    }

    /// What comes next, waited for; `None` when nothing more will ever come. May be dropped while
    /// it waits.
    ///
    /// # Errors
    /// [`PodError`]; it may be asked again.
    pub async fn next(&mut self) -> Result<Option<Arc<Chunk>>, PodError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        loop {
            match &mut self.way {
                Way::Over => return Ok(None),
                Way::Last(life) => {
                    let items = vec![Item::Life(life.clone())];
                    self.way = Way::Over;
                    return Ok(Some(Arc::new(Chunk::new(items, self.place))));
                }
                Way::Opening { at } => {
                    sleep_until(*at).await;
                    self.open().await?;
                }
                Way::Reading {
                    reading,
                    walk,
                    end,
                    silent_at,
                } => {
                    let brought = tokio::select! {
                        brought = reading.wait() => brought,
                        () = sleep_until(*silent_at) => {
                            self.open_again();
                            continue;
                        }
                    };
                    let lines = match brought {
                        Ok(Brought::Lines(lines)) => {
                            *silent_at = Instant::now() + SILENCE;
                            new_lines(walk, lines)
                        }
                        Ok(Brought::End) => match end.take() {
                            Some(life) => {
                                let last = reading.finish();
                                let lines = new_lines(walk, last);
                                self.way = Way::Last(life);
                                lines
                            }
                            None => {
                                self.open_again();
                                continue;
                            }
                        },
                        Err(error) => {
                            self.open_again();
                            return Err(error);
                        }
                    };
                    if !lines.is_empty() {
                        let items = lines.into_iter().map(Item::Line).collect();
                        let chunk = Arc::new(Chunk::new(items, self.place));
                        self.place = chunk.after();
                        return Ok(Some(chunk));
                    }
                }
            }
        }
    }

    /// Looks at the pod, and opens its log after this viewer's place.
    async fn open(&mut self) -> Result<(), PodError> {
        let pod = match self.pods.get(&self.name).await {
            Ok(pod) if pod.uid == self.uid => pod,
            Ok(_) | Err(PodError::NotFound { .. }) => {
                self.way = Way::Last(Life::Removed);
                return Ok(());
            }
            Err(error) => return Err(self.later(error)),
        };
        let end = pod.state.is_over().then(|| Life::Stopped {
            exit_code: pod.exit_code.map(i64::from),
            out_of_memory: pod.out_of_memory,
        });
        let range = Range {
            is_following: end.is_none(),
            since: self.since(),
            ..Range::default()
        };
        let reach = match self.pods.way().await {
            Ok(reach) => reach,
            Err(error) => return Err(self.later(error)),
        };
        self.way = match (Reading::open(&reach, &pod, range).await, end) {
            (Ok(Some(reading)), end) => Way::Reading {
                reading: Box::new(reading),
                walk: Walk::from(Place::default(), self.place),
                end,
                silent_at: Instant::now() + SILENCE,
            },
            // Over before its engine's container was ever started.
            (Ok(None), Some(life)) => Way::Last(life),
            (Ok(None), None) => {
                self.open_again();
                return Ok(());
            }
            (Err(PodError::NotFound { .. }), _) => Way::Last(Life::Removed),
            (Err(error), _) => return Err(self.later(error)),
        };
        Ok(())
    }

    /// From when on the log is read so that nothing after the place is missed.
    fn since(&self) -> Option<Timestamp> {
        let latest = self.place.latest()?;
        latest.checked_sub(OVERLAP).ok()
    }

    fn open_again(&mut self) {
        self.way = Way::Opening {
            at: Instant::now() + PAUSE,
        };
    }

    fn later(&mut self, error: PodError) -> PodError {
        self.open_again();
        error
    }
}

fn new_lines(walk: &mut Walk, lines: Vec<Line>) -> Vec<Line> {
    let is_new = |line: &Line| walk.step(line.stream, line.stamp) == Step::New;
    lines.into_iter().filter(is_new).collect()
}
