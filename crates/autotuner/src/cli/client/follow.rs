//! A log followed over as many connections as it takes.
//!
//! The idea: what was shown has an id, and every further connection goes on behind it. So a
//! service that is started anew, or a network that is away, costs a pause and no line.

use std::io::IsTerminal as _;
use std::time::Duration;

use tokio::time::Instant;

use super::paper::harmless;
use super::sse::{Event, Events, Sign};
use super::{Client, Trouble};
use crate::cli::{print, say};

/// Pause before the first further attempt; each one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Longest time without a connection before it is given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whoever shows what comes.
pub(in crate::cli) trait Reader {
    /// Shows an event. Whether nothing will come any more.
    fn show(&mut self, event: &Event) -> bool;

    /// Whether nothing will come any more, where there was nothing to say for a while. Who cannot
    /// tell is asked again later.
    fn is_over(&self, client: &Client) -> bool;
}

/// Shows what comes over the stream at `path` until its reader has seen the end.
///
/// # Errors
/// The service refuses, or was away for too long.
pub(in crate::cli) fn follow(
    client: &mut Client,
    path: &str,
    reader: &mut impl Reader,
) -> Result<(), Trouble> {
    let mut last = None;
    let mut was_connected = false;
    let mut pause = FIRST_PAUSE;
    let mut since = Instant::now();
    loop {
        match client.stream(path, last.as_deref()) {
            Ok(None) => return Ok(()),
            Ok(Some(stream)) => {
                was_connected = true;
                let before = last.clone();
                if read(Events::new(stream), client, reader, &mut last) {
                    return Ok(());
                }
                if last != before {
                    pause = FIRST_PAUSE;
                }
                since = Instant::now();
            }
            Err(trouble) if was_connected && trouble.is_passing() && since.elapsed() < PATIENCE => {
                if pause == FIRST_PAUSE {
                    say(&format!("{trouble}; trying again"));
                }
            }
            Err(trouble) => return Err(trouble),
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
        client.look_again();
    }
}

/// Shows what comes over one connection. Whether nothing will come any more.
///
/// The service shows that it is alive once there was nothing to say for a while, and only then
/// is the reader asked: nothing that was written before the end is left out.
fn read(mut events: Events, client: &Client, reader: &mut impl Reader, last: &mut Option<String>) -> bool {
    loop {
        match events.next() {
            Ok(Some(Sign::Event(event))) => {
                let is_end = reader.show(&event);
                if event.id.is_some() {
                    *last = event.id;
                }
                if is_end {
                    return true;
                }
            }
            Ok(Some(Sign::Alive) | None) if reader.is_over(client) => return true,
            Ok(Some(Sign::Alive)) => {}
            Ok(None) | Err(_) => return false,
        }
    }
}

/// A part of a log. A terminal gets text and nothing else; a file gets what was written.
pub(in crate::cli) fn tell(lines: &str) {
    match std::io::stdout().is_terminal() {
        true => print(&harmless(lines)),
        false => print(lines),
    }
}
