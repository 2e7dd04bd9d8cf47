//! The frame around every page: head, top bar, rail of shelves, undo toast, help and command bar.

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

use super::app::App;
use super::pulse::Pulse;
use super::session::Who;
use super::shelf::Shelf;
use super::taste::{Taste, Theme};
use super::{assets, help, say};
use crate::clock;
use crate::queue::{Lead, LeadId, Operator, Queue, QueueError, Role, State, View};

/// A decision that its maker can still take back.
#[derive(Debug, Clone)]
pub struct Undoable {
    /// The lead.
    pub lead: LeadId,
    /// Its version.
    pub version: i64,
    /// What was decided, as people say it.
    pub what: &'static str,
    /// Until when.
    pub until: Timestamp,
}

impl Undoable {
    fn of(lead: Lead) -> Option<Self> {
        let what = match lead.state {
            State::Approved => "approved",
            State::Dismissed => "dismissed",
            State::Snoozed => "snoozed",
            _ => return None,
        };
        Some(Self { lead: lead.id, version: lead.version, what, until: lead.undo_until? })
    }
}

/// What every page shows around its own content.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Who is signed in.
    pub who: Operator,
    /// What they may do now.
    pub role: Role,
    /// What their browser prefers.
    pub taste: Taste,
    /// How the machine is.
    pub pulse: Pulse,
    /// Leads in each state.
    pub counts: Vec<(State, u64)>,
    /// Whether all sending is stopped.
    pub paused: bool,
    /// Their last decision, while it can be taken back.
    pub undo: Option<Undoable>,
    /// Saved views.
    pub views: Vec<View>,
    /// The address of this page, with its query.
    pub here: String,
    /// The version of the rules in force.
    pub rules_version: String,
    /// What just happened, in a sentence.
    pub said: Option<&'static str>,
    /// The time.
    pub now: Timestamp,
}

/// Pages of the rail that are not shelves: address, title, second key after `g`, who may see them.
const PAGES: [(&str, &str, &str, Role); 7] = [
    ("/watch", "Watch list", "gw", Role::Viewer),
    ("/insights", "Insights", "gi", Role::Viewer),
    ("/rules", "Rules", "gr", Role::Viewer),
    ("/audit", "Audit", "ga", Role::Viewer),
    ("/team", "Team", "gt", Role::Lead),
    ("/me", "My account", "", Role::Viewer),
    ("/start", "First steps", "", Role::Lead),
];

/// Sentences that an action may leave on the page it leads to, by the code in its address.
const SAID: [(&str, &str); 4] = [
    ("another", "Your approval counts. A second operator must approve the same words before they go out."),
    ("saved", "Saved."),
    ("undone", "Taken back. The lead is open again."),
    ("promoted", "This is a lead now."),
];

impl Frame {
    /// The frame of a page that asks the queue for nothing else.
    pub async fn of(app: &App, who: &Who) -> Result<Self, QueueError> {
        let (who, rules) = (who.clone(), app.engine().rules().version().to_owned());
        app.store.ask(move |queue| Self::read(queue, &who, rules, clock::now())).await
    }

    /// Reads all that the frame shows.
    pub fn read(queue: &Queue, who: &Who, rules_version: String, now: Timestamp) -> Result<Self, QueueError> {
        Ok(Self {
            role: who.role(),
            taste: who.taste,
            pulse: Pulse::read(queue, now)?,
            counts: queue.state_counts()?,
            paused: queue.is_paused()?,
            undo: queue.last_undoable(who.name(), now)?.and_then(Undoable::of),
            views: queue.views(who.operator.id)?,
            here: who.here.clone(),
            rules_version,
            said: said(&who.here),
            now,
            who: who.operator.clone(),
        })
    }

