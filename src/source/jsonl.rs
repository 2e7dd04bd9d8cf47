//! Posts as JSON lines from a file, standard input or the binary itself: resumable, followed, or played at a pace.
//!
//! A line is a post as [`crate::post::Post`] describes it, or `{"delete":"<id>"}`. `after_ms` may stand in
//! either: milliseconds since the first line, obeyed when the source is [`Settings::speed`]-paced.

mod file;
mod line;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, BufReader};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::file::{Identity, Opened};
pub use self::line::LINE_BYTES_MAX;
use self::line::{Line, Next, next_line};
use super::{Cursor, Event, Health, Outlet, Source, State};

/// How often a followed file is looked at for more.
const POLL: Duration = Duration::from_millis(500);
/// How much is read at once, in bytes.
const READ_BYTES: usize = 1 << 18;

/// Where the lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file on disk.
    File(PathBuf),
    /// Standard input; it cannot be resumed.
    Stdin,
    /// A text inside the binary; it cannot be resumed either.
    Text(Cow<'static, str>),
}

/// What a JSON lines source needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Where the lines come from.
    pub input: Input,
    /// Whether to wait for more at the end of a file, and to go on with a new file of that name.
    pub follow: bool,
    /// Obey `after_ms`, so many times faster; `None` reads as fast as it can.
    pub speed: Option<f64>,
}

/// Posts as JSON lines.
#[derive(Debug)]
pub struct Jsonl {
    settings: Settings,
    health: Health,
    position: Position,
    /// Another file was begun and its first cursor is not yet on its way.
    anew: bool,
    started: Instant,
}

/// How far a file was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Position {
    /// Which file, whatever its name.
    file: Option<Identity>,
    /// The first byte not yet read.
    offset: u64,
}

impl Source for Jsonl {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn health(&self) -> Health {
        self.health.clone()
    }

    fn run(
        mut self: Box<Self>,
        cursor: Option<String>,
        mut outlet: Outlet,
        stop: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        self.position = cursor.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Box::pin(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.read(&mut outlet) => {}
            }
            self.flush(&mut outlet).await;
        })
    }
}

