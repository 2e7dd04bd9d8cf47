//! One lead: the post with its marks, why it scored, whether to enter, the reply and what can be done with it.

use jiff::Timestamp;
use maud::{Markup, html};

use super::checks::{self, Check};
use super::counter::Count;
use super::frame::back;
use super::inert::{inert, safe_link, visible};
use super::marks::{marked, numbered};
use super::row::{handle, network_name, provider_name};
use super::say;
use crate::post::Post;
use crate::queue::{AuditRow, DecisionError, DismissReason, Kind, Lead, Note, Role, State};
use crate::rules::Rules;
use crate::score::{Assessment, Points, Reason};

/// Snooze for: key, minutes, words.
const SNOOZES: [(&str, i64, &str); 5] = [
    ("1", 30, "30 minutes"),
    ("2", 120, "2 hours"),
    ("3", 480, "8 hours"),
    ("4", 1_440, "a day"),
    ("5", 10_080, "a week"),
];

/// Everything the page of one lead shows.
#[derive(Debug)]
pub struct Detail<'a> {
    /// The lead.
    pub lead: &'a Lead,
    /// The posts of its conversation.
    pub conversation: &'a [Post],
    /// Should we enter?
    pub checks: &'a [Check],
    /// Notes of operators.
    pub notes: &'a [Note],
    /// What happened to it.
    pub history: &'a [AuditRow],
    /// Which draft the editor shows, from 0; none for the reply as it stands.
    pub draft: Option<usize>,
    /// Other operators who look at it.
    pub others: &'a [String],
    /// Who is looking.
    pub me: &'a str,
    /// What they may do.
    pub role: Role,
    /// The rules in force.
    pub rules: &'a Rules,
    /// The address of this page.
    pub here: &'a str,
    /// The page after a decision.
    pub then: &'a str,
    /// The page before, when there is one.
    pub before: Option<&'a str>,
    /// The list.
    pub list: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// A dismissal's reason as people say it.
pub const fn reason_name(reason: DismissReason) -> &'static str {
    match reason {
        DismissReason::NotAComplaint => "Not a complaint",
        DismissReason::NotOurRival => "Not our rival",
        DismissReason::WrongPersonOrArea => "Wrong person or area",
        DismissReason::Joke => "A joke",
        DismissReason::Sensitive => "Too sensitive",
        DismissReason::AlreadySolved => "Already solved",
        DismissReason::TooLate => "Too late",
        DismissReason::OfferDoesNotFit => "No offer fits",
        DismissReason::Other => "Something else",
    }
}

