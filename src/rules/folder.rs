//! Fetches the files of a rules folder, from disk or from the packs inside the binary, bounded in size.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::error::RuleError;

/// The largest rules file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 4_000_000;
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
    /// Whether it came with the binary.
    pub shipped: bool,
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
        (!files.is_empty()).then_some(Self { files, shipped: true })
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
    /// When it is not a folder, holds too much, or a file cannot be read as UTF-8 or is still being written.
    pub fn read(dir: &Path) -> Result<Self, Vec<RuleError>> {
        let label = dir.display().to_string();
        if !dir.is_dir() {
            return Err(vec![no_folder(dir, label)]);
        }
        let mut paths = Vec::new();
        list(dir, 0, &mut paths);
        paths.sort();
        if paths.len() > FILES_MAX {
            let message = format!("this folder holds more than {FILES_MAX} files.");
            return Err(vec![RuleError::new("R002", label, message, "Name the folder of the rules alone.")]);
        }
        let mut errors = Vec::new();
        let mut files = Vec::new();
        for path in paths {
            match read_file(dir, &path) {
                Ok(file) => files.push(file),
                Err(error) => errors.push(*error),
            }
        }
        if errors.is_empty() { Ok(Self { files, shipped: false }) } else { Err(errors) }
    }

    /// The name in its `pack.toml`, if it has one.
    #[must_use]
    pub fn pack_name(&self) -> Option<String> {
        let table: toml::Table = self.file("pack.toml")?.text.parse().ok()?;
        table.get("name")?.as_str().map(str::to_owned)
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

fn no_folder(dir: &Path, label: String) -> RuleError {
    let (message, help) = if dir.exists() {
        ("this is a file, not a folder.", "Name the folder that holds it.")
    } else {
        ("there is no such folder.", "Check the spelling, or make one with `jumpship rules init`.")
    };
    RuleError::new("R001", label, message, help)
}

/// Reads one file. A file that an editor is just writing is refused: half a file could be valid by chance.
fn read_file(dir: &Path, path: &Path) -> Result<SourceFile, Box<RuleError>> {
    let label = path.display().to_string();
    let wrong = |code, message: String, help: &str| Box::new(RuleError::new(code, label.clone(), message, help));
    let unreadable =
        |e: std::io::Error| wrong("R003", format!("this file cannot be read: {e}."), "Check who may read it.");
    let before = path.metadata().map_err(unreadable)?;
    if before.len() > FILE_BYTES_MAX {
        let message = format!("this file has {} bytes; a rules file may have {FILE_BYTES_MAX}.", before.len());
        return Err(wrong("R002", message, "Split it by topic."));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let after = path.metadata().map_err(unreadable)?;
    if bytes.len() as u64 != after.len() || before.modified().ok() != after.modified().ok() {
        return Err(wrong("R006", "this file was being written while it was read.".to_owned(), "Save it once more."));
    }
    let text = decode(bytes).map_err(|Undecoded { line, words, message }| {
        Box::new(
            wrong("R003", message.to_owned(), "Open it in your editor and save it again as UTF-8.")
                .line(line)
                .quoting(&words),
        )
    })?;
    let name = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
    if text.trim().is_empty() && name.ends_with(".toml") {
        return Err(wrong("R007", "this file is empty.".to_owned(), "Delete it, or put the rules back in."));
    }
    Ok(SourceFile { label, name, text })
}

/// Why a file is not text as we read it.
struct Undecoded {
    /// The line of the first wrong byte; 0 for the whole file.
    line: usize,
    /// That line, as far as it can be read.
    words: String,
    message: &'static str,
}

/// UTF-8 without a byte order mark; else what the file seems to be.
fn decode(bytes: Vec<u8>) -> Result<String, Undecoded> {
    let whole = |message| Undecoded { line: 0, words: String::new(), message };
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(whole("this file is saved as UTF-16 (Windows calls it Unicode)."));
    }
    let wrong = match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            return Ok(text.strip_prefix('\u{FEFF}').map_or_else(|| text.clone(), str::to_owned));
        }
        Ok(_) => return Err(whole("this is not a text file.")),
        Err(wrong) => wrong,
    };
    let good = &wrong.as_bytes()[..wrong.utf8_error().valid_up_to()];
    let line = 1 + good.iter().filter(|&&b| b == b'\n').count();
    let words = wrong.as_bytes().split(|&b| b == b'\n').nth(line - 1).map(String::from_utf8_lossy).unwrap_or_default();
    let message = "a letter in this line is saved in an old encoding, not in UTF-8.";
    Err(Undecoded { line, words: words.into_owned(), message })
}
