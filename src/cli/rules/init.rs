//! `jumpship rules init`: writes a commented folder of rules to start from.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{ToSpan, tz::TimeZone};

use crate::cli::{Exit, fail};
use crate::clock;
use crate::rules::{DEFAULT_PACK, HomeChoice, Rules, RulesSource};

/// Write a starter folder of rules for your own brand, with notes on every setting
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to make; it must not exist, or be empty
    dir: PathBuf,
    /// The shipped pack of your trade, laid under your folder
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PACK)]
    trade: String,
    /// Your brand, as replies should write it (asked for when left out)
    #[arg(long, value_name = "NAME")]
    home: Option<String>,
    /// A rival that the pack does not know (may be given again)
    #[arg(long = "rival", value_name = "NAME")]
    rivals: Vec<String>,
    /// What you offer to people who want to leave a rival, in one sentence
    #[arg(long, value_name = "SENTENCE")]
    offer: Option<String>,
    /// The web page that proves the offer
    #[arg(long, value_name = "LINK", default_value = "https://www.example.com/replace-this-with-your-offer")]
    proof: String,
}

/// What the files are filled with.
struct Answers {
    trade: String,
    lang: String,
    home: String,
    rivals: Vec<String>,
    offer: String,
    proof: String,
    today: Date,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let source = RulesSource { pack: Some(args.trade.clone()), folders: Vec::new(), home: HomeChoice::AsRules };
    let pack = match Rules::load(&source) {
        Ok(pack) => pack,
        Err(report) => return fail(format!("this trade cannot be used:\n{report}")),
    };
    if fs::read_dir(&args.dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return fail(format!("{} is not empty. Name a folder that does not exist yet.", args.dir.display()));
    }
    let Some(answers) = ask(args, &pack) else {
        return fail("who are you? Give your brand with --home \"Your Brand\".");
    };
    match write_all(&args.dir, &answers) {
        Ok(()) => {
            let dir = args.dir.display();
            println!("{dir} is made. Read the notes in its files, change what is yours, then run:");
            println!("  jumpship check {dir}");
            Exit::Ok
        }
        Err(e) => fail(format!("{} cannot be written: {e}. Check who may write there.", args.dir.display())),
    }
}

fn ask(args: &Args, pack: &Rules) -> Option<Answers> {
    let home = args.home.clone().or_else(|| question("Your brand, as replies should write it"))?;
    let mut rivals = args.rivals.clone();
    if rivals.is_empty() && args.home.is_none() {
        let known: Vec<&str> = pack.providers().iter().map(|p| p.name.as_str()).collect();
        println!("The pack knows {}.", known.join(", "));
        let more = question("Other rivals, with commas between them (or nothing)").unwrap_or_default();
        rivals = more.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    }
    rivals.retain(|name| {
        !pack.providers().iter().any(|p| p.id.eq_ignore_ascii_case(name) || p.name.eq_ignore_ascii_case(name))
    });
    let asked = || if args.home.is_none() { question("Your offer, in one sentence") } else { None };
    let offer = args.offer.clone().or_else(asked).unwrap_or_else(|| "Would a quote to compare be useful?".to_owned());
    let lang = if args.trade.ends_with("-de") {
        "de"
    } else if args.trade.ends_with("-nl") {
        "nl"
    } else {
        "en"
    };
    Some(Answers {
        trade: args.trade.clone(),
        lang: lang.to_owned(),
        home: plain(&home),
        rivals: rivals.iter().map(|name| plain(name)).filter(|name| !name.is_empty()).collect(),
        offer: plain(&offer),
        proof: plain(&args.proof),
        today: clock::now().to_zoned(TimeZone::UTC).date(),
    })
}

/// The answer a person types; `None` when there is nobody to ask.
fn question(words: &str) -> Option<String> {
    if !io::stdin().is_terminal() {
        return None;
    }
    print!("{words}: ");
    io::stdout().flush().ok()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
}

/// One line without what has a meaning of its own in the files.
fn plain(answer: &str) -> String {
    let kept = answer.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\' | '{' | '}'));
    kept.collect::<String>().replace("'''", "").trim().to_owned()
}

fn write_all(dir: &Path, answers: &Answers) -> io::Result<()> {
    fs::create_dir_all(dir.join("signals"))?;
    for (name, text) in files(answers) {
        fs::write(dir.join(name), text)?;
    }
    Ok(())
}

