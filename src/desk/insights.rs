//! How it goes: the sources, what today and the last week brought, what became of the leads.

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::app::App;
use super::fault::Fault;
use super::frame::Frame;
use super::row::provider_name;
use super::say;
use super::session::Who;
use crate::clock;
use crate::queue::Count;
use crate::rules::Rules;

/// How far back the figures go.
const DAYS: i64 = 7;

/// The page.
pub async fn page(State(app): State<App>, who: Who) -> Result<Markup, Fault> {
    let frame = Frame::of(&app, &who).await?;
    let since = clock::now() - SignedDuration::from_hours(24 * DAYS);
    let counts = app.store.ask(move |queue| queue.counts(since)).await?;
    let engine = app.engine();
    let body = html! {
        h1 { "Insights" }
        (figures(&frame, &counts))
        (sources(&frame))
        (rivals(&counts, engine.rules()))
        (states(&frame))
    };
    Ok(frame.page("Insights", "page", &body))
}

fn sum(counts: &[Count], name: &str) -> u64 {
    counts.iter().filter(|count| count.name == name).map(|count| count.count).sum()
}

fn figures(frame: &Frame, counts: &[Count]) -> Markup {
    html! {
        section.figures aria-label="Figures" {
            @for (n, words) in [
                (frame.pulse.posts_today, "posts read today"),
                (frame.pulse.suggested_today, "leads suggested today"),
                (sum(counts, "seen"), "posts read in 7 days"),
                (sum(counts, "leads"), "leads suggested in 7 days"),
            ] { div.card { b { (say::thousands(n)) } span.soft { (words) } } }
        }
    }
}

fn sources(frame: &Frame) -> Markup {
    html! {
        section.card {
            h2 { "Sources" }
            div.scrolls { table {
                thead { tr { th scope="col" { "Source" } th scope="col" { "State" } th scope="col" { "Last post" } } }
                tbody { @for source in &frame.pulse.sources {
                    tr {
                        td { span class={ "dot " (if source.is_well(frame.now) { "good" } else { "bad" }) } {} " " (source.name) }
                        td { (source.state) @if !source.why.is_empty() { div.small.soft { (source.why) } } }
                        td { (last(source.last_post_at, frame.now)) }
                    }
                } }
            } }
        }
    }
}

fn last(at: Option<Timestamp>, now: Timestamp) -> Markup {
    html! { @match at { Some(at) => { (say::ago(at, now)) } None => { span.soft { "none yet" } } } }
}

/// Verdicts by rival, as a table with bars.
fn rivals(counts: &[Count], rules: &Rules) -> Markup {
    let mut rows: Vec<(&str, u64, u64)> = Vec::new();
    for count in counts.iter().filter(|count| count.name == "verdict") {
        let (provider, verdict) = count.subject.split_once(':').unwrap_or((&count.subject, ""));
        let at = rows.iter().position(|row| row.0 == provider).unwrap_or_else(|| {
            rows.push((provider, 0, 0));
            rows.len() - 1
        });
        rows[at].1 += count.count;
        rows[at].2 += if verdict == "enter" { count.count } else { 0 };
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.1));
    let most = rows.first().map_or(1, |row| row.1.max(1));
    html! {
        section.card {
            h2 { "Named in 7 days" }
            div.scrolls { table {
                thead { tr { th scope="col" { "Provider" } th scope="col" {} th.points scope="col" { "Named" } th.points scope="col" { "Suggested" } } }
                tbody { @for (provider, named, entered) in rows {
                    tr {
                        td { (provider_name(rules, provider)) }
                        td { meter min="0" max=(most) value=(named) aria-label={ (named) " posts" } {} }
                        td.points { (say::thousands(named)) } td.points { (say::thousands(entered)) }
                    }
                } }
            } }
        }
    }
}

fn states(frame: &Frame) -> Markup {
    html! {
        section.card {
            h2 { "All leads" }
            table { tbody { @for (state, n) in &frame.counts { tr { td { (say::state(*state)) } td.points { (say::thousands(*n)) } } } } }
        }
    }
}
