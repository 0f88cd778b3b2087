//! Work that a signal may end.

use tokio::sync::oneshot;

use super::super::session::context;
use super::super::{Refusal, runtime};
use crate::shutdown::Shutdown;

/// Does the work, which may wait for a long time, and gives up on it at the first signal: `None`
/// then. The work only looks and tells, so that nothing is left half done.
pub(in crate::cli) fn unless_stopped<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Refusal> {
    runtime()?.block_on(async {
        let shutdown = Shutdown::listen(|_| {}).map_err(context("cannot listen for signals"))?;
        let (tell, done) = oneshot::channel();
        let thread = std::thread::Builder::new().name("work".into());
        let thread = thread.spawn(move || drop(tell.send(work())));
        let _ends_with_the_process = thread.map_err(context("cannot start a thread"))?;
        tokio::select! {
            () = shutdown.soft.cancelled() => Ok(None),
            done = done => match done {
                Ok(done) => Ok(Some(done)),
                Err(_) => Err(Refusal::message("the work ended by our own mistake")),
            },
        }
    })
}