impl Detail<'_> {
    /// The right-hand pane.
    pub fn shown(&self) -> Markup {
        html! {
            article.detail data-id=(self.lead.id) data-version=(self.lead.version) aria-labelledby="lead-title" {
                (self.title())
                p #changed .notice.warn hidden role="status" {
                    "Somebody changed this lead meanwhile. " a href=(self.here) { "Show it as it is now" } "; your text is kept."
                }
                (self.post())
                (self.reply())
                @if matches!(self.lead.state, State::New | State::Snoozed | State::Approved) { (checks::shown(self.checks)) }
                (self.why())
                (self.notes())
                (self.history())
            }
        }
    }

    fn title(&self) -> Markup {
        let lead = self.lead;
        html! {
            div.inline.ends {
                a.button href=(self.list) data-key="u Escape" data-name="Back to the list" { "← List" kbd { "u" } }
                div.inline {
                    @if let Some(before) = self.before { a.button href=(before) data-key="k ArrowUp [" data-name="Previous lead" { "Previous" kbd { "k" } } }
                    @if self.then != self.list { a.button href=(self.then) data-key="j ArrowDown ]" data-name="Next lead" { "Next" kbd { "j" } } }
                }
            }
            header.title {
                (say::score(lead.intent))
                div {
                    h2 #lead-title tabindex="-1" data-focus {
                        @if lead.kind == Kind::Care { "One of our own may leave" } @else { "May leave " (provider_name(self.rules, &lead.provider)) }
                        @if let Some(toward) = &lead.toward { " for " (provider_name(self.rules, toward)) }
                    }
                    p.soft.small {
                        "#" (lead.id) " · " (network_name(lead.network)) " · " (say::state(lead.state)) " · came " (say::ago(lead.created_at, self.now))
                        @if lead.state == State::New { " · expires " (say::left(lead.expires_at, self.now)) }
                    }
                    @if !self.others.is_empty() { p.presence.small { (self.others.join(", ")) " is looking at this, too." } }
                }
            }
        }
    }

    fn post(&self) -> Markup {
        let own = self.lead.post.as_ref();
        html! {
            section.card aria-labelledby="said" {
                h2.unseen #said { "What was said" }
                @for post in self.conversation.iter().filter(|post| own.is_none_or(|own| own.id != post.id)) {
                    div.stack.tight { (self.by(post)) p.words.soft dir="auto" { (visible(&post.text)) } }
                }
                @match own {
                    Some(post) => {
                        (self.by(post))
                        p.post dir="auto" { (marked(&post.text, self.reasons())) }
                        @if let Some(link) = post.url.as_deref().and_then(safe_link) {
                            a href=(link) target="_blank" rel="noopener noreferrer" data-key="v" data-name="Open the original post" { "Open the original" } " " kbd.soft { "v" }
                        }
                    }
                    None => p { "The post is gone. Its words were erased" @if let Some(reason) = &self.lead.reason { " (" (reason.replace('_', " ")) ")" } "." }
                }
            }
        }
    }

    fn by(&self, post: &Post) -> Markup {
        html! {
            div.by {
                span.initials aria-hidden="true" { (initial(post)) }
                div {
                    @if !post.author.name.is_empty() { strong { (inert(&post.author.name)) } " " }
                    span.soft { (handle(post)) }
                    div.small.soft {
                        @if let Some(n) = post.author.followers { (say::thousands(n)) " followers" }
                        @if let Some(at) = post.created_at { " · " (say::ago(at, self.now)) }
                        @if let Some(lang) = &post.lang { " · " (inert(lang)) }
                    }
                }
            }
        }
    }

    fn reasons(&self) -> &[Reason] {
        self.lead.assessment.as_ref().map_or(&[], |assessment| &assessment.reasons)
    }

    fn why(&self) -> Markup {
        html! { @if let Some(assessment) = &self.lead.assessment { (why_table(assessment, self.rules)) } }
    }

    fn reply(&self) -> Markup {
        match self.lead.state {
            State::New | State::Snoozed => self.editor(),
            State::Approved => self.approved(),
            State::HandedOff => self.handed_off(),
            State::Unknown => self.unknown(),
            State::Failed => self.failed(),
            _ => self.settled(),
        }
    }

    /// The words in the editor and the offer they come from.
    fn words(&self) -> (&str, &str) {
        let chosen = self.draft.and_then(|n| self.lead.drafts.get(n));
        let offer = self.lead.offer.as_deref().unwrap_or("");
        chosen.map_or_else(|| (self.lead.reply().unwrap_or(""), offer), |draft| (&draft.text, &draft.offer))
    }

    fn editor(&self) -> Markup {
        let lead = self.lead;
        let (text, offer) = self.words();
        let red = checks::blocking(self.checks);
        let count = Count::of(lead.network, text);
        let keep = format!("reply-{}-{}", lead.id, self.draft.map_or(0, |n| n + 1));
        html! {
            section.card aria-labelledby="reply-title" {
                h2 #reply-title { "Reply" }
                (self.drafts())
                form.stack.tight method="post" action={ "/leads/" (lead.id) "/approve" } {
                    (self.hidden())
                    input type="hidden" name="offer" value=(offer);
                    label for="reply" { span.unseen { "The reply" } }
                    textarea #reply name="text" dir="auto" data-key="r" data-keep=(keep) data-room=(count.room)
                        data-network=(lead.network.as_str()) aria-describedby="count" disabled[self.role < Role::Author] { "\n" (text) }
                    div.inline.ends {
                        span #count .counter.bad[!count.fits()] { (count.used) " of " (count.room) }
                        span.small.soft {
                            @if offer.is_empty() { "no offer" } @else { "offer " (offer) }
                            @if let Some(by) = &lead.edited_by { " · edited by " (by) }
                        }
                    }
                    @if let [first, ..] = red[..] { p.small.notice.bad { "Approval is off: " (first.says) } }
                    (self.acts(!red.is_empty()))
                }
                (self.side_acts())
            }
        }
    }

    fn drafts(&self) -> Markup {
        let base = self.here.split("draft=").next().unwrap_or(self.here).trim_end_matches(['?', '&']).to_owned();
        let address = |n: usize| format!("{base}{}draft={n}", if base.contains('?') { "&" } else { "?" });
        html! {
            @if self.lead.drafts.len() > 1 {
                nav.tabs aria-label="Drafts" {
                    @for (n, draft) in self.lead.drafts.iter().enumerate() {
                        @let current = self.draft.unwrap_or(0) == n && (self.draft.is_some() || self.lead.text.is_none());
                        a.button href=(address(n + 1)) data-key=(n + 1) data-name={ "Draft " (n + 1) ": " (draft.offer) }
                            aria-current=[current.then_some("true")] { (draft.offer) kbd { (n + 1) } }
                    }
                }
            }
        }
    }

    fn hidden(&self) -> Markup {
        html! {
            input type="hidden" name="version" value=(self.lead.version);
            input type="hidden" name="then" value=(self.then);
            (back(self.here))
        }
    }

    fn acts(&self, blocked: bool) -> Markup {
        let id = self.lead.id;
        let is_new = self.lead.state == State::New;
        html! {
            @if self.role >= Role::Approver {
                div.acts {
                    @if is_new {
                        button.primary data-approve data-settles data-key="a" data-name="Approve" data-blocked[blocked] disabled[blocked] { "Approve" kbd { "a" } }
                    }
                    details.pop {
                        summary.button data-key="d" { "Dismiss" kbd { "d" } }
                        div role="group" aria-label="Why?" {
                            @for (n, reason) in DismissReason::ALL.into_iter().enumerate() {
                                button name="reason" value=(reason.as_str()) formaction={ "/leads/" (id) "/dismiss" } data-settles
                                    data-key=(n + 1) data-name={ "Dismiss: " (reason_name(reason)) } { (reason_name(reason)) kbd { (n + 1) } }
                            }
                        }
                    }
                    details.pop {
                        summary.button data-key="h" { "Snooze" kbd { "h" } }
                        div role="group" aria-label="For how long?" {
                            @for (key, minutes, words) in SNOOZES {
                                button name="minutes" value=(minutes) formaction={ "/leads/" (id) "/snooze" }
                                    data-key=(key) data-name={ "Snooze for " (words) } { (words) kbd { (key) } }
                            }
                        }
                    }
                    button.wide formaction={ "/leads/" (id) "/edit" } data-settles data-name="Save the text" { "Save text" }
                }
            } @else if self.role >= Role::Author {
                div.acts { button.primary formaction={ "/leads/" (id) "/edit" } data-settles data-name="Save the text" { "Save text" } }
            }
        }
    }

    /// Claim, take over, never contact: each a form of its own.
    fn side_acts(&self) -> Markup {
        let id = self.lead.id;
        let claim = self.lead.claim.as_ref().filter(|claim| claim.until > self.now);
        html! {
            @if self.role >= Role::Author {
                div.inline {
                    @match claim {
                        Some(claim) if claim.by == self.me => {
                            form method="post" action={ "/leads/" (id) "/release" } { (back(self.here))
                                button.quiet data-key="c" data-name="Release" { "Release" kbd { "c" } } }
                            form hidden method="post" action={ "/leads/" (id) "/claim" } data-renew {}
                        }
                        Some(claim) => {
                            span.presence { (claim.by) " is replying" }
                            @if self.role >= Role::Lead {
                                form method="post" action={ "/leads/" (id) "/claim" } { (back(self.here))
                                    button name="take_over" value="yes" data-key="c" data-name="Take over" { "Take over" kbd { "c" } } }
                            }
                        }
                        None => form method="post" action={ "/leads/" (id) "/claim" } { (back(self.here))
                            button.quiet data-key="c" data-name="Claim" { "Claim" kbd { "c" } } }
                    }
                    @if self.role >= Role::Approver { (self.never()) }
                }
            }
        }
    }

    fn never(&self) -> Markup {
        html! {
            details.pop {
                summary.button data-key="m" { "Never contact" kbd { "m" } }
                form method="post" action={ "/leads/" (self.lead.id) "/never" } {
                    input type="hidden" name="then" value=(self.then);
                    p.small { "Nobody here will ever be shown this author again, on any network. This cannot be undone at the desk." }
                    button.danger name="reason" value="asked" data-key="1" { "They asked to be left alone" kbd { "1" } }
                    button.danger name="reason" value="operator" data-key="2" { "Better not, for ever" kbd { "2" } }
                }
            }
        }
    }

    fn approved(&self) -> Markup {
        let lead = self.lead;
        let link = lead.post.as_ref().and_then(|post| post.url.as_deref()).and_then(safe_link);
        html! {
            section.card.stack aria-labelledby="reply-title" {
                h2 #reply-title { "Approved by " (lead.changed_by) ", " (say::ago(lead.changed_at, self.now)) }
                (frozen(lead.text.as_deref().unwrap_or("")))
                @if self.role >= Role::Approver {
                    form.acts method="post" action={ "/leads/" (lead.id) "/open" } {
                        (self.hidden())
                        button.primary data-key="a" data-name="Copy and open the post" data-copy="#reply" data-open=[link] { "Copy and open the post" kbd { "a" } }
                        @if lead.changed_by == self.me {
                            button formaction={ "/leads/" (lead.id) "/undo" } data-key="z" data-name="Undo" { "Undo" kbd { "z" } }
                        }
                        button formaction={ "/leads/" (lead.id) "/dismiss" } name="reason" value="other" data-name="Dismiss after all" { "Dismiss after all" }
                    }
                }
            }
        }
    }

    fn handed_off(&self) -> Markup {
        let lead = self.lead;
        let link = lead.post.as_ref().and_then(|post| post.url.as_deref()).and_then(safe_link);
        html! {
            section.card.stack aria-labelledby="reply-title" {
                h2 #reply-title { "Post it by hand" }
                ol.stack.tight {
                    li { "1. Copy this text:" (frozen(lead.text.as_deref().unwrap_or(""))) }
                    li { "2. " @if let Some(link) = link {
                        a href=(link) target="_blank" rel="noopener noreferrer" { "Open the post" } " and answer it with the text."
                    } @else { "Find the post and answer it with the text." } }
                    li { "3. Say how it went:" }
                }
                (self.how_it_went())
            }
        }
    }

    fn how_it_went(&self) -> Markup {
        let id = self.lead.id;
        html! {
            @if self.role >= Role::Approver {
                form.stack.tight method="post" action={ "/leads/" (id) "/posted" } {
                    (self.hidden())
                    label { "Address of your reply, if you have it" input type="url" name="url" placeholder="https://" autocomplete="off"; }
                    div.acts {
                        button.primary data-key="a" data-name="I posted it" { "I posted it" kbd { "a" } }
                        button formaction={ "/leads/" (id) "/not-posted" } data-key="d" data-name="I did not post it" { "I did not" kbd { "d" } }
                    }
                }
            }
        }
    }

    fn unknown(&self) -> Markup {
        html! {
            section.card.stack aria-labelledby="reply-title" {
                h2 #reply-title { "Nobody knows whether this went out" }
                p { "The network never answered. Look at the conversation, then say what you found." }
                (frozen(self.lead.text.as_deref().unwrap_or("")))
                (self.how_it_went())
            }
        }
    }

    fn failed(&self) -> Markup {
        html! {
            section.card.stack aria-labelledby="reply-title" {
                h2 #reply-title { "The network refused it" }
                p { (self.lead.reason.as_deref().unwrap_or("It gave no reason.")) }
                (frozen(self.lead.text.as_deref().unwrap_or("")))
                @if self.role >= Role::Approver {
                    form.acts method="post" action={ "/leads/" (self.lead.id) "/reopen" } {
                        (self.hidden())
                        button.primary data-key="a" data-name="Try other words" { "Try other words" kbd { "a" } }
                    }
                }
            }
        }
    }

    fn settled(&self) -> Markup {
        let lead = self.lead;
        let reason = lead.reason.as_deref().map(|code| {
            DismissReason::from_name(code)
                .map_or_else(|| code.replace('_', " "), |reason| reason_name(reason).to_owned())
        });
        html! {
            section.card.stack aria-labelledby="reply-title" {
                h2 #reply-title { "This lead is " (say::state(lead.state)) }
                p.soft { "By " (lead.changed_by) ", " (say::ago(lead.changed_at, self.now)) @if let Some(reason) = reason { ": " (reason) } "." }
                @if let Some(text) = &lead.text { (frozen(text)) }
                @if let Some(link) = lead.receipt.as_ref().and_then(|r| r.url.as_deref()).and_then(safe_link) {
                    a href=(link) target="_blank" rel="noopener noreferrer" { "Open our reply" }
                }
            }
        }
    }

    fn notes(&self) -> Markup {
        html! {
            section.card.stack aria-labelledby="notes" {
                h2 #notes { "Notes " span.soft { "between us, never sent" } }
                @for note in self.notes {
                    div { div.small.soft { (note.who) ", " (say::ago(note.at, self.now)) } p.words dir="auto" { (visible(&note.text)) } }
                }
                @if self.role >= Role::Author {
                    form.inline method="post" action={ "/leads/" (self.lead.id) "/note" } {
                        (back(self.here))
                        label.unseen for="note" { "New note" }
                        input #note name="text" maxlength="2000" placeholder="Add a note" autocomplete="off" data-key="n";
                        button { "Add" }
                    }
                }
            }
        }
    }

    fn history(&self) -> Markup {
        html! {
            section.card aria-labelledby="history" {
                h2 #history { "History" }
                ol.history {
                    li { span.soft { (say::ago(self.lead.created_at, self.now)) } span { "heard and suggested, rules " (self.lead.rules_version) } }
                    @for row in self.history {
                        li { span.soft { (say::ago(row.at, self.now)) } span { strong { (row.who) } " " (row.what.replace('_', " "))
                            @if let Some(reason) = row.detail.get("reason").and_then(|r| r.as_str()) { ": " (reason.replace('_', " ")) } } }
                    }
                }
            }
        }
    }
}

