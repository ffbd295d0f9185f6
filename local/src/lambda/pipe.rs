//! What a process prints, taken line by line; and whether all that it has printed so far was taken.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::io::ioctl_fionread;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, ReadBuf};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::output::Stream;
use crate::cloud::Cloud;

/// The longest line that is kept whole.
const MOST_LINE: usize = 256 * 1024;
/// How long what was printed is waited for, at most: a process may go on printing after it has answered.
const MOST_WAIT: Duration = Duration::from_millis(20);

/// A pipe that a process prints to, whose lines something else takes.
pub struct Pipe {
    end: OwnedFd,
    has_taken: Arc<AtomicBool>,
}

impl Pipe {
    /// Has one of `readers` take its lines to the log until the process is gone.
    pub fn read<R: AsyncRead + AsFd + Send + Unpin + 'static>(
        pipe: R,
        cloud: &Arc<Cloud>,
        stream: &Arc<Stream>,
        readers: &mut JoinSet<()>,
    ) -> io::Result<Self> {
        let end = pipe.as_fd().try_clone_to_owned()?;
        let has_taken = Arc::new(AtomicBool::new(false));
        let watched = Watched {
            pipe,
            has_taken: Arc::clone(&has_taken),
        };
        let (cloud, stream) = (Arc::clone(cloud), Arc::clone(stream));
        readers.spawn(async move {
            let mut lines = BufReader::new(watched).split(b'\n');
            while let Ok(Some(mut line)) = lines.next_segment().await {
                line.truncate(MOST_LINE);
                stream.print(&cloud, String::from_utf8_lossy(&line).into_owned());
            }
        });
        Ok(Self { end, has_taken })
    }

    /// Whether nothing is in the pipe, nor on its way from there to the log. In this order: what was taken meanwhile is known.
    fn is_empty(&self) -> bool {
        ioctl_fionread(&self.end).is_ok_and(|bytes| bytes == 0) && !self.has_taken.load(Ordering::Acquire)
    }
}

/// Waits until all that the process has printed so far is in the log.
pub async fn all_taken(pipes: &[Pipe]) {
    let taken = async {
        while !pipes.iter().all(Pipe::is_empty) {
            tokio::task::yield_now().await;
        }
    };
    // What is late stands later.
    let _ = timeout(MOST_WAIT, taken).await;
}

/// Says of a pipe from before each reading on that there may be something on its way, until it was found empty.
struct Watched<R> {
    pipe: R,
    has_taken: Arc<AtomicBool>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Watched<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.has_taken.store(true, Ordering::Release);
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.pipe).poll_read(context, buffer);
        if buffer.filled().len() == before {
            self.has_taken.store(false, Ordering::Release);
        }
        read
    }
}
