//! Draws errors in rules as a terminal shows them: the line, a mark under the words, the advice.

use annotate_snippets::{AnnotationKind, Group, Level as Heading, Patch, Renderer, Snippet};

use super::error::{Level, RuleError};

/// The most errors that are drawn; the rest are only counted.
const DRAWN_MAX: usize = 50;

/// All errors, one below the other.
pub fn render(errors: &[RuleError], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for error in errors.iter().take(DRAWN_MAX) {
        out.push_str(&renderer.render(&groups(error)));
        out.push_str("\n\n");
    }
    if errors.len() > DRAWN_MAX {
        out.push_str(&format!("... and {} more. Put these right first.\n", errors.len() - DRAWN_MAX));
    }
    out
}

fn groups(error: &RuleError) -> Vec<Group<'_>> {
    let heading = if error.level == Level::Error { Heading::ERROR } else { Heading::WARNING };
    let title = heading.primary_title(error.message.as_str()).id(error.code);
    let help = (!error.help.is_empty()).then(|| Heading::HELP.message(error.help.as_str()));
    if error.line == 0 {
        return vec![title.element(annotate_snippets::Origin::path(error.file.as_str())).elements(help)];
    }
    let mark = AnnotationKind::Primary.span(error.span.clone());
    let seen = title.element(excerpt(error).path(error.file.as_str()).annotation(mark));
    match &error.fix {
        Some(fix) => {
            let patch = Patch::new(error.span.clone(), fix.as_str());
            vec![seen, Heading::HELP.secondary_title(error.help.as_str()).element(excerpt(error).patch(patch))]
        }
        None => vec![seen.elements(help)],
    }
}

fn excerpt<'e, T: Clone>(error: &'e RuleError) -> Snippet<'e, T> {
    Snippet::source(error.excerpt.as_str()).line_start(error.line)
}
