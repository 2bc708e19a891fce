//! The known name that somebody who mistyped most likely meant.

/// The name among `known` that is nearest to `name`, unless none is near.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    /// Below this, words of a similar length that have nothing to do with each other begin to match.
    const NEAR: f64 = 0.6;
    let name = normal(name);
    known
        .into_iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(&name, &normal(known)), known))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, known)| known)
}

/// Case and the choice between `-` and `_` are the likeliest mistakes and say nothing about what was meant.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(nearest(name, ["listen", "admin-listen", "data-dir", "QueryUsers"]), expected, "{name}");
    }

    #[test]
    fn typing_mistakes_are_understood() {
        check("listne", Some("listen"));
        check("data_dir", Some("data-dir"));
        check("datadir", Some("data-dir"));
        check("queryuser", Some("QueryUsers"));
        check("admin", None);
        check("zebra", None);
    }
}
