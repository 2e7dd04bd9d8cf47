//! Gathers the folders that make up one set of rules, from the bottom up.

use std::path::Path;

use super::error::{Report, RuleError};
use super::file;
use super::folder::Folder;
use super::{HomeChoice, Place, Rules, RulesSource, compile};

/// The most folders that may be laid over each other.
const FOLDERS_MAX: usize = 20;

/// The files of a set of rules, read but not yet understood.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// What a pack extends comes before the pack; the user's folders come last and win.
    pub folders: Vec<Folder>,
    home: HomeChoice,
    errors: Vec<RuleError>,
}

impl Sources {
    /// Reads all folders. What cannot be read is told by [`Self::compile`].
    ///
    /// A user's folder with a `pack.toml` is a pack of its own: it says what lies under it, and the
    /// source's pack is left out.
    #[must_use]
    pub fn read(source: &RulesSource) -> Self {
        let mut all = Self { home: source.home.clone(), ..Self::default() };
        let stands_alone = source.folders.iter().any(|dir| dir.join("pack.toml").is_file());
        if let Some(pack) = source.pack.as_ref().filter(|_| !stands_alone) {
            all.lay_pack(pack, "the pack setting", None);
        }
        for dir in &source.folders {
            all.lay_folder(dir);
        }
        all
    }

    /// The running rules.
    ///
    /// # Errors
    /// A report of everything that is wrong, with file, line and advice.
    pub fn compile(&self) -> Result<Rules, Report> {
        compile::compile(&self.folders, &self.home, self.errors.clone())
    }

    /// Lays a pack and what it extends: one beside the folder that asks for it, else one from the binary.
    fn lay_pack(&mut self, pack: &str, asked_by: &str, beside: Option<&Path>) {
        let sibling = beside.map(|dir| dir.join(pack)).filter(|dir| dir.join("pack.toml").is_file());
        if let Some(dir) = sibling {
            self.lay_folder(&dir);
        } else if let Some(folder) = Folder::shipped(pack) {
            self.lay(folder, None);
        } else {
            self.errors.push(no_pack(pack, asked_by));
        }
    }

    fn lay_folder(&mut self, dir: &Path) {
        match Folder::read(dir) {
            Ok(folder) => self.lay(folder, dir.canonicalize().ok().as_deref().and_then(Path::parent)),
            Err(errors) => self.errors.extend(errors),
        }
    }

    fn lay(&mut self, folder: Folder, beside: Option<&Path>) {
        if self.folders.len() >= FOLDERS_MAX || self.folders.contains(&folder) {
            return;
        }
        let asked_by = folder.file("pack.toml").map_or_else(String::new, |file| file.label.clone());
        let at = self.folders.len();
        for below in extends_of(&folder).iter().filter(|below| !self.has_pack(below)).cloned().collect::<Vec<_>>() {
            if at < FOLDERS_MAX {
                self.lay_pack(&below, &asked_by, beside);
            }
        }
        self.folders.push(folder);
    }

    fn has_pack(&self, name: &str) -> bool {
        self.folders.iter().any(|folder| folder.pack_name().as_deref() == Some(name))
    }
}

fn extends_of(folder: &Folder) -> Vec<String> {
    let Some(file) = folder.file("pack.toml") else { return Vec::new() };
    let only = Folder { files: vec![file.clone()], shipped: folder.shipped };
    file::read(&only, &mut Vec::new()).extends.into_iter().map(|line| line.text).collect()
}

fn no_pack(pack: &str, asked_by: &str) -> RuleError {
    let packs = Folder::shipped_packs();
    let known: Vec<&str> = packs.iter().map(String::as_str).collect();
    let help = super::hint::did_you_mean(pack, &known).unwrap_or_else(|| format!("There are: {}.", known.join(", ")));
    RuleError::new("R005", asked_by, format!("there is no pack \"{pack}\"."), help)
}

/// One place that defines a provider, signal, hold or offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// `provider`, `signal`, `hold` or `offer`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub place: Place,
    /// How it reads, from its heading to the next.
    pub text: String,
}

impl Sources {
    /// Every definition, from the bottom folder up: of those with one kind and id the last one counts.
    #[must_use]
    pub fn definitions(&self) -> Vec<Definition> {
        self.folders.iter().flat_map(definitions_of).collect()
    }
}

fn definitions_of(folder: &Folder) -> Vec<Definition> {
    let layer = file::read(folder, &mut Vec::new());
    let providers = layer.providers.into_iter().map(|e| ("provider", e.id, e.place));
    let signals = layer.signals.into_iter().map(|e| ("signal", e.id, e.place));
    let holds = layer.holds.into_iter().map(|e| ("hold", e.id, e.place));
    let offers = layer.offers.into_iter().map(|e| ("offer", e.id, e.place));
    let all = providers.chain(signals).chain(holds).chain(offers);
    all.map(|(kind, id, place)| Definition { kind, id, text: entry_text(folder, &place), place: shared(&place) })
        .collect()
}

fn shared(place: &file::Place) -> Place {
    Place { file: place.file.as_str().into(), line: u32::try_from(place.line).unwrap_or(u32::MAX) }
}

/// The lines from an entry's heading up to the next heading.
fn entry_text(folder: &Folder, place: &file::Place) -> String {
    let Some(file) = folder.files.iter().find(|f| f.label == place.file) else { return String::new() };
    let mut lines = file.text.lines().skip(place.line.saturating_sub(1));
    let heading = lines.next().into_iter();
    let rest = lines.take_while(|line| !line.trim_start().starts_with("[["));
    let entry: Vec<&str> = heading.chain(rest).collect();
    let end = entry.iter().rposition(|line| !line.is_empty() && !line.starts_with('#')).map_or(0, |last| last + 1);
    entry[..end].join("\n")
}
