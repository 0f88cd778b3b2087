//! The server that is measured: a process of its own, looked at from outside.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;
use crate::http::Client;

/// A server that runs; dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    /// What it says later; a pipe that nobody holds would break.
    _said: BufReader<ChildStderr>,
    /// Its address with its port.
    pub(crate) host: String,
    /// Its first token.
    pub(crate) token: String,
}

/// How long it took from its start, milliseconds.
pub(crate) struct Started {
    /// Until `/healthz` was answered.
    pub(crate) healthy_ms: f64,
    /// Until the first page of tasks was answered.
    pub(crate) listed_ms: f64,
}

/// What the processor did for it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Effort {
    /// Time on a processor, milliseconds.
    pub(crate) busy_ms: f64,
    /// Time that it was ready for one and had none: what else the machine does.
    pub(crate) queued_ms: f64,
}

/// Memory, MiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: f64,
    /// Most of it ever.
    pub(crate) highest: f64,
}

impl Server {
    /// Starts `binary serve` with this data directory and asks it until it answers.
    pub(crate) fn start(binary: &Path, data: &Path) -> Result<(Self, Started), Failure> {
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .arg("--data-dir")
            .arg(data)
            .args(["serve", "--port", "0"])
            .env("AUTOTUNER_DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut said = BufReader::new(child.stderr.take().ok_or("no standard error")?);
        let host = match address(&mut said) {
            Ok(host) => host,
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        let mut server = Self {
            child,
            _said: said,
            token: fs::read_to_string(data.join("token"))?.trim().to_owned(),
            host,
        };
        let spent = || begun.elapsed().as_secs_f64() * 1000.0;
        let mut client = server.client()?;
        client.get("/healthz")?;
        let healthy_ms = spent();
        client.get("/api/tasks")?;
        let listed_ms = spent();
        server.must_run()?;
        Ok((
            server,
            Started {
                healthy_ms,
                listed_ms,
            },
        ))
    }

    /// A new connection to it.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Client::connect(&self.host, &self.token)
    }

    fn must_run(&mut self) -> Result<(), Failure> {
        match self.child.try_wait()? {
            Some(status) => Err(format!("the server ended: {status}").into()),
            None => Ok(()),
        }
    }

    /// What the processor has done for it so far, over all its threads.
    pub(crate) fn effort(&self) -> Result<Effort, Failure> {
        let mut sum = Effort::default();
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread that has just ended takes its figures with it.
            let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else {
                continue;
            };
            let mut milliseconds = text
                .split_whitespace()
                .map(|word| word.parse::<f64>().unwrap_or(0.0) / 1e6);
            sum.busy_ms += milliseconds.next().unwrap_or(0.0);
            sum.queued_ms += milliseconds.next().unwrap_or(0.0);
        }
        Ok(sum)
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let mebibytes = |name: &str| -> Result<f64, Failure> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.and_then(|line| line.split_whitespace().next());
            Ok(kibibytes.ok_or("no such figure")?.parse::<f64>()? / 1024.0)
        };
        Ok(Memory {
            resident: mebibytes("VmRSS:")?,
            highest: mebibytes("VmHWM:")?,
        })
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        if !asked.success() {
            return Err(format!("kill: {asked}").into());
        }
        for _ in 0..1000 {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("the server did not end within ten seconds".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Harmless where it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address that it says it listens on.
fn address(said: &mut BufReader<ChildStderr>) -> Result<String, Failure> {
    let mut all = String::new();
    loop {
        let before = all.len();
        if said.read_line(&mut all)? == 0 {
            return Err(format!("the server ended: {all}").into());
        }
        if let Some((_, rest)) = all[before..].split_once("listening on http://") {
            return Ok(rest.trim().to_owned());
        }
    }
}
