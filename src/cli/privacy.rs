//! `jumpship privacy`: what we know about a person, erase it, and promise never to contact them.

use serde::Serialize;

use super::args::{DatabaseArgs, OperatorArgs, print, queue_failed};
use super::{Exit, fail};
use crate::clock;
use crate::post::Network;
use crate::queue::{Erased, PersonRef};

/// Answer a person who asks what is stored about them, or asks to be forgotten or left alone
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print everything stored about the person as JSON
    Export(PersonArgs),
    /// Erase everything stored about the person and print a receipt
    Erase(PersonArgs),
    /// Erase everything, never contact the person again, and print a receipt
    Object(PersonArgs),
}

#[derive(Debug, clap::Args)]
struct PersonArgs {
    /// Their handle, with or without @, or the network's id of their account
    handle: String,
    /// Only on this network
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    network: Option<Network>,
    #[command(flatten)]
    operator: OperatorArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn network(word: &str) -> Result<Network, String> {
    let known = Network::ALL.map(Network::as_str).join(", ");
    let found = Network::ALL.into_iter().find(|n| n.as_str() == word);
    found.ok_or_else(|| format!("there is no such network. There are: {known}"))
}

/// What the person gets to hear, and the row of the audit that proves it.
#[derive(Debug, Serialize)]
struct Receipt<'a> {
    person: &'a str,
    network: Option<Network>,
    done: &'static str,
    at: jiff::Timestamp,
    #[serde(flatten)]
    erased: Erased,
    audit_head: String,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    match &args.command {
        Command::Export(person) => export(person),
        Command::Erase(person) => erase(person, false),
        Command::Object(person) => erase(person, true),
    }
}

fn person(args: &PersonArgs) -> PersonRef<'_> {
    PersonRef { name: &args.handle, network: args.network }
}

fn export(args: &PersonArgs) -> Exit {
    let queue = match args.database.open() {
        Ok(queue) => queue,
        Err(exit) => return exit,
    };
    match queue.privacy_export(person(args)) {
        Ok(export) => json(&export),
        Err(error) => queue_failed(&error),
    }
}

fn erase(args: &PersonArgs, object: bool) -> Exit {
    let mut queue = match args.database.open() {
        Ok(queue) => queue,
        Err(exit) => return exit,
    };
    let at = clock::now();
    let erased = queue.privacy_erase(person(args), object, &args.operator.operator, at);
    let receipt = erased.and_then(|erased| {
        let done = if object { "erased, never to be contacted" } else { "erased" };
        let audit_head = queue.audit_verify()?.head;
        Ok(Receipt { person: &args.handle, network: args.network, done, at, erased, audit_head })
    });
    match receipt {
        Ok(receipt) => json(&receipt),
        Err(error) => queue_failed(&error),
    }
}

fn json(value: &impl Serialize) -> Exit {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(|out| writeln!(out, "{text}")),
        Err(e) => fail(format!("the answer cannot be written as JSON: {e}.")),
    }
}
