//! Puts what the threads made of their arenas back into the order of the input, and writes it out.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use super::tally::Tally;
use crate::cli::progress::Progress;

/// The most deliveries that wait for one before them; a thread that is further ahead waits too.
const WAITING_MAX: usize = 64;

/// What one arena gave.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The arena's number.
    pub number: u64,
    /// Its bytes.
    pub bytes: usize,
    /// What is to be written.
    pub out: Vec<u8>,
    /// What was counted.
    pub tally: Tally,
    /// Lines that could not be read: which one of the arena, and why.
    pub complaints: Vec<(u64, String)>,
}

impl Delivery {
    /// Counts one more line, which cannot be read.
    pub fn skip(&mut self, cause: &str) {
        self.tally.lines += 1;
        self.tally.skipped += 1;
        self.complaints.push((self.tally.lines, cause.to_owned()));
    }
}

/// Where deliveries arrive.
pub struct Dispatch<W> {
    state: Mutex<State<W>>,
    moved: Condvar,
    stopped: AtomicBool,
}

struct State<W> {
    out: W,
    progress: Progress,
    waiting: BTreeMap<u64, Delivery>,
    next: u64,
    tally: Tally,
    error: Option<io::Error>,
}

impl<W: Write> Dispatch<W> {
    /// A dispatch that writes to `out`.
    pub fn new(out: W, progress: Progress) -> Self {
        let (waiting, tally) = (BTreeMap::new(), Tally::default());
        let state = State { out, progress, waiting, next: 0, tally, error: None };
        Self { state: Mutex::new(state), moved: Condvar::new(), stopped: AtomicBool::new(false) }
    }

    /// Whether something went wrong and nothing more is wanted.
    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Takes a delivery, and writes it and those that waited for it when its turn has come.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn deliver(&self, delivery: Delivery) -> io::Result<()> {
        let mut state = self.state();
        while delivery.number > state.next && state.waiting.len() >= WAITING_MAX && !self.stopped() {
            state = self.moved.wait(state).expect("no thread panics while it writes");
        }
        state.waiting.insert(delivery.number, delivery);
        let written = state.write_what_is_next();
        self.moved.notify_all();
        written
    }

    /// Stops everything if this is an error.
    pub fn stop_on_error(&self, result: io::Result<()>) {
        if let Err(error) = result {
            self.state().error.get_or_insert(error);
            self.stopped.store(true, Ordering::Relaxed);
            self.moved.notify_all();
        }
    }

    /// What was counted in all.
    ///
    /// # Errors
    /// What stopped it, if anything did.
    pub fn finish(self) -> io::Result<Tally> {
        let mut state = self.state.into_inner().expect("no thread panics while it writes");
        state.progress.finish();
        if let Some(error) = state.error {
            return Err(error);
        }
        state.out.flush()?;
        Ok(state.tally)
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().expect("no thread panics while it writes")
    }
}

impl<W: Write> State<W> {
    fn write_what_is_next(&mut self) -> io::Result<()> {
        while let Some(delivery) = self.waiting.remove(&self.next) {
            self.next += 1;
            for (line, cause) in &delivery.complaints {
                let number = self.tally.lines + line;
                self.progress.print(&format!("jumpship: line {number} is skipped: {cause}."));
            }
            self.tally.add(&delivery.tally);
            self.progress.advance(delivery.bytes);
            self.out.write_all(&delivery.out)?;
            self.out.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_leave_in_the_order_of_the_input() {
        let dispatch = Dispatch::new(Vec::new(), Progress::hidden());
        for number in [2, 0, 3, 1] {
            dispatch.deliver(Delivery { number, out: number.to_string().into_bytes(), ..Delivery::default() }).unwrap();
        }
        assert_eq!(dispatch.state().out, b"0123");
    }
}
