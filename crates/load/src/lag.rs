//! How late a load thread is: what a chunk suffers between the kernel and its stamp.
//!
//! The one idea: a canary. Every few milliseconds another thread writes the time into a socket
//! that the load thread reads beside its streams; how old it is when it is read is how old a
//! chunk would have been. It is written at uneven moments, so it does not march in step with
//! the streams.

use std::io;
use std::os::unix::net::UnixStream as StdStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use autotuner_core::measure::ClientHealth;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::threads::LoadThreads;

/// The pauses between canaries, milliseconds, again and again: 5 on average.
const PAUSES_MS: [u64; 8] = [5, 3, 7, 4, 6, 8, 2, 5];

/// Watches how late load threads are, until it is dropped.
pub(crate) struct LagWatch {
    /// Ends the tasks when it is dropped.
    _tasks: JoinSet<io::Result<()>>,
    lags_ns: Arc<Mutex<Vec<u64>>>,
}

impl LagWatch {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the system has no more sockets.
    pub(crate) fn start(threads: &LoadThreads, clock: Clock) -> io::Result<Self> {
        let lags_ns = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for number in 0..threads.count() {
            let (here, there) = StdStream::pair()?;
            here.set_nonblocking(true)?;
            there.set_nonblocking(true)?;
            tasks.spawn(send(here, clock, number));
            tasks.spawn_on(
                receive(there, clock, Arc::clone(&lags_ns)),
                threads.handle(number),
            );
        }
        Ok(Self {
            _tasks: tasks,
            lags_ns,
        })
    }

    /// Puts what was seen into `health`, and begins anew.
    pub(crate) fn take(&self, health: &mut ClientHealth) {
        let mut lags = std::mem::take(&mut *self.lags_ns.lock().unwrap_or_else(PoisonError::into_inner));
        lags.sort_unstable();
        let at = |share: usize| lags.get(lags.len() * share / 100).copied().unwrap_or(0);
        health.lag_p50_ns = at(50);
        health.lag_p99_ns = at(99);
        health.lag_max_ns = lags.last().copied().unwrap_or(0);
    }
}

async fn send(socket: StdStream, clock: Clock, first: usize) -> io::Result<()> {
    let mut socket = UnixStream::from_std(socket)?;
    for pause in PAUSES_MS.into_iter().cycle().skip(first) {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        socket.write_all(&clock.now().to_ne_bytes()).await?;
    }
    Ok(())
}

async fn receive(socket: StdStream, clock: Clock, lags_ns: Arc<Mutex<Vec<u64>>>) -> io::Result<()> {
    let mut socket = UnixStream::from_std(socket)?;
    loop {
        let mut written = [0; 8];
        socket.read_exact(&mut written).await?;
        let lag = clock.now().saturating_sub(u64::from_ne_bytes(written));
        lags_ns.lock().unwrap_or_else(PoisonError::into_inner).push(lag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_that_is_busy_is_late() {
        let threads = LoadThreads::start(1).expect("a thread");
        let watch = LagWatch::start(&threads, Clock::start()).expect("sockets");
        // Blocks the load thread for far longer than any wake-up takes.
        threads
            .handle(0)
            .spawn(async { std::thread::sleep(Duration::from_millis(300)) })
            .await
            .expect("it slept");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut health = ClientHealth::default();
        watch.take(&mut health);
        assert!(health.lag_max_ns > 100_000_000, "{health:?}");
        assert!(health.lag_p50_ns <= health.lag_p99_ns && health.lag_p99_ns <= health.lag_max_ns);
    }
}
