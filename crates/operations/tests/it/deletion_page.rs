//! `docs/deletion.md` holds what the table of deletions says.

use std::{env, fs};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/deletion.md");
const BEGIN: &str = "<!-- generated -->\n";
const END: &str = "<!-- end of generated -->\n";

#[test]
fn the_page_of_deletions_is_what_the_table_says() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{}\n{END}{after}", model::deletion_page());
    if env::var_os("HEADWATER_UPDATE").is_some() {
        fs::write(PAGE, &expected).unwrap();
        return;
    }
    assert!(
        page == expected,
        "docs/deletion.md is stale; run the test with HEADWATER_UPDATE=1 to rewrite it"
    );
}
