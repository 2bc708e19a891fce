//! One change of a valid request. To try another kind, add it to [`Mutation`], to [`mutation`] and to `apply`.

use headwater_http::RouteInfo;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;

use super::bytes::{ByteEdit, byte_edit, cut, patch};
use super::framing::{Framing, framing};
use super::json::{self, Brackets, NodeEdit, node_edit};
use super::message::{Ending, Message, Sent, encode, encode_bytes};
use super::odd::{self, BODIES, HEADERS, METHODS, Text, VERSIONS};
use super::samples::Sample;

/// Heads greater than this may be more than the HTTP library takes, which is 64 KiB.
const GREAT_HEAD: usize = 60_000;

/// The one thing that is changed.
#[derive(Clone, Debug)]
pub(super) enum Mutation {
    /// One value of the JSON document: its number, and what becomes of it.
    Value(usize, NodeEdit),
    /// The bytes of the JSON document.
    Document(ByteEdit),
    /// Something else instead of the body.
    Body(&'static [u8]),
    /// A body of this many spaces.
    Spaces(usize),
    /// One query parameter.
    Query(Index, PairEdit),
    /// One header.
    Header(Index, PairEdit),
    /// One header more.
    MoreHeader(&'static str, &'static str),
    /// This many headers more.
    MoreHeaders(usize),
    /// One segment of the path.
    Segment(Index, SegmentEdit),
    Method(&'static str),
    Version(&'static str),
    /// How the body is sent.
    Framing(Framing),
    /// The bytes of the request line and the headers.
    Head(ByteEdit),
    /// The client goes away before this byte of the request.
    Cut(Index),
}

/// What becomes of a name and its value.
#[derive(Clone, Debug)]
pub(super) enum PairEdit {
    Remove,
    Repeat(usize),
    Rename(Text),
    Value(Text),
    /// The bytes of the value.
    Bytes(ByteEdit),
    /// Another pair before it.
    Before(Text, Text),
}

/// What becomes of a segment.
#[derive(Clone, Debug)]
pub(super) enum SegmentEdit {
    Remove,
    Repeat(usize),
    /// Another one instead, percent-encoded or as it is.
    Replace(Text, bool),
    /// The bytes of the segment.
    Bytes(ByteEdit),
}

/// A request that has been changed.
#[derive(Clone, Debug)]
pub(super) struct Mutated {
    pub(super) sent: Sent,
    /// The field of the JSON document that was changed, or in which the change is.
    pub(super) field: Option<String>,
    /// Whether the change can make of the request something that is not HTTP, or more than the library takes.
    pub(super) strains_http: bool,
}

/// Any mutation that makes sense for `sample`.
pub(super) fn mutation(sample: &Sample) -> Union<BoxedStrategy<Mutation>> {
    let index = any::<Index>;
    let mut kinds: Vec<(u32, BoxedStrategy<Mutation>)> = vec![
        (4, select(BODIES).prop_map(Mutation::Body).boxed()),
        (1, odd::length().prop_map(Mutation::Spaces).boxed()),
        (8, (index(), pair_edit()).prop_map(|(place, edit)| Mutation::Query(place, edit)).boxed()),
        (6, (index(), pair_edit()).prop_map(|(place, edit)| Mutation::Header(place, edit)).boxed()),
        (6, select(HEADERS).prop_map(|(name, value)| Mutation::MoreHeader(name, value)).boxed()),
        (1, select(&[50_usize, 90, 100, 5000][..]).prop_map(Mutation::MoreHeaders).boxed()),
        (6, (index(), segment_edit()).prop_map(|(place, edit)| Mutation::Segment(place, edit)).boxed()),
        (2, select(METHODS).prop_map(Mutation::Method).boxed()),
        (1, select(VERSIONS).prop_map(Mutation::Version).boxed()),
        (6, framing().prop_map(Mutation::Framing).boxed()),
        (4, patch().prop_map(Mutation::Head).boxed()),
        (2, index().prop_map(Mutation::Cut).boxed()),
    ];
    if let Some(document) = sample.document() {
        let nodes = json::nodes(document);
        kinds
            .push((60, (0..nodes, node_edit()).prop_map(|(node, edit)| Mutation::Value(node, edit)).boxed()));
        kinds.push((15, byte_edit().prop_map(Mutation::Document).boxed()));
    }
    Union::new_weighted(kinds)
}

/// Each value of the document of `sample` at each depth at which a parser may begin to refuse. One depth too many in
/// what is accepted is one that cannot be read again, and chance seldom finds it.
pub(super) fn nestings(sample: &Sample) -> Vec<Mutation> {
    let nodes = sample.document().map_or(0, json::nodes);
    let depths = (0..nodes).flat_map(|node| (116..=128).map(move |depth| (node, depth)));
    let wrap = |(node, depth)| {
        [Brackets::Array, Brackets::Object]
            .map(|brackets| Mutation::Value(node, NodeEdit::Wrap(brackets, depth)))
    };
    depths.flat_map(wrap).collect()
}

fn pair_edit() -> impl Strategy<Value = PairEdit> {
    prop_oneof![
        1 => Just(PairEdit::Remove),
        1 => select(&[2_usize, 3, 40][..]).prop_map(PairEdit::Repeat),
        2 => odd::text().prop_map(PairEdit::Rename),
        6 => odd::text().prop_map(PairEdit::Value),
        3 => byte_edit().prop_map(PairEdit::Bytes),
        2 => (odd::text(), odd::text()).prop_map(|(name, value)| PairEdit::Before(name, value)),
    ]
}

fn segment_edit() -> impl Strategy<Value = SegmentEdit> {
    prop_oneof![
        1 => Just(SegmentEdit::Remove),
        1 => select(&[2_usize, 3, 1000][..]).prop_map(SegmentEdit::Repeat),
        8 => (odd::text(), any::<bool>()).prop_map(|(text, encoded)| SegmentEdit::Replace(text, encoded)),
        4 => byte_edit().prop_map(SegmentEdit::Bytes),
    ]
}

impl Mutation {
    /// The request of `sample` with this change.
    pub(super) fn apply(&self, route: &RouteInfo, sample: &Sample) -> Mutated {
        let mut message = Message::new(route, sample);
        let mut field = None;
        match self {
            Self::Value(node, edit) => {
                let document = sample.document().expect("chosen among the values of a document");
                let (text, named) = json::edited(document, *node, edit);
                field = named;
                message.replace_document(sample, text.into_bytes());
            }
            Self::Document(edit) => {
                let document = sample.document().expect("chosen for a document").to_string();
                message.replace_document(sample, edit.apply(document.as_bytes()));
            }
            Self::Body(body) => message.body = Some(body.to_vec()),
            Self::Spaces(count) => message.body = Some(vec![b' '; *count]),
            Self::Query(place, edit) => edit.apply(&mut message.query, *place, encode),
            Self::Header(place, edit) => edit.apply(&mut message.headers, *place, str::to_owned),
            Self::MoreHeader(name, value) => message.headers.push(((*name).to_owned(), (*value).to_owned())),
            Self::MoreHeaders(count) => {
                message.headers.extend((0..*count).map(|number| (format!("X-{number}"), "x".to_owned())));
            }
            Self::Segment(place, edit) => edit.apply(&mut message.segments, *place),
            Self::Method(method) => message.method = (*method).to_owned(),
            Self::Version(version) => message.version = (*version).to_owned(),
            Self::Framing(framing) => message.framing = framing.clone(),
            Self::Head(_) | Self::Cut(_) => {}
        }
        let mut sent = match self {
            Self::Head(edit) => message.send(|head| edit.apply(head)),
            _ => message.whole(),
        };
        if let Self::Cut(place) = self {
            sent.bytes = cut(&sent.bytes, *place).to_vec();
            sent.ending = Ending::Cut;
        }
        let strains_http = self.strains_http() || sent.head > GREAT_HEAD;
        if strains_http && sent.ending == Ending::Whole {
            sent.ending = Ending::Unclear;
        }
        Mutated { sent, field, strains_http }
    }

    fn strains_http(&self) -> bool {
        match self {
            Self::Value(..) | Self::Document(_) | Self::Body(_) | Self::Spaces(_) => false,
            Self::Query(_, edit) => matches!(edit, PairEdit::Bytes(_)),
            Self::Segment(
                _,
                SegmentEdit::Remove | SegmentEdit::Repeat(_) | SegmentEdit::Replace(_, true),
            ) => false,
            Self::Framing(framing) => !matches!(framing, Framing::Packed(_) | Framing::Bomb(_)),
            _ => true,
        }
    }
}

impl Message {
    fn replace_document(&mut self, sample: &Sample, text: Vec<u8>) {
        if sample.body.is_some() {
            self.body = Some(text);
            return;
        }
        for (name, value) in &mut self.query {
            if name == "payload" {
                *value = encode_bytes(&text);
            }
        }
    }
}

impl PairEdit {
    fn apply(&self, pairs: &mut Vec<(String, String)>, place: Index, encode: impl Fn(&str) -> String) {
        let place = place.index(pairs.len());
        let (name, value) = pairs[place].clone();
        let replacement = match self {
            Self::Remove => Vec::new(),
            Self::Repeat(count) => vec![(name, value); *count],
            Self::Rename(text) => vec![(encode(&text.content()), value)],
            Self::Value(text) => vec![(name, encode(&text.content()))],
            Self::Bytes(edit) => vec![(name, lossy(&edit.apply(value.as_bytes())))],
            Self::Before(other, text) => {
                vec![(encode(&other.content()), encode(&text.content())), (name, value)]
            }
        };
        pairs.splice(place..=place, replacement);
    }
}

impl SegmentEdit {
    fn apply(&self, segments: &mut Vec<String>, place: Index) {
        let place = place.index(segments.len());
        let segment = segments[place].clone();
        let replacement = match self {
            Self::Remove => Vec::new(),
            Self::Repeat(count) => vec![segment; *count],
            Self::Replace(text, true) => vec![encode(&text.content())],
            Self::Replace(text, false) => vec![text.content()],
            Self::Bytes(edit) => vec![lossy(&edit.apply(segment.as_bytes()))],
        };
        segments.splice(place..=place, replacement);
    }
}

/// Parts of a head are texts here: bytes that are no text stand as what replaces them, and `Mutation::Head` sends
/// such bytes as they are.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
