//! Conditions on records that hang on users: bans and flags. All of them have to hold.

use crate::Timestamp;
use crate::filter::Range;

/// One condition; `F` names the fields that hold text.
#[derive(Clone, Debug, PartialEq)]
pub enum Criterion<F> {
    /// A field is one of these.
    Among(F, Vec<String>),
    /// A field is not set.
    Missing(F),
    /// The record was made in this time.
    Created(Range<Timestamp>),
}

impl<F: PartialEq> Criterion<F> {
    /// Whether no record can pass.
    #[must_use]
    pub fn is_impossible(&self) -> bool {
        matches!(self, Self::Among(_, values) if values.is_empty())
    }

    /// The values of which `field` is to be one.
    #[must_use]
    pub fn values_of(&self, field: F) -> Option<&[String]> {
        match self {
            Self::Among(known, values) if *known == field => Some(values),
            _ => None,
        }
    }
}
