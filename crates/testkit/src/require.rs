//! What a test needs from the machine, and what happens when it is not there: one line that says so, or a failure.
//!
//! `HEADWATER_REQUIRE=go,strace` turns the skips of these into failures; `.ci/run` sets it, so that nothing is skipped
//! where it counts. `HEADWATER_LONG=1` asks for the long versions of heavy tests.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The program `name` on the `PATH`. Without it the test is to return, having been skipped.
///
/// # Panics
/// When it is not there and `HEADWATER_REQUIRE` names it.
#[must_use]
pub fn tool(name: &str) -> Option<PathBuf> {
    let found = find_program(name);
    if found.is_none() {
        skip(name, "is not installed");
    }
    found
}

/// The program `name` on the `PATH`, if there is one.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    find(name, &env::var_os("PATH").unwrap_or_default())
}

/// Says that a test is skipped for want of `name`, and `why`.
///
/// # Panics
/// When `HEADWATER_REQUIRE` names it.
#[expect(clippy::panic, reason = "a skip that must not be is a failure")]
pub fn skip(name: &str, why: &str) {
    if holds(&env::var("HEADWATER_REQUIRE").unwrap_or_default(), name) {
        panic!("{name} {why}, and HEADWATER_REQUIRE names it");
    }
    let line = format!("skipped: {name} {why} (HEADWATER_REQUIRE={name} makes this a failure)\n");
    // Not `println`, whose lines the test harness keeps to itself when a test passes. In one piece, since tests run
    // beside each other. Nothing is left to do when nobody can be told.
    let _told = io::stderr().write_all(line.as_bytes());
}

/// Whether the long versions of heavy tests are wanted.
#[must_use]
pub fn long() -> bool {
    env::var_os("HEADWATER_LONG").is_some_and(|value| value == "1")
}

fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path).map(|directory| directory.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn holds(list: &str, name: &str) -> bool {
    list.split(',').any(|required| required.trim() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_an_executable_file_in_a_directory_of_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let file = directory.path().join(name);
            std::fs::write(&file, "").unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            file
        };
        let tool = file("tool", 0o755);
        file("text", 0o644);
        std::fs::create_dir(directory.path().join("directory")).unwrap();
        let path = env::join_paths([Path::new("/nowhere"), directory.path()]).unwrap();
        for (name, expected) in [("tool", Some(tool)), ("text", None), ("directory", None), ("other", None)] {
            assert_eq!(find(name, &path), expected, "{name}");
        }
    }

    #[test]
    fn the_list_of_what_is_required_is_read_by_whole_names() {
        for (list, name, expected) in [
            ("go,strace", "strace", true),
            ("go, strace", "strace", true),
            ("golang", "go", false),
            ("", "go", false),
        ] {
            assert_eq!(holds(list, name), expected, "{list}");
        }
    }
}
