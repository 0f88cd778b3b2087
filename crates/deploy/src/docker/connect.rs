//! Reaches the daemon: where it is, and which API it speaks.
//!
//! A [`Daemon`] is a client that has been answered once. Every call through it has a deadline
//! and comes back read: a result, a refusal, or the daemon being gone. It knows nothing of
//! engines. It never pins an API version: it takes the daemon's own.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use bollard::errors::Error as ClientError;
use bollard::models::SystemInfo;
use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker};
use tokio::time::timeout;

use super::error::{Failed, Reason, target, too_long};
use crate::DeployError;

/// Where the daemon listens unless told otherwise.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// Where it listens at an address of the network without a port.
const DEFAULT_PORT: u16 = 2375;

/// How long it may take to be answered for the first time.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// How long a call may take that only looks something up.
pub(crate) const LOOK: Duration = Duration::from_secs(20);

/// How long a call may take that makes or starts or removes a container.
pub(crate) const ACT: Duration = Duration::from_secs(120);

/// A daemon that answers, or did.
#[derive(Clone)]
pub(crate) struct Daemon {
    docker: Docker,
    address: String,
    /// What must not appear in any message.
    secrets: Vec<String>,
}

impl fmt::Debug for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Daemon")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Daemon {
    /// Connects to the daemon at an address as `DOCKER_HOST` has it, on this machine: engines
    /// are to be reached there.
    pub(crate) async fn connect(host: Option<&str>) -> Result<Self, DeployError> {
        let address = address(host);
        check_address(address, Where::Here)?;
        Self::connect_to(address).await
    }

    /// The same, on this machine or another.
    pub(crate) async fn connect_anywhere(host: Option<&str>) -> Result<Self, DeployError> {
        let address = address(host);
        check_address(address, Where::Anywhere)?;
        Self::connect_to(address).await
    }

    async fn connect_to(address: &str) -> Result<Self, DeployError> {
        let first = Self::negotiate(address, API_DEFAULT_VERSION).await;
        let negotiated = match first {
            Err(Failed::Refused(refusal)) if refusal.reason == Reason::Version => {
                let Some(version) = version_in(&refusal.message) else {
                    return Err(Failed::Refused(refusal).telling("agree on an API version", ""));
                };
                Self::negotiate(address, &version).await
            }
            other => other,
        };
        let docker =
            negotiated.map_err(|failed| failed.telling("agree on an API version with Docker", ""))?;
        Ok(Self {
            docker,
            address: address.to_owned(),
            secrets: Vec::new(),
        })
    }

    /// The same daemon, with values that are kept out of every message.
    pub(crate) fn keeping_secret(mut self, values: impl Iterator<Item = String>) -> Self {
        // Short values are no secrets, and blanking them out would garble messages.
        self.secrets = values.filter(|value| value.len() >= 6).collect();
        self
    }

    async fn negotiate(address: &str, version: &ClientVersion) -> Result<Docker, Failed> {
        let docker = client(address, version).map_err(|error| Failed::of(address, &error))?;
        match timeout(CONNECT_DEADLINE, docker.negotiate_version()).await {
            Err(_) => Err(Failed::Gone(too_long(address, CONNECT_DEADLINE))),
            Ok(Err(error)) => Err(Failed::of(address, &error)),
            Ok(Ok(docker)) => Ok(docker),
        }
    }

    /// The client itself.
    pub(crate) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Where the daemon is, as `DOCKER_HOST` has it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Host and port of a daemon that is reached over the network.
    pub(crate) fn socket_address(&self) -> String {
        let address = with_port(self.address.trim_end_matches('/'));
        let authority = address
            .split_once("://")
            .map_or(address.as_str(), |(_, rest)| rest);
        authority.split('/').next().unwrap_or_default().to_owned()
    }

    /// The daemon, for people.
    pub(crate) fn target(&self) -> String {
        target(&self.address)
    }

    /// Waits for an answer, and reads it.
    pub(crate) async fn call<T>(
        &self,
        deadline: Duration,
        call: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, Failed> {
        match timeout(deadline, call).await {
            Err(_) => Err(Failed::Gone(too_long(&self.address, deadline))),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.without_secrets(Failed::of(&self.address, &error))),
        }
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), DeployError> {
        let answer = self.call(CONNECT_DEADLINE, self.docker.ping()).await;
        answer
            .map(drop)
            .map_err(|failed| failed.telling("reach Docker", ""))
    }

    /// What it says of itself.
    pub(crate) async fn info(&self) -> Result<SystemInfo, DeployError> {
        let answer = self.call(LOOK, self.docker.info()).await;
        answer.map_err(|failed| failed.telling("ask Docker what it can do", ""))
    }

    /// A text without any of the secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret, "***");
        }
        text
    }

    fn without_secrets(&self, failed: Failed) -> Failed {
        match failed {
            Failed::Refused(mut refusal) => {
                refusal.message = self.redact(&refusal.message);
                Failed::Refused(refusal)
            }
            other => other,
        }
    }
}

/// Where a daemon may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    /// On this machine.
    Here,
    /// Wherever it can be reached.
    Anywhere,
}

fn address(host: Option<&str>) -> &str {
    host.filter(|host| !host.is_empty()).unwrap_or(DEFAULT_HOST)
}

