//! The real program as a child process, and a look into its database.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::bench::PATIENCE;

/// A folder with a config and a database, and the daemon that works on them.
pub struct Daemon {
    pub folder: TempDir,
    child: Option<Child>,
}

impl Daemon {
    /// A daemon that is not yet started; it will listen to these hosts.
    pub fn new(hosts: &[&str], wire: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = String::from("database = \"jumpship.db\"\n[desk]\nlisten = \"127.0.0.1:0\"\n[[source]]\n");
        let _ = writeln!(config, "kind = \"bluesky\"\nhosts = {hosts:?}\nwire = \"{wire}\"\nsilence_seconds = 2");
        std::fs::write(folder.path().join("jumpship.toml"), config).expect("a config");
        Self { folder, child: None }
    }

    pub fn start(&mut self) {
        let log =
            std::fs::File::options().append(true).create(true).open(self.folder.path().join("log")).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_jumpship"))
            .args(["run", "--config"])
            .arg(self.folder.path().join("jumpship.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the daemon can be started");
        self.child = Some(child);
    }

    /// SIGKILL: no goodbye.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it is gone");
    }

    /// SIGTERM; tells how it ended and how long that took.
    pub fn stop(&mut self) -> (ExitStatus, Duration) {
        let mut child = self.child.take().expect("it runs");
        let begun = Instant::now();
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill is there");
        assert!(asked.success());
        (child.wait().expect("it ends"), begun.elapsed())
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("jumpship.db")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A number out of the database; none while there is none.
    pub fn number(&self, sql: &str) -> Option<i64> {
        number(&self.database(), sql)
    }

    /// Waits until a number is what it should be.
    pub async fn wait_for(&self, sql: &str, wanted: i64) {
        let begun = Instant::now();
        loop {
            let found = self.number(sql);
            if found == Some(wanted) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{sql}: {found:?}, not {wanted}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether these bytes are anywhere in the database's files.
    pub fn holds_bytes(&self, words: &str) -> bool {
        ["jumpship.db", "jumpship.db-wal"].iter().any(|name| {
            let bytes = std::fs::read(self.folder.path().join(name)).unwrap_or_default();
            memchr::memmem::find(&bytes, words.as_bytes()).is_some()
        })
    }

    /// Waits until these bytes are nowhere in the database's files.
    pub async fn wait_until_gone(&self, words: &str) {
        let begun = Instant::now();
        while self.holds_bytes(words) {
            assert!(begun.elapsed() < PATIENCE, "the words are still in the file");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Watches the cursor until the returned value is dropped, and panics if it ever moves backwards.
    pub fn watch_cursor(&self) -> CursorWatch {
        let (stop, database) = (Arc::new(AtomicBool::new(false)), self.database());
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut last = 0;
            while !stopped.load(Ordering::Relaxed) {
                if let Some(now) = number(&database, "SELECT max(position) FROM cursors") {
                    assert!(now >= last, "the cursor moved back from {last} to {now}");
                    last = now;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        CursorWatch { stop, thread: Some(thread) }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// See [`Daemon::watch_cursor`].
pub struct CursorWatch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl CursorWatch {
    pub fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("it runs").join().expect("the cursor never moved back");
    }
}

fn number(database: &Path, sql: &str) -> Option<i64> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    connection.busy_timeout(Duration::from_secs(5)).ok()?;
    connection.query_row(sql, [], |row| row.get(0)).ok().flatten()
}
