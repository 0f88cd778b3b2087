//! Readers of a log that count its lines: of the daemon's socket, of the service's streams.
//!
//! All of them speak HTTP/1.1 by hand and look at each byte once, so that what is compared is who
//! sends and not who reads.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout};

use crate::Failure;

const SOCKET: &str = "/var/run/docker.sock";

/// How long nothing may come before a reading is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who is read from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The daemon itself.
    Daemon,
    /// The service's stream of batches, at this address.
    Service(String),
    /// The service's download.
    Download(String),
}

/// What came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) lines: usize,
    pub(crate) out_of_order: usize,
    pub(crate) gaps: usize,
    seconds: f64,
}

impl Count {
    /// Lines a second, from the first to the last.
    pub(crate) fn rate(&self) -> f64 {
        self.lines as f64 / self.seconds.max(1e-9)
    }
}

/// Reads a container's log until it has all these lines, or its end.
pub(crate) async fn read(source: Source, id: String, is_live: bool, lines: usize) -> Result<Count, Failure> {
    match source {
        Source::Daemon => {
            let follow = u8::from(is_live);
            let path = format!("/containers/{id}/logs?stdout=1&stderr=1&timestamps=1&follow={follow}");
            loop {
                let mut stream = UnixStream::connect(SOCKET).await?;
                request(&mut stream, "docker", &path).await?;
                let count = count(&mut stream, lines).await?;
                // Before its start there is nothing, and the daemon says that this is all.
                if count.lines > 0 || !is_live {
                    return Ok(count);
                }
                sleep(Duration::from_millis(5)).await;
            }
        }
        Source::Service(address) => {
            // From before the first line: a reading of all there is.
            let from = if is_live {
                "tail=0"
            } else {
                "last_event_id=1.000000000.0"
            };
            let path = format!("/api/docker/containers/{id}/logs?follow=true&batch=true&{from}");
            let mut stream = TcpStream::connect(&address).await?;
            request(&mut stream, &address, &path).await?;
            count(&mut stream, lines).await
        }
        Source::Download(address) => {
            let mut stream = TcpStream::connect(&address).await?;
            request(
                &mut stream,
                &address,
                &format!("/api/docker/containers/{id}/logs/download?timestamps=true"),
            )
            .await?;
            count(&mut stream, lines).await
        }
    }
}

/// Opens a stream and never reads it.
pub(crate) async fn stall(address: &str, id: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    request(
        &mut stream,
        address,
        &format!("/api/docker/containers/{id}/logs?follow=true&batch=true&tail=0"),
    )
    .await?;
    Ok(stream)
}

/// Asks for something and reads its beginning.
pub(crate) async fn ask(address: &str, path: &str) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(address).await?;
    request(&mut stream, address, path).await?;
    let mut buffer = [0; 4096];
    let length = timeout(PATIENCE, stream.read(&mut buffer)).await??;
    match buffer[..length].starts_with(b"HTTP/1.1 200") {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&buffer[..length]).into_owned().into()),
    }
}

async fn request<S: AsyncWrite + Unpin>(stream: &mut S, host: &str, path: &str) -> Result<(), Failure> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    Ok(stream.write_all(request.as_bytes()).await?)
}

/// Counts what the container printed: each of its lines has this before its number.
async fn count<S: AsyncRead + Unpin>(stream: &mut S, wanted: usize) -> Result<Count, Failure> {
    const MARK: &[u8] = b"line ";
    const NUMBER: usize = 8;
    let mut buffer = vec![0; 256 * 1024];
    let mut filled = 0;
    let mut found = Count {
        lines: 0,
        out_of_order: 0,
        gaps: 0,
        seconds: 0.0,
    };
    let (mut begun, mut expected) = (None, 0);
    while found.lines < wanted {
        let Ok(length) = timeout(PATIENCE, stream.read(&mut buffer[filled..])).await else {
            break;
        };
        let length = length?;
        if length == 0 {
            break;
        }
        filled += length;
        if begun.is_none() && buffer.starts_with(b"HTTP/1.1 ") && !buffer.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&buffer[..filled]).into_owned().into());
        }
        let mut at = 0;
        while let Some(mark) = find(&buffer[at..filled], MARK) {
            let digits = at + mark + MARK.len();
            let Some(number) = buffer[..filled].get(digits..digits + NUMBER) else {
                break;
            };
            at = digits;
            // Borders of the transfer's parts may lie anywhere, even in here.
            if let Ok(number) = String::from_utf8_lossy(number).parse::<usize>() {
                begun.get_or_insert_with(Instant::now);
                found.out_of_order += usize::from(number != expected);
                expected = number + 1;
                found.lines += 1;
                at = digits + NUMBER;
            }
        }
        let mut gaps = 0;
        while let Some(gap) = find(&buffer[gaps..filled], b"event: gap") {
            found.gaps += 1;
            gaps += gap + 1;
        }
        let keep = filled.saturating_sub(at).min(MARK.len() + NUMBER);
        buffer.copy_within(filled - keep..filled, 0);
        filled = keep;
    }
    found.seconds = begun.map_or(0.0, |begun| begun.elapsed().as_secs_f64());
    Ok(found)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let first = haystack[at..].iter().position(|byte| *byte == needle[0])?;
        at += first;
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}
