//! Invents Jetstream frames, the same ones every time: several languages, nothing anybody ever wrote.

use serde_json::{Value, json};

/// How many posts in a thousand name a provider.
const NAMED_PER_THOUSAND: u64 = 15;

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % bound
    }

    /// One of these.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }

    /// A word of invented syllables.
    pub fn word(&mut self, syllables: u64) -> String {
        const HEADS: [&str; 16] = ["b", "br", "d", "f", "gl", "k", "l", "m", "n", "p", "r", "s", "st", "t", "v", "z"];
        const TAILS: [&str; 10] = ["a", "e", "i", "o", "u", "ai", "ea", "ou", "an", "er"];
        (0..syllables).map(|_| format!("{}{}", self.pick(&HEADS), self.pick(&TAILS))).collect()
    }

    fn key(&mut self, len: usize) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
        (0..len).map(|_| char::from(LETTERS[self.below(32) as usize])).collect()
    }
}

/// Frames as the wire carries them, one a line.
pub fn frames(count: usize, names: &[String]) -> String {
    let mut dice = Dice(7);
    (0..count).map(|i| frame(&mut dice, i, names).to_string() + "\n").collect()
}

fn frame(dice: &mut Dice, number: usize, names: &[String]) -> Value {
    let mut record = json!({
        "$type": "app.bsky.feed.post", "createdAt": "2027-01-15T08:00:00.123Z", "langs": ["en"], "text": text(dice, names),
    });
    if dice.below(10) < 3 {
        let alt: Vec<String> = (0..12).map(|_| dice.word(2)).collect();
        let image = json!({"$type": "blob", "ref": {"$link": format!("bafkrei{}", dice.key(52))}, "mimeType": "image/jpeg", "size": 345_678});
        record["embed"] = json!({"$type": "app.bsky.embed.images", "images": [{"alt": alt.join(" "), "image": image}]});
    }
    if dice.below(10) < 6 {
        record["reply"] = json!({"parent": reference(dice), "root": reference(dice)});
    }
    let commit = json!({
        "rev": dice.key(13), "operation": "create", "collection": "app.bsky.feed.post", "rkey": dice.key(13), "record": record,
        "cid": format!("bafyrei{}", dice.key(52)),
    });
    json!({"did": format!("did:plc:{}", dice.key(24)), "time_us": 1_800_000_000_000_000 + number, "kind": "commit", "commit": commit})
}

fn reference(dice: &mut Dice) -> Value {
    let uri = format!("at://did:plc:{}/app.bsky.feed.post/{}", dice.key(24), dice.key(13));
    json!({"cid": format!("bafyrei{}", dice.key(52)), "uri": uri})
}

fn text(dice: &mut Dice, names: &[String]) -> String {
    let mut text = chatter(dice);
    if dice.below(1_000) < NAMED_PER_THOUSAND && !names.is_empty() {
        let name = &names[dice.below(names.len() as u64) as usize];
        text = match dice.below(3) {
            0 => format!("{name} signal is rubbish, leaving next month. {text}"),
            1 => format!("{text} switching from {name} soon"),
            _ => format!("so {name} is down again {text}"),
        };
    }
    text
}

/// Small talk in one of several ways of writing.
fn chatter(dice: &mut Dice) -> String {
    let (words, extra): (&[&str], u64) = match dice.below(100) {
        0..55 => (
            &["the", "a", "to", "and", "is", "it", "my", "of", "you", "that", "for", "not", "just", "don't", "like"],
            60,
        ),
        55..72 => {
            (&["電波", "が悪い", "ですね", "今日は", "いい天気", "ありがとう", "猫", "かわいい", "東京駅", "。"], 0)
        }
        72..80 => (&["сегодня", "хорошая", "погода", "и", "мне", "очень", "нравится", "это", "место", "спасибо"], 0),
        80..90 => (&["c’est", "très", "déjà", "été", "où", "à", "côté", "même", "d’un", "garçon"], 50),
        _ => (&["não", "é", "você", "então", "amanhã", "coração", "está", "só", "até", "mañana"], 50),
    };
    let count = 4 + dice.below(24);
    let word = |dice: &mut Dice| {
        if dice.below(100) < extra {
            let n = 1 + dice.below(4);
            dice.word(n)
        } else {
            dice.pick(words).to_owned()
        }
    };
    let mut text = (0..count).map(|_| word(dice)).collect::<Vec<_>>().join(" ");
    match dice.below(12) {
        0 => text.push_str(" 😭😭"),
        1 => text.push_str(" ❤️"),
        2 => text = text.replacen(' ', "\n", 1),
        3 => text.push_str(&format!(" #{}", dice.word(3))),
        4 => text.push_str(&format!(" https://{}.example/{}", dice.word(3), dice.word(2))),
        5 => text = format!("@{}.example {text}", dice.word(3)),
        6 => text.push_str(" soooo good"),
        _ => {}
    }
    text
}
