//! One container's log on its way to everybody who looks at it.
//!
//! The idea: the daemon is read once. Viewers read the ring at their own pace; the reading goes on
//! as fast as the quickest of them, because what nobody wants yet is kept better by the daemon
//! than here. Whoever falls behind the ring goes back to the daemon alone. Nobody waits for
//! anybody slower, and a viewer that does not read costs nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::place::Place;
use super::ring::{Chunk, Item, Life, Ring};

/// What is shared by the reading of a log and by those who look at it.
pub(super) struct Channel {
    state: Mutex<State>,
    /// The number of the next chunk, or of the next word about its life: looking at it is how
    /// viewers wait.
    news: watch::Sender<u64>,
    /// Told when a viewer has taken a chunk, comes, or goes.
    demand: Notify,
}

struct State {
    ring: Ring,
    /// Which chunk each viewer wants next that reads the ring.
    wanted: HashMap<u64, u64>,
    viewers: usize,
    next_viewer: u64,
    /// How many words about a life were said: the container's, and the daemon's.
    words: u64,
    /// The last of the container's.
    last: Word,
    /// Nothing more will come.
    has_ended: bool,
}

/// A word about what became of a container.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// How many were said up to this one.
    pub(super) number: u64,
    pub(super) life: Life,
    /// When the life had begun of which it is.
    pub(super) started_at: Option<String>,
}

/// What a viewer finds at a number of the ring.
pub(super) enum Look {
    /// The chunk.
    Chunk(Arc<Chunk>),
    /// It is still to come. With it what became of the container last, and whether the end is
    /// reached.
    NotYet { last: Word, has_ended: bool },
    /// It is gone.
    Gone,
}

impl Channel {
    /// A channel whose reading begins at this place.
    pub(super) fn new(head: Place) -> Self {
        Self {
            state: Mutex::new(State {
                ring: Ring::beginning_at(head),
                wanted: HashMap::new(),
                viewers: 0,
                next_viewer: 0,
                words: 0,
                last: Word {
                    number: 0,
                    life: Life::Started { at: None },
                    started_at: None,
                },
                has_ended: false,
            }),
            news: watch::Sender::new(0),
            demand: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is whole before the lock is let go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to where the log has come.
    pub(super) fn head(&self) -> Place {
        self.state().ring.head()
    }

    /// Adds items, once the quickest viewer has taken what has to go for them. Where nobody
    /// looks, it waits for somebody.
    pub(super) async fn push(&self, items: Vec<Item>) {
        if !items.is_empty() {
            self.add(items, None).await;
        }
    }

    /// Says what became of the container in the life that had begun then.
    pub(super) async fn push_life(&self, life: Life, started_at: Option<String>) {
        let word = Word {
            number: 0,
            life: life.clone(),
            started_at,
        };
        self.add(vec![Item::Life(life)], Some(word)).await;
    }

    async fn add(&self, items: Vec<Item>, mut word: Option<Word>) {
        let mut chunk = Chunk::new(items, self.head());
        loop {
            let moved = self.demand.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            {
                let mut state = self.state();
                let needed = state.ring.room_for(&chunk);
                let is_free = needed == state.ring.first();
                let quickest = state.wanted.values().max().copied();
                if is_free || quickest.is_some_and(|wanted| wanted >= needed) {
                    if let Some(mut word) = word.take() {
                        state.words += 1;
                        word.number = state.words;
                        chunk.is_word_number(word.number);
                        let is_of_daemon = matches!(word.life, Life::DaemonAway { .. } | Life::DaemonBack);
                        if !is_of_daemon {
                            state.last = word;
                        }
                    }
                    state.ring.push(Arc::new(chunk));
                    drop(state);
                    self.tell();
                    return;
                }
            }
            moved.await;
        }
    }

    /// Nothing more will come.
    pub(super) fn end(&self) {
        self.state().has_ended = true;
        self.tell();
    }

    /// The same, if nobody looks any more. Whether it is so.
    pub(super) fn end_if_unwatched(&self) -> bool {
        let mut state = self.state();
        if state.viewers == 0 {
            state.has_ended = true;
            state.ring.clear();
        }
        state.has_ended
    }

    /// Whether nothing more will come.
    pub(super) fn has_ended(&self) -> bool {
        self.state().has_ended
    }

    fn tell(&self) {
        self.news.send_modify(|news| *news += 1);
    }

    /// How many look.
    pub(super) fn viewers(&self) -> usize {
        self.state().viewers
    }

    /// Resolves when a viewer has come, gone or taken something.
    pub(super) async fn moved(&self) {
        self.demand.notified().await;
    }
}

/// A viewer's seat at a channel. Dropped, it is free.
pub(super) struct Seat {
    channel: Arc<Channel>,
    number: u64,
    news: watch::Receiver<u64>,
}

impl Seat {
    /// A seat; `None` at a channel that has ended.
    pub(super) fn take(channel: Arc<Channel>) -> Option<Self> {
        let news = channel.news.subscribe();
        let number = {
            let mut state = channel.state();
            if state.has_ended {
                return None;
            }
            state.viewers += 1;
            state.next_viewer += 1;
            state.next_viewer
        };
        channel.demand.notify_waiters();
        Some(Self {
            channel,
            number,
            news,
        })
    }

    /// The channel.
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Where to go on in the ring from this place, if nothing between is gone. From then on this
    /// viewer's pace counts.
    pub(super) fn join(&self, place: &Place) -> Option<u64> {
        let mut state = self.channel.state();
        let next = state.ring.after(place)?;
        state.wanted.insert(self.number, next);
        drop(state);
        self.channel.demand.notify_waiters();
        Some(next)
    }

    /// The first chunk that the ring still has. From then on this viewer's pace counts.
    pub(super) fn first(&self) -> u64 {
        let mut state = self.channel.state();
        let first = state.ring.first();
        state.wanted.insert(self.number, first);
        first
    }

    /// Looks for a chunk of the ring; all before it count as taken.
    pub(super) fn look(&mut self, number: u64) -> Look {
        self.news.mark_unchanged();
        let mut state = self.channel.state();
        let found = match state.ring.chunk(number) {
            Some(chunk) => Look::Chunk(Arc::clone(chunk)),
            None if number < state.ring.first() => {
                state.wanted.remove(&self.number);
                return Look::Gone;
            }
            None => Look::NotYet {
                last: state.last.clone(),
                has_ended: state.has_ended,
            },
        };
        state.wanted.insert(self.number, number);
        drop(state);
        self.channel.demand.notify_waiters();
        found
    }

    /// Waits for something that was not there at the last look.
    pub(super) async fn wait(&mut self) {
        // The sender is the channel's own, which this seat keeps.
        let _ = self.news.changed().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        {
            let mut state = self.channel.state();
            state.viewers -= 1;
            state.wanted.remove(&self.number);
            if state.has_ended && state.viewers == 0 {
                state.ring.clear();
            }
        }
        self.channel.demand.notify_waiters();
    }
}