    /// A whole page: `class` shapes its main part.
    pub fn page(&self, title: &str, class: &str, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en-GB" data-theme=[self.taste.theme.map(Theme::as_str)] {
                (head(title))
                body data-keys=[self.taste.keys_off.then_some("off")] {
                    a.skip href="#main" { "Skip to the content" }
                    (self.top())
                    div.frame {
                        (self.rail())
                        main #main class=(class) tabindex="-1" { (body) }
                    }
                    (self.notices())
                    (help::dialog())
                    (command_bar())
                    div #say .unseen role="status" aria-live="polite" {}
                }
            }
        }
    }

    fn top(&self) -> Markup {
        html! {
            header.top {
                a.brand href="/queue" { (logo()) "Jumpship" }
                (self.pulse.shown(self.now))
                span #lag .pulse hidden { span.dot.warn {} "No news from the desk for 30 s" }
                span.grow {}
                span.small.soft.wide title="the version of the rules in force" { "rules " (self.rules_version) }
                @if self.role >= Role::Lead { (self.pause_button()) }
                details.pop.below {
                    summary.button { span.only-small { "☰" } span.wide { (self.who.name) } }
                    div { (self.menu()) }
                }
            }
            @if self.paused { div.paused-bar role="status" { "All sending is paused. What you approve waits." } }
        }
    }

    fn pause_button(&self) -> Markup {
        let (action, name, label) = if self.paused {
            ("/pause/end", "Go on sending", "Go on")
        } else {
            ("/pause", "Pause all sending", "Pause")
        };
        html! {
            form method="post" action=(action) {
                (back(&self.here))
                button data-name=(name) title=(name) { (label) }
            }
        }
    }

    fn menu(&self) -> Markup {
        let dark = self.taste.theme == Some(Theme::Dark);
        html! {
            form method="post" action="/taste" data-plain {
                (back(&self.here))
                input type="hidden" name="keys" value=(if self.taste.keys_off { "off" } else { "on" });
                button name="theme" value=(if dark { "light" } else { "dark" }) { @if dark { "Light theme" } @else { "Dark theme" } }
                button name="theme" value="system" { "Theme as the system says" }
            }
            form method="post" action="/taste" data-plain {
                (back(&self.here))
                input type="hidden" name="theme" value=(self.taste.theme.map_or("system", Theme::as_str));
                button name="keys" value=(if self.taste.keys_off { "on" } else { "off" }) {
                    @if self.taste.keys_off { "Single keys on" } @else { "Single keys off" }
                }
            }
            a.button href="/help" { "Help and keys" kbd { "?" } }
            form method="post" action="/sign-out" data-plain { button { "Sign out" } }
        }
    }

    fn rail(&self) -> Markup {
        html! {
            nav.rail aria-label="Shelves and pages" {
                ul {
                    @for shelf in Shelf::ALL {
                        @let address = format!("/{}", shelf.path());
                        li { a href=(address) data-key=[shelf.key()] aria-current=[self.is_here(&address)] {
                            (shelf.title()) @if let Some(n) = self.held(shelf) { span.n { (say::thousands(n)) } }
                        } }
                    }
                }
                @if !self.views.is_empty() {
                    h2 { "Saved views" }
                    ul { @for view in &self.views { li.view {
                        a href={ "/queue?" (view.query) } { (view.name) }
                        form method="post" action={ "/views/" (view.id) "/drop" } { button.quiet aria-label={ "Drop the view " (view.name) } { "×" } }
                    } } }
                }
                h2 { "More" }
                ul {
                    @for (address, title, key, role) in PAGES.iter().filter(|(.., role)| self.role >= *role) {
                        @let _ = role;
                        li { a href=(address) data-key=(key) aria-current=[self.is_here(address)] { (title) } }
                    }
                }
            }
        }
    }

    fn is_here(&self, address: &str) -> Option<&'static str> {
        let path = self.here.split('?').next().unwrap_or("");
        let inside = path.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        inside.then_some("page")
    }

    /// How many leads a shelf holds, for those whose number asks for work.
    fn held(&self, shelf: Shelf) -> Option<u64> {
        let counted = matches!(shelf, Shelf::Queue | Shelf::Snoozed | Shelf::Approved | Shelf::Attention);
        let held = self.counts.iter().filter(|(state, _)| shelf.states().contains(state)).map(|(_, n)| n).sum();
        counted.then_some(held)
    }

    fn notices(&self) -> Markup {
        html! {
            div #notices {
                @if let Some(said) = self.said {
                    @if self.undo.is_none() { p.toast data-say=(said) { (said) } } @else { span.unseen data-say=(said) { (said) } }
                }
                @if let Some(undo) = &self.undo {
                    form.toast method="post" action={ "/leads/" (undo.lead) "/undo" } {
                        input type="hidden" name="version" value=(undo.version);
                        (back(&self.here))
                        span { "#" (undo.lead) " " (undo.what) ". " span.small { "Undo until " (say::clock(undo.until)) } }
                        button data-key="z" data-name="Undo the last decision" { "Undo" kbd { "z" } }
                    }
                }
            }
        }
    }
}

/// What just happened, as the address of the page says it.
fn said(here: &str) -> Option<&'static str> {
    let query = here.split_once('?')?.1;
    let said = query.split('&').find_map(|pair| pair.strip_prefix("said="))?;
    SAID.iter().find(|(code, _)| *code == said).map(|(_, words)| *words)
}

/// The page to come back to, as a form carries it.
pub fn back(here: &str) -> Markup {
    html! { input type="hidden" name="back" value=(here); }
}

/// A sheet of its own, for those who are not signed in and for errors.
pub fn sheet(taste: Taste, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" data-theme=[taste.theme.map(Theme::as_str)] {
            (head(title))
            body {
                div.sheet { main #main {
                    div.card { div.inline { span.brand { (logo()) "Jumpship" } } h1 { (title) } (body) }
                } }
            }
        }
    }
}

fn head(title: &str) -> Markup {
    let version = assets::version();
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="robots" content="noindex";
            title { (title) " · Jumpship" }
            link rel="icon" type="image/svg+xml" href={ "/assets/icon.svg?" (version) };
            link rel="stylesheet" href={ "/assets/desk.css?" (version) };
            script type="module" src={ "/assets/desk.js?" (version) } {}
        }
    }
}

fn logo() -> Markup {
    html! {
        svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" aria-hidden="true" {
            path d="M3 18c4 0 4-11 9-11 3.5 0 4 4 8 4" {}
            path d="M17 7.5 20.5 11 17 14.5" {}
            circle cx="4" cy="18" r="1.2" fill="currentColor" {}
        }
    }
}

fn command_bar() -> Markup {
    html! {
        dialog #commands aria-label="Commands" {
            label { "Do or go to" input type="text" autocomplete="off" spellcheck="false"; }
            div.commands {}
        }
    }
}
