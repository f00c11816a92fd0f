//! The cases of `conformance/`.

use std::{
    collections::{BTreeMap, BTreeSet},
    process,
};

use plexus_conformance::{Case, Settings, Summary, play_all};

use crate::ground::{OwnBroker, cases, root, settings};

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
    let mut own = OwnBroker::start(settings, profile, "cases");
    let summary = play_all(cases, own.broker.addresses(), process::id());
    assert!(own.broker.is_running(), "the broker ended during profile {profile}:\n{summary}");
    summary
}

#[test]
fn every_case_holds() {
    let settings = settings();
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
