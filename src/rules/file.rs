//! The shape of each rules file on disk: what may stand in it, read entry by entry.

use jiff::civil::Date;

use super::error::RuleError;
use super::folder::{Folder, SourceFile};
use super::table::{Fields, Line, Reader};
use crate::units::{Points, Stance};

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file, as messages call it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// One `[[provider]]`.
#[derive(Debug, Clone, Default)]
pub struct ProviderEntry {
    pub place: Place,
    pub id: String,
    pub name: String,
    pub home: bool,
    pub status: Status,
    pub handles: Vec<Line>,
    pub names: Vec<Line>,
    pub everyday: Vec<Line>,
    pub evidence: Vec<Line>,
    pub unless: Vec<Line>,
}

/// Whether a rule is tried out, in use or laid to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// Counted, never shown, moves no score.
    Trial,
    /// In use.
    #[default]
    Live,
    /// Kept for the record.
    Retired,
}

/// The phrases of a signal or hold.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    pub says: Vec<Line>,
    pub unless: Vec<Line>,
    pub regex: Vec<Line>,
    pub should_match: Vec<Line>,
    pub should_not_match: Vec<Line>,
}

/// One `[[signal]]`, with what its file says for all.
#[derive(Debug, Clone)]
pub struct SignalEntry {
    pub place: Place,
    pub id: String,
    pub topic: String,
    pub cap: Option<Points>,
    pub status: Status,
    pub points: Points,
    pub speaks_for: Stance,
    pub why: String,
    pub patterns: Patterns,
}

/// One `[[hold]]`.
#[derive(Debug, Clone, Default)]
pub struct HoldEntry {
    pub place: Place,
    pub id: String,
    pub status: Status,
    pub why: String,
    pub show: Option<String>,
    pub patterns: Patterns,
    pub bio_says: Vec<Line>,
    pub handle_says: Vec<Line>,
    pub name_says: Vec<Line>,
}

/// One `[[offer]]`.
#[derive(Debug, Clone, Default)]
pub struct OfferEntry {
    pub place: Place,
    pub id: String,
    pub status: Status,
    pub starts: Option<Date>,
    pub ends: Option<Date>,
    pub topics: Vec<Line>,
    pub against: Vec<Line>,
    pub toward_ok: bool,
    pub regions: Vec<Line>,
    pub conditions: Option<String>,
    pub proof: Option<String>,
    pub max_uses: Option<u32>,
    pub disclosure: Option<String>,
    pub text: String,
    pub short: Option<String>,
}

/// The settings of `policy.toml`; what is not said is left to the layer below.
#[derive(Debug, Clone, Default)]
pub struct PolicyEntry {
    pub enter: Option<f64>,
    pub watch: Option<f64>,
    pub window_days: Option<u32>,
    pub replies_per_hour_max: Option<u32>,
    pub replies_per_day_max: Option<u32>,
    pub quiet_place: Place,
    pub quiet_from: Option<String>,
    pub quiet_to: Option<String>,
    pub zone: Option<String>,
    pub expires_after_minutes: Option<u32>,
    pub undo_seconds: Option<u32>,
    pub posts_days: Option<u32>,
}

/// Everything one layer says.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    pub extends: Vec<Line>,
    pub evidence_words: Option<u32>,
    pub evidence: Vec<Line>,
    pub evidence_file: String,
    pub providers: Vec<ProviderEntry>,
    pub signals: Vec<SignalEntry>,
    pub holds: Vec<HoldEntry>,
    pub offers: Vec<OfferEntry>,
    pub policy: PolicyEntry,
}

const NAMES: &str =
    "Name it pack.toml, providers.toml, holds.toml, offers.toml or policy.toml, or put it into the folder signals.";

