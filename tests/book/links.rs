//! Links between pages.

use std::path::Path;

/// All `](target)` of a text with their line numbers, fenced blocks left out.
pub fn targets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().flat_map(move |(number, line)| {
        fenced ^= line.trim_start().starts_with("```");
        let line = if fenced { "" } else { line };
        line.split("](").skip(1).filter_map(move |rest| Some((number + 1, rest.split_once(')')?.0)))
    })
}

/// Links of a page that lead nowhere.
pub fn broken(page: &Path, text: &str) -> Vec<String> {
    let folder = page.parent().unwrap_or(Path::new(""));
    let leads = |target: &str| {
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let there = if file.is_empty() { page.to_owned() } else { folder.join(file) };
        let text = std::fs::read_to_string(&there).unwrap_or_default();
        there.exists() && (anchor.is_empty() || headings(&text).any(|heading| heading == anchor))
    };
    targets(text)
        .filter(|(_, target)| !target.contains("://") && !leads(target))
        .map(|(line, target)| format!("{}:{line}: `{target}` leads nowhere", page.display()))
        .collect()
}

/// The anchors of a text's headings.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    })
}
