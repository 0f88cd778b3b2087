//! Asks a program a short question and takes down what it says: its version, its help.
//!
//! The idea: such a program is run like an engine's process and ends like one. Whatever it
//! starts carries a mark and goes when the question is over, answered or not; a wrapper that
//! leaves the real program behind would otherwise keep a GPU. How much of the answer is kept
//! is bounded. Nothing goes on record: a program that only tells its version ends by itself,
//! even when we die meanwhile.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::kin::{self, Identity, Kin, MARK_VARIABLE};
use crate::procfs;

/// Most that is kept of what a program prints on one stream; the longest help we know has a
/// tenth of it.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Pause between two looks whether the program has ended.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// How long what an ended program has printed may take to be read. Its streams end with it,
/// unless something that it started still holds them.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A question to a program.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The program's path, or its name on `PATH`.
    pub program: &'a str,
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// Environment variables on top of our own.
    pub environment: &'a BTreeMap<String, String>,
    /// Variables of our own environment that it is not given.
    pub withheld: &'a [OsString],
    /// How long it may take to answer.
    pub patience: Duration,
}

/// Everything that the program prints until it ends, standard output before standard error;
/// `None` when it could not be run, took too long, or was cancelled. Either way nothing of it
/// is left when this returns.
pub async fn ask(question: Question<'_>, cancel: &CancellationToken) -> Option<String> {
    let mut asked = Asked::start(&question)
        .inspect_err(|error| tracing::debug!(program = question.program, %error, "could not be asked"))
        .ok()?;
    let answer = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        answer = timeout(question.patience, asked.answer()) => answer.ok(),
    };
    asked.bury().await;
    let [output, errors] = answer?;
    Some(String::from_utf8_lossy(&[output, errors].concat()).into_owned())
}

/// A program that is being asked. Dropped, it is killed.
#[derive(Debug)]
struct Asked {
    /// Taken when it has been reaped. Not before all of it is gone: see `engine`.
    child: Option<Child>,
    kin: Kin,
    output: Receiver,
    errors: Receiver,
}

impl Asked {
    fn start(question: &Question<'_>) -> io::Result<Self> {
        let (output, output_end) = io::pipe()?;
        let (errors, errors_end) = io::pipe()?;
        let (output, errors) = (receiver(output)?, receiver(errors)?);
        let mark = own_mark()?;
        let mut command = Command::new(question.program);
        for name in question.withheld {
            command.env_remove(name);
        }
        let child = command
            .args(question.arguments)
            .envs(question.environment)
            .env(MARK_VARIABLE, &mark)
            .stdin(Stdio::null())
            .stdout(output_end)
            .stderr(errors_end)
            .process_group(0)
            .spawn()?;
        let leader = procfs::stat(child.id().cast_signed());
        Ok(Self {
            child: Some(child),
            kin: Kin {
                leaders: leader.iter().map(Identity::from).collect(),
                mark,
            },
            output,
            errors,
        })
    }

    /// What it printed by the time it ended, on each stream.
    async fn answer(&mut self) -> [Vec<u8>; 2] {
        let mut said = [Vec::new(), Vec::new()];
        let [output, errors] = &mut said;
        let mut listening = Box::pin(async {
            // A stream that breaks has said what it had to say.
            let _ = tokio::join!(keep(&mut self.output, output), keep(&mut self.errors, errors));
        });
        tokio::select! {
            () = &mut listening => {}
            () = until_ended(&self.kin) => drop(timeout(LAST_WORDS, &mut listening).await),
        }
        drop(listening);
        said
    }

    /// Ends what is left of it.
    async fn bury(mut self) {
        match kin::end(&self.kin, Duration::ZERO).await {
            Err(error) => tracing::warn!(%error, "a program that was asked does not end"),
            Ok(_) => self.reap(),
        }
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It has ended, so this does not wait.
            let _ = child.wait();
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if self.child.is_some() && kin::kill_now(&self.kin) {
            self.reap();
        }
    }
}

fn receiver(pipe: PipeReader) -> io::Result<Receiver> {
    Receiver::from_owned_fd(OwnedFd::from(pipe))
}

