//! The rules in force: what each says and how it fared, and a box to try a post on them.

use std::collections::HashMap;

use axum::extract::{Query, State};
use jiff::SignedDuration;
use maud::{Markup, html};
use serde::Deserialize;

use super::app::App;
use super::detail::why_table;
use super::fault::Fault;
use super::frame::Frame;
use super::inert::visible;
use super::marks::marked;
use super::row::provider_name;
use super::say;
use super::session::Who;
use super::watch::hold_why;
use crate::clock;
use crate::decide::{History, Verdict};
use crate::engine::{Engine, Finding};
use crate::post::Post;
use crate::queue::LedgerRow;
use crate::rules::Rules;

/// How far back the counts beside each rule go.
const LEDGER_DAYS: i64 = 30;
/// The longest post that is tried.
const TRY_BYTES_MAX: usize = 10_000;

/// The query of the page's address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    post: String,
}

/// The page. Trying a post stores nothing, so it is a plain question in the address.
pub async fn page(State(app): State<App>, who: Who, Query(asked): Query<Asked>) -> Result<Markup, Fault> {
    let frame = Frame::of(&app, &who).await?;
    let since = frame.now - SignedDuration::from_hours(24 * LEDGER_DAYS);
    let ledger = app.store.ask(move |queue| queue.ledger(since)).await?;
    let engine = app.engine();
    let body = html! {
        header.stack.tight {
            h1 { "Rules" }
            p.soft { "Version " code { (engine.rules().version()) } ". The files on disk are the truth: edit them in any editor, the daemon reads them again by itself." }
        }
        (refused(&app))
        (try_box(&asked.post, &engine))
        (offers(engine.rules(), frame.now))
        (signals(engine.rules(), &counted(&ledger)))
        (holds(engine.rules(), &counted(&ledger)))
    };
    Ok(frame.page("Rules", "page", &body))
}

/// Why the files on disk are not in force, if they are not.
fn refused(app: &App) -> Markup {
    html! {
        @if let Some(refused) = app.live.refused() {
            section.notice.bad role="alert" {
                p { strong { "The files on disk are refused; the rules of before stay in force." } " (" (say::full(refused.at)) ")" }
                pre.words { (visible(&refused.report.to_string())) }
            }
        }
    }
}

fn try_box(text: &str, engine: &Engine) -> Markup {
    let text: String = text.chars().take(TRY_BYTES_MAX).collect();
    html! {
        section.card.stack {
            h2 { "Try a post" }
            form.stack.tight method="get" action="/rules" {
                label { span.unseen { "A post" } textarea name="post" dir="auto" placeholder="EE signal is rubbish again, contract's up in May" { "\n" (text) } }
                div { button.primary { "Try it" } }
            }
            @if !text.is_empty() { (tried(&text, engine)) }
        }
    }
}

fn tried(text: &str, engine: &Engine) -> Markup {
    let findings = engine.judge(&Post::new("try", text), &History::default(), clock::now());
    html! {
        @if findings.is_empty() { p { "It names no provider that the rules know." } }
        @for finding in &findings { (found(text, finding, engine.rules())) }
    }
}

fn found(text: &str, finding: &Finding, rules: &Rules) -> Markup {
    let assessment = &finding.assessment;
    html! {
        article.stack.tight {
            div.inline {
                (say::score(assessment.intent))
                h3 { (provider_name(rules, &assessment.provider)) ": " (assessment.stance) ", verdict " (finding.verdict.as_str()) }
            }
            @if let Verdict::Hold(hold) = &finding.verdict { p.notice.warn { (hold_why(hold, rules)) } }
            p.post dir="auto" { (marked(text, &assessment.reasons)) }
            (why_table(assessment, rules))
            @for draft in &finding.drafts { div.notice { p.small.soft { "Draft from " (draft.offer) } p.words { (draft.text) } } }
        }
    }
}

/// Times each rule hit, was approved and was dismissed.
type Counted = HashMap<String, [u64; 3]>;

fn counted(ledger: &[LedgerRow]) -> Counted {
    let mut counted = Counted::new();
    for row in ledger {
        let at = match row.event.as_str() {
            "hit" => 0,
            "approved" => 1,
            event if event.starts_with("dismissed") => 2,
            _ => continue,
        };
        counted.entry(row.rule.clone()).or_default()[at] += row.count;
    }
    counted
}

fn figures(id: &str, counted: &Counted) -> Markup {
    let [hits, approved, dismissed] = counted.get(id).copied().unwrap_or_default();
    html! { td.points { (hits) } td.points { (approved) } td.points { (dismissed) } }
}

fn heads(first: &str) -> Markup {
    html! {
        thead { tr { th scope="col" { (first) } th.points scope="col" { "Points" } th.points scope="col" { "Hits" }
            th.points scope="col" { "Approved" } th.points scope="col" { "Dismissed" } } }
    }
}

fn signals(rules: &Rules, counted: &Counted) -> Markup {
    html! {
        section.card {
            h2 { "Signals " span.soft { "and how they fared in " (LEDGER_DAYS) " days" } }
            div.scrolls { table { (heads("Signal")) tbody {
                @for signal in rules.signals() {
                    tr id=(signal.id) {
                        td { code { (signal.id) } div.small { (signal.why) } div.small.soft { (signal.place) } }
                        td.points { (signal.points) } (figures(&signal.id, counted))
                    }
                }
            } } }
        }
    }
}

fn holds(rules: &Rules, counted: &Counted) -> Markup {
    html! {
        section.card {
            h2 { "Holds " span.soft { "beat any score" } }
            div.scrolls { table { (heads("Hold")) tbody {
                @for hold in rules.holds() {
                    tr { td { code { (hold.id) } div.small { (hold.why) } div.small.soft { (hold.place) } } td.points {} (figures(&hold.id, counted)) }
                }
            } } }
        }
    }
}

fn offers(rules: &Rules, now: jiff::Timestamp) -> Markup {
    html! {
        section.card.stack {
            h2 { "Offers" }
            @for offer in rules.offers() {
                div {
                    div.inline { strong { (offer.id) }
                        @match offer.blocked(now, 0) { None => span.chip { "may be made" }, Some(why) => span.chip.hold { (why) } }
                        @if let Some(ends) = offer.ends { span.small.soft { "until " (ends.strftime("%-d %B %Y")) } } }
                    p.words { (offer.text.trim()) }
                    @if let Some(conditions) = &offer.conditions { p.small.soft { (conditions) } }
                }
            }
        }
    }
}
