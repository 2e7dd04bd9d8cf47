//! Fetches the files of a rules folder, from disk or from the packs inside the binary, bounded in size.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::error::RuleError;

/// The largest rules file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 20_000_000;
/// The most files one folder may hold.
pub const FILES_MAX: usize = 500;

/// The packs shipped inside the binary.
#[derive(RustEmbed)]
#[folder = "rules/"]
struct Shipped;

/// One file as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// How messages call it: the path the user gave, or `uk-mobile/signals/leaving.toml` for a shipped one.
    pub label: String,
    /// Its path below the folder, with `/`.
    pub name: String,
    /// Its words.
    pub text: String,
}

/// The files of one layer of rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    /// The files, in order of name.
    pub files: Vec<SourceFile>,
}

impl Folder {
    /// A pack shipped inside the binary, or `None` when there is none of that name.
    #[must_use]
    pub fn shipped(pack: &str) -> Option<Self> {
        let prefix = format!("{pack}/");
        let mut files: Vec<_> =
            Shipped::iter().filter(|path| path.starts_with(&prefix) && is_rules_file(path)).collect();
        files.sort();
        let files: Vec<_> = files.iter().filter_map(|path| shipped_file(path, &prefix)).collect();
        (!files.is_empty()).then_some(Self { files })
    }

    /// The names of all shipped packs.
    #[must_use]
    pub fn shipped_packs() -> Vec<String> {
        let mut packs: Vec<_> =
            Shipped::iter().filter_map(|path| path.strip_suffix("/pack.toml").map(str::to_owned)).collect();
        packs.sort();
        packs
    }

    /// A folder on disk.
    ///
    /// # Errors
    /// When it is not a folder, holds too much, or a file cannot be read as UTF-8.
    pub fn read(dir: &Path) -> Result<Self, Vec<RuleError>> {
        if !dir.is_dir() {
            let (message, help) = if dir.exists() {
                ("is a file, not a folder.", "Name the folder that holds it.")
            } else {
                ("there is no such folder.", "Check the spelling, or make one with `jumpship rules init`.")
            };
            return Err(vec![whole_file("R001", dir.display().to_string(), message, help)]);
        }
        let mut paths = Vec::new();
        list(dir, 0, &mut paths);
        paths.sort();
        let mut errors = Vec::new();
        if paths.len() > FILES_MAX {
            errors.push(whole_file(
                "R002",
                dir.display().to_string(),
                &format!("holds more than {FILES_MAX} files."),
                "Name the folder of the rules alone.",
            ));
            paths.clear();
        }
        let mut files = Vec::new();
        for path in paths {
            match read_file(dir, &path) {
                Ok(file) => files.push(file),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self { files }) } else { Err(errors) }
    }

    /// The text of the file of that name below the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

fn shipped_file(path: &str, prefix: &str) -> Option<SourceFile> {
    let data = Shipped::get(path)?.data;
    let text = String::from_utf8(data.into_owned()).ok()?;
    Some(SourceFile { label: path.to_owned(), name: path.strip_prefix(prefix)?.to_owned(), text })
}

fn is_rules_file(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == "toml" || e == "jsonl")
}

/// Rules files up to two folders deep; hidden files and editors' left-overs are not rules.
fn list(dir: &Path, depth: usize, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if hidden || out.len() > FILES_MAX {
            continue;
        }
        if path.is_dir() && depth < 2 {
            list(&path, depth + 1, out);
        } else if path.is_file() && is_rules_file(&path.to_string_lossy()) {
            out.push(path);
        }
    }
}

fn read_file(dir: &Path, path: &Path) -> Result<SourceFile, RuleError> {
    let label = path.display().to_string();
    let size = path.metadata().map(|m| m.len()).unwrap_or_default();
    if size > FILE_BYTES_MAX {
        return Err(whole_file(
            "R002",
            label,
            &format!("is {size} bytes, more than the {FILE_BYTES_MAX} a rules file may have."),
            "Split it by topic.",
        ));
    }
    let bytes = std::fs::read(path)
        .map_err(|e| whole_file("R003", label.clone(), &format!("cannot be read: {e}."), "Check who may read it."))?;
    let text = decode(bytes).map_err(|line| RuleError {
        line,
        ..whole_file("R003", label.clone(), "is not saved as UTF-8.", "Save it again with the encoding UTF-8.")
    })?;
    let name = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
    Ok(SourceFile { label, name, text })
}

/// UTF-8 without a byte order mark; else the line of the first wrong byte.
fn decode(bytes: Vec<u8>) -> Result<String, usize> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{FEFF}').map_or_else(|| text.clone(), str::to_owned)),
        Err(e) => {
            let good = e.utf8_error().valid_up_to();
            Err(1 + e.as_bytes()[..good].iter().filter(|&&b| b == b'\n').count())
        }
    }
}

fn whole_file(code: &'static str, file: String, message: &str, help: &str) -> RuleError {
    RuleError { code, file, line: 0, bytes: 0..0, message: message.to_owned(), help: help.to_owned() }
}
