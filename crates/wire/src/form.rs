//! Form encoding: path segments and query strings (v2 1.1, 1.4).

use percent_encoding::percent_decode_str;

/// One path segment or query value: `+` is a space, `%XX` a byte.
///
/// Answers `None` when the bytes are not UTF-8 or hold U+0000.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    (!decoded.contains('\0')).then(|| decoded.into_owned())
}

/// The parameters of a query string in any order; the first of a name counts.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string. A parameter that cannot be decoded is as good as absent.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        });
        Self(pairs.collect())
    }

    /// The value of a parameter; an empty one is absent (v2 1.4).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_form_decoded() {
        for (text, decoded) in
            [("a+b", "a b"), ("a%2Bb", "a+b"), ("x%40y", "x@y"), ("a%2Fb", "a/b"), ("%C3%BC", "ü")]
        {
            assert_eq!(decode(text).as_deref(), Some(decoded));
        }
        assert_eq!(decode("%ff"), None);
        assert_eq!(decode("%00"), None);
        assert_eq!(decode("100%").as_deref(), Some("100%"));
    }

    #[test]
    fn empty_parameters_are_absent() {
        let query = Query::parse("a=1&b=&c&d=%7B%22x%22%3A1%7D&a=2");
        assert_eq!(query.get("a"), Some("1"));
        assert_eq!((query.get("b"), query.get("c"), query.get("e")), (None, None, None));
        assert_eq!(query.get("d"), Some(r#"{"x":1}"#));
    }
}
