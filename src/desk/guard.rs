//! Lets no other site act through an operator's browser, and tells the browser to run nothing but ours.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Only our own script, style, forms and connections; nothing may frame the desk.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// What every answer says about how it may be used.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];
/// One year, as browsers ask for.
const TLS_ONLY: &str = "max-age=31536000; includeSubDomains";

/// Adds the headers that keep foreign text inert; nothing is stored by the browser unless the answer says so.
pub async fn headers(State(secure): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TLS_ONLY));
    }
    response
}

/// Refuses a change that another site asked for. Reading needs no check, because reading never changes anything.
pub async fn same_origin(request: Request, next: Next) -> Response {
    if may_act(request.method(), request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!(method = %request.method(), "a change asked for by another site was refused");
    (StatusCode::FORBIDDEN, "This came from another site. Open the desk itself and try again.\n").into_response()
}

/// The browser's own word first (`Sec-Fetch-Site`), the origin for browsers that lack it. A caller with neither
/// is no browser; it carries no cookie that a foreign page could borrow.
fn may_act(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: Method, headers: &[(&str, &str)], expected: bool) {
        let map = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
            .collect();
        assert_eq!(may_act(&method, &map), expected, "{method} {headers:?}");
    }

    #[test]
    fn only_our_own_pages_may_change_anything() {
        let host = ("host", "127.0.0.1:4040");
        check(Method::GET, &[("sec-fetch-site", "cross-site")], true);
        check(Method::POST, &[("sec-fetch-site", "same-origin")], true);
        check(Method::POST, &[("sec-fetch-site", "none")], true);
        check(Method::POST, &[("sec-fetch-site", "same-site")], false);
        check(Method::POST, &[("sec-fetch-site", "cross-site"), host, ("origin", "http://127.0.0.1:4040")], false);
        check(Method::POST, &[host, ("origin", "http://127.0.0.1:4040")], true);
        check(Method::POST, &[host, ("origin", "http://evil.example")], false);
        check(Method::POST, &[host, ("origin", "null")], false);
        check(Method::POST, &[("origin", "http://127.0.0.1:4040")], false);
        check(Method::POST, &[host], true);
        check(Method::DELETE, &[host, ("origin", "http://evil.example")], false);
    }
}
