//! The Bluesky Jetstream as a source: keeps a socket open on one of several servers and never loses its place.

mod latest;
mod position;
mod socket;
pub mod wire;

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, interval, sleep};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use self::latest::Latest;
use self::position::{Position, Start};
pub use self::socket::Endpoint;
use self::socket::{Refusal, Socket};
use self::wire::{Content, Wire};
use super::{Backoff, Health, Outlet, Source, State};
use crate::clock;

/// The first and the longest wait between tries.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));
/// How often the watchdog looks.
const TICK: Duration = Duration::from_millis(500);
/// So long without a frame, we have caught up: the stream is quiet.
const QUIET: Duration = Duration::from_secs(2);
/// After so many connections broken at the same place, whatever breaks them is stepped over.
const POISONED_MAX: u32 = 3;
/// A server that refused both a number some way back and the very number we read last has lost what followed.
const LOST_REFUSALS: u32 = 2;
/// What servers of the first wire keep; an older cursor is silently moved up by them.
const KEPT_HOURS_V1: i64 = 36;
/// The most of a server's words that are shown.
const WORDS_MAX: usize = 100;

/// What a Jetstream source needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// The servers, the most wanted first.
    pub endpoints: Vec<Endpoint>,
    /// So long without a frame or an answered ping, the socket is taken for dead.
    pub silence: Duration,
    /// How far to look back when there is no cursor yet.
    pub lookback: Duration,
}

/// A stream of Bluesky posts.
#[derive(Debug)]
pub struct Jetstream {
    settings: Settings,
    health: Health,
    latest: Latest,
    position: Position,
    /// Which endpoint is in use.
    chosen: usize,
    /// How often the chosen endpoint refused where we wanted to start.
    refusals: u32,
    /// How many connections in a row broke without getting any further.
    poisoned: u32,
}

/// Why a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Stopped,
    Closed(String),
    /// A frame that no client can take.
    Poison(String),
    /// The numbers are not those of the server we knew.
    OtherServer,
}

impl Source for Jetstream {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn health(&self) -> Health {
        self.health.clone()
    }

    fn run(
        mut self: Box<Self>,
        cursor: Option<String>,
        outlet: Outlet,
        stop: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        self.resume(cursor.as_deref());
        Box::pin(async move { self.keep_listening(outlet, stop).await })
    }
}

