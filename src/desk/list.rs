//! The list of leads on a shelf, with one of them open beside it.

use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use jiff::Timestamp;
use maud::{Markup, html};

use super::app::App;
use super::checks::{self, Check, Facts};
use super::detail::{Detail, reason_name};
use super::fault::Fault;
use super::frame::{Frame, back};
use super::row::{RowContext, network_name, row};
use super::say;
use super::search::Asked;
use super::session::Who;
use super::shelf::Shelf;
use crate::clock;
use crate::engine::Engine;
use crate::post::{Network, Post};
use crate::queue::{AuditFilter, AuditRow, DismissReason, Lead, LeadId, Note, PageKey, Queue, QueueError, Role};

/// The most new leads that the bar counts; beyond it says "or more".
const FRESH_MAX: usize = 99;
/// Rows of a lead's history.
const HISTORY_ROWS_MAX: usize = 100;

/// Everything one page of the list needs from the queue.
struct Page {
    frame: Frame,
    leads: Vec<Lead>,
    next_page: Option<PageKey>,
    fresh: usize,
    open: Option<Open>,
}

/// The open lead.
struct Open {
    lead: Lead,
    conversation: Vec<Post>,
    checks: Vec<Check>,
    notes: Vec<Note>,
    history: Vec<AuditRow>,
}

/// What was asked for.
#[derive(Clone)]
struct Wanted {
    shelf: Shelf,
    asked: Asked,
    lead: Option<LeadId>,
}

/// The front door.
pub async fn home(_who: Who) -> Redirect {
    Redirect::to("/queue")
}

