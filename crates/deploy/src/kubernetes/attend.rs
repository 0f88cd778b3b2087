//! Hears one Job: what its pod waits for, what its agent says, and how it ended.
//!
//! The one idea: the pod is looked at again and again, its log is read beside that, and neither is
//! trusted to be the last word. A log stream that breaks is opened again from the last line that was
//! heard; a pod that has ended is read to its end once more before its end is told. What was said
//! always comes before the end, and only the first pod of a Job counts: one that was taken away is
//! lost, whatever the Job's controller makes in its place.

use std::io;
use std::time::Duration;

use futures_util::{AsyncRead, AsyncReadExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Cluster;
use super::fate::{Ending, PodState, image_id, read};
use super::frame::{FrameReader, Heard};
use super::look::{Looked, Seen};
use super::manifest::ENGINE;
use super::reach::ANSWER;
use crate::error::whole_story;

/// Pause between two looks at a pod.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// Pause before a log is opened again that broke off.
const REOPEN: Duration = Duration::from_millis(500);

/// How long a log may be silent before it is opened again.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// Longest time that a cluster may not answer before a running experiment is given up.
pub(super) const CLUSTER_PATIENCE: Duration = Duration::from_secs(120);

/// Longest time from a node to a running container: images of engines are large.
pub(super) const PREPARING: Duration = Duration::from_secs(3600);

/// How long what waits for help is watched before it is given up: some of it comes right.
pub(super) const HELP_PATIENCE: Duration = Duration::from_secs(20);

/// Pieces of news that may wait for their reader. Then the log waits, which is kept by the node.
const WAITING_NEWS: usize = 256;

/// How far before the last line heard a log is opened again: stamps of a request are whole seconds.
const OVERLAP_SECONDS: i64 = 2;

/// How often the log of an ended pod is read that still lacks something.
const LAST_READINGS: u32 = 5;

/// Something that a Job's pod has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It waits, and for what.
    Waiting(String),
    /// Its container runs.
    Running(Placed),
    /// What the engine printed, in order.
    Output(Vec<u8>),
    /// What the agent says.
    Message(Vec<u8>),
    /// A line of the log that is not the agent's.
    Foreign(String),
    /// It is over. Nothing comes after it.
    Ended(Ending),
}

/// Where a Job's pod runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The pod.
    pub pod: String,
    /// Its node.
    pub node: String,
    /// The id of the image of the engine's container.
    pub image: Option<String>,
}

/// A Job that is heard. Dropped, it is heard no more, and goes on.
#[derive(Debug)]
pub struct JobRun {
    name: String,
    uid: String,
    news: mpsc::Receiver<News>,
    listening: JoinHandle<()>,
}

impl Drop for JobRun {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl JobRun {
    pub(super) fn attend(cluster: Cluster, name: &str, uid: String, nonce: &str) -> Self {
        let (to, news) = mpsc::channel(WAITING_NEWS);
        let mut attendant = Attendant {
            looked: Looked::new(cluster, name, uid.clone()),
            to,
            reader: FrameReader::new(nonce),
            waiting: String::new(),
        };
        let listening = tokio::spawn(async move {
            let ending = match attendant.until_running().await {
                Ok(pod) => attendant.until_ended(&pod).await,
                Err(ending) => ending,
            };
            attendant.tell(News::Ended(ending)).await;
        });
        Self {
            name: name.to_owned(),
            uid,
            news,
            listening,
        }
    }

    /// What the Job is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the cluster knows it.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// What comes next; `None` after the end.
    pub async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }
}

struct Attendant {
    looked: Looked,
    to: mpsc::Sender<News>,
    reader: FrameReader,
    waiting: String,
}

impl Attendant {
    async fn tell(&self, news: News) {
        // Nobody hears it who has stopped listening.
        drop(self.to.send(news).await);
    }

    async fn waits(&mut self, what: String) {
        if self.waiting != what {
            self.waiting.clone_from(&what);
            self.tell(News::Waiting(what)).await;
        }
    }

