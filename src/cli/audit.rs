//! `jumpship audit`: check that nobody changed the audit, or export it.

use std::io::Write;

use super::args::{DatabaseArgs, print, queue_failed};
use super::{Exit, fail};
use crate::queue::{AuditFilter, AuditRow, LeadId, Queue, QueueError};

/// Check or export the audit of decisions
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read the whole chain and name the first row that was changed
    Verify {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Print all rows, oldest first
    Export {
        /// Only rows about this lead
        #[arg(long, value_name = "ID")]
        lead: Option<LeadId>,
        /// Print CSV instead of JSON lines
        #[arg(long)]
        csv: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let database = match &args.command {
        Command::Verify { database } | Command::Export { database, .. } => database,
    };
    let queue = match database.open() {
        Ok(queue) => queue,
        Err(exit) => return exit,
    };
    match &args.command {
        Command::Verify { .. } => verify(&queue),
        Command::Export { lead, csv, .. } => match export(&queue, *lead) {
            Ok(rows) => print(|out| write(out, &rows, *csv)),
            Err(error) => queue_failed(&error),
        },
    }
}

fn verify(queue: &Queue) -> Exit {
    let report = match queue.audit_verify() {
        Ok(report) => report,
        Err(error) => return queue_failed(&error),
    };
    match report.broken {
        None => print(|out| writeln!(out, "The audit is whole: {} rows, head {}.", report.rows, head(&report.head))),
        Some((row, why)) => {
            fail(format!("the audit does not hold at row {row}: {why}. {} rows before it are whole.", report.rows))
        }
    }
}

fn head(hash: &str) -> &str {
    if hash.is_empty() { "none" } else { hash }
}

fn export(queue: &Queue, lead: Option<LeadId>) -> Result<Vec<AuditRow>, QueueError> {
    let mut all: Vec<AuditRow> = Vec::new();
    loop {
        let after = all.last().map_or(0, |row| row.id);
        let page = queue.audit(&AuditFilter { lead, after, limit: 0 })?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn write(out: &mut dyn Write, rows: &[AuditRow], csv: bool) -> std::io::Result<()> {
    if csv {
        writeln!(out, "id,at,who,what,lead,detail,hash")?;
    }
    for row in rows {
        if csv {
            let lead = row.lead.map(|l| l.to_string()).unwrap_or_default();
            let detail = row.detail.to_string();
            let at = row.at.to_string();
            let fields = [&row.id.to_string(), &at, &row.who, &row.what, &lead, &detail, &row.hash];
            writeln!(out, "{}", fields.map(|f| cell(f)).join(","))?;
        } else {
            serde_json::to_writer(&mut *out, row)?;
            writeln!(out)?;
        }
    }
    Ok(())
}

/// One cell of CSV that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_or_two_cells() {
        for (text, written) in [("ana", "\"ana\""), ("=1+1", "\"'=1+1\""), ("a,\"b\"", "\"a,\"\"b\"\"\""), ("", "\"\"")]
        {
            assert_eq!(cell(text), written);
        }
    }
}
