//! How an agent speaks: lines on standard output, by one thread that may wait for it.
//!
//! Standard output is a pipe to the node, which may be slow. Nobody who measures waits for it: what
//! only people watch is left out where too much waits already.

use std::io::stdout;
use std::thread::{self, JoinHandle};

use autotuner_deploy::kubernetes::frame::FrameWriter;
use tokio::sync::mpsc;

use super::said::Said;

/// How much may wait to be said. Whoever has more waits.
const WAITING: usize = 64;

enum Utterance {
    Output(Vec<u8>),
    Message(Vec<u8>),
}

/// Says things, in the order in which it is told them.
#[derive(Clone)]
pub(crate) struct Voice(mpsc::Sender<Utterance>);

/// The thread that speaks.
pub(crate) struct Speaking(Option<JoinHandle<()>>);

impl Voice {
    /// A voice on standard output, whose lines carry this nonce.
    pub(crate) fn start(nonce: &str) -> (Self, Speaking) {
        let (to, mut waiting) = mpsc::channel(WAITING);
        let mut writer = FrameWriter::new(nonce, stdout());
        let speak = move || {
            while let Some(utterance) = waiting.blocking_recv() {
                let said = match utterance {
                    Utterance::Output(bytes) => writer.output(&bytes),
                    Utterance::Message(bytes) => writer.message(&bytes),
                };
                // Nobody is left to be told: whoever listens sees that the rest is missing.
                if said.is_err() {
                    return;
                }
            }
        };
        (Self(to), Speaking(Some(thread::spawn(speak))))
    }

    /// Says something, once there is room for it.
    pub(crate) async fn say(&self, said: &Said) {
        drop(self.0.send(Utterance::Message(said.pack())).await);
    }

    /// Says something that may as well be left out.
    pub(crate) fn mention(&self, said: &Said) {
        drop(self.0.try_send(Utterance::Message(said.pack())));
    }

    /// Passes on what the engine printed.
    pub(crate) async fn output(&self, bytes: Vec<u8>) {
        drop(self.0.send(Utterance::Output(bytes)).await);
    }
}

impl Speaking {
    /// Waits until all is said; to be called when no voice is left.
    pub(crate) async fn finish(mut self) {
        if let Some(thread) = self.0.take() {
            let joining = tokio::task::spawn_blocking(move || drop(thread.join()));
            drop(joining.await);
        }
    }
}
