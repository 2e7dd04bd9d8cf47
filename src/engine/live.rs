//! The engine in use: swapped whole for a better one, never for a broken one, and shared by all who ask.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;

use super::Engine;
use crate::rules::Report;

/// Why the rules on disk are not the rules in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// When they were read.
    pub at: Timestamp,
    /// What is wrong with them.
    pub report: Report,
}

/// The engine in use. A reader keeps the one it took for as long as it likes.
#[derive(Debug)]
pub struct LiveEngine {
    current: RwLock<Arc<Engine>>,
    refused: Mutex<Option<Refused>>,
}

impl LiveEngine {
    /// Starts with this engine.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self { current: RwLock::new(Arc::new(engine)), refused: Mutex::new(None) }
    }

    /// The engine in use now.
    #[must_use]
    pub fn current(&self) -> Arc<Engine> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is wrong with the rules on disk, if they were refused.
    #[must_use]
    pub fn refused(&self) -> Option<Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes another engine into use.
    pub fn replace(&self, engine: Engine) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(engine);
        self.set_refused(None);
    }

    /// Keeps the engine in use, and remembers why.
    pub fn refuse(&self, report: Report, at: Timestamp) {
        self.set_refused(Some(Refused { at, report }));
    }

    fn set_refused(&self, refused: Option<Refused>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }
}
