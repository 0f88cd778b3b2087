//! A cable to the daemon that can be cut, and that counts what goes through it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use autotuner_deploy::containers::{Containers, Surroundings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::host;

/// Where the daemon's socket is.
fn socket() -> String {
    let host = host().unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned());
    host.strip_prefix("unix://")
        .expect("a daemon with a socket")
        .to_owned()
}

pub(super) struct Cable {
    folder: TempDir,
    is_whole: Arc<AtomicBool>,
    cut: watch::Sender<u64>,
    asked: Arc<Mutex<Vec<u8>>>,
    listening: JoinHandle<()>,
}

impl Cable {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let is_whole = Arc::new(AtomicBool::new(true));
        let (cut, asked) = (watch::Sender::new(0), Arc::default());
        let listening = tokio::spawn(listen(
            listener,
            Arc::clone(&is_whole),
            cut.clone(),
            Arc::clone(&asked),
        ));
        Self {
            folder,
            is_whole,
            cut,
            asked,
            listening,
        }
    }

    pub(super) fn containers(&self) -> Containers {
        Containers::new(Surroundings {
            host: Some(format!(
                "unix://{}",
                self.folder.path().join("docker.sock").display()
            )),
            ..Surroundings::default()
        })
    }

    /// Breaks every connection, and refuses new ones.
    pub(super) fn cut(&self) {
        self.is_whole.store(false, Ordering::SeqCst);
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    pub(super) fn mend(&self) {
        self.is_whole.store(true, Ordering::SeqCst);
    }

    /// How many requests had this in their first line.
    pub(super) fn requests(&self, part: &str) -> usize {
        let asked = String::from_utf8_lossy(&self.asked.lock().unwrap()).into_owned();
        let asked = asked.lines().filter(|line| line.starts_with("GET "));
        asked.filter(|line| line.contains(part)).count()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(
    listener: UnixListener,
    is_whole: Arc<AtomicBool>,
    cut: watch::Sender<u64>,
    asked: Arc<Mutex<Vec<u8>>>,
) {
    while let Ok((near, _)) = listener.accept().await {
        if is_whole.load(Ordering::SeqCst) {
            tokio::spawn(carry(near, cut.subscribe(), Arc::clone(&asked)));
        }
    }
}

async fn carry(near: UnixStream, mut cut: watch::Receiver<u64>, asked: Arc<Mutex<Vec<u8>>>) {
    let Ok(far) = UnixStream::connect(socket()).await else {
        return;
    };
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    let there = async {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = near_in.read(&mut buffer).await {
            asked.lock().unwrap().extend_from_slice(&buffer[..length]);
            if far_out.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
        let _ = far_out.shutdown().await;
    };
    let back = async {
        let _ = tokio::io::copy(&mut far_in, &mut near_out).await;
        // An end is passed on, too.
        let _ = near_out.shutdown().await;
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(there, back) } => {}
        _ = cut.changed() => {}
    }
}
