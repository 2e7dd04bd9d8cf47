//! The long explanation of every error code, for `jumpship check --explain`.

/// Every code with what it means and what to do.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "R001",
        "No such folder",
        "The rules are a folder with files such as providers.toml in it. The name given is not a folder.\nName the folder itself, not a file inside it; `jumpship rules init my-rules` makes a new one.",
    ),
    (
        "R002",
        "Too large",
        "A rules file may have 4,000,000 bytes and a folder 500 files. Something that is no rules file probably got into the folder. Split a long file by topic: every file in signals/ is read.",
    ),
    (
        "R003",
        "Not readable as text",
        "Rules files are plain text in UTF-8. Word processors and old editors save other things.\nOpen the file in a text editor, choose Save as, and pick UTF-8.",
    ),
    (
        "R004",
        "Unknown file",
        "A rules folder holds pack.toml, providers.toml, holds.toml, offers.toml, policy.toml, quiet.jsonl, and any number of files in the folder signals. A file with another name would never be used, so it is refused. Hidden files and other endings are left alone.",
    ),
    ("R005", "No such pack", "The pack is not among those shipped, and no folder of that name lies beside yours."),
    (
        "R006",
        "Still being written",
        "The file changed while it was read. Half a file can be valid by chance, so it is not used. Save it once more, or wait a second.",
    ),
    (
        "R007",
        "Empty file",
        "An empty file usually is a save that went wrong, so it is refused rather than taken for \"no rules\". Delete the file if it is meant to go.",
    ),
    (
        "R010",
        "Not in the form of a rules file",
        "A setting is written   key = \"value\"\nA number has no quotes  points = 3\nA list of phrases is    says = '''\n                        one phrase a line\n                        '''\nA heading is            [[signal]]\nNotes start with # outside of ''' blocks and with // inside them, because # starts a hashtag there.",
    ),
    (
        "R011",
        "Unknown setting",
        "The setting is misspelt, or it stands under the wrong heading. Everything below a [[signal]] line belongs to that signal until the next heading, so settings for the whole file (topic, cap) stand above the first one.",
    ),
    (
        "R012",
        "Wrong kind of value",
        "Texts stand in quotes, numbers and true/false do not, and lists of phrases stand in a ''' block.",
    ),
    (
        "R013",
        "Something is missing",
        "The entry cannot be used without this setting. Mostly it was deleted together with another line.",
    ),
    ("R014", "Not one of the words", "This setting takes one of a few words only; the message names them."),
    (
        "R015",
        "Number out of range",
        "The number is too small, too large, or of the wrong kind. Thresholds lie between 0 and 1; times are written \"90m\", \"6h\" or \"2d\".",
    ),
    ("R016", "Not a day", "Days are written year-month-day: 2026-05-31. The day must exist: there is no 30 February."),
    (
        "R017",
        "Wrong brackets",
        "Entries of which there can be many have two brackets on each side: [[provider]], [[signal]], [[hold]], [[offer]]. Headings in policy.toml have one: [thresholds].",
    ),
    (
        "R020",
        "The same id twice",
        "Two entries in one folder have the same id, so nobody could say which one counts. In two folders this is fine: yours replaces the shipped one.",
    ),
    ("R021", "No provider", "Rules without a single provider can judge nothing."),
    ("R022", "Home is unknown", "The brand named as home is no provider in the rules."),
    ("R023", "A name of signs only", "Names are compared by their letters and digits; this one has none."),
    (
        "R024",
        "A provider without names",
        "A provider is found by handles, names or everyday words; this one has none of them.",
    ),
    ("R025", "A signal that says nothing", "The signal has neither says nor regex, so it can never match."),
    ("R026", "Two homes", "Only one provider can be us."),
    ("R030", "Ends before it starts", "The last day of the offer lies before the first."),
    (
        "R031",
        "Unknown placeholder",
        "In offers these stand for something: {rival} {home} {reason} {offer_ends}. All else in braces would be sent as it stands.",
    ),
    (
        "R032",
        "Quiet hours",
        "Quiet hours have three parts: from = \"21:00\", to = \"08:00\" and zone = \"Europe/London\".",
    ),
    (
        "R040",
        "A phrase that cannot be read",
        "In a phrase, [word] may be left out, (one|other) is a choice, word* goes on with any ending, ... stands for up to three words, and {rival}, {home}, {provider}, {other} stand for names. Brackets come in pairs.",
    ),
    (
        "R041",
        "A regex that cannot be used",
        "Regular expressions are for developers. They cannot look behind or refer back, and may not grow too large.",
    ),
    (
        "R042",
        "A regex that is too long",
        "More than 500 characters. Mostly a list of words, which reads better as phrases under says.",
    ),
    (
        "R043",
        "A note in the wrong form",
        "Inside a ''' block # starts a hashtag, so a note starts with // there. Outside of blocks it is the other way round.",
    ),
    (
        "R050",
        "Missed example",
        "A post under should_match is not seen by its rule. Either no phrase says its words, or an unless undoes them, or the words stand in two sentences: a phrase never reaches over a full stop.\nAn example that names no provider is read as if said to a rival; {provider}, {rival}, {home} and {other} in an example are filled with names.",
    ),
    (
        "R051",
        "Noisy example",
        "A post under should_not_match is seen by its rule. The advice names the line that says it.",
    ),
    (
        "R052",
        "No examples",
        "A live rule shows by examples what it is for, both ways: posts that must match and posts that look alike and must not. They are also what protects it when somebody else changes it.",
    ),
    (
        "R053",
        "One example only",
        "One example proves little. A second one in other words shows what the rule really catches.",
    ),
    ("R054", "Said twice", "Another line of the same rule says the same already."),
    ("R055", "Undone by itself", "The same words stand under says and under unless, so they can never match."),
    (
        "R056",
        "Two meanings",
        "The same words stand in two live signals that pull in opposite directions, so they cancel out.",
    ),
    (
        "R060",
        "Too long for a network",
        "With the longest names filled in, neither text nor short fits into the network's limit (X 280 characters, Bluesky 300, Mastodon 500).",
    ),
    ("R061", "Over", "The offer's last day has passed. It is not suggested any more."),
    (
        "R062",
        "No proof",
        "An offer without a proof link is never suggested and cannot be approved: nobody could show that it is true.",
    ),
    ("R063", "Not yet", "The offer's first day is still to come."),
    (
        "R064",
        "Unknown topic or rival",
        "The offer names a topic that no signals file has, or a rival that no providers file has, so it would never be picked for it.",
    ),
    ("R070", "Runs somebody down", "Comparative advertising must not discredit a rival. Say what we do."),
    (
        "R071",
        "A claim without a measure",
        "\"Best\" or \"cheapest\" needs to say in what, where and when, and to be provable. Say so under conditions, or leave it out.",
    ),
    ("R072", "Calls the rival", "A handle of the rival in our reply calls them into the conversation. Write {rival}."),
    ("R073", "Shouting", "Words in capitals read as shouting."),
    (
        "R074",
        "A link in the first reply",
        "Unasked links look like spam to people and to the networks' filters. Offer to send it.",
    ),
    ("R075", "Who is speaking?", "A reply that advertises must say who it comes from."),
    (
        "R080",
        "Noise in the quiet corpus",
        "A post in quiet.jsonl must never become a lead, and these rules make one of it.",
    ),
    ("R081", "Not a post", "Every line of quiet.jsonl is one post as JSON with at least id and text."),
    ("R082", "Exception without need", "The post is marked as an exception and is quiet by now."),
    (
        "R090",
        "Slow regex",
        "The expression is timed on the longest texts we read. One slow expression slows every post down.",
    ),
];

/// The title and text of a code.
#[must_use]
pub fn explain(code: &str) -> Option<(&'static str, &'static str)> {
    CODES.iter().find(|(c, _, _)| c.eq_ignore_ascii_case(code)).map(|&(_, title, text)| (title, text))
}
