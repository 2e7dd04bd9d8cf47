//! One line of the file format: cut out of a stream within bounds, and read as an event or refused by reason.

use std::io;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::post::{Network, Post, PostId};
use crate::source::{Event, clean};

/// The longest line that is read, in bytes; a longer one is skipped and counted.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// What came next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A line of so many bytes, its end included.
    Line { bytes: u64 },
    /// A line that was not kept.
    TooLong { bytes: u64 },
    /// Something without a line end.
    Unfinished,
    /// Nothing more at present.
    End,
}

/// Reads the next line into `buffer`, never keeping more than [`LINE_BYTES_MAX`].
pub async fn next_line(input: &mut (impl AsyncBufRead + Unpin), buffer: &mut Vec<u8>) -> io::Result<Next> {
    buffer.clear();
    let mut bytes: u64 = 0;
    loop {
        let chunk = input.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(if bytes == 0 { Next::End } else { Next::Unfinished });
        }
        let end = memchr::memchr(b'\n', chunk).map(|at| at + 1);
        let used = end.unwrap_or(chunk.len());
        if buffer.len() + used <= LINE_BYTES_MAX {
            buffer.extend_from_slice(&chunk[..used]);
        }
        input.consume(used);
        bytes += used as u64;
        if end.is_some() {
            let kept = buffer.len() as u64 == bytes;
            return Ok(if kept { Next::Line { bytes } } else { Next::TooLong { bytes } });
        }
    }
}

/// A line, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub event: Event,
    /// When, since the first line.
    pub after: Duration,
}

/// What tells the kinds of line apart.
#[derive(Deserialize)]
struct Head {
    delete: Option<PostId>,
    network: Option<Network>,
    #[serde(default)]
    after_ms: u64,
}

impl Line {
    /// Reads a line; `None` for an empty one.
    ///
    /// # Errors
    /// The reason it cannot be used.
    pub fn parse(line: &[u8]) -> Result<Option<Self>, &'static str> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let head: Head = serde_json::from_slice(line).map_err(|e| reason(&e))?;
        let event = match head.delete {
            Some(id) => Event::Deleted { network: head.network.unwrap_or_else(|| network_of(&id)), id },
            None => Event::Created(Box::new(post(line)?)),
        };
        Ok(Some(Self { event, after: Duration::from_millis(head.after_ms) }))
    }
}

fn post(line: &[u8]) -> Result<Post, &'static str> {
    serde_json::from_slice(line).map_err(|e| reason(&e)).and_then(clean)
}

/// An identifier often tells where it comes from.
fn network_of(id: &PostId) -> Network {
    if id.as_str().starts_with("at://") { Network::Bluesky } else { Network::Other }
}

fn reason(error: &serde_json::Error) -> &'static str {
    if error.is_data() { "wrong_shape" } else { "not_json" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_bounded() {
        let mut text = vec![b'x'; LINE_BYTES_MAX - 1];
        text.extend_from_slice(b"\n");
        text.extend(std::iter::repeat_n(b'y', 3 * LINE_BYTES_MAX));
        text.extend_from_slice(b"\nz");
        let mut input = tokio::io::BufReader::new(&text[..]);
        let mut buffer = Vec::new();
        let mut said = Vec::new();
        for _ in 0..4 {
            said.push(next_line(&mut input, &mut buffer).await.unwrap());
            assert!(buffer.len() <= LINE_BYTES_MAX);
        }
        let bytes = LINE_BYTES_MAX as u64;
        assert_eq!(said, [Next::Line { bytes }, Next::TooLong { bytes: 3 * bytes + 1 }, Next::Unfinished, Next::End]);
    }

    #[test]
    fn bad_lines_have_a_reason() {
        let table: &[(&[u8], &str)] = &[
            (b"hello", "not_json"),
            (b"{\"id\":\"1\"", "not_json"),
            (b"{\"id\":\"1\",\"text\":\"\xff\"}", "not_json"),
            (b"{\"id\":\"1\"}", "wrong_shape"),
            (b"{\"id\":\"\",\"text\":\"a\"}", "bad_id"),
            (b"{\"id\":\"1\",\"text\":\"a\",\"after_ms\":-1}", "wrong_shape"),
            (b"{\"id\":\"1\",\"text\":\"a\",\"author\":\"ann\"}", "wrong_shape"),
        ];
        for (line, reason) in table {
            assert_eq!(Line::parse(line), Err(*reason), "{}", String::from_utf8_lossy(line));
        }
        assert_eq!(Line::parse(b" \r\n"), Ok(None));
    }
}
