//! The learned part of the score: one weight per named feature and question, read from a small text file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::atom::{self, Atom};
use super::family::Family;
use super::features::Sink;
use crate::text::Reading;

/// The first words of a model file; the number changes when its shape does.
const HEADER: &str = "jumpship-model 1";
/// How many words of German a post without a declared language must hold to be read as German.
const GERMAN_WORDS_MIN: usize = 2;

/// What a model answers: is the author leaving; and if not, is it a complaint, are they joining, have they left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Leaving or not; the staff's points count here.
    Leaving,
    /// Complaint or not, among those not leaving.
    Complaint,
    /// Joining or not, among those not leaving.
    Joining,
    /// Left or not, among those not leaving.
    Left,
}

impl Question {
    /// Every question, in the order of a weight line.
    pub const ALL: [Self; 4] = [Self::Leaving, Self::Complaint, Self::Joining, Self::Left];
}

/// Weights in hundredths of a point, one per [`Question`].
pub type Weights = [i32; 4];

/// A learned model. Built by `jumpship train`, read from text, never changed.
#[derive(Debug, Clone, Default)]
pub struct Model {
    lang: String,
    version: String,
    about: Vec<String>,
    base: Weights,
    weights: HashMap<u64, Weights, BuildHasherDefault<KeyHasher>>,
}

/// Feature keys are already mixed: they are their own hash.
#[derive(Debug, Clone, Copy, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 << 8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// Something the model found: what a reason calls it, what it adds to each answer, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The family's name in reasons.
    pub reason: &'static str,
    /// What it adds.
    pub weights: Weights,
    /// The words of the reading.
    pub words: Range<usize>,
}

/// Everything the model found in one post for one provider.
#[derive(Debug)]
pub struct Weighing<'m> {
    model: &'m Model,
    seen: Vec<u64>,
    /// In the order the features are shown.
    pub findings: Vec<Finding>,
}

impl<'m> Weighing<'m> {
    /// Nothing found yet.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        Self { model, seen: Vec::with_capacity(64), findings: Vec::with_capacity(64) }
    }

    /// The sum of the findings and the model's base for one question, in hundredths of a point.
    #[must_use]
    pub fn sum(&self, question: Question) -> i32 {
        let at = question as usize;
        self.model.base[at] + self.findings.iter().map(|found| found.weights[at]).sum::<i32>()
    }
}

impl Sink for Weighing<'_> {
    fn take(&mut self, family: Family, name: &[Atom<'_>], value: f32, words: Range<usize>) {
        let key = atom::key(family as u64, name);
        let Some(weights) = self.model.weights.get(&key) else { return };
        if self.seen.contains(&key) {
            return;
        }
        self.seen.push(key);
        let weights = weights.map(|weight| times(weight, value));
        self.findings.push(Finding { reason: family.reason(), weights, words });
    }
}

#[expect(clippy::cast_possible_truncation, reason = "weights are small and values are at most two")]
fn times(weight: i32, value: f32) -> i32 {
    (f64::from(weight) * f64::from(value)).round() as i32
}

impl Model {
    /// Builds a model from named weights; names are `family piece piece ...`.
    ///
    /// # Errors
    /// When a name has no known family, or two names cannot be told apart.
    pub fn new(
        lang: &str,
        about: Vec<String>,
        base: Weights,
        named: impl IntoIterator<Item = (String, Weights)>,
    ) -> Result<Self, String> {
        let mut model = Self { lang: lang.to_owned(), about, base, ..Self::default() };
        for (name, weights) in named {
            model.add(&name, weights)?;
        }
        Ok(model)
    }

