//! `jumpship.toml`: what the user typed, resolved once into what the daemon runs on; never holds a secret.
//!
//! Everything has a default that works: with no file at all Jumpship listens to Bluesky, judges by the shipped
//! rules for the UK mobile market, keeps its database in the user's state folder and serves the desk on this
//! machine only. Paths are read from the folder of the file.

mod error;
mod feeds;
mod place;
mod publish;
mod raw;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::ConfigError;
pub use place::{find, state_folder};
pub use publish::{BlueskyAccount, MastodonAccount, PublishConfig, SecretPlace};

/// Where the desk listens unless told otherwise.
pub const DESK_LISTEN: &str = "127.0.0.1:7878";
/// The pack of rules used unless told otherwise.
const PACK: &str = "uk-mobile";
/// Public Jetstream servers of the second wire, the most wanted first.
const HOSTS_V2: [&str; 2] = ["wss://jetstream.us-east.bsky.network", "wss://jetstream.us-west.bsky.network"];
/// Public Jetstream servers of the first wire.
const HOSTS_V1: [&str; 4] = [
    "wss://jetstream1.us-east.bsky.network",
    "wss://jetstream2.us-east.bsky.network",
    "wss://jetstream1.us-west.bsky.network",
    "wss://jetstream2.us-west.bsky.network",
];
/// The most sources one daemon listens to.
pub const SOURCES_MAX: usize = 50;
/// The most servers one source may name.
pub const HOSTS_MAX: usize = 20;
/// The largest config file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// What the daemon runs on. Cannot be wrong; see [`Config::read`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file it came from; none for the defaults.
    pub file: Option<PathBuf>,
    /// Where leads and posts are kept.
    pub database: PathBuf,
    /// Which rules to judge by.
    pub rules: RulesConfig,
    /// How the desk is served.
    pub desk: DeskConfig,
    /// What to listen to; never empty, names are unique.
    pub sources: Vec<SourceConfig>,
    /// Which networks are answered by API.
    pub publish: PublishConfig,
}

/// Which rules to judge by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesConfig {
    /// The shipped pack at the bottom; none for the folders alone.
    pub pack: Option<String>,
    /// Folders laid over it, the last one wins.
    pub folders: Vec<PathBuf>,
    /// Who is us: none for what the rules say, `"none"` for nobody.
    pub home: Option<String>,
}

/// How the desk is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskConfig {
    /// Its address.
    pub listen: SocketAddr,
    /// What browsers call it, when that is something else, such as `https://desk.example`.
    pub url: Option<String>,
    /// Whether browsers reach it through a proxy that speaks TLS.
    pub behind_tls: bool,
}

impl DeskConfig {
    /// Moves it to another address.
    ///
    /// # Errors
    /// The address is open to others and nothing encrypts what they type.
    pub fn move_to(&mut self, listen: SocketAddr) -> Result<(), String> {
        if !listen.ip().is_loopback() && !self.behind_tls {
            return Err(format!(
                "the desk at {listen} would be open to others without TLS. Listen on 127.0.0.1, or put a proxy that \
                 speaks TLS in front and write `behind_tls = true` under [desk]."
            ));
        }
        self.listen = listen;
        Ok(())
    }
}

/// One thing to listen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its name, for the database and the desk.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
}

/// The kinds of source and what each needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// The Bluesky Jetstream.
    Bluesky {
        /// Servers and which of the two wires each speaks, the most wanted first; never empty.
        hosts: Vec<(String, u8)>,
        /// So long without a sign of life, the connection is taken for dead.
        silence: Duration,
        /// How far to look back at the very first start.
        lookback: Duration,
    },
    /// A file of JSON lines, or `-` for standard input.
    Jsonl {
        /// The file.
        path: PathBuf,
        /// Whether to wait for more at its end.
        follow: bool,
    },
    /// An RSS, Atom or JSON feed.
    Feed {
        /// Where it is.
        url: String,
        /// How often to ask.
        every: Duration,
        /// Whether it may be on a private network.
        anywhere: bool,
        /// The provider it belongs to.
        about: Option<String>,
    },
    /// Hacker News.
    HackerNews,
}

impl Config {
    /// Reads a file, or gives the defaults when there is none.
    ///
    /// # Errors
    /// What is wrong with it, with line and advice.
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(file) = file else { return raw::resolve(raw::RawConfig::default(), None, Path::new("")) };
        let text = read_bounded(file)?;
        Self::parse(&text, file)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with it, with line and advice.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let raw = toml::from_str(text).map_err(|e| ConfigError::of_toml(file, text, &e))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        raw::resolve(raw, Some(file), folder)
    }
}

