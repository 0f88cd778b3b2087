//! A scripted service: it answers as a test wants and keeps what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::{Finished, Sandbox};

/// A question that was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What is answered: everything that goes over the connection, which closes then.
#[derive(Debug, Clone)]
pub(crate) struct Reply(Vec<u8>);

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::with(status, "content-type: application/json\r\n", &body.to_string())
    }

    pub(crate) fn with(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self(
            format!(
                "HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }

    /// A stream that breaks where the text ends.
    pub(crate) fn broken_stream(text: &str) -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        Self(format!("{head}{}", if text.is_empty() { "" } else { &chunk }).into_bytes())
    }
}

type Script = dyn FnMut(&Asked) -> Option<Reply> + Send;

/// A service that answers by a script until the test ends.
pub(crate) struct Stub {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    /// Answers every question by `script`; a question without an answer stays open.
    pub(crate) fn new(script: impl FnMut(&Asked) -> Option<Reply> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        // It ends with the test's process.
        drop(std::thread::spawn(move || {
            let mut script: Box<Script> = Box::new(script);
            let mut open = Vec::new();
            for stream in listener.incoming().flatten() {
                let Some(question) = read(&stream) else { continue };
                record.lock().expect("sound").push(question.clone());
                match script(&question) {
                    Some(Reply(bytes)) => {
                        // Who has gone away does not hear it.
                        let _ = (&stream).write_all(&bytes);
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                    None => open.push(stream),
                }
            }
        }));
        Self { url, asked }
    }

    /// Answers by path, query included; everything else is not found.
    pub(crate) fn of(answers: &[(&str, u16, Value)]) -> Self {
        let answers: Vec<(String, Reply)> = answers
            .iter()
            .map(|(line, status, body)| ((*line).to_owned(), Reply::json(*status, body)))
            .collect();
        Self::new(move |asked| {
            let found = answers.iter().find(|(line, _)| *line == asked.line());
            Some(found.map_or_else(not_found, |(_, reply)| reply.clone()))
        })
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("sound").clone()
    }

    /// The program, told of this service.
    pub(crate) fn command(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        let mut command = sandbox.command(arguments);
        command.env("AUTOTUNER_URL", &self.url);
        command
    }

    pub(crate) fn run(&self, sandbox: &Sandbox, arguments: &[&str]) -> Finished {
        sandbox.start_command(self.command(sandbox, arguments)).wait()
    }
}

pub(crate) fn not_found() -> Reply {
    Reply::json(
        404,
        &serde_json::json!({"detail": "Not Found", "code": "not_found"}),
    )
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