/// Reads all files of a folder; what is wrong is added to `errors`.
pub fn read(folder: &Folder, errors: &mut Vec<RuleError>) -> Layer {
    let mut layer = Layer::default();
    for file in folder.files.iter().filter(|f| f.name.ends_with(".toml")) {
        let reader = Reader::new(file);
        if let Some(table) = reader.parse() {
            let fields = reader.fields(table.get_ref(), 0..0, kind_of(file));
            match file.name.as_str() {
                "pack.toml" => pack(&fields, &mut layer),
                "providers.toml" => providers(&fields, &mut layer),
                "holds.toml" => layer.holds.extend(fields.tables("hold", "hold").into_iter().map(hold)),
                "offers.toml" => offers(&fields, &mut layer),
                "policy.toml" => layer.policy = policy(&fields),
                name if name.starts_with("signals/") => signals(&fields, &mut layer),
                _ => {
                    match file.name.split_once(".toml/") {
                        Some((name, _)) => reader.error_in_file(
                            "R004",
                            format!("{name}.toml is a folder here, and must be a file."),
                            format!("Move what is in it into a file {name}.toml, or into the folder signals."),
                        ),
                        None => reader.error_in_file("R004", "this is not a rules file I know.", NAMES),
                    }
                    errors.extend(reader.into_errors());
                    continue;
                }
            }
            fields.finish();
        }
        errors.extend(reader.into_errors());
    }
    layer
}

fn kind_of(file: &SourceFile) -> &'static str {
    match file.name.as_str() {
        "pack.toml" => "pack file",
        "providers.toml" => "providers file",
        "holds.toml" => "holds file",
        "offers.toml" => "offers file",
        "policy.toml" => "policy file",
        _ => "signals file",
    }
}

fn pack(fields: &Fields<'_, '_>, layer: &mut Layer) {
    fields.text("name");
    fields.text("lang");
    fields.text("trade");
    layer.extends = fields.list("extends");
}

fn providers(fields: &Fields<'_, '_>, layer: &mut Layer) {
    layer.evidence_words = fields.whole("evidence_words", 1, 100);
    layer.evidence = fields.list("evidence");
    layer.evidence_file = fields.reader().label().to_owned();
    for entry in fields.tables("provider", "provider") {
        let id = entry.required("id");
        layer.providers.push(ProviderEntry {
            place: place(&entry),
            name: entry.text("name").unwrap_or_else(|| id.clone()),
            home: entry.flag("home"),
            status: status(&entry),
            handles: entry.list("handles"),
            names: entry.list("names"),
            everyday: entry.list("everyday"),
            evidence: entry.list("evidence"),
            unless: entry.list("unless"),
            id,
        });
        entry.finish();
    }
}

const STANCES: [&str; 5] = ["leaving", "left", "joining", "complaint", "other"];

fn signals(fields: &Fields<'_, '_>, layer: &mut Layer) {
    let topic = fields.required("topic");
    let cap = fields.number("cap").map(Points::from_f64);
    let file_speaks_for = fields.choice("speaks_for", &STANCES).and_then(|s| Stance::from_name(&s));
    for entry in fields.tables("signal", "signal") {
        let speaks_for = entry.choice("speaks_for", &STANCES).and_then(|s| Stance::from_name(&s));
        layer.signals.push(SignalEntry {
            place: place(&entry),
            id: entry.required("id"),
            topic: topic.clone(),
            cap,
            status: status(&entry),
            points: Points::from_f64(entry.number("points").unwrap_or_default()),
            speaks_for: speaks_for.or(file_speaks_for).unwrap_or(Stance::Complaint),
            why: entry.required("why"),
            patterns: patterns(&entry),
        });
        entry.finish();
    }
}

fn hold(entry: Fields<'_, '_>) -> HoldEntry {
    let hold = HoldEntry {
        place: place(&entry),
        id: entry.required("id"),
        status: status(&entry),
        why: entry.required("why"),
        show: entry.text("show"),
        patterns: patterns(&entry),
        bio_says: entry.list("bio_says"),
        handle_says: entry.list("handle_says"),
        name_says: entry.list("name_says"),
    };
    entry.finish();
    hold
}

fn offers(fields: &Fields<'_, '_>, layer: &mut Layer) {
    let disclosure = fields.text("disclosure");
    for entry in fields.tables("offer", "offer") {
        layer.offers.push(OfferEntry {
            place: place(&entry),
            id: entry.required("id"),
            status: status(&entry),
            starts: entry.date("starts"),
            ends: entry.date("ends"),
            topics: entry.list("topics"),
            against: entry.list("against"),
            toward_ok: entry.flag("toward_ok"),
            regions: entry.list("regions"),
            conditions: entry.text("conditions"),
            proof: entry.text("proof"),
            max_uses: entry.whole("max_uses", 1, 1_000_000),
            disclosure: entry.text("disclosure").or_else(|| disclosure.clone()),
            text: template(&entry, "text").unwrap_or_default(),
            short: template(&entry, "short"),
        });
        entry.finish();
    }
}

