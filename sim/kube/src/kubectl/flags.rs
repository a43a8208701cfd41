//! The options of every command.

use tools::pflag::{Flag, Kind};

/// The options of every command.
pub const GLOBAL: &[Flag] = &[
    ("as", ' ', Kind::Text),
    ("as-group", ' ', Kind::Text),
    ("as-uid", ' ', Kind::Foreign),
    ("cache-dir", ' ', Kind::Text),
    ("certificate-authority", ' ', Kind::Text),
    ("client-certificate", ' ', Kind::Text),
    ("client-key", ' ', Kind::Text),
    ("cluster", ' ', Kind::Text),
    ("context", ' ', Kind::Text),
    ("insecure-skip-tls-verify", ' ', Kind::Switch),
    ("kubeconfig", ' ', Kind::Text),
    ("match-server-version", ' ', Kind::Switch),
    ("namespace", 'n', Kind::Text),
    ("request-timeout", ' ', Kind::Text),
    ("server", 's', Kind::Text),
    ("token", ' ', Kind::Text),
    ("user", ' ', Kind::Text),
    ("v", 'v', Kind::Int),
    ("warnings-as-errors", ' ', Kind::Switch),
    ("help", 'h', Kind::Switch),
];
