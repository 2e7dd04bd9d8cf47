//! Whether the quiet corpus stays quiet: posts of which none may become a lead.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use crate::decide::{History, Verdict};
use crate::engine::Engine;
use crate::post::Post;
use crate::rules::{RuleError, Rules, Sources};

/// The file of a pack that holds its quiet posts.
const FILE: &str = "quiet.jsonl";

/// A quiet post; one that is known to make noise says why that is borne.
#[derive(Debug, Deserialize)]
struct QuietPost {
    #[serde(flatten)]
    post: Post,
    #[serde(default)]
    except: Option<String>,
}

/// Judges every quiet post of every folder; returns how many there were.
pub fn check(rules: &Arc<Rules>, sources: &Sources, now: Timestamp, found: &mut Vec<RuleError>) -> usize {
    let engine = Engine::new(rules.clone());
    let mut posts = 0;
    for file in sources.folders.iter().filter_map(|folder| folder.file(FILE)) {
        for (i, line) in file.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            posts += 1;
            found.extend(
                judge(&engine, line, now)
                    .map(|(code, message, help)| RuleError::new(code, &file.label, message, help).line(i + 1)),
            );
        }
    }
    posts
}

fn judge(engine: &Engine, line: &str, now: Timestamp) -> Option<(&'static str, String, String)> {
    let quiet: QuietPost = match serde_json::from_str(line) {
        Ok(quiet) => quiet,
        Err(e) => {
            let help = "Write one post a line: {\"id\": \"1\", \"text\": \"...\"}.".to_owned();
            return Some(("R081", format!("this line is not a post ({e})."), help));
        }
    };
    let findings = engine.judge(&quiet.post, &History::default(), now);
    let loud = findings.iter().find(|f| matches!(f.verdict, Verdict::Enter | Verdict::Care));
    match (loud, quiet.except.filter(|why| !why.trim().is_empty())) {
        (Some(loud), None) => {
            let strongest = loud.assessment.reasons.iter().max_by_key(|r| r.points)?;
            let message = format!("this quiet post becomes a lead against {}.", loud.assessment.provider);
            let help = format!(
                "Mostly because of \"{}\" ({} {}). Narrow that rule, or add \"except\": \"why this is borne\".",
                strongest.text, strongest.signal, strongest.points
            );
            Some(("R080", message, help))
        }
        (None, Some(_)) => {
            let help = "Take the \"except\" away, so that it stays quiet from now on.".to_owned();
            Some(("R082", "this exception is needed no more.".to_owned(), help))
        }
        _ => None,
    }
}
