//! Hashes in names: `pod-template-hash`, `controller-revision-hash`.

use k8s_openapi::api::core::v1::PodTemplateSpec;

/// The hash of a template, in letters and digits that form no words. Kubernetes:
/// `controller.ComputeHash`, `rand.SafeEncodeString`.
///
/// Simplified: FNV-1a over the template's JSON instead of Go's dump of it: hashes look alike and
/// are stable, but aren't those of a real cluster.
pub fn template_hash(template: &PodTemplateSpec, collisions: i32) -> String {
    let mut bytes = serde_json::to_vec(template).unwrap_or_default();
    if collisions > 0 {
        bytes.extend(collisions.to_le_bytes());
    }
    safe(&fnv32a(&bytes).to_string())
}

fn fnv32a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Kubernetes: `rand.SafeEncodeString`.
pub fn safe(text: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    text.bytes().map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()])).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_become_letters_as_in_kubernetes() {
        // FNV-1a of "foobar" is one of its authors' test vectors.
        assert_eq!(super::safe("aeiou"), "v27fm");
        assert_eq!(super::safe("0123456789"), "456789bcdf");
        assert_eq!(super::fnv32a(b"foobar"), 0xbf9c_f968);
    }
}
