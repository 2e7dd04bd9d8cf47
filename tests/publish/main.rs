//! Approved replies go out at most once and none is lost, whatever the network does and whenever we are killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod faults;
mod kill;
mod pds;
mod rig;
