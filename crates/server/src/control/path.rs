//! Where the socket is, in a form that the system takes.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

const NAME: &str = "headwater.sock";

/// The longest path of a socket on every system that we know: Linux has 108 bytes, others 104, with a zero at the
/// end.
const LONGEST: usize = 103;

/// The path of the socket in a data directory.
pub(super) fn socket_in(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

/// Calls `open` with a path to the socket in `directory` that is short enough for the system: where the directory is
/// too deep, by way of an open file of it.
pub(super) fn with_short_path<T>(
    directory: &Path,
    open: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let socket = socket_in(directory);
    if socket.as_os_str().len() <= LONGEST {
        return open(&socket);
    }
    let descriptors = Path::new("/proc/self/fd");
    if !descriptors.exists() {
        let error = format!("the path {} is longer than {LONGEST} bytes", socket.display());
        return Err(io::Error::new(io::ErrorKind::InvalidFilename, error));
    }
    // Open until `open` is back: the short path leads through it.
    let directory = File::open(directory)?;
    open(&descriptors.join(directory.as_raw_fd().to_string()).join(NAME))
}
