//! What the daemon's refusals mean.
//!
//! Docker answers with a status code and a sentence, and either alone misleads: a port that is
//! taken, a missing GPU runtime and a full disk are all a 500. One table reads both. A call
//! that got no answer at all is another thing: then the daemon is gone, and that says nothing
//! of what was asked.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use bollard::errors::Error as ClientError;

use crate::DeployError;
use crate::error::whole_story;

/// Why a call to the daemon came to nothing.
#[derive(Debug)]
pub(crate) enum Failed {
    /// There was no answer: [`DeployError::TargetGone`].
    Gone(DeployError),
    /// The daemon answered, and would not.
    Refused(Refusal),
    /// Something of our own failed.
    Ours(DeployError),
}

/// What the daemon said when it would not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What it comes down to.
    pub(crate) reason: Reason,
    /// Its own words.
    pub(crate) message: String,
}

/// What a refusal comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Another container has the name.
    NameTaken,
    /// There is no such container, or no longer.
    NoContainer,
    /// There is no such image here.
    NoImage,
    /// The image has no such program, or it may not be run.
    NoProgram,
    /// A directory to be mounted is not there.
    NoMountSource,
    /// The port is taken.
    PortTaken,
    /// There is no way to hand out GPUs.
    NoGpuRuntime,
    /// The daemon's own little init program is not installed.
    NoInit,
    /// The daemon may not let a container lock as much memory as it likes.
    NoMemlock,
    /// The daemon's disk is full.
    NoSpace,
    /// Somebody else is doing it already.
    InProgress,
    /// The daemon does not speak this version of its API.
    Version,
    /// Something else.
    Other,
}

/// Reads a refusal by its status code and its words.
pub(crate) fn reason(status: u16, message: &str) -> Reason {
    let says = |words: &str| message.contains(words);
    let says_any = |all: &[&str]| all.iter().any(|words| message.contains(words));
    match status {
        404 if says("No such image") || says("no such image") => Reason::NoImage,
        404 => Reason::NoContainer,
        409 if says("already in use") => Reason::NameTaken,
        409 if says("already in progress") => Reason::InProgress,
        400 if says("client version") => Reason::Version,
        _ if says("no space left on device") => Reason::NoSpace,
        _ if says("docker-init") => Reason::NoInit,
        _ if says("setting rlimit") => Reason::NoMemlock,
        _ if says("bind source path does not exist") => Reason::NoMountSource,
        _ if says_any(&NO_GPU) => Reason::NoGpuRuntime,
        _ if says_any(&PORT_TAKEN) => Reason::PortTaken,
        _ if says_any(&NO_PROGRAM) || (says("exec: ") && says("permission denied")) => Reason::NoProgram,
        _ => Reason::Other,
    }
}

/// Of a driver that was asked for GPUs by name, by CDI, or through its own runtime.
const NO_GPU: [&str; 5] = [
    "could not select device driver",
    "CDI device injection failed",
    "unresolvable CDI devices",
    "nvidia-container-cli",
    "runtime name: nvidia",
];

const PORT_TAKEN: [&str; 3] = [
    "port is already allocated",
    "address already in use",
    "all ports are allocated",
];

const NO_PROGRAM: [&str; 3] = [
    "executable file not found",
    "no such file or directory: unknown",
    "is a directory: unknown",
];

impl Failed {
    /// Reads what the client makes of a failed call.
    pub(crate) fn of(address: &str, error: &ClientError) -> Self {
        match error {
            ClientError::DockerResponseServerError { status_code, message } => Self::Refused(Refusal {
                reason: reason(*status_code, message),
                message: message.trim().to_owned(),
            }),
            ClientError::RequestTimeoutError
            | ClientError::SocketNotFoundError(_)
            | ClientError::IOError { .. }
            | ClientError::HyperResponseError { .. }
            | ClientError::HyperLegacyError { .. } => Self::Gone(unreachable(address, error)),
            strange => Self::Refused(Refusal {
                reason: Reason::Other,
                message: format!("its answer cannot be understood: {}", whole_story(strange)),
            }),
        }
    }

