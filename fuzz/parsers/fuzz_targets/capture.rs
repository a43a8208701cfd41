//! Random input for `tcpdump -nr /in`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hoplab_fuzz_parsers::run(&["tcpdump", "-nr", "/in"], bytes));
