use super::*;

const ROWS: &[Row] = &[
    ("/assets/index-abc.js", true, b"packed"),
    ("/index.html", false, b"<!doctype html>"),
    ("/mark.svg", true, b"packed"),
    ("/notes.unheard", false, b"?"),
];

#[test]
fn a_file_is_found_with_its_type() {
    let script = find(ROWS, "/assets/index-abc.js").expect("a script");
    assert_eq!(script.content_type, "text/javascript; charset=utf-8");
    assert!(script.is_gzip && script.is_immutable);
    let mark = find(ROWS, "/mark.svg").expect("a drawing");
    assert_eq!(mark.content_type, "image/svg+xml");
    assert!(!mark.is_immutable);
    let other = find(ROWS, "/notes.unheard").expect("a file");
    assert_eq!(other.content_type, "application/octet-stream");
}

#[test]
fn pages_of_the_dashboard_get_its_first_page() {
    for path in ["/", "/clients", "/clients/detail", ""] {
        let page = find(ROWS, path).expect("the page");
        assert_eq!(page.bytes, b"<!doctype html>", "{path}");
        assert!(!page.is_immutable && !page.is_gzip);
    }
}

#[test]
fn what_is_not_there_is_not_made_up() {
    for path in ["/favicon.ico", "/assets/gone.js", "/../Cargo.toml", "/assets/../index.html"] {
        assert_eq!(find(ROWS, path), None, "{path}");
    }
}

#[test]
fn there_is_always_a_page() {
    let page = asset("/").expect("a page");
    assert_eq!(page.content_type, "text/html; charset=utf-8");
    assert!(page.bytes.starts_with(b"<!doctype html>"));
    let missing = find(MISSING, "/").expect("a page");
    assert!(String::from_utf8_lossy(missing.bytes).contains("npm run build"));
}