/// The reasons with their points; they add up exactly to the score under them.
pub fn why_table(assessment: &Assessment, rules: &Rules) -> Markup {
    html! {
        section.card aria-labelledby="why" {
            h2 #why { "Why" }
            table {
                thead { tr { th.num scope="col" { span.unseen { "Number" } } th scope="col" { "Reason" } th.points scope="col" { "Points" } } }
                tbody {
                    @for (number, reason) in numbered(&assessment.reasons) {
                        tr {
                            td.num { @if let Some(number) = number { (number) } }
                            td { (reason_words(reason, rules)) }
                            td.points { (points(reason.points)) }
                        }
                    }
                }
                tfoot { tr {
                    td.num {} th scope="row" { "Score, " (say::hundred(assessment.intent)) " in 100 are about to leave" }
                    td.points { (points(assessment.score)) }
                } }
            }
        }
    }
}

fn points(points: Points) -> String {
    format!("{:+.2}", points.as_f64()).replace('-', "−")
}

fn reason_words(reason: &Reason, rules: &Rules) -> Markup {
    let signal = rules.signals().iter().find(|signal| signal.id == reason.signal);
    html! {
        @if reason.signal == "base" { "Where every score starts" } @else {
            @if !reason.text.is_empty() { q { (inert(&reason.text)) } " " }
            @if let Some(signal) = signal { (signal.why) } @else { (learned(&reason.signal)) }
            div.small.soft { code { (reason.signal) } @if let Some(rule) = &reason.rule { " · " a href={ "/rules#" (reason.signal) } { (rule) } } }
        }
    }
}

