//! Random frames: what can be read is written again as the bytes that it was read from, or as
//! bytes that are read as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packet::wire::{emit_frame, parse_frame};

fuzz_target!(|bytes: &[u8]| {
    let Ok(frame) = parse_frame(bytes) else { return };
    let written = emit_frame(&frame);
    let again = parse_frame(&written);
    assert_eq!(again.as_ref(), Ok(&frame));
});
