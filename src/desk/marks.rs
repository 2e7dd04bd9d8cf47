//! Cuts a post into pieces so that every reason's words can be marked with the reason's number.

use maud::{Markup, html};

use super::inert::visible;
use crate::post::Span;
use crate::score::{Points, Reason};

/// A stretch of text that the same reasons speak of.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a> {
    text: &'a str,
    /// Numbers of the reasons whose words this is part of.
    reasons: Vec<usize>,
    /// Numbers of the reasons whose words end here.
    ends: Vec<usize>,
}

/// Reasons as the page lists them: those that have words get a number, in order.
pub fn numbered(reasons: &[Reason]) -> Vec<(Option<usize>, &Reason)> {
    let mut last = 0;
    reasons
        .iter()
        .map(|reason| {
            let has_words = reason.span.start < reason.span.end;
            last += usize::from(has_words);
            (has_words.then_some(last), reason)
        })
        .collect()
}

/// The text with each reason's words marked; what speaks against is underlined differently.
pub fn marked(text: &str, reasons: &[Reason]) -> Markup {
    let numbered = numbered(reasons);
    let against =
        |number: &usize| numbered.iter().any(|(n, reason)| n.as_ref() == Some(number) && reason.points < Points::ZERO);
    html! {
        @for piece in pieces(text, &numbered) {
            @if piece.reasons.is_empty() { (visible(piece.text)) } @else {
                mark class=[piece.reasons.iter().all(against).then_some("against")] {
                    (visible(piece.text))
                    @for n in &piece.ends { sup { (n) } }
                }
            }
        }
    }
}

fn pieces<'a>(text: &'a str, numbered: &[(Option<usize>, &Reason)]) -> Vec<Piece<'a>> {
    let spans: Vec<(usize, Span)> =
        numbered.iter().filter_map(|&(n, reason)| Some((n?, within(text, reason.span)?))).collect();
    let mut cuts: Vec<usize> = spans.iter().flat_map(|(_, span)| [span.start, span.end]).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|cut| piece(text, Span::new(cut[0], cut[1]), &spans)).collect()
}

fn piece<'a>(text: &'a str, at: Span, spans: &[(usize, Span)]) -> Piece<'a> {
    let here = spans.iter().filter(|(_, span)| span.overlaps(at));
    Piece {
        text: at.of(text),
        reasons: here.clone().map(|&(n, _)| n).collect(),
        ends: here.filter(|(_, span)| span.end == at.end).map(|&(n, _)| n).collect(),
    }
}

/// The part of a span that lies within a text that may have been shortened since.
fn within(text: &str, span: Span) -> Option<Span> {
    let end = span.end.min(text.len());
    (span.start < end && text.is_char_boundary(span.start) && text.is_char_boundary(end))
        .then_some(Span::new(span.start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(start: usize, end: usize, points: i32) -> Reason {
        let points = Points::from_hundredths(points);
        Reason { signal: "s".into(), span: Span::new(start, end), text: String::new(), points, rule: None }
    }

    fn check(text: &str, reasons: &[Reason], html: &str) {
        assert_eq!(marked(text, reasons).into_string(), html);
    }

    #[test]
    fn words_are_marked_with_the_number_of_their_reason() {
        check("off to O2", &[reason(0, 0, -600)], "off to O2");
        check(
            "off to O2 now",
            &[reason(0, 0, -600), reason(0, 3, 300), reason(7, 9, -200)],
            "<mark>off<sup>1</sup></mark> to <mark class=\"against\">O2<sup>2</sup></mark> now",
        );
    }

    #[test]
    fn overlapping_reasons_share_their_words() {
        check(
            "no signal at all",
            &[reason(0, 9, 300), reason(3, 16, 200)],
            "<mark>no </mark><mark>signal<sup>1</sup></mark><mark> at all<sup>2</sup></mark>",
        );
    }

    #[test]
    fn a_span_that_does_not_fit_the_text_marks_nothing() {
        check("é", &[reason(1, 2, 100), reason(7, 9, 100)], "é");
        check("short", &[reason(2, 90, 100)], "sh<mark>ort<sup>1</sup></mark>");
    }
}
