//! What a post shows about one provider, as named features with the words they stand at.

use std::ops::Range;

use super::atom::Atom;
use super::family::Family;
use super::page::{Kind, Page, Token};
use super::{Stance, staff};
use crate::rules::{Rules, Signal};

/// A firm word of leaving is worth at least this much, in hundredths of a point.
const FIRM_HUNDREDTHS: i32 = 400;
/// How far a negation reaches, in words.
const NEGATION_WORDS: usize = 4;
/// How near a signal must stand to a name to be near, in words.
const NEAR_WORDS: usize = 6;
/// How many points in favour of one provider count as one step of the role balance.
const ROLE_STEP_POINTS: f64 = 6.0;

/// Takes features one by one: the model adds up weights, the training collects names.
pub trait Sink {
    /// One feature: its family, the pieces of its name, its value, and the words of the reading it stands at.
    fn take(&mut self, family: Family, name: &[Atom<'_>], value: f32, words: Range<usize>);
}

/// Shows every feature of the post from this provider's point of view, always in the same order.
pub fn show(page: &Page<'_>, rules: &Rules, target: usize, sink: &mut dyn Sink) {
    let view = View::new(page, rules, target);
    view.shape(sink);
    let talk = view.signals(sink);
    view.talk(&talk, sink);
    view.roles(&talk, sink);
    view.grams(sink);
    view.around_target(sink);
    view.around_others(sink);
    view.prepositions(sink);
    view.you(sink);
    view.negations(sink);
}

/// Of whom a signal is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Target,
    Other,
    Nobody,
}

impl Of {
    const fn atom(self) -> Atom<'static> {
        match self {
            Self::Target => Atom::new("of_target"),
            Self::Other => Atom::new("of_other"),
            Self::Nobody => Atom::new("of_nobody"),
        }
    }
}

/// A live signal said in the post.
struct Hit<'a> {
    signal: &'a Signal,
    of: Of,
    provider: Option<usize>,
    words: Range<usize>,
}

/// A page as one provider sees it.
struct View<'a> {
    page: &'a Page<'a>,
    rules: &'a Rules,
    target: usize,
    /// The tokens with the target and the others masked.
    masked: Vec<Atom<'a>>,
    /// Where the target stands, in tokens.
    target_at: Vec<usize>,
    /// Where other providers stand.
    other_at: Vec<usize>,
    others: usize,
    addressed: bool,
    question: bool,
    first_person: bool,
    replies_to_somebody: bool,
    only_lead: bool,
    repeats: bool,
}

impl<'a> View<'a> {
    fn new(page: &'a Page<'a>, rules: &'a Rules, target: usize) -> Self {
        let tokens = &page.tokens;
        let masked = tokens.iter().map(|t| masked(t, target)).collect::<Vec<_>>();
        let at = |is_target: bool| {
            let stands = |t: &Token<'_>| t.names.is_some_and(|p| (p == target) == is_target);
            (0..tokens.len()).filter(|&i| stands(&tokens[i])).collect::<Vec<_>>()
        };
        let (target_at, other_at) = (at(true), at(false));
        let first_handle = tokens.iter().take_while(|t| t.in_lead).find(|t| t.kind == Kind::Handle);
        Self {
            others: page.named.len().saturating_sub(1).min(3),
            addressed: page.scan.pronouns.addressee == Some(target),
            question: masked.iter().any(|a| a.is(Atom::QUESTION)),
            first_person: masked.iter().any(|a| is_first_person(a.text)),
            replies_to_somebody: first_handle.is_some_and(|t| t.names.is_none()),
            only_lead: !target_at.is_empty() && target_at.iter().all(|&i| tokens[i].in_lead),
            repeats: masked.first().is_some_and(|a| a.text == "rt"),
            page,
            rules,
            target,
            masked,
            target_at,
            other_at,
        }
    }

