//! A project that keeps tests of its network: an office with a guest network, kept apart by the
//! router's rules.
//!
//! - `topologies/office.ron` is the network, `router/rules.v4` of it the rules under test;
//! - `scenarios/guests.ron` says what must hold; `hoplab run scenarios` replays it, too;
//! - `tests/network.rs` runs both from `cargo test` and keeps the packets' ways as insta snapshots.
