//! Text with tabs, lined up. Go: `text/tabwriter`.

/// Lines up cells that end with a tab: a column is a run of lines that have a cell there, as wide as
/// the widest and two blanks.
pub fn align(text: &str) -> String {
    const PADDING: usize = 2;
    let ended = text.ends_with('\n');
    let lines: Vec<Vec<&str>> =
        text.strip_suffix('\n').unwrap_or(text).split('\n').map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> =
        lines.iter().map(|cells| vec![0; cells.len().saturating_sub(1)]).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let mut from = 0;
        while from < lines.len() {
            let run = lines[from..].iter().take_while(|cells| cells.len() > column + 1).count();
            let widest = lines[from..from + run].iter().map(|cells| cells[column].chars().count()).max();
            for line in &mut widths[from..from + run] {
                line[column] = widest.unwrap_or(0) + PADDING;
            }
            from += run.max(1);
        }
    }
    let mut out = String::new();
    for (number, (cells, widths)) in lines.iter().zip(&widths).enumerate() {
        if number > 0 {
            out.push('\n');
        }
        for (at, cell) in cells.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(at) {
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
        }
    }
    if ended {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn runs_of_lines_line_up() {
        let text = "Name:\tweb\nLabels:\tapp=web\n\ttier=front\nContainers:\n  c:\n    Image:\tnginx\n    Host Port:\t<none>\n";
        let expected = "Name:    web\nLabels:  app=web\n         tier=front\nContainers:\n  c:\n    Image:      nginx\n    Host Port:  <none>\n";
        assert_eq!(align(text), expected);
    }
}
