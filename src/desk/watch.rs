//! The watch list: posts we stay out of, each with its reason, and the way to make a lead of one after all.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::act::{ActForm, own_page};
use super::app::App;
use super::fault::Fault;
use super::frame::{Frame, back};
use super::inert::safe_link;
use super::marks::marked;
use super::row::{handle, network_name, provider_name};
use super::say;
use super::session::Who;
use crate::clock;
use crate::decide::Hold;
use crate::draft::drafts;
use crate::engine::{DRAFTS_MAX, Engine};
use crate::queue::{DecisionError, LeadId, Queue, QueueError, Role, WatchFilter, WatchId, Watched};
use crate::rules::Rules;

/// Rows on one page.
const PAGE_ROWS: usize = 50;

/// The query of the page's address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    rival: String,
    hold: String,
    before: String,
}

/// A page of the watch list.
pub async fn page(State(app): State<App>, who: Who, Query(asked): Query<Asked>) -> Result<Markup, Fault> {
    let (engine, asker) = (app.engine(), who.clone());
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter = WatchFilter {
        provider: some(&asked.rival),
        hold: some(&asked.hold),
        held: None,
        before: asked.before.parse().ok().map(WatchId),
        limit: PAGE_ROWS,
    };
    let rules_version = engine.rules().version().to_owned();
    let read = move |queue: &mut Queue| {
        let rows = queue.watch_list(&filter)?;
        Ok::<_, QueueError>((rows, Frame::read(queue, &asker, rules_version, clock::now())?))
    };
    let (rows, frame) = app.store.ask(read).await?;
    Ok(frame.page("Watch list", "page", &shown(&rows, &asked, engine.rules(), &frame)))
}

fn shown(rows: &[Watched], asked: &Asked, rules: &Rules, frame: &Frame) -> Markup {
    html! {
        header.stack.tight {
            h1 { "Watch list" }
            p.soft { "Posts that name a provider and that we stay out of, latest first, each with its reason." }
        }
        (filters(asked, rules))
        @if rows.is_empty() { div.empty { strong { "Nothing here." } p { (frame.pulse.sentence(frame.now)) } } }
        @for row in rows { (card(row, rules, frame)) }
        @if let (Some(last), true) = (rows.last(), rows.len() == PAGE_ROWS) {
            p.more { a href={ "/watch?before=" (last.id.0) "&rival=" (asked.rival) "&hold=" (asked.hold) } { "Earlier" } }
        }
    }
}

fn filters(asked: &Asked, rules: &Rules) -> Markup {
    html! {
        form.inline method="get" action="/watch" {
            label { "Rival" select name="rival" { option value="" { "any" }
                @for p in rules.providers() { option value=(p.id) selected[p.id == asked.rival] { (p.name) } } } }
            label { "Held because" select name="hold" { option value="" { "any" }
                @for hold in rules.holds() { option value=(hold.id) selected[hold.id == asked.hold] { (hold.id.replace('_', " ")) } } } }
            button { "Show" }
        }
    }
}

fn card(row: &Watched, rules: &Rules, frame: &Frame) -> Markup {
    let reasons = &row.assessment.reasons;
    html! {
        article.card.stack.tight {
            div.inline {
                (say::score(row.assessment.intent))
                span.chip { (provider_name(rules, &row.assessment.provider)) }
                @match &row.hold {
                    Some(hold) => span.chip.hold { "held: " (hold.code.replace('_', " ")) },
                    None => span.chip { "not enough to speak" },
                }
                span.small.soft { (network_name(row.post.network)) " · " (handle(&row.post)) " · " (say::ago(row.judged_at, frame.now)) }
            }
            p.words dir="auto" { (marked(&row.post.text, reasons)) }
            @if let Some(hold) = &row.hold { p.small.soft { (hold_why(hold, rules)) } }
            div.inline {
                @if let Some(link) = row.post.url.as_deref().and_then(safe_link) {
                    a href=(link) target="_blank" rel="noopener noreferrer" { "Open the original" }
                }
                @if frame.role >= Role::Approver && row.hold.as_ref().is_none_or(|hold| hold.code != Hold::OPTED_OUT) {
                    form method="post" action={ "/watch/" (row.id.0) "/promote" } { (back(&frame.here)) button { "Make it a lead" } }
                }
            }
        }
    }
}

/// The sentence behind a hold's code.
pub fn hold_why<'a>(hold: &'a Hold, rules: &'a Rules) -> &'a str {
    let built_in = match hold.code.as_str() {
        Hold::OPTED_OUT => "The author asked to be left alone.",
        Hold::ALREADY_CONTACTED => "We spoke to this person not long ago.",
        Hold::CONVERSATION_TAKEN => "We already have a lead in this conversation.",
        Hold::EVASIVE_SPELLING => "The author spelled the name so that brands would not find it.",
        _ => "",
    };
    if built_in.is_empty() {
        rules.holds().iter().find(|rule| rule.id == hold.code).map_or(&hold.code, |rule| &rule.why)
    } else {
        built_in
    }
}

/// Makes a lead of a row, with drafts as the rules give them now.
pub async fn promote(
    State(app): State<App>,
    who: Who,
    Path(row): Path<i64>,
    Form(form): Form<ActForm>,
) -> Result<Response, Fault> {
    who.must_be(Role::Approver)?;
    let (engine, name) = (app.engine(), who.name().to_owned());
    let done = app.store.ask(move |queue| take(queue, &engine, WatchId(row), &name, clock::now())).await;
    match done {
        Ok(lead) => Ok(Redirect::to(&format!("/queue/{lead}?said=promoted")).into_response()),
        Err(DecisionError::Refused(_)) => Ok(Redirect::to(own_page(&form.back)).into_response()),
        Err(error) => Err(error.into()),
    }
}

fn take(queue: &mut Queue, engine: &Engine, row: WatchId, name: &str, now: Timestamp) -> Result<LeadId, DecisionError> {
    let rules = engine.rules();
    let id = queue.promote(row, rules.policy(), name, now)?;
    let lead = queue.lead(id)?.ok_or(DecisionError::NotFound)?;
    if let (Some(assessment), true) = (&lead.assessment, lead.drafts.is_empty()) {
        queue.set_drafts(id, &drafts(assessment, lead.network, rules, now, DRAFTS_MAX))?;
    }
    Ok(id)
}
