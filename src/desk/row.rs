//! One lead as a row of the list: score, rival, who, when, the first words with their marks, time left.

use jiff::Timestamp;
use maud::{Markup, html};
use unicode_segmentation::UnicodeSegmentation;

use super::inert::inert;
use super::marks::marked;
use super::say;
use crate::post::{Network, Post};
use crate::queue::{Kind, Lead, State};
use crate::rules::Rules;
use crate::score::Reason;

/// How much of a post a row shows.
const SAID_GRAPHEMES: usize = 140;

/// What a row is drawn with.
#[derive(Debug, Clone, Copy)]
pub struct RowContext<'a> {
    /// The rules, for the rivals' names.
    pub rules: &'a Rules,
    /// Who is looking at the page.
    pub me: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// A network's name as people write it.
pub const fn network_name(network: Network) -> &'static str {
    match network {
        Network::Bluesky => "Bluesky",
        Network::Mastodon => "Mastodon",
        Network::Reddit => "Reddit",
        Network::X => "X",
        Network::HackerNews => "Hacker News",
        Network::Feed => "Feed",
        Network::Other => "Other",
    }
}

/// A provider's name, or its id when the rules no longer have it.
pub fn provider_name<'a>(rules: &'a Rules, id: &'a str) -> &'a str {
    rules.provider(id).map_or(id, |provider| provider.name.as_str())
}

/// The row.
pub fn row(
    lead: &Lead,
    address: &str,
    is_open: bool,
    key: Option<&str>,
    others: &[String],
    cx: RowContext<'_>,
) -> Markup {
    let reasons = lead.assessment.as_ref().map_or(&[][..], |assessment| &assessment.reasons);
    html! {
        li.row data-id=(lead.id) data-version=(lead.version) aria-current=[is_open.then_some("true")] {
            input.pick type="checkbox" name="lead" value={ (lead.id) "." (lead.version) } aria-label={ "Select lead " (lead.id) };
            (say::score(lead.intent))
            a href=(address) data-key=[key] {
                div.meta {
                    span.chip.care[lead.kind == Kind::Care] { (provider_name(cx.rules, &lead.provider)) }
                    span { (network_name(lead.network)) }
                    @if let Some(post) = &lead.post { span.who { (handle(post)) } }
                    (say::ago(lead.created_at, cx.now))
                }
                div.said { (said(lead.post.as_ref(), reasons)) }
                (presence(lead, others, cx))
                @if lead.state == State::New { (time_left(lead, cx.now)) }
            }
        }
    }
}

/// Who wrote a post, as a handle or else a name.
pub fn handle(post: &Post) -> Markup {
    let author = &post.author;
    html! {
        @if !author.handle.is_empty() { "@" (inert(&author.handle)) }
        @else if !author.name.is_empty() { (inert(&author.name)) }
        @else { "unknown author" }
    }
}

fn said(post: Option<&Post>, reasons: &[Reason]) -> Markup {
    let Some(post) = post else { return html! { em.soft { "The post is gone." } } };
    let cut = post.text.grapheme_indices(true).nth(SAID_GRAPHEMES).map(|(at, _)| at);
    html! {
        bdi dir="auto" { (marked(&post.text[..cut.unwrap_or(post.text.len())], reasons)) }
        @if cut.is_some() { "…" }
    }
}

fn presence(lead: &Lead, others: &[String], cx: RowContext<'_>) -> Markup {
    let claim = lead.claim.as_ref().filter(|claim| claim.until > cx.now);
    html! {
        @if let Some(claim) = claim {
            div.small.presence { @if claim.by == cx.me { "You are replying" } @else { (claim.by) " is replying" } }
        } @else if let [first, ..] = others {
            div.small.presence { (first) " is looking" }
        }
        @if let Some(until) = lead.snoozed_until { div.small.soft { "back " (say::left(until, cx.now)) } }
        @if let Some(assignee) = &lead.assignee { div.small.soft { "for " (assignee) } }
    }
}

/// How much of the time to decide is left, as a bar.
fn time_left(lead: &Lead, now: Timestamp) -> Markup {
    let whole = (lead.expires_at.as_second() - lead.created_at.as_second()).max(1);
    let left = (lead.expires_at.as_second() - now.as_second()).clamp(0, whole);
    html! {
        meter min="0" max=(whole) value=(left) low=(whole / 4) optimum=(whole) title={ "expires in " (say::span(left)) }
            aria-label={ "expires in " (say::span(left)) } {}
    }
}
