//! `jumpship train`: learns a model from labelled rows, shows what it is worth, and installs it if it is no worse.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{DatabaseArgs, RulesArgs, queue_failed};
use super::{Exit, fail};
use crate::queue::{Filter, LEADS_PAGE_MAX, Lead, Order, Queue, QueueError, State};
use crate::scan::Scanner;
use crate::score::labelled::{self, Label, Labelled};
use crate::score::measure::{Figures, figures};
use crate::score::train::{FOLDS, Lesson};
use crate::score::{Model, Question, Weights};

/// Learn a model from labelled JSON lines and write it to a folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files of labelled rows; `FILE:0.5` lets each row of a file count half
    #[arg(required_unless_present = "from_decisions")]
    files: Vec<String>,
    /// Learn from the team's own approvals and dismissals, on top of the model in use
    #[arg(long, conflicts_with = "files")]
    from_decisions: bool,
    /// Where the model is written
    #[arg(long, value_name = "DIR", default_value = "data")]
    out: PathBuf,
    /// The language the model is for
    #[arg(long, default_value = "en")]
    lang: String,
    /// Only measure; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Install it even if it is worse than the one it replaces
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// How much average precision a new model may lose and still count as no worse.
const LOSS_MAX: f64 = 0.005;
/// The fewest decisions worth learning from.
const DECISIONS_MIN: usize = 40;
/// The most decisions that are learned from, latest first.
const DECISIONS_MAX: usize = 20_000;

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let rules = match args.rules.load() {
        Ok(rules) => Arc::new(rules),
        Err(report) => return fail(format!("the rules cannot be used:\n{report}")),
    };
    let scanner = labelled::scanner(&rules);
    if args.from_decisions {
        return from_decisions(args, &scanner);
    }
    let mut lesson = Lesson::default();
    for file in &args.files {
        let (path, weight) = weighted(file);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => return fail(format!("{path} cannot be read: {e}. Check the path.")),
        };
        let (rows, wrong) = labelled::rows(&text);
        for cause in wrong {
            eprintln!("jumpship: {path} {cause}; it is left out.");
        }
        lesson.add(&rows, &scanner, weight);
    }
    learn(args, &lesson)
}

fn learn(args: &Args, lesson: &Lesson) -> Exit {
    println!(
        "{} rows to learn from, {} left out because their provider was not found.",
        lesson.rows(),
        lesson.not_found
    );
    println!("Each figure comes from {FOLDS}-fold cross-validation: judged by a model that never saw the post.\n");
    let mut about = vec![format!("learned from {} rows, {FOLDS}-fold cross-validation by post", lesson.rows())];
    for question in Question::ALL {
        for (file, outcomes) in args.files.iter().zip(lesson.cross_validate(question)) {
            if !outcomes.is_empty() {
                let line = format!("{} {question:?}: {}", name_of(file), short(&figures(&outcomes)));
                println!("{line}");
                about.push(line);
            }
        }
    }
    let (base, named) = lesson.finish();
    install(args, &Model::write(&args.lang, &about, base, &named))
}

/// Learns what the team's decisions say beyond the model in use.
fn from_decisions(args: &Args, scanner: &Scanner) -> Exit {
    let rows = match args.database.open().map(|queue| decisions(&queue)) {
        Ok(Ok(rows)) => rows,
        Ok(Err(e)) => return queue_failed(&e),
        Err(exit) => return exit,
    };
    if rows.len() < DECISIONS_MIN {
        return fail(format!(
            "there are {} decisions; {DECISIONS_MIN} are the fewest worth learning from.",
            rows.len()
        ));
    }
    let old = fs::read_to_string(path_of(args)).unwrap_or_else(|_| Model::shipped_text(&args.lang).to_owned());
    let model = match Model::parse(&old) {
        Ok(model) => model,
        Err(cause) => return fail(format!("{} cannot be read: {cause}", path_of(args).display())),
    };
    let mut about = model.about().to_vec();
    let mut lesson = Lesson::on_top_of(model);
    lesson.add(&rows, scanner, 1.0);
    let before = figures(&lesson.before(Question::Leaving));
    let after = figures(&lesson.cross_validate(Question::Leaving).concat());
    println!("{} decisions, each judged by a model that never saw it.", lesson.rows());
    println!("before: {}\nafter:  {}", short(&before), short(&after));
    about.push(format!("decisions Leaving: {}", short(&after)));
    if after.average_precision < before.average_precision - LOSS_MAX && !args.force {
        return fail("the new model is worse on your decisions and is not installed. Decide more, or use --force.");
    }
    let (base, learned) = lesson.finish();
    let (base, named) = sum(Model::named(&old), base, learned);
    install(args, &Model::write(&args.lang, &about, base, &named))
}

