//! Tables for people: columns as wide as what is in them, cut where the terminal is narrow.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use plexus_terminal::Failure;

use crate::{out::Out, shown};

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column of a table whose rows are made from `T`.
pub(crate) struct Column<T> {
    title: &'static str,
    side: Side,
    cell: fn(&T) -> String,
}

/// A column of words.
pub(crate) const fn words<T>(title: &'static str, cell: fn(&T) -> String) -> Column<T> {
    Column { title, side: Side::Left, cell }
}

/// A column of numbers.
pub(crate) const fn numbers<T>(title: &'static str, cell: fn(&T) -> String) -> Column<T> {
    Column { title, side: Side::Right, cell }
}

/// What can be shown in a table.
pub(crate) trait Row: Sized + 'static {
    /// Its columns.
    const COLUMNS: &'static [Column<Self>];
}

/// Between columns.
const GAP: &str = "  ";

/// A column is not made narrower than that.
const WIDTH_MIN: usize = 6;

/// Of a cell at most, where the terminal says nothing: a topic has up to 65,535 bytes.
const WIDTH_MAX: usize = 256;

/// A table that is written part by part.
#[derive(Debug, Default)]
pub(crate) struct Table {
    widths: Vec<usize>,
}

impl Table {
    /// Writes these rows, and before the first of them the titles.
    pub(crate) fn write<T: Row>(&mut self, rows: &[T], out: &mut Out<'_>) -> Result<(), Failure> {
        let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
        let is_first = self.widths.is_empty();
        if is_first {
            self.widths = T::COLUMNS.iter().map(|column| column.title.width()).collect();
        }
        for row in &cells {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.width().min(WIDTH_MAX).max(*width);
            }
        }
        let sides: Vec<Side> = T::COLUMNS.iter().map(|column| column.side).collect();
        let mut widths = self.widths.clone();
        fit(&mut widths, &sides, out.columns());
        if is_first {
            let titles: Vec<String> =
                T::COLUMNS.iter().map(|column| column.title.to_owned()).collect();
            out.title(&line(&titles, &sides, &widths, out.columns()))?;
        }
        for row in &cells {
            let text = line(row, &sides, &widths, out.columns());
            out.write(&format!("{text}\n"))?;
        }
        Ok(())
    }
}

fn cells<T: Row>(row: &T) -> Vec<String> {
    T::COLUMNS.iter().map(|column| shown::plain(&(column.cell)(row))).collect()
}

/// Names and what stands for them, one a line.
pub(crate) fn pairs(pairs: &[(String, String)]) -> String {
    let widest = pairs.iter().map(|(name, _)| shown::plain(name).width()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in pairs {
        let line = [pad(&shown::plain(name), widest, Side::Left), shown::plain(value)].join(GAP);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Makes the widest columns of words narrower until the line fits.
fn fit(widths: &mut [usize], sides: &[Side], room: Option<usize>) {
    let Some(room) = room else { return };
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    loop {
        let over = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        let of_words = widths.iter_mut().zip(sides).filter(|(_, side)| **side == Side::Left);
        let widest = of_words.map(|(width, _)| width).max();
        let Some(widest) = widest.filter(|width| over > 0 && **width > WIDTH_MIN) else { return };
        *widest -= 1;
    }
}

fn line(cells: &[String], sides: &[Side], widths: &[usize], room: Option<usize>) -> String {
    let cells = cells.iter().zip(sides).zip(widths);
    let cells: Vec<String> =
        cells.map(|((cell, side), width)| pad(&cut(cell, *width), *width, *side)).collect();
    let line = cells.join(GAP);
    let line = line.trim_end();
    room.map_or_else(|| line.to_owned(), |room| cut(line, room))
}

/// The text in that many columns, with a mark where something is missing.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut shown, mut used) = (String::new(), 0);
    for c in text.chars() {
        let own = c.width().unwrap_or_default();
        if used + own + 1 > width {
            break;
        }
        used += own;
        shown.push(c);
    }
    if width > 0 {
        shown.push('…');
    }
    shown
}

/// The text with blanks, so that it takes that many columns.
pub(crate) fn pad(text: &str, width: usize, side: Side) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    match side {
        Side::Left => [text, &blanks].concat(),
        Side::Right => [&blanks, text].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Row, Table, cut, numbers, pairs, words};
    use crate::out::Out;

    struct Lamp(&'static str, u32);

    impl Row for Lamp {
        const COLUMNS: &'static [Column<Self>] =
            &[words("LAMP", |lamp| lamp.0.to_owned()), numbers("WATT", |lamp| lamp.1.to_string())];
    }

    fn table(columns: Option<usize>, parts: &[&[Lamp]]) -> String {
        let mut text = Vec::new();
        let mut out = Out::to(&mut text, Vec::new(), false, columns);
        let mut table = Table::default();
        for part in parts {
            table.write(part, &mut out).unwrap();
        }
        drop(out);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let lamps = [Lamp("a", 5), Lamp("漢字", 1_000)];
        assert_eq!(table(None, &[&lamps]), "LAMP  WATT\na        5\n漢字  1000\n");
    }

    #[test]
    fn later_parts_have_no_titles_and_may_be_wider() {
        let text = table(None, &[&[Lamp("a", 1)], &[Lamp("longer", 2)]]);
        assert_eq!(text, "LAMP  WATT\na        1\nlonger     2\n");
        assert_eq!(table(None, &[&[]]), "LAMP  WATT\n");
    }

    #[test]
    fn a_narrow_terminal_cuts_words_and_no_numbers() {
        let lamps = [Lamp("a-very-long-name", 12_345)];
        assert_eq!(table(Some(16), &[&lamps]), "LAMP        WATT\na-very-l…  12345\n");
        assert_eq!(table(Some(5), &[&lamps]), "LAMP…\na-ve…\n");
    }

    #[test]
    fn a_cell_is_one_line_that_steers_nothing() {
        let text = table(None, &[&[Lamp("a\nb\u{1b}[2J", 1)]]);
        assert_eq!(text.lines().nth(1), Some("a\\nb\\u{1b}[2J     1"));
        let name = ("a\n".to_owned(), "\u{202e}x".to_owned());
        assert_eq!(
            pairs(&[name, ("long-name".into(), "y".into())]),
            "a\\n        \\u{202e}x\nlong-name  y\n"
        );
    }

    #[test]
    fn what_is_cut_is_marked() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("漢字漢", 4), "漢…");
        assert_eq!(cut("abc", 0), "");
    }
}