    /// How the post is built and how the provider stands in it.
    fn shape(&self, sink: &mut dyn Sink) {
        let tokens = &self.page.tokens;
        let lead_handles = tokens.iter().take_while(|t| t.in_lead).filter(|t| t.kind == Kind::Handle).count();
        let words = tokens.iter().filter(|t| t.kind == Kind::Word).count();
        let has = |atom: Atom<'_>| self.masked.iter().any(|a| a.is(atom));
        let in_lead = self.target_at.iter().any(|&i| tokens[i].in_lead);
        let other_in_prose = self.other_at.iter().any(|&i| !tokens[i].in_lead);
        let named_first = self.target_at.first().zip(self.other_at.first()).map(|(t, o)| t < o);
        let facts: [(bool, &'static str); 20] = [
            (self.addressed, "addressed"),
            (in_lead, "in_lead"),
            (!self.target_at.is_empty() && !self.only_lead, "in_prose"),
            (self.only_lead, "only_lead"),
            (self.only_lead && other_in_prose, "only_lead_other_in_prose"),
            (self.replies_to_somebody, "replies_to_somebody"),
            (self.replies_to_somebody && self.only_lead, "lead_after_somebody"),
            (self.repeats, "repeats"),
            (has(Atom::LINK), "link"),
            (self.question, "question"),
            (has(Atom::EXCLAIM), "exclaims"),
            (self.first_person, "first_person"),
            (self.masked.iter().any(|a| matches!(a.text, "i" | "im" | "ive" | "ich" | "ik")), "i"),
            (self.target_at.is_empty(), "only_addressed"),
            (has(Atom::SIGNATURE), "signed"),
            (named_first == Some(true), "named_first"),
            (named_first == Some(false), "named_second"),
            (lead_handles == 1, "one_lead_handle"),
            (lead_handles == 2, "two_lead_handles"),
            (lead_handles > 2, "many_lead_handles"),
        ];
        for (_, name) in facts.into_iter().filter(|(fact, _)| *fact) {
            sink.take(Family::Shape, &[Atom::new(name)], 1.0, self.target_words());
        }
        sink.take(Family::Shape, &[Atom::new("others"), COUNTS[self.others]], 1.0, self.target_words());
        sink.take(Family::Shape, &[Atom::new("length"), length(words)], 1.0, self.target_words());
    }

    /// The staff signals said, by whom they are said of and how they stand to the names.
    fn signals(&self, sink: &mut dyn Sink) -> Vec<Hit<'a>> {
        let hits: Vec<Hit<'a>> = self.hits();
        for hit in &hits {
            let id = Atom::new(without_language(&hit.signal.id));
            let of = hit.of.atom();
            let mut cross = |name: Atom<'_>| sink.take(Family::SignalCross, &[id, of, name], 1.0, hit.words.clone());
            if self.negated(hit.words.start) {
                cross(Atom::new("negated"));
            }
            if hit.of == Of::Nobody {
                cross(OTHERS[self.others]);
                if self.addressed {
                    cross(Atom::new("addressed"));
                }
                if let Some(near) = self.nearness(hit.words.start) {
                    cross(near);
                }
            }
            sink.take(Family::Signal, &[id, of], 1.0, hit.words.clone());
        }
        hits
    }

