//! Which `headwater` is measured: one that is given, or the one built from the same source as this program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, because};

/// The workspace.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");

/// The release build of the server: `given`, or else the one in the target directory that this program is in.
///
/// Started by cargo, it has cargo bring the server up to date first: `cargo run -p headwater-bench` builds the bench
/// alone, and the figures of yesterday's server would be taken for today's.
pub(crate) fn server(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(file) = given {
        let hint = "hint: leave --server away to measure this source, or name the file of a `headwater`";
        return if file.is_file() {
            Ok(file)
        } else {
            Err(format!("{} is no file\n{hint}", file.display()).into())
        };
    }
    let this = env::current_exe()?;
    let target = this.parent().and_then(Path::parent).ok_or("this program is in no target directory")?;
    let server = target.join("release").join("headwater");
    let cargo = env::var_os("CARGO");
    if cargo.is_none() && server.is_file() {
        return Ok(server);
    }
    eprintln!("building the server");
    let built = Command::new(cargo.unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--release", "--package", "headwater-server", "--manifest-path", MANIFEST])
        .arg("--target-dir")
        .arg(target)
        .stdin(Stdio::null())
        .status()
        .map_err(because("cannot run cargo"))?;
    if built.success() && server.is_file() {
        return Ok(server);
    }
    Err("the server could not be built\nhint: build it yourself and give the file with --server".into())
}
