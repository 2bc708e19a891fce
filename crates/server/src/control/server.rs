//! The end of the control socket that `serve` holds.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener as Listener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Answer, LONGEST_LINE, Question, path};
use crate::failure::Failure;
use crate::operator::Operator;

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

    /// Answers questions until `drain` becomes true, and then those that were asked. A backup is stopped.
    pub(crate) async fn serve(self, operator: Operator, mut drain: watch::Receiver<bool>) {
        let mut conversations = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = drain.wait_for(|draining| *draining) => break,
                // One that panicked has said so.
                Some(_) = conversations.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let conversation = converse(stream, self.owner, operator.clone(), drain.clone());
                    conversations.spawn(async {
                        if let Err(error) = conversation.await {
                            tracing::warn!(%error, "a connection to the control socket failed");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept on the control socket");
                    // The system may be out of files, and would say so again at once.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        while conversations.join_next().await.is_some() {}
    }
}

async fn converse(
    mut stream: UnixStream,
    owner: u32,
    operator: Operator,
    drain: watch::Receiver<bool>,
) -> io::Result<()> {
    // The directory may be open to others if an operator made it so, hence the question who is calling.
    let caller = stream.peer_cred()?.uid();
    if caller != owner && caller != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("refused the user {caller}")));
    }
    let line = tokio::time::timeout(PATIENCE, read_line(&mut stream)).await??;
    let mut line = match serde_json::from_str::<Question>(&line) {
        Ok(Question::Change(request)) => answer(operator.perform(request).await)?,
        Ok(Question::BackUp { file }) => {
            answer(back_up(&operator, Path::new(&file), &mut stream, drain).await?)?
        }
        Err(_) => answer::<()>(Err(Failure::new(
            "the server does not understand the request",
            "use the program of the version that is running as the server",
        )))?,
    };
    line.push('\n');
    tokio::time::timeout(PATIENCE, stream.write_all(line.as_bytes())).await?
}

fn answer<T: Serialize>(result: Result<T, Failure>) -> io::Result<String> {
    Ok(serde_json::to_string(&Answer::from(result))?)
}

/// Makes a backup unless the server drains, which would have to wait, or nobody waits for it any more.
async fn back_up(
    operator: &Operator,
    file: &Path,
    stream: &mut UnixStream,
    mut drain: watch::Receiver<bool>,
) -> io::Result<Result<u64, Failure>> {
    tokio::select! {
        backed_up = operator.back_up(file) => Ok(backed_up),
        _ = drain.wait_for(|draining| *draining) => Ok(Err(Failure::new(
            "the server is stopping, and its backup with it",
            "try again: when no server runs, this makes the backup by itself",
        ))),
        // It has said all that it had to say.
        _ = stream.read_u8() => {
            Err(io::Error::new(io::ErrorKind::ConnectionAborted, "who wanted a backup has left"))
        }
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
