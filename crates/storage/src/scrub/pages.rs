//! Wiping the unused middle of the pages of the database.
//!
//! A page of a tree has a header and the places of its cells at the beginning, the cells at the end, and between the two
//! a gap that nothing ever reads. What was a cell before, and is none any more since the engine has moved it, may stand
//! there. Pages of other kinds have no such gap: long values fill theirs from the beginning, and what is behind the end
//! of one is wiped when a page becomes free.

use std::ops::Range;

use crate::sql::{Sql, Value};
use crate::{Error, Tx};

/// Pages of 4 KB that a step looks at: three milliseconds, and a few more when many of them have to be written.
const PAGES: i64 = 256;

/// In a database of so many pages, 128 GiB, the number of a page can begin with a byte that also marks a page of a tree. As
/// pages of long values begin with such a number, they could be taken for one.
const MOST_PAGES: i64 = 1 << 25;

/// How far the wiping is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pages {
    /// All up to this one are clean of what was deleted before.
    cleaned: i64,
    /// How many there were at the beginning. Those that came later never held anything of before.
    all: Option<i64>,
}

impl Pages {
    /// Wipes some pages. Answers whether that was all.
    pub(super) fn step(&mut self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        const PAGE: Sql = Sql::new("SELECT data FROM sqlite_dbpage WHERE pgno = $1");
        const WIPE: Sql = Sql::new(
            "UPDATE sqlite_dbpage SET data = CAST(SUBSTR(data, 1, ?2) || ZEROBLOB(?3) || SUBSTR(data, 1 + ?2 + ?3) AS BLOB) \
             WHERE pgno = ?1",
        );
        let all = match self.all {
            Some(all) => all,
            None => self.count(tx)?,
        };
        let last = all.min(self.cleaned + PAGES);
        let numbers: Vec<[Value; 1]> = (self.cleaned + 1..=last).map(|number| [number.into()]).collect();
        let mut number = self.cleaned;
        let mut wipes: Vec<[Value; 3]> = Vec::new();
        tx.query_each(PAGE, &numbers, |row| {
            number += 1;
            if let Some(gap) = dirty_gap(row.blob(0)?, number == 1) {
                wipes.push([number.into(), signed(gap.start).into(), signed(gap.len()).into()]);
            }
            Ok(())
        })?;
        tx.execute_each(WIPE, &wipes)?;
        self.cleaned = last;
        Ok(self.cleaned >= all)
    }

    /// How many pages there are to be cleaned.
    fn count(&mut self, tx: &mut Tx<'_>) -> Result<i64, Error> {
        const COUNT: Sql = Sql::new(
            "SELECT page_count, EXISTS (SELECT 1 FROM pragma_module_list WHERE name = 'sqlite_dbpage') \
             FROM pragma_page_count",
        );
        let counted = tx.query(COUNT, &[], |row| Ok((row.integer(0)?, row.boolean(1)?)))?;
        let all = match counted.first() {
            Some((pages, true)) if *pages < MOST_PAGES => *pages,
            Some((_, true)) => {
                tracing::warn!(
                    "a database of 128 GiB or more: remainders of deleted rows may stay in unused parts of its file"
                );
                0
            }
            _ => {
                tracing::warn!(
                    "this program was built without the table of pages (.cargo/config.toml): remainders of deleted rows \
                     may stay in unused parts of the database file"
                );
                0
            }
        };
        self.all = Some(all);
        Ok(all)
    }
}

/// No place in a page is larger than a page.
fn signed(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(0)
}

/// The part of a page of a tree that nothing reads, if there is anything in it.
///
/// Nor does anything read a page that is free, of whatever kind it was: it does no harm to take it for one of a tree.
fn dirty_gap(page: &[u8], is_first: bool) -> Option<Range<usize>> {
    /// What the file begins with.
    const FILE_HEADER: usize = 100;
    let header = if is_first { FILE_HEADER } else { 0 };
    let word = |place: usize| {
        let bytes = page.get(header + place..header + place + 2)?;
        Some(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    };
    let length = match page.get(header)? {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let start = header + length + 2 * word(3)?;
    let end = match word(5)? {
        // A whole page of 64 KiB, which ours are not.
        0 => return None,
        end => end,
    };
    let gap = page.get(start..end)?;
    gap.iter().any(|byte| *byte != 0).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of 512 bytes with a leaf of two cells, the first of them at 500, and a remainder at 300.
    fn leaf(header: usize) -> Vec<u8> {
        let mut page = vec![0; 512];
        page[header..header + 8].copy_from_slice(&[13, 0, 0, 0, 2, 1, 244, 0]);
        page[header + 8..header + 12].copy_from_slice(&[1, 244, 1, 250]);
        page[500..].fill(b'c');
        page[300] = b'r';
        page
    }

    #[test]
    fn the_gap_lies_between_the_places_of_cells_and_the_cells() {
        assert_eq!(dirty_gap(&leaf(0), false), Some(12..500));
        assert_eq!(dirty_gap(&leaf(100), true), Some(112..500));
        let mut clean = leaf(0);
        clean[300] = 0;
        assert_eq!(dirty_gap(&clean, false), None);
        let mut inner = leaf(0);
        inner[0] = 5;
        assert_eq!(dirty_gap(&inner, false), Some(16..500));
    }

    #[test]
    fn what_is_no_tree_is_left_alone() {
        let with = |place: usize, bytes: &[u8]| {
            let mut page = leaf(0);
            page[place..place + bytes.len()].copy_from_slice(bytes);
            dirty_gap(&page, false)
        };
        assert_eq!(with(0, &[0]), None, "a long value");
        assert_eq!(with(0, &[1]), None);
        assert_eq!(with(3, &[255, 255]), None, "more cells than fit");
        assert_eq!(with(5, &[255, 255]), None, "cells beyond the page");
        assert_eq!(with(5, &[0, 0]), None);
        assert_eq!(dirty_gap(&[], false), None);
    }
}
