//! Reads a stream into arenas of whole lines that are used again and again.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

/// How much is read at once, in bytes: large enough that handing it over costs nothing per line.
const ARENA_BYTES: usize = 256 << 10;
/// The longest line that is read, in bytes; a longer one is cut out and counted.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// A piece of the stream that holds whole lines.
#[derive(Debug, Default)]
pub struct Arena {
    /// Which piece it is, counted from 0.
    pub number: u64,
    /// Whether the line after the last one was too long and is left out.
    pub cut_a_line: bool,
    buffer: Vec<u8>,
    len: usize,
}

impl Arena {
    /// All its lines.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// Its lines one by one, without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes();
        std::iter::from_fn(move || {
            let line = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
            let more = !rest.is_empty();
            rest = rest.get(line.len() + 1..).unwrap_or_default();
            more.then_some(line)
        })
    }

    /// Reads once; returns how many bytes came.
    fn read_from(&mut self, input: &mut impl Read) -> io::Result<usize> {
        if self.buffer.len() < self.len + ARENA_BYTES {
            self.buffer.resize(self.len + ARENA_BYTES, 0);
        }
        loop {
            match input.read(&mut self.buffer[self.len..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => return read.inspect(|&count| self.len += count),
            }
        }
    }
}

/// The stream, and the start of a line that the last arena could not hold whole.
pub struct Arenas<R = Box<dyn Read + Send>> {
    input: R,
    rest: Vec<u8>,
    filled: u64,
    ended: bool,
}

impl<R: Read> Arenas<R> {
    /// Arenas of this stream.
    pub fn new(input: R) -> Self {
        Self { input, rest: Vec::new(), filled: 0, ended: false }
    }

    /// Fills the arena with the next lines; no at the end of the stream.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn fill(&mut self, arena: &mut Arena) -> io::Result<bool> {
        arena.cut_a_line = false;
        arena.len = self.rest.len();
        arena.buffer.resize(arena.len.max(arena.buffer.len()), 0);
        arena.buffer[..arena.len].copy_from_slice(&self.rest);
        self.rest.clear();
        arena.number = self.filled;
        self.filled += 1;
        while !self.ended {
            let from = arena.len;
            self.ended = arena.read_from(&mut self.input)? == 0;
            if let Some(end) = memrchr(b'\n', &arena.buffer[from..arena.len]) {
                self.rest.extend_from_slice(&arena.buffer[from + end + 1..arena.len]);
                arena.len = from + end + 1;
                return Ok(true);
            }
            if arena.len > LINE_BYTES_MAX {
                self.cut(arena)?;
                return Ok(true);
            }
        }
        Ok(arena.len > 0)
    }

    /// Drops the one line the arena holds, and the stream up to its end.
    fn cut(&mut self, arena: &mut Arena) -> io::Result<()> {
        arena.cut_a_line = true;
        while !self.ended {
            arena.len = 0;
            self.ended = arena.read_from(&mut self.input)? == 0;
            if let Some(end) = memchr(b'\n', &arena.buffer[..arena.len]) {
                self.rest.extend_from_slice(&arena.buffer[end + 1..arena.len]);
                break;
            }
        }
        (arena.len, arena.buffer) = (0, Vec::new());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that comes in pieces of a few bytes.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lines(text: &[u8], piece: usize) -> Vec<String> {
        let mut arenas = Arenas::new(Drops(text, piece));
        let (mut arena, mut all) = (Arena::default(), Vec::new());
        while arenas.fill(&mut arena).unwrap() {
            all.extend(arena.lines().map(|line| String::from_utf8(line.to_vec()).unwrap()));
            all.extend(arena.cut_a_line.then(|| "CUT".to_owned()));
        }
        all
    }

    #[test]
    fn lines_come_whole_however_the_stream_is_cut() {
        for piece in 1..9 {
            assert_eq!(lines(b"one\n\ntwo\r\nthree", piece), ["one", "", "two\r", "three"], "{piece}");
            assert_eq!(lines(b"", piece), Vec::<String>::new());
            assert_eq!(lines(b"\n", piece), [""]);
        }
    }

    #[test]
    fn an_endless_line_is_cut_out() {
        let mut text = b"a\n".to_vec();
        text.resize(LINE_BYTES_MAX * 2, b'x');
        text.extend_from_slice(b"\nb\nc");
        assert_eq!(lines(&text, 100_000), ["a", "CUT", "b", "c"]);
        text.truncate(LINE_BYTES_MAX * 2);
        assert_eq!(lines(&text, 100_000), ["a", "CUT"]);
    }
}
