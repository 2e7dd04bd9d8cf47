//! Turns what a parser says into what a person who does not program can do about it.

use std::ops::Range;

/// How alike two words must be before one is suggested for the other (Jaro-Winkler; below it, guesses mislead).
const ALIKE_MIN: f64 = 0.8;

/// `Did you mean ...?`, when one of the known words is close enough.
pub fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    let best = known.iter().map(|k| (strsim::jaro_winkler(word, k), k)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE_MIN).then(|| format!("Did you mean `{}`?", best.1))
}

/// Message and advice for a file that is not TOML at this place.
pub fn for_syntax(text: &str, bytes: &Range<usize>, parser_says: &str) -> (String, String) {
    let line = text[..bytes.start.min(text.len())].lines().last().unwrap_or("");
    if text.matches("'''").count() % 2 == 1 {
        let open = text.rmatch_indices("'''").next().map_or(0, |(i, _)| 1 + text[..i].matches('\n').count());
        return (
            "a ''' block is opened and never closed.".to_owned(),
            format!("Put ''' on a line of its own after the last phrase; look at line {open} and above."),
        );
    }
    if text[bytes.start.min(text.len())..].starts_with(['“', '”', '‘', '’']) || line.contains(['“', '”']) {
        return ("there are curly quotes where plain ones belong.".to_owned(), "Write \" instead.".to_owned());
    }
    (
        format!("this cannot be read: {parser_says}."),
        "A setting is written key = \"value\", a phrase list key = ''' with one phrase a line and ''' to end it."
            .to_owned(),
    )
}
