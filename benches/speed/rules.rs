//! Invents rules of a size: half of the phrases are names of providers, half are signals' lines.

use std::fs;
use std::path::Path;

use super::posts::Dice;

/// Names of one provider.
const NAMES_EACH: usize = 10;
/// Lines of one signal.
const LINES_EACH: usize = 50;

/// All names, half as many as there are phrases.
pub fn names(phrases: usize) -> Vec<String> {
    let mut dice = Dice(11);
    (0..phrases / 2).map(|i| if i % 3 == 0 { format!("{} mobile", dice.word(4)) } else { dice.word(5) }).collect()
}

/// All lines that signals say.
pub fn lines(phrases: usize) -> Vec<String> {
    let mut dice = Dice(13);
    (0..phrases - phrases / 2).map(|_| format!("{} {} {}", dice.word(2), dice.word(3), dice.word(2))).collect()
}

/// Names and lines, as one who only matches would look for them.
pub fn phrases(phrases: usize) -> Vec<String> {
    [names(phrases), lines(phrases)].concat()
}

/// Writes them as a folder of rules.
pub fn write(folder: &Path, phrases: usize) {
    let provider = |(i, names): (usize, &[String])| {
        format!("[[provider]]\nid = \"brand{i}\"\nnames = '''\n{}\n'''\n", names.join("\n"))
    };
    let signal = |(i, lines): (usize, &[String])| {
        format!(
            "[[signal]]\nid = \"invented.s{i}\"\npoints = 1\nwhy = \"Invented.\"\nsays = '''\n{}\n'''\n",
            lines.join("\n")
        )
    };
    let providers: String = names(phrases).chunks(NAMES_EACH).enumerate().map(provider).collect();
    let signals: String = lines(phrases).chunks(LINES_EACH).enumerate().map(signal).collect();
    fs::create_dir_all(folder.join("signals")).expect("the folder can be made");
    fs::write(folder.join("providers.toml"), providers).expect("the file can be written");
    fs::write(folder.join("signals/invented.toml"), format!("topic = \"invented\"\n{signals}"))
        .expect("the file can be written");
}