    /// Waits for the engine's container.
    async fn until_running(&mut self) -> Result<String, Ending> {
        let begun = Instant::now();
        let schedule_timeout = self.looked.cluster().schedule_timeout;
        let mut placed_by = begun + schedule_timeout;
        let (mut heard_at, mut stuck_since, mut has_node) = (begun, None, None);
        let mut first: Option<String> = None;
        loop {
            let now = Instant::now();
            let too_late = |why: &str| {
                let seconds = schedule_timeout.as_secs_f64();
                Ending::Lost(format!("no node has taken its pod within {seconds} s: {why}"))
            };
            match self.looked.look().await {
                Seen::Unheard(why) if heard_at.elapsed() > CLUSTER_PATIENCE => return Err(Ending::Lost(why)),
                Seen::Unheard(_) => {
                    sleep(LOOK).await;
                    continue;
                }
                Seen::Queued => {
                    placed_by = now + schedule_timeout;
                    self.waits("its Job waits in its queue".into()).await;
                }
                Seen::None(_) if first.is_some() => return Err(taken_away()),
                Seen::None(why) => {
                    let why = why.unwrap_or_else(|| "its Job has no pod yet".into());
                    if now > placed_by {
                        return Err(too_late(&why));
                    }
                    self.waits(why).await;
                }
                Seen::There(pod) => {
                    if first.get_or_insert_with(|| name_of(&pod)) != &name_of(&pod) {
                        return Err(taken_away());
                    }
                    let state = read(&pod, false);
                    if !matches!(state, PodState::Stuck(_)) {
                        stuck_since = None;
                    }
                    match state {
                        PodState::Unplaced(why) if now > placed_by => return Err(too_late(&why)),
                        PodState::Unplaced(why) => self.waits(why).await,
                        PodState::Preparing(what) | PodState::Stuck(what)
                            if *has_node.get_or_insert(now) + PREPARING < now =>
                        {
                            return Err(Ending::Lost(format!(
                                "its container did not start within {} s: {what}",
                                PREPARING.as_secs()
                            )));
                        }
                        PodState::Preparing(what) => self.waits(what).await,
                        PodState::Stuck(what) if *stuck_since.get_or_insert(now) + HELP_PATIENCE < now => {
                            return Err(Ending::Lost(what));
                        }
                        PodState::Stuck(what) => self.waits(what).await,
                        PodState::Running | PodState::Ended(Ending::Done) => {
                            let placed = placed_in(&pod, ENGINE);
                            let name = placed.pod.clone();
                            self.tell(News::Running(placed)).await;
                            return Ok(name);
                        }
                        PodState::Ended(ending) => return Err(ending),
                    }
                }
            }
            heard_at = now;
            sleep(LOOK).await;
        }
    }

