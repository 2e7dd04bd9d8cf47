//! Saves the filter of a list under a name, for oneself or the team, and drops it again.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Redirect;

use super::app::App;
use super::fault::Fault;
use super::search::Asked;
use super::session::Who;
use super::shelf::Shelf;
use crate::queue::Role;

/// The longest name of a view.
const NAME_CHARS_MAX: usize = 40;

/// Saves the filter that the form holds; it is named by what it asks for.
pub async fn save(State(app): State<App>, who: Who, Form(asked): Form<Asked>) -> Result<Redirect, Fault> {
    let asked = Asked { sort: asked.sort.clone(), ..asked.fresh() };
    let (name, query, owner) = (name(&asked), asked.query(), who.operator.id);
    app.store.ask(move |queue| queue.add_view(Some(owner), &name, &query)).await?;
    Ok(Redirect::to(&asked.address(Shelf::Queue)))
}

/// Drops a view: one's own, or the team's for a lead.
pub async fn drop_view(State(app): State<App>, who: Who, Path(view): Path<i64>) -> Result<Redirect, Fault> {
    let id = who.operator.id;
    let found = app.store.ask(move |queue| queue.views(id)).await?.into_iter().find(|one| one.id == view);
    let found = found.ok_or(Fault::NotFound)?;
    if found.owner.is_none() {
        who.must_be(Role::Lead)?;
    }
    app.store.ask(move |queue| queue.drop_view(view)).await?;
    Ok(Redirect::to("/queue"))
}

/// "o2, 85 and up, signal": what the filter asks for, in a few words.
fn name(asked: &Asked) -> String {
    let min = if asked.min.is_empty() { String::new() } else { format!("{} and up", asked.min) };
    let hours = if asked.hours.is_empty() { String::new() } else { format!("{} h", asked.hours) };
    let parts = [&asked.rival, &asked.network, &asked.kind, &min, &hours, &asked.signal, &asked.assignee, &asked.q];
    let words: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let name: String = words.join(", ").chars().take(NAME_CHARS_MAX).collect();
    if name.is_empty() { "All".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_named_by_what_it_asks_for() {
        let asked = Asked { rival: "o2".into(), min: "85".into(), q: "signal".into(), ..Asked::default() };
        assert_eq!(name(&asked), "o2, 85 and up, signal");
        assert_eq!(name(&Asked::default()), "All");
    }
}
