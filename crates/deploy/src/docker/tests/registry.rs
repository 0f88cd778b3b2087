//! Registries: a real one, and one that always says the same.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::skipped;

/// A real registry in a folder of its own. Dropped, it is gone.
pub(super) struct Registry {
    process: Child,
    pub(super) port: u16,
    _folder: TempDir,
}

impl Registry {
    /// `None` where there is no registry program, and that may be so.
    pub(super) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yml");
        let data = folder.path().join("data");
        std::fs::write(
            &config,
            format!(
                "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
                 http:\n  addr: 127.0.0.1:0\n  secret: none\n",
                data.display()
            ),
        )
        .unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                skipped(&format!("docker-registry cannot be started: {error}"));
                return None;
            }
        };
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("listening on 127.0.0.1:")?;
            rest.split(|letter: char| !letter.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        });
        // Read on, or it blocks on a full pipe; this ends with it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let registry = Self {
            process,
            port: port.unwrap_or_default(),
            _folder: folder,
        };
        assert_ne!(registry.port, 0, "the registry says where it listens");
        Some(registry)
    }

    /// Under which digest the registry has it.
    pub(super) fn digest(&self, path: &str, tag: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "HEAD /v2/{path}/manifests/{tag} HTTP/1.0\r\nHost: 127.0.0.1\r\n\
             Accept: application/vnd.docker.distribution.manifest.v2+json\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let digest = answer
            .lines()
            .find_map(|line| line.strip_prefix("Docker-Content-Digest: "));
        digest
            .unwrap_or_else(|| panic!("no digest in {answer}"))
            .to_owned()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a registry that answers everything with this, for as long as the test's process
/// lives; on which port.
pub(super) fn always(status: &'static str, headers: &'static str, body: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(&stream);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
                line.clear();
            }
            // Whoever asked may have gone; the next one counts.
            let _ = write!(
                &stream,
                "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    port
}