    fn add(&mut self, name: &str, weights: Weights) -> Result<(), String> {
        let key = key_of(name).ok_or_else(|| format!("\"{name}\" starts with no family of features I know"))?;
        match self.weights.entry(key) {
            Entry::Vacant(free) => {
                free.insert(weights);
                Ok(())
            }
            Entry::Occupied(_) => Err(format!("\"{name}\" stands twice, or cannot be told from another name")),
        }
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// The line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().enumerate();
        if lines.next().is_none_or(|(_, line)| line != HEADER) {
            return Err(format!("line 1: this is no model file of this version. It starts with \"{HEADER}\"."));
        }
        let mut model = Self { version: version_of(text), ..Self::default() };
        for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
            model.line(line).map_err(|cause| format!("line {}: {cause}. Train the model again.", at + 1))?;
        }
        Ok(model)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(about) = line.strip_prefix("# ") {
            self.about.push(about.to_owned());
            return Ok(());
        }
        let (name, numbers) = line.split_once('\t').ok_or("there is no tab between a name and its weights")?;
        if name == "lang" {
            numbers.clone_into(&mut self.lang);
            return Ok(());
        }
        let weights = weights_of(numbers).ok_or_else(|| format!("\"{numbers}\" is not four whole numbers"))?;
        if name == "base" {
            self.base = weights;
            return Ok(());
        }
        self.add(name, weights)
    }

    /// The text of a model file.
    #[must_use]
    pub fn write(lang: &str, about: &[String], base: Weights, named: &[(String, Weights)]) -> String {
        let mut text = format!("{HEADER}\n");
        for line in about {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "lang\t{lang}\nbase\t{}", numbers(base));
        for (name, weights) in named {
            let _ = writeln!(text, "{name}\t{}", numbers(*weights));
        }
        text
    }

    /// The base and the named weights of a model file, for training on top of it; what cannot be read is left out.
    #[must_use]
    pub fn named(text: &str) -> (Weights, Vec<(String, Weights)>) {
        let lines = text.lines().skip(1).filter(|line| !line.starts_with("# "));
        let pairs = lines.filter_map(|line| line.split_once('\t'));
        let mut named: Vec<(String, Weights)> =
            pairs.filter_map(|(name, numbers)| Some((name.to_owned(), weights_of(numbers)?))).collect();
        let base = named.iter().position(|(name, _)| name == "base").map(|at| named.remove(at).1);
        (base.unwrap_or_default(), named)
    }

    /// The text of the model of that language that comes with the program, else the English one.
    #[must_use]
    pub const fn shipped_text(lang: &str) -> &'static str {
        match lang.as_bytes() {
            b"de" => SHIPPED[1],
            _ => SHIPPED[0],
        }
    }

    /// The language it was trained for.
    #[must_use]
    pub fn lang(&self) -> &str {
        &self.lang
    }

    /// A short hash of the file: two models with the same version judge alike.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it was trained on and how, line by line.
    #[must_use]
    pub fn about(&self) -> &[String] {
        &self.about
    }

    /// Where every answer starts.
    #[must_use]
    pub const fn base(&self) -> Weights {
        self.base
    }

    /// How many features have a weight.
    #[must_use]
    pub fn features(&self) -> usize {
        self.weights.len()
    }
}

fn key_of(name: &str) -> Option<u64> {
    let mut pieces = name.split(' ');
    let family = Family::from_name(pieces.next()?)?;
    let atoms: Vec<Atom<'_>> = pieces.map(Atom::new).collect();
    Some(atom::key(family as u64, &atoms))
}

/// Four numbers with a tab between them; a nought may be left out.
fn weights_of(numbers: &str) -> Option<Weights> {
    let mut weights = Weights::default();
    let mut parts = numbers.split('\t');
    for weight in &mut weights {
        *weight = match parts.next().unwrap_or("") {
            "" => 0,
            number => number.parse().ok()?,
        };
    }
    parts.next().is_none().then_some(weights)
}

fn numbers(weights: Weights) -> String {
    let all = weights.map(|weight| if weight == 0 { String::new() } else { weight.to_string() });
    all.join("\t").trim_end_matches('\t').to_owned()
}

