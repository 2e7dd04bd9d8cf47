//! Staff rules as their authors meet them: broken folders get advice, shipped packs and the manual are right.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jumpship::check::{Checked, check};
use jumpship::rules::{Folder, HomeChoice, Level, RulesSource, Sources};

/// Set to write what is printed now into the golden files; read their diff as users will.
const UPDATE: &str = "UPDATE_GOLDEN";
/// How many broken folders there are at least.
const BROKEN_MIN: usize = 60;

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a time")
}

fn folders(folders: Vec<PathBuf>) -> RulesSource {
    RulesSource { pack: None, folders, home: HomeChoice::AsRules }
}

fn check_folders(dirs: Vec<PathBuf>) -> Checked {
    check(&Sources::read(&folders(dirs)), now())
}

fn names_in(dir: &str) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("the tests run in the crate's folder");
    let dirs = entries.map(|entry| entry.expect("readable").path()).filter(|path| path.is_dir());
    let mut names: Vec<String> =
        dirs.map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What `check` prints, with paths as if one stood in the broken folder.
fn printed(checked: &Checked, case: &Path) -> String {
    let text = checked.report.render(false).replace(&format!("{}/", case.display()), "");
    text.replace(&case.display().to_string(), "rules").lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn broken_folders_say_what_to_do() {
    let cases = names_in("tests/rules/broken");
    assert!(cases.len() >= BROKEN_MIN, "{} broken folders", cases.len());
    let mut differ = Vec::new();
    for name in cases {
        let case = PathBuf::from("tests/rules/broken").join(&name);
        let golden = case.with_extension("txt");
        let checked = check_folders(vec!["tests/rules/base".into(), case.clone()]);
        let text = printed(&checked, &case);
        assert!(checked.report.errors.iter().all(|e| !e.help.is_empty()), "{name} gives no advice");
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&golden, &text).expect("golden files can be written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != text {
            differ.push(format!("{name}:\n{text}"));
        }
    }
    assert!(differ.is_empty(), "these differ from their golden files:\n{}", differ.join("\n"));
}

#[test]
fn folders_that_cannot_be_kept_in_a_repository_are_told_too() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let file = dir.path().join("providers.toml");
    for (bytes, code) in [(5_000_000, "R002"), (0, "R007")] {
        fs::write(&file, "#".repeat(bytes)).expect("written");
        let checked = check_folders(vec![dir.path().into()]);
        assert_eq!(checked.report.errors[0].code, code);
    }
    for path in [dir.path().join("none"), file] {
        assert_eq!(check_folders(vec![path]).report.errors[0].code, "R001");
    }
}

#[test]
fn every_shipped_pack_passes_its_check() {
    let packs = Folder::shipped_packs();
    assert!(packs.len() >= 9, "{packs:?}");
    for pack in packs.into_iter().filter(|pack| pack != "common") {
        let source = RulesSource { pack: Some(pack.clone()), ..RulesSource::default() };
        let checked = check(&Sources::read(&source), now());
        assert_eq!(checked.count(Level::Error), 0, "{pack}:\n{}", checked.report);
        assert!(checked.examples.caught > 40, "{pack}: {checked:?}");
    }
}

#[test]
fn the_same_files_give_the_same_version() {
    let source = RulesSource::default();
    let version = |source| Sources::read(source).compile().expect("shipped rules are right").version().to_owned();
    assert_eq!(version(&source), version(&source));
}
