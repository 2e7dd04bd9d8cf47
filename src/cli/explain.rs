//! `jumpship explain`: how one post is read, with coloured words, reasons and the verdict.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use super::args::RulesArgs;
use super::{Exit, fail};
use crate::clock;
use crate::decide::{History, Verdict};
use crate::engine::{Engine, Finding};
use crate::post::{Post, Span};
use crate::score::Points;
use crate::text::one_line;

/// Show how one post is read: who is left for whom, what counts, and why we speak or not
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The words of the post
    text: String,
    /// The provider it was said to, as in its help chat
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// The language it is written in, such as `en` or `de`
    #[arg(long)]
    lang: Option<String>,
    #[command(flatten)]
    rules: RulesArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let engine = match args.rules.load() {
        Ok(rules) => Engine::new(Arc::new(rules)),
        Err(report) => return fail(format!("the rules cannot be used.\n{report}")),
    };
    let post =
        Post { addressed_to: args.to.clone(), lang: args.lang.clone(), ..Post::new("explain", args.text.as_str()) };
    let mut out = std::io::stdout().lock();
    let paint = Paint { on: out.is_terminal() };
    match explain(&engine, &post, paint, &mut out) {
        Ok(()) => Exit::Ok,
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(e) => fail(format!("the answer cannot be written: {e}.")),
    }
}

/// Whether words are coloured.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// On for a terminal, off for a file.
    pub on: bool,
}

impl Paint {
    fn words(self, colour: &str, words: &str) -> String {
        if self.on { format!("\x1b[{colour}m{words}\x1b[0m") } else { words.to_owned() }
    }
}

const PROVIDER: &str = "1;36";
const FOR: &str = "1;31";
const AGAINST: &str = "1;32";
const FAINT: &str = "2";

/// Writes the reading of a post.
///
/// # Errors
/// When the output cannot be written.
pub fn explain(engine: &Engine, post: &Post, paint: Paint, out: &mut impl Write) -> std::io::Result<()> {
    let scan = engine.scan(post);
    let findings = engine.judge(post, &History::default(), clock::now());
    let names = scan.mentions.iter().map(|m| (m.span, PROVIDER));
    let marks = names.chain(findings.iter().flat_map(marks_of)).collect();
    writeln!(out, "{}\n", painted(&post.text, marks, paint))?;
    if findings.is_empty() {
        return writeln!(out, "It names no provider, or none that is meant here.");
    }
    for finding in &findings {
        one(finding, engine, paint, out)?;
    }
    let faint = format!("rules {}, model {}", engine.rules().version(), engine.model_version());
    writeln!(out, "{}", paint.words(FAINT, &faint))
}

fn marks_of(finding: &Finding) -> impl Iterator<Item = (Span, &'static str)> {
    let staff = finding.assessment.reasons.iter().filter(|reason| reason.rule.is_some());
    staff.map(|reason| (reason.span, colour(reason.points)))
}

fn colour(points: Points) -> &'static str {
    if points < Points::ZERO { AGAINST } else { FOR }
}

/// The text on one line, each mark in its colour; the first mark wins where two overlap.
fn painted(text: &str, marks: Vec<(Span, &'static str)>, paint: Paint) -> String {
    let mut kept: Vec<(Span, &str)> = Vec::new();
    for (span, colour) in marks {
        if span.start < span.end && !kept.iter().any(|(other, _)| other.overlaps(span)) {
            kept.push((span, colour));
        }
    }
    kept.sort_by_key(|(span, _)| *span);
    let (mut shown, mut at) = (String::new(), 0);
    for (span, colour) in kept {
        shown.push_str(&one_line(text.get(at..span.start).unwrap_or("")));
        shown.push_str(&paint.words(colour, &one_line(span.of(text))));
        at = span.end;
    }
    shown + &one_line(text.get(at..).unwrap_or(""))
}

fn one(finding: &Finding, engine: &Engine, paint: Paint, out: &mut impl Write) -> std::io::Result<()> {
    let a = &finding.assessment;
    let us = if finding.is_home { " (us)" } else { "" };
    let toward = a.toward.as_ref().map_or_else(String::new, |to| format!(" -> {}", paint.words(PROVIDER, to)));
    let who = paint.words(PROVIDER, &a.provider);
    writeln!(out, "{who}{us}{toward}: {}, intent {:.0} %", a.stance, a.intent * 100.0)?;
    for reason in &a.reasons {
        let points = paint.words(colour(reason.points), &format!("{:>7}", reason.points.to_string()));
        let words = if reason.text.is_empty() { String::new() } else { format!("\"{}\"", one_line(&reason.text)) };
        let rule = paint.words(FAINT, reason.rule.as_deref().unwrap_or(""));
        writeln!(out, "{}", format!("  {points}  {:<26} {words:<34} {rule}", reason.signal).trim_end())?;
    }
    writeln!(out, "  {:>7}  in all", a.score.to_string())?;
    writeln!(out, "  {}: {}", finding.verdict, why(finding, engine))?;
    if let Some(draft) = finding.drafts.first() {
        writeln!(out, "  draft ({}): {}", draft.offer, one_line(&draft.text))?;
    }
    writeln!(out)
}

/// The sentence that tells why the verdict is what it is.
fn why(finding: &Finding, engine: &Engine) -> String {
    let policy = engine.rules().policy();
    let (enter, watch) = (policy.enter_intent * 100.0, policy.watch_intent * 100.0);
    match &finding.verdict {
        Verdict::Enter => format!("intent is at least {enter:.0} %, and nothing holds us back"),
        Verdict::Care => format!("one of our own is leaving, intent is at least {enter:.0} %"),
        Verdict::Watch => format!("worth a look, but intent is below {enter:.0} %"),
        Verdict::Ignore => format!("intent is below {watch:.0} % and it is no complaint"),
        Verdict::Hold(hold) => {
            let rule = engine.rules().holds().iter().find(|rule| rule.id == hold.code);
            rule.map_or_else(|| "what we know of the author says so".to_owned(), |rule| rule.why.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Rules, RulesSource};

    #[test]
    fn a_reading_names_both_sides_the_rule_and_the_sum() {
        let engine = Engine::new(Arc::new(Rules::load(&RulesSource::default()).unwrap()));
        let mut out = Vec::new();
        let post = Post::new("1", "I'm leaving Vodafone for giffgaff as soon as my contract is up");
        explain(&engine, &post, Paint { on: false }, &mut out).unwrap();
        let shown = String::from_utf8(out).unwrap();
        for part in ["vodafone -> giffgaff: leaving", "giffgaff: joining", "signals/leaving.toml:", "in all", "enter:"]
        {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }

    #[test]
    fn marks_do_not_overlap() {
        let marks = vec![(Span::new(0, 3), FOR), (Span::new(2, 5), AGAINST), (Span::new(4, 5), AGAINST)];
        assert_eq!(painted("abc de", marks, Paint { on: true }), "\x1b[1;31mabc\x1b[0m \x1b[1;32md\x1b[0me");
    }
}
