//! What the way a process ended says about why.
//!
//! The one idea: signals and shell codes mean the same for every engine. This is the weakest
//! evidence: what the engine itself wrote, and what a container daemon knows, come first.

use crate::failure::FailureKind;

const SIGILL: i32 = 4;
const SIGABRT: i32 = 6;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGKILL: i32 = 9;
const SIGSEGV: i32 = 11;

/// What an exit by code or by signal (Linux numbers) says about a process that nobody asked
/// to end, with a sentence for people. `None` where it says nothing, as with code 1.
///
/// Codes above 128 are read as shells and containers mean them: 128 and the signal's number.
pub fn diagnose_exit(code: Option<i32>, signal: Option<i32>) -> Option<(FailureKind, String)> {
    let signal = signal.or_else(|| {
        code.filter(|code| (129..=159).contains(code))
            .map(|code| code - 128)
    });
    let (kind, says) = match (code, signal) {
        (_, Some(SIGKILL)) => (
            FailureKind::OutOfMemory,
            "the engine was killed; most likely the machine or the container ran out of memory",
        ),
        (_, Some(SIGILL)) => (
            FailureKind::Infrastructure,
            "the engine met an instruction that this CPU does not know; the program was built for another CPU",
        ),
        (_, Some(SIGSEGV)) => (
            FailureKind::EngineCrashed,
            "the engine crashed on a bad memory access",
        ),
        (_, Some(SIGABRT)) => (FailureKind::EngineCrashed, "the engine aborted itself"),
        (_, Some(SIGFPE)) => (
            FailureKind::EngineCrashed,
            "the engine crashed on an arithmetic error",
        ),
        (_, Some(SIGBUS)) => (
            FailureKind::Infrastructure,
            "the engine lost memory behind a file; shared memory or the disk may be full",
        ),
        (Some(127), _) => (
            FailureKind::Infrastructure,
            "the engine's program, or one that it starts, was not found",
        ),
        (Some(126), _) => (
            FailureKind::Infrastructure,
            "the engine's program may not be executed",
        ),
        _ => return None,
    };
    Some((kind, says.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_and_shell_codes_are_told_apart() {
        let check = |code: Option<i32>, signal: Option<i32>, expected: Option<FailureKind>| {
            let kind = diagnose_exit(code, signal).map(|(kind, _)| kind);
            assert_eq!(kind, expected, "{code:?} {signal:?}");
        };
        check(Some(137), None, Some(FailureKind::OutOfMemory));
        check(None, Some(9), Some(FailureKind::OutOfMemory));
        check(Some(132), None, Some(FailureKind::Infrastructure));
        check(None, Some(4), Some(FailureKind::Infrastructure));
        check(Some(139), None, Some(FailureKind::EngineCrashed));
        check(None, Some(6), Some(FailureKind::EngineCrashed));
        check(Some(135), None, Some(FailureKind::Infrastructure));
        check(Some(127), None, Some(FailureKind::Infrastructure));
        check(Some(126), None, Some(FailureKind::Infrastructure));
        check(Some(143), None, None);
        check(Some(1), None, None);
        check(Some(0), None, None);
        check(Some(255), None, None);
        check(None, None, None);
    }
}
