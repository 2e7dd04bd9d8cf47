//! Runs the commands that read and decide leads against a database, as an operator would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use jiff::Timestamp;
use jumpship::decide::History;
use jumpship::engine::Engine;
use jumpship::post::{Network, Post};
use jumpship::queue::{Batch, Judged, Queue};
use jumpship::rules::{Rules, RulesSource};

/// A database with two leads in a folder of its own.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        let engine = Engine::new(Arc::new(Rules::load(&RulesSource::default()).unwrap()));
        let mut queue = Queue::open(&desk.database(), Timestamp::now()).unwrap();
        let mut batch = Batch::of("test");
        for (author, text) in [
            ("ana", "Leaving EE when my contract ends in May, no signal at home. Any recommendations?"),
            ("bo", "O2 prices up again, asked for my PAC code, who should I switch to?"),
        ] {
            let mut post = Post::new(format!("at://{author}/1"), text);
            post.network = Network::Bluesky;
            post.author.handle = format!("{author}.example.com");
            let findings = engine.judge(&post, &History::default(), Timestamp::now());
            assert_eq!(findings[0].verdict.as_str(), "enter", "{text}");
            batch.posts.push(Judged { post, findings, rules_version: engine.rules().version().into() });
        }
        queue.commit(&batch, engine.rules().policy(), Timestamp::now()).unwrap();
        desk
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("jumpship.db")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Exit code, and what was said on either stream.
    fn run(&self, line: &str) -> (i32, String) {
        run(line, &self.database())
    }
}

fn run(line: &str, database: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_jumpship"))
        .args(line.split(' '))
        .env("JUMPSHIP_DATABASE", database)
        .env("USER", "dee")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn leads_come_as_a_table_as_json_and_one_in_full() {
    let desk = Desk::new();
    for (line, exit, says) in [
        ("leads", 0, "In all: 2 new."),
        ("leads --rival o2", 0, "bo.example.com"),
        ("leads --words recommendations --json", 0, "\"provider\":\"ee\""),
        ("leads --state sent,failed", 0, "No lead matches."),
        ("leads --state all --limit 1", 0, "In all: 2 new."),
        ("leads 1", 0, "Post:    Leaving EE when"),
        ("leads 9", 2, "jumpship: there is no lead 9. `jumpship leads` shows them."),
        ("leads --state open", 2, "there is no such state. There are: new, snoozed,"),
        ("leads x", 2, "is not the number of a lead"),
    ] {
        let (code, said) = desk.run(line);
        assert!(code == exit && said.contains(says), "{line}: {code}\n{said}");
    }
}

#[test]
fn a_decision_is_taken_told_and_can_be_taken_back() {
    let desk = Desk::new();
    for (line, exit, says) in [
        ("approve 1 --text Hello", 0, "Lead 1 is approved and held until"),
        ("approve 1", 2, "jumpship: lead 1: a lead that is approved cannot take this step."),
        ("undo 1 --as eve", 2, "jumpship: lead 1: it is too late to undo, or the decision was somebody else's."),
        ("undo 1", 0, "Lead 1 is new again."),
        ("dismiss 2", 2, "--reason <REASON>"),
        ("dismiss 2 --reason boring", 2, "there is no such reason. There are: not-a-complaint,"),
        ("dismiss 2 --reason too-late --note gone", 0, "Lead 2 is dismissed: too_late."),
        ("approve 7", 2, "jumpship: there is no lead 7."),
        ("audit verify", 0, "The audit is whole: 4 rows, head "),
        ("audit export --csv --lead 2", 0, "\"dee\",\"dismiss\",\"2\""),
    ] {
        let (code, said) = desk.run(line);
        assert!(code == exit && said.contains(says), "{line}: {code}\n{said}");
    }
}

#[test]
fn a_person_can_ask_be_forgotten_and_object() {
    let desk = Desk::new();
    let says = |line: &str, exit: i32, words: &[&str]| {
        let (code, said) = desk.run(line);
        assert!(code == exit && words.iter().all(|w| said.contains(w)), "{line}: {code}\n{said}");
    };
    says("privacy export @ana.example.com", 0, &["Leaving EE when", "\"opted_out\": false"]);
    says("privacy erase ana.example.com", 0, &["\"posts\": 1", "\"withdrawn\": 1", "\"cleaned\": true"]);
    says("privacy export ana.example.com", 0, &["\"posts\": []"]);
    says("privacy object bo.example.com", 0, &["never to be contacted"]);
    says("privacy export bo.example.com", 0, &["\"opted_out\": true"]);
    says("privacy erase x --network myspace", 2, &["there is no such network"]);
}

#[test]
fn a_backup_is_made_checked_and_restored() {
    let desk = Desk::new();
    let backup = desk.file("backup.db");
    let backup = backup.to_str().unwrap();
    for (line, exit, says) in [
        (format!("backup {backup}"), 0, "is sound"),
        (format!("backup {backup}"), 2, "exists already"),
        (format!("restore {backup} --verify"), 0, "is sound"),
        ("dismiss 1 --reason joke".to_owned(), 0, "dismissed"),
        (format!("restore {backup}"), 0, "is restored"),
        ("leads".to_owned(), 0, "In all: 2 new."),
        (format!("restore {backup}.not --verify"), 2, "does not exist"),
    ] {
        let (code, said) = desk.run(&line);
        assert!(code == exit && said.contains(says), "{line}: {code}\n{said}");
    }
}

#[test]
fn a_wrong_database_is_a_clear_refusal() {
    let desk = Desk::new();
    let note = desk.file("note.txt");
    std::fs::write(&note, "milk, eggs").unwrap();
    for (database, says) in [(note.clone(), "is a file of another kind"), (desk.file("none.db"), "does not exist")] {
        let (code, said) = run("leads", &database);
        assert!(code == 2 && said.contains(says) && said.contains("--database"), "{code}\n{said}");
    }
    assert_eq!(std::fs::read_to_string(note).unwrap(), "milk, eggs");
}
