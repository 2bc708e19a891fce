//! A connection that does not wait for ever for a client to read: whoever takes nothing, or next to nothing, is let go.
//!
//! What an answer holds, such as the turn of a download, is held no longer than this allows.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The least that a client has to take within the patience, once it keeps the server waiting: 64 KiB.
const LEAST: usize = 64 << 10;

/// A stream on which a client has to take [`LEAST`] bytes within a time, or all there are.
pub(crate) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// Until when, since the client has kept the server waiting.
    waiting: Option<Pin<Box<Sleep>>>,
    /// The bytes taken since then.
    taken: usize,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, waiting: None, taken: 0 }
    }

    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.taken = self.taken.saturating_add(bytes);
                if self.taken >= LEAST {
                    self.waiting = None;
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if self.waiting.is_none() {
                    self.taken = 0;
                }
                let patience = self.patience;
                let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
                ready!(waiting.as_mut().poll(context));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // It is called when everything has been taken that there was to write.
        self.waiting = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn who_takes_nothing_is_let_go() {
        let (server, _client) = duplex(1000);
        let mut server = Patient::new(server, PATIENCE);
        assert_eq!(server.write_all(&[0; 5000]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_takes_next_to_nothing_is_let_go() {
        let (server, mut client) = duplex(1000);
        let mut server = Patient::new(server, PATIENCE);
        let writing = tokio::spawn(async move { server.write_all(&[0; 1 << 20]).await });
        while !writing.is_finished() {
            let _taken = client.read(&mut [0; 10]).await;
            tokio::time::sleep(PATIENCE / 20).await;
        }
        assert_eq!(writing.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_reads_gets_everything_however_often_it_rests() {
        let (server, mut client) = duplex(LEAST);
        let mut server = Patient::new(server, PATIENCE);
        let writing = tokio::spawn(async move {
            for _ in 0..4 {
                server.write_all(&[0; 3 * LEAST]).await?;
                server.flush().await?;
                // Nobody waits for a client that has nothing to take.
                tokio::time::sleep(2 * PATIENCE).await;
            }
            Ok::<_, io::Error>(())
        });
        let mut read = 0;
        let mut buffer = vec![0; LEAST];
        while read < 12 * LEAST {
            tokio::time::sleep(PATIENCE / 20).await;
            read += client.read(&mut buffer).await.unwrap();
        }
        writing.await.unwrap().unwrap();
    }
}
