//! The book and the README keep their word: every console block is run, and what it prints is what
//! stands there. `book/README.md` says how a block is written.
//!
//! After a change that is meant: `HOPLAB_UPDATE=1 cargo test --test book`, and read the difference.
//! `HOPLAB_PAGE=mtu` looks only at pages whose path contains `mtu`.

#![cfg(unix)]

mod block;
mod fields;
mod generated;
#[path = "../../sim/cli/help.rs"]
mod help;
mod links;
mod page;
mod pictures;
mod prompt;
mod real;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

/// The Markdown files below `folder`, sorted.
fn markdown(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The pages that are checked: the book and the README.
fn pages() -> Vec<PathBuf> {
    let wanted = std::env::var("HOPLAB_PAGE").unwrap_or_default();
    let all = [vec![PathBuf::from("README.md")], markdown(Path::new("book/src"))].concat();
    all.into_iter().filter(|path| path.to_string_lossy().contains(&wanted)).collect()
}

#[test]
fn pages_show_what_happens() {
    let update = std::env::var_os("HOPLAB_UPDATE").is_some();
    let mut wrong = Vec::new();
    for path in pages() {
        let text = fs::read_to_string(&path).expect("a page is text");
        let checked = page::check(&path, &text);
        if update && checked.text != text {
            fs::write(&path, &checked.text).expect("the page can be written");
        }
        wrong.extend(checked.problems.into_iter().filter(|problem| !update || !problem.mendable));
    }
    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{}\n\nHOPLAB_UPDATE=1 writes what happens now", wrong.join("\n"));
}

#[test]
fn pictures_are_fresh() {
    let update = std::env::var_os("HOPLAB_UPDATE").is_some();
    let stale = pictures::stale(update).unwrap_or_else(|why| panic!("{why}"));
    assert!(update || stale.is_empty(), "{stale:?}\nHOPLAB_UPDATE=1 writes them anew");
}

#[test]
fn links_lead_somewhere() {
    let broken: Vec<String> = pages()
        .iter()
        .flat_map(|path| links::broken(path, &fs::read_to_string(path).expect("a page is text")))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_scenario_has_a_page() {
    let without: Vec<PathBuf> = support::scenarios()
        .into_iter()
        .filter(|file| !Path::new("book/src").join(file).with_extension("md").exists())
        .collect();
    assert!(without.is_empty(), "no page in book/src/scenarios for {without:?}");
}

#[test]
fn the_summary_names_every_page_once() {
    let summary = fs::read_to_string("book/src/SUMMARY.md").expect("the book has a summary");
    let mut listed: Vec<PathBuf> =
        links::targets(&summary).map(|(_, target)| Path::new("book/src").join(target)).collect();
    listed.sort();
    let there: Vec<PathBuf> =
        markdown(Path::new("book/src")).into_iter().filter(|path| !path.ends_with("SUMMARY.md")).collect();
    assert_eq!(listed, there);
}
