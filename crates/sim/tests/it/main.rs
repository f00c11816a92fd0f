//! Seeds pass, a seed repeats itself, planted bugs are found.

use plexus_sim::{Canary, Plan, Plant, Story, run};

fn violation(plan: &Plan) -> Option<String> {
    let outcome = run(plan, &mut Story::silent());
    outcome.violation.map(|violation| format!("seed {}: {violation}", plan.seed))
}

#[test]
fn sixty_seeds_keep_every_promise() {
    let broken: Vec<_> = (0..60).filter_map(|seed| violation(&Plan::new(seed))).collect();
    assert!(broken.is_empty(), "replay with `sim --seed`: {broken:#?}");
}

#[test]
fn a_seed_repeats_itself_and_others_differ() {
    let hash = |seed| run(&Plan::new(seed), &mut Story::silent()).hash;
    for seed in [0, 1, 2, 3] {
        assert_eq!(hash(seed), hash(seed), "seed {seed}");
        assert_ne!(hash(seed), hash(seed + 100), "seed {seed}");
    }
}

#[test]
fn a_story_that_is_told_is_the_same_story() {
    let mut told = Story::told();
    let outcome = run(&Plan::new(5), &mut told);
    assert_eq!(outcome.hash, run(&Plan::new(5), &mut Story::silent()).hash);
    assert_eq!(told.take_lines().len() as u64, outcome.events);
}

fn is_found(canary: Canary, invariants: &[&str]) {
    let caught = (0..200).find_map(|seed| {
        let plan = Plan::new(seed).with_canary(canary);
        run(&plan, &mut Story::silent()).violation
    });
    let caught = caught.expect("the planted bug was not found");
    assert!(invariants.contains(&caught.invariant), "{caught}");
}

#[test]
fn a_lost_message_is_found() {
    is_found(Canary::LosesRemote, &["qos1_not_lost"]);
}

#[test]
fn a_repeated_message_is_found() {
    is_found(Canary::RepeatsRemote, &["qos2_not_duplicated"]);
}

#[test]
fn an_old_retained_message_is_found() {
    // Whoever has got a newer one live is led back.
    is_found(Canary::KeepsOldRetained, &["retained_last_write", "publisher_order"]);
}

/// With a log, crashes and a failing disk.
#[test]
fn planted_bugs_of_the_log_are_found() {
    type Planted = (&'static str, fn(Plan) -> Plan, &'static [&'static str]);
    let plans: [Planted; 6] = [
        (
            "acknowledges early",
            |plan| plan.with_canary(Canary::AcknowledgesEarly),
            &["qos1_not_lost", "retained_last_write", "subscriptions_kept", "session_kept"],
        ),
        (
            "skips subscriptions",
            |plan| plan.with_canary(Canary::SkipsSubscriptions),
            &["subscriptions_kept"],
        ),
        (
            "skips queued messages",
            |plan| plan.with_canary(Canary::SkipsQueued),
            &["qos1_not_lost", "shared_one_member", "will_as_specified"],
        ),
        (
            "forgets QoS 2 identifiers",
            |plan| plan.with_canary(Canary::ForgetsAccepted),
            &["qos2_not_duplicated"],
        ),
        (
            "acknowledges before the sync",
            |plan| plan.with_plant(Plant::AcknowledgeBeforeSync),
            &[
                "starts",
                "qos1_not_lost",
                "session_kept",
                "subscriptions_kept",
                "retained_last_write",
            ],
        ),
        (
            "deletes living segments",
            |plan| plan.with_plant(Plant::DeleteLiving),
            &["readable", "starts", "cleans"],
        ),
    ];
    for (name, plant, invariants) in plans {
        // Only what the same seed does not show without the bug was found by it.
        let found = (0..300).find_map(|seed| {
            let plan = Plan::new(seed).with_log();
            let violation = run(&plant(plan.clone()), &mut Story::silent()).violation?;
            let is_its_own = invariants.contains(&violation.invariant);
            (is_its_own && self::violation(&plan).is_none()).then_some(())
        });
        assert!(found.is_some(), "{name}: not found");
    }
}

#[test]
fn sixty_seeds_with_a_log_keep_every_promise() {
    let plans = (0..60).map(|seed| Plan::new(seed).with_log());
    let broken: Vec<_> = plans.filter_map(|plan| violation(&plan)).collect();
    assert!(broken.is_empty(), "replay with `sim --log --seed`: {broken:#?}");
}

#[test]
fn a_seed_with_a_log_repeats_itself() {
    let hash = |seed| run(&Plan::new(seed).with_log(), &mut Story::silent()).hash;
    for seed in [0, 1, 2, 3] {
        assert_eq!(hash(seed), hash(seed), "seed {seed}");
    }
}
