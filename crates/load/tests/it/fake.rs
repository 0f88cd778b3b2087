//! A server that answers from a script, over raw TCP, and a client to ask it.
//!
//! What a script sends is bytes: this file knows no HTTP library, so it can be as wrong as
//! a test wants it to be.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use autotuner_core::engine::Endpoint;
use autotuner_core::measure::{LevelRecords, RequestRecord};
use autotuner_core::workload::{Api, Arrival, Content, FirstWave, Sources, Workload};
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use autotuner_load::{Bench, BenchError, Observer, Progress, Recording, Verdict};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Longest time that any condition is waited for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Answer tokens that only probes ask for.
const PROBE_TOKENS: u64 = 4;

/// What the server does next on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// The same bytes again and again, so many in all, or until the client goes.
    Flood(Vec<u8>, u64),
    /// The same bytes again and again, with a pause after each time, until the client goes.
    Drip(Vec<u8>, Duration),
    Pause(Duration),
    /// Says that nothing more comes, and goes on listening.
    HalfClose,
    /// Closes with a reset, which takes away what the client has not read.
    Reset,
    /// Nothing more, but the connection stays open until the client closes it.
    Hold,
    Close,
}

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Which one, probes apart, counted from 0.
    pub(crate) number: usize,
    pub(crate) is_probe: bool,
    pub(crate) head: String,
    pub(crate) body: Value,
}

type Script = Arc<dyn Fn(&Seen) -> Vec<Step> + Send + Sync>;

#[derive(Default)]
struct Counters {
    asked: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    connections: AtomicUsize,
    open: AtomicUsize,
    written: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
}

pub(crate) struct FakeServer {
    pub(crate) endpoint: Endpoint,
    counters: Arc<Counters>,
    stop: CancellationToken,
}

impl FakeServer {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint {
            base_url: format!("http://{}", listener.local_addr().unwrap()),
            model: "the-model".into(),
            api_key: Some("the-key".into()),
        };
        let counters = Arc::new(Counters::default());
        let stop = CancellationToken::new();
        let script: Script = Arc::new(script);
        let (shared, stopped) = (Arc::clone(&counters), stop.clone());
        tokio::spawn(async move {
            let accepting = async {
                let mut serving = tokio::task::JoinSet::new();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    serving.spawn(serve(stream, Arc::clone(&shared), Arc::clone(&script)));
                }
            };
            stopped.run_until_cancelled(accepting).await;
        });
        Self {
            endpoint,
            counters,
            stop,
        }
    }

    /// Cancelled, it closes the listener and every connection.
    pub(crate) fn killer(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Bytes of answers that the client, or the system between us, has taken.
    pub(crate) fn written(&self) -> usize {
        self.counters.written.load(Ordering::SeqCst)
    }

    /// Requests that came in, probes apart.
    pub(crate) fn asked(&self) -> usize {
        self.counters.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.counters.most_in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.counters.in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.counters.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.counters.seen.lock().unwrap().clone()
    }

    /// Prompts that came in, probes apart, in order.
    pub(crate) fn prompts(&self) -> Vec<String> {
        self.seen()
            .iter()
            .filter(|seen| !seen.is_probe)
            .map(Seen::prompt)
            .collect()
    }

    /// Waits until the client has closed everything.
    pub(crate) async fn until_all_closed(&self) {
        until("all connections are closed", || {
            self.counters.open.load(Ordering::SeqCst) == 0
        })
        .await;
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Seen {
    pub(crate) fn prompt(&self) -> String {
        let prompt = match self.body.get("prompt") {
            Some(prompt) => prompt,
            None => &self.body["messages"][0]["content"],
        };
        prompt.as_str().unwrap().to_owned()
    }

    pub(crate) fn words(&self) -> usize {
        self.prompt().split(' ').count()
    }
}

async fn serve(mut stream: TcpStream, counters: Arc<Counters>, script: Script) {
    stream.set_nodelay(true).unwrap();
    counters.connections.fetch_add(1, Ordering::SeqCst);
    counters.open.fetch_add(1, Ordering::SeqCst);
    while let Some((head, body)) = read_request(&mut stream).await {
        // The engine's own metrics are asked for on connections of their own; this one has none.
        if head.starts_with("GET ") {
            counters.connections.fetch_sub(1, Ordering::SeqCst);
            let _ = stream
                .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                .await;
            break;
        }
        let is_probe = body["max_tokens"] == PROBE_TOKENS;
        let number = match is_probe {
            true => 0,
            false => counters.asked.fetch_add(1, Ordering::SeqCst),
        };
        let seen = Seen {
            number,
            is_probe,
            head,
            body,
        };
        counters.seen.lock().unwrap().push(seen.clone());
        let in_flight = counters.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        counters.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        if !answer(&mut stream, script(&seen), &counters).await {
            break;
        }
    }
    counters.open.fetch_sub(1, Ordering::SeqCst);
}

/// Answers one request; says whether the connection goes on.
async fn answer(stream: &mut TcpStream, steps: Vec<Step>, counters: &Counters) -> bool {
    let last = steps.len() - 1;
    for (number, step) in steps.into_iter().enumerate() {
        // Once the last bytes are out the client may ask again: from before that on, the
        // request is over.
        if number == last && !matches!(step, Step::Hold) {
            counters.in_flight.fetch_sub(1, Ordering::SeqCst);
        }
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return false;
                }
                counters.written.fetch_add(bytes.len(), Ordering::SeqCst);
            }
            Step::Flood(bytes, most) => {
                let mut left = most;
                while left > 0 {
                    if stream.write_all(&bytes).await.is_err() {
                        return false;
                    }
                    counters.written.fetch_add(bytes.len(), Ordering::SeqCst);
                    left = left.saturating_sub(bytes.len() as u64);
                }
            }
            Step::Drip(bytes, pause) => loop {
                if stream.write_all(&bytes).await.is_err() {
                    return false;
                }
                tokio::time::sleep(pause).await;
            },
            Step::Pause(duration) => tokio::time::sleep(duration).await,
            Step::HalfClose => stream.shutdown().await.unwrap(),
            Step::Reset => {
                stream.set_zero_linger().unwrap();
                return false;
            }
            Step::Hold => {
                let mut rest = [0; 64];
                let _ = stream.read(&mut rest).await;
                counters.in_flight.fetch_sub(1, Ordering::SeqCst);
                return false;
            }
            Step::Close => return false,
        }
    }
    true
}

