//! Edits of bytes, whatever they mean: cut, flipped, inserted, taken out.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One edit of a sequence of bytes.
#[derive(Clone, Debug)]
pub(super) enum ByteEdit {
    /// Only the bytes before this place, which are not all.
    Cut(Index),
    /// Another byte at this place.
    Flip(Index, u8),
    /// More bytes at this place.
    Insert(Index, &'static [u8]),
    /// Some bytes fewer from this place on.
    Delete(Index, usize),
    /// The bytes twice.
    Twice,
}

const INSERTED: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\n",
    b" ",
    b"\"",
    b"\\",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"0",
    b"-",
    b"e9999",
    b"/*",
    b"%",
    b"\x1b",
    b"\\u0000",
    b"\\ud800",
];

impl ByteEdit {
    pub(super) fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let place = |index: &Index| index.index(bytes.len() + 1);
        match self {
            Self::Cut(index) => cut(bytes, *index).to_vec(),
            Self::Flip(index, byte) => {
                let mut edited = bytes.to_vec();
                if let Some(found) = edited.get_mut(place(index)) {
                    *found = *byte;
                }
                edited
            }
            Self::Insert(index, inserted) => {
                [&bytes[..place(index)], inserted, &bytes[place(index)..]].concat()
            }
            Self::Delete(index, count) => {
                let end = (place(index) + count).min(bytes.len());
                [&bytes[..place(index)], &bytes[end..]].concat()
            }
            Self::Twice => [bytes, bytes].concat(),
        }
    }
}

/// The bytes before `place`; never all of them.
pub(super) fn cut(bytes: &[u8], place: Index) -> &[u8] {
    &bytes[..place.index(bytes.len().max(1))]
}

/// Any edit.
pub(super) fn byte_edit() -> impl Strategy<Value = ByteEdit> {
    prop_oneof![1 => any::<Index>().prop_map(ByteEdit::Cut), 4 => patch()]
}

/// Any edit that leaves an end where it was.
pub(super) fn patch() -> impl Strategy<Value = ByteEdit> {
    let index = any::<Index>;
    prop_oneof![
        6 => (index(), any::<u8>()).prop_map(|(place, byte)| ByteEdit::Flip(place, byte)),
        6 => (index(), select(INSERTED)).prop_map(|(place, bytes)| ByteEdit::Insert(place, bytes)),
        4 => (index(), 1..9_usize).prop_map(|(place, count)| ByteEdit::Delete(place, count)),
        1 => Just(ByteEdit::Twice),
    ]
}
