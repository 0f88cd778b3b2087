//! Faults: ways in which the engine misbehaves on demand.
//!
//! The one idea: a fault is data, given on the command line, and each place that can fail
//! asks for its own. Nothing here causes anything. There are faults of the process (it never
//! becomes ready, it will not stop), faults of load, which wait for so many requests in
//! flight, and faults of a request, which can be limited to every n-th request.

use std::num::NonZeroU64;
use std::str::FromStr;

use thiserror::Error;

/// One way in which the engine misbehaves, as given to `--fault`.
///
/// A fault of a request strikes every request, or with `=N` every N-th one (the N-th, the
/// 2N-th and so on, counted from the engine's start).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `never-ready`: `/health` answers 503 for ever.
    NeverReady,
    /// `exit-at-load`: the model cannot be loaded; the process ends with code 1.
    ExitAtLoad,
    /// `oom-at-load`: memory runs out at load whatever the flags say; the process ends with code 1.
    OomAtLoad,
    /// `ignore-sigterm`: a request to stop is not heard; only a kill ends the process.
    IgnoreSigterm,
    /// `exit-after-requests=N`: the process ends with code 1 once N completions have ended.
    ExitAfterRequests(NonZeroU64),
    /// `eat-memory=MIB`: loading takes that much of the machine's own memory, in MiB, and keeps it.
    EatMemory(NonZeroU64),
    /// `forks-children`: loading starts a process that leaves group and session and ignores
    /// SIGTERM. It ends by itself after ten minutes. An engine inside another process starts none.
    ForksChildren,
    /// Being the process that `forks-children` starts; not told to users.
    RunawayChild,
    /// `503-at-high-load=N`: completions that come while N are in flight answer 503.
    RefuseAtHighLoad(NonZeroU64),
    /// `oom-under-load=N`: device memory runs out once N completions are in flight; the process
    /// ends with code 1.
    OomUnderLoad(NonZeroU64),
    /// `crash-under-load=N`: the process dies by SIGSEGV once N completions are in flight.
    CrashUnderLoad(NonZeroU64),
    /// `abort-under-load=N`: the process dies by SIGABRT once N completions are in flight.
    AbortUnderLoad(NonZeroU64),
    /// `garbage`: completions answer 200 with a web page.
    Garbage(NonZeroU64),
    /// `http-500`: completions answer 500.
    Http500(NonZeroU64),
    /// `cut-stream`: the connection closes halfway through the answer.
    CutStream(NonZeroU64),
    /// `stall`: the answer stops halfway, and the connection stays open.
    Stall(NonZeroU64),
    /// `bad-json`: one event halfway through the answer is broken JSON.
    BadJson(NonZeroU64),
    /// `slow-first-token`: the first token comes ten seconds late, by the engine's time scale.
    SlowFirstToken(NonZeroU64),
    /// `endless-line`: halfway through a streamed answer comes a line without an end: 32 MiB, and
    /// then the connection closes.
    EndlessLine(NonZeroU64),
}

/// A `--fault` that is not one of those known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseFaultError {
    /// The name is not known.
    #[error("no fault is called `{name}`; known are {}", KNOWN.join(", "))]
    UnknownName {
        /// The name that was given.
        name: String,
    },
    /// The number after `=` is missing, is not one, or is not wanted.
    #[error("`{text}`: {reason}")]
    Number {
        /// The whole text that was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// All that users are told of, as they are written.
pub(crate) const KNOWN: [&str; 18] = [
    "never-ready",
    "exit-at-load",
    "oom-at-load",
    "eat-memory=MIB",
    "forks-children",
    "ignore-sigterm",
    "exit-after-requests=N",
    "503-at-high-load=N",
    "oom-under-load=N",
    "crash-under-load=N",
    "abort-under-load=N",
    "garbage[=N]",
    "http-500[=N]",
    "cut-stream[=N]",
    "stall[=N]",
    "bad-json[=N]",
    "slow-first-token[=N]",
    "endless-line[=N]",
];

const HOW_MANY: &str = "say with how many requests in flight, for example =8";

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, number) = match text.split_once('=') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let wrong = |reason| ParseFaultError::Number {
            text: text.to_owned(),
            reason,
        };
        let number = number
            .map(|digits| {
                digits
                    .parse::<NonZeroU64>()
                    .map_err(|_| wrong("the number must be 1 or more"))
            })
            .transpose()?;
        let plain = |fault| match number {
            None => Ok(fault),
            Some(_) => Err(wrong("this fault takes no number")),
        };
        let needed = |fault: fn(NonZeroU64) -> Self, reason| number.map(fault).ok_or_else(|| wrong(reason));
        let every = number.unwrap_or(NonZeroU64::MIN);
        match name {
            "never-ready" => plain(Self::NeverReady),
            "exit-at-load" => plain(Self::ExitAtLoad),
            "oom-at-load" => plain(Self::OomAtLoad),
            "ignore-sigterm" => plain(Self::IgnoreSigterm),
            "forks-children" => plain(Self::ForksChildren),
            "runaway-child" => plain(Self::RunawayChild),
            "exit-after-requests" => needed(
                Self::ExitAfterRequests,
                "say after how many requests, for example exit-after-requests=3",
            ),
            "eat-memory" => needed(Self::EatMemory, "say how many MiB, for example eat-memory=512"),
            "503-at-high-load" => needed(Self::RefuseAtHighLoad, HOW_MANY),
            "oom-under-load" => needed(Self::OomUnderLoad, HOW_MANY),
            "crash-under-load" => needed(Self::CrashUnderLoad, HOW_MANY),
            "abort-under-load" => needed(Self::AbortUnderLoad, HOW_MANY),
            "garbage" => Ok(Self::Garbage(every)),
            "http-500" => Ok(Self::Http500(every)),
            "cut-stream" => Ok(Self::CutStream(every)),
            "stall" => Ok(Self::Stall(every)),
            "bad-json" => Ok(Self::BadJson(every)),
            "slow-first-token" => Ok(Self::SlowFirstToken(every)),
            "endless-line" => Ok(Self::EndlessLine(every)),
            _ => Err(ParseFaultError::UnknownName {
                name: name.to_owned(),
            }),
        }
    }
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestFault {
    Garbage,
    Http500,
    CutStream,
    Stall,
    BadJson,
    SlowFirstToken,
    EndlessLine,
}

