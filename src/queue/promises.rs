//! Proves by random events and races that nothing goes out unapproved, twice, or to whom it must not.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::thread;

use jiff::Timestamp;
use proptest::prelude::*;

use super::testing::*;
use super::{Approval, Approved, DecisionError, DismissReason, LeadId, Outcome, Queue, Receipt};
use crate::decide::Verdict;
use crate::post::{Network, PostId};
use crate::rules::Policy;

const LEADS: usize = 6;
const AUTHORS: usize = 3;
const OPERATORS: [&str; 2] = ["bo", "cy"];

/// Something that happens; the number says to which lead or author.
#[derive(Debug, Clone)]
enum Event {
    Approve(usize, usize),
    Edit(usize),
    Undo(usize, usize),
    Dismiss(usize),
    HandOff(usize),
    Posted(usize),
    NotPosted(usize),
    Reopen(usize),
    Pass(i64),
    Take,
    Sent,
    Failed,
    Unknown,
    NotSent,
    SettleSent,
    SettleNotSent,
    Delete(usize),
    NeverContact(usize),
    Pause(bool),
    Crash,
}

fn event() -> impl Strategy<Value = Event> {
    use Event::{
        Approve, Crash, Delete, Dismiss, Edit, Failed, HandOff, NeverContact, NotPosted, NotSent, Pass, Pause, Posted,
        Reopen, Sent, SettleNotSent, SettleSent, Take, Undo, Unknown,
    };
    let lead = 0..LEADS;
    prop_oneof![
        8 => (lead.clone(), 0..2usize).prop_map(|(l, o)| Approve(l, o)),
        2 => lead.clone().prop_map(Edit),
        2 => (lead.clone(), 0..2usize).prop_map(|(l, o)| Undo(l, o)),
        1 => lead.clone().prop_map(Dismiss),
        2 => lead.clone().prop_map(HandOff),
        1 => lead.clone().prop_map(Posted),
        1 => lead.clone().prop_map(NotPosted),
        1 => lead.clone().prop_map(Reopen),
        6 => (1..60i64).prop_map(Pass),
        8 => Just(Take),
        4 => prop_oneof![Just(Sent), Just(Failed), Just(Unknown), Just(NotSent)],
        2 => prop_oneof![Just(SettleSent), Just(SettleNotSent)],
        1 => lead.clone().prop_map(Delete),
        1 => lead.prop_map(NeverContact),
        1 => any::<bool>().prop_map(Pause),
        1 => Just(Crash),
    ]
}

/// The queue, and beside it what must be true of it.
struct World {
    queue: Queue,
    leads: Vec<LeadId>,
    now: Timestamp,
    paused: bool,
    approved: HashMap<LeadId, (String, Timestamp)>,
    perhaps_out: HashSet<LeadId>,
    gone: HashSet<LeadId>,
    opted_out: HashSet<usize>,
    under_way: Vec<Approved>,
}

impl World {
    fn new() -> Self {
        let mut queue = Queue::in_memory().unwrap();
        let mut leads = Vec::new();
        for number in 0..LEADS {
            let author = format!("author{}", number % AUTHORS);
            let post = post(&format!("at://{number}"), &author, "Leaving EE");
            leads.extend(commit(&mut queue, vec![judged(post, vec![finding("ee", Verdict::Enter)])], start()));
        }
        Self {
            queue,
            leads,
            now: start(),
            paused: false,
            approved: HashMap::new(),
            perhaps_out: HashSet::new(),
            gone: HashSet::new(),
            opted_out: HashSet::new(),
            under_way: Vec::new(),
        }
    }

    fn version(&self, lead: LeadId) -> i64 {
        self.queue.lead(lead).unwrap().unwrap().version
    }

    fn author_of(&self, lead: LeadId) -> usize {
        self.leads.iter().position(|l| *l == lead).unwrap() % AUTHORS
    }

    fn receipt(&self) -> Outcome {
        Outcome::Sent(Receipt { uri: "at://us/1".into(), url: None, at: self.now })
    }

