//! What tests of every target need.

use std::path::Path;
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Every file of an instance's folder but the one that says whose it is.
pub(crate) fn records(instance: &Path) -> Vec<String> {
    std::fs::read_dir(instance)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "owner.json")
        .collect()
}

/// A name that no test before had, in this process or another.
pub(crate) fn unique_name() -> String {
    let folder = tempfile::Builder::new()
        .prefix("i")
        .rand_bytes(12)
        .tempdir()
        .unwrap();
    folder.path().file_name().unwrap().to_str().unwrap().to_owned()
}

/// Waits for a condition, but for no longer than `patience`.
pub(crate) async fn wait_until(patience: Duration, what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(patience, wait).await.is_ok(), "{what} does not come true");
}
