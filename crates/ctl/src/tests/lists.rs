//! Lists that come in pages.

use serde_json::{Value, json};

use super::{
    run,
    server::{Seen, Server, json as answer},
};

/// So many alarms, or clients by a cursor.
fn subscription(place: u64) -> Value {
    json!({
        "clientid": format!("robot-{place}"), "node": "n", "topic": "a/#", "qos": 1, "nl": 0, "rap": 1, "rh": 2, "durable": false
    })
}

fn parameter(seen: &Seen, name: &str) -> String {
    let query = seen.target.split_once('?').unwrap().1;
    let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_default().to_owned()
}

/// A node with so many subscriptions, whose cursor is how many were shown.
fn node(total: u64) -> Server {
    Server::start(move |seen| {
        let limit: u64 = parameter(seen, "limit").parse().unwrap();
        let from: u64 = parameter(seen, "cursor").parse().unwrap_or_default();
        let to = total.min(from + limit);
        let data: Vec<Value> = (from..to).map(subscription).collect();
        let meta = json!({ "limit": limit, "hasnext": to < total, "cursor": to.to_string() });
        answer(200, &json!({ "data": data, "meta": meta }))
    })
}

#[test]
fn all_of_a_list_comes_page_by_page() {
    let server = node(2_500);
    let text = run(&server.url(), &["subscriptions", "--all"]).fine();
    assert_eq!(text.lines().count(), 2_501);
    assert!(text.ends_with("robot-2499  a/#       1  retain-as-published,no-retained\n"));
    assert_eq!(
        server.lines(),
        ["none", "1000", "2000"]
            .map(|at| format!("GET /api/v5/subscriptions?limit=1000&cursor={at}"))
    );
    let text = run(&server.url(), &["subscriptions", "--all", "--json"]).fine();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!((all.len(), &all[2_499]["clientid"]), (2_500, &json!("robot-2499")));
}

#[test]
fn a_limit_is_kept_and_more_is_mentioned() {
    let server = node(2_500);
    let ran = run(&server.url(), &["subscriptions", "--limit", "1200"]);
    assert_eq!(ran.text.lines().count(), 1_201);
    assert_eq!(ran.notes, "there are more: --limit or --all shows them\n");
    assert_eq!(server.lines().len(), 2);
    let ran = run(&server.url(), &["subscriptions", "--limit", "2500"]);
    assert_eq!((ran.text.lines().count(), ran.notes.as_str()), (2_501, ""));
}

#[test]
fn an_empty_list_is_titles_or_an_empty_array() {
    let server = node(0);
    assert_eq!(
        run(&server.url(), &["subscriptions"]).fine(),
        "CLIENT  FILTER  QOS  OPTIONS  TENANT\n"
    );
    assert_eq!(run(&server.url(), &["subscriptions", "--json"]).fine(), "[]\n");
}

#[test]
fn pages_may_be_numbered() {
    let server = Server::start(|seen| {
        let page: u64 = parameter(seen, "page").parse().unwrap();
        let alarm = json!({ "node": "n", "name": format!("alarm-{page}"), "message": "m", "activate_at": null });
        let meta = json!({ "page": page, "limit": 1, "hasnext": page < 3 });
        answer(200, &json!({ "data": [alarm], "meta": meta }))
    });
    let text = run(&server.url(), &["alarms", "--all"]).fine();
    let names: Vec<_> = text.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["alarm-1", "alarm-2", "alarm-3"]);
}

#[test]
fn a_list_that_does_not_go_on_ends() {
    let server = Server::start(|_| {
        let meta = json!({ "limit": 1, "hasnext": true, "cursor": "here" });
        answer(200, &json!({ "data": [subscription(1)], "meta": meta }))
    });
    let failure = run(&server.url(), &["subscriptions", "--all"]).failure();
    assert!(failure.contains("the same page comes again and again"), "{failure}");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn what_clients_call_themselves_steers_no_terminal() {
    let hostile = "a\u{1b}]0;x\u{7}\u{202e}\n";
    let server = Server::start(move |_| {
        let mut one = subscription(1);
        one["clientid"] = json!(hostile);
        answer(200, &json!({ "data": [one], "meta": { "limit": 1, "hasnext": false } }))
    });
    let text = run(&server.url(), &["subscriptions"]).fine();
    assert!(text.contains("a\\u{1b}]0;x\\u{7}\\u{202e}\\n  a/#"), "{text:?}");
    let text = run(&server.url(), &["subscriptions", "--json"]).fine();
    assert!(text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{text:?}");
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all[0]["clientid"], hostile);
}
