//! Shows on a terminal how far a long command is, how fast, and how long it will take.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a command without a known end redraws its sign of life.
const TICK: Duration = Duration::from_millis(200);

/// A line on stderr; nothing at all when stderr is no terminal.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Progress through this many bytes, or through a stream whose length nobody knows.
    pub fn bytes(bytes: Option<u64>) -> Self {
        let template = match bytes {
            Some(_) => "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{spinner} {bytes}, {bytes_per_sec}, {elapsed}",
        };
        Self::new(bytes, template)
    }

    /// No progress, for tests.
    #[cfg(test)]
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    fn new(len: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(len, ProgressDrawTarget::stderr_with_hz(5));
        bar.set_style(ProgressStyle::with_template(template).expect("the templates above are well formed"));
        if len.is_none() && !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// That many more are done.
    pub fn advance(&self, count: usize) {
        self.0.inc(count as u64);
    }

    /// Writes a line to stderr without tearing the display.
    pub fn print(&self, line: &str) {
        self.0.suspend(|| eprintln!("{line}"));
    }

    /// Takes the display away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
