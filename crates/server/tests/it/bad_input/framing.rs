//! How a body is packed and how its end is told: as it should be, and wrongly.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::sample::select;

use super::bytes::{ByteEdit, byte_edit};
use super::message::Ending;

/// How a body is sent.
#[derive(Clone, Debug)]
pub(super) enum Framing {
    /// With its length.
    Length,
    /// With a length that is greater than it is.
    TooLong(usize),
    /// With something else where the length should be.
    Declared(&'static str),
    /// In chunks of this size.
    Chunked(usize, Flaw),
    /// Packed, then edited.
    Packed(Option<ByteEdit>),
    /// Packed, with this many MiB of spaces behind it.
    Bomb(usize),
}

/// What is wrong with chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Nothing,
    /// The last chunk does not come.
    NoEnd,
    /// The first chunk has this size.
    Size(&'static str),
    /// The end of a chunk is not marked.
    NoMark,
    /// Headers after the last chunk.
    Trailer(&'static str),
}

/// A body as it is sent.
pub(super) struct Framed {
    pub(super) headers: Vec<(String, String)>,
    pub(super) bytes: Vec<u8>,
    pub(super) ending: Ending,
}

const DECLARED: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "+1",
    "0x10",
    "1.5",
    "x",
    "1, 1",
    "1, 2",
    "\u{661}",
    "1048576",
    "1048577",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
];

/// Sizes of chunks that do not come to their end.
const GREAT: &str = "7fffffff";
const GREATEST: &str = "ffffffffffffffff";

const FLAWS: &[Flaw] = &[
    Flaw::Nothing,
    Flaw::NoEnd,
    Flaw::Size(""),
    Flaw::Size("-1"),
    Flaw::Size("x"),
    Flaw::Size("1;extension=\"\u{e9}\""),
    Flaw::Size(GREAT),
    Flaw::Size(GREATEST),
    Flaw::Size("10000000000000000"),
    Flaw::NoMark,
    Flaw::Trailer("X: y\r\n"),
    Flaw::Trailer("Content-Length: 1\r\n"),
    Flaw::Trailer("no colon\r\n"),
];

/// Any framing.
pub(super) fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![
        20 => (1..1000_usize).prop_map(Framing::TooLong),
        40 => select(DECLARED).prop_map(Framing::Declared),
        60 => (select(&[1_usize, 7, 4096][..]), select(FLAWS)).prop_map(|(size, flaw)| Framing::Chunked(size, flaw)),
        40 => proptest::option::of(byte_edit()).prop_map(Framing::Packed),
        1 => select(&[1_usize, 2, 64][..]).prop_map(Framing::Bomb),
    ]
}

impl Framing {
    /// `body` as it is sent.
    pub(super) fn apply(&self, body: Option<&[u8]>) -> Framed {
        let Some(body) = body.or((!matches!(self, Self::Length)).then_some(b"{}")) else {
            return Framed { headers: Vec::new(), bytes: Vec::new(), ending: Ending::Whole };
        };
        let header = |name: &str, value: String| (name.to_owned(), value);
        let length = |bytes: usize| header("Content-Length", bytes.to_string());
        let gzip = |bytes: Vec<u8>| Framed {
            headers: vec![header("Content-Encoding", "gzip".to_owned()), length(bytes.len())],
            bytes,
            ending: Ending::Whole,
        };
        match self {
            Self::Length => {
                Framed { headers: vec![length(body.len())], bytes: body.to_vec(), ending: Ending::Whole }
            }
            Self::TooLong(more) => {
                Framed { headers: vec![length(body.len() + more)], bytes: body.to_vec(), ending: Ending::Cut }
            }
            Self::Declared(text) => Framed {
                headers: vec![header("Content-Length", (*text).to_owned())],
                bytes: body.to_vec(),
                ending: match text.parse::<usize>() {
                    Ok(length) if length > body.len() => Ending::Cut,
                    _ => Ending::Unclear,
                },
            },
            Self::Chunked(size, flaw) => Framed {
                headers: vec![header("Transfer-Encoding", "chunked".to_owned())],
                bytes: chunks(body, *size, *flaw),
                ending: match flaw {
                    Flaw::Nothing => Ending::Whole,
                    Flaw::NoEnd | Flaw::Size(GREAT | GREATEST) => Ending::Cut,
                    _ => Ending::Unclear,
                },
            },
            Self::Packed(edit) => {
                let packed = pack(body, 0);
                gzip(edit.as_ref().map_or_else(|| packed.clone(), |edit| edit.apply(&packed)))
            }
            Self::Bomb(mebibytes) => gzip(pack(body, *mebibytes)),
        }
    }
}

fn pack(body: &[u8], mebibytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let spaces = vec![b' '; 1 << 20];
    encoder.write_all(body).expect("memory takes everything");
    for _ in 0..mebibytes {
        encoder.write_all(&spaces).expect("memory takes everything");
    }
    encoder.finish().expect("memory takes everything")
}

fn chunks(body: &[u8], size: usize, flaw: Flaw) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, chunk) in body.chunks(size).enumerate() {
        match flaw {
            Flaw::Size(text) if place == 0 => bytes.extend(text.bytes()),
            _ => bytes.extend(format!("{:x}", chunk.len()).bytes()),
        }
        bytes.extend(b"\r\n");
        bytes.extend(chunk);
        if flaw != Flaw::NoMark {
            bytes.extend(b"\r\n");
        }
    }
    match flaw {
        Flaw::NoEnd => {}
        Flaw::Trailer(trailer) => bytes.extend([b"0\r\n", trailer.as_bytes(), b"\r\n"].concat()),
        _ => bytes.extend(b"0\r\n\r\n"),
    }
    bytes
}
