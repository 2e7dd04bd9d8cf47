//! Learns a model from labelled rows: features, cross-validation by post, calibration, named weights.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::atom::Atom;
use super::family::Family;
use super::features::{self, Sink};
use super::fit::{Row, fit, log_odds, probability};
use super::labelled::{Label, Labelled};
use super::measure::Outcome;
use super::model::{Model, Question, Weighing, Weights};
use super::page::Page;
use super::staff;
use crate::scan::Scanner;
use crate::text;

/// How many parts the posts are split into for cross-validation.
pub const FOLDS: usize = 5;
/// A feature seen in fewer rows than this is left out.
const ROWS_MIN: usize = 2;
/// Of two and more words in a row, one that fewer rows share could carry somebody's sentence.
const GRAM_ROWS_MIN: usize = 3;
/// The price of a weight, before the family's scale.
const RIDGE: f64 = 1.0;
/// The price of the base, which should be nearly free.
const BASE_RIDGE: f64 = 0.01;
/// One deciban in natural log-odds.
const DECIBAN: f64 = std::f64::consts::LN_10 / 10.0;
/// A weight below this many hundredths of a point is left out of the file.
const HUNDREDTHS_MIN: i32 = 10;

/// One row made ready: its features and what is known of it.
#[derive(Debug, Clone)]
struct Example {
    features: Vec<(u32, f32)>,
    /// What the staff's signals add, in natural log-odds.
    staff: f64,
    /// What the model that is built upon says, by question, in natural log-odds.
    prior: [f64; 4],
    answers: [Option<bool>; 4],
    weight: f64,
    fold: usize,
    post: usize,
    file: usize,
}

/// Rows made ready for learning.
#[derive(Debug, Default)]
pub struct Lesson {
    names: HashMap<String, u32>,
    families: Vec<Family>,
    examples: Vec<Example>,
    posts: HashMap<String, usize>,
    files: usize,
    prior: Option<Model>,
    /// How many rows were left out because their provider was not found in the text.
    pub not_found: usize,
}

/// Collects one example's features by name.
struct Names<'l> {
    lesson: &'l mut Lesson,
    found: Vec<(u32, f32)>,
}

impl Sink for Names<'_> {
    fn take(&mut self, family: Family, name: &[Atom<'_>], value: f32, _: Range<usize>) {
        let mut full = family.name().to_owned();
        for piece in name {
            full.push(' ');
            full.push_str(piece.text);
        }
        let lesson = &mut *self.lesson;
        let next = u32::try_from(lesson.families.len()).expect("fewer than four billion features");
        let index = *lesson.names.entry(full).or_insert(next);
        if index == next {
            lesson.families.push(family);
        }
        if !self.found.iter().any(|&(known, _)| known == index) {
            self.found.push((index, value));
        }
    }
}

impl Lesson {
    /// A lesson that only learns what another model leaves open.
    #[must_use]
    pub fn on_top_of(model: Model) -> Self {
        Self { prior: Some(model), ..Self::default() }
    }

    /// Probabilities of the model that is built upon, for every row that answers the question.
    #[must_use]
    pub fn before(&self, question: Question) -> Vec<Outcome> {
        let answered = self.examples.iter().filter_map(|e| Some((e, e.answers[question as usize]?)));
        answered.map(|(e, is)| Outcome::at_half(probability(known(e, question)), is, e.post)).collect()
    }

    /// Adds the rows of one file, each counting `weight`.
    pub fn add(&mut self, rows: &[Labelled], scanner: &Scanner, weight: f64) {
        let only_complaints = rows.iter().any(|row| row.label == Label::NotComplaint);
        let file = self.files;
        self.files += 1;
        for row in rows {
            let (post, scan, provider) = row.scan(scanner);
            let Some(provider) = provider else {
                self.not_found += 1;
                continue;
            };
            let page = Page::of(&post, &scan);
            let prior = self.prior.as_ref().map_or([0.0; 4], |model| {
                let mut weighing = Weighing::new(model);
                features::show(&page, scanner.rules(), provider, &mut weighing);
                Question::ALL.map(|q| f64::from(weighing.sum(q)) / 100.0 * DECIBAN)
            });
            let mut names = Names { lesson: self, found: Vec::new() };
            features::show(&page, scanner.rules(), provider, &mut names);
            let features = names.found;
            let points = staff::points(&scan, scanner.rules(), provider);
            let staff = points.iter().map(|(_, _, points)| points.as_f64()).sum::<f64>() * DECIBAN;
            let group = text::fold(&row.text);
            let fold = fold_of(&group);
            let next = self.posts.len();
            let post = *self.posts.entry(group).or_insert(next);
            let answers = answers(row.label, only_complaints);
            self.examples.push(Example { features, staff, prior, answers, weight, fold, post, file });
        }
    }

