use super::*;
use crate::tidy::said;

const REGISTRY: &str = "registry+https://example.org/index";

fn outside(name: &str, version: &str, license: &str, source: &str) -> Outside {
    Outside {
        name: name.to_owned(),
        version: version.to_owned(),
        license: license.to_owned(),
        source: source.to_owned(),
    }
}

#[test]
fn licences_bans_sources_and_second_versions() {
    let rules = "[licenses]\nallow = [\"MIT\"]\n\
                 [bans]\nskip = [{ crate = \"b@1\", reason = \"r\" }]\n\
                 deny = [{ crate = \"ring\", reason = \"aws-lc-rs\" }]\n\
                 [sources]\nallow-registry = [\"https://example.org/index\"]\n";
    let workspace = Workspace {
        outside: vec![
            outside("a", "1.0.0", "MIT", REGISTRY),
            outside("a", "2.0.0", "MIT", REGISTRY),
            outside("b", "1.0.0", "MIT", REGISTRY),
            outside("b", "2.0.0", "MIT", REGISTRY),
            outside("c", "1.0.0", "GPL-3.0", REGISTRY),
            outside("d", "1.0.0", "MIT", "git+https://example.org/d"),
            outside("ring", "1.0.0", "MIT", REGISTRY),
        ],
        ..Workspace::default()
    };
    assert_eq!(
        said(check, &Tree::of(&[("deny.toml", rules)]), &workspace),
        [
            "Cargo.lock:1: `c` is under `GPL-3.0`; use one that deny.toml allows",
            "Cargo.lock:1: `d` comes from `git+https://example.org/d`; use a registry of deny.toml",
            "Cargo.lock:1: `ring` is banned in deny.toml; use what it says: aws-lc-rs",
            "Cargo.lock:1: `a` comes in versions 1.0.0 and 2.0.0; use one, or name it with its \
             reason in deny.toml",
        ]
    );
}

#[test]
fn licence_expressions_are_met_or_not() {
    let allowed = ["MIT".to_owned(), "Unicode-3.0".to_owned(), "A WITH B".to_owned()];
    let met = [
        "MIT",
        "MIT/GPL-3.0",
        "GPL-3.0 OR MIT",
        "(GPL-3.0 OR MIT) AND Unicode-3.0",
        "((MIT))",
        "A WITH B OR GPL-3.0",
    ];
    for expression in met {
        assert!(is_allowed(expression, &allowed, DEPTH_MAX), "{expression}");
    }
    let unmet = ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT AND GPL-3.0) OR GPL-2.0", "A", "(MIT"];
    for expression in unmet {
        assert!(!is_allowed(expression, &allowed, DEPTH_MAX), "{expression}");
    }
    let deep = format!("{}MIT{}", "(".repeat(100), ")".repeat(100));
    assert!(!is_allowed(&deep, &allowed, DEPTH_MAX));
}