fn version_of(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hash.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The model files inside the program.
const SHIPPED: [&str; 2] = [include_str!("../../data/model-en.tsv"), include_str!("../../data/model-de.tsv")];

/// The models at hand, one per language; the first is used when no other fits.
#[derive(Debug, Clone)]
pub struct Models {
    all: Vec<Arc<Model>>,
    version: String,
}

impl Models {
    /// One model for everything.
    #[must_use]
    pub fn only(model: Model) -> Self {
        Self::of(vec![Arc::new(model)])
    }

    fn of(all: Vec<Arc<Model>>) -> Self {
        let version = all.iter().map(|model| model.version.as_str()).collect::<Vec<_>>().join("+");
        Self { all, version }
    }

    /// The models that come with the program.
    #[must_use]
    pub fn shipped() -> Self {
        static READ: OnceLock<Models> = OnceLock::new();
        let read = |text| Arc::new(Model::parse(text).expect("the shipped models are tested"));
        READ.get_or_init(|| Self::of(SHIPPED.map(read).into())).clone()
    }

    /// Another model in place of the one of the same language.
    #[must_use]
    pub fn with(mut self, model: Model) -> Self {
        match self.all.iter_mut().find(|known| known.lang == model.lang) {
            Some(known) => *known = Arc::new(model),
            None => self.all.push(Arc::new(model)),
        }
        Self::of(self.all)
    }

    /// The versions of all models: what a verdict rests on beside the rules' version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The model for a post: by its declared language, else by its words.
    #[must_use]
    pub fn for_post(&self, lang: Option<&str>, reading: &Reading) -> &Model {
        let lang = match lang.map(|l| l.get(..2).unwrap_or(l)) {
            Some(declared) => declared,
            None if looks_german(reading) => "de",
            None => "en",
        };
        self.all.iter().find(|model| model.lang == lang).unwrap_or(&self.all[0])
    }
}

/// Whether a post of no declared language is German: it holds more of German's commonest words than of English's.
fn looks_german(reading: &Reading) -> bool {
    let (mut german, mut english) = (0, 0);
    for i in 0..reading.words().len() {
        match reading.fold(i) {
            "ich" | "und" | "der" | "das" | "ist" | "nicht" | "zu" | "mit" | "ein" | "eine" | "bei" | "auf" | "wir"
            | "habe" | "von" | "den" | "auch" | "wie" | "mein" | "meine" | "werde" | "kein" | "keine" | "sie" => {
                german += 1;
            }
            "the" | "and" | "to" | "is" | "i" | "my" | "of" | "a" | "you" | "it" | "with" | "for" | "not" | "on" => {
                english += 1;
            }
            _ => {}
        }
    }
    german >= GERMAN_WORDS_MIN && german > english
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_file_reads_back_as_written() {
        let named = vec![("word leave".to_owned(), [120, 0, -3, 0]), ("pair from TARGET".to_owned(), [0, 0, 0, 7])];
        let text = Model::write("en", &["tried on nothing".to_owned()], [-700, 0, 0, 0], &named);
        let model = Model::parse(&text).unwrap();
        assert_eq!((model.lang(), model.base(), model.features()), ("en", [-700, 0, 0, 0], 2));
        assert_eq!(model.about(), ["tried on nothing"]);
    }

    #[test]
    fn broken_model_files_say_where() {
        for (text, message) in [
            ("", "line 1: this is no model file of this version. It starts with \"jumpship-model 1\"."),
            (
                "jumpship-model 1\nwords leave\t1",
                "line 2: \"words leave\" starts with no family of features I know. Train the model again.",
            ),
            ("jumpship-model 1\nword leave\tx", "line 2: \"x\" is not four whole numbers. Train the model again."),
            (
                "jumpship-model 1\nword a\t1\nword a\t1",
                "line 3: \"word a\" stands twice, or cannot be told from another name. Train the model again.",
            ),
        ] {
            assert_eq!(Model::parse(text).unwrap_err(), message);
        }
    }
}
