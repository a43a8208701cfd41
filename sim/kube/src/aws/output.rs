//! How the AWS CLI prints an answer: JSON, text or tables.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

/// `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Four blanks a level.
    #[default]
    Json,
    /// A line for each structure, tabs between values.
    Text,
    /// Boxes.
    Table,
}

impl Format {
    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            "table" => Some(Self::Table),
            _ => None,
        }
    }

    /// The text of an answer to `operation`.
    pub fn print(self, operation: &str, answer: &Value) -> String {
        let mut out = String::new();
        match (self, answer) {
            (Self::Json, answer) => out = json(answer),
            (Self::Text, answer) => text(answer, None, None, &mut out),
            (Self::Table, answer) => {
                let mut table = Table::default();
                if table.build(Some(operation), answer, 0) {
                    table.render(&mut out);
                }
            }
        }
        out
    }
}

fn json(answer: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // Writing to memory doesn't fail.
    let _ = answer.serialize(&mut serializer);
    let mut out = String::from_utf8_lossy(&bytes).into_owned();
    out.push('\n');
    out
}

/// A scalar as Python's `str` prints it.
fn scalar(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// The keys of scalars and those of the rest, each sorted.
fn keys<'a>(all: impl Iterator<Item = &'a Map<String, Value>>) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut scalars, mut rest) = (BTreeSet::new(), BTreeSet::new());
    for (key, value) in all.flatten() {
        let set = if scalar(value).is_some() { &mut scalars } else { &mut rest };
        set.insert(key.as_str());
    }
    (scalars.into_iter().collect(), rest.into_iter().collect())
}

/// AWS CLI: `awscli/text.py`.
fn text(item: &Value, identifier: Option<&str>, columns: Option<&[&str]>, out: &mut String) {
    match item {
        Value::Object(fields) => {
            let (own, rest) = keys(std::iter::once(fields));
            let columns = columns.unwrap_or(&own);
            let cell = |key: &&str| fields.get(*key).and_then(scalar).unwrap_or_default();
            let mut cells: Vec<String> = columns.iter().map(cell).collect();
            if !cells.is_empty() {
                cells.splice(0..0, identifier.map(str::to_uppercase));
                out.push_str(&cells.join("\t"));
                out.push('\n');
            }
            for key in rest {
                if let Some(value) = fields.get(key) {
                    text(value, Some(key), None, out);
                }
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let (columns, _) = keys(items.iter().filter_map(Value::as_object));
            for item in items {
                text(item, identifier, Some(&columns), out);
            }
        }
        Value::Array(items) => {
            let cells: Vec<String> = items.iter().filter_map(scalar).collect();
            match identifier {
                Some(name) => {
                    let name = name.to_uppercase();
                    out.extend(cells.iter().map(|cell| format!("{name}\t{cell}\n")));
                }
                None if cells.is_empty() => {}
                None => {
                    out.push_str(&cells.join("\t"));
                    out.push('\n');
                }
            }
        }
        value => {
            out.push_str(&scalar(value).unwrap_or_default());
            out.push('\n');
        }
    }
}

/// The width of a terminal that isn't one.
const TERMINAL: usize = 80;

/// Boxes, one for each structure. AWS CLI: `awscli/table.py`, `MultiTable`.
#[derive(Debug, Default)]
struct Table {
    sections: Vec<Section>,
}

#[derive(Debug, Default)]
struct Section {
    title: String,
    indent: usize,
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn width(text: &str) -> usize {
    text.chars().count()
}

impl Table {
    /// AWS CLI: `TableFormatter._build_table`.
    fn build(&mut self, title: Option<&str>, current: &Value, indent: usize) -> bool {
        let empty = match current {
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => true,
        };
        if empty {
            return false;
        }
        let name = title.unwrap_or_default();
        if title.is_some() {
            self.section(name, indent);
        }
        match current {
            Value::Array(items) if items.first().is_some_and(Value::is_object) => {
                let (headers, more) = keys(items.iter().filter_map(Value::as_object));
                for (number, fields) in items.iter().filter_map(Value::as_object).enumerate() {
                    if number > 0 && !more.is_empty() {
                        self.section(name, indent);
                    }
                    let cells =
                        headers.iter().map(|key| fields.get(*key).and_then(scalar).unwrap_or_default());
                    let row = cells.collect();
                    if let Some(section) = self.sections.last_mut() {
                        section.headers = headers.iter().map(|key| (*key).to_owned()).collect();
                        section.rows.push(row);
                    }
                    for key in &more {
                        if let Some(value) = fields.get(*key) {
                            self.build(Some(key), value, indent + 1);
                        }
                    }
                }
            }
            Value::Array(items) => {
                let rows = items.iter().filter_map(scalar).map(|cell| vec![cell]);
                if let Some(section) = self.sections.last_mut() {
                    section.rows.extend(rows);
                }
            }
            Value::Object(fields) => {
                let (headers, more) = keys(std::iter::once(fields));
                let cell = |key: &&str| fields.get(*key).and_then(scalar).unwrap_or_default();
                if let Some(section) = self.sections.last_mut() {
                    match headers.as_slice() {
                        [] => {}
                        [only] => section.rows.push(vec![(*only).to_owned(), cell(only)]),
                        _ => {
                            section.headers = headers.iter().map(|key| (*key).to_owned()).collect();
                            section.rows.push(headers.iter().map(cell).collect());
                        }
                    }
                }
                for key in more {
                    if let Some(value) = fields.get(key) {
                        self.build(Some(key), value, indent + 1);
                    }
                }
            }
            _ => {}
        }
        true
    }

    fn section(&mut self, title: &str, indent: usize) {
        self.sections.push(Section { title: title.to_owned(), indent, ..Section::default() });
    }

    fn width(&self) -> usize {
        self.sections.iter().map(Section::total_width).max().unwrap_or(0)
    }

    fn render(&mut self, out: &mut String) {
        if self.width() > TERMINAL {
            for section in self.sections.iter_mut().filter(|section| section.rows.len() == 1) {
                if !section.headers.is_empty() {
                    let headers = std::mem::take(&mut section.headers);
                    let cells = section.rows.pop().unwrap_or_default();
                    section.rows =
                        headers.into_iter().zip(cells).map(|(key, cell)| vec![key, cell]).collect();
                }
            }
        }
        let max = self.width();
        out.push_str(&format!("{}\n", "-".repeat(max)));
        for section in &self.sections {
            let edge = "|".repeat(section.indent);
            for line in section.lines(max - section.indent * 2) {
                out.push_str(&format!("{edge}{line}{edge}\n"));
            }
        }
    }
}

impl Section {
    /// The widest cell of each column.
    fn columns(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in std::iter::once(&self.headers).chain(&self.rows) {
            widths.resize(widths.len().max(row.len()), 0);
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(cell));
            }
        }
        widths
    }

    fn total_width(&self) -> usize {
        let cells: usize = self.columns().iter().map(|width| width + 4).sum();
        let outer = 2 + self.indent * 2;
        (width(&self.title) + outer).max(cells + outer)
    }

    /// Columns that fill the box. AWS CLI: `calculate_column_widths`.
    fn scaled(&self, max: usize) -> Vec<usize> {
        let wanted: Vec<usize> = self.columns().iter().map(|width| width + 4).collect();
        let sum: usize = wanted.iter().sum();
        if sum == 0 {
            return Vec::new();
        }
        // To the nearest, as Python's `round`: a half to the even one.
        let share = |width: &usize| {
            let (whole, rest) = (width * max / sum, width * max % sum * 2);
            if rest > sum || rest == sum && whole % 2 == 1 { whole + 1 } else { whole }
        };
        let mut scaled: Vec<usize> = wanted.iter().map(share).collect();
        while scaled.iter().sum::<usize>() > max {
            for at in 0..scaled.len() {
                if scaled.iter().sum::<usize>() > max {
                    scaled[at] = scaled[at].saturating_sub(1);
                }
            }
        }
        while scaled.iter().sum::<usize>() < max {
            for at in (0..scaled.len()).rev() {
                if scaled.iter().sum::<usize>() < max {
                    scaled[at] += 1;
                }
            }
        }
        scaled
    }

    fn lines(&self, max: usize) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.title.is_empty() {
            lines.push(centered(&self.title, max, "|"));
            if self.headers.is_empty() && self.rows.is_empty() {
                lines.push(format!("+{}+", "-".repeat(max - 2)));
            }
        }
        let widths = self.scaled(max);
        let first = |at: usize| if at == 0 { "|" } else { "" };
        let border: String = widths
            .iter()
            .enumerate()
            .map(|(at, width)| match at {
                0 => format!("+{}+", "-".repeat(width.saturating_sub(2))),
                _ => format!("{}+", "-".repeat(width.saturating_sub(1))),
            })
            .collect();
        if !self.headers.is_empty() {
            lines.push(border.clone());
            let cells = self.headers.iter().zip(&widths).enumerate();
            lines.push(cells.map(|(at, (cell, width))| centered(cell, *width, first(at))).collect());
        }
        if !self.rows.is_empty() && !widths.is_empty() {
            lines.push(border.clone());
            for row in &self.rows {
                let cells = row.iter().zip(&widths).enumerate();
                lines.push(cells.map(|(at, (cell, width))| left(cell, *width, first(at))).collect());
            }
            lines.push(border);
        }
        lines
    }
}

