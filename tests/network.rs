//! The daemon against a network: a relay that misbehaves on request, and a real Bluesky PDS behind it.
//!
//! Needs Node and `npm ci` in `tests/network/bench` (see its README). Without them each test says SKIPPED,
//! or fails when JUMPSHIP_TEST_ALL=1 asks for everything.

#[path = "network/bench.rs"]
mod bench;
#[path = "network/daemon.rs"]
mod daemon;
#[path = "network/faults.rs"]
mod faults;
#[path = "network/pds.rs"]
mod pds;