    fn happens(&mut self, event: &Event) {
        match *event {
            Event::Approve(l, o) => self.approve(self.leads[l], OPERATORS[o]),
            Event::Undo(l, o) => self.taken_back(l, |q, lead, v, now| q.undo(lead, v, OPERATORS[o], now)),
            Event::Dismiss(l) => {
                self.taken_back(l, |q, lead, v, now| q.dismiss(lead, v, DismissReason::Joke, 20, "bo", now));
            }
            Event::Edit(l) => {
                let (lead, version) = (self.leads[l], self.version(self.leads[l]));
                let _ = self.queue.edit(lead, version, "Other words", None, "bo", self.now);
            }
            Event::HandOff(l) => self.hand_off(l),
            Event::Posted(l) => self.ignoring(l, |q, lead, v, now| q.posted(lead, v, "https://example.com", "bo", now)),
            Event::NotPosted(l) => {
                let (lead, version) = (self.leads[l], self.version(self.leads[l]));
                if self.queue.not_posted(lead, version, "bo", self.now).is_ok() {
                    self.perhaps_out.remove(&lead);
                }
            }
            Event::Reopen(l) => self.ignoring(l, |q, lead, v, now| q.reopen(lead, v, "bo", now)),
            Event::Pass(seconds) => self.now += jiff::SignedDuration::from_secs(seconds),
            Event::Take => self.take(),
            Event::Sent => self.record(&self.receipt()),
            Event::Failed => self.record(&Outcome::Failed("403".into())),
            Event::Unknown => self.record(&Outcome::Unknown("timeout".into())),
            Event::NotSent => self.record(&Outcome::NotSent { retry_at: self.now, why: "429".into() }),
            Event::SettleSent => self.settle(&self.receipt()),
            Event::SettleNotSent => self.settle(&Outcome::NotSent { retry_at: self.now, why: "absent".into() }),
            Event::Delete(l) => {
                let id = PostId::new(format!("at://{l}"));
                self.queue.erase_post(Network::Bluesky, &id, "deleted", "system", self.now).unwrap();
                self.gone.insert(self.leads[l]);
            }
            Event::NeverContact(l) => {
                self.queue.never_contact(self.leads[l], "asked", "bo", self.now).unwrap();
                self.opted_out.insert(l % AUTHORS);
            }
            Event::Pause(paused) => {
                self.queue.set_paused(paused, "bo", self.now).unwrap();
                self.paused = paused;
            }
            Event::Crash => {
                self.under_way.clear();
                self.queue.recover(self.now).unwrap();
            }
        }
    }

    fn approve(&mut self, lead: LeadId, who: &str) {
        let words = format!("Hello from {who}");
        let approval = Approval::of(&words, &Policy::default());
        let version = self.version(lead);
        if self.queue.approve(lead, version, &approval, who, self.now).is_ok() {
            self.approved.insert(lead, (words, self.now + jiff::SignedDuration::from_secs(20)));
        }
    }

    fn taken_back(&mut self, l: usize, step: impl Fn(&mut Queue, LeadId, i64, Timestamp) -> Result<(), DecisionError>) {
        let (lead, version) = (self.leads[l], self.version(self.leads[l]));
        if step(&mut self.queue, lead, version, self.now).is_ok() {
            self.approved.remove(&lead);
        }
    }

    fn ignoring(&mut self, l: usize, step: impl Fn(&mut Queue, LeadId, i64, Timestamp) -> Result<(), DecisionError>) {
        let version = self.version(self.leads[l]);
        let _ = step(&mut self.queue, self.leads[l], version, self.now);
    }

    fn hand_off(&mut self, l: usize) {
        let (lead, version) = (self.leads[l], self.version(self.leads[l]));
        if self.queue.hand_off(lead, version, 90, "bo", self.now).is_ok() {
            self.goes_out(lead);
        }
    }

