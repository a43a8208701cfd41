//! JSON schemas of the files, for editors and as a reference of shapes. RON writes an enum's variant
//! as `Run(on: …)` where JSON has `{"Run": {"on": …}}`.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::scenario::Scenario;
use crate::topology::written::TopologyFile;

/// The schema of scenario files.
pub fn scenario_schema() -> String {
    text::<Scenario>()
}

/// The schema of topology files.
pub fn topology_schema() -> String {
    text::<TopologyFile>()
}

fn text<T: JsonSchema>() -> String {
    let schema = SchemaGenerator::default().into_root_schema_for::<T>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The full form, or a text.
pub(crate) fn or_text(schema: &mut Schema) {
    or(schema, serde_json::json!({"type": "string"}));
}

/// The full form, or a list of texts.
pub(crate) fn or_list(schema: &mut Schema) {
    or(schema, serde_json::json!({"type": "array", "items": {"type": "string"}}));
}

fn or(schema: &mut Schema, brief: serde_json::Value) {
    let description = schema.remove("description");
    let full = std::mem::take(schema.ensure_object());
    let both = schema.ensure_object();
    both.extend(description.map(|text| ("description".to_owned(), text)));
    both.insert("anyOf".to_owned(), serde_json::json!([brief, full]));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `HOPLAB_UPDATE=1 cargo test -p hoplab-lab schema` writes the files.
    #[test]
    fn the_schemas_are_fresh() {
        for (name, made) in [("scenario", scenario_schema()), ("topology", topology_schema())] {
            let file = format!("{}/../../schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("HOPLAB_UPDATE").is_some() {
                std::fs::write(&file, &made).expect("the schema can be written");
            }
            let published = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(published == made, "schemas/{name}.schema.json is not fresh");
        }
    }
}
