//! Merging the full-text index until nothing is left in it of rows that are gone.
//!
//! The index is a list of segments, each sorted and never changed. A deletion puts a tombstone beside each segment that
//! may hold the row, whose words go when the segment is merged into another one: an optimisation, which merges all into
//! one, done here in pieces.

use crate::sql::Sql;
use crate::{Error, Tx};

/// Pages of 4 KB that a step writes, which takes five to ten milliseconds. The engine stops between two words only, and a
/// first letter is a word: where a tenth of a million users share it, that step takes as long as these hundred thousand.
const PAGES: i64 = 16;

/// How far the merging is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Words {
    /// A merge that began before may have words in its output by now that were deleted since: it has to end first.
    #[default]
    Settling,
    /// Everything that was written up to this origin is being merged into one segment.
    Merging { origin: u64 },
}

impl Words {
    /// Merges for a while. Answers whether that was all.
    pub(super) fn step(&mut self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        match *self {
            Self::Settling => {
                merge(tx, PAGES)?;
                if !Segments::load(tx)?.1.merging {
                    merge(tx, -PAGES)?;
                    *self = Self::Merging { origin: Segments::load(tx)?.1.last_origin() };
                }
                Ok(false)
            }
            Self::Merging { origin } => {
                let (before, segments) = Segments::load(tx)?;
                if segments.are_one_up_to(origin) {
                    return Ok(true);
                }
                merge(tx, PAGES)?;
                let (after, segments) = Segments::load(tx)?;
                if before == after {
                    // The engine goes on with a merge only if it has more inputs than lower levels have segments that are
                    // too few to be merged themselves. Begun anew, it takes these in as well.
                    merge(tx, -PAGES)?;
                }
                Ok(segments.are_one_up_to(origin))
            }
        }
    }
}

/// Has the index write up to so many pages of merges; with a negative number it begins to merge all of its segments.
fn merge(tx: &mut Tx<'_>, pages: i64) -> Result<(), Error> {
    const MERGE: Sql = Sql::new("INSERT INTO user_words (user_words, rank) VALUES ('merge', $1)");
    tx.execute(MERGE, &[pages.into()]).map(drop)
}

/// What the index says of its segments.
#[derive(Debug, Default, PartialEq, Eq)]
struct Segments {
    /// Whether some are being merged.
    merging: bool,
    /// The origins, numbers that grow with every write to the index, of the first and the last that is in each segment.
    origins: Vec<(u64, u64)>,
}

impl Segments {
    /// The segments as stored, and taken apart.
    fn load(tx: &mut Tx<'_>) -> Result<(Vec<u8>, Self), Error> {
        // 10 is where the index has its own structure.
        const SELECT: Sql = Sql::new("SELECT block FROM user_words_data WHERE id = 10");
        let found = tx.query(SELECT, &[], |row| Ok(row.blob(0)?.to_vec()))?;
        let stored = found.into_iter().next().ok_or(UNREADABLE)?;
        let segments = Self::parse(&stored).ok_or(UNREADABLE)?;
        Ok((stored, segments))
    }

    /// A cookie, a mark of the form, then numbers of variable length: levels, segments, writes; of each level how many of
    /// its segments are being merged, how many there are, and eight numbers of each.
    fn parse(stored: &[u8]) -> Option<Self> {
        const COOKIE: usize = 4;
        /// A table that forgets deleted rows has its structure in this form.
        const FORM: &[u8] = b"\xFF\x00\x00\x01";
        let mut rest = stored.get(COOKIE..)?.strip_prefix(FORM)?;
        let mut next = || number(&mut rest);
        let (levels, _segments, _writes) = (next()?, next()?, next()?);
        let mut found = Self::default();
        for _ in 0..levels {
            found.merging |= next()? > 0;
            for _ in 0..next()? {
                let (_id, _first_page, _last_page) = (next()?, next()?, next()?);
                found.origins.push((next()?, next()?));
                let (_tombstone_pages, _tombstones, _entries) = (next()?, next()?, next()?);
            }
        }
        Some(found)
    }

    fn last_origin(&self) -> u64 {
        self.origins.iter().map(|(_, last)| *last).max().unwrap_or(0)
    }

    /// Whether all that was written up to `origin` is in one segment at most. While segments are merged, both they and what
    /// comes of them are there.
    fn are_one_up_to(&self, origin: u64) -> bool {
        self.origins.iter().filter(|(first, _)| *first <= origin).count() <= 1
    }
}

const UNREADABLE: Error = Error::Unreadable("structure of the full-text index");

/// Takes a number of the engine's from the beginning of `bytes`: seven bits each, the highest first, while the eighth is set;
/// a ninth byte counts whole.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 1.. {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if place == 9 {
            return Some(number << 8 | u64::from(*byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_to_nine_bytes() {
        let check = |mut bytes: &[u8], expected: Option<u64>, left: usize| {
            assert_eq!((number(&mut bytes), bytes.len()), (expected, left));
        };
        check(&[0x05, 0x07], Some(5), 1);
        check(&[0x81, 0x00], Some(128), 0);
        check(&[0xff; 9], Some(u64::MAX), 0);
        check(&[0x80; 3], None, 0);
        check(&[], None, 0);
    }

    #[test]
    fn a_structure_says_what_is_merged_and_which_origins_there_are() {
        let one = [2, 1, 9, 3, 4, 0, 0, 7];
        let two = [3, 1, 2, 5, 5, 0, 0, 1];
        let mut stored = b"\x00\x00\x00\x01\xFF\x00\x00\x01".to_vec();
        stored.extend([2, 2, 0x81, 0x10]);
        stored.extend([1, 1]);
        stored.extend(two);
        stored.extend([0, 1]);
        stored.extend(one);
        let segments = Segments::parse(&stored).unwrap();
        assert_eq!(segments, Segments { merging: true, origins: vec![(5, 5), (3, 4)] });
        assert_eq!(segments.last_origin(), 5);
        assert!(segments.are_one_up_to(4) && !segments.are_one_up_to(5));
        assert_eq!(Segments::parse(&stored[..stored.len() - 1]), None);
        assert_eq!(Segments::parse(b"\x00\x00\x00\x01\x01\x01\x01"), None, "the form without origins");
    }
}
