//! Jumpship hears people complain about a rival provider in public, works out who is about to leave
//! whom and why, decides whether to speak at all, and queues a drafted reply for a person to approve.
//!
//! A post flows one way through the rooms:
//!
//! ```text
//! source -> Post -> scan -> [Match] -> score -> Assessment -> decide -> Verdict -> draft -> Draft
//!        -> queue -> Lead -> desk -> Approved -> publish -> Receipt
//! ```
//!
//! The single look back is [`decide::History`]: whom we already contacted and who asked to be left
//! alone, read from the queue and handed to [`decide`]. `scan`, `score`, `decide` and `draft` are pure.
//! The modules below stand in reading order.

pub mod clock;
pub mod text;
pub mod units;
pub mod post;
pub mod rules;
pub mod scan;
pub mod score;
pub mod decide;
pub mod draft;
pub mod engine;
pub mod frames;
pub mod source;
pub mod check;
pub mod networks;
pub mod config;
pub mod telemetry;
pub mod pipeline;
pub mod web;
pub mod publish;
pub mod queue;
pub mod desk;
pub mod cli;
