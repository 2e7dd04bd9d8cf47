//! Lays the layers of rules over each other, checks what only the whole can show, and compiles the running thing.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::error::{Report, RuleError};
use super::file::{self, HoldEntry, Layer, OfferEntry, Patterns, PolicyEntry, ProviderEntry, SignalEntry, Status};
use super::folder::Folder;
use super::phrase;
use super::table::Line;
use super::{
    Examples, HoldRule, HomeChoice, Name, Offer, Pattern, Phrase, Place, Policy, Provider, QuietHours, Role, Rules,
    Signal,
};
use crate::text;

/// The longest regular expression, in characters.
const REGEX_CHARS_MAX: usize = 500;
/// The most memory one compiled regular expression may take, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// How near evidence must stand when no file says, in words.
const EVIDENCE_WORDS: usize = 12;

/// Compiles folders, the first at the bottom; what was already wrong with reading them comes along.
pub fn compile(folders: &[Folder], home: &HomeChoice, mut errors: Vec<RuleError>) -> Result<Rules, Report> {
    let layers = folders.iter().map(|folder| file::read(folder, &mut errors)).collect::<Vec<_>>();
    layers.iter().for_each(|layer| check_duplicates(layer, &mut errors));
    let mut builder = Builder::new(errors);
    builder.lay(layers, home);
    builder.finish(version(folders, home)).map_err(|errors| Report::new(errors, folders))
}

fn version(folders: &[Folder], home: &HomeChoice) -> String {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    for file in folders.iter().flat_map(|folder| &folder.files) {
        for part in [file.name.as_bytes(), &[0], file.text.as_bytes(), &[0]] {
            hash.update(part);
        }
    }
    hash.update(format!("{home:?}").as_bytes());
    version_of(hash)
}

fn version_of(hash: ring::digest::Context) -> String {
    hash.finish().as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that no id stands twice in one layer.
fn check_duplicates(layer: &Layer, errors: &mut Vec<RuleError>) {
    if let Some(second) = layer.providers.iter().filter(|p| p.home).nth(1) {
        let message = format!("\"{}\" is a second home.", second.id);
        errors.push(at(&second.place, "R026", message, "Leave home = true at one provider only."));
    }
    check_ids("provider", layer.providers.iter().map(|e| (&e.id, &e.place)), errors);
    check_ids("signal", layer.signals.iter().map(|e| (&e.id, &e.place)), errors);
    check_ids("hold", layer.holds.iter().map(|e| (&e.id, &e.place)), errors);
    check_ids("offer", layer.offers.iter().map(|e| (&e.id, &e.place)), errors);
}

fn check_ids<'a>(
    what: &str,
    entries: impl Iterator<Item = (&'a String, &'a file::Place)>,
    errors: &mut Vec<RuleError>,
) {
    let mut seen: HashMap<&str, &file::Place> = HashMap::new();
    for (id, place) in entries.filter(|(id, _)| !id.is_empty()) {
        if let Some(first) = seen.insert(id, place) {
            let message = format!("the {what} \"{id}\" stands here and in {} line {}.", first.file, first.line);
            errors.push(at(place, "R020", message, "Give one of them another id, or delete it."));
        }
    }
}

struct Builder {
    errors: Vec<RuleError>,
    files: HashMap<String, Arc<str>>,
    phrases: Vec<Phrase>,
    patterns: Vec<Pattern>,
    providers: Vec<Provider>,
    home: Option<usize>,
    names: Vec<Name>,
    signals: Vec<Signal>,
    holds: Vec<HoldRule>,
    offers: Vec<Offer>,
    policy: Policy,
    evidence_words: usize,
}

impl Builder {
    fn new(errors: Vec<RuleError>) -> Self {
        Self {
            errors,
            files: HashMap::new(),
            phrases: Vec::new(),
            patterns: Vec::new(),
            providers: Vec::new(),
            home: None,
            names: Vec::new(),
            signals: Vec::new(),
            holds: Vec::new(),
            offers: Vec::new(),
            policy: Policy::default(),
            evidence_words: EVIDENCE_WORDS,
        }
    }