    /// Reads the log until the pod is over.
    async fn until_ended(&mut self, pod: &str) -> Ending {
        let mut heard_at = Instant::now();
        let mut look_at = heard_at + LOOK;
        let mut silent_at;
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let mut stream = match self.open(pod, true).await {
                Ok(stream) => Some(stream),
                Err(error) => {
                    tracing::debug!(pod, "its log cannot be opened: {}", whole_story(&error));
                    None
                }
            };
            let reopen_at = Instant::now() + REOPEN;
            silent_at = Instant::now() + SILENCE;
            loop {
                let reading = async {
                    match &mut stream {
                        Some(stream) => stream.read(&mut chunk).await.unwrap_or(0),
                        None => {
                            sleep_until(reopen_at).await;
                            0
                        }
                    }
                };
                tokio::select! {
                    count = reading => match count {
                        0 => break,
                        count => {
                            self.take(&chunk[..count]).await;
                            silent_at = Instant::now() + SILENCE;
                        }
                    },
                    // To a stream that the network has lost nobody says so.
                    () = sleep_until(silent_at) => break,
                    () = sleep_until(look_at) => {
                        let seen = self.looked.look_at(pod).await;
                        look_at = Instant::now() + LOOK;
                        match seen {
                            Seen::Unheard(why) if heard_at.elapsed() > CLUSTER_PATIENCE => {
                                return Ending::Lost(why);
                            }
                            Seen::Unheard(_) => {}
                            Seen::None(_) | Seen::Queued => return taken_away(),
                            Seen::There(found) => {
                                heard_at = Instant::now();
                                if let PodState::Ended(ending) = read(&found, false) {
                                    return self.after_the_end(pod, stream, ending).await;
                                }
                            }
                        }
                    }
                }
            }
            self.reader.restart();
            sleep_until(reopen_at).await;
        }
    }

    /// Reads what an ended pod has still said.
    async fn after_the_end(
        &mut self,
        pod: &str,
        stream: Option<impl AsyncRead + Unpin>,
        ending: Ending,
    ) -> Ending {
        drop(stream);
        for reading in 0..LAST_READINGS {
            self.reader.restart();
            // What the last opening has missed may lie further back.
            let is_whole = reading > 1;
            match self.read_once(pod, is_whole).await {
                Ok(()) if !self.reader.has_gap() => return ending,
                Ok(()) => {}
                // Its log went with it.
                Err(kube::Error::Api(status)) if status.code == 404 => return ending,
                Err(error) => tracing::debug!(pod, "its log cannot be read: {}", whole_story(&error)),
            }
            sleep(REOPEN).await;
        }
        match (ending, self.reader.has_gap()) {
            (Ending::Done, true) => Ending::Lost("a part of its log is lost".into()),
            (ending, _) => ending,
        }
    }

    async fn read_once(&mut self, pod: &str, is_whole: bool) -> kube::Result<()> {
        if is_whole {
            let all = self.parameters(false, None);
            let mut stream = self.stream(pod, &all).await?;
            self.drain(&mut stream).await;
        } else {
            let mut stream = self.open(pod, false).await?;
            self.drain(&mut stream).await;
        }
        Ok(())
    }

    async fn drain(&mut self, stream: &mut (impl AsyncRead + Unpin)) {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(Ok(count @ 1..)) = timeout(ANSWER, stream.read(&mut chunk)).await {
            self.take(&chunk[..count]).await;
        }
    }

    async fn take(&mut self, bytes: &[u8]) {
        for heard in self.reader.feed(bytes) {
            let news = match heard {
                Heard::Output(bytes) => News::Output(bytes),
                Heard::Message(bytes) => News::Message(bytes),
                Heard::Foreign(line) => News::Foreign(line),
            };
            self.tell(news).await;
        }
    }

    async fn open(&self, pod: &str, follow: bool) -> kube::Result<impl AsyncRead + Unpin + Send + use<>> {
        let parameters = self.parameters(follow, self.reader.resume_from());
        self.stream(pod, &parameters).await
    }

    async fn stream(
        &self,
        pod: &str,
        parameters: &LogParams,
    ) -> kube::Result<impl AsyncRead + Unpin + Send + use<>> {
        let pods = self.looked.cluster().reach.pods();
        let opening = timeout(ANSWER, pods.log_stream(pod, parameters)).await;
        opening.unwrap_or_else(|_| Err(kube::Error::ReadEvents(io::ErrorKind::TimedOut.into())))
    }

    fn parameters(&self, follow: bool, from: Option<&str>) -> LogParams {
        let from = from.and_then(|stamp| stamp.parse::<k8s_openapi::jiff::Timestamp>().ok());
        LogParams {
            container: Some(ENGINE.to_owned()),
            follow,
            timestamps: true,
            since_time: from.and_then(|stamp| {
                let overlap = k8s_openapi::jiff::SignedDuration::from_secs(OVERLAP_SECONDS);
                stamp.checked_sub(overlap).ok()
            }),
            ..LogParams::default()
        }
    }
}

fn taken_away() -> Ending {
    Ending::Lost("its pod was deleted".into())
}

fn name_of(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap_or_default()
}

/// Where a pod runs, with the image of this container.
pub(super) fn placed_in(pod: &Pod, container: &str) -> Placed {
    let spec = pod.spec.as_ref();
    Placed {
        pod: name_of(pod),
        node: spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
        image: image_id(pod, container),
    }
}
