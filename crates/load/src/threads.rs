//! The threads that drive the load, apart from all others.
//!
//! The one idea: a stream is read by the one thread that it was given to, on a runtime of its
//! own, so nothing else that this program does stands between a packet and its stamp, and
//! threads share nothing but counters.

use std::io;
use std::thread::JoinHandle;

use nix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Streams that one thread can drive well: at 20 ms a token they are 25,000 chunks a second, a
/// good third of what one core can read.
const STREAMS_A_THREAD: u32 = 512;

/// Threads that drive the load.
pub(crate) struct LoadThreads(Vec<LoadThread>);

struct LoadThread {
    handle: Handle,
    /// Ends the thread when it is dropped.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LoadThreads {
    /// Starts this many threads, at least one.
    ///
    /// # Errors
    /// When the system gives none.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let threads = (0..count.max(1)).map(LoadThread::start);
        Ok(Self(threads.collect::<io::Result<_>>()?))
    }

    /// How many threads so many streams are worth, on this machine: half of its processors at
    /// most, since the other half has an engine, or a network, to serve.
    pub(crate) fn enough_for(streams: u32) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (streams.div_ceil(STREAMS_A_THREAD) as usize).clamp(1, (processors / 2).max(1))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The runtime of a thread, counted from 0 and beyond the last from the first again.
    pub(crate) fn handle(&self, number: usize) -> &Handle {
        &self.0[number % self.0.len()].handle
    }

    /// Processor time that each thread has used, nanoseconds; `None` where it does not tell.
    pub(crate) async fn processor_ns(&self) -> Vec<Option<u64>> {
        let mut used = Vec::with_capacity(self.0.len());
        for thread in &self.0 {
            let asked = thread.handle.spawn(async { thread_time_ns() }).await;
            used.push(asked.ok().flatten());
        }
        used
    }
}

fn thread_time_ns() -> Option<u64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
    u64::try_from(std::time::Duration::from(time).as_nanos()).ok()
}

impl LoadThread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(format!("load-{number}"))
            .spawn(move || {
                // Ends when the sender is dropped. Whatever still runs then is dropped with the runtime.
                drop(runtime.block_on(stopped));
            })?;
        Ok(Self {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

/// Ends the thread and waits for it: afterwards every connection is closed.
impl Drop for LoadThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of a task is told where the task is awaited.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_has_its_own_thread_and_ends_with_it() {
        let threads = LoadThreads::start(2).expect("threads");
        assert_eq!(threads.count(), 2);
        let name = || std::thread::current().name().map(str::to_owned);
        for (number, expected) in [(0, "load-0"), (1, "load-1"), (2, "load-0")] {
            let told = threads.handle(number).spawn(async move { name() }).await;
            assert_eq!(told.expect("it runs").as_deref(), Some(expected));
        }
        assert!(threads.processor_ns().await.iter().all(Option::is_some));
        let endless = threads.handle(0).spawn(std::future::pending::<()>());
        drop(threads);
        assert!(endless.await.expect_err("it was dropped").is_cancelled());
    }

    #[test]
    fn few_streams_have_one_thread() {
        for streams in [0, 1, STREAMS_A_THREAD] {
            assert_eq!(LoadThreads::enough_for(streams), 1);
        }
        assert!(LoadThreads::enough_for(u32::MAX) >= 1);
    }
}
