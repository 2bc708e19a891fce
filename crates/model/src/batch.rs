//! What a request asks for many users at once, refused at the first that cannot be.

use crate::Invalid;

/// The items of a request in its order, up to the first that is refused by itself.
///
/// The first error in the order of the request is the one that is answered (semantics 0.10): an item that cannot even
/// be read must wait for the verdict on those before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<T> {
    items: Vec<T>,
    total: usize,
    refused: Option<Invalid>,
}

impl<T> Batch<T> {
    /// Reads items until one is refused. `total` is how many the request has.
    pub fn read(total: usize, items: impl IntoIterator<Item = Result<T, Invalid>>) -> Self {
        let mut batch = Self { items: Vec::new(), total, refused: None };
        for item in items {
            match item {
                Ok(item) => batch.items.push(item),
                Err(refused) => {
                    batch.refused = Some(refused);
                    break;
                }
            }
        }
        batch
    }

    /// Ends this batch before the first item that `check` refuses.
    pub fn check(&mut self, check: impl Fn(usize, &T) -> Result<(), Invalid>) {
        let refusal =
            self.items.iter().enumerate().find_map(|(place, item)| Some((place, check(place, item).err()?)));
        if let Some((place, refused)) = refusal {
            self.items.truncate(place);
            self.refused = Some(refused);
        }
    }

    /// The items before the one that is refused, or all.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// How many items the request has.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Why an item is refused, if one is.
    #[must_use]
    pub fn refused(&self) -> Option<&Invalid> {
        self.refused.as_ref()
    }
}

impl<T> From<Vec<T>> for Batch<T> {
    fn from(items: Vec<T>) -> Self {
        Self { total: items.len(), items, refused: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_before_what_is_refused() {
        let refuse = |field: &str| Invalid::new(field, "no");
        let mut batch = Batch::read(4, [Ok(1), Ok(2), Err(refuse("c")), Ok(4)]);
        assert_eq!((batch.items(), batch.total(), batch.refused()), (&[1, 2][..], 4, Some(&refuse("c"))));
        batch.check(|place, item| if *item == 2 { Err(refuse(&place.to_string())) } else { Ok(()) });
        assert_eq!((batch.items(), batch.refused()), (&[1][..], Some(&refuse("1"))));
    }
}