/// AWS CLI: `center_text`.
fn centered(text: &str, length: usize, left_edge: &str) -> String {
    let before = (length / 2).saturating_sub(width(text) / 2).saturating_sub(1);
    let so_far = left_edge.len() + before + width(text);
    let after = length.saturating_sub(1 + so_far);
    format!("{left_edge}{}{text}{}|", " ".repeat(before), " ".repeat(after))
}

/// AWS CLI: `align_left`.
fn left(text: &str, length: usize, left_edge: &str) -> String {
    let fits = width(text) + 2 + left_edge.len() < length;
    let padding = if fits { 2 } else { 0 };
    let so_far = left_edge.len() + padding + width(text);
    let after = length.saturating_sub(1 + so_far);
    format!("{left_edge}{}{text}{}|", " ".repeat(padding), " ".repeat(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `recorded/` holds what version 1.46.3 of the real command makes of the same answers.
    #[test]
    fn answers_print_as_the_real_command_prints_them() {
        macro_rules! recorded {
            ($name:literal) => {
                [
                    include_str!(concat!("recorded/", $name, ".json")),
                    include_str!(concat!("recorded/", $name, ".text")),
                    include_str!(concat!("recorded/", $name, ".table")),
                ]
            };
        }
        for (operation, [answer, text, table]) in [
            ("DescribeRouteTables", recorded!("route-tables")),
            ("DescribeSecurityGroups", recorded!("security-groups")),
        ] {
            let answer: Value = serde_json::from_str(answer).expect("the recording is JSON");
            assert_eq!(Format::Text.print(operation, &answer), text);
            assert_eq!(
                Format::Table.print(operation, &answer),
                table,
                "{}",
                Format::Table.print(operation, &answer)
            );
        }
    }
}