/// A shelf.
pub async fn shelf(
    State(app): State<App>,
    who: Who,
    Path(shelf): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Fault> {
    let shelf = Shelf::at(&shelf).ok_or(Fault::NotFound)?;
    page(&app, &who, Wanted { shelf, asked, lead: None }).await
}

/// A lead on a shelf.
pub async fn lead(
    State(app): State<App>,
    who: Who,
    Path((shelf, lead)): Path<(String, i64)>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Fault> {
    let shelf = Shelf::at(&shelf).ok_or(Fault::NotFound)?;
    page(&app, &who, Wanted { shelf, asked, lead: Some(LeadId(lead)) }).await
}

/// A lead, wherever it lies now.
pub async fn any_shelf(State(app): State<App>, _who: Who, Path(lead): Path<i64>) -> Result<Redirect, Fault> {
    let found = app.store.ask(move |queue| queue.lead(LeadId(lead))).await?.ok_or(Fault::NotFound)?;
    Ok(Redirect::to(&format!("/{}/{lead}", Shelf::of(found.state).path())))
}

async fn page(app: &App, who: &Who, wanted: Wanted) -> Result<Markup, Fault> {
    let (engine, asker, now) = (app.engine(), who.clone(), clock::now());
    let ask = wanted.clone();
    let read = app.store.ask(move |queue| read(queue, &engine, &asker, &ask, now)).await?;
    if wanted.lead.is_some() && read.open.is_none() {
        return Err(Fault::NotFound);
    }
    if let (Some(lead), true) = (wanted.lead, wanted.asked.quiet.is_empty()) {
        app.presence.look(who.name(), lead, now);
    }
    Ok(draw(app, who, &wanted, &read))
}

fn read(queue: &mut Queue, engine: &Engine, who: &Who, wanted: &Wanted, now: Timestamp) -> Result<Page, QueueError> {
    let filter = wanted.asked.filter(wanted.shelf, who.name(), now);
    let (leads, next_page) = queue.leads(&filter)?;
    let open = wanted.lead.map_or(Ok(None), |id| queue.lead(id))?;
    let open = open.map_or(Ok(None), |lead| read_open(queue, engine, who, lead, now).map(Some))?;
    let fresh = match filter.before {
        Some(since) => queue.came_since(wanted.shelf.states(), since, FRESH_MAX)?,
        None => 0,
    };
    let frame = Frame::read(queue, who, engine.rules().version().to_owned(), now)?;
    Ok(Page { frame, leads, next_page, fresh, open })
}

fn read_open(queue: &Queue, engine: &Engine, who: &Who, lead: Lead, now: Timestamp) -> Result<Open, QueueError> {
    let facts = Facts::read(queue, &lead, now)?;
    Ok(Open {
        conversation: queue.conversation(lead.id)?,
        checks: checks::checks(&lead, &facts, engine.rules(), who.name(), now),
        notes: queue.notes(lead.id)?,
        history: queue.audit(&AuditFilter { lead: Some(lead.id), after: 0, limit: HISTORY_ROWS_MAX })?,
        lead,
    })
}

fn draw(app: &App, who: &Who, wanted: &Wanted, page: &Page) -> Markup {
    let engine = app.engine();
    let list = List { app, who, wanted, page, engine: &engine, asked: wanted.asked.standing(page.frame.now) };
    let class = if page.open.is_some() { "has-lead" } else { "" };
    let title = match &page.open {
        Some(open) => format!("Lead {}", open.lead.id),
        None => wanted.shelf.title().to_owned(),
    };
    page.frame.page(&title, class, &html! { (list.shown()) (list.open()) })
}

struct List<'a> {
    app: &'a App,
    who: &'a Who,
    wanted: &'a Wanted,
    page: &'a Page,
    engine: &'a Engine,
    /// The same question, standing still: what comes in later waits behind the bar.
    asked: Asked,
}

impl List<'_> {
    fn shown(&self) -> Markup {
        let shelf = self.wanted.shelf;
        html! {
            section.list aria-label=(shelf.title()) {
                div.list-head {
                    div.inline.ends { h1 { (shelf.title()) } (self.order()) }
                    (self.filters())
                }
                div.fresh-bar { (self.fresh()) }
                @if self.page.leads.is_empty() { (self.empty()) } @else { (self.rows()) }
            }
        }
    }

    fn fresh(&self) -> Markup {
        let n = self.page.fresh;
        html! {
            @if n > 0 {
                a.fresh href=(self.wanted.asked.fresh().address(self.wanted.shelf)) data-key="." data-name="Show new leads" {
                    (n) @if n == FRESH_MAX { " or more" } " new: press " kbd { "." }
                }
            }
        }
    }

    fn order(&self) -> Markup {
        let current = self.wanted.asked.sort.as_str();
        html! {
            form method="get" action={ "/" (self.wanted.shelf.path()) } {
                @for (name, value) in self.carried(&["sort"]) { input type="hidden" name=(name) value=(value); }
                div.inline {
                    label.unseen for="sort" { "Order" }
                    select #sort name="sort" {
                        @for (value, words) in [("score", "Best first"), ("newest", "Newest first"), ("expiring", "Expiring first")] {
                            option value=(value) selected[value == current] { (words) }
                        }
                    }
                    button.quiet { "Sort" }
                }
            }
        }
    }

    /// The query without some keys, for a form that asks for those itself.
    fn carried(&self, but: &[&str]) -> Vec<(String, String)> {
        let asked = Asked { after: String::new(), ..self.wanted.asked.fresh() };
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&asked.query()).unwrap_or_default();
        pairs.into_iter().filter(|(key, _)| !but.contains(&key.as_str())).collect()
    }

    fn filters(&self) -> Markup {
        let asked = &self.wanted.asked;
        let mut rivals: Vec<_> = self.engine.rules().providers().iter().collect();
        rivals.sort_by(|a, b| a.name.cmp(&b.name));
        html! {
            form method="get" action={ "/" (self.wanted.shelf.path()) } role="search" {
                input type="hidden" name="sort" value=(asked.sort);
                div.inline {
                    label.unseen for="q" { "Words of the post" }
                    input #q type="search" name="q" value=(asked.q) placeholder="Search posts  /" data-key="/" size="18";
                    button { "Search" }
                    @if asked.narrows() { a href={ "/" (self.wanted.shelf.path()) } { "Clear" } }
                }
                details open[asked.narrows() && asked.q.is_empty()] {
                    summary.small { "Filter" }
                    div.filters {
                        label { "Rival" select name="rival" { option value="" { "any" }
                            @for p in rivals { option value=(p.id) selected[p.id == asked.rival] { (p.name) } } } }
                        label { "Network" select name="network" { option value="" { "any" }
                            @for n in Network::ALL { option value=(n.as_str()) selected[n.as_str() == asked.network] { (network_name(n)) } } } }
                        label { "Score at least" select name="min" { option value="" { "any" }
                            @for n in ["60", "75", "85", "95"] { option value=(n) selected[n == asked.min] { (n) } } } }
                        label { "Not older than" select name="hours" { option value="" { "any" }
                            @for (n, words) in [("1", "1 hour"), ("6", "6 hours"), ("24", "a day"), ("168", "a week")] {
                                option value=(n) selected[n == asked.hours] { (words) } } } }
                        label { "For" select name="kind" { option value="" { "all" }
                            option value="rival" selected[asked.kind == "rival"] { "leaves a rival" }
                            option value="care" selected[asked.kind == "care"] { "leaves us" } } }
                        label { "Given to" input name="assignee" value=(asked.assignee) autocomplete="off"; }
                        label.wide { "Rule" input name="signal" value=(asked.signal) placeholder="coverage.no_signal" autocomplete="off"; }
                        button { "Apply" }
                        @if asked.narrows() { button formaction="/views" formmethod="post" name="shelf" value=(self.wanted.shelf.path()) data-name="Save this view" { "Save as view" } }
                    }
                }
            }
        }
    }

    fn rows(&self) -> Markup {
        let shelf = self.wanted.shelf;
        let open = self.wanted.lead;
        let now = self.page.frame.now;
        let cx = RowContext { rules: self.engine.rules(), me: self.who.name(), now };
        html! {
            form.rows method="post" action="/bulk" {
                ul {
                    @for (n, lead) in self.page.leads.iter().enumerate() {
                        @let key = (n == 0 && open.is_none()).then_some("j ArrowDown o Enter");
                        @let others = self.app.presence.others(self.who.name(), lead.id, now);
                        (row(lead, &self.asked.lead_address(shelf, lead.id), open == Some(lead.id), key, &others, cx))
                    }
                }
                @if let Some(after) = self.page.next_page {
                    p.more { a href=(Asked { after: after.to_string(), ..self.asked.clone() }.address(shelf)) { "More" } }
                }
                @if self.who.role() >= Role::Approver { (self.bulk()) }
            }
        }
    }

    fn bulk(&self) -> Markup {
        let list = self.asked.address(self.wanted.shelf);
        html! {
            details.bulk {
                summary.small { "With the selected leads" }
                div.stack.tight {
                    (back(&list))
                    label.inline { input type="checkbox" name="all" value=(list); "all that match, not only this page" }
                    div.inline {
                        label.unseen for="bulk-reason" { "Why" }
                        select #bulk-reason name="reason" { @for reason in DismissReason::ALL { option value=(reason.as_str()) { (reason_name(reason)) } } }
                        button name="action" value="dismiss" data-name="Dismiss the selected leads" { "Dismiss" }
                    }
                    div.inline {
                        label.unseen for="bulk-minutes" { "For how long" }
                        select #bulk-minutes name="minutes" { @for (minutes, words) in [(120, "2 hours"), (480, "8 hours"), (1440, "a day")] { option value=(minutes) { (words) } } }
                        button name="action" value="snooze" data-name="Snooze the selected leads" { "Snooze" }
                    }
                    div.inline {
                        label.unseen for="bulk-assignee" { "To whom" }
                        input #bulk-assignee name="assignee" value=(self.who.name()) size="12";
                        button name="action" value="assign" data-name="Assign the selected leads" { "Assign" }
                    }
                }
            }
        }
    }

    fn empty(&self) -> Markup {
        let frame = &self.page.frame;
        html! {
            div.empty {
                @if self.wanted.asked.narrows() {
                    strong { "Nothing matches." }
                    a.button href={ "/" (self.wanted.shelf.path()) } { "Clear the filter" }
                } @else if self.wanted.shelf == Shelf::Queue {
                    strong { "All caught up." }
                    p { (frame.pulse.sentence(frame.now)) }
                    @if frame.counts.iter().all(|(_, n)| *n == 0) { a.button href="/start" { "First steps" } }
                } @else { strong { "Nothing here." } }
            }
        }
    }

    fn open(&self) -> Markup {
        let Some(open) = &self.page.open else { return self.nothing_open() };
        let shelf = self.wanted.shelf;
        let at = self.page.leads.iter().position(|lead| lead.id == open.lead.id);
        let list = self.asked.address(shelf);
        let neighbour = |lead: Option<&Lead>| lead.map(|lead| self.asked.lead_address(shelf, lead.id));
        let after = at.map_or(0, |at| at + 1);
        let then = neighbour(self.page.leads.get(after)).unwrap_or_else(|| list.clone());
        let before = neighbour(at.and_then(|at| at.checked_sub(1)).and_then(|at| self.page.leads.get(at)));
        let others = self.app.presence.others(self.who.name(), open.lead.id, self.page.frame.now);
        Detail {
            lead: &open.lead,
            conversation: &open.conversation,
            checks: &open.checks,
            notes: &open.notes,
            history: &open.history,
            draft: self.wanted.asked.draft.parse::<usize>().ok().and_then(|n| n.checked_sub(1)),
            others: &others,
            me: self.who.name(),
            role: self.who.role(),
            rules: self.engine.rules(),
            here: &self.asked.lead_address(shelf, open.lead.id),
            then: &then,
            before: before.as_deref(),
            list: &list,
            now: self.page.frame.now,
        }
        .shown()
    }

    fn nothing_open(&self) -> Markup {
        html! {
            div.detail {
                div.empty {
                    @if self.page.leads.is_empty() { p { (self.page.frame.pulse.sentence(self.page.frame.now)) } } @else {
                        strong { (say::count(self.page.leads.len(), "lead", "leads")) @if self.page.next_page.is_some() { " and more" } }
                        p { "Press " kbd { "j" } " to open the first one, " kbd { "?" } " for all keys." }
                    }
                }
            }
        }
    }
}