    fn hits(&self) -> Vec<Hit<'a>> {
        let mut hits: Vec<Hit<'a>> = Vec::new();
        for (m, signal) in staff::live(self.page.scan, self.rules) {
            let of = match m.provider {
                None => Of::Nobody,
                Some(p) if p == self.target => Of::Target,
                Some(_) => Of::Other,
            };
            hits.push(Hit { signal, of, provider: m.provider, words: m.words.clone() });
        }
        hits
    }

    fn negated(&self, word: usize) -> bool {
        let before = word.saturating_sub(3)..word;
        before.into_iter().any(|i| is_negation(self.page.scan.reading.fold(i)))
    }

    fn nearness(&self, word: usize) -> Option<Atom<'static>> {
        let nearest = |at: &[usize]| at.iter().map(|&i| self.page.tokens[i].words.start.abs_diff(word)).min();
        let target = nearest(&self.target_at)?;
        Some(match nearest(&self.other_at) {
            Some(other) if other < target => Atom::new("other_nearer"),
            _ if target <= NEAR_WORDS => Atom::new("near"),
            _ => Atom::new("far"),
        })
    }

    /// What kinds of talk there are: leaving, joining, having left; of whom; and what stands with them.
    fn talk(&self, hits: &[Hit<'_>], sink: &mut dyn Sink) {
        let said = |stance: Stance, of: Of| hits.iter().find(|h| h.signal.speaks_for == stance && h.of == of);
        let firm = hits.iter().find(|h| is_firm(h));
        let kinds: [(Option<&Hit<'_>>, &'static str); 10] = [
            (said(Stance::Leaving, Of::Target), "exit_of_target"),
            (said(Stance::Leaving, Of::Other), "exit_of_other"),
            (said(Stance::Joining, Of::Target), "join_of_target"),
            (said(Stance::Joining, Of::Other), "join_of_other"),
            (said(Stance::Left, Of::Target), "left_of_target"),
            (said(Stance::Left, Of::Other), "left_of_other"),
            (said(Stance::Leaving, Of::Nobody), "exit_of_nobody"),
            (said(Stance::Joining, Of::Nobody), "join_of_nobody"),
            (said(Stance::Left, Of::Nobody), "left_of_nobody"),
            (firm, "firm_exit"),
        ];
        let present: Vec<_> = kinds.iter().filter_map(|(hit, name)| Some((hit.as_ref()?, Atom::new(name)))).collect();
        let with: [(bool, Atom<'_>); 6] = [
            (self.addressed, Atom::new("addressed")),
            (self.only_lead, Atom::new("only_lead")),
            (self.replies_to_somebody, Atom::new("replies_to_somebody")),
            (self.question, Atom::new("question")),
            (self.repeats, Atom::new("repeats")),
            (!self.first_person, Atom::new("not_me")),
        ];
        for (i, &(hit, name)) in present.iter().enumerate() {
            sink.take(Family::Talk, &[name], 1.0, hit.words.clone());
            for &(_, second) in &present[i + 1..] {
                sink.take(Family::TalkPair, &[name, second], 1.0, hit.words.clone());
            }
            sink.take(Family::TalkPair, &[name, OTHERS[self.others]], 1.0, hit.words.clone());
            for &(_, fact) in with.iter().filter(|(holds, _)| *holds) {
                sink.take(Family::TalkPair, &[name, fact], 1.0, hit.words.clone());
            }
        }
        let mut exits: Vec<&str> = Vec::new();
        for hit in hits.iter().filter(|h| h.of != Of::Other && h.signal.speaks_for == Stance::Leaving) {
            if !exits.contains(&hit.signal.id.as_str()) {
                exits.push(&hit.signal.id);
            }
        }
        let words = present.first().map_or_else(|| self.target_words(), |(hit, _)| hit.words.clone());
        sink.take(Family::Talk, &[Atom::new("exits"), COUNTS[exits.len().min(4)]], 1.0, words);
    }

    /// Who is left and who is joined, when several are named: what is said of the target against the best other.
    fn roles(&self, hits: &[Hit<'_>], sink: &mut dyn Sink) {
        if self.others == 0 {
            return;
        }
        let is_exit =
            |s: &Signal| matches!(s.speaks_for, Stance::Leaving | Stance::Complaint) && s.points.hundredths() > 0;
        let is_join = |s: &Signal| s.speaks_for == Stance::Joining;
        let is_left = |s: &Signal| s.speaks_for == Stance::Left;
        let exit_target = sum_of(hits, self.target, is_exit);
        let exit_other = self.best_other(hits, is_exit);
        let join_target = sum_of(hits, self.target, is_join);
        let join_other = self.best_other(hits, is_join);
        let left = sum_of(hits, self.target, is_left) - self.best_other(hits, is_left);
        let firm = hits.iter().any(is_firm);
        let words = hits.first().map_or_else(|| self.target_words(), |h| h.words.clone());
        let pairs = [("exit", exit_target - exit_other), ("join", join_target - join_other), ("left", left)];
        for (name, balance) in pairs.into_iter().filter(|(_, balance)| *balance != 0.0) {
            let sign = sign_of(balance);
            sink.take(Family::Role, &[Atom::new(name), sign], 1.0, words.clone());
            let how = if firm { Atom::new("firm") } else { Atom::new("loose") };
            sink.take(Family::Role, &[Atom::new(name), sign, how], 1.0, words.clone());
        }
        let net = exit_target + join_other - join_target - exit_other;
        let exit_talk = firm || hits.iter().any(|h| h.of != Of::Nobody && h.signal.speaks_for == Stance::Leaving);
        #[expect(clippy::cast_possible_truncation, reason = "clamped to a small number")]
        let steps = (net / ROLE_STEP_POINTS).clamp(-2.0, 2.0) as f32;
        sink.take(Family::Role, &[Atom::new("net")], steps, words.clone());
        let sign = sign_of(net);
        if exit_talk {
            sink.take(Family::Role, &[Atom::new("net"), Atom::new("exit_talk")], steps, words.clone());
            sink.take(Family::Role, &[Atom::new("exit_talk"), sign, COUNTS[self.others.min(2)]], 1.0, words);
        } else {
            sink.take(Family::Role, &[Atom::new("quiet"), sign], 1.0, words);
        }
    }

    fn best_other(&self, hits: &[Hit<'_>], counts: impl Fn(&Signal) -> bool + Copy) -> f64 {
        let others = self.page.named.iter().filter(|&&p| p != self.target);
        others.map(|&p| sum_of(hits, p, counts)).fold(0.0, f64::max)
    }

    /// Single words, pairs and triples of the masked text, without commas.
    fn grams(&self, sink: &mut dyn Sink) {
        let mut row: Vec<usize> = Vec::with_capacity(self.masked.len());
        for (i, token) in self.page.tokens.iter().enumerate() {
            let again = self.masked[i].is(Atom::SOMEBODY)
                && row.last().is_some_and(|&last| self.masked[last].is(Atom::SOMEBODY));
            if token.kind != Kind::Comma && !again {
                row.push(i);
            }
        }
        for (family, size) in [(Family::Word, 1), (Family::Pair, 2), (Family::Triple, 3)] {
            for gram in row.windows(size) {
                let mut name = [Atom::COMMA; 3];
                for (piece, &i) in name.iter_mut().zip(gram) {
                    *piece = self.masked[i];
                }
                sink.take(family, &name[..size], 1.0, self.words(gram[0], gram[size - 1]));
            }
        }
    }

    /// The words before and after the target, by distance and by side, and those of its clause.
    fn around_target(&self, sink: &mut dyn Sink) {
        for &at in self.target_at.iter().filter(|&&i| !self.page.tokens[i].in_lead) {
            for distance in 1..=3 {
                if at >= distance {
                    self.beside(sink, Family::Near, &[LEFT[distance]], at - distance, at);
                    self.beside(sink, Family::Near, &[LEFT[0]], at - distance, at);
                }
                if at + distance < self.masked.len() {
                    self.beside(sink, Family::Near, &[RIGHT[distance]], at + distance, at);
                    self.beside(sink, Family::Near, &[RIGHT[0]], at + distance, at);
                }
            }
            self.pair(sink, Family::Near, at, "both_left", |i| (i.checked_sub(2), i.checked_sub(1)));
            self.pair(sink, Family::Near, at, "both_right", |i| (Some(i + 1), Some(i + 2)));
            self.pair(sink, Family::Near, at, "both_sides", |i| (i.checked_sub(1), Some(i + 1)));
            for i in self.clause(at) {
                if i != at && self.page.tokens[i].kind == Kind::Word {
                    sink.take(Family::Clause, &[self.masked[i]], 1.0, self.words(i, i));
                }
            }
        }
    }

    fn around_others(&self, sink: &mut dyn Sink) {
        for &at in self.other_at.iter().filter(|&&i| !self.page.tokens[i].in_lead) {
            for distance in 1..=2 {
                if at >= distance {
                    self.beside(sink, Family::OtherNear, &[LEFT[distance]], at - distance, at);
                }
                if at + distance < self.masked.len() {
                    self.beside(sink, Family::OtherNear, &[RIGHT[distance]], at + distance, at);
                }
            }
            self.pair(sink, Family::OtherNear, at, "both_left", |i| (i.checked_sub(2), i.checked_sub(1)));
        }
    }

    fn beside(&self, sink: &mut dyn Sink, family: Family, side: &[Atom<'_>; 1], i: usize, at: usize) {
        sink.take(family, &[side[0], self.masked[i]], 1.0, self.words(i.min(at), i.max(at)));
    }

    fn pair(
        &self,
        sink: &mut dyn Sink,
        family: Family,
        at: usize,
        name: &'static str,
        places: impl Fn(usize) -> (Option<usize>, Option<usize>),
    ) {
        if let (Some(a), Some(b)) = places(at)
            && a < self.masked.len()
            && b < self.masked.len()
        {
            let words = self.words(a.min(at), b.max(at));
            sink.take(family, &[Atom::new(name), self.masked[a], self.masked[b]], 1.0, words);
        }
    }

    /// The tokens between the marks around a token.
    fn clause(&self, at: usize) -> Range<usize> {
        let tokens = &self.page.tokens;
        let breaks = |i: &usize| matches!(tokens[*i].kind, Kind::Stop | Kind::Comma);
        let start = (0..at).rev().find(breaks).map_or(0, |i| i + 1);
        start..(at + 1..tokens.len()).find(breaks).unwrap_or(tokens.len())
    }

    /// The word that ties a name to the sentence: the nearest preposition or verb of moving before it.
    fn prepositions(&self, sink: &mut dyn Sink) {
        for (who, places) in [(Atom::TARGET, &self.target_at), (Atom::OTHER, &self.other_at)] {
            for &at in places.iter().filter(|&&i| !self.page.tokens[i].in_lead) {
                let before = at.saturating_sub(3)..at;
                if let Some(i) = before.rev().find(|&i| is_preposition(self.masked[i].text)) {
                    sink.take(Family::Preposition, &[who, self.masked[i]], 1.0, self.words(i, at));
                }
            }
        }
    }

    /// What stands beside "you" when it means the target.
    fn you(&self, sink: &mut dyn Sink) {
        for at in (0..self.masked.len()).filter(|&i| self.page.tokens[i].means == Some(self.target)) {
            if at > 0 {
                self.beside(sink, Family::You, &[LEFT[1]], at - 1, at);
            }
            if at + 1 < self.masked.len() {
                self.beside(sink, Family::You, &[RIGHT[1]], at + 1, at);
            }
            self.pair(sink, Family::You, at, "both_left", |i| (i.checked_sub(2), i.checked_sub(1)));
        }
    }

    /// The words a negation reaches.
    fn negations(&self, sink: &mut dyn Sink) {
        for at in (0..self.masked.len()).filter(|&i| is_negation(self.masked[i].text)) {
            for i in at + 1..self.masked.len().min(at + 1 + NEGATION_WORDS) {
                if matches!(self.page.tokens[i].kind, Kind::Stop | Kind::Comma) {
                    break;
                }
                sink.take(Family::Negation, &[self.masked[i]], 1.0, self.words(at, i));
            }
        }
    }

    /// The words of the reading from one token to another.
    fn words(&self, first: usize, last: usize) -> Range<usize> {
        self.page.tokens[first].words.start..self.page.tokens[last].words.end
    }

    fn target_words(&self) -> Range<usize> {
        self.target_at.first().map_or(0..0, |&i| self.words(i, i))
    }
}

fn masked<'a>(token: &Token<'a>, target: usize) -> Atom<'a> {
    match token.names {
        Some(provider) if provider == target => Atom::TARGET,
        Some(_) => Atom::OTHER,
        None => token.atom,
    }
}

const COUNTS: [Atom<'static>; 5] = [Atom::new("0"), Atom::new("1"), Atom::new("2"), Atom::new("3"), Atom::new("4")];
const OTHERS: [Atom<'static>; 4] =
    [Atom::new("others_0"), Atom::new("others_1"), Atom::new("others_2"), Atom::new("others_3")];
const LEFT: [Atom<'static>; 4] = [Atom::new("left"), Atom::new("left_1"), Atom::new("left_2"), Atom::new("left_3")];
const RIGHT: [Atom<'static>; 4] =
    [Atom::new("right"), Atom::new("right_1"), Atom::new("right_2"), Atom::new("right_3")];

fn length(words: usize) -> Atom<'static> {
    match words {
        0..=5 => Atom::new("up_to_5"),
        6..=12 => Atom::new("up_to_12"),
        13..=25 => Atom::new("up_to_25"),
        _ => Atom::new("long"),
    }
}

/// The sum of what is said of one provider by signals of one sort, each counted once.
fn sum_of(hits: &[Hit<'_>], provider: usize, counts: impl Fn(&Signal) -> bool) -> f64 {
    let said = |h: &&Hit<'_>| h.provider == Some(provider) && counts(h.signal);
    let first = |i: usize, id: &str| !hits[..i].iter().any(|h| h.provider == Some(provider) && h.signal.id == id);
    let counted = hits.iter().enumerate().filter(|(i, h)| said(h) && first(*i, &h.signal.id));
    counted.map(|(_, h)| h.signal.points.as_f64().abs()).sum()
}

fn sign_of(balance: f64) -> Atom<'static> {
    match balance.partial_cmp(&0.0) {
        Some(std::cmp::Ordering::Greater) => Atom::new("more"),
        Some(std::cmp::Ordering::Less) => Atom::new("less"),
        _ => Atom::new("even"),
    }
}

fn is_firm(hit: &Hit<'_>) -> bool {
    hit.of == Of::Nobody
        && hit.signal.speaks_for == Stance::Leaving
        && hit.signal.points.hundredths() >= FIRM_HUNDREDTHS
}

/// A signal of a language pack shares what was learned of its English twin: `leaving.named_de` is `leaving.named`.
fn without_language(id: &str) -> &str {
    ["_de", "_nl"].iter().find_map(|suffix| id.strip_suffix(suffix)).unwrap_or(id)
}

fn is_negation(word: &str) -> bool {
    matches!(
        word,
        "not"
            | "no"
            | "never"
            | "dont"
            | "wont"
            | "cant"
            | "didnt"
            | "doesnt"
            | "isnt"
            | "wasnt"
            | "nothing"
            | "none"
            | "without"
            | "hardly"
            | "nicht"
            | "kein"
            | "keine"
            | "keinen"
            | "nie"
            | "niemals"
            | "niet"
            | "geen"
            | "nooit"
    )
}

fn is_first_person(word: &str) -> bool {
    matches!(
        word,
        "i" | "im"
            | "ive"
            | "id"
            | "ill"
            | "my"
            | "me"
            | "we"
            | "our"
            | "us"
            | "weve"
            | "were"
            | "mine"
            | "ich"
            | "mein"
            | "meinen"
            | "meine"
            | "mir"
            | "mich"
            | "wir"
            | "ik"
            | "mijn"
            | "mij"
            | "wij"
    )
}

fn is_preposition(word: &str) -> bool {
    matches!(
        word,
        "from"
            | "to"
            | "with"
            | "at"
            | "on"
            | "off"
            | "than"
            | "for"
            | "by"
            | "in"
            | "of"
            | "and"
            | "or"
            | "join"
            | "leave"
            | "leaving"
            | "left"
            | "joined"
            | "joining"
            | "von"
            | "zu"
            | "bei"
            | "mit"
            | "nach"
            | "als"
            | "van"
            | "naar"
            | "bij"
            | "met"
            | "dan"
    )
}
