//! The service under test: a process of its own, on a port of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::Failure;

pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub(crate) async fn start(binary: &Path, data: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(binary)
            .args(["serve", "--no-auth", "--port", "0", "--data-dir"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no standard error")?).lines();
        let address = timeout(Duration::from_secs(20), async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, address)) = line.split_once("listening on http://") {
                    return Ok::<_, Failure>(address.trim().to_owned());
                }
            }
            Err("the service ended".into())
        })
        .await??;
        // What it says later is not waited for, and must not hold it up.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address })
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    pub(crate) fn resident_mebibytes(&self) -> Result<f64, Failure> {
        let id = self.child.id().ok_or("the service has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes: f64 = resident
            .and_then(|text| text.trim().trim_end_matches(" kB").trim().parse().ok())
            .ok_or("no resident memory")?;
        Ok(kibibytes / 1024.0)
    }
}
