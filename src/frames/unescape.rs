//! Undoes the escapes of a JSON string.

use memchr::memchr;

/// Appends the string without its escapes; `None` for one that JSON does not allow.
pub fn unescape(mut raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    loop {
        let plain = memchr(b'\\', raw).unwrap_or(raw.len());
        if raw[..plain].iter().any(|&b| b < b' ') {
            return None;
        }
        out.extend_from_slice(&raw[..plain]);
        let Some(&letter) = raw.get(plain + 1) else { return (plain == raw.len()).then_some(()) };
        raw = &raw[plain + 2..];
        match letter {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'"' | b'\\' | b'/' => out.push(letter),
            b'u' => raw = character(raw, out)?,
            _ => return None,
        }
    }
}

/// Appends the character of one `\u` escape, or of the two that make a pair; returns what follows.
fn character<'a>(raw: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (first, rest) = hex(raw)?;
    let (code, rest) = match first {
        0xD800..=0xDBFF => {
            let (second, rest) = hex(rest.strip_prefix(b"\\u")?)?;
            let low = second.checked_sub(0xDC00).filter(|&low| low < 0x400)?;
            (0x1_0000 + ((first - 0xD800) << 10 | low), rest)
        }
        _ => (first, rest),
    };
    let c = char::from_u32(code)?;
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Some(rest)
}

fn hex(raw: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = raw.split_at_checked(4)?;
    let digit = |value, &d: &u8| Some(value << 4 | char::from(d).to_digit(16)?);
    Some((digits.iter().try_fold(0, digit)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_reads_as_serde_reads_it() {
        for raw in [
            "",
            "plain",
            r#"\n\t\r\b\f\"\\\/"#,
            r"\u0041\u00e9\u4eba",
            r"\ud83d\ude00",
            r"\ud83d",
            r"\ud83dx",
            r"\ude00",
            r"\ud83d\u0041",
            r"\x",
            r"\u12",
            r"\u+123",
            r"a\",
            "tab\there",
            "犬",
        ] {
            let mut out = Vec::new();
            let ours = unescape(raw.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap());
            let theirs = serde_json::from_str::<String>(&format!("\"{raw}\"")).ok();
            assert_eq!(ours, theirs, "{raw}");
        }
    }
}
