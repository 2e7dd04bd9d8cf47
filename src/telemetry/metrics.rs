//! All counters in one place, and their text for `/metrics`.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Counters about one source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabels {
    /// Its name.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DropLabels {
    source: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    source: String,
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    verdict: String,
}

/// What a source tells at the moment it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReading {
    /// Its name.
    pub source: String,
    /// What it is doing, in a word.
    pub state: &'static str,
    /// How far behind it is.
    pub lag_ms: Option<i64>,
    /// When it heard something last, in seconds since 1970.
    pub last_event_second: Option<i64>,
    /// How often it connected again.
    pub reconnects: u64,
    /// How many stretches may have been missed.
    pub gaps: u64,
}

/// The daemon's counters. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Posts looked at.
    pub posts: Family<SourceLabels, Counter>,
    dropped: Family<DropLabels, Counter>,
    verdicts: Family<VerdictLabels, Counter>,
    /// Leads made.
    pub leads: Counter,
    /// Leads withdrawn because their post went or changed.
    pub withdrawn: Counter,
    /// Posts erased at their author's wish.
    pub erased: Counter,
    /// Posts whose judgement broke and were left out.
    pub panics: Counter,
    /// Batches that had to be stored again.
    pub commit_retries: Counter,
    /// Reloads of the rules that were taken.
    pub reloads: Counter,
    /// Reloads that were refused.
    pub reloads_refused: Counter,
    /// Whether the rules on disk are refused at the moment.
    pub rules_refused: Gauge,
    batch_seconds: BatchSeconds,
    lag_seconds: Family<SourceLabels, Gauge<f64, std::sync::atomic::AtomicU64>>,
    last_event: Family<SourceLabels, Gauge>,
    reconnects: Family<SourceLabels, Gauge>,
    gaps: Family<SourceLabels, Gauge>,
    state: Family<StateLabels, Gauge>,
}

/// How long a batch takes from its arrival to the end of its transaction.
#[derive(Debug, Clone)]
struct BatchSeconds(Histogram);

impl Default for BatchSeconds {
    fn default() -> Self {
        Self(Histogram::new(exponential_buckets(0.000_5, 2.0, 14)))
    }
}

impl Metrics {
    /// Something was left out.
    pub fn dropped(&self, source: &str, reason: &str, times: u64) {
        let labels = DropLabels { source: source.to_owned(), reason: reason.to_owned() };
        self.dropped.get_or_create(&labels).inc_by(times);
    }

    /// A verdict was given.
    pub fn verdict(&self, verdict: &str) {
        self.verdicts.get_or_create(&VerdictLabels { verdict: verdict.to_owned() }).inc();
    }

    /// A batch was judged and stored.
    pub fn batch(&self, seconds: f64) {
        self.batch_seconds.0.observe(seconds);
    }

    /// Everything as text for a scraper, with what the sources say at this moment.
    #[must_use]
    pub fn text(&self, sources: &[SourceReading]) -> String {
        self.read(sources);
        let mut out = String::new();
        text::encode(&mut out, &self.registry()).expect("a String takes everything");
        out
    }

    fn read(&self, sources: &[SourceReading]) {
        self.state.clear();
        for reading in sources {
            let labels = SourceLabels { source: reading.source.clone() };
            if let Some(lag_ms) = reading.lag_ms {
                #[expect(clippy::cast_precision_loss, reason = "a lag is far below 2^53 ms")]
                self.lag_seconds.get_or_create(&labels).set(lag_ms as f64 / 1_000.0);
            }
            if let Some(second) = reading.last_event_second {
                self.last_event.get_or_create(&labels).set(second);
            }
            self.reconnects.get_or_create(&labels).set(reading.reconnects.cast_signed());
            self.gaps.get_or_create(&labels).set(reading.gaps.cast_signed());
            let state = StateLabels { source: reading.source.clone(), state: reading.state.to_owned() };
            self.state.get_or_create(&state).set(1);
        }
    }

    /// The one list of names.
    fn registry(&self) -> Registry {
        let mut r = Registry::with_prefix("jumpship");
        r.register("posts", "Posts looked at", self.posts.clone());
        r.register("dropped", "What was left out, by reason", self.dropped.clone());
        r.register("verdicts", "Verdicts given, one for each post and provider", self.verdicts.clone());
        r.register("leads", "Leads made", self.leads.clone());
        r.register("leads_withdrawn", "Leads withdrawn because their post went or changed", self.withdrawn.clone());
        r.register("posts_erased", "Posts erased because their author deleted them or left", self.erased.clone());
        r.register("panics", "Posts left out because judging them broke", self.panics.clone());
        r.register("commit_retries", "Batches that had to be stored again", self.commit_retries.clone());
        r.register("rules_reloads", "Reloads of the rules that were taken", self.reloads.clone());
        r.register("rules_reloads_refused", "Reloads that were refused", self.reloads_refused.clone());
        r.register("rules_refused", "1 while the rules on disk are refused", self.rules_refused.clone());
        r.register("batch_seconds", "Time to judge and store a batch", self.batch_seconds.0.clone());
        r.register("source_lag_seconds", "How far behind a source is", self.lag_seconds.clone());
        r.register("source_last_event_timestamp_seconds", "When a source last heard anything", self.last_event.clone());
        r.register("source_reconnects", "How often a source connected again", self.reconnects.clone());
        r.register("source_gaps", "Stretches a source may have missed", self.gaps.clone());
        r.register("source_state", "1 for the state a source is in", self.state.clone());
        r
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_what_was_counted() {
        let metrics = Metrics::default();
        metrics.dropped("bluesky", "not_json", 3);
        metrics.leads.inc();
        metrics.verdict("enter");
        let reading = SourceReading {
            source: "bluesky".into(),
            state: "live",
            lag_ms: Some(1_500),
            last_event_second: Some(1_800_000_000),
            reconnects: 2,
            gaps: 0,
        };
        let text = metrics.text(&[reading]);
        for line in [
            "jumpship_dropped_total{source=\"bluesky\",reason=\"not_json\"} 3",
            "jumpship_leads_total 1",
            "jumpship_verdicts_total{verdict=\"enter\"} 1",
            "jumpship_source_lag_seconds{source=\"bluesky\"} 1.5",
            "jumpship_source_state{source=\"bluesky\",state=\"live\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