    /// What to tell of it: what was being done, with which image.
    pub(crate) fn telling(self, action: &'static str, image: &str) -> DeployError {
        match self {
            Self::Gone(error) | Self::Ours(error) => error,
            Self::Refused(refusal) => refusal.telling(action, image),
        }
    }

    /// The reason, where there was an answer.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Gone(_) | Self::Ours(_) => None,
            Self::Refused(refusal) => Some(refusal.reason),
        }
    }
}

impl Refusal {
    fn telling(self, action: &'static str, image: &str) -> DeployError {
        let Self { reason, message } = self;
        match reason {
            Reason::NoImage => DeployError::ImageMissing {
                image: image.to_owned(),
                message,
            },
            Reason::NoProgram => DeployError::ProgramMissing {
                program: program_in(&message).unwrap_or("of the engine").to_owned(),
                searched: format!(" in the image {image}, or not to be run there: {message}"),
            },
            Reason::PortTaken => DeployError::PortTaken { message },
            Reason::NoGpuRuntime => DeployError::GpuRuntimeMissing {
                message: format!(
                    "{message} (install the NVIDIA Container Toolkit and make it known to Docker: \
                     `nvidia-ctk runtime configure --runtime=docker`, then restart Docker)"
                ),
            },
            Reason::NoSpace => DeployError::Refused {
                action,
                message: format!("the Docker daemon's disk is full, make room there: {message}"),
            },
            Reason::NoMountSource => DeployError::Refused {
                action,
                message: format!("what is to be mounted is not on this machine: {message}"),
            },
            _ => DeployError::Refused { action, message },
        }
    }
}

/// The program that `exec: "NAME": …` speaks of.
fn program_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("exec: \"")?;
    rest.split_once('"').map(|(program, _)| program)
}