fn read_bounded(file: &Path) -> Result<String, ConfigError> {
    let cannot =
        |cause: String| ConfigError::of_file(file, &cause, "Check the path, or leave it out to run on defaults.");
    let size = std::fs::metadata(file).map_err(|e| cannot(format!("cannot be read: {e}.")))?.len();
    if size > FILE_BYTES_MAX {
        return Err(cannot(format!("is {size} bytes, more than the {FILE_BYTES_MAX} a config file may have.")));
    }
    std::fs::read_to_string(file).map_err(|e| cannot(format!("cannot be read: {e}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("etc/jumpship.toml")).map_err(|e| e.to_string())
    }

    #[test]
    fn no_file_is_a_config_that_works() {
        let config = Config::read(None).unwrap();
        assert_eq!(config.desk.listen.to_string(), DESK_LISTEN);
        assert_eq!(config.rules, RulesConfig { pack: Some("uk-mobile".into()), folders: vec![], home: None });
        assert!(config.database.ends_with("jumpship/jumpship.db"), "{}", config.database.display());
        assert_eq!(config.sources.len(), 1);
        let SourceKind::Bluesky { hosts, silence, .. } = &config.sources[0].kind else { panic!("Bluesky") };
        assert_eq!(hosts.iter().map(|(_, wire)| *wire).collect::<Vec<_>>(), [2, 2, 1, 1, 1, 1]);
        assert_eq!(silence.as_secs(), 60);
        assert_eq!(parse("").map(|c| Config { file: None, ..c }), Ok(config));
    }

    #[test]
    fn everything_said() {
        let config = parse(
            r#"
            database = "data/leads.db"
            [rules]
            pack = "none"
            folders = ["rules", "/srv/more"]
            home = "Northwind Mobile"
            [desk]
            listen = "0.0.0.0:9000"
            url = "https://desk.example/"
            behind_tls = true
            [[source]]
            kind = "bluesky"
            hosts = ["ws://127.0.0.1:6008/"]
            wire = "v1"
            silence_seconds = 5
            lookback_minutes = 0
            [[source]]
            name = "inbox"
            kind = "jsonl"
            path = "posts.jsonl"
            follow = true
            "#,
        )
        .unwrap();
        assert_eq!(config.database, Path::new("etc/data/leads.db"));
        assert_eq!(config.desk.url.as_deref(), Some("https://desk.example"));
        assert_eq!(config.rules.pack, None);
        assert_eq!(config.rules.folders, [Path::new("etc/rules"), Path::new("/srv/more")]);
        let bluesky = SourceKind::Bluesky {
            hosts: vec![("ws://127.0.0.1:6008".into(), 1)],
            silence: Duration::from_secs(5),
            lookback: Duration::ZERO,
        };
        let jsonl = SourceKind::Jsonl { path: "etc/posts.jsonl".into(), follow: true };
        assert_eq!(config.sources[0], SourceConfig { name: "bluesky".into(), kind: bluesky });
        assert_eq!(config.sources[1], SourceConfig { name: "inbox".into(), kind: jsonl });
    }

    #[test]
    fn what_is_wrong_is_said_with_place_cause_and_next_step() {
        let table = [
            ("datebase = \"x\"", "line 1: there is no key `datebase`. Did you mean `database`?"),
            ("\n[desk]\nlisen = \"x\"", "line 3: there is no key `lisen`. Did you mean `listen`?"),
            ("[[source]]\nkind = \"bluesky\"\nzzz = 1", "line 3: there is no key `zzz`. Known keys: `name`, `kind`"),
            ("[desk]\nlisten = \"7878\"", "`7878` is not an address. Write one such as \"127.0.0.1:7878\"."),
            ("[desk]\nlisten = \"0.0.0.0:80\"", "the desk at 0.0.0.0:80 would be open to others without TLS."),
            ("[desk]\nurl = \"desk.example\"", "`desk.example` is not a web address. Write https://desk.example."),
            ("[desk]\nlisten = 7878", "line 2: invalid type: integer `7878`, expected a string."),
            ("[[source]]\nkind = \"blusky\"", "there is no source of the kind `blusky`. Write one of"),
            ("[[source]]", "line 1: missing field `kind`."),
            ("[[source]]\nkind = \"jsonl\"", "the source `jsonl` needs a `path`."),
            ("[[source]]\nkind = \"jsonl\"\npath = \"-\"\nhosts = []", "`hosts` means nothing to a source of the kind"),
            ("[[source]]\nkind = \"bluesky\"\nhosts = []", "the source `bluesky` names no host."),
            (
                "[[source]]\nkind = \"bluesky\"\nhosts = [\"a.example\"]",
                "`a.example` is not a server. Write wss://a.example.",
            ),
            ("[[source]]\nkind = \"bluesky\"\nwire = \"v3\"", "`v3` is not a wire. Write \"v1\", \"v2\" or \"auto\"."),
            ("[[source]]\nkind = \"bluesky\"\nsilence_seconds = 0", "`silence_seconds` is 0; it must be 1 to 3600."),
            (
                "[[source]]\nkind = \"bluesky\"\n[[source]]\nkind = \"bluesky\"",
                "two sources are called `bluesky`. Give one",
            ),
            ("[rules", "line 1: "),
        ];
        for (text, wanted) in table {
            let said = parse(text).expect_err(text);
            assert!(said.starts_with("etc/jumpship.toml") && said.contains(wanted), "{text}\n{said}");
        }
        let said = Config::read(Some("no/such.toml".as_ref())).unwrap_err().to_string();
        assert!(said.starts_with("no/such.toml cannot be read") && said.ends_with("to run on defaults."), "{said}");
    }
}
