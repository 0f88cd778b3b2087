//! A quick server and a plain HTTP client that shows every chunk.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use autotuner_sim_engine::metronome::{MetronomeOptions, RunningMetronome, Truth, spawn};
use serde_json::{Value, json};

/// Long enough for any machine; reached only when something is wrong.
const DEADLINE: Duration = Duration::from_secs(60);

/// Flags of a server that waits for nothing.
pub(crate) fn quick() -> MetronomeOptions {
    MetronomeOptions {
        ttft_ms: 0.0,
        itl_ms: 0.0,
        ..MetronomeOptions::default()
    }
}

/// Flags of a server whose answers do not begin while a test lasts.
pub(crate) fn endless() -> MetronomeOptions {
    MetronomeOptions {
        ttft_ms: 3_600_000.0,
        ..MetronomeOptions::default()
    }
}

pub(crate) fn start(options: &MetronomeOptions) -> RunningMetronome {
    spawn(options).unwrap()
}

/// One connection.
pub(crate) struct Client(BufReader<TcpStream>);

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    /// The chunks of a chunked answer.
    pub(crate) chunks: Vec<String>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(server: &RunningMetronome) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Closes the sending side.
    pub(crate) fn end(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).unwrap();
    }

    /// Sends a request with a body and a few headers more, each with its line's end.
    pub(crate) fn post(&mut self, path: &str, headers: &str, body: &Value) {
        let body = body.to_string();
        let length = body.len();
        self.write(format!(
            "POST {path} HTTP/1.1\r\nhost: t\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        ));
    }

    /// Asks for a stream and reads it.
    pub(crate) fn stream(&mut self, tokens: u32) -> Answer {
        self.post("/v1/completions", "", &text(tokens));
        self.answer()
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.write(format!("GET {path} HTTP/1.1\r\nhost: t\r\n\r\n"));
        self.answer()
    }

    pub(crate) fn answer(&mut self) -> Answer {
        let head = self.head();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut chunks = Vec::new();
        let body = if head.contains("transfer-encoding: chunked") {
            while let Some(chunk) = self.chunk() {
                chunks.push(chunk);
            }
            chunks.concat()
        } else {
            let length = head.split("content-length: ").nth(1).map_or(0, |rest| {
                rest.split("\r\n").next().unwrap().parse::<usize>().unwrap()
            });
            self.take(length)
        };
        Answer {
            status,
            head,
            chunks,
            body,
        }
    }

    /// Everything up to the empty line.
    pub(crate) fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(
                self.0.read_line(&mut head).unwrap() > 0,
                "the connection ended: {head}"
            );
        }
        head
    }

    /// The next chunk, unless it is the last.
    pub(crate) fn chunk(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
        let chunk = self.take(length);
        assert_eq!(self.take(2), "\r\n");
        (length > 0).then_some(chunk)
    }

    /// Whether the server closes the connection, and sends nothing before it does.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).unwrap() == 0
    }

    fn take(&mut self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The parsed data of each event but `[DONE]`, which must be the last.
    pub(crate) fn events(&self) -> Vec<Value> {
        let body = self.body.strip_suffix("data: [DONE]\n\n").unwrap();
        body.split_terminator("\n\n")
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect()
    }
}

/// The body of a request for so many tokens of text.
pub(crate) fn text(tokens: u32) -> Value {
    json!({ "model": "mock", "prompt": "a b c", "max_tokens": tokens, "stream": true })
}

/// What the server has written down.
pub(crate) fn truth(server: &RunningMetronome) -> Truth {
    serde_json::from_str(&Client::new(server).get("/truth").body).unwrap()
}

/// Waits until the truth is so.
pub(crate) fn until(server: &RunningMetronome, mut is_so: impl FnMut(&Truth) -> bool) -> Truth {
    for _ in 0..DEADLINE.as_millis() / 5 {
        let truth = truth(server);
        if is_so(&truth) {
            return truth;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it took too long")
}
