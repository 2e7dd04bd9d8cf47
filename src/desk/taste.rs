//! What one browser prefers: theme and single-key shortcuts, kept in a cookie that holds no secret.

use axum::http::{HeaderMap, header};

/// The cookie's name.
const COOKIE: &str = "desk_taste";
/// A year.
const KEPT_SECONDS: u32 = 31_536_000;

/// How this browser wants the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taste {
    /// Light or dark; as the system says when none is chosen.
    pub theme: Option<Theme>,
    /// Whether single-key shortcuts are off, for people whom they get in the way of (WCAG 2.1.4).
    pub keys_off: bool,
}

/// A colour theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark ink on light ground.
    Light,
    /// Light ink on dark ground.
    Dark,
}

impl Theme {
    /// As the page and the cookie write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == name)
    }
}

impl Taste {
    /// As the request's cookie says; anything unknown is the default.
    pub fn of(headers: &HeaderMap) -> Self {
        let value = cookie(headers, COOKIE).unwrap_or_default();
        Self {
            theme: value.split('.').find_map(Theme::from_name),
            keys_off: value.split('.').any(|word| word == "nokeys"),
        }
    }

    /// The preferences that a form asked for.
    pub fn asked(theme: &str, keys: &str) -> Self {
        Self { theme: Theme::from_name(theme), keys_off: keys == "off" }
    }

    /// The cookie that keeps them.
    pub fn cookie(self) -> String {
        let theme = self.theme.map_or("system", Theme::as_str);
        let keys = if self.keys_off { "nokeys" } else { "keys" };
        format!("{COOKIE}={theme}.{keys}; Path=/; Max-Age={KEPT_SECONDS}; HttpOnly; SameSite=Strict")
    }
}

/// The value of one cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_tells_what_was_chosen() {
        let chosen = Taste { theme: Some(Theme::Dark), keys_off: true };
        let mut headers = HeaderMap::new();
        let pair = chosen.cookie().split(';').next().unwrap().to_owned();
        headers.insert(header::COOKIE, format!("a=1; {pair}; b=2").parse().unwrap());
        assert_eq!(Taste::of(&headers), chosen);
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "c"), None);
        headers.insert(header::COOKIE, "desk_taste=<script>".parse().unwrap());
        assert_eq!(Taste::of(&headers), Taste::default());
    }
}