/// A client that has not asked anything yet. Its own deadline is for those who set none.
fn client(address: &str, version: &ClientVersion) -> Result<Docker, ClientError> {
    let seconds = ACT.as_secs();
    match address.strip_prefix("unix://") {
        Some(path) => Docker::connect_with_unix(path, seconds, version),
        None => Docker::connect_with_http(&with_port(address.trim_end_matches('/')), seconds, version),
    }
}

/// The address with the port that Docker's own tools take where none is said.
fn with_port(address: &str) -> String {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    if after_host.contains(':') {
        address.to_owned()
    } else {
        format!("{address}:{DEFAULT_PORT}")
    }
}

/// Which addresses we can use: engines answer on this machine's own loopback, and see its files.
fn check_address(address: &str, wanted: Where) -> Result<(), DeployError> {
    let refuse = |message: &str| {
        Err(DeployError::TargetGone {
            target: target(address),
            message: message.to_owned(),
        })
    };
    match address.split_once("://") {
        Some(("unix", path)) if Path::new(path).is_absolute() => Ok(()),
        Some(("unix", _)) => refuse("the path of its socket must be absolute: unix:///var/run/docker.sock"),
        Some(("tcp" | "http", authority)) if wanted == Where::Anywhere || is_loopback(authority) => Ok(()),
        Some(("tcp" | "http", _)) => refuse(
            "it is on another machine, and engines there could not be reached: run this program \
             where Docker runs",
        ),
        Some(("ssh", _)) => refuse("Docker over ssh is not supported: run this program where Docker runs"),
        Some(("npipe", _)) => refuse("named pipes of Windows are not supported"),
        _ => refuse("an address begins with unix://, tcp:// or http://"),
    }
}

fn is_loopback(authority: &str) -> bool {
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The version that a refused one is told to give way to.
fn version_in(message: &str) -> Option<ClientVersion> {
    let (_, rest) = message.split_once("supported API version is ")?;
    let mut numbers = rest.trim().trim_end_matches(['.', ',']).split('.');
    let mut number = || {
        let digits: String = numbers.next()?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    Some(ClientVersion {
        major_version: number()?,
        minor_version: number()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_we_cannot_use_are_refused_with_a_reason() {
        let check =
            |address: &str, expected: Option<&str>| match (check_address(address, Where::Here), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(expected)) => {
                    let text = error.to_string();
                    assert!(text.contains(expected), "{address}: {text}");
                }
                (other, _) => panic!("{address}: {other:?}"),
            };
        check("unix:///var/run/docker.sock", None);
        check("tcp://127.0.0.1:2375", None);
        check("http://localhost:2375", None);
        check("tcp://[::1]:2375", None);
        check("tcp://10.0.0.1:2375", Some("another machine"));
        check("tcp://127.0.0.1.example.com:2375", Some("another machine"));
        check("unix://docker.sock", Some("absolute"));
        check("ssh://me@there", Some("ssh"));
        check("npipe:////./pipe/docker_engine", Some("named pipes"));
        check("/var/run/docker.sock", Some("begins with"));
        assert!(check_address("tcp://10.0.0.1:2375", Where::Anywhere).is_ok());
    }

    #[test]
    fn an_address_without_a_port_has_docker_s_own() {
        let check = |address: &str, expected: &str| assert_eq!(with_port(address), expected);
        check("tcp://127.0.0.1", "tcp://127.0.0.1:2375");
        check("http://localhost", "http://localhost:2375");
        check("tcp://[::1]", "tcp://[::1]:2375");
        check("tcp://[::1]:2376", "tcp://[::1]:2376");
        check("tcp://127.0.0.1:1", "tcp://127.0.0.1:1");
    }

    /// The client writes what it sends and gets, secrets included, to a log of its own at the
    /// level "debug". No filter may bring that to light.
    #[test]
    fn the_clients_own_debug_log_is_compiled_out() {
        assert!(log::STATIC_MAX_LEVEL <= log::LevelFilter::Info);
    }

    #[tokio::test]
    async fn a_daemon_that_hangs_is_gone_and_no_message_tells_a_secret() {
        let daemon = Daemon {
            docker: client("tcp://127.0.0.1:1", API_DEFAULT_VERSION).unwrap(),
            address: "tcp://127.0.0.1:1".to_owned(),
            secrets: Vec::new(),
        };
        let daemon = daemon.keeping_secret(["hf_token", "1"].map(str::to_owned).into_iter());
        let deadline = Duration::from_millis(20);
        let hung = daemon
            .call(deadline, std::future::pending::<Result<(), _>>())
            .await;
        assert!(matches!(hung, Err(Failed::Gone(DeployError::TargetGone { .. }))));
        let message = "invalid environment variable: hf_token=1".to_owned();
        let error = ClientError::DockerResponseServerError {
            status_code: 400,
            message,
        };
        let refused = daemon.call(LOOK, std::future::ready(Err::<(), _>(error))).await;
        let text = refused.unwrap_err().telling("do it", "").to_string();
        assert_eq!(text, "could not do it: invalid environment variable: ***=1");
    }

    #[test]
    fn the_version_to_give_way_to_is_read_from_the_refusal() {
        let check = |message: &str, expected: Option<(usize, usize)>| {
            let found = version_in(message).map(|version| (version.major_version, version.minor_version));
            assert_eq!(found, expected, "{message}");
        };
        check(
            "client version 1.53 is too new. Maximum supported API version is 1.41",
            Some((1, 41)),
        );
        check(
            "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version",
            Some((1, 44)),
        );
        check("bad parameter", None);
    }
}
