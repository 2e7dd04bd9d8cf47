//! The gate every post from outside passes: bounded in every field and free of NUL, or refused by reason.

use crate::post::{Author, Post, PostId};

/// The longest text that is taken, in bytes; the longest any network allows is far below.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// The longest identifier or link.
pub const ID_BYTES_MAX: usize = 2_048;
/// The longest name, handle or profile text; what is beyond it is cut off.
pub const FIELD_BYTES_MAX: usize = 4_096;

/// The post as it may go on.
///
/// # Errors
/// The reason it may not, for the count of dropped posts.
pub fn clean(mut post: Post) -> Result<Post, &'static str> {
    if post.text.len() > TEXT_BYTES_MAX {
        return Err("text_too_long");
    }
    let ids = [Some(&post.id), post.reply_to.as_ref(), post.root.as_ref()];
    if !ids.into_iter().flatten().all(is_good_id) || post.author.id.len() > ID_BYTES_MAX {
        return Err("bad_id");
    }
    post.url = post.url.filter(|url| is_good_link(url));
    strip_nul(&mut post.text);
    clean_author(&mut post.author);
    for field in [&mut post.lang, &mut post.addressed_to, &mut post.version].into_iter().flatten() {
        clean_field(field);
    }
    Ok(post)
}

/// Identifiers are opaque, but none is empty, endless or holds a control character.
fn is_good_id(id: &PostId) -> bool {
    let id = id.as_str();
    !id.is_empty() && id.len() <= ID_BYTES_MAX && !id.chars().any(char::is_control)
}

/// A link that a desk may show: anything but plain web addresses is left out.
fn is_good_link(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.len() <= ID_BYTES_MAX && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn clean_author(author: &mut Author) {
    for field in [&mut author.id, &mut author.handle, &mut author.name, &mut author.bio] {
        clean_field(field);
    }
}

fn clean_field(field: &mut String) {
    strip_nul(field);
    if field.len() > FIELD_BYTES_MAX {
        let end = (0..=FIELD_BYTES_MAX).rev().find(|&at| field.is_char_boundary(at)).unwrap_or(0);
        field.truncate(end);
    }
}

/// NUL ends a text for SQLite's own functions and for many tools: it becomes the replacement character.
fn strip_nul(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{FFFD}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(change: impl Fn(&mut Post)) -> Result<Post, &'static str> {
        let mut post = Post::new("1", "hello");
        change(&mut post);
        clean(post)
    }

    #[test]
    fn what_is_refused() {
        let refused: [(&str, Result<Post, &str>); 6] = [
            ("bad_id", post(|p| p.id = PostId::new(""))),
            ("bad_id", post(|p| p.id = PostId::new("a\0b"))),
            ("bad_id", post(|p| p.id = PostId::new("x".repeat(3_000)))),
            ("bad_id", post(|p| p.root = Some(PostId::new("")))),
            ("bad_id", post(|p| p.author.id = "x".repeat(3_000))),
            ("text_too_long", post(|p| p.text = "x".repeat(TEXT_BYTES_MAX + 1))),
        ];
        for (reason, result) in refused {
            assert_eq!(result.err(), Some(reason));
        }
    }

    #[test]
    fn what_is_mended() {
        assert_eq!(post(|p| p.text = "a\0b".into()).unwrap().text, "a\u{FFFD}b");
        assert_eq!(post(|p| p.author.bio = "é".repeat(4_000)).unwrap().author.bio.len(), FIELD_BYTES_MAX);
        for bad in ["javascript:alert(1)", "https://a b", "//x", "https://a\nb"] {
            assert_eq!(post(|p| p.url = Some(bad.into())).unwrap().url, None, "{bad}");
        }
        assert!(post(|p| p.url = Some("https://a.example/1".into())).unwrap().url.is_some());
    }
}