impl Jsonl {
    /// A source that has not begun.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let health = Health::new(&settings.name);
        Self { settings, health, position: Position::default(), anew: false, started: Instant::now() }
    }

    async fn read(&mut self, outlet: &mut Outlet) {
        self.started = Instant::now();
        match self.settings.input.clone() {
            Input::Stdin => {
                self.health.set_place("standard input");
                self.health.set(State::Live);
                self.read_all(BufReader::new(tokio::io::stdin()), outlet).await;
            }
            Input::Text(text) => {
                self.health.set_place("inside the program");
                self.health.set(State::Live);
                self.read_all(text.as_bytes(), outlet).await;
            }
            Input::File(path) => self.read_file(&path, outlet).await,
        }
        if !matches!(self.health.view().state, State::Failed { .. }) {
            self.health.set(State::Finished);
        }
    }

    /// Reads a file, and when followed all that will ever be appended to it or put in its place.
    async fn read_file(&mut self, path: &std::path::Path, outlet: &mut Outlet) {
        self.health.set_place(&path.display().to_string());
        loop {
            match Opened::at(path, self.position.file.as_ref(), self.position.offset).await {
                Ok(opened) => {
                    if opened.is_another && self.position.file.is_some() {
                        tracing::info!(source = self.settings.name, "another file stands there now; reading it all");
                    }
                    self.anew |= opened.is_another;
                    if opened.is_another {
                        self.health.set(State::CatchingUp);
                    }
                    self.position = Position { file: Some(opened.identity), offset: opened.offset };
                    self.read_all(BufReader::with_capacity(READ_BYTES, opened.file), outlet).await;
                }
                Err(e) => {
                    let why = format!("{} cannot be read: {e}. Check the path and who may read it.", path.display());
                    self.health.set(State::Failed { why });
                }
            }
            if !self.settings.follow {
                return;
            }
            sleep(POLL).await;
        }
    }

    /// Reads to the present end.
    async fn read_all(&mut self, mut input: impl AsyncBufRead + Unpin, outlet: &mut Outlet) {
        let mut buffer = Vec::new();
        loop {
            let next = match next_line(&mut input, &mut buffer).await {
                Ok(next) => next,
                Err(e) => {
                    self.health.set(State::Failed { why: format!("reading stopped: {e}.") });
                    break;
                }
            };
            match next {
                Next::Line { bytes } => {
                    self.take(Line::parse(&buffer), outlet).await;
                    self.position.offset += bytes;
                }
                Next::TooLong { bytes } => {
                    self.drop_one("line_too_long", outlet);
                    self.position.offset += bytes;
                }
                // What has no line end may still be being written: a followed file is asked again.
                Next::Unfinished if self.settings.follow => break,
                Next::Unfinished => self.take_unfinished(&buffer, outlet).await,
                Next::End => break,
            }
            if outlet.is_full() {
                self.flush(outlet).await;
            }
        }
        self.flush(outlet).await;
        self.health.set(State::Live);
    }

    /// The last line of a file without a line end counts if it is whole.
    async fn take_unfinished(&mut self, buffer: &[u8], outlet: &mut Outlet) {
        let line = Line::parse(buffer);
        if line.is_ok() {
            self.position.offset += buffer.len() as u64;
        }
        self.take(line, outlet).await;
    }

    async fn take(&mut self, line: Result<Option<Line>, &'static str>, outlet: &mut Outlet) {
        match line {
            Ok(None) => {}
            Ok(Some(line)) => {
                self.keep_pace(line.after, outlet).await;
                self.health.heard(None, u64::from(matches!(line.event, Event::Created(_))));
                outlet.push(line.event);
            }
            Err(reason) => self.drop_one(reason, outlet),
        }
        outlet.touch();
    }

    /// Waits until this line is due; what came before goes on its way meanwhile.
    async fn keep_pace(&mut self, after: Duration, outlet: &mut Outlet) {
        let Some(speed) = self.settings.speed else { return };
        let due = self.started + after.div_f64(speed.max(0.01));
        if due > Instant::now() {
            self.flush(outlet).await;
            sleep_until(due).await;
        }
    }

    fn drop_one(&self, reason: &'static str, outlet: &mut Outlet) {
        self.health.dropped(reason);
        outlet.drop_one(reason);
    }

    async fn flush(&mut self, outlet: &mut Outlet) {
        let cursor = self.cursor();
        if outlet.flush(cursor).await {
            self.anew = false;
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        self.position.file.as_ref()?;
        let text = serde_json::to_string(&self.position).ok()?;
        Some(Cursor { text, position: self.position.offset.cast_signed(), anew: self.anew })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::sync::mpsc;

    use super::*;
    use crate::source::{Delivery, OUTLET_BATCHES_MAX};

    /// Runs a source to its end (or, when followed, until it rests) and tells what it gave.
    async fn run(settings: Settings, cursor: Option<String>) -> (Vec<String>, Option<String>, Health) {
        let (to, mut from) = mpsc::channel::<Delivery>(OUTLET_BATCHES_MAX);
        let source = Box::new(Jsonl::new(settings.clone()));
        let (health, stop) = (source.health(), CancellationToken::new());
        let running = tokio::spawn(source.run(cursor.clone(), Outlet::new("test", to), stop.clone()));
        let (mut said, mut last) = (Vec::new(), cursor);
        while let Ok(Some(delivery)) = tokio::time::timeout(Duration::from_secs(2), from.recv()).await {
            last = delivery.cursor.map(|cursor| cursor.text).or(last);
            said.extend(delivery.events.iter().map(say));
        }
        stop.cancel();
        running.await.unwrap();
        (said, last, health)
    }

    fn say(event: &Event) -> String {
        match event {
            Event::Deleted { network, id } => format!("-{network} {id}"),
            other => other.post().map_or_else(String::new, |post| post.id.to_string()),
        }
    }

    fn from_file(path: &std::path::Path, follow: bool) -> Settings {
        Settings { name: "test".into(), input: Input::File(path.to_owned()), follow, speed: None }
    }

    #[tokio::test]
    async fn a_text_with_bad_lines() {
        let text = "{\"id\":\"1\",\"text\":\"a\"}\n\nhello\n{\"id\":2,\"text\":\"b\"}\n{\"delete\":\"1\"}\n\
                    {\"delete\":\"at://did:plc:ann/app.bsky.feed.post/1\"}\n{\"delete\":7}\n[]\n{\"id\":\"3\",\"text\":\"c\"}";
        let settings =
            Settings { name: "test".into(), input: Input::Text(text.into()), follow: false, speed: Some(1000.0) };
        let (said, cursor, health) = run(settings, None).await;
        assert_eq!(said, ["1", "-other 1", "-bluesky at://did:plc:ann/app.bsky.feed.post/1", "3"]);
        assert_eq!((cursor, health.view().state), (None, State::Finished));
        let dropped: Vec<_> = health.view().dropped.into_iter().collect();
        assert_eq!(dropped, [("not_json".to_owned(), 1), ("wrong_shape".to_owned(), 3)]);
    }

    #[tokio::test]
    async fn a_file_is_resumed_where_it_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.jsonl");
        std::fs::write(&path, "{\"id\":\"1\",\"text\":\"a\"}\n{\"id\":\"2\",\"te").unwrap();
        let (said, cursor, health) = run(from_file(&path, false), None).await;
        assert_eq!((said, health.view().dropped.len()), (vec!["1".to_owned()], 1), "half a line is not a post");
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"xt\":\"b\"}\n{\"id\":\"3\",\"text\":\"c\"}\n").unwrap();
        let (said, cursor, _) = run(from_file(&path, false), cursor).await;
        assert_eq!(said, ["2", "3"], "nothing lost, nothing twice");
        assert!(run(from_file(&path, false), cursor.clone()).await.0.is_empty());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "{\"id\":\"4\",\"text\":\"d\"}\n").unwrap();
        assert_eq!(run(from_file(&path, false), cursor).await.0, ["4"], "another file of that name");
    }

    #[tokio::test]
    async fn a_followed_file_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.jsonl");
        std::fs::write(&path, "{\"id\":\"1\",\"text\":\"a\"}\n{\"id\":\"2\",\"te").unwrap();
        let later = path.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(700)).await;
            let mut file = std::fs::OpenOptions::new().append(true).open(&later).unwrap();
            file.write_all(b"xt\":\"b\"}\n").unwrap();
            sleep(Duration::from_millis(700)).await;
            std::fs::remove_file(&later).unwrap();
            std::fs::write(&later, "{\"id\":\"3\",\"text\":\"c\"}\n").unwrap();
        });
        assert_eq!(run(from_file(&path, true), None).await.0, ["1", "2", "3"]);
    }

    #[tokio::test]
    async fn a_missing_file_says_what_to_do() {
        let (_, _, health) = run(from_file("no/such/file".as_ref(), false), None).await;
        let State::Failed { why } = health.view().state else { panic!("it cannot be read") };
        assert!(why.starts_with("no/such/file cannot be read") && why.ends_with("who may read it."), "{why}");
    }
}