fn files(answers: &Answers) -> [(&'static str, String); 6] {
    [
        ("pack.toml", pack(answers)),
        ("providers.toml", providers(answers)),
        ("offers.toml", offers(answers)),
        ("signals/own.toml", OWN_SIGNALS.to_owned()),
        ("policy.toml", POLICY.to_owned()),
        ("quiet.jsonl", quiet(answers)),
    ]
}

fn pack(a: &Answers) -> String {
    format!(
        "# Your rules. They are laid over the shipped pack named under extends: an entry with the same id replaces\n\
         # the shipped one, everything else stays as it is. Notes start with #, inside ''' blocks with //.\n\
         name    = \"{}\"\nlang    = \"{}\"\ntrade   = \"{}\"\nextends = [\"{}\"]\n",
        id(&a.home),
        a.lang,
        a.trade,
        a.trade
    )
}

fn providers(a: &Answers) -> String {
    let mut text = format!(
        "# Who you are, and rivals that the shipped pack does not know.\n\n\
         [[provider]]\nid   = \"{0}\"          # a short word for lists; never change it later\n\
         name = \"{1}\"          # as replies write it\nhome = true          # this is us\n\
         # How people write you, one spelling a line. Handles start with @.\nnames = '''\n{1}\n'''\n\
         # handles = '''\n# @YourHandle\n# '''\n\
         # Is your name an everyday word (Three, Sky, Orange)? Then move it from names to everyday:\n\
         # it counts only when a word of your trade stands near.\n",
        id(&a.home),
        a.home
    );
    for rival in &a.rivals {
        text.push_str(&format!(
            "\n[[provider]]\nid   = \"{}\"\nname = \"{rival}\"\nnames = '''\n{rival}\n'''\n",
            id(rival)
        ));
    }
    text
}

fn offers(a: &Answers) -> String {
    let ends = a.today.checked_add(1.year()).unwrap_or(a.today);
    let offer = if a.offer.ends_with(['.', '?', '!']) { a.offer.clone() } else { format!("{}.", a.offer) };
    format!(
        "# What you allow yourselves to say. A draft is only a suggestion: a person reads, changes and sends it.\n\
         # {{rival}} is the rival's name, {{home}} yours, {{reason}} what they are unhappy with, {{offer_ends}} the last day.\n\n\
         disclosure = \"{0} here\"          # these words must stand in every reply\n\n\
         [[offer]]\nid         = \"first-offer\"\nstatus     = \"live\"          # trial: never suggested; retired: kept for the record\n\
         starts     = {1}\nends       = {2}\n\
         topics     = []          # topics it answers, such as \"price\"; [] answers any\n\
         against    = []          # ids of rivals; [] is for all\n\
         toward_ok  = false          # true: also when they already said where they go\n\
         conditions = \"What the person at the desk must know before sending this.\"\n\
         proof      = \"{3}\"          # without a proof an offer is never suggested\n\
         max_uses   = 100\n\
         text = '''\nSorry to read that. {0} here: {4}\n'''\n",
        a.home, a.today, ends, a.proof, offer
    )
}

fn quiet(a: &Answers) -> String {
    let post = |id: &str, text: String| format!("{}\n", serde_json::json!({ "id": id, "text": text }));
    post("quiet-1", format!("{} opened a new shop in town today", a.home))
        + &post("quiet-2", "Lovely weather for a walk".to_owned())
}

/// A short id from a name.
fn id(name: &str) -> String {
    let letters = crate::text::fold(name);
    let id: String = letters.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    id.trim_matches('-').to_owned()
}

const OWN_SIGNALS: &str = r#"# What only your customers say. One phrase a line; words in [ ] may be left out, (one|other) is a choice,
# word* goes on with any ending, ... stands for up to three words, {provider} for any name of a provider.
topic = "own"
cap   = 10                     # all signals of this file together add at most this much

[[signal]]
id     = "own.example"
status = "trial"               # trial: counted, moves no score; live; retired
points = 3                     # 3 points double the odds that they leave, 10 make them ten times as high
speaks_for = "complaint"       # leaving, left, joining, complaint or other
why    = "They say the service costs more than it is worth."
says = '''
not worth [the|my] money
(paying|pay) [far|way] too much for this
// notes inside a block start with two slashes
'''
unless = '''
worth every penny
'''
should_match = '''
{provider} is not worth the money
Paying way too much for this, {provider}
'''
should_not_match = '''
{provider} is worth every penny
'''
"#;

const POLICY: &str = r#"# How bold and how quiet you are. What is not set here stays as the shipped pack has it.

# [thresholds]
# enter = 0.60                 # chance of leaving at or above: draft a reply
# watch = 0.25                 # at or above: show in the watch list

[contact]
replies_per_hour_max = 6
replies_per_day_max  = 20

# [quiet_hours]
# from = "21:00"
# to   = "08:00"
# zone = "Europe/London"
"#;