/// Decisions as labels: a reply is a yes; a dismissal is a no when it says that nobody is leaving.
fn decisions(queue: &Queue) -> Result<Vec<Labelled>, QueueError> {
    let states = vec![State::Approved, State::HandedOff, State::Sent, State::Dismissed];
    let mut filter = Filter { states, order: Order::Newest, limit: LEADS_PAGE_MAX, ..Filter::default() };
    let mut rows = Vec::new();
    loop {
        let (leads, next) = queue.leads(&filter)?;
        rows.extend(leads.iter().filter_map(decision));
        match next {
            Some(next) if rows.len() < DECISIONS_MAX => filter.after = Some(next),
            _ => return Ok(rows),
        }
    }
}

fn decision(lead: &Lead) -> Option<Labelled> {
    let post = lead.post.as_ref()?;
    let label = match (lead.state, lead.reason.as_deref()) {
        (State::Dismissed, Some("not_a_complaint" | "not_our_rival" | "joke")) => Label::NotLeaving,
        (State::Dismissed, _) => return None,
        _ => Label::Leaving,
    };
    let (id, text, lang) = (post.id.as_str().to_owned(), post.text.clone(), post.lang.clone());
    Some(Labelled { id, provider: Some(lead.provider.clone()), label, text, lang, hold: None })
}

type Named = Vec<(String, Weights)>;

/// Old weights with what was learned on top of them.
fn sum((old_base, old): (Weights, Named), base: Weights, learned: Named) -> (Weights, Named) {
    let mut all: BTreeMap<String, Weights> = old.into_iter().collect();
    for (name, more) in learned {
        let weights = all.entry(name).or_default();
        *weights = plus(*weights, more);
    }
    (plus(old_base, base), all.into_iter().collect())
}

fn plus(a: Weights, b: Weights) -> Weights {
    std::array::from_fn(|i| a[i] + b[i])
}

fn path_of(args: &Args) -> PathBuf {
    args.out.join(format!("model-{}.tsv", args.lang))
}

/// The file's path, and how much each of its rows counts.
fn weighted(file: &str) -> (&str, f64) {
    let split = file.rsplit_once(':').and_then(|(path, weight)| Some((path, weight.parse::<f64>().ok()?)));
    split.filter(|(_, weight)| (0.0..=100.0).contains(weight)).unwrap_or((file, 1.0))
}

fn name_of(file: &str) -> String {
    Path::new(weighted(file).0).file_name().map_or_else(|| file.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn short(f: &Figures) -> String {
    let opposite = f.opposite_accuracy.map_or_else(String::new, |o| format!(" opposite {o:.3}"));
    format!(
        "n {} of which {} | P {:.3} R {:.3} F1 {:.3} macro {:.3} | AP {:.3} AUC {:.3} R90 {:.3} | ECE {:.3}{opposite}",
        f.n,
        f.positives,
        f.precision,
        f.recall,
        f.f1,
        f.macro_f1,
        f.average_precision,
        f.roc_auc,
        f.recall_at_90_precision,
        f.calibration_error
    )
}

/// Writes the model unless it is worse than the one it replaces, which is kept beside it.
fn install(args: &Args, text: &str) -> Exit {
    let model = match Model::parse(text) {
        Ok(model) => model,
        Err(cause) => return fail(format!("the learned model cannot be read back: {cause}")),
    };
    let path = path_of(args);
    let old = fs::read_to_string(&path).ok();
    if let Some(worse) = old.as_deref().and_then(|old| worse(&Model::parse(old).ok()?, &model))
        && !args.force
    {
        return fail(format!(
            "the new model is worse and is not installed: {worse}. Use --force to install it anyway."
        ));
    }
    if args.dry_run {
        return Exit::Ok;
    }
    let keep = old.map_or(Ok(()), |old| fs::write(path.with_extension("old.tsv"), old));
    if let Err(e) = keep.and_then(|()| fs::create_dir_all(&args.out)).and_then(|()| fs::write(&path, text)) {
        return fail(format!("{} cannot be written: {e}.", path.display()));
    }
    println!("\nWrote {} with {} features, version {}.", path.display(), model.features(), model.version());
    Exit::Ok
}

/// Where the new model ranks leaving worse than the old one did on the same rows, by what both say of themselves.
fn worse(old: &Model, new: &Model) -> Option<String> {
    new.about().iter().find_map(|line| {
        let (rows, _) = line.split_once(" | ").filter(|(rows, _)| rows.contains(" Leaving: "))?;
        let before = precision_in(old.about().iter().find(|line| line.starts_with(rows))?)?;
        let after = precision_in(line)?;
        (after < before - LOSS_MAX).then(|| format!("average precision {after:.3} instead of {before:.3} on {rows}"))
    })
}

fn precision_in(line: &str) -> Option<f64> {
    line.split_once(" AP ")?.1.split(' ').next()?.parse().ok()
}
