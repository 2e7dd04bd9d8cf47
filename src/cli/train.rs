//! `jumpship train`: learns a model from labelled rows, shows what it is worth, and installs it if it is no worse.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::RulesArgs;
use super::{Exit, fail};
use crate::score::labelled;
use crate::score::measure::{Figures, figures};
use crate::score::train::{FOLDS, Lesson};
use crate::score::{Model, Question};

/// Learn a model from labelled JSON lines and write it to a folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files of labelled rows; `FILE:0.5` lets each row of a file count half
    #[arg(required = true)]
    files: Vec<String>,
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
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let rules = match args.rules.load() {
        Ok(rules) => Arc::new(rules),
        Err(report) => return fail(format!("the rules cannot be used:\n{report}")),
    };
    let scanner = labelled::scanner(&rules);
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
    if args.dry_run {
        return Exit::Ok;
    }
    let (base, named) = lesson.finish();
    install(args, &Model::write(&args.lang, &about, base, &named))
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

fn install(args: &Args, text: &str) -> Exit {
    let model = match Model::parse(text) {
        Ok(model) => model,
        Err(cause) => return fail(format!("the learned model cannot be read back: {cause}")),
    };
    let path = args.out.join(format!("model-{}.tsv", args.lang));
    if let Err(e) = fs::create_dir_all(&args.out).and_then(|()| fs::write(&path, text)) {
        return fail(format!("{} cannot be written: {e}.", path.display()));
    }
    println!("\nWrote {} with {} features, version {}.", path.display(), model.features(), model.version());
    Exit::Ok
}
