//! `jumpship eval`: how well posts are judged, measured on labelled rows.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use comfy_table::{Table, presets};
use serde::Serialize;

use super::args::RulesArgs;
use super::{Exit, fail};
use crate::clock;
use crate::decide::{History, Verdict};
use crate::engine::Engine;
use crate::score::labelled::{self, Label, Labelled};
use crate::score::measure::{Figures, Outcome, figures};
use crate::score::{Assessment, Stance};
use crate::text::one_line;

/// Measure the judgement on labelled JSON lines
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files of labelled rows: `label` is a stance, `not_leaving` or `not_complaint`
    #[arg(required = true)]
    files: Vec<String>,
    /// Write the figures as JSON
    #[arg(long)]
    json: bool,
    /// Show this many of the worst misses with their reasons
    #[arg(long, value_name = "N", default_value_t = 0)]
    errors: usize,
    #[command(flatten)]
    rules: RulesArgs,
}

/// What one file gave.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    /// What was asked: `leaving` or `complaint` (leaving counts as one).
    question: &'static str,
    #[serde(flatten)]
    figures: Figures,
    /// Rows whose provider the scan did not find; they count with intent nought.
    not_found: usize,
    /// Rows by true stance, then by the stance shown, in the order of the stances.
    confusion: Vec<(Stance, [usize; 5])>,
    holds: Vec<HoldRecall>,
    #[serde(skip)]
    misses: Vec<Miss>,
}

/// How many rows with a reason to stay silent were held, whatever their score.
#[derive(Debug, Serialize)]
struct HoldRecall {
    hold: String,
    n: usize,
    held: usize,
    entered: usize,
}

#[derive(Debug)]
struct Miss {
    gap: f64,
    text: String,
}

/// One row with what the engine said of it.
struct Judged<'r> {
    row: &'r Labelled,
    post: usize,
    assessment: Option<Assessment>,
    verdict: Option<Verdict>,
    held: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let engine = match args.rules.load() {
        Ok(rules) => Engine::new(Arc::new(rules)),
        Err(report) => return fail(format!("the rules cannot be used.\n{report}")),
    };
    let mut reports = Vec::new();
    for file in &args.files {
        match measure(&engine, file) {
            Ok(report) => reports.push(report),
            Err(cause) => return fail(cause),
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&reports).expect("figures are plain numbers and words"));
    } else {
        reports.iter().for_each(|report| print(report, args.errors));
    }
    Exit::Ok
}

fn measure(engine: &Engine, file: &str) -> Result<Report, String> {
    let text = fs::read_to_string(file).map_err(|e| format!("{file} cannot be read: {e}. Check the path."))?;
    let (rows, wrong) = labelled::rows(&text);
    if let Some(cause) = wrong.first() {
        return Err(format!("{file} {cause}. Correct or remove the line."));
    }
    let judged = judge(engine, &rows);
    let complaints = rows.iter().any(|row| row.label == Label::NotComplaint);
    let outcome = if complaints { complaint_outcome } else { leaving_outcome };
    let outcomes: Vec<Outcome> = judged.iter().map(outcome).collect();
    Ok(Report {
        file: Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned(),
        question: if complaints { "complaint" } else { "leaving" },
        figures: figures(&outcomes),
        not_found: judged.iter().filter(|j| j.assessment.is_none()).count(),
        confusion: confusion(&judged),
        holds: hold_recall(&judged),
        misses: misses(&judged, &outcomes),
    })
}

fn judge<'r>(engine: &Engine, rows: &'r [Labelled]) -> Vec<Judged<'r>> {
    let mut posts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    posts.sort_unstable();
    posts.dedup();
    let (now, history) = (clock::now(), History::default());
    let one = |row: &'r Labelled| {
        let (post, scan, provider) = row.scan(engine.scanner());
        let id = provider.map(|p| engine.rules().providers()[p].id.as_str());
        let held = !engine.holds(&post, &scan).is_empty();
        let finding =
            engine.judge(&post, &history, now).into_iter().find(|f| Some(f.assessment.provider.as_str()) == id);
        let (assessment, verdict) = finding.map(|f| (f.assessment, f.verdict)).unzip();
        let post = posts.binary_search(&row.text.as_str()).expect("every text is in the list");
        Judged { row, post, assessment, verdict, held }
    };
    rows.iter().map(one).collect()
}

fn leaving_outcome(judged: &Judged<'_>) -> Outcome {
    let intent = judged.assessment.as_ref().map_or(0.0, |a| a.intent);
    Outcome::at_half(intent, judged.row.label == Label::Leaving, judged.post)
}

