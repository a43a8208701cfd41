//! Columns that line up.

/// Rows of cells, aligned as Go's tabwriter does for kubectl: at least 6 wide, 3 apart.
///
/// It remembers its widths, so that rows that come later line up with earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
}

impl Table {
    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Takes the rows as text.
    pub fn flush(&mut self) -> String {
        let rows = std::mem::take(&mut self.rows);
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        for column in 0..columns {
            // The last cell of a row is no part of a column.
            let widest = rows
                .iter()
                .filter(|row| row.len() > column + 1)
                .map(|row| row[column].chars().count() + 3)
                .max()
                .unwrap_or(0)
                .max(6);
            match self.widths.get_mut(column) {
                Some(width) => *width = widest.max(*width),
                None => self.widths.push(widest),
            }
        }
        let mut text = String::new();
        for row in rows {
            let last = row.len().saturating_sub(1);
            for (column, cell) in row.iter().enumerate() {
                text.push_str(cell);
                if column < last {
                    let pad = self.widths[column].saturating_sub(cell.chars().count());
                    text.extend(std::iter::repeat_n(' ', pad));
                }
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_line_up_and_later_rows_too() {
        let mut table = Table::default();
        let row = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect();
        table.row(row(&["NAME", "READY", "AGE"]));
        table.row(row(&["web-0", "1/1", "5s"]));
        assert_eq!(table.flush(), "NAME    READY   AGE\nweb-0   1/1     5s\n");
        table.row(row(&["db", "0/1", "1s"]));
        assert_eq!(table.flush(), "db      0/1     1s\n");
    }
}