/// The fault that strikes the request with this ordinal (the first is 1): the first given that does.
pub(crate) fn request_fault(faults: &[Fault], ordinal: u64) -> Option<RequestFault> {
    faults.iter().find_map(|fault| {
        let (kind, every) = match fault {
            Fault::Garbage(every) => (RequestFault::Garbage, every),
            Fault::Http500(every) => (RequestFault::Http500, every),
            Fault::CutStream(every) => (RequestFault::CutStream, every),
            Fault::Stall(every) => (RequestFault::Stall, every),
            Fault::BadJson(every) => (RequestFault::BadJson, every),
            Fault::SlowFirstToken(every) => (RequestFault::SlowFirstToken, every),
            Fault::EndlessLine(every) => (RequestFault::EndlessLine, every),
            _ => return None,
        };
        ordinal.is_multiple_of(every.get()).then_some(kind)
    })
}

/// How the engine ends under too much load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoadFault {
    OutOfMemory,
    Segfault,
    Abort,
}

/// The fault that strikes when so many requests are in flight: the first given that does.
pub(crate) fn load_fault(faults: &[Fault], in_flight: usize) -> Option<LoadFault> {
    faults.iter().find_map(|fault| {
        let (kind, least) = match fault {
            Fault::OomUnderLoad(least) => (LoadFault::OutOfMemory, least),
            Fault::CrashUnderLoad(least) => (LoadFault::Segfault, least),
            Fault::AbortUnderLoad(least) => (LoadFault::Abort, least),
            _ => return None,
        };
        (in_flight as u64 >= least.get()).then_some(kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Fault) {
        assert_eq!(text.parse::<Fault>().unwrap(), expected, "{text}");
    }

    fn check_refused(text: &str, expected: &str) {
        let message = text.parse::<Fault>().unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }

    fn number(value: u64) -> NonZeroU64 {
        NonZeroU64::new(value).unwrap()
    }

    #[test]
    fn names_and_numbers_are_read() {
        check("never-ready", Fault::NeverReady);
        check("exit-at-load", Fault::ExitAtLoad);
        check("oom-at-load", Fault::OomAtLoad);
        check("ignore-sigterm", Fault::IgnoreSigterm);
        check("exit-after-requests=3", Fault::ExitAfterRequests(number(3)));
        check("garbage", Fault::Garbage(number(1)));
        check("http-500=4", Fault::Http500(number(4)));
        check("cut-stream", Fault::CutStream(number(1)));
        check("stall=2", Fault::Stall(number(2)));
        check("bad-json", Fault::BadJson(number(1)));
        check("slow-first-token=2", Fault::SlowFirstToken(number(2)));
        check("endless-line", Fault::EndlessLine(number(1)));
        check("forks-children", Fault::ForksChildren);
        check("eat-memory=64", Fault::EatMemory(number(64)));
        check("503-at-high-load=8", Fault::RefuseAtHighLoad(number(8)));
        check("oom-under-load=8", Fault::OomUnderLoad(number(8)));
        check("crash-under-load=8", Fault::CrashUnderLoad(number(8)));
        check("abort-under-load=8", Fault::AbortUnderLoad(number(8)));
    }

    #[test]
    fn wrong_ones_are_refused_with_what_would_do() {
        check_refused("crash", "no fault is called `crash`; known are never-ready");
        check_refused("exit-after-requests", "exit-after-requests=3");
        check_refused("exit-after-requests=0", "1 or more");
        check_refused("stall=x", "1 or more");
        check_refused("never-ready=2", "takes no number");
        check_refused("eat-memory", "eat-memory=512");
        check_refused("crash-under-load", "how many requests in flight");
    }

    #[test]
    fn a_request_fault_strikes_every_nth() {
        let faults = [Fault::IgnoreSigterm, Fault::Http500(number(3))];
        let struck: Vec<u64> = (1..=7)
            .filter(|&ordinal| request_fault(&faults, ordinal).is_some())
            .collect();
        assert_eq!(struck, [3, 6]);
    }

    #[test]
    fn a_load_fault_strikes_at_its_number() {
        let faults = [Fault::Http500(number(1)), Fault::AbortUnderLoad(number(3))];
        let struck: Vec<_> = (1..=4).map(|in_flight| load_fault(&faults, in_flight)).collect();
        assert_eq!(
            struck,
            [None, None, Some(LoadFault::Abort), Some(LoadFault::Abort)]
        );
    }

    #[test]
    fn what_is_known_is_read() {
        for known in KNOWN {
            let text = known
                .replace("[=N]", "")
                .replace("=N", "=1")
                .replace("=MIB", "=1");
            text.parse::<Fault>()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }
}
