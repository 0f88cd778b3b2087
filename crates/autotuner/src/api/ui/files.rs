//! The web UI's built files: found by their path, with what a browser must be told of them.
//!
//! A release has them inside; a debug build reads their folder, so that a page that was built
//! anew is there when it is loaded again.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

/// The folder that the web UI is built into.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Built;

/// The page that starts all others.
pub(super) const PAGE: &str = "index.html";

/// Files with a digest of their content in their names lie below this.
pub(super) const HASHED: &str = "assets/";

/// What is shown where no page was built.
const NO_PAGE: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Inference Autotuner</title>\n<p>The web UI was not built into this program: run \
    <code>make ui</code> and build it again. The REST API is <a href=\"./docs\">described here</a>.</p>\n";

/// Smaller ones are sent as they are: what is saved is less than what is added.
const SMALLEST_PACKED: usize = 1_024;

/// Endings of names, with what such a file is and whether packing makes it smaller.
const KINDS: [(&str, &str, bool); 11] = [
    ("html", "text/html; charset=utf-8", true),
    ("js", "text/javascript; charset=utf-8", true),
    ("css", "text/css; charset=utf-8", true),
    ("json", "application/json", true),
    ("svg", "image/svg+xml", true),
    ("txt", "text/plain; charset=utf-8", true),
    ("webmanifest", "application/manifest+json", true),
    ("woff2", "font/woff2", false),
    ("png", "image/png", false),
    ("ico", "image/x-icon", false),
    ("webp", "image/webp", false),
];

/// A file of the web UI.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Its path below the folder.
    pub(super) path: String,
    /// What is in it.
    pub(super) content: Bytes,
    /// SHA-256 of its content.
    pub(super) digest: [u8; 32],
    /// What it is.
    pub(super) content_type: &'static str,
    /// Whether it is worth packing.
    pub(super) is_packable: bool,
}

/// The file at a path that begins without a slash; `None` where there is none.
pub(super) fn find(path: &str) -> Option<File> {
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.');
    if !path.split('/').all(is_plain) {
        return None;
    }
    let found = Built::get(path)?;
    let content = match found.data {
        Cow::Borrowed(content) => Bytes::from_static(content),
        Cow::Owned(content) => Bytes::from(content),
    };
    Some(File::new(path, content, found.metadata.sha256_hash()))
}

/// The page that starts all others; one that says so where none was built.
pub(super) fn page() -> File {
    find(PAGE).unwrap_or_else(|| File::new(PAGE, Bytes::from_static(NO_PAGE.as_bytes()), [0; 32]))
}

/// Paths of all files.
#[cfg(test)]
pub(super) fn paths() -> Vec<String> {
    Built::iter().map(Cow::into_owned).collect()
}

impl File {
    /// What is known of a file by its name and content.
    pub(super) fn new(path: &str, content: Bytes, digest: [u8; 32]) -> Self {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        let kind = KINDS.iter().find(|(known, ..)| *known == ending);
        let (content_type, is_text) = kind
            .map_or(("application/octet-stream", false), |(_, kind, is_text)| {
                (*kind, *is_text)
            });
        Self {
            path: path.to_owned(),
            is_packable: is_text && content.len() >= SMALLEST_PACKED,
            content,
            digest,
            content_type,
        }
    }

    /// Its content packed with gzip, which is done once for each content that a path has.
    pub(super) async fn packed(&self) -> Option<Bytes> {
        type Packed = HashMap<String, ([u8; 32], Bytes)>;
        static PACKED: LazyLock<Mutex<Packed>> = LazyLock::new(Mutex::default);
        let all = || PACKED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((digest, packed)) = all().get(&self.path)
            && *digest == self.digest
        {
            return Some(packed.clone());
        }
        let content = self.content.clone();
        let packing = tokio::task::spawn_blocking(move || pack(&content));
        let packed = Bytes::from(packing.await.ok()?.ok()?);
        all().insert(self.path.clone(), (self.digest, packed.clone()));
        Some(packed)
    }
}

fn pack(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(content)?;
    packer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_looked_for() {
        for path in [
            "",
            "/index.html",
            "../dist/index.html",
            "assets/../index.html",
            "assets/..",
            "./index.html",
            "assets//x",
            ".gitignore",
            "..%2findex.html",
            "package.json",
            "../package.json",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_built_page_holds_no_code_of_its_own() {
        let page = page();
        let text = String::from_utf8_lossy(&page.content);
        // The policy of every answer would keep a browser from heeding them.
        for inline in ["<script>", "<style", " style=", " onclick=", " onload="] {
            assert!(!text.contains(inline), "{inline} in {text}");
        }
    }

    #[test]
    fn every_built_file_is_of_a_kind_that_browsers_are_told() {
        for path in paths() {
            let Some(file) = find(&path) else { continue };
            assert_ne!(file.content_type, "application/octet-stream", "{path}");
        }
    }

    #[test]
    fn kinds_are_told_by_the_ending_and_small_files_are_not_packed() {
        let check = |path: &str, bytes: usize, kind: &str, is_packable: bool| {
            let file = File::new(path, vec![b'x'; bytes].into(), [0; 32]);
            assert_eq!(
                (file.content_type, file.is_packable),
                (kind, is_packable),
                "{path}"
            );
        };
        check("assets/a-1.js", 1_024, "text/javascript; charset=utf-8", true);
        check("assets/a-1.js", 1_023, "text/javascript; charset=utf-8", false);
        check("assets/a-1.woff2", 9_999, "font/woff2", false);
        check("assets/js", 9_999, "application/octet-stream", false);
    }
}
