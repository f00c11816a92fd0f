use std::path::Path;

use super::{ConfigError, Diagnostic, Origin, Place};

fn place(text: &str, word: &str) -> Place {
    let start = text.find(word).unwrap();
    Place::new(Path::new("p.toml"), text, start..start + word.len())
}

#[test]
fn a_place_is_counted_in_lines_and_characters() {
    let text = "a = 1\nö = \"ä\" # x\r\nlast";
    let found = place(text, "\"ä\"");
    assert_eq!((found.line, found.column, found.width), (2, 5, 3));
    assert_eq!(found.text, "ö = \"ä\" # x");
    let end = Place::new(Path::new("p.toml"), text, text.len()..text.len());
    assert_eq!((end.line, end.column, end.width), (3, 5, 1));
    let beyond = Place::new(Path::new("p.toml"), "", 7..9);
    assert_eq!((beyond.line, beyond.column, beyond.width), (1, 1, 1));
}

#[test]
fn a_span_over_lines_points_at_the_first() {
    let text = "a = [\n1,\n]\n";
    let found = Place::new(Path::new("p.toml"), text, 4..10);
    assert_eq!((found.line, found.column, found.width), (1, 5, 1));
}

#[test]
fn a_hash_in_a_line_is_masked_and_columns_stay() {
    let text = "alice = \"$argon2id$v=19$m=8,t=1,p=1$AAAA$BBBB\" oops";
    let found = place(text, "oops");
    assert_eq!(found.text, format!("alice = \"{}\" oops", "*".repeat(36)));
    assert_eq!(found.column, 48);
    assert_eq!(found.text.find("oops"), Some(47));
}

#[test]
fn mistakes_are_shown_with_place_pointer_and_mend() {
    let file = Diagnostic::new(Origin::File(place("x\n\n\tkey = 1\n", "key")), "unknown key `key`")
        .with_help("did you mean `name`?");
    let variable = Diagnostic::new(Origin::Variable("PLEXUS__X".into()), "unknown key `x`");
    let option = Diagnostic::new(Origin::Option("--listen".into()), "no host");
    let lines = [&file, &variable, &option].map(Diagnostic::line);
    assert_eq!(
        lines,
        [
            "p.toml:3: unknown key `key`; did you mean `name`?",
            "environment variable PLEXUS__X: unknown key `x`",
            "option --listen: no host",
        ]
    );
    let error = ConfigError { diagnostics: vec![file, variable, option] };
    assert_eq!(
        error.to_string(),
        "\
error: unknown key `key`
 --> p.toml:3:2
  |
3 |  key = 1
  |  ^^^
  = did you mean `name`?

error: unknown key `x`
 --> environment variable PLEXUS__X

error: no host
 --> option --listen"
    );
}