    fn take(&mut self) {
        let policy = Policy { replies_per_hour_max: 99, replies_per_day_max: 99, ..Policy::default() };
        if let Some(reply) = self.queue.take_approved(&policy, &[Network::Bluesky], self.now).unwrap() {
            assert!(!self.paused, "sent while paused");
            let (words, held_until) = &self.approved[&reply.lead()];
            assert_eq!(reply.text(), words, "other words than approved");
            assert!(*held_until <= self.now, "sent inside the undo window");
            self.goes_out(reply.lead());
            self.under_way.push(reply);
        }
    }

    /// A reply leaves the house, by whichever door: every promise must hold at this moment.
    fn goes_out(&mut self, lead: LeadId) {
        let author = self.author_of(lead);
        assert!(self.approved.remove(&lead).is_some(), "nobody approved it");
        assert!(!self.gone.contains(&lead), "its post is deleted");
        assert!(!self.opted_out.contains(&author), "its author asked to be left alone");
        let contacted = self.perhaps_out.iter().any(|l| self.author_of(*l) == author);
        assert!(!contacted, "we spoke to this person before");
        self.perhaps_out.insert(lead);
    }

    fn record(&mut self, outcome: &Outcome) {
        if let Some(reply) = self.under_way.pop() {
            let (lead, words) = (reply.lead(), reply.text().to_owned());
            self.queue.record_receipt(reply, outcome, self.now).unwrap();
            self.came_back(lead, words, outcome);
        }
    }

    fn settle(&mut self, outcome: &Outcome) {
        if let Some(unsettled) = self.queue.unsettled(self.now).unwrap().pop() {
            let (lead, words) = (unsettled.reply().lead(), unsettled.reply().text().to_owned());
            self.queue.settle(unsettled, outcome, self.now).unwrap();
            self.came_back(lead, words, outcome);
        }
    }

    fn came_back(&mut self, lead: LeadId, words: String, outcome: &Outcome) {
        match outcome {
            Outcome::NotSent { retry_at, .. } => {
                self.perhaps_out.remove(&lead);
                self.approved.insert(lead, (words, *retry_at));
            }
            Outcome::Failed(_) => {
                self.perhaps_out.remove(&lead);
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_goes_out_that_must_not(events in prop::collection::vec(event(), 1..80)) {
        let mut world = World::new();
        events.iter().for_each(|event| world.happens(event));
        prop_assert!(world.queue.audit_verify().unwrap().broken.is_none());
        world.queue.check(false).unwrap();
    }
}

/// Everybody approves every lead at the version they saw; how many won and how many learned who did.
fn race(path: &Path, leads: &[LeadId], operators: usize) -> (usize, usize) {
    let outcomes: Vec<Result<(), DecisionError>> = thread::scope(|scope| {
        let racer = |number: usize| {
            let mut queue = Queue::open_shared(path).unwrap();
            let approve = move |lead: &LeadId| {
                let approval = Approval::of("Hello", &Policy::default());
                queue.approve(*lead, 1, &approval, &format!("operator {number}"), start()).map(|_| ())
            };
            leads.iter().map(approve).collect::<Vec<_>>()
        };
        let racers: Vec<_> = (0..operators).map(|number| scope.spawn(move || racer(number))).collect();
        racers.into_iter().flat_map(|r| r.join().unwrap()).collect()
    });
    let won = outcomes.iter().filter(|o| o.is_ok()).count();
    let lost =
        outcomes.iter().filter(|o| matches!(o, Err(DecisionError::Conflict(c)) if c.who.starts_with("operator")));
    (won, lost.count())
}

#[test]
fn of_many_who_approve_one_lead_exactly_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let mut queue = Queue::open(&path, start()).unwrap();
    let leads: Vec<LeadId> = (0..20).map(|id| add_lead(&mut queue, &id.to_string(), start())).collect();
    assert_eq!(race(&path, &leads, 8), (20, 140));
    assert!(queue.audit_verify().unwrap().broken.is_none());
}
