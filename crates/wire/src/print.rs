//! JSON printed straight into bytes, for answers that are printed often: names of fields are written as they are, and
//! of texts only those that need it are escaped. serde looks at every byte of every name, once for each user.

use serde::Serialize;

/// JSON in the making.
pub(crate) struct Printer(Vec<u8>);

impl Printer {
    /// A printer with room for `bytes`.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Prints `json` as it is: brackets, commas, names of fields.
    pub(crate) fn raw(&mut self, json: &str) -> &mut Self {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// Prints a text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        // Looks at all bytes without leaving early, which the compiler turns into a few wide comparisons.
        let escaped = text.bytes().fold(false, |found, byte| found | needs_escape(byte));
        if escaped {
            return self.value(&text);
        }
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
        self
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// Prints a value that is made of JSON types only.
    pub(crate) fn value(&mut self, value: &impl Serialize) -> &mut Self {
        #[expect(
            clippy::expect_used,
            reason = "every map printed here has text for keys, and a Vec takes every byte"
        )]
        serde_json::to_writer(&mut self.0, value).expect("a JSON value");
        self
    }

    /// Prints a list, each element by `print`.
    pub(crate) fn list<T>(
        &mut self,
        elements: impl IntoIterator<Item = T>,
        mut print: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.0.push(b'[');
        for (place, element) in elements.into_iter().enumerate() {
            if place > 0 {
                self.0.push(b',');
            }
            print(self, element);
        }
        self.0.push(b']');
        self
    }

    /// What was printed.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Whether JSON, as serde prints it, escapes a byte of a text.
fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_printed_as_serde_prints_them() {
        let every_byte: String = (0..=0x17f).filter_map(char::from_u32).collect();
        for text in ["", "plain", "ü 漢 🙂", "a\"b", "a\\b", "\u{1f}", "\u{7f}", "\n", &every_byte] {
            let mut printer = Printer::with_capacity(0);
            printer.text(text);
            assert_eq!(printer.into_bytes(), serde_json::to_vec(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn lists_have_commas_between() {
        let print = |elements: &[i64]| {
            let mut printer = Printer::with_capacity(0);
            printer.list(elements, |printer, element| {
                printer.value(element);
            });
            String::from_utf8(printer.into_bytes()).unwrap()
        };
        assert_eq!([print(&[]), print(&[-1]), print(&[1, 2])], ["[]", "[-1]", "[1,2]"]);
    }
}
