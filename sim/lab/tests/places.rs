//! Every value of every shipped file is found again by its path.

use std::fs;
use std::path::PathBuf;

use lab::Places;
use ron::extensions::Extensions;
use ron::value::Value;
use serde::Deserialize;

/// The paths of all values, with the values as ron reads them.
fn walk(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    found.push((path.to_owned(), value.clone()));
    match value {
        Value::Map(entries) => entries.iter().for_each(|(key, value)| {
            let Value::String(key) = key else { panic!("{path} has a key that is not a text") };
            walk(&format!("{path}[{key:?}]"), value, found);
        }),
        Value::Seq(items) => {
            items.iter().enumerate().for_each(|(i, item)| walk(&format!("{path}[{i}]"), item, found));
        }
        _ => {}
    }
}

#[test]
fn the_place_of_a_path_holds_its_value() {
    let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    let read = |text: &str| {
        let mut from = ron::Deserializer::from_str_with_options(text, &options).expect("RON begins here");
        Value::deserialize(&mut from)
    };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut values = 0;
    for folder in ["topologies", "scenarios"] {
        for entry in fs::read_dir(root.join(folder)).expect("the folder is there") {
            let file = entry.expect("the folder can be listed").path();
            if file.extension().is_none_or(|extension| extension != "ron") {
                continue;
            }
            let text = fs::read_to_string(&file).expect("the file can be read");
            let places = Places::scan(&text);
            let mut paths = Vec::new();
            walk("", &read(&text).expect("the file is RON"), &mut paths);
            values += paths.len();
            for (path, value) in paths {
                let span = places.find(&path).unwrap_or_else(|_| panic!("{}: no {path}", file.display()));
                assert_eq!(read(&text[span.start..]), Ok(value), "{}: {path}", file.display());
            }
        }
    }
    assert!(values > 100, "only {values} values were found");
}
