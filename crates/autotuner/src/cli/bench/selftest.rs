//! The check of the load generator itself: a server of our own that writes the truth down.
//!
//! It is this very program, started as a child that does not outlive us, whatever ends us.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use autotuner_core::calibration::{Calibration, Truth, TruthRequest, calibrate as calibrate_level};
use autotuner_load::Recording;
use serde::Deserialize;

use super::options::Selftest;
use crate::cli::Refusal;

/// Most that the truth of one benchmark may weigh: a stamp of each chunk of many requests.
const MOST_BYTES: u64 = 4 << 30;

/// The child. Dropped, it is gone.
pub(super) struct TruthServer {
    child: Child,
    url: String,
}

impl TruthServer {
    /// Starts it and waits until it tells its address.
    pub(super) fn start(selftest: &Selftest) -> Result<Self, Refusal> {
        let program = std::env::current_exe().map_err(refused)?;
        // The launcher ties the child's life to ours before it becomes the server.
        let mut child = Command::new(&program)
            .args(["engine-exec", &std::process::id().to_string()])
            .arg(&program)
            .args(["truth-server", "--host", "127.0.0.1", "--port", "0"])
            .args(["--ttft-ms", &selftest.selftest_ttft_ms.to_string()])
            .args(["--itl-ms", &selftest.selftest_itl_ms.to_string()])
            // As many as each request asks for.
            .args(["--tokens", "0"])
            .args(["--stamps", "all"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(refused)?;
        let stdout = child.stdout.take();
        let mut server = Self {
            child,
            url: String::new(),
        };
        let lines = stdout
            .into_iter()
            .flat_map(|stdout| BufReader::new(stdout).lines());
        for line in lines {
            if let Some(url) = address_in(&line.map_err(refused)?) {
                server.url = url;
                return Ok(server);
            }
        }
        let ended = server.child.wait().map_err(refused)?;
        Err(Refusal::message(format!(
            "the server of the self-test did not start: it ended with {ended}; what it said is above"
        )))
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What it has written down.
    fn truth(&self) -> Result<Truth, Refusal> {
        let mut response = ureq::get(format!("{}/truth", self.url)).call().map_err(refused)?;
        let body = response.body_mut().with_config().limit(MOST_BYTES);
        let told: Told = body.read_json().map_err(refused)?;
        Ok(told.into())
    }
}

impl Drop for TruthServer {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How far each level is from the truth.
pub(super) fn calibrate(server: &TruthServer, recording: &Recording) -> Result<Vec<Calibration>, Refusal> {
    let truth = server.truth()?;
    let levels = recording.levels.iter().enumerate();
    let calibrations =
        levels.map(|(number, level)| calibrate_level(number, level, recording.clock_zero_ns, &truth));
    Ok(calibrations.collect())
}

fn address_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    let address: String = rest.chars().take_while(|c| !c.is_whitespace()).collect();
    Some(format!("http://{}", address.trim_end_matches('/')))
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Refusal {
    Refusal::Error(anyhow::Error::new(error).context("the server of the self-test cannot be used"))
}

/// The truth as the server tells it.
#[derive(Debug, Deserialize)]
struct Told {
    peak_in_flight: u32,
    requests: Vec<ToldRequest>,
}

#[derive(Debug, Deserialize)]
struct ToldRequest {
    request_id: Option<String>,
    received_ns: u64,
    first_ns: Option<u64>,
    last_ns: Option<u64>,
    chunks: u32,
    #[serde(default)]
    chunk_ns: Vec<u64>,
    ended_ns: Option<u64>,
}

impl From<Told> for Truth {
    fn from(told: Told) -> Self {
        let requests = told.requests.into_iter().map(|request| TruthRequest {
            request_id: request.request_id.unwrap_or_default(),
            received_ns: request.received_ns,
            first_ns: request.first_ns,
            last_ns: request.last_ns,
            chunks: request.chunks,
            chunk_ns: request.chunk_ns,
            ended_ns: request.ended_ns,
        });
        Self {
            requests: requests.collect(),
            peak_in_flight: told.peak_in_flight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_the_server_says() {
        let check =
            |line: &str, expected: Option<&str>| assert_eq!(address_in(line).as_deref(), expected, "{line}");
        check(
            "listening on http://127.0.0.1:8123",
            Some("http://127.0.0.1:8123"),
        );
        check("http://127.0.0.1:8123/ (ready)", Some("http://127.0.0.1:8123"));
        check("ready", None);
    }

    #[test]
    fn the_truth_is_read_as_the_server_tells_it() {
        let told: Told = serde_json::from_str(
            r#"{"peak_in_flight":3,"connections_accepted":4,"cpu_ns":5,"requests":[
                {"request_id":"at-m-0-1-2","received_ns":1,"first_ns":2,"last_ns":3,"chunks":2,
                 "chunk_ns":[2,3],"ended_ns":4,"outcome":"complete"},
                {"request_id":null,"received_ns":9,"first_ns":null,"last_ns":null,"chunks":0,
                 "chunk_ns":[],"ended_ns":null,"outcome":"open"}]}"#,
        )
        .expect("read");
        let truth = Truth::from(told);
        assert_eq!((truth.peak_in_flight, truth.requests.len()), (3, 2));
        assert_eq!(truth.requests[0].request_id, "at-m-0-1-2");
        assert_eq!(truth.requests[0].chunk_ns, [2, 3]);
        assert_eq!(truth.requests[1].first_ns, None);
    }
}