/// What a reason of the learned model means.
fn learned(signal: &str) -> &'static str {
    match signal {
        "model.shape" => "Posts built like this, as past ones taught.",
        "model.signals" => "Signals that meet like this, as past posts taught.",
        "model.direction" => "Which way they go: from whom, to whom.",
        "model.wording" => "Words like these, as past posts taught.",
        "model.beside_name" => "Words beside the name, as past posts taught.",
        "model.said_to_them" => "Said to the provider itself.",
        "model.negation" => "A \"not\" that turns the words round.",
        _ => "",
    }
}

fn frozen(text: &str) -> Markup {
    html! { label { span.unseen { "The approved words" } textarea #reply readonly dir="auto" { "\n" (text) } } }
}

fn initial(post: &Post) -> String {
    let name = if post.author.name.is_empty() { &post.author.handle } else { &post.author.name };
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
}

/// Why a decision could not be taken, as a sentence.
pub fn why(stopped: &DecisionError, now: Timestamp) -> String {
    match stopped {
        DecisionError::Conflict(conflict) => {
            let seconds = now.as_second() - conflict.when.as_second();
            format!(
                "{} changed this lead {} ago: it is {} now.",
                conflict.who,
                say::span(seconds),
                say::state(conflict.state)
            )
        }
        other => format!("Not possible: {other}."),
    }
}

/// The page after a decision that could not be taken: nothing the operator wrote is lost.
pub fn stopped(lead: &Lead, why: &str, mine: &str, address: &str) -> Markup {
    let theirs = lead.reply().unwrap_or("");
    html! {
        h1 data-focus tabindex="-1" { "Not done" }
        p.notice.bad role="alert" { (why) }
        @if !mine.trim().is_empty() && mine != theirs {
            section.card.stack { h2 { "Your text" } label { span.unseen { "Your text" } textarea readonly dir="auto" { "\n" (mine) } } }
        }
        @if !theirs.is_empty() {
            section.card.stack { h2 { "The lead's text" } label { span.unseen { "The lead's text" } textarea readonly dir="auto" { "\n" (theirs) } } }
        }
        div.inline {
            a.button.primary href=(address) data-key="o Enter" { "Look at lead " (lead.id) }
            a.button href="/queue" data-key="u Escape" { "Back to the queue" }
        }
    }
}
