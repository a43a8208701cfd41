//! CoreDNS: the server that answers a cluster's DNS queries.
//!
//! Read first: [`corefile`] (what a Corefile says).

pub mod corefile;
