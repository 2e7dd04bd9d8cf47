//! `jumpship networks`: what each network allows, as a table or as JSON.

use comfy_table::{ContentArrangement, Table, presets};

use super::{Exit, fail};
use crate::networks::{Capability, TABLE};

/// The width of the table, in columns of a terminal.
const WIDTH: u16 = 120;

/// Show what each network allows: how it is heard, how it may be answered, what its rules say
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, one object for each network
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    if !args.json {
        println!("{}\n\n{}", table(), rules());
        return Exit::Ok;
    }
    match serde_json::to_string_pretty(&TABLE) {
        Ok(json) => {
            println!("{json}");
            Exit::Ok
        }
        Err(e) => fail(format!("the table cannot be written as JSON: {e}.")),
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table.set_header([
        "network",
        "heard by",
        "can be replayed",
        "deletes",
        "answered",
        "limit",
        "at most once",
        "price",
    ]);
    table.add_rows(TABLE.iter().map(row));
    table
}

fn row(network: &Capability) -> [String; 8] {
    let answered = match network.contract {
        Some(contract) => format!("{}; by API with contract = \"{contract}\"", network.answer.as_str()),
        None => network.answer.as_str().to_owned(),
    };
    [
        network.title.to_owned(),
        network.read.to_owned(),
        network.replay.to_owned(),
        network.deletes.as_str().to_owned(),
        answered,
        format!("{} {}", network.limit().graphemes_max, network.text_unit),
        network.once.as_str().to_owned(),
        network.price.to_owned(),
    ]
}

/// What the rules say, below the table: too long for a column.
fn rules() -> String {
    let line = |row: &Capability| format!("{} (read {}): {}", row.title, row.rules_read, row.rules);
    TABLE.iter().map(line).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_shown_with_its_rules() {
        let shown = format!("{}\n{}", table(), rules());
        for row in &TABLE {
            assert!(shown.contains(row.rules), "{}", row.title);
        }
    }
}
