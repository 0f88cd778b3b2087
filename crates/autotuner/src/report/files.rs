//! Files that are there whole or not at all.
//!
//! What is in them is nobody's business here.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Writes a file by `fill`, under another name until it is complete and on the disk.
///
/// # Errors
/// The directory or the file cannot be written, or `fill` fails; an earlier file is then as it was.
///
/// A device is written to, not replaced; a symbolic link's target is replaced, not the link.
pub(crate) fn write_with(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if is_device(path) {
        return fill(&mut std::fs::OpenOptions::new().write(true).open(path)?);
    }
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&target, fill)
}

/// Whether the path is a device's, for example `/dev/null`.
pub(crate) fn is_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|there| there.file_type().is_char_device())
}

fn replace(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let name = name.to_string_lossy();
    // Short enough to be a name, too, where the file's own is as long as it may be.
    let start = name.get(..name.floor_char_boundary(200)).unwrap_or_default();
    let temporary = directory.join(format!(".{start}.{}.tmp", std::process::id()));
    let written = File::create(&temporary).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()
    });
    written
        .and_then(|()| std::fs::rename(&temporary, path))
        .inspect_err(|_| drop(std::fs::remove_file(&temporary)))
}
