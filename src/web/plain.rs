//! HTML as the words a reader sees.

use html_escape::decode_html_entities;

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 12] = ["br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "blockquote", "table"];
/// Elements whose content nobody reads.
const UNREAD: [&str; 3] = ["script", "style", "head"];

/// The words of a piece of HTML, one line a block, entities decoded. Pieces of links that the page hides
/// (class `invisible`, as Mastodon marks them) are left out. Plain text comes through as it is.
#[must_use]
pub fn plain(html: &str) -> String {
    let mut words = String::with_capacity(html.len());
    let mut rest = html;
    // Inside an element that is not read: its name and how deep we are in elements of that name.
    let mut unread: Option<(String, u32)> = None;
    while let Some(start) = rest.find('<') {
        let (text, tail) = rest.split_at(start);
        let Some(tag) = Tag::at(tail) else {
            // A lone "<", as in "5 < 6".
            push(&mut words, &rest[..=start], unread.is_some());
            rest = &rest[start + 1..];
            continue;
        };
        push(&mut words, text, unread.is_some());
        rest = &tail[tag.bytes..];
        unread = tag.step(unread);
        if unread.is_none() && BLOCKS.contains(&tag.name.as_str()) && !words.ends_with('\n') {
            words.push('\n');
        }
    }
    push(&mut words, rest, unread.is_some());
    tidy(&decode_html_entities(&words))
}

fn push(words: &mut String, text: &str, is_unread: bool) {
    if !is_unread {
        words.push_str(text);
    }
}

/// No line begins or ends with a space, and none is empty.
fn tidy(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

struct Tag {
    name: String,
    closes: bool,
    is_hidden: bool,
    bytes: usize,
}

impl Tag {
    /// The tag or comment at the start of `html`, which starts with `<`.
    fn at(html: &str) -> Option<Self> {
        if html.starts_with("<!--") {
            let bytes = html.find("-->").map_or(html.len(), |end| end + 3);
            return Some(Self { name: String::new(), closes: false, is_hidden: false, bytes });
        }
        let end = html.find('>')?;
        let inner = html[1..end].trim_end_matches('/');
        let closes = inner.starts_with('/');
        let inner = inner.trim_start_matches('/');
        let name: String =
            inner.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if name.is_empty() && !inner.starts_with(['!', '?']) {
            return None;
        }
        Some(Self { name, closes, is_hidden: !closes && inner.contains("invisible"), bytes: end + 1 })
    }

    fn step(&self, unread: Option<(String, u32)>) -> Option<(String, u32)> {
        match unread {
            Some((name, depth)) if name == self.name => match (self.closes, depth) {
                (true, 1) => None,
                (true, depth) => Some((name, depth - 1)),
                (false, depth) => Some((name, depth + 1)),
            },
            Some(inside) => Some(inside),
            None if !self.closes && (self.is_hidden || UNREAD.contains(&self.name.as_str())) => {
                Some((self.name.clone(), 1))
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_sees() {
        for (html, expected) in [
            ("No signal again", "No signal again"),
            ("<p>No signal<br>again</p><p>Bye</p>", "No signal\nagain\nBye"),
            ("EE &amp; O2 &lt;3 &#8217;s caf&eacute;", "EE & O2 <3 ’s café"),
            ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
            ("a<script>alert('<b>')</script>b<style>p{}</style>", "ab"),
            ("<!-- hidden --> seen", "seen"),
            (
                r#"<a href="https://a.example/x"><span class="invisible">https://</span><span class="ellipsis">a.example</span><span class="invisible">/x</span></a>!"#,
                "a.example!",
            ),
            (r#"<span class="h-card"><a href="https://m.example/@ee">@<span>ee</span></a></span> hi"#, "@ee hi"),
            ("unclosed <b", "unclosed <b"),
            ("", ""),
        ] {
            assert_eq!(plain(html), expected, "{html}");
        }
    }

    #[test]
    fn odd_html_neither_hangs_nor_breaks() {
        for html in ["<".repeat(50_000), "<a ".repeat(20_000), "</script>".repeat(9_000), "<!--".repeat(9_000)] {
            let _ = plain(&html);
        }
    }
}
