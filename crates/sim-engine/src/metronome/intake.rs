//! Reads requests and sees to each: completions become answers under way, all else is answered
//! on the spot.

use serde_json::json;

use super::answer::{Answer, Progress};
use super::ask;
use super::clock::{self, Nanoseconds, SECOND};
use super::connection::{Got, Phase};
use super::connections::Token;
use super::head::{Head, Method};
use super::incoming::{Found, Request};
use super::reply::{GO_ON, JSON, Refusal, Reply, Status, TEXT};
use super::server::Server;
use super::voice::{Style, Usage};

/// How long a client has to read the last answer before its connection is closed.
const PARTING: Nanoseconds = SECOND;

/// What is to be had where.
enum Place {
    Completions(Style),
    Models,
    Health,
    Version,
    Metrics,
    Truth,
    Reset,
}

impl Server {
    /// Reads from a connection, once. While an answer is under way, or has yet to be taken,
    /// nothing is: what a client sends ahead waits in the system's buffers.
    pub(super) fn read(&mut self, token: Token) {
        let Some(connection) = self.connections.get(token) else {
            return;
        };
        if matches!(connection.phase, Phase::Answering(_)) || !connection.socket.is_clear() {
            connection.has_unread = true;
            return;
        }
        match connection.socket.read(&mut self.buffer) {
            Err(_) | Ok(Got::End) => self.lose(token),
            Ok(Got::Nothing) => connection.has_unread = false,
            Ok(Got::Bytes(count)) => {
                let now = clock::now();
                connection.has_unread = count == self.buffer.len();
                if matches!(connection.phase, Phase::Reading) {
                    connection.incoming.push(&self.buffer[..count]);
                }
                self.proceed(token, now);
            }
        }
    }

    /// Goes on with a connection over which no answer is under way: with the next request that has
    /// come, of which the last byte was read at this time, or with what was not read yet.
    pub(super) fn proceed(&mut self, token: Token, now: Nanoseconds) {
        while let Some(connection) = self.connections.get(token) {
            if matches!(connection.phase, Phase::Answering(_)) || !connection.socket.is_clear() {
                return;
            }
            if matches!(connection.phase, Phase::Reading) {
                if connection.closes {
                    self.part(token);
                    continue;
                }
                match connection.incoming.next() {
                    Ok(Found::Request(request)) => {
                        self.see_to(token, request, now);
                        continue;
                    }
                    Ok(Found::Waiting) => {
                        self.send(token, GO_ON.to_vec());
                        continue;
                    }
                    Err(refusal) => {
                        connection.closes = true;
                        self.send(token, refusal.reply().render(true));
                        continue;
                    }
                    Ok(Found::Nothing) => {}
                }
            }
            if connection.has_unread {
                self.enqueue(token);
            }
            return;
        }
    }

    fn see_to(&mut self, token: Token, request: Request, now: Nanoseconds) {
        let Request { head, body } = request;
        let closes = head.closes;
        let reply = match place(&head) {
            Ok(Place::Completions(style)) => match self.open(style, head, &body, now) {
                Ok(answer) => {
                    if let Some(connection) = self.connections.get(token) {
                        connection.phase = Phase::Answering(answer);
                        self.begin(token);
                    }
                    return;
                }
                Err(refusal) => refusal.reply(),
            },
            Ok(place) => self.reply(place),
            Err(refusal) => refusal.reply(),
        };
        if let Some(connection) = self.connections.get(token) {
            connection.closes = closes;
        }
        self.send(token, reply.render(closes));
    }

    /// Opens the answer to a completion request.
    fn open(&mut self, style: Style, head: Head, body: &[u8], now: Nanoseconds) -> Result<Answer, Refusal> {
        let ask = ask::read(style, body)?;
        let tokens = self.pace.tokens.unwrap_or(ask.tokens);
        let (chunks, progress) = if ask.is_streamed {
            (tokens, Progress::Nothing)
        } else {
            (1, Progress::Unwritten)
        };
        self.answered += 1;
        Ok(Answer {
            voice: self.voices.of(style, &ask.model),
            id: self.answered,
            ticket: self.ledger.open(head.request_id, now, chunks),
            received: now,
            usage: Usage {
                prompt_tokens: ask.prompt_tokens,
                completion_tokens: tokens,
            },
            closes: head.closes,
            progress,
        })
    }

    fn reply(&mut self, place: Place) -> Reply {
        let (kind, body) = match place {
            Place::Completions(_) | Place::Health => (TEXT, Vec::new()),
            Place::Models => {
                let model =
                    json!({ "id": "metronome", "object": "model", "created": 0, "owned_by": "autotuner" });
                let models = json!({ "object": "list", "data": [model] });
                (JSON, models.to_string().into_bytes())
            }
            Place::Version => {
                let version = json!({ "version": crate::VERSION });
                (JSON, version.to_string().into_bytes())
            }
            Place::Metrics => (TEXT, self.metrics().into_bytes()),
            Place::Truth => {
                let truth = self.ledger.tell(clock::thread_time());
                (
                    JSON,
                    serde_json::to_vec(truth).expect("numbers and texts are JSON"),
                )
            }
            Place::Reset => {
                self.ledger.reset(clock::thread_time());
                (JSON, b"{}".to_vec())
            }
        };
        let status = Status::Ok;
        Reply { status, kind, body }
    }

    /// The few series of vLLM's that a client may look for.
    fn metrics(&self) -> String {
        let (running, answered) = (self.ledger.in_flight(), self.answered);
        format!(
            "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running {running}\n\
             # TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting 0\n\
             # TYPE metronome:requests_total counter\nmetronome:requests_total {answered}\n"
        )
    }

    fn send(&mut self, token: Token, bytes: Vec<u8>) {
        if let Some(connection) = self.connections.get(token)
            && connection.socket.write_all(bytes).is_err()
        {
            self.lose(token);
        }
    }

    /// Lets a client read the last answer before the connection closes: closing at once could
    /// take it away from who is still sending.
    fn part(&mut self, token: Token) {
        let Some(connection) = self.connections.get(token) else {
            return;
        };
        connection.phase = Phase::Parting;
        match connection.socket.finish() {
            Ok(()) => self.agenda.add(clock::now() + PARTING, token),
            Err(_) => self.lose(token),
        }
    }
}

fn place(head: &Head) -> Result<Place, Refusal> {
    let (method, place) = match head.path.as_str() {
        "/v1/chat/completions" => (Method::Post, Place::Completions(Style::Chat)),
        "/v1/completions" => (Method::Post, Place::Completions(Style::Text)),
        "/v1/models" => (Method::Get, Place::Models),
        "/health" => (Method::Get, Place::Health),
        "/version" => (Method::Get, Place::Version),
        "/metrics" => (Method::Get, Place::Metrics),
        "/truth" => (Method::Get, Place::Truth),
        "/truth/reset" => (Method::Post, Place::Reset),
        path => {
            let message = format!("nothing is at {path}");
            return Err(Refusal::new(Status::NotFound, message));
        }
    };
    if head.method == method {
        return Ok(place);
    }
    let message = format!("{} is for {method:?} alone", head.path);
    Err(Refusal::new(Status::MethodNotAllowed, message))
}
