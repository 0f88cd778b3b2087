//! Passes on what an engine writes into its log file, as it comes.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use super::voice::Voice;

/// Pause between two looks at the file.
const PAUSE: Duration = Duration::from_millis(250);

/// How much is passed on at once.
const PIECE: usize = 64 * 1024;

/// Follows the file until `end`, and then to its end.
pub(super) async fn follow(path: PathBuf, voice: Voice, end: CancellationToken) {
    if let Err(error) = try_follow(&path, &voice, &end).await {
        tracing::warn!(%error, "the engine's output cannot be read");
    }
}

async fn try_follow(path: &PathBuf, voice: &Voice, end: &CancellationToken) -> io::Result<()> {
    let mut file = File::open(path).await?;
    let mut piece = vec![0; PIECE];
    loop {
        // Looked at before the reading: what comes after the last look is nothing.
        let is_last = end.is_cancelled();
        match file.read(&mut piece).await? {
            0 if is_last => return Ok(()),
            0 => tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = end.cancelled() => {}
            },
            count => voice.output(piece[..count].to_vec()).await,
        }
    }
}