async fn read_request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            let length: usize = length.parse().unwrap();
            let mut body = bytes[end + 4..].to_vec();
            let already = body.len();
            body.resize(length, 0);
            stream.read_exact(&mut body[already..]).await.ok()?;
            let body = match body.is_empty() {
                true => Value::Null,
                false => serde_json::from_slice(&body).unwrap(),
            };
            return Some((head, body));
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

pub(crate) const STREAM_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// One HTTP chunk.
pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// One event in one HTTP chunk.
pub(crate) fn event(data: &str) -> Vec<u8> {
    chunk(format!("data: {data}\n\n"))
}

pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}

/// A stream of these events, each sent on its own, that ends as it should.
pub(crate) fn stream(events: &[&str]) -> Vec<Step> {
    let mut steps = vec![send(STREAM_HEAD)];
    let (last, first) = events.split_last().unwrap();
    steps.extend(first.iter().map(|data| send(event(data))));
    steps.push(send([event(last), chunk("")].concat()));
    steps
}

/// A whole answer that is not streamed.
pub(crate) fn plain(status: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![send(format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}"
    ))]
}

pub(crate) const ROLE: &str =
    r#"{"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#;
pub(crate) const TEXT: &str = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#;
pub(crate) const FINISH: &str = r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#;
pub(crate) const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":97,"completion_tokens":2}}"#;

/// A good answer of two tokens, as chat servers give it, without usage.
pub(crate) fn good() -> Vec<Step> {
    stream(&[ROLE, TEXT, TEXT, FINISH, "[DONE]"])
}

/// A workload of one level at this concurrency, with one request of warm-up at least, and
/// time enough for a slow machine.
pub(crate) fn workload(concurrency: u32, requests: u32) -> Workload {
    Workload {
        api: Api::Chat,
        scenarios: vec!["D(30,9)".parse().unwrap()],
        concurrency: vec![concurrency],
        arrival: Arrival::Closed,
        first_wave: FirstWave::Together,
        max_time_per_level: DEADLINE,
        max_requests_per_level: requests,
        drain: DEADLINE,
        warmup_requests: 1,
        max_warmup: DEADLINE,
        request_timeout: DEADLINE,
        seed: 5,
        content: Content::default(),
        sources: Sources::default(),
        order: Vec::new(),
        precision: None,
        additional_params: serde_json::Map::from_iter([("temperature".to_owned(), json!(0.0))]),
    }
}

/// Watches and never stops, unless told to.
#[derive(Default)]
pub(crate) struct Watcher {
    pub(crate) progress: Vec<Progress>,
    pub(crate) levels: Vec<LevelRecords>,
    pub(crate) stop_after: Option<usize>,
}

#[async_trait::async_trait]
impl Observer for Watcher {
    fn progress(&mut self, progress: &Progress) {
        self.progress.push(progress.clone());
    }

    async fn level_done(&mut self, records: &LevelRecords) -> Verdict {
        self.levels.push(records.clone());
        match self.stop_after == Some(self.levels.len()) {
            true => Verdict::Stop,
            false => Verdict::Continue,
        }
    }
}

pub(crate) async fn measure(server: &FakeServer, workload: &Workload) -> Result<Recording, BenchError> {
    watch(
        &server.endpoint,
        workload,
        CancellationToken::new(),
        &mut Watcher::default(),
    )
    .await
}

pub(crate) async fn watch(
    endpoint: &Endpoint,
    workload: &Workload,
    cancel: CancellationToken,
    watcher: &mut Watcher,
) -> Result<Recording, BenchError> {
    let options = LoadOptions {
        connect_timeout: DEADLINE,
        threads: None,
        progress_interval: Duration::from_millis(5),
    };
    let generator = LoadGenerator::new(options);
    let measured = generator.measure(endpoint, workload, cancel, watcher);
    tokio::time::timeout(2 * DEADLINE, measured)
        .await
        .expect("the benchmark ends")
}

/// The records of the only level.
pub(crate) async fn records(server: &FakeServer, workload: &Workload) -> Vec<RequestRecord> {
    let recording = measure(server, workload).await.unwrap();
    assert_eq!(recording.levels.len(), 1);
    recording.levels.into_iter().next().unwrap().requests
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting)
        .await
        .unwrap_or_else(|_| panic!("{what}, within the deadline"));
}
