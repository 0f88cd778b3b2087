//! What the engine says of itself: lines on stderr, as a real engine's log.
//!
//! The lines are what a failed start is judged by, so they must get out even where no
//! subscriber for structured logs was set up; hence plain lines. A closed stderr is no
//! reason to end: writing errors are ignored.

use std::fmt::Display;
use std::io::Write as _;

use crate::options::LogLevel;

/// Writes lines of at most one level to stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Journal {
    level: LogLevel,
}

impl Journal {
    /// A journal that keeps lines up to this level.
    pub(crate) fn new(level: LogLevel) -> Self {
        Self { level }
    }

    /// Says why the engine ends.
    pub(crate) fn error(self, text: impl Display) {
        self.write(LogLevel::Error, "ERROR", text);
    }

    /// Says what the engine is about.
    pub(crate) fn info(self, text: impl Display) {
        self.write(LogLevel::Info, "INFO", text);
    }

    /// Says what happened to one request.
    pub(crate) fn debug(self, text: impl Display) {
        self.write(LogLevel::Debug, "DEBUG", text);
    }

    fn write(self, level: LogLevel, word: &str, text: impl Display) {
        if level <= self.level {
            let mut stderr = std::io::stderr().lock();
            let _ = text
                .to_string()
                .lines()
                .try_for_each(|line| writeln!(stderr, "{word} {line}"));
        }
    }
}

/// Prints the one line that tells a parent process where the engine listens, on stdout.
pub(crate) fn announce(address: std::net::SocketAddr) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "listening on http://{address}").and_then(|()| stdout.flush());
}
