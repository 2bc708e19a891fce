//! Reading a body: bounded in bytes and in time, packed or not, with or without a length.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use hyper::header::CONTENT_ENCODING;
use hyper::{HeaderMap, StatusCode};
use wire::error::Code;

use crate::refusal::Refusal;

/// The whole body, unpacked: at most `most` bytes, packed and unpacked, within `patience`.
pub(crate) async fn read<B>(
    body: B,
    headers: &HeaderMap,
    most: usize,
    patience: Duration,
) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let collected = tokio::time::timeout(patience, Limited::new(body, most).collect()).await;
    let bytes = match collected {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large(most)),
        Ok(Err(_)) => return Err(input("the body could not be read to its end")),
        Err(_) => {
            let reason = format!("the body did not arrive within {} s", patience.as_secs());
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, Code::Timeout, reason));
        }
    };
    if bytes.is_empty() {
        return Ok(bytes);
    }
    match headers.get(CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap_or_default()) {
        None | Some("" | "identity") => Ok(bytes),
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => unpack(&bytes, most),
        Some(_) => Err(input("the header Content-Encoding must be gzip or identity")),
    }
}

fn unpack(packed: &[u8], most: usize) -> Result<Bytes, Refusal> {
    let mut unpacked = Vec::new();
    // One byte more than allowed tells a body that is too large from one that fits exactly.
    let mut decoder = MultiGzDecoder::new(packed).take(most as u64 + 1);
    decoder.read_to_end(&mut unpacked).map_err(|_| input("the body is not valid gzip"))?;
    if unpacked.len() > most {
        return Err(too_large(most));
    }
    Ok(unpacked.into())
}

fn input(reason: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, Code::Input, reason)
}

fn too_large(most: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Code::PayloadTooBig,
        format!("the body may have at most {most} bytes"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_packed_body_is_bounded_unpacked() {
        assert_eq!(unpack(&pack(&[b' '; 100]), 100).unwrap().len(), 100);
        assert_eq!(unpack(&pack(&[b' '; 101]), 100).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(unpack(b"not packed", 100).unwrap_err().status, StatusCode::BAD_REQUEST);
        assert_eq!(unpack(&pack(b"cut short")[..20], 100).unwrap_err().status, StatusCode::BAD_REQUEST);
    }
}
