//! One request for a feed: with the validators it gave us, along its redirects, within its size.

use reqwest::header::{ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use reqwest::{Client, Response};
use url::Url;

use super::{FEED_BYTES_MAX, Place};
use crate::clock;
use crate::source::poll::Hitch;
use crate::web::{self, Reach};

/// The most redirects that are followed.
const REDIRECTS_MAX: usize = 5;
/// What we like to be given.
const ACCEPT: &str =
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.1";

/// What came of it.
pub(super) enum Fetched {
    /// Nothing has changed.
    Same,
    /// The feed, and the place as it will be once it is taken.
    Feed {
        /// Its bytes.
        body: Vec<u8>,
        /// New validators and address.
        place: Place,
    },
}

/// Asks for the feed. Each link on the way is checked before it is followed.
pub(super) async fn fetch(client: &Client, url: &Url, reach: Reach, place: &Place) -> Result<Fetched, Hitch> {
    let mut url = url.clone();
    let mut moved_to = place.moved_to.clone();
    let mut for_good = true;
    for _ in 0..=REDIRECTS_MAX {
        reach.allows(&url).map_err(|forbidden| Hitch::later(forbidden.to_string()))?;
        let response = ask(client, &url, place).await?;
        let status = response.status().as_u16();
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return answer(response, status, place, moved_to).await;
        }
        url = next(&url, &response)?;
        for_good &= matches!(status, 301 | 308);
        if for_good {
            moved_to = Some(url.clone());
        }
    }
    Err(Hitch::later(format!("more than {REDIRECTS_MAX} redirects")))
}

async fn ask(client: &Client, url: &Url, place: &Place) -> Result<Response, Hitch> {
    let mut request = client.get(url.clone()).header("accept", ACCEPT);
    for (name, value) in [(IF_NONE_MATCH, &place.etag), (IF_MODIFIED_SINCE, &place.last_modified)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request.send().await.map_err(|error| Hitch::later(web::words(&error)))
}

fn next(url: &Url, response: &Response) -> Result<Url, Hitch> {
    let location = text(response.headers(), &LOCATION).ok_or_else(|| Hitch::later("a redirect to nowhere"))?;
    url.join(&location).map_err(|e| Hitch::later(format!("a redirect to a broken address: {e}")))
}

async fn answer(response: Response, status: u16, place: &Place, moved_to: Option<Url>) -> Result<Fetched, Hitch> {
    match status {
        304 => return Ok(Fetched::Same),
        410 => return Err(Hitch::Gone("410: the feed is gone for good. Take it out of the config.".to_owned())),
        200 => {}
        _ => {
            let until = web::asked_until(response.headers(), clock::now());
            return Err(Hitch::Later { why: format!("the server answers {status}"), until });
        }
    }
    let place = Place {
        etag: text(response.headers(), &ETAG),
        last_modified: text(response.headers(), &LAST_MODIFIED),
        moved_to,
        ..place.clone()
    };
    let body = web::body(response, FEED_BYTES_MAX).await.map_err(|error| Hitch::later(error.to_string()))?;
    Ok(Fetched::Feed { body, place })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
