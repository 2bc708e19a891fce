//! Form encoding: path segments and query strings (v2 1.1, 1.4).

use std::borrow::Cow;

use model::Invalid;
use percent_encoding::percent_decode_str;

/// One path segment or query value: `+` is a space, `%XX` a byte.
///
/// Answers `None` when the bytes are not UTF-8 or hold U+0000.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    let spaced = if text.contains('+') { text.replace('+', " ").into() } else { Cow::Borrowed(text) };
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    (!decoded.contains('\0')).then(|| decoded.into_owned())
}

/// The parameters of a query string in any order; the first of a name counts.
#[derive(Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
    unreadable: Option<String>,
}

impl Query {
    /// Reads a query string.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => query.pairs.push((name, value)),
                (name, _) => query.unreadable = query.unreadable.or_else(|| Some(name.unwrap_or_default())),
            }
        }
        query
    }

    /// Checks that every parameter could be decoded: one that could not must not pass for one that is absent.
    ///
    /// # Errors
    /// The first that could not.
    pub fn check(&self) -> Result<(), Invalid> {
        match &self.unreadable {
            None => Ok(()),
            Some(name) => {
                let name = if name.is_empty() { "the query string" } else { name };
                Err(Invalid::new(name, "must be UTF-8 without U+0000, percent-encoded"))
            }
        }
    }

    /// The value of a parameter; an empty one is absent (v2 1.4).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value of a parameter that is a switch.
    ///
    /// # Errors
    /// When it is neither `true` nor `false`.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Invalid> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Invalid::new(name, "must be true or false")),
        }
    }

    /// The value of a parameter that is a count.
    ///
    /// # Errors
    /// When it is not a whole number from 0 up.
    pub fn count(&self, name: &str) -> Result<Option<usize>, Invalid> {
        let count = self.get(name).map(str::parse).transpose();
        count.map_err(|_| Invalid::new(name, "must be a whole number from 0 up"))
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
        assert!(query.check().is_ok());
        assert_eq!(Query::parse("a=1&payload=%ff").check().unwrap_err().field, "payload");
        assert_eq!(Query::parse("%00=1").check().unwrap_err().field, "the query string");
    }
}
