//! The client that measures: one connection that stays open, and nothing between it and the bytes.
//!
//! It knows just enough of HTTP to read answers of a known length: a real client would add its own
//! time to what it measures.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::Failure;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a server.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    host: String,
    token: String,
    body: Vec<u8>,
}

/// An answer, as far as anybody asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// Its length, bytes.
    pub(crate) bytes: usize,
    /// How many rows there are in all, where it says so.
    pub(crate) total: Option<u64>,
}

impl Client {
    /// Connects to `host`, an address with a port.
    pub(crate) fn connect(host: &str, token: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            reader: BufReader::with_capacity(256 * 1024, stream),
            host: host.to_owned(),
            token: token.to_owned(),
            body: Vec::new(),
        })
    }

    /// Asks for `path` and reads the whole answer, which must be 200.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        let (host, token) = (&self.host, &self.token);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
        self.reader.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        if line.split_whitespace().nth(1) != Some("200") {
            return Err(format!("{path} is answered with {:?}", line.trim()).into());
        }
        let (mut length, mut total) = (None, None);
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.trim().parse()?),
                "x-total-count" => total = Some(value.trim().parse()?),
                _ => {}
            }
        }
        let bytes = length.ok_or_else(|| format!("the answer to {path} does not say how long it is"))?;
        self.body.resize(bytes, 0);
        self.reader.read_exact(&mut self.body)?;
        Ok(Answer { bytes, total })
    }
}