    fn lay(&mut self, layers: Vec<Layer>, home: &HomeChoice) {
        let (mut providers, mut signals, mut holds, mut offers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for layer in layers {
            self.evidence_words = layer.evidence_words.map_or(self.evidence_words, |words| words as usize);
            for line in &layer.evidence {
                self.phrase(line, &layer.evidence_file, Role::Evidence(None));
            }
            lay_over(&mut providers, layer.providers, |e: &ProviderEntry| &e.id);
            lay_over(&mut signals, layer.signals, |e: &SignalEntry| &e.id);
            lay_over(&mut holds, layer.holds, |e: &HoldEntry| &e.id);
            let speaker = providers.iter().rfind(|p: &&ProviderEntry| p.home).map(|p| p.id.clone());
            let spoken = layer.offers.into_iter().map(|offer| (speaker.clone(), offer)).collect();
            lay_over(&mut offers, spoken, |(_, e): &(Option<String>, OfferEntry)| &e.id);
            self.policy(&layer.policy);
        }
        providers.retain(|entry| entry.status != Status::Retired);
        self.home(&providers, home);
        let home_id = self.home.map(|i| providers[i].id.clone());
        providers.iter().for_each(|entry| self.provider(entry));
        signals.into_iter().filter(|e| e.status != Status::Retired).for_each(|entry| self.signal(entry));
        holds.into_iter().filter(|e| e.status != Status::Retired).for_each(|entry| self.hold(entry));
        let ours = |speaker: &Option<String>| home_id.is_none() || *speaker == home_id;
        let said = offers.into_iter().filter(|(speaker, e)| ours(speaker) && e.status != Status::Retired);
        said.for_each(|(_, entry)| self.offer(entry));
    }

    fn finish(mut self, version: String) -> Result<Rules, Vec<RuleError>> {
        if self.providers.is_empty() && self.errors.is_empty() {
            let help = "Add a [[provider]] with id and names to providers.toml.";
            self.errors.push(RuleError::new("R021", "rules", "no provider is named in any file.", help));
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        Ok(Rules {
            version,
            providers: self.providers,
            home: self.home,
            names: self.names,
            signals: self.signals,
            holds: self.holds,
            offers: self.offers,
            policy: self.policy,
            phrases: self.phrases,
            patterns: self.patterns,
            evidence_words: self.evidence_words,
        })
    }

    fn home(&mut self, providers: &[ProviderEntry], choice: &HomeChoice) {
        self.home = match choice {
            HomeChoice::Nobody => None,
            HomeChoice::AsRules => providers.iter().rposition(|p| p.home),
            HomeChoice::Named(name) => {
                let found =
                    providers.iter().position(|p| p.id.eq_ignore_ascii_case(name) || p.name.eq_ignore_ascii_case(name));
                if found.is_none() {
                    let ids: Vec<&str> = providers.iter().map(|p| p.id.as_str()).collect();
                    let help = super::hint::did_you_mean(name, &ids)
                        .unwrap_or_else(|| format!("Use \"none\" or one of: {}.", ids.join(", ")));
                    self.errors.push(RuleError::new(
                        "R022",
                        "--home",
                        format!("no provider is called \"{name}\"."),
                        help,
                    ));
                }
                found
            }
        };
    }

    fn provider(&mut self, entry: &ProviderEntry) {
        let index = self.providers.len();
        let file = &entry.place.file;
        let mut any = false;
        for (lines, everyday) in [(&entry.handles, false), (&entry.names, false), (&entry.everyday, true)] {
            for line in lines {
                let folded = text::fold(&line.text);
                if folded.is_empty() {
                    self.errors.push(on(
                        file,
                        line,
                        "R023",
                        format!("\"{}\" has no letter or digit to look for.", line.text),
                        "Write the name as people type it.",
                    ));
                } else {
                    any = true;
                    self.names.push(Name { provider: index, folded, everyday });
                }
            }
        }
        if !any && !entry.id.is_empty() {
            self.errors.push(at(
                &entry.place,
                "R024",
                format!("the provider \"{}\" has no names.", entry.id),
                "Add names, handles or everyday words.",
            ));
        }
        for line in &entry.evidence {
            self.phrase(line, file, Role::Evidence(Some(index)));
        }
        for line in &entry.unless {
            self.phrase(line, file, Role::ProviderUnless(index));
        }
        let place = self.place(&entry.place);
        self.providers.push(Provider { id: entry.id.clone(), name: entry.name.clone(), place });
    }

    fn signal(&mut self, entry: SignalEntry) {
        let index = self.signals.len();
        let file = entry.place.file.clone();
        self.patterns(&entry.patterns, &file, Role::Signal(index), Role::SignalUnless(index));
        if entry.patterns.says.is_empty() && entry.patterns.regex.is_empty() {
            self.errors.push(at(
                &entry.place,
                "R025",
                format!("the signal \"{}\" says nothing.", entry.id),
                "Add says = ''' with one phrase a line.",
            ));
        }
        let place = self.place(&entry.place);
        self.signals.push(Signal {
            id: entry.id,
            topic: entry.topic,
            cap: entry.cap,
            status: entry.status,
            points: entry.points,
            speaks_for: entry.speaks_for,
            why: entry.why,
            place,
            examples: Examples {
                should_match: entry.patterns.should_match,
                should_not_match: entry.patterns.should_not_match,
            },
        });
    }

    fn hold(&mut self, entry: HoldEntry) {
        let index = self.holds.len();
        let file = entry.place.file.clone();
        self.patterns(&entry.patterns, &file, Role::Hold(index), Role::HoldUnless(index));
        for line in &entry.bio_says {
            self.phrase(line, &file, Role::HoldBio(index));
        }
        for line in &entry.name_says {
            self.phrase(line, &file, Role::HoldName(index));
        }
        let place = self.place(&entry.place);
        self.holds.push(HoldRule {
            id: entry.id,
            status: entry.status,
            why: entry.why,
            show: entry.show,
            handles: entry.handle_says.iter().map(|line| line.text.trim_start_matches('@').to_lowercase()).collect(),
            place,
            examples: Examples {
                should_match: entry.patterns.should_match,
                should_not_match: entry.patterns.should_not_match,
            },
        });
    }

    fn offer(&mut self, entry: OfferEntry) {
        if let (Some(starts), Some(ends)) = (entry.starts, entry.ends)
            && ends < starts
        {
            self.errors.push(at(
                &entry.place,
                "R030",
                format!("the offer \"{}\" ends before it starts.", entry.id),
                "Swap the two days.",
            ));
        }
        let texts = |lines: Vec<Line>| lines.into_iter().map(|line| line.text).collect();
        let place = self.place(&entry.place);
        self.offers.push(Offer {
            id: entry.id,
            status: entry.status,
            starts: entry.starts,
            ends: entry.ends,
            topics: texts(entry.topics),
            against: texts(entry.against),
            toward_ok: entry.toward_ok,
            regions: texts(entry.regions),
            conditions: entry.conditions,
            proof: entry.proof,
            max_uses: entry.max_uses,
            disclosure: entry.disclosure,
            text: entry.text,
            short: entry.short,
            place,
        });
    }

    fn policy(&mut self, entry: &PolicyEntry) {
        let policy = &mut self.policy;
        set(&mut policy.enter_intent, entry.enter);
        set(&mut policy.watch_intent, entry.watch);
        set(&mut policy.contact_window_days, entry.window_days);
        set(&mut policy.replies_per_hour_max, entry.replies_per_hour_max);
        set(&mut policy.replies_per_day_max, entry.replies_per_day_max);
        set(&mut policy.expires_after_minutes, entry.expires_after_minutes);
        set(&mut policy.undo_seconds, entry.undo_seconds);
        set(&mut policy.posts_days, entry.posts_days);
        if let (Some(from), Some(to)) = (&entry.quiet_from, &entry.quiet_to) {
            let zone = TimeZone::get(entry.zone.as_deref().unwrap_or("UTC"));
            match (from.parse::<Time>(), to.parse::<Time>(), zone) {
                (Ok(from), Ok(to), Ok(zone)) => policy.quiet_hours = Some(QuietHours { from, to, zone }),
                _ => self.errors.push(at(
                    &entry.quiet_place,
                    "R032",
                    "the quiet hours cannot be read.".to_owned(),
                    "Write from = \"21:00\", to = \"08:00\", zone = \"Europe/London\".",
                )),
            }
        }
    }

    fn patterns(&mut self, patterns: &Patterns, file: &str, says: Role, unless: Role) {
        for line in &patterns.says {
            self.phrase(line, file, says);
        }
        for line in &patterns.unless {
            self.phrase(line, file, unless);
        }
        for line in &patterns.regex {
            self.regex(line, file, says);
        }
    }

    fn phrase(&mut self, line: &Line, file: &str, role: Role) {
        match phrase::parse(&line.text) {
            Ok(parts) => {
                let place = self.place_of(file, line.number);
                self.phrases.push(Phrase { role, parts, place });
            }
            Err(e) => self.errors.push(on(file, line, "R040", e.message, &e.help)),
        }
    }

    fn regex(&mut self, line: &Line, file: &str, role: Role) {
        let built = regex::RegexBuilder::new(&line.text)
            .case_insensitive(true)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .build();
        match built {
            Ok(regex) if line.text.chars().count() <= REGEX_CHARS_MAX => {
                let place = self.place_of(file, line.number);
                self.patterns.push(Pattern { role, regex, place });
            }
            Ok(_) => self.errors.push(on(
                file,
                line,
                "R042",
                format!("the regex is longer than {REGEX_CHARS_MAX} characters."),
                "Split it, or say it as phrases.",
            )),
            Err(e) => {
                let cause = e
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim()
                    .trim_start_matches("error: ")
                    .trim_end_matches('.')
                    .to_owned();
                self.errors.push(on(
                    file,
                    line,
                    "R041",
                    format!("the regex cannot be used: {cause}."),
                    "Ask a developer, or say it as phrases under says.",
                ));
            }
        }
    }

    fn place(&mut self, place: &file::Place) -> Place {
        self.place_of(&place.file, place.line)
    }

    fn place_of(&mut self, file: &str, line: usize) -> Place {
        let file = match self.files.get(file) {
            Some(known) => known.clone(),
            None => self.files.entry(file.to_owned()).or_insert_with(|| Arc::from(file)).clone(),
        };
        Place { file, line: u32::try_from(line).unwrap_or(u32::MAX) }
    }
}

/// Entries of an upper layer replace those of the same id and stand in their place; new ones follow.
fn lay_over<E>(below: &mut Vec<E>, above: Vec<E>, id: impl Fn(&E) -> &String) {
    let mut index: HashMap<String, usize> = below.iter().enumerate().map(|(i, e)| (id(e).clone(), i)).collect();
    for entry in above {
        match index.get(id(&entry)) {
            Some(&i) => below[i] = entry,
            None => {
                index.insert(id(&entry).clone(), below.len());
                below.push(entry);
            }
        }
    }
}

fn set<T: Copy>(value: &mut T, said: Option<T>) {
    if let Some(said) = said {
        *value = said;
    }
}

fn at(place: &file::Place, code: &'static str, message: String, help: &str) -> RuleError {
    RuleError::new(code, &place.file, message, help).line(place.line)
}

fn on(file: &str, line: &Line, code: &'static str, message: String, help: &str) -> RuleError {
    RuleError::new(code, file, message, help).line(line.number)
}
