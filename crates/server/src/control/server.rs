//! The end of the control socket that `serve` holds.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener as Listener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::{Answer, LONGEST_LINE, path};
use crate::failure::Failure;
use crate::operator::{Operator, Request};

/// How long a client may take to say what it wants, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A socket that listens. Its file goes when this does.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    file: PathBuf,
    /// The user who runs the server.
    owner: u32,
}

impl Socket {
    /// Listens in a data directory that this process has locked: a socket that is there is one that a killed server
    /// left behind.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn bind(directory: &Path) -> io::Result<Self> {
        let file = path::socket_in(directory);
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let listener = path::with_short_path(directory, |path| Listener::bind(path))?;
        listener.set_nonblocking(true)?;
        let owner = std::fs::metadata(&file)?.uid();
        Ok(Self { listener: UnixListener::from_std(listener)?, file, owner })
    }

    /// Carries out requests, one after another, until `drain` becomes true. Operators are few.
    pub(crate) async fn serve(self, operator: Operator, mut drain: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = drain.wait_for(|draining| *draining) => return,
                accepted = self.listener.accept() => accepted,
            };
            let served = match accepted {
                Ok((stream, _)) => self.serve_one(stream, &operator).await,
                Err(error) => Err(error),
            };
            if let Err(error) = served {
                tracing::warn!(%error, "a connection to the control socket failed");
                // The system may be out of files, and would say so again at once.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn serve_one(&self, mut stream: UnixStream, operator: &Operator) -> io::Result<()> {
        // The directory may be open to others if an operator made it so, hence the question who is calling.
        let caller = stream.peer_cred()?.uid();
        if caller != self.owner && caller != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("refused the user {caller}"),
            ));
        }
        let line = tokio::time::timeout(PATIENCE, read_line(&mut stream)).await??;
        let answer = match serde_json::from_str::<Request>(&line) {
            Ok(request) => Answer::from(operator.perform(request).await),
            Err(_) => Answer::from(Err(Failure::new(
                "the server does not understand the request",
                "use the program of the version that is running as the server",
            ))),
        };
        let mut line = serde_json::to_string(&answer)?;
        line.push('\n');
        tokio::time::timeout(PATIENCE, stream.write_all(line.as_bytes())).await?
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What stays behind is replaced by the next server.
        let _ = std::fs::remove_file(&self.file);
    }
}

async fn read_line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut line).await?;
    Ok(line)
}