    /// How many rows can be learned from.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.examples.len()
    }

    /// Probabilities for each file's rows, each given by a model that never saw the row's post.
    #[must_use]
    pub fn cross_validate(&self, question: Question) -> Vec<Vec<Outcome>> {
        let mut files = vec![Vec::new(); self.files];
        for (example, odds) in self.out_of_fold(question) {
            let is = example.answers[question as usize].expect("only answered rows are judged");
            let outcome = Outcome::at_half(probability(odds + known(example, question)), is, example.post);
            files[example.file].push(outcome);
        }
        files
    }

    /// Learned log-odds for every answered row, the staff's points not counted.
    fn out_of_fold(&self, question: Question) -> Vec<(&Example, f64)> {
        let mut judged = Vec::new();
        for fold in 0..FOLDS {
            let weights = self.learn(question, |example| example.fold != fold);
            let held = self.examples.iter().filter(|e| e.fold == fold && e.answers[question as usize].is_some());
            judged.extend(held.map(|e| (e, self.judge(&weights, e))));
        }
        judged
    }

    /// Weights by feature, the base last; scaled, as the solver sees them.
    fn learn(&self, question: Question, may_see: impl Fn(&Example) -> bool) -> Vec<f64> {
        let seen: Vec<&Example> =
            self.examples.iter().filter(|e| may_see(e) && e.answers[question as usize].is_some()).collect();
        let mut rows_with = vec![0usize; self.families.len()];
        for &(i, _) in seen.iter().flat_map(|e| &e.features) {
            rows_with[i as usize] += 1;
        }
        let common = |i: u32| {
            let grams = matches!(self.families[i as usize], Family::Pair | Family::Triple);
            rows_with[i as usize] >= if grams { GRAM_ROWS_MIN } else { ROWS_MIN }
        };
        let row = |e: &&Example| Row {
            features: self.scaled(question, &e.features, common),
            offset: known(e, question),
            is: e.answers[question as usize].expect("filtered above"),
            weight: e.weight,
        };
        let rows: Vec<Row> = seen.iter().map(row).collect();
        let mut ridge = vec![RIDGE; self.families.len() + 1];
        ridge[self.families.len()] = if self.prior.is_some() { RIDGE } else { BASE_RIDGE };
        let mut weights = fit(&rows, &ridge);
        for (weight, family) in weights.iter_mut().zip(&self.families) {
            *weight *= scale(question, *family);
        }
        weights
    }

    /// Features times their family's scale, with the base as one more that is always there.
    fn scaled(&self, question: Question, found: &[(u32, f32)], common: impl Fn(u32) -> bool) -> Vec<(u32, f32)> {
        #[expect(clippy::cast_possible_truncation, reason = "a number between nought and one")]
        let times = |i: u32| scale(question, self.families[i as usize]) as f32;
        let base = u32::try_from(self.families.len()).expect("fewer than four billion features");
        let features = found.iter().filter(|(i, _)| common(*i)).map(|&(i, value)| (i, value * times(i)));
        features.chain([(base, 1.0)]).collect()
    }

    fn judge(&self, weights: &[f64], example: &Example) -> f64 {
        log_odds(&example.features, weights) + weights[self.families.len()]
    }

    /// Learns all questions from all rows, moves each base by what cross-validation shows is off,
    /// and gives the weights names.
    #[must_use]
    pub fn finish(&self) -> (Weights, Vec<(String, Weights)>) {
        let mut names: Vec<(&String, &u32)> = self.names.iter().collect();
        names.sort_unstable();
        let mut base = Weights::default();
        let mut named: BTreeMap<&str, Weights> = BTreeMap::new();
        for question in Question::ALL {
            let at = question as usize;
            let (stretch, shift) = self.calibration(question);
            let weights = self.learn(question, |_| true);
            base[at] = hundredths(weights[self.families.len()] * stretch + shift);
            for &(name, i) in &names {
                let weight = hundredths(weights[*i as usize] * stretch);
                if weight.abs() >= HUNDREDTHS_MIN {
                    named.entry(name.as_str()).or_default()[at] = weight;
                }
            }
        }
        (base, named.into_iter().map(|(name, weights)| (name.to_owned(), weights)).collect())
    }

    /// Platt's two numbers, fitted on rows the judging model never saw: how much to stretch and to shift
    /// the learned part; the staff's points stay as they are.
    #[must_use]
    pub fn calibration(&self, question: Question) -> (f64, f64) {
        let judged = self.out_of_fold(question);
        #[expect(clippy::cast_possible_truncation, reason = "log-odds are small numbers")]
        let row = |(example, odds): &(&Example, f64)| Row {
            features: vec![(0, *odds as f32), (1, 1.0)],
            offset: known(example, question),
            is: example.answers[question as usize].expect("only answered rows are judged"),
            weight: example.weight,
        };
        let rows: Vec<Row> = judged.iter().map(row).collect();
        let fitted = fit(&rows, &[BASE_RIDGE, BASE_RIDGE]);
        (fitted[0].clamp(STRETCH_MIN, STRETCH_MAX), fitted[1])
    }
}

/// Calibration may not turn the learned part off, nor blow it up.
const STRETCH_MIN: f64 = 0.7;
const STRETCH_MAX: f64 = 1.4;

fn hundredths(log_odds: f64) -> i32 {
    super::Points::from_f64(log_odds / DECIBAN).hundredths()
}

fn scale(question: Question, family: Family) -> f64 {
    if question == Question::Complaint { family.complaint_scale() } else { family.scale() }
}

/// What is known of a row before anything is learned here.
fn known(example: &Example, question: Question) -> f64 {
    let staff = if question == Question::Leaving { example.staff } else { 0.0 };
    staff + example.prior[question as usize]
}

/// What a label answers of the four questions; the last three are asked of those who stay.
fn answers(label: Label, only_complaints: bool) -> [Option<bool>; 4] {
    let stays = |complaint, joining, left| [Some(false), Some(complaint), Some(joining), Some(left)];
    match label {
        Label::Complaint if only_complaints => [None, Some(true), None, None],
        Label::NotComplaint => [None, Some(false), None, None],
        Label::Leaving => [Some(true), None, None, None],
        Label::NotLeaving => [Some(false), None, None, None],
        Label::Complaint => stays(true, false, false),
        Label::Joining => stays(false, true, false),
        Label::Left => stays(false, false, true),
        Label::Other => stays(false, false, false),
    }
}

/// The part a post belongs to, by its words: the same on every machine, whatever the order of rows.
fn fold_of(group: &str) -> usize {
    let hash = ring::digest::digest(&ring::digest::SHA256, group.as_bytes());
    usize::from(hash.as_ref()[0]) % FOLDS
}
