//! First steps: what a new desk still needs, each with what to do.

use axum::extract::State;
use maud::{Markup, html};

use super::app::App;
use super::fault::Fault;
use super::frame::Frame;
use super::session::Who;
use crate::rules::Status;

/// The page.
pub async fn page(State(app): State<App>, who: Who) -> Result<Markup, Fault> {
    let frame = Frame::of(&app, &who).await?;
    let people = app.store.ask(|queue| queue.operators()).await?.len();
    let engine = app.engine();
    let rules = engine.rules();
    let rivals = rules.providers().len() - usize::from(rules.home().is_some());
    let live = rules.offers().iter().filter(|offer| offer.status == Status::Live).count();
    let steps = [
        (
            rules.home().is_some(),
            "Who are we?",
            "Mark one provider with home = true in providers.toml, or say home = \"...\" in jumpship.toml.",
        ),
        (rivals > 0, "Which rivals?", "Add them to providers.toml with the names people use for them."),
        (live > 0, "One offer", "Put what you may say into offers.toml, with its dates and its proof."),
        (
            !frame.pulse.sources.is_empty(),
            "One source",
            "Name one under [[source]] in jumpship.toml. Without a file, Bluesky is heard.",
        ),
        (people > 1, "Invite a colleague", "Make a link on the Team page."),
    ];
    Ok(frame.page("First steps", "page", &shown(&steps)))
}

fn shown(steps: &[(bool, &str, &str)]) -> Markup {
    let done = steps.iter().filter(|(done, ..)| *done).count();
    html! {
        header { h1 { "First steps" } p.soft { (done) " of " (steps.len()) " are done. To see it all at work without any, run " code { "jumpship demo" } "." } }
        ol.card.steps {
            @for (done, what, how) in steps {
                li {
                    span.dot.good[*done].warn[!*done] {}
                    div { strong { (what) } div.small.soft { (how) } }
                    span { @if *done { "done" } @else { "to do" } }
                }
            }
        }
    }
}