impl Jetstream {
    /// A source that has not begun.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let health = Health::new(&settings.name);
        let position = Position::at_time(now_us());
        Self { settings, health, latest: Latest::default(), position, chosen: 0, refusals: 0, poisoned: 0 }
    }

    /// Whether any server lets us in at this moment; its name, or what each of them said.
    ///
    /// # Errors
    /// One line for each server.
    pub async fn probe(settings: &Settings) -> Result<String, String> {
        let mut said = Vec::new();
        for endpoint in &settings.endpoints {
            match endpoint.open(Start::Live).await {
                Ok(_) => return Ok(format!("{} ({:?})", endpoint.name(), endpoint.wire)),
                Err(refusal) => said.push(format!("{}: {}", endpoint.name(), refusal.words())),
            }
        }
        Err(said.join("\n"))
    }

    fn resume(&mut self, cursor: Option<&str>) {
        let lookback_us = u64::try_from(self.settings.lookback.as_micros()).unwrap_or(u64::MAX);
        let stored = cursor.and_then(Position::from_text);
        if cursor.is_some() && stored.is_none() {
            self.gap("the stored cursor could not be read");
        }
        self.position = stored.unwrap_or_else(|| Position::at_time(now_us().saturating_sub(lookback_us)));
    }

    async fn keep_listening(&mut self, mut outlet: Outlet, stop: CancellationToken) {
        let mut backoff = BACKOFF;
        while !stop.is_cancelled() {
            let before = self.position.clone();
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                opened = self.open() => match opened {
                    Ok(socket) => match self.listen(socket, &mut outlet, &stop).await {
                        End::Stopped => return,
                        end => self.ended(&end),
                    },
                    Err(refusal) => self.refused(refusal),
                },
            };
            if self.position != before {
                backoff.reset();
                (self.refusals, self.poisoned) = (0, 0);
            }
            if !self.pause(backoff.next(asked), &stop).await {
                return;
            }
            self.health.reconnected();
        }
    }

    async fn open(&mut self) -> Result<Socket, Refusal> {
        let endpoint = &self.settings.endpoints[self.chosen];
        let (name, wire) = (endpoint.name().to_owned(), endpoint.wire);
        let start = match self.poisoned {
            0..POISONED_MAX => self.position.start(&name, wire, self.refusals),
            poisoned => self.position.start_beyond(wire, poisoned - POISONED_MAX),
        };
        self.health.set_place(&name);
        tracing::debug!(source = self.settings.name, host = name, ?wire, ?start, "connecting");
        let socket = endpoint.open(start).await?;
        self.report_gaps(&name, wire, start);
        self.position.move_to(&name, wire);
        self.health.set(if start == Start::Live { State::Live } else { State::CatchingUp });
        Ok(socket)
    }

    /// What the way we start says about posts that may be missing.
    fn report_gaps(&self, name: &str, wire: Wire, start: Start) {
        let old = Timestamp::from_microsecond(i64::try_from(self.position.time_us()).unwrap_or(i64::MAX))
            .is_ok_and(|at| clock::now().duration_since(at) > SignedDuration::from_hours(KEPT_HOURS_V1));
        if start == Start::Live || self.refusals >= LOST_REFUSALS {
            self.gap(&format!("{name} no longer has all that was said since we last listened"));
        } else if self.poisoned >= POISONED_MAX {
            self.gap(&format!("{name} sends something no client can read; stepping over it"));
        } else if wire == Wire::V1 && old {
            self.gap(&format!("we were away for longer than the {KEPT_HOURS_V1} hours that {name} keeps"));
        }
    }

    async fn listen(&mut self, mut socket: Socket, outlet: &mut Outlet, stop: &CancellationToken) -> End {
        let mut tick = interval(TICK);
        let (mut heard, mut pinged, mut framed) = (Instant::now(), Instant::now(), Instant::now());
        let end = loop {
            tokio::select! {
                () = stop.cancelled() => break End::Stopped,
                message = socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            framed = heard;
                            if let Some(end) = self.take(&text, outlet) {
                                break end;
                            }
                        }
                        Some(Ok(Message::Binary(_))) => self.drop_one("binary_frame", outlet),
                        Some(Ok(Message::Close(frame))) => break End::Closed(words_of_close(frame.as_ref())),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => break end_of(&error),
                        None => break End::Closed("the server hung up".to_owned()),
                    }
                }
                () = outlet.due() => {}
                _ = tick.tick() => {
                    if heard.elapsed() > self.settings.silence {
                        break End::Closed(format!("nothing heard for {} s", self.settings.silence.as_secs()));
                    }
                    if pinged.elapsed() > self.settings.silence / 3 {
                        pinged = Instant::now();
                        // A ping that cannot be sent shows in the next read.
                        let _ = socket.feed(Message::Ping(Vec::new().into())).await;
                        let _ = tokio::time::timeout(TICK, socket.flush()).await;
                    }
                    if framed.elapsed() > QUIET {
                        self.health.set(State::Live);
                    }
                }
            }
            if outlet.is_full() {
                if !outlet.flush(Some(self.position.to_cursor())).await {
                    break End::Stopped;
                }
                // Waiting for a slow pipeline is not the server's silence.
                heard = Instant::now();
            }
        };
        outlet.flush(Some(self.position.to_cursor())).await;
        end
    }

    /// Takes in one frame; `Some` when the connection is to end.
    fn take(&mut self, text: &str, outlet: &mut Outlet) -> Option<End> {
        let frame = wire::read(self.settings.endpoints[self.chosen].wire, text);
        if frame.place.is_some_and(|place| self.position.contradicts(place)) {
            return Some(End::OtherServer);
        }
        let time = frame.place.and_then(|place| Timestamp::from_microsecond(i64::try_from(place.time_us).ok()?).ok());
        self.health.heard(time, u64::from(matches!(&frame.content, Content::Event(event) if event.post().is_some())));
        let end = self.take_content(frame.content, frame.place.map_or(0, |place| place.time_us), outlet);
        if let Some(place) = frame.place {
            self.position.advance(place, now_us());
            outlet.touch();
        }
        end
    }

    fn take_content(&mut self, content: Content, time_us: u64, outlet: &mut Outlet) -> Option<End> {
        match content {
            Content::Event(event) if self.latest.is_outdated(&event, time_us) => {
                self.drop_one("outdated", outlet);
            }
            Content::Event(event) => outlet.push(event),
            Content::Nothing => {}
            Content::Dropped(reason) => self.drop_one(reason, outlet),
            Content::Info(name) if name == "FutureCursor" => return Some(End::OtherServer),
            // Told already when the server refused our number.
            Content::Info(name) if name == "OutdatedCursor" && self.refusals >= LOST_REFUSALS => {}
            Content::Info(name) if name == "OutdatedCursor" => {
                self.gap("the server no longer has all that was said since we last listened");
            }
            Content::Info(_) => self.drop_one("unknown_info", outlet),
            Content::Error(name) => return Some(End::Closed(format!("the server says {}", shortened(&name)))),
        }
        None
    }

    /// A stream ended: the same server is tried again, for it may only have hiccuped.
    fn ended(&mut self, end: &End) -> Option<Duration> {
        self.health.set(State::Connecting);
        match end {
            End::Stopped => {}
            End::Closed(why) => tracing::info!(source = self.settings.name, why, "the stream ended"),
            End::Poison(why) => {
                self.poisoned += 1;
                self.health.dropped("unreadable_frame");
                tracing::warn!(source = self.settings.name, why, "a frame could not be read");
            }
            End::OtherServer => {
                self.position.forget_numbers();
                tracing::warn!(source = self.settings.name, "the server counts anew; going on by time");
            }
        }
        None
    }

    /// No stream: another start on this server if it was the cursor, else the next server.
    fn refused(&mut self, refusal: Refusal) -> Option<Duration> {
        let (name, words) = (&self.settings.name, refusal.words());
        tracing::warn!(source = name, host = self.settings.endpoints[self.chosen].name(), why = words, "no stream");
        match refusal {
            Refusal::Request(_) if self.refusals < 3 => {
                self.refusals += 1;
                self.health.set(State::Connecting);
                return None;
            }
            Refusal::Later(Some(wait), _) => {
                let until = clock::now() + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(1));
                self.health.set(State::RateLimited { until });
                self.next_endpoint();
                return Some(wait);
            }
            Refusal::Later(None, why) | Refusal::Request(why) | Refusal::Unreachable(why) => {
                self.health.set(State::Failed { why });
            }
        }
        self.next_endpoint();
        None
    }

    const fn next_endpoint(&mut self) {
        self.chosen = (self.chosen + 1) % self.settings.endpoints.len();
        self.refusals = 0;
    }

    /// Waits; false when we are to stop.
    async fn pause(&self, wait: Duration, stop: &CancellationToken) -> bool {
        tokio::select! {
            () = stop.cancelled() => false,
            () = sleep(wait) => true,
        }
    }

    fn drop_one(&self, reason: &'static str, outlet: &mut Outlet) {
        self.health.dropped(reason);
        outlet.drop_one(reason);
    }

    fn gap(&self, why: &str) {
        tracing::warn!(source = self.settings.name, why, "posts may be missing");
        self.health.gap(why);
    }
}

impl Refusal {
    fn words(&self) -> &str {
        match self {
            Self::Later(_, why) | Self::Request(why) | Self::Unreachable(why) => why,
        }
    }
}

/// What the library could not take, told apart by whether the same bytes would break us again.
fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) | Error::Utf8(_) => End::Poison(error.to_string()),
        other => End::Closed(other.to_string()),
    }
}

fn words_of_close(frame: Option<&tokio_tungstenite::tungstenite::protocol::CloseFrame>) -> String {
    frame.map_or_else(
        || "the server closed the stream".to_owned(),
        |frame| format!("the server closed the stream: {} {}", frame.code, shortened(&frame.reason)),
    )
}

fn shortened(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect()
}

fn now_us() -> u64 {
    u64::try_from(clock::now().as_microsecond()).unwrap_or_default()
}
