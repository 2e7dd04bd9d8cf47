//! Approved replies go out at most once and none is lost, whatever the network does and whenever we are killed.

mod faults;
mod kill;
mod pds;
mod rig;
