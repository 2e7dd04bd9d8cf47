//! Where the config and the database are when nobody says: the folders that each system has for them.

use std::env;
use std::path::PathBuf;

/// The name of the config file.
const FILE: &str = "jumpship.toml";

/// The config to use: the one named, else the one in this folder, else the one in the user's config folder.
#[must_use]
pub fn find(named: Option<PathBuf>) -> Option<PathBuf> {
    if named.is_some() {
        return named;
    }
    let users = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    [Some(PathBuf::from(FILE)), users.map(|users| users.join("jumpship").join(FILE))]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
}

/// Where the database is kept: the folder systemd gives, else the user's state folder.
#[must_use]
pub fn state_folder() -> Option<PathBuf> {
    if let Some(given) = folder("STATE_DIRECTORY") {
        return Some(given);
    }
    let users = folder("XDG_STATE_HOME")
        .or_else(|| folder("LOCALAPPDATA"))
        .or_else(|| Some(folder("HOME")?.join(".local").join("state")))?;
    Some(users.join("jumpship"))
}

/// A folder from the environment, if it is a real place.
fn folder(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
