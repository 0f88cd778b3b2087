//! The thread that asks drivers.
//!
//! A driver's call can block, and on a broken driver for ever. A thread of the runtime that
//! hangs would keep the program from ending, so drivers are asked by a thread of their own
//! that nobody waits for: who asks gives up after a while, and the program ends without it.

use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use autotuner_core::gpu::GpuState;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::nvml::{Answer, Library};
use super::{GpuError, amd};

/// How long a driver may take. One that has been idle loads its firmware first, which takes a
/// few seconds on a machine with eight GPUs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Questions that wait while one is asked, which takes milliseconds. When it is full the
/// driver hangs, and whoever asks is told so at once.
const WAITING_QUESTIONS: usize = 64;

/// What the drivers say.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) nvidia: Answer,
    pub(super) amd: Vec<GpuState>,
}

/// The thread, and one question that it can be asked. Dropped, it ends after what it is doing.
#[derive(Debug)]
pub(super) struct Drivers<A = Seen> {
    questions: SyncSender<oneshot::Sender<A>>,
}

impl Drivers {
    /// How all GPUs are. `cards` is the folder in which the kernel lists graphics cards.
    pub(super) fn new(cards: PathBuf) -> Self {
        let mut library = Library::default();
        Self::asking("GPU drivers", move || Seen {
            nvidia: library.look(),
            amd: amd::read(&cards),
        })
    }
}

impl<A: Send + 'static> Drivers<A> {
    /// A thread of this name that finds the answer so.
    pub(super) fn asking(name: &str, mut answer: impl FnMut() -> A + Send + 'static) -> Self {
        let (questions, inbox) = sync_channel::<oneshot::Sender<A>>(WAITING_QUESTIONS);
        let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Ok(reply) = inbox.recv() {
                // Whoever has given up meanwhile need not be answered.
                if !reply.is_closed() {
                    let _ = reply.send(answer());
                }
            }
        });
        if let Err(error) = started {
            tracing::warn!(%error, "the thread that asks GPU drivers cannot be started");
        }
        Self { questions }
    }

    pub(super) async fn ask(&self, cancel: &CancellationToken) -> Result<A, GpuError> {
        let silent = || GpuError::driver("it does not answer");
        let (reply, answer) = oneshot::channel();
        match self.questions.try_send(reply) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(silent()),
            Err(TrySendError::Disconnected(_)) => return Err(GpuError::driver("its thread has ended")),
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(GpuError::Cancelled),
            answer = timeout(PATIENCE, answer) => match answer {
                Ok(Ok(seen)) => Ok(seen),
                Ok(Err(_)) => Err(GpuError::driver("its thread has ended")),
                Err(_) => Err(silent()),
            },
        }
    }
}
