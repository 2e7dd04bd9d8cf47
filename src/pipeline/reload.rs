//! Reads the rules again when they change on disk or somebody asks; a broken set never replaces a good one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::engine::{Engine, LiveEngine};
use crate::rules::{Report, Rules, RulesSource};
use crate::telemetry::Metrics;

/// How often the folders are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The most files that are looked at in a folder; the rules themselves allow fewer.
const FILES_MAX: usize = 1_000;
/// How deep folders are looked into.
const DEPTH_MAX: usize = 3;

/// Keeps the engine in step with the rules on disk until told to stop. `ask` forces a reload at once.
pub async fn keep_reloaded(
    engine: Arc<LiveEngine>,
    source: RulesSource,
    metrics: Metrics,
    ask: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut look = interval(LOOK);
    let mut known = fingerprint_of(&source).await;
    loop {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            () = ask.notified() => true,
            _ = look.tick() => false,
        };
        let found = fingerprint_of(&source).await;
        if asked || found != known {
            known = found;
            reload(&engine, &source, &metrics).await;
        }
    }
}

async fn reload(engine: &LiveEngine, source: &RulesSource, metrics: &Metrics) {
    let source = source.clone();
    // A set that makes the reader panic is a broken set.
    let read = spawn_blocking(move || Rules::load(&source).map(|rules| Engine::new(Arc::new(rules)))).await;
    match read.unwrap_or_else(|_| Err(Report::default())) {
        Ok(new) => {
            metrics.reloads.inc();
            metrics.rules_refused.set(0);
            tracing::info!(version = new.rules().version(), "the rules were read again");
            engine.replace(new);
        }
        Err(report) => {
            metrics.reloads_refused.inc();
            metrics.rules_refused.set(1);
            let kept = engine.current();
            tracing::error!(kept = kept.rules().version(), "the rules on disk are refused:\n{report}");
            engine.refuse(report, clock::now());
        }
    }
}

/// What changes when a file is saved, added, renamed or removed: names, lengths, times.
async fn fingerprint_of(source: &RulesSource) -> u64 {
    let folders = source.folders.clone();
    spawn_blocking(move || fingerprint(&folders)).await.unwrap_or_default()
}

fn fingerprint(folders: &[PathBuf]) -> u64 {
    let mut files = Vec::new();
    for folder in folders {
        list(folder, 0, &mut files);
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for path in files {
        let metadata = path.metadata().ok();
        (path, metadata.as_ref().map(std::fs::Metadata::len), metadata.and_then(|m| m.modified().ok()))
            .hash(&mut hasher);
    }
    hasher.finish()
}

fn list(folder: &Path, depth: usize, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if out.len() >= FILES_MAX {
            return;
        }
        let path = entry.path();
        if path.is_dir() && depth < DEPTH_MAX { list(&path, depth + 1, out) } else { out.push(path) }
    }
}