/// What stands in braces in an offer's text.
const PLACEHOLDERS: [&str; 4] = ["rival", "home", "reason", "offer_ends"];

/// A text with placeholders; `text` must be there.
fn template(entry: &Fields<'_, '_>, key: &'static str) -> Option<String> {
    let text = if key == "text" { Some(entry.required(key)) } else { entry.text(key) };
    let span = entry.span(key);
    let raw = entry.reader().raw(span.clone());
    for (open, _) in raw.match_indices('{').filter(|_| text.is_some()) {
        let name = raw[open + 1..].split(['}', '\n']).next().unwrap_or("");
        if !PLACEHOLDERS.contains(&name) {
            let best = super::hint::closest(name, &PLACEHOLDERS);
            entry.reader().error_with_fix(
                "R031",
                span.start + open..span.start + open + name.len() + 2,
                format!("{{{name}}} is not a placeholder."),
                best.map_or_else(
                    || "Use {rival}, {home}, {reason} or {offer_ends}.".to_owned(),
                    |best| format!("Did you mean {{{best}}}?"),
                ),
                best.map(|best| format!("{{{best}}}")),
            );
        }
    }
    text
}

fn policy(fields: &Fields<'_, '_>) -> PolicyEntry {
    let mut policy = PolicyEntry::default();
    if let Some(table) = fields.table("thresholds", "[thresholds]") {
        policy.enter = share(&table, "enter");
        policy.watch = share(&table, "watch");
        table.finish();
    }
    if let Some(table) = fields.table("contact", "[contact]") {
        policy.window_days = table.whole("window_days", 1, 3650);
        policy.replies_per_hour_max = table.whole("replies_per_hour_max", 0, 1000);
        policy.replies_per_day_max = table.whole("replies_per_day_max", 0, 10_000);
        table.finish();
    }
    if let Some(table) = fields.table("quiet_hours", "[quiet_hours]") {
        policy.quiet_place = place(&table);
        policy.quiet_from = table.text("from");
        policy.quiet_to = table.text("to");
        policy.zone = table.text("zone");
        table.finish();
    }
    if let Some(table) = fields.table("leads", "[leads]") {
        policy.expires_after_minutes = minutes(&table, "expires_after");
        policy.undo_seconds = table.whole("undo_seconds", 0, 3600);
        table.finish();
    }
    if let Some(table) = fields.table("retention", "[retention]") {
        policy.posts_days = table.whole("posts_days", 0, 3650);
        table.finish();
    }
    policy
}

/// A number from 0 to 1.
fn share(fields: &Fields<'_, '_>, key: &'static str) -> Option<f64> {
    let number = fields.number(key)?;
    if (0.0..=1.0).contains(&number) {
        return Some(number);
    }
    fields.reader().error(
        "R015",
        fields.span(key),
        format!("`{key}` is {number}."),
        "Use a number from 0 to 1, such as 0.6.",
    );
    None
}

/// A time such as `90m`, `6h` or `2d`, in minutes.
fn minutes(fields: &Fields<'_, '_>, key: &'static str) -> Option<u32> {
    let text = fields.text(key)?;
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let factor = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 1440,
        _ => 0,
    };
    let minutes = number.trim().parse::<u32>().ok().and_then(|n| n.checked_mul(factor)).filter(|&n| n > 0);
    if minutes.is_none() {
        fields.reader().error(
            "R015",
            fields.span(key),
            format!("`{key}` is \"{text}\"."),
            "Write a number and m, h or d, such as \"6h\".",
        );
    }
    minutes
}

fn status(entry: &Fields<'_, '_>) -> Status {
    match entry.choice("status", &["trial", "live", "retired"]).as_deref() {
        Some("trial") => Status::Trial,
        Some("retired") => Status::Retired,
        _ => Status::Live,
    }
}

fn patterns(entry: &Fields<'_, '_>) -> Patterns {
    Patterns {
        says: entry.list("says"),
        unless: entry.list("unless"),
        regex: entry.list("regex"),
        should_match: entry.list("should_match"),
        should_not_match: entry.list("should_not_match"),
    }
}

fn place(entry: &Fields<'_, '_>) -> Place {
    Place { file: entry.reader().label().to_owned(), line: entry.line() }
}
