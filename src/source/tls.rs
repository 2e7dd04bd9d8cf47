//! Tells the TLS library, once per process, whose arithmetic to use.

use std::sync::Once;

/// Must run before the first encrypted connection of the process; may be called as often as one likes.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that another part of the program was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
