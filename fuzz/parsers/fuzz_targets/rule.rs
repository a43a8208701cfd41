//! Random rules: `iptables -A INPUT` with the words of a line.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut args = vec!["iptables", "-A", "INPUT"];
    args.extend(text.split(' '));
    hoplab_fuzz_parsers::run(&args, b"");
});