/// The daemon cannot be reached, and what to do about it.
pub(crate) fn unreachable(address: &str, error: &(dyn StdError + 'static)) -> DeployError {
    let kind = match error.downcast_ref::<ClientError>() {
        Some(ClientError::RequestTimeoutError) => Some(io::ErrorKind::TimedOut),
        Some(ClientError::SocketNotFoundError(_)) => Some(io::ErrorKind::NotFound),
        Some(ClientError::IOError { err }) => Some(err.kind()),
        _ => io_kind(error),
    };
    let message = match kind {
        Some(io::ErrorKind::NotFound) => {
            "its socket is not there: install and start Docker, or say where it listens".to_owned()
        }
        Some(io::ErrorKind::ConnectionRefused) => {
            "nobody listens there: start the Docker daemon (`systemctl start docker`)".to_owned()
        }
        Some(io::ErrorKind::PermissionDenied) => {
            "we have no permission to use its socket: add this user to the group that owns it, \
             usually `docker`, and log in again, or use rootless Docker"
                .to_owned()
        }
        Some(io::ErrorKind::TimedOut) => "it accepts no connection or does not answer in time: \
                                          see whether the daemon hangs (`docker ps`)"
            .to_owned(),
        _ => format!("the connection broke: {}", whole_story(error)),
    };
    DeployError::TargetGone {
        target: target(address),
        message,
    }
}

/// It took the daemon too long to answer.
pub(crate) fn too_long(address: &str, deadline: Duration) -> DeployError {
    DeployError::TargetGone {
        target: target(address),
        message: format!(
            "no answer within {} s: see whether the daemon hangs (`docker ps`)",
            deadline.as_secs()
        ),
    }
}

/// The daemon, for people.
pub(crate) fn target(address: &str) -> String {
    format!("the Docker daemon at {address}")
}

/// The kind of the first input or output error among the causes.
fn io_kind(error: &(dyn StdError + 'static)) -> Option<io::ErrorKind> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sentences of real daemons, of several ages.
    #[test]
    fn a_refusal_is_read_by_its_code_and_its_words() {
        let check = |status, message: &str, expected| {
            assert_eq!(reason(status, message), expected, "{status} {message}");
        };
        check(
            409,
            r#"Conflict. The container name "/x" is already in use by container "1e0f". You have to remove (or rename) that container to be able to reuse that name."#,
            Reason::NameTaken,
        );
        check(
            409,
            "removal of container 1e0f is already in progress",
            Reason::InProgress,
        );
        check(409, "Container 1e0f is not running", Reason::Other);
        check(404, "No such image: nobody/nothing:1", Reason::NoImage);
        check(404, "No such container: 1e0f", Reason::NoContainer);
        check(
            400,
            r#"OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nope": executable file not found in $PATH: unknown"#,
            Reason::NoProgram,
        );
        check(
            400,
            r#"failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown"#,
            Reason::NoProgram,
        );
        check(
            400,
            r#"runc create failed: unable to start container process: exec: "/etc/passwd": permission denied: unknown"#,
            Reason::NoProgram,
        );
        check(
            500,
            "driver failed programming external connectivity on endpoint x (5d): Bind for 127.0.0.1:49153 failed: port is already allocated",
            Reason::PortTaken,
        );
        check(
            500,
            "driver failed programming external connectivity on endpoint x: Error starting userland proxy: listen tcp4 127.0.0.1:49153: bind: address already in use",
            Reason::PortTaken,
        );
        check(
            500,
            r#"could not select device driver "nvidia" with capabilities: [[gpu]]"#,
            Reason::NoGpuRuntime,
        );
        check(
            500,
            "failed to create task for container: CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=GPU-1",
            Reason::NoGpuRuntime,
        );
        check(
            500,
            "mkdir /var/lib/docker/overlay2/1: no space left on device",
            Reason::NoSpace,
        );
        check(
            400,
            r#"invalid mount config for type "bind": bind source path does not exist: /models/x"#,
            Reason::NoMountSource,
        );
        check(
            400,
            r#"exec: "docker-init": executable file not found in $PATH"#,
            Reason::NoInit,
        );
        check(
            400,
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error setting rlimits for ready process: error setting rlimit type 8: operation not permitted: unknown",
            Reason::NoMemlock,
        );
        check(
            400,
            "client version 1.53 is too new. Maximum supported API version is 1.41",
            Reason::Version,
        );
        check(500, "something else entirely", Reason::Other);
    }

    #[test]
    fn a_missing_program_is_named_with_its_image() {
        let refusal = Refusal {
            reason: Reason::NoProgram,
            message: r#"exec: "vllm": executable file not found in $PATH: unknown"#.to_owned(),
        };
        let text = refusal.telling("start the container", "some/image:1").to_string();
        assert!(
            text.starts_with("program vllm not found in the image some/image:1"),
            "{text}"
        );
    }

    #[test]
    fn what_keeps_us_from_the_daemon_has_a_remedy_of_its_own() {
        let check = |kind: io::ErrorKind, expected: &str| {
            let error = ClientError::IOError {
                err: io::Error::new(kind, "no"),
            };
            let text = unreachable("unix:///run/d.sock", &error).to_string();
            assert!(
                text.contains("unix:///run/d.sock") && text.contains(expected),
                "{text}"
            );
        };
        check(io::ErrorKind::NotFound, "install and start Docker");
        check(io::ErrorKind::ConnectionRefused, "start the Docker daemon");
        check(io::ErrorKind::PermissionDenied, "group");
        check(io::ErrorKind::TimedOut, "hangs");
        check(io::ErrorKind::UnexpectedEof, "the connection broke");
        let text = unreachable("a", &ClientError::RequestTimeoutError).to_string();
        assert!(text.contains("hangs"), "{text}");
    }
}
