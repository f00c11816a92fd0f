//! Every case of `conformance/`, played against the built broker over TCP and WebSocket.
//!
//! `PLEXUS_BIN` names the program. `PLEXUS_CONFORMANCE_ADDR=host:port` (and `PLEXUS_CONFORMANCE_WS_ADDR`)
//! plays against a broker that runs already; `PLEXUS_CONFORMANCE_ONLY=text` plays the cases with that text in
//! `theme: name`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process,
};

use plexus_conformance::{Broker, Case, Settings, Summary, load_directory, play_all};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cases() -> Vec<Case> {
    load_directory(&root().join("conformance")).unwrap_or_else(|error| panic!("{error}"))
}

fn by_profile<'a>(cases: &'a [Case], settings: &Settings) -> BTreeMap<&'a str, Vec<&'a Case>> {
    let mut profiles: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        let name = format!("{}: {}", case.theme, case.name);
        if settings.only.as_ref().is_none_or(|only| name.contains(only.as_str())) {
            profiles.entry(&case.config).or_default().push(case);
        }
    }
    profiles
}

fn play_with_own_broker(settings: &Settings, profile: &str, cases: &[&Case]) -> Summary {
    let test_binary = std::env::current_exe().unwrap();
    let program =
        settings.program(test_binary.parent().unwrap()).unwrap_or_else(|error| panic!("{error}"));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("conformance-{profile}-{}", process::id()));
    let config = root().join(format!("conformance/profiles/{profile}.toml"));
    let config = (profile != "default").then_some(config.as_path());
    let mut broker = Broker::start(&program, &directory, config)
        .unwrap_or_else(|error| panic!("profile {profile}: {error}"));
    let summary = play_all(cases, broker.addresses(), process::id());
    assert!(broker.is_running(), "the broker ended during profile {profile}:\n{summary}");
    drop(broker);
    // What is left behind by a run that failed is looked at by whoever repairs it.
    if summary.failed.is_empty() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    summary
}

#[test]
fn every_case_holds() {
    let settings = Settings::from_environment().unwrap_or_else(|error| panic!("{error}"));
    let cases = cases();
    let mut failed = String::new();
    let mut passed = 0;
    for (profile, cases) in by_profile(&cases, &settings) {
        let summary = if settings.running.is_empty() {
            play_with_own_broker(&settings, profile, &cases)
        } else if profile == settings.running_profile.as_deref().unwrap_or("default") {
            play_all(&cases, &settings.running, process::id())
        } else {
            continue;
        };
        passed += summary.passed;
        if !summary.failed.is_empty() {
            failed.push_str(&summary.to_string());
        }
    }
    assert!(failed.is_empty(), "{failed}");
    assert!(passed > 0, "no case was played");
}

#[test]
fn every_case_names_known_statements_and_its_name_is_its_own() {
    let mut known = BTreeSet::new();
    for file in ["mqtt5.toml", "mqtt311.toml"] {
        let text = std::fs::read_to_string(root().join("docs/spec").join(file)).unwrap();
        let table: toml::Table = text.parse().unwrap();
        for clause in table["clause"].as_array().unwrap() {
            known.insert(clause["id"].as_str().unwrap().to_owned());
        }
    }
    let mut names = BTreeSet::new();
    for case in cases() {
        assert!(names.insert((case.theme.clone(), case.name.clone())), "{} twice", case.name);
        assert!(!case.clauses.is_empty(), "{} proves nothing", case.name);
        for clause in &case.clauses {
            assert!(known.contains(clause), "{}: {clause} is no statement", case.name);
        }
    }
}
