//! What becomes of one line: skimmed first, read in full and judged only when it could name a provider.

use jiff::Timestamp;

use super::dispatch::Delivery;
use super::row::Row;
use crate::decide::History;
use crate::engine::Engine;
use crate::frames::{Shape, Skimmer};
use crate::post::Post;
use crate::scan::Scratch;
use crate::source::Event;
use crate::source::jetstream::wire::{self, Content, Wire};

/// What the lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Layout {
    /// Whatever each line looks like
    #[default]
    Auto,
    /// Posts
    Posts,
    /// Raw Jetstream frames, wire v1 or v2
    Jetstream,
}

impl Layout {
    fn shape(self, line: &[u8]) -> Shape {
        match (self, Shape::of(line)) {
            (Self::Posts, _) => Shape::Post,
            (Self::Jetstream, Shape::Post) => Shape::JetstreamV1,
            (Self::Auto | Self::Jetstream, seen) => seen,
        }
    }
}

/// One thread's reader of lines.
pub struct Reader<'e> {
    engine: &'e Engine,
    layout: Layout,
    writes: bool,
    now: Timestamp,
    skimmer: Skimmer,
    scratch: Scratch,
}

impl<'e> Reader<'e> {
    /// A reader that judges with this engine, and writes assessments unless they are only counted.
    pub fn new(engine: &'e Engine, layout: Layout, writes: bool, now: Timestamp) -> Self {
        Self { engine, layout, writes, now, skimmer: Skimmer::default(), scratch: Scratch::default() }
    }

    /// Reads one line into the delivery.
    pub fn read(&mut self, line: &[u8], delivery: &mut Delivery) {
        let shape = self.layout.shape(line);
        let text = self.skimmer.text(line, shape);
        if text.is_some_and(|text| !self.engine.could_name(text, &mut self.scratch)) {
            delivery.tally.lines += 1;
            delivery.tally.posts += 1;
            return;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            delivery.tally.lines += 1;
            return;
        }
        match post(line, shape) {
            Ok(Some(post)) => self.judge(&post, delivery),
            Ok(None) => delivery.tally.lines += 1,
            Err(cause) => delivery.skip(&cause),
        }
    }

    fn judge(&self, post: &Post, delivery: &mut Delivery) {
        let findings = self.engine.judge(post, &History::default(), self.now);
        delivery.tally.post(&findings);
        for finding in findings.iter().filter(|_| self.writes) {
            let row = Row::new(post, finding, self.engine.rules().version());
            serde_json::to_writer(&mut delivery.out, &row).expect("a row is always JSON");
            delivery.out.push(b'\n');
        }
    }
}

/// The post in a line, if it holds one; else why it cannot be read.
fn post(line: &[u8], shape: Shape) -> Result<Option<Post>, String> {
    let wire = match shape {
        Shape::Post => return serde_json::from_slice(line).map(Some).map_err(|e| format!("it is not a post ({e})")),
        Shape::JetstreamV1 => Wire::V1,
        Shape::JetstreamV2 => Wire::V2,
    };
    let frame = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    match wire::read(wire, frame).content {
        Content::Event(Event::Created(post) | Event::Edited(post)) => Ok(Some(*post)),
        Content::Dropped(reason) => Err(format!("it is not a frame that can be used ({reason})")),
        Content::Event(_) | Content::Nothing | Content::Info(_) | Content::Error(_) => Ok(None),
    }
}