/// Reads to the end, keeps the beginning, and lets go of the rest.
async fn keep(stream: &mut Receiver, kept: &mut Vec<u8>) -> io::Result<()> {
    stream.take(MOST_BYTES).read_to_end(kept).await?;
    tokio::io::copy(stream, &mut tokio::io::sink()).await?;
    Ok(())
}

/// Waits until the first process has ended; it stays to be reaped.
async fn until_ended(kin: &Kin) {
    let lives = |leader: &Identity| {
        let process = procfs::stat(leader.pid);
        process.is_some_and(|process| process.is_alive() && Identity::from(&process) == *leader)
    };
    while kin.leaders.iter().any(lives) {
        sleep(LOOK_PAUSE).await;
    }
}

/// A mark no other program has carried.
fn own_mark() -> io::Result<String> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let pid = std::process::id().cast_signed();
    let process = procfs::stat(pid).ok_or_else(|| io::Error::other("our own process is not in /proc"))?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(format!("question.{pid}.{}.{number}", process.start_ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of the shell, asked with the path of an empty file as `$1`.
    async fn shell(script: &str, patience: Duration, cancel: &CancellationToken) -> (Option<String>, String) {
        let note = tempfile::NamedTempFile::new().unwrap();
        let path = note.path().display().to_string();
        let question = Question {
            program: "sh",
            arguments: &["-c", script, "sh", &path],
            environment: &BTreeMap::from([("ASKED".to_owned(), "yes".to_owned())]),
            withheld: &["CARGO_MANIFEST_DIR".into()],
            patience,
        };
        let answer = ask(question, cancel).await;
        (answer, std::fs::read_to_string(note.path()).unwrap())
    }

    async fn check(script: &str, expected: &str) {
        let answer = shell(script, Duration::from_secs(60), &CancellationToken::new()).await;
        assert_eq!(answer.0.as_deref(), Some(expected), "{script}");
    }

    fn lives(pid: &str) -> bool {
        procfs::stat(pid.trim().parse().unwrap()).is_some_and(|process| process.is_alive())
    }

    #[tokio::test]
    async fn what_it_prints_is_told_whatever_its_exit_code() {
        check("echo v1; echo w >&2; echo v2", "v1\nv2\nw\n").await;
        check("echo $ASKED; exit 3", "yes\n").await;
        // Withheld, and it is there: cargo sets both for every test.
        check(
            "echo ${CARGO_MANIFEST_DIR-none} ${CARGO_PKG_NAME-none}",
            "none autotuner-deploy\n",
        )
        .await;
        check("exec >&- 2>&-", "").await;
        check("cat", "").await;
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_says_nothing() {
        let question = Question {
            program: "/no/such/program",
            arguments: &[],
            environment: &BTreeMap::new(),
            withheld: &[],
            patience: Duration::from_secs(60),
        };
        assert_eq!(ask(question, &CancellationToken::new()).await, None);
    }

    #[tokio::test]
    async fn what_it_leaves_behind_neither_delays_the_answer_nor_stays() {
        let script = "setsid sleep 600 & echo $! > $1; echo v1";
        let (answer, child) = shell(script, Duration::from_secs(60), &CancellationToken::new()).await;
        assert_eq!(answer.as_deref(), Some("v1\n"));
        assert!(!lives(&child), "{child}");
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_ended_with_its_children() {
        let script = "trap '' TERM; sleep 600 & echo $! > $1; wait; sleep 600";
        let (answer, child) = shell(script, Duration::from_millis(300), &CancellationToken::new()).await;
        assert_eq!(answer, None);
        assert!(child.is_empty() || !lives(&child), "{child}");
    }

    #[tokio::test]
    async fn a_cancelled_question_leaves_nothing() {
        let cancel = CancellationToken::new();
        let script = "setsid sleep 600 & echo $! > $1; wait";
        let asked = shell(script, Duration::from_secs(600), &cancel);
        let cancelled = async {
            sleep(Duration::from_millis(200)).await;
            cancel.cancel();
        };
        let ((answer, child), ()) = tokio::join!(asked, cancelled);
        assert_eq!(answer, None);
        assert!(child.is_empty() || !lives(&child), "{child}");
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut() {
        let script = "yes | head -c 9000000";
        let (answer, _) = shell(script, Duration::from_secs(60), &CancellationToken::new()).await;
        assert_eq!(answer.map(|answer| answer.len() as u64), Some(MOST_BYTES));
    }
}
