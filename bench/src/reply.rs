//! Where a reply of a server begins and ends.

use httparse::{EMPTY_HEADER, Response, Status};

use crate::failure::Failure;

/// The most headers of a reply.
const MOST_HEADERS: usize = 32;

/// What the head of a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status.
    pub(crate) status: u16,
    /// Bytes of the head.
    pub(crate) head: usize,
    /// Bytes of head and body.
    pub(crate) whole: usize,
}

impl Head {
    /// Reads the head at the beginning of `bytes`; `None` while there is only a part of it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, Failure> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut response = Response::new(&mut headers);
        let Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
        let length = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("content-length"))
            .and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
        let (Some(length), Some(status)) = (length, response.code) else {
            return Err("a reply without a length".into());
        };
        Ok(Some(Self { status, head, whole: head + length }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_long_the_reply_is() {
        let reply = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-A: b\r\n\r\n{}";
        let head = reply.len() - 2;
        for end in 0..head {
            assert_eq!(Head::parse(&reply[..end]).unwrap(), None, "{end}");
        }
        let expected = Head { status: 201, head, whole: reply.len() };
        assert_eq!(Head::parse(&reply[..head]).unwrap(), Some(expected));
        assert_eq!(Head::parse(reply).unwrap(), Some(expected));
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(Head::parse(b"SSH-2.0\r\n").is_err());
    }
}
