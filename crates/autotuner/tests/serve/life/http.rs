//! A client of the service: questions, and streams that it leaves when it has seen enough.

use std::io::{BufRead as _, BufReader};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite;
use tungstenite::client::IntoClientRequest as _;

/// Far more than any answer takes, a stream that lasts for the whole test included.
const DEADLINE: Duration = Duration::from_secs(280);

/// One who knows the service's address and has its token.
#[derive(Debug, Clone)]
pub(super) struct Client {
    agent: ureq::Agent,
    url: String,
    token: String,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    question: String,
    pub(super) text: String,
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) id: Option<String>,
    pub(super) data: String,
}

/// Somebody who listens to a stream in a thread of their own.
pub(super) struct Listener<T> {
    heard: Arc<Mutex<Vec<T>>>,
    thread: JoinHandle<()>,
}

impl Reply {
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.question, self.text);
        self
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the text for old clients.
    #[track_caller]
    pub(super) fn says(self, detail: &str) {
        assert_eq!(self.json()["detail"], detail, "{}", self.question);
    }
}

impl Frame {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.data).expect("events are JSON")
    }
}

impl<T: Clone> Listener<T> {
    pub(super) fn heard(&self) -> Vec<T> {
        self.heard.lock().expect("nobody panics with it").clone()
    }

    /// What is heard from now on too, for another listener.
    pub(super) fn shared(&self) -> Arc<Mutex<Vec<T>>> {
        Arc::clone(&self.heard)
    }

    /// Everything, once the listener has heard what it waited for.
    pub(super) fn join(self) -> Vec<T> {
        self.thread.join().expect("the stream was as it should be");
        self.heard.lock().expect("nobody panicked with it").clone()
    }
}

impl Client {
    pub(super) fn new(url: String, token: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(DEADLINE))
            .build();
        Self {
            agent: ureq::Agent::new_with_config(config),
            url,
            token,
        }
    }

    pub(super) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "application/json", String::new())
    }

    /// A POST without a body.
    pub(super) fn act(&self, path: &str) -> Reply {
        self.ask("POST", path, "application/json", String::new())
    }

    pub(super) fn post(&self, path: &str, document: &Value) -> Reply {
        self.ask("POST", path, "application/json", document.to_string())
    }

    pub(super) fn put(&self, path: &str, document: &Value) -> Reply {
        self.ask("PUT", path, "application/json", document.to_string())
    }

    pub(super) fn post_yaml(&self, path: &str, text: String) -> Reply {
        self.ask("POST", path, "application/yaml", text)
    }

    pub(super) fn delete(&self, path: &str) -> Reply {
        self.ask("DELETE", path, "application/json", String::new())
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: String) -> Reply {
        let request = self.request(method, path);
        let mut answer = match body.is_empty() {
            true => self.agent.run(request.body(()).expect("a request")),
            false => {
                let request = request.header("content-type", kind).body(body);
                self.agent.run(request.expect("a request"))
            }
        }
        .expect("it answers");
        Reply {
            status: answer.status().as_u16(),
            question: format!("{method} {path}"),
            text: answer.body_mut().read_to_string().expect("text"),
        }
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        axum::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
    }

    /// Reads a stream from behind an event, until it ends or `see` has seen enough.
    pub(super) fn stream(&self, path: &str, after: Option<&str>, mut see: impl FnMut(Frame) -> bool) {
        let mut request = self.request("GET", path);
        if let Some(id) = after {
            request = request.header("last-event-id", id);
        }
        let answer = self.agent.run(request.body(()).expect("a request"));
        let answer = answer.expect("it answers");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream", "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-cache", "{path}");
        assert_eq!(answer.headers()["x-accel-buffering"], "no", "{path}");
        let lines = BufReader::new(answer.into_body().into_reader()).lines();
        let (mut id, mut data) = (None, None);
        for line in lines {
            let line = line.expect("the stream goes on or ends");
            match line.split_once(": ") {
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("data", value)) => data = Some(value.to_owned()),
                Some(("", _comment)) => {}
                Some(_) => panic!("a strange line: {line}"),
                None if line.is_empty() => {
                    if let Some(data) = data.take()
                        && see(Frame { id: id.take(), data })
                    {
                        return;
                    }
                }
                // An empty line of a log.
                None if line == "data:" => data = Some(String::new()),
                None => panic!("a strange line: {line}"),
            }
        }
    }

    /// Listens in a thread, until `is_enough` of what was heard last.
    pub(super) fn listen(
        &self,
        path: &str,
        mut is_enough: impl FnMut(&Frame) -> bool + Send + 'static,
    ) -> Listener<Frame> {
        let (client, path) = (self.clone(), path.to_owned());
        listener(move |heard| {
            client.stream(&path, None, |frame| {
                let is_enough = is_enough(&frame);
                heard.lock().expect("nobody panics with it").push(frame);
                is_enough
            });
        })
    }

    /// Listens in a thread and hangs up at a frame; when `may_go_on`, it goes on behind it, until
    /// `is_enough`.
    pub(super) fn listen_with_a_break(
        &self,
        path: &str,
        hangs_up_at: fn(&Frame) -> bool,
        may_go_on: impl FnOnce() + Send + 'static,
        is_enough: fn(&Frame) -> bool,
    ) -> Listener<Frame> {
        let (client, path) = (self.clone(), path.to_owned());
        listener(move |heard| {
            let keep = |frame: &Frame| heard.lock().expect("nobody panics with it").push(frame.clone());
            let mut last = None;
            client.stream(&path, None, |frame| {
                keep(&frame);
                last.clone_from(&frame.id);
                hangs_up_at(&frame)
            });
            may_go_on();
            client.stream(&path, last.as_deref(), |frame| {
                keep(&frame);
                is_enough(&frame)
            });
        })
    }

    /// Listens to a WebSocket in a thread, until a frame of this type.
    pub(super) fn socket(&self, path: &str, last: &'static str) -> Listener<Value> {
        let url = format!("{}{path}", self.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("an address");
        let token = format!("Bearer {}", self.token).parse().expect("a header");
        request.headers_mut().insert("authorization", token);
        let address = self.url.trim_start_matches("http://");
        let stream = std::net::TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let (mut socket, _answer) = tungstenite::client(request, stream).expect("a WebSocket");
        listener(move |heard| {
            loop {
                // Pings are answered while reading.
                let tungstenite::Message::Text(text) = socket.read().expect("it goes on") else {
                    continue;
                };
                let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                let is_last = frame["type"] == last;
                heard.lock().expect("nobody panics with it").push(frame);
                if is_last {
                    return;
                }
            }
        })
    }
}

fn listener<T: Send + 'static>(listen: impl FnOnce(&Mutex<Vec<T>>) + Send + 'static) -> Listener<T> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let thread = std::thread::spawn({
        let heard = Arc::clone(&heard);
        move || listen(&heard)
    });
    Listener { heard, thread }
}