fn complaint_outcome(judged: &Judged<'_>) -> Outcome {
    let a = judged.assessment.as_ref();
    Outcome {
        probability: a.map_or(0.0, |a| a.stances[0] + a.stances[3]),
        said: a.is_some_and(|a| matches!(a.stance, Stance::Leaving | Stance::Complaint)),
        is: judged.row.label == Label::Complaint,
        post: judged.post,
    }
}

fn confusion(judged: &[Judged<'_>]) -> Vec<(Stance, [usize; 5])> {
    let mut table: Vec<(Stance, [usize; 5])> = Stance::ALL.into_iter().map(|stance| (stance, [0; 5])).collect();
    for j in judged {
        if let Some(truth) = j.row.label.stance() {
            let said = j.assessment.as_ref().map_or(Stance::Other, |a| a.stance);
            table[truth as usize].1[said as usize] += 1;
        }
    }
    table.retain(|(_, row)| row.iter().sum::<usize>() > 0);
    table
}

fn hold_recall(judged: &[Judged<'_>]) -> Vec<HoldRecall> {
    let mut all: Vec<HoldRecall> = Vec::new();
    for j in judged {
        let name = j.row.hold.as_deref().unwrap_or("none");
        if name == "?" {
            continue;
        }
        let at = all.iter().position(|h| h.hold == name).unwrap_or_else(|| {
            all.push(HoldRecall { hold: name.to_owned(), n: 0, held: 0, entered: 0 });
            all.len() - 1
        });
        all[at].n += 1;
        all[at].held += usize::from(j.held);
        all[at].entered += usize::from(j.verdict == Some(Verdict::Enter));
    }
    all.sort_by(|a, b| b.n.cmp(&a.n).then(a.hold.cmp(&b.hold)));
    all
}

fn misses(judged: &[Judged<'_>], outcomes: &[Outcome]) -> Vec<Miss> {
    let wrong = judged.iter().zip(outcomes).filter(|(_, o)| o.said != o.is);
    let mut misses: Vec<Miss> =
        wrong.map(|(j, o)| Miss { gap: (o.probability - f64::from(u8::from(o.is))).abs(), text: miss(j, o) }).collect();
    misses.sort_by(|a, b| b.gap.total_cmp(&a.gap).then(a.text.cmp(&b.text)));
    misses
}

fn miss(judged: &Judged<'_>, outcome: &Outcome) -> String {
    let row = judged.row;
    let provider = row.provider.as_deref().unwrap_or("you");
    let mut text = format!("{:?} but {:.2} for {provider}: {}\n", row.label, outcome.probability, one_line(&row.text));
    match &judged.assessment {
        None => text.push_str("    not found in the text\n"),
        Some(a) => {
            for reason in &a.reasons {
                let _ = writeln!(text, "    {:>7} {:<26} {}", reason.points.to_string(), reason.signal, reason.text);
            }
        }
    }
    text
}

fn print(report: &Report, errors: usize) {
    println!("{}: {} or not", report.file, report.question);
    println!("{}\n", figures_table(report));
    if !report.confusion.is_empty() {
        println!("{}\n", confusion_table(report));
    }
    if report.holds.iter().any(|h| h.hold != "none") {
        println!("{}\n", holds_table(report));
    }
    for miss in report.misses.iter().take(errors) {
        println!("{}", miss.text);
    }
}

fn figures_table(report: &Report) -> Table {
    let f = &report.figures;
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    let opposite = f.opposite_accuracy.map_or_else(|| "-".to_owned(), |o| format!("{o:.3}"));
    let rows = [
        ("pairs", format!("{}, {} of them {}", f.n, f.positives, report.question)),
        ("provider not found", report.not_found.to_string()),
        ("precision, recall, F1", format!("{:.3}, {:.3}, {:.3}", f.precision, f.recall, f.f1)),
        ("macro F1", format!("{:.3}", f.macro_f1)),
        ("ROC AUC", format!("{:.3}", f.roc_auc)),
        ("average precision", format!("{:.3}", f.average_precision)),
        ("recall at 90 % precision", format!("{:.3}", f.recall_at_90_precision)),
        ("calibration error", format!("{:.3}", f.calibration_error)),
        ("accuracy on opposite labels", opposite),
    ];
    for (name, value) in rows {
        table.add_row([name, &value]);
    }
    table
}

fn confusion_table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    let heads = std::iter::once("is \\ said".to_owned()).chain(Stance::ALL.iter().map(ToString::to_string));
    table.set_header(heads.collect::<Vec<_>>());
    for (truth, row) in &report.confusion {
        let cells = std::iter::once(truth.to_string()).chain(row.iter().map(ToString::to_string));
        table.add_row(cells.collect::<Vec<_>>());
    }
    table
}

fn holds_table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["hold", "pairs", "a hold was found", "entered"]);
    for h in &report.holds {
        table.add_row([h.hold.clone(), h.n.to_string(), h.held.to_string(), h.entered.to_string()]);
    }
    table
}
