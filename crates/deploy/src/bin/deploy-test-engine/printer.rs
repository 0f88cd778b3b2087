//! Prints what a test asks for, step by step.
//!
//! Each word is a step: `out:TEXT` and `err:TEXT` print (`\n`, `\r`, `\\` and `\xNN` are escapes),
//! `long:STREAM:BYTES` a line of so many bytes with its end, `flood:COUNT` numbered lines as fast as
//! they go, `both:COUNT:PAUSE` numbered lines to both streams in turn with a pause in microseconds
//! after each, `threads:COUNT:BYTES` long lines from two threads at once, `sleep:MS` waits, `wait`
//! waits for SIGTERM, `exit:CODE` ends.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

pub(crate) async fn print(steps: &[&str]) -> ExitCode {
    for step in steps {
        let (word, rest) = step.split_once(':').unwrap_or((step, ""));
        let (first, second) = rest.split_once(':').unwrap_or((rest, ""));
        let number = |text: &str| text.parse::<usize>().unwrap_or(0);
        let done = match word {
            "out" => write_to("out", &escaped(rest)),
            "err" => write_to("err", &escaped(rest)),
            "long" => write_to(first, &[vec![b'x'; number(second)], b"\n".to_vec()].concat()),
            "flood" => flood(number(first)),
            "both" => both(number(first), Duration::from_micros(number(second) as u64)),
            "threads" => threads(number(first), number(second)),
            "sleep" => {
                tokio::time::sleep(Duration::from_millis(number(first) as u64)).await;
                Ok(())
            }
            "wait" => {
                if let Ok(mut term) = signal(SignalKind::terminate()) {
                    term.recv().await;
                }
                return ExitCode::SUCCESS;
            }
            "exit" => return ExitCode::from(number(first) as u8),
            _ => return ExitCode::from(64),
        };
        if done.is_err() {
            return ExitCode::from(74);
        }
    }
    ExitCode::SUCCESS
}

fn write_to(stream: &str, bytes: &[u8]) -> io::Result<()> {
    match stream {
        "err" => io::stderr().lock().write_all(bytes),
        _ => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()
        }
    }
}

fn flood(count: usize) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in 0..count {
        writeln!(out, "line {line:08} {}", "x".repeat(85))?;
    }
    out.flush()
}

fn both(count: usize, pause: Duration) -> io::Result<()> {
    for line in 0..count {
        let stream = if line % 2 == 0 { "out" } else { "err" };
        write_to(stream, format!("{stream} {line}\n").as_bytes())?;
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
    }
    Ok(())
}

fn threads(count: usize, bytes: usize) -> io::Result<()> {
    std::thread::scope(|scope| {
        let writers = ["out", "err"].map(|stream| {
            scope.spawn(move || {
                let letter = &stream[..1];
                (0..count).try_for_each(|line| {
                    let text = format!("{line} {}\n", letter.repeat(bytes));
                    write_to(stream, text.as_bytes())
                })
            })
        });
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or(Ok(())))
    })
}

fn escaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.unwrap_or(b'0'));
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    bytes
}
