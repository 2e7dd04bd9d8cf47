//! Sources that ask again and again: cut off a hundred times by servers that fail, repeat and reorder, they
//! lose nothing and tell nothing twice; and no feed leads them into our own network.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod feeds;
mod hackernews;
mod rig;
