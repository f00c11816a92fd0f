use super::*;

fn recipe(kind: Kind) -> Recipe {
    Recipe {
        kind,
        publishers: 3,
        subscribers: 3,
        qos: Qos::AtLeastOnce,
        subscribe_qos: None,
        retain: false,
        body: Body::of_size(64),
        user_properties: Vec::new(),
        pace: Pace::Window(5),
        messages: None,
        filters: 10,
        per_packet: 1,
        shared: false,
        keep: false,
        warm_up: Duration::from_secs(1),
        time: Duration::from_secs(5),
        topic: None,
        filter: None,
        client_id: None,
        first: 0,
        run: "abc".to_owned(),
    }
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text, Place::OF_TOPIC).unwrap()
}

#[test]
fn every_message_of_a_scenario_has_its_audience() {
    for (kind, shared, expected) in [
        (Kind::P2p, false, 1),
        (Kind::FanIn, false, 3),
        (Kind::FanIn, true, 1),
        (Kind::FanOut, false, 3),
        (Kind::Offline, false, 1),
        (Kind::Pub, false, 0),
    ] {
        let workload = Recipe { shared, ..recipe(kind) }.workload().unwrap();
        assert_eq!(workload.audience().all(), [Some(expected); 3], "{kind:?}");
    }
    let retained = recipe(Kind::Retained).workload().unwrap();
    assert_eq!(retained.audience().all(), [[Some(3); 3], [Some(0); 3]].concat());
}

#[test]
fn every_group_that_connects_leaves_again() {
    use Kind::{Conn, FanIn, FanOut, Offline, P2p, Pub, Retained, Sub, Subscribe};
    for kind in [Conn, Pub, Sub, P2p, FanIn, FanOut, Offline, Retained, Subscribe] {
        let workload = recipe(kind).workload().unwrap();
        let mut there = vec![false; workload.groups.len()];
        for step in &workload.steps {
            match step {
                Step::Connect { group, .. } | Step::Collect { group, .. } => there[*group] = true,
                Step::Leave { group, .. } => there[*group] = false,
                _ => {}
            }
        }
        assert!(!there.contains(&true), "{kind:?}");
    }
}

#[test]
fn no_two_groups_have_one_name() {
    let workload = recipe(Kind::Retained).workload().unwrap();
    let names = workload.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>();
    assert_eq!(
        names,
        ["subscribers", "publishers", "clearing"],
        "each has its own line in a report"
    );
}

#[test]
fn identifiers_differ_between_groups_and_runs() {
    let workload = recipe(Kind::P2p).workload().unwrap();
    let ids = workload.groups.iter().map(|group| group.id(0, 0)).collect::<Vec<_>>();
    assert_eq!(ids, ["bench-abc-s3", "bench-abc-p0"]);
    let own = Recipe { client_id: Some(pattern("dev-%i")), first: 10, ..recipe(Kind::P2p) };
    let workload = own.workload().unwrap();
    let ids = workload.groups.iter().map(|group| group.id(0, 0)).collect::<Vec<_>>();
    assert_eq!(ids, ["dev-13", "dev-10"], "numbers count through all groups");
}

#[test]
fn a_time_of_nothing_is_refused_where_it_is_measured() {
    let check = |kind, messages| {
        let recipe = Recipe { time: Duration::ZERO, messages, ..recipe(kind) };
        recipe.workload().unwrap().check().is_ok()
    };
    for kind in [Kind::Pub, Kind::Sub, Kind::P2p, Kind::FanIn, Kind::FanOut, Kind::Churn] {
        assert!(!check(kind, None), "{kind:?}");
    }
    for kind in [Kind::Pub, Kind::P2p, Kind::FanIn, Kind::FanOut, Kind::Offline, Kind::Retained] {
        assert!(check(kind, Some(9)), "{kind:?} is counted to its end");
    }
    assert!(check(Kind::Conn, None), "connections that leave at once");
}

#[test]
fn what_cannot_be_is_refused_with_its_mend() {
    let error = |recipe: Recipe| recipe.workload().unwrap_err();
    let id = Recipe { client_id: Some(pattern("dev")), ..recipe(Kind::Conn) };
    assert_eq!(error(id), RecipeError::ClientId);
    let topic = Recipe { topic: Some(pattern("a/b")), ..recipe(Kind::P2p) };
    assert_eq!(error(topic), RecipeError::PairTopic);
    let topic = Recipe { topic: Some(pattern("%i/%c")), ..recipe(Kind::P2p) };
    assert_eq!(error(topic), RecipeError::PairId);
    let topic = Recipe { topic: Some(pattern("a/%n")), ..recipe(Kind::Retained) };
    assert_eq!(error(topic), RecipeError::RetainedTopic);
    let qos = Recipe { qos: Qos::AtMostOnce, ..recipe(Kind::Offline) };
    assert_eq!(error(qos), RecipeError::StoredQos);
    let few = Recipe { messages: Some(2), ..recipe(Kind::Retained) };
    assert_eq!(
        error(few).to_string(),
        "3 publishers have only 2 messages; use --publishers of at most 2, or more messages"
    );
    let few = Recipe { messages: Some(2), ..recipe(Kind::P2p) };
    assert!(error(few).to_string().contains("use -n of at most 2"));
}
