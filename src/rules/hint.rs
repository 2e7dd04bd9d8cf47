//! Finds what a person who does not program probably meant: the word next door, or the place a setting belongs.

/// How alike two words must be before one is suggested for the other (Jaro-Winkler; below it, guesses mislead).
const ALIKE_MIN: f64 = 0.8;

/// The known word that is closest to this one, when it is close enough.
pub fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    let alike = |k: &&str| strsim::jaro_winkler(&word, &k.to_lowercase());
    let best = known.iter().map(|k| (alike(k), *k)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE_MIN).then_some(best.1)
}

/// `Did you mean ...?`, when one of the known words is close enough.
pub fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    closest(word, known).map(|best| format!("Did you mean `{best}`?"))
}

/// Where each setting belongs; for those who wrote it under the wrong table or into the wrong file.
const BELONGS: &[(&str, &[&str])] = &[
    ("at the top of a file in signals/, above the first [[signal]]", &["topic", "cap"]),
    ("under [[signal]], in a file in signals/", &["points"]),
    ("at the top of providers.toml, above the first [[provider]]", &["evidence_words"]),
    ("under [[provider]], in providers.toml", &["handles", "names", "everyday", "home"]),
    ("under [[hold]], in holds.toml", &["show", "bio_says", "handle_says", "name_says"]),
    (
        "under [[offer]], in offers.toml",
        &[
            "starts",
            "ends",
            "topics",
            "against",
            "toward_ok",
            "regions",
            "conditions",
            "proof",
            "max_uses",
            "text",
            "short",
            "disclosure",
        ],
    ),
    ("under [thresholds], in policy.toml", &["enter", "watch"]),
    ("under [contact], in policy.toml", &["window_days", "replies_per_hour_max", "replies_per_day_max"]),
    ("under [quiet_hours], in policy.toml", &["from", "to", "zone"]),
    ("under [leads], in policy.toml", &["expires_after", "undo_seconds"]),
    ("under [retention], in policy.toml", &["posts_days"]),
    ("in a file in signals/", &["signal"]),
    ("in providers.toml", &["provider"]),
    ("in holds.toml", &["hold"]),
    ("in offers.toml", &["offer"]),
    ("in policy.toml", &["thresholds", "contact", "quiet_hours", "leads", "retention"]),
    ("in pack.toml", &["extends", "trade", "lang"]),
    ("under [[signal]] or [[hold]]", &["says", "unless", "regex", "should_match", "should_not_match", "why", "status"]),
];

/// Where a setting of this name belongs, when it is one at all.
pub fn belongs(key: &str) -> Option<&'static str> {
    BELONGS.iter().find(|(_, keys)| keys.contains(&key)).map(|(place, _)| *place)
}
