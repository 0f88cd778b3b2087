//! A quick engine and a plain HTTP client.

use std::net::SocketAddr;
use std::time::Duration;

use autotuner_sim_engine::{Fault, LogLevel, Options, RequestTruth, RunningSim, spawn_in_process};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Long enough for any machine; reached only when something is wrong.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Flags of an engine a hundred times as fast as the default, without noise.
pub(crate) fn quick() -> Options {
    Options {
        time_scale: 0.01,
        noise: 0.0,
        log_level: LogLevel::Off,
        ..Options::default()
    }
}

/// The same with these faults.
pub(crate) fn faulty(faults: &[&str]) -> Options {
    let fault: Vec<Fault> = faults.iter().map(|text| text.parse().unwrap()).collect();
    Options { fault, ..quick() }
}

pub(crate) async fn start(options: Options) -> RunningSim {
    within(spawn_in_process(options)).await.unwrap()
}

pub(crate) async fn within<Output>(future: impl Future<Output = Output>) -> Output {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("it took too long")
}

/// Waits until `condition` holds, asking again and again.
pub(crate) async fn until(mut condition: impl AsyncFnMut() -> bool) {
    within(async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The body of a text request.
pub(crate) fn text(prompt: &str, max_tokens: u32, is_streaming: bool) -> Value {
    json!({
        "model": "sim", "prompt": prompt, "max_tokens": max_tokens, "stream": is_streaming,
        "stream_options": { "include_usage": true }, "ignore_eos": true, "temperature": 0,
    })
}

/// A reply that is being read. Dropping it closes the connection.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    buffer: Vec<u8>,
    _sender: SendRequest<Full<Bytes>>,
    _connection: AbortOnDropHandle<()>,
}

/// A reply that was read to its end.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Whether the body ended as it should, and not because the connection closed.
    pub(crate) is_whole: bool,
}

pub(crate) async fn send(address: SocketAddr, method: Method, path: &str, body: String) -> Reply {
    let request = Request::builder().method(method).uri(path).header("host", "sim");
    send_request(address, request.body(Full::from(body)).unwrap())
        .await
        .unwrap()
}

pub(crate) async fn send_request(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<Reply, hyper::Error> {
    send_over(TcpStream::connect(address).await.unwrap(), request).await
}

async fn send_over(stream: TcpStream, request: Request<Full<Bytes>>) -> Result<Reply, hyper::Error> {
    within(async {
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = AbortOnDropHandle::new(tokio::spawn(async {
            let _ = connection.await;
        }));
        let (parts, body) = Response::into_parts(sender.send_request(request).await?);
        let (status, headers) = (parts.status, parts.headers);
        Ok(Reply {
            status,
            headers,
            body,
            buffer: Vec::new(),
            _sender: sender,
            _connection: connection,
        })
    })
    .await
}

/// The same where there may be nobody to answer.
pub(crate) async fn try_send_request(address: SocketAddr, request: Request<Full<Bytes>>) -> Option<Reply> {
    let stream = TcpStream::connect(address).await.ok()?;
    send_over(stream, request).await.ok()
}

pub(crate) async fn get(sim: &RunningSim, path: &str) -> Read {
    send(sim.address(), Method::GET, path, String::new())
        .await
        .read()
        .await
}

pub(crate) async fn post(sim: &RunningSim, path: &str, body: &Value) -> Read {
    send(sim.address(), Method::POST, path, body.to_string())
        .await
        .read()
        .await
}

/// Asks for a text answer.
pub(crate) async fn complete(sim: &RunningSim, prompt: &str, max_tokens: u32, is_streaming: bool) -> Read {
    post(sim, "/v1/completions", &text(prompt, max_tokens, is_streaming)).await
}

impl Reply {
    /// Reads to the end.
    pub(crate) async fn read(mut self) -> Read {
        let is_whole = loop {
            match self.next().await {
                Some(Ok(())) => {}
                Some(Err(_)) => break false,
                None => break true,
            }
        };
        let body = String::from_utf8(self.buffer).unwrap();
        Read {
            status: self.status,
            headers: self.headers,
            body,
            is_whole,
        }
    }

    /// Reads until so many events have arrived.
    pub(crate) async fn read_events(&mut self, count: usize) {
        while events(&String::from_utf8_lossy(&self.buffer)).len() < count {
            self.next().await.expect("the answer ended early").unwrap();
        }
    }

    /// Reads to the end and notes when each event had arrived.
    pub(crate) async fn read_times(mut self) -> Vec<Instant> {
        let mut times = Vec::new();
        while let Some(frame) = self.next().await {
            frame.unwrap();
            let now = Instant::now();
            times.resize(events(&String::from_utf8_lossy(&self.buffer)).len(), now);
        }
        times
    }

    async fn next(&mut self) -> Option<Result<(), hyper::Error>> {
        let frame = within(self.body.frame()).await?;
        Some(frame.map(|frame| self.buffer.extend(frame.into_data().unwrap_or_default())))
    }
}

impl Read {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The data of each event, `[DONE]` included.
    pub(crate) fn events(&self) -> Vec<&str> {
        events(&self.body)
    }

    /// The parsed data of each event but `[DONE]`, which must be the last.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        let mut events = self.events();
        assert_eq!(events.pop(), Some("[DONE]"), "{}", self.body);
        events
            .into_iter()
            .map(|event| serde_json::from_str(event).unwrap())
            .collect()
    }

    pub(crate) fn status_if_whole(&self) -> Option<StatusCode> {
        self.is_whole.then_some(self.status)
    }

    pub(crate) fn error_message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

fn events(body: &str) -> Vec<&str> {
    let complete = body.rfind("\n\n").map_or("", |end| &body[..end + 2]);
    complete
        .split_terminator("\n\n")
        .map(|event| event.strip_prefix("data: ").unwrap())
        .collect()
}

/// The truth about the request that was given this place.
pub(crate) fn truth(sim: &RunningSim, ordinal: u64) -> RequestTruth {
    sim.truth()
        .into_iter()
        .find(|truth| truth.ordinal == ordinal)
        .expect("the request was accepted")
}

/// One figure of `/metrics`.
pub(crate) async fn metric(sim: &RunningSim, name: &str) -> f64 {
    let body = get(sim, "/metrics").await.body;
    let line = body
        .lines()
        .find(|line| line.starts_with(&format!("{name}{{")))
        .unwrap_or_else(|| panic!("{body}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
