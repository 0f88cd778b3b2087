//! Copies what a service's pod prints into the experiment's log file.
//!
//! The one idea: the cluster keeps the log, with a stamp before each line. A stream that breaks is
//! opened again from the last stamp, and lines up to it are not written twice; a container that was
//! started again is read from before its end first.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{AsyncBufRead, AsyncBufReadExt as _};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, LogParams};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::super::attend::SILENCE;
use super::super::reach::ANSWER;

/// Pause before a log is opened again that broke off.
const REOPEN: Duration = Duration::from_millis(500);

/// How long the last lines of a pod that is gone may take.
const ECHO: Duration = Duration::from_secs(3);

/// A copy that is being made.
#[derive(Debug)]
pub(super) struct LogCopy {
    to: PathBuf,
    copying: Mutex<Option<(String, JoinHandle<()>)>>,
    /// How often all that there was to be read was read.
    readings: watch::Sender<u64>,
}

impl Drop for LogCopy {
    fn drop(&mut self) {
        if let Some((_, copying)) = self.take() {
            copying.abort();
        }
    }
}

impl LogCopy {
    pub(super) fn new(to: PathBuf) -> Self {
        Self {
            to,
            copying: Mutex::new(None),
            readings: watch::Sender::new(0),
        }
    }

    /// Copies what this container prints from now on, and what it has printed. Asked again for the
    /// same pod it does nothing.
    pub(super) fn follow(&self, pods: Api<Pod>, pod: &str, container: &'static str) {
        let mut copying = self.copying.lock().unwrap_or_else(PoisonError::into_inner);
        if copying.as_ref().is_some_and(|(known, _)| known == pod) {
            return;
        }
        let (name, to, readings) = (pod.to_owned(), self.to.clone(), self.readings.clone());
        let before = copying.take();
        let task = tokio::spawn(async move {
            if let Some((_, before)) = before {
                drop(before.await);
            }
            copy(&pods, &name, container, &to, &readings).await;
        });
        *copying = Some((pod.to_owned(), task));
    }

    /// Waits until what a container that has ended printed is written down, or is not to be had.
    pub(super) async fn caught_up(&self) {
        let mut readings = self.readings.subscribe();
        drop(timeout(ECHO, readings.changed()).await);
    }

    /// Waits for the end of what is printed, which comes when the pod is gone.
    pub(super) async fn finish(&self) {
        if let Some((_, mut copying)) = self.take()
            && timeout(ECHO, &mut copying).await.is_err()
        {
            copying.abort();
        }
    }

    fn take(&self) -> Option<(String, JoinHandle<()>)> {
        self.copying.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Copies until the pod is gone.
async fn copy(pods: &Api<Pod>, pod: &str, container: &str, to: &Path, readings: &watch::Sender<u64>) {
    let mut how = OpenOptions::new();
    how.create(true).append(true);
    let mut file = match how.open(to).await {
        Ok(file) => file,
        Err(error) => return tracing::warn!(%error, "cannot write to {}", to.display()),
    };
    let (mut last, mut restarts) = (None::<Timestamp>, 0);
    loop {
        let found = match timeout(ANSWER, pods.get_opt(pod)).await {
            Ok(Ok(Some(found))) => found,
            Ok(Ok(None)) => return,
            not_told => {
                tracing::debug!(pod, "cannot be looked at for its log: {not_told:?}");
                sleep(REOPEN).await;
                continue;
            }
        };
        let statuses = found.status.and_then(|status| status.container_statuses);
        let mut statuses = statuses.into_iter().flatten();
        let count = statuses
            .find(|status| status.name == container)
            .map_or(0, |status| status.restart_count);
        let ways: &[(bool, bool)] = match count > restarts {
            true => &[(false, true), (true, false)],
            false => &[(true, false)],
        };
        restarts = restarts.max(count);
        for (follow, previous) in ways {
            let parameters = LogParams {
                container: Some(container.to_owned()),
                follow: *follow,
                previous: *previous,
                timestamps: true,
                since_time: last,
                ..LogParams::default()
            };
            match timeout(ANSWER, pods.log_stream(pod, &parameters)).await {
                Ok(Ok(stream)) => match pass_on(stream, &mut last, &mut file).await {
                    Ok(()) => {}
                    Err(error) => return tracing::warn!(%error, "cannot write to {}", to.display()),
                },
                // Its container has not been created yet, or is no more.
                Ok(Err(error)) => tracing::debug!(pod, %error, "its log cannot be opened"),
                Err(_) => tracing::debug!(pod, "its log is not opened in time"),
            }
        }
        readings.send_modify(|count| *count += 1);
        sleep(REOPEN).await;
    }
}

/// Writes down what one opening of the log brings that was not heard before it.
async fn pass_on(
    mut stream: impl AsyncBufRead + Unpin,
    last: &mut Option<Timestamp>,
    file: &mut File,
) -> std::io::Result<()> {
    let heard = *last;
    let mut line = Vec::new();
    // A stream that breaks is opened again, and so is one that is silent: the network may have lost it.
    while let Ok(Ok(1..)) = timeout(SILENCE, stream.read_until(b'\n', &mut line)).await {
        // What has no stamp is not the container's: a node says so that it has no log any more.
        if let Some((stamp, text)) = stamped(&line)
            && heard.is_none_or(|heard| stamp > heard)
        {
            *last = (*last).max(Some(stamp));
            file.write_all(text).await?;
            if !text.ends_with(b"\n") {
                file.write_all(b"\n").await?;
            }
        }
        line.clear();
    }
    file.flush().await
}

/// A line's stamp and its text.
fn stamped(line: &[u8]) -> Option<(Timestamp, &[u8])> {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let stamp = std::str::from_utf8(&line[..end]).ok()?;
    let stamp = stamp.trim_end().parse().ok()?;
    Some((stamp, line.get(end + 1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use futures_util::io::Cursor;

    use super::*;

    /// What two readings of a log leave in the file.
    async fn copied(first: &[u8], second: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let mut file = File::create(&path).await.expect("made");
        let mut last = None;
        for reading in [first, second] {
            let passed = pass_on(Cursor::new(reading), &mut last, &mut file).await;
            passed.expect("written");
        }
        std::fs::read(&path).expect("readable")
    }

    #[tokio::test]
    async fn lines_are_written_once_however_often_a_log_is_read() {
        let first =
            b"2026-11-30T00:00:00.1Z one\n2026-11-30T00:00:00.12Z \n2026-11-30T00:00:00.12Z two words\n";
        let second = b"2026-11-30T00:00:00.12Z two words\n2026-11-30T00:00:01Z \xff\x00\nunable to retrieve\n2026-11-30T00:00:02Z end";
        let expected: &[u8] = b"one\n\ntwo words\n\xff\x00\nend\n";
        assert_eq!(copied(first, second).await, expected);
    }
}
