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

/// The fenced `toml` examples of a page: the file each names in its first line, and its text.
fn examples_in(page: &str) -> Vec<(String, String)> {
    let fences = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```\n").next());
    let named = |text: &str| text.lines().next().and_then(|line| line.strip_prefix("# ")).map(str::to_owned);
    fences.map(|text| (named(text).expect("the first line names the file"), text.to_owned())).collect()
}

#[test]
fn every_example_in_the_manual_passes_check() {
    let page = fs::read_to_string("docs/RULES.md").expect("the manual");
    let examples = examples_in(&page);
    assert!(examples.len() >= 6);
    for (name, text) in examples {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let file = dir.path().join(&name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(&file, text).expect("written");
        let below = if name == "pack.toml" { vec![] } else { vec!["tests/rules/base".into()] };
        let checked = check_folders([below, vec![dir.path().into()]].concat());
        assert!(checked.report.errors.is_empty(), "{name}:\n{}", checked.report);
    }
}

#[test]
fn the_manual_names_every_key() {
    let page = fs::read_to_string("docs/RULES.md").expect("the manual");
    let keys = "name lang trade extends evidence_words evidence id status handles names everyday unless home topic cap \
                speaks_for points why says regex should_match should_not_match show bio_says name_says handle_says \
                disclosure starts ends topics against toward_ok regions conditions proof max_uses text short enter watch \
                window_days replies_per_hour_max replies_per_day_max from to zone expires_after undo_seconds posts_days";
    let missing: Vec<&str> = keys.split_whitespace().filter(|key| !page.contains(&format!("{key} "))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A phrase as people type it, a post that says it, and one that does not.
const AS_TYPED: [(&str, &str, &str); 36] = [
    ("no signal", "Mill Water NO SIGNAL at all", "Mill Water signal"),
    ("No Signal!", "mill water: no signal.", "Mill Water no. Signal"),
    ("#EEfail", "#EEfail says it, Mill Water", "EEfail says it, Mill Water"),
    ("EEfail", "#EEfail says it, Mill Water", "EE fail, Mill Water"),
    ("@MillWater please", "@millwater please help", "@millwaterman please, Mill Water"),
    ("3", "only 3 today, Mill Water", "only 33 today, Mill Water"),
    ("no", "no, Mill Water", "not now, Mill Water"),
    ("yes", "Yes! Mill Water", "yesterday, Mill Water"),
    ("true", "so TRUE, Mill Water", "untrue, Mill Water"),
    ("9:00", "since 9:00 Mill Water", "since 9:30 Mill Water"),
    ("2026-05-31", "until 2026-05-31, Mill Water", "until 2026-05-30, Mill Water"),
    ("can't", "Mill Water can’t", "Mill Water can"),
    ("can’t", "Mill Water cant", "Mill Water can it"),
    ("don‘t", "Mill Water don't", "Mill Water do"),
    ("\"fair\" use", "Mill Water “fair” use", "Mill Water fairly use"),
    ("it's a joke", "Mill Water its a joke", "Mill Water is a joke"),
    ("£10", "Mill Water took £10", "Mill Water took £100"),
    ("£10 more", "Mill Water £10 more", "Mill Water 10 more"),
    ("50%", "Mill Water 50% up", "Mill Water 5% up"),
    ("😡", "Mill Water 😡😡", "Mill Water 😀"),
    ("so bad 😡", "Mill Water so bad 😡", "Mill Water so bad"),
    ("[really] bad", "Mill Water really bad", "Mill Water really baddie"),
    ("(cold|icy) tap", "Mill Water icy tap", "Mill Water hot tap"),
    ("tap [is] (cold|icy cold)", "Mill Water tap icy cold", "Mill Water tap was cold"),
    ("leak*", "Mill Water leaking", "Mill Water bleak"),
    ("fix ... tap", "Mill Water fix the bloody tap", "Mill Water fix one two three four tap"),
    ("done with {provider}", "Done with Mill Water", "Done with it, Mill Water"),
    ("{rival} to {home}", "from Mill Water to Wren Water", "from Wren Water to Mill Water"),
    ("off & on", "Mill Water off & on", "Mill Water off then on"),
    ("wi-fi", "Mill Water wi-fi", "Mill Water wide fi"),
    ("A&E", "Mill Water A&E", "Mill Water AE"),
    ("soooo slow", "Mill Water sooooooo slow", "Mill Water slow"),
    ("café", "Mill Water CAFE", "Mill Water caf"),
    ("https://a.example/x", "Mill Water https://b.example", "Mill Water example"),
    ("null", "Mill Water null", "Mill Water nullify"),
    ("1,000 days", "Mill Water 1,000 days", "Mill Water 1000000 days"),
];

#[test]
fn phrases_match_what_they_say() {
    for (phrase, post, other) in AS_TYPED {
        let dir = tempfile::tempdir().expect("a folder for the test");
        fs::create_dir(dir.path().join("signals")).expect("made");
        let text = format!(
            "topic = \"t\"\n[[signal]]\nid = \"t.x\"\npoints = 1\nwhy = \"x\"\nsays = '''\n{phrase}\n'''\n\
             should_match = '''\n{post}\n{post}\n'''\nshould_not_match = '''\n{other}\n'''\n"
        );
        fs::write(dir.path().join("signals/t.toml"), text).expect("written");
        let checked = check_folders(vec!["tests/rules/base".into(), dir.path().into()]);
        assert_eq!(checked.count(Level::Error), 0, "{phrase}:\n{}", checked.report);
    }
}
