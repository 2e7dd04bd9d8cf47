//! The audit for reading and for taking away: who did what to which lead, in a chain of hashes.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::app::App;
use super::fault::Fault;
use super::frame::Frame;
use super::say;
use super::session::Who;
use crate::queue::{AuditFilter, AuditReport, AuditRow, LeadId, Queue, QueueError};

/// Rows on the page; the files hold all.
const ROWS: usize = 200;
/// The most rows of one file.
const FILE_ROWS_MAX: usize = 100_000;

/// The query of the page's address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    lead: String,
    after: i64,
}

impl Asked {
    fn filter(&self, limit: usize) -> AuditFilter {
        AuditFilter { lead: self.lead.parse::<LeadId>().ok(), after: self.after, limit }
    }
}

/// The page.
pub async fn page(State(app): State<App>, who: Who, Query(asked): Query<Asked>) -> Result<Markup, Fault> {
    let frame = Frame::of(&app, &who).await?;
    let filter = asked.filter(ROWS);
    let (rows, report) =
        app.store.ask(move |queue| Ok::<_, QueueError>((queue.audit(&filter)?, queue.audit_verify()?))).await?;
    Ok(frame.page("Audit", "page", &shown(&rows, &report, &asked)))
}

fn shown(rows: &[AuditRow], report: &AuditReport, asked: &Asked) -> Markup {
    html! {
        header.stack.tight { h1 { "Audit" } (whole(report)) }
        div.inline.ends {
            form.inline method="get" action="/audit" {
                label.unseen for="lead" { "Lead" }
                input #lead name="lead" inputmode="numeric" placeholder="Lead number" value=(asked.lead) size="12";
                button { "Show" }
            }
            div.inline { a.button href="/audit.csv" download { "CSV" } a.button href="/audit.json" download { "JSON" } }
        }
        section.card { div.scrolls { table {
            thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Lead" } th scope="col" { "Detail" } } }
            tbody { @for row in rows {
                tr {
                    td { (say::full(row.at)) } td { (row.who) } td { (row.what.replace('_', " ")) }
                    td { @if let Some(lead) = row.lead { a href={ "/leads/" (lead) } { "#" (lead) } } }
                    td.small.soft { (row.detail) }
                }
            } }
        } } }
        @if rows.len() == ROWS { @if let Some(last) = rows.last() {
            p.more { a href={ "/audit?after=" (last.id) "&lead=" (asked.lead) } { "Later rows" } }
        } }
    }
}

fn whole(report: &AuditReport) -> Markup {
    html! {
        @match &report.broken {
            None => p.soft { "The chain is whole: " (say::thousands(report.rows)) " rows." },
            Some((row, why)) => p.notice.bad role="alert" { "The chain does not hold at row " (row) ": " (why) "." },
        }
    }
}

/// All rows as CSV; a cell that a spreadsheet would run as a formula gets a quote in front.
pub async fn csv(State(app): State<App>, _who: Who) -> Result<Response, Fault> {
    let rows = app.store.ask(all).await?;
    let mut out = "id,at,who,what,lead,detail,hash\r\n".to_owned();
    for row in rows {
        let lead = row.lead.map(|lead| lead.to_string()).unwrap_or_default();
        let cells = [row.id.to_string(), row.at.to_string(), row.who, row.what, lead, row.detail.to_string(), row.hash];
        out.push_str(&cells.map(|text| cell(&text)).join(","));
        out.push_str("\r\n");
    }
    Ok(file("text/csv; charset=utf-8", "audit.csv", out))
}

/// All rows as JSON.
pub async fn json(State(app): State<App>, _who: Who) -> Result<Response, Fault> {
    let rows = app.store.ask(all).await?;
    let text = serde_json::to_string(&rows).map_err(|error| Fault::Queue(error.into()))?;
    Ok(file("application/json", "audit.json", text))
}

fn all(queue: &mut Queue) -> Result<Vec<AuditRow>, QueueError> {
    let mut rows: Vec<AuditRow> = Vec::new();
    while rows.len() < FILE_ROWS_MAX {
        let after = rows.last().map_or(0, |row| row.id);
        let page = queue.audit(&AuditFilter { lead: None, after, limit: 0 })?;
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    Ok(rows)
}

fn file(kind: &'static str, name: &str, body: String) -> Response {
    let as_file = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, as_file)], body).into_response()
}

fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (text, csv) in [("Ana", "\"Ana\""), ("=1+1", "\"'=1+1\""), ("a\"b", "\"a\"\"b\""), ("@x", "\"'@x\"")] {
            assert_eq!(cell(text), csv);
        }
    }
}
