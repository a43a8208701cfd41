//! By what `reload` sees that a Corefile has changed.

use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::blocks::{Block, blocks};
use super::error::Error;
use super::outside::Outside;

/// What a Corefile says, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The SHA-512 of its server blocks, in hexadecimal, as `reload` logs it.
    pub sha512: String,
    /// What is said while it is read, each a line for the log.
    pub warnings: Vec<String>,
}

/// Reads a Corefile's server blocks and no directive. CoreDNS: `parse` in `plugin/reload`.
///
/// # Errors
/// What CoreDNS says.
pub fn fingerprint(file: &str, text: &str, outside: &mut dyn Outside) -> Result<Fingerprint, Error> {
    let (blocks, warnings) = blocks(file, text, outside, None)?;
    let digest = Sha512::digest(json(&blocks));
    let sha512 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Fingerprint { sha512, warnings })
}

/// Server blocks as Go's `json.Marshal` writes them.
fn json(blocks: &[Block]) -> String {
    // Go's nil slice.
    if blocks.is_empty() {
        return "null".to_owned();
    }
    let blocks: Vec<Value> = blocks.iter().map(block).collect();
    // Field by field: Go's order is that of the struct, which serde_json's sorted maps have here.
    let text = Value::from(blocks).to_string();
    // Inside strings only, where alone they can stand.
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

fn block(block: &Block) -> Value {
    let tokens = block.directives.iter().map(|(name, tokens)| {
        let tokens = tokens.iter().map(|token| {
            json!({"File": token.file.as_deref().unwrap_or_default(), "Line": token.line, "Text": token.text})
        });
        (name.clone(), tokens.collect::<Value>())
    });
    json!({"Keys": block.keys, "Tokens": Value::Object(tokens.collect())})
}
