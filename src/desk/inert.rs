//! Shows foreign text so that nothing in it can act: markup is escaped, hidden characters become visible tokens.

use maud::{Markup, html};

/// Foreign text, apart from the direction and order of what stands around it.
pub fn inert(text: &str) -> Markup {
    html! { bdi dir="auto" { (visible(text)) } }
}

/// The same without the wrapper, for pieces of one text that share a direction.
pub fn visible(text: &str) -> Markup {
    html! {
        @for piece in text.split_inclusive(hides) {
            @match piece.char_indices().next_back().filter(|&(_, c)| hides(c)) {
                Some((at, c)) => { (&piece[..at]) (token(c)) }
                None => { (piece) }
            }
        }
    }
}

fn token(c: char) -> Markup {
    html! { span.token title="a character that hides or reorders text" { (format!("U+{:04X}", c as u32)) } }
}

/// Characters that a reader cannot see but that change what they see: controls, bidi marks and overrides,
/// zero-width spaces, tags. The zero-width joiner stays, because it holds emoji families together.
const fn hides(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The link if a person may be sent there: http or https with a host, and nothing that hides in it.
pub fn safe_link(link: &str) -> Option<&str> {
    let url = url::Url::parse(link).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty();
    (plain && !link.contains(hides)).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, html: &str) {
        assert_eq!(visible(text).into_string(), html, "{text:?}");
    }

    #[test]
    fn markup_is_escaped_and_hidden_characters_are_shown() {
        check("plain £5 👩‍👩‍👧", "plain £5 👩‍👩‍👧");
        check("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;");
        check("\" onload=\"x", "&quot; onload=&quot;x");
        let token = |code: &str| {
            format!("<span class=\"token\" title=\"a character that hides or reorders text\">{code}</span>")
        };
        check("a\u{202e}b", &format!("a{}b", token("U+202E")));
        check("\u{0}", &token("U+0000"));
        check("line\nbreak\ttab", "line\nbreak\ttab");
    }

    #[test]
    fn only_plain_web_links_are_offered() {
        for yes in ["https://bsky.example/profile/a/post/1", "http://a.example"] {
            assert_eq!(safe_link(yes), Some(yes));
        }
        for no in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//a.example",
            "https://u@a.example",
            "https://a.example/\u{202e}",
        ] {
            assert_eq!(safe_link(no), None, "{no}");
        }
    }
}
