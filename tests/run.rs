//! What `jumpship run` promises at the command line: cron visits, one at a time, reloads, clean ends.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// The longest that anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a config that reads `posts.jsonl`.
struct Place(TempDir);

impl Place {
    fn new(more: &str) -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary folder"));
        let config = format!(
            "database = \"jumpship.db\"\n{more}\n[desk]\nlisten = \"127.0.0.1:0\"\n\
             [[source]]\nkind = \"jsonl\"\npath = \"posts.jsonl\"\nfollow = true\n"
        );
        place.write("jumpship.toml", &config);
        place.write("posts.jsonl", "");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn append(&self, name: &str, text: &str) {
        let all = std::fs::read_to_string(self.path(name)).expect("it is there") + text;
        self.write(name, &all);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jumpship"));
        command.args(args).arg("--config").arg(self.path("jumpship.toml")).stdin(Stdio::null());
        command
    }

    fn once(&self) -> Output {
        self.command(&["run", "--once"]).output().expect("it runs")
    }

    /// Starts the daemon; its log goes to `log`.
    fn start(&self) -> Running {
        let log = std::fs::File::create(self.path("log")).expect("a log");
        let child = self.command(&["run"]).stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
        Running(child)
    }

    fn wait_for_log(&self, words: &str) {
        let begun = Instant::now();
        loop {
            let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
            if log.contains(words) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{words} is not in the log:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_for(&self, sql: &str, wanted: &str) {
        let begun = Instant::now();
        while rows(&self.path("jumpship.db"), sql) != wanted {
            assert!(begun.elapsed() < PATIENCE, "{sql}: {}", rows(&self.path("jumpship.db"), sql));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A daemon that does not outlive its test.
struct Running(Child);

impl Running {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status().expect("kill is there");
        assert!(sent.success());
    }

    fn stop(mut self) {
        let begun = Instant::now();
        self.signal("-TERM");
        let status = self.0.wait().expect("it ends");
        assert!(status.success() && begun.elapsed() < Duration::from_secs(10), "{status} after {:?}", begun.elapsed());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All rows of a query as one text; empty while there is no database.
fn rows(database: &Path, sql: &str) -> String {
    let read = || -> rusqlite::Result<String> {
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.join("\n"))
    };
    read().unwrap_or_default()
}

fn leaver(number: u32) -> String {
    format!(
        "{{\"id\":\"{number}\",\"text\":\"O2 signal is rubbish number {number}, texted PAC today and leaving this week\",\
         \"author\":{{\"id\":\"author{number}\"}}}}\n{{\"id\":\"n{number}\",\"text\":\"Baked bread again\"}}\nnot a post\n"
    )
}

fn said(output: &Output) -> (Option<i32>, String) {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8_lossy(&both).into_owned())
}

const LEADS: &str = "SELECT provider || ' ' || state FROM leads ORDER BY id";

#[test]
fn cron_visits_and_a_daemon_agree() {
    let (cron, daemon) = (Place::new(""), Place::new(""));
    let running = daemon.start();
    for number in 1..=4 {
        cron.append("posts.jsonl", &leaver(number));
        assert_eq!(said(&cron.once()), (Some(0), String::new()), "silent when all is well");
        daemon.append("posts.jsonl", &leaver(number));
    }
    assert_eq!(said(&cron.once()), (Some(0), String::new()));
    let findings =
        "SELECT f.provider || f.verdict || f.assessment || p.body FROM findings f JOIN posts p ON p.id = f.post
                    ORDER BY f.post, f.provider";
    let by_cron = rows(&cron.path("jumpship.db"), findings);
    assert_eq!(by_cron.lines().count(), 4, "{by_cron}");
    daemon.wait_for(findings, &by_cron);
    daemon.wait_for(LEADS, "o2 new\no2 new\no2 new\no2 new");
    running.stop();
}

#[test]
fn only_one_at_a_time() {
    let place = Place::new("");
    let running = place.start();
    place.wait_for("SELECT 'up' FROM health", "up");
    let (code, words) = said(&place.once());
    assert_eq!((code, words.lines().count()), (Some(3), 1), "{words}");
    assert!(words.contains("another Jumpship"), "{words}");
    drop(running);
    assert_eq!(said(&place.once()), (Some(0), String::new()), "the kernel gives the lock back");
}

#[test]
fn broken_rules_never_replace_good_ones() {
    let place = Place::new("[rules]\nfolders = [\"rules\"]");
    let heron = "topic = \"heron\"\n[[signal]]\nid = \"heron.word\"\nstatus = \"live\"\npoints = 3\nwhy = \"A heron.\"\n\
                 says = '''\nheron\n'''\nshould_match = '''\na heron\n'''\nshould_not_match = '''\na stork\n'''\n";
    place.write("rules/signals/heron.toml", heron);
    let running = place.start();
    place.wait_for("SELECT 'up' FROM health", "up");
    place.write("rules/signals/heron.toml", "[[signal");
    place.wait_for_log("refused");
    place.append("posts.jsonl", &leaver(1));
    place.wait_for(LEADS, "o2 new");
    place.write("rules/signals/heron.toml", &heron.replace("points = 3", "points = 2"));
    place.wait_for_log("the rules were read again");
    std::fs::write(place.path("log"), "").expect("the log can be emptied");
    running.signal("-HUP");
    place.wait_for_log("the rules were read again");
    running.stop();
}

#[test]
fn what_cannot_start_says_why() {
    let broken_config = Place::new("");
    broken_config.write("jumpship.toml", "datebase = \"x\"\n");
    let broken_rules = Place::new("[rules]\nfolders = [\"nowhere\"]");
    let foreign = Place::new("");
    foreign.write("jumpship.db", "this is a shopping list, not a database at all, and it is dear to somebody");
    let table = [
        (&broken_config, "Did you mean `database`?"),
        (&broken_rules, "there is no such folder"),
        (&foreign, "not a database of Jumpship. It was not touched."),
    ];
    for (place, wanted) in table {
        for args in [&["run"][..], &["run", "--once"]] {
            let (code, words) = said(&place.command(args).output().expect("it runs"));
            assert!(code == Some(2) && words.contains(wanted), "{code:?} {words}");
        }
    }
    assert!(
        std::fs::read_to_string(foreign.path("jumpship.db")).expect("it is there").starts_with("this is a shopping")
    );
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let place = Place::new("");
    let output = place.command(&["run", "--listen", &address]).output().expect("it runs");
    let (code, words) = said(&output);
    assert!(code == Some(2) && words.contains(&format!("{address} is taken")) && words.contains("--listen"), "{words}");
}

#[test]
fn a_missing_file_is_told_once_and_ends_the_visit() {
    let place = Place::new("");
    std::fs::remove_file(place.path("posts.jsonl")).expect("it was there");
    let (code, words) = said(&place.command(&["run", "--once", "--for", "5s"]).output().expect("it runs"));
    assert!(code == Some(1) && words.contains("posts.jsonl cannot be read"), "{code:?} {words}");
}

#[test]
fn the_demo_brings_leads_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let mut demo = Running(
        Command::new(env!("CARGO_BIN_EXE_jumpship"))
            .args(["demo", "--listen", "127.0.0.1:0", "--speed", "20"])
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts"),
    );
    let mut stdout = demo.0.stdout.take().expect("it is piped");
    let mut link = [0; 40];
    stdout.read_exact(&mut link).expect("a greeting");
    let begun = Instant::now();
    let leads = || {
        let folder = std::fs::read_dir(temporary.path()).expect("it is there").next()?.ok()?.path();
        rows(&folder.join("demo.db"), LEADS).lines().count().checked_sub(3)
    };
    while leads().is_none() {
        assert!(begun.elapsed() < PATIENCE, "no leads");
        std::thread::sleep(Duration::from_millis(50));
    }
    demo.stop();
    assert_eq!(std::fs::read_dir(temporary.path()).expect("it is there").count(), 0);
}
