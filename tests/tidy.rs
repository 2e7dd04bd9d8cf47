//! Holds the house rules: who may import whom, one sentence at the head of each file, SQL in one room.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may import; every room may import itself and `clock`.
const ROOMS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("text", &[]),
    ("config", &[]),
    ("telemetry", &[]),
    ("units", &[]),
    ("post", &["text"]),
    ("rules", &["text", "post", "units"]),
    ("scan", &["text", "post", "rules"]),
    ("score", &["text", "post", "rules", "scan", "units"]),
    ("decide", &["post", "rules", "score"]),
    ("draft", &["post", "rules", "decide", "score"]),
    ("check", &["text", "post", "rules", "scan", "score", "decide", "draft", "engine"]),
    ("engine", &["text", "post", "rules", "scan", "score", "decide", "draft"]),
    ("networks", &["post", "draft"]),
    ("frames", &["post"]),
    ("web", &[]),
    ("source", &["post", "frames", "telemetry", "web"]),
    ("queue", &["post", "rules", "score", "decide", "draft", "engine"]),
    ("publish", &["post", "rules", "networks", "queue", "web"]),
    (
        "desk",
        &[
            "check",
            "text",
            "post",
            "rules",
            "scan",
            "score",
            "decide",
            "draft",
            "engine",
            "networks",
            "queue",
            "telemetry",
        ],
    ),
    (
        "pipeline",
        &[
            "text",
            "post",
            "rules",
            "scan",
            "score",
            "decide",
            "draft",
            "engine",
            "networks",
            "web",
            "source",
            "queue",
            "publish",
            "config",
            "telemetry",
        ],
    ),
];

/// Rooms that may import everything.
const FREE: &[&str] = &["cli", "main", "lib"];

/// Rooms in which nothing waits, reads the clock, touches the outside or logs.
const PURE: &[&str] = &["text", "post", "scan", "score", "decide", "draft", "engine", "networks"];

/// What the pure rooms go without.
const IMPURE: &[&str] =
    &["async fn", ".await", "tracing::", "std::fs", "std::net", "clock::now", "SystemTime", "println!"];

fn source_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the tests run in the crate's folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            source_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

fn files() -> BTreeMap<PathBuf, String> {
    let mut paths = Vec::new();
    source_files(Path::new("src"), &mut paths);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("source files are UTF-8");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

fn room_of(path: &Path) -> String {
    let first = path.components().nth(1).expect("below src").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code without its tests and comments.
fn product_code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every `crate::room` that code names.
fn imports(code: &str) -> Vec<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    code.split("crate::").skip(1).map(name).collect()
}

/// The files for which `wrong` has something to say, one line each.
fn complaints(wrong: impl Fn(&Path, &str) -> Vec<String>) -> String {
    let all: Vec<String> = files()
        .iter()
        .flat_map(|(path, text)| {
            wrong(path, text).into_iter().map(|w| format!("{}: {w}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    all.join("\n")
}

fn check(wrong: impl Fn(&Path, &str) -> Vec<String>) {
    let found = complaints(wrong);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn rooms_import_only_what_they_may() {
    check(|path, text| {
        let room = room_of(path);
        if FREE.contains(&room.as_str()) {
            return Vec::new();
        }
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            return vec![format!("the room {room} is not in the table of tests/tidy.rs")];
        };
        let is_room = |import: &String| ROOMS.iter().any(|(name, _)| name == import) || FREE.contains(&import.as_str());
        let may = |import: &String| *import == room || import == "clock" || allowed.contains(&import.as_str());
        let imports = imports(&product_code(text)).into_iter();
        imports.filter(|i| is_room(i) && !may(i)).map(|i| format!("{room} may not import {i}")).collect()
    });
}

#[test]
fn every_file_starts_with_one_sentence_that_says_what_it_is_for() {
    check(|_, text| {
        let first = text.lines().next().unwrap_or("");
        let says = first.starts_with("//! ") && first.len() > 24;
        if says { Vec::new() } else { vec!["no header sentence".to_owned()] }
    });
}

#[test]
fn sql_stays_in_the_queue() {
    check(|path, text| {
        let speaks = |word: &&&str| product_code(text).contains(**word);
        let sql = ["rusqlite::", "SELECT ", "INSERT INTO"];
        if room_of(path) == "queue" { Vec::new() } else { sql.iter().filter(speaks).map(|w| (*w).to_owned()).collect() }
    });
}

#[test]
fn pure_rooms_do_not_wait_log_or_read_the_clock() {
    check(|path, text| {
        let code = product_code(text);
        let pure = PURE.contains(&room_of(path).as_str());
        IMPURE.iter().filter(|word| pure && code.contains(**word)).map(|word| format!("holds {word}")).collect()
    });
}

#[test]
fn modules_sit_beside_their_folder() {
    check(
        |path, _| {
            if path.ends_with("mod.rs") { vec!["name.rs beside name/, no mod.rs".to_owned()] } else { Vec::new() }
        },
    );
}

#[test]
fn only_the_clock_room_reads_the_clock() {
    check(|path, text| {
        let reads = product_code(text).contains("Timestamp::now()") || product_code(text).contains("SystemTime::now()");
        if reads && room_of(path) != "clock" { vec!["reads the system clock".to_owned()] } else { Vec::new() }
    });
}
