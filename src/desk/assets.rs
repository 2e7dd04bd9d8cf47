//! The style sheet, the script and the icon, carried in the binary and named by what they hold.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use ring::digest;

const STYLE: &str = include_str!("desk.css");
const SCRIPT: &str = include_str!("desk.js");
const ICON: &str = include_str!("icon.svg");
/// The name changes with the content, so a browser may keep it for good.
const KEPT: &str = "public, max-age=31536000, immutable";

/// A few letters that change whenever the style or the script does.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let hash = digest::digest(&digest::SHA256, [STYLE, SCRIPT, ICON].concat().as_bytes());
        hash.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
    });
    &VERSION
}

/// The style sheet.
pub async fn style() -> impl IntoResponse {
    kept("text/css; charset=utf-8", STYLE)
}

/// The script.
pub async fn script() -> impl IntoResponse {
    kept("text/javascript; charset=utf-8", SCRIPT)
}

/// The icon.
pub async fn icon() -> impl IntoResponse {
    kept("image/svg+xml", ICON)
}

const fn kept(kind: &'static str, body: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, KEPT)], body)
}
