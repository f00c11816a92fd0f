//! Each operation has a command, and each command asks for what it is to ask for.

use std::collections::BTreeSet;

use clap::CommandFactory;
use plexus_api_model::operations;
use serde_json::{Value, json};

use super::{
    Cli, Folder, run, run_in,
    sample::{operation, takes_body, yes},
    server::{Server, json as answer, refusal},
};

const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuuW6hSbY0sUzYzQ1oFKKsTQ2sA6nMl0eK";

/// A command line for each operation. `PASSWORD` stands for a file with a password, `OLD` for one with another, `NAMES` for one
/// with two names, `MESSAGES` for one with two messages.
const LINES: &[(&str, &str)] = &[
    ("login", "login --user eve --password-file PASSWORD"),
    ("logout", "logout"),
    ("status", "status"),
    ("list_nodes", "nodes"),
    ("stats", "stats"),
    ("metrics", "metrics"),
    ("prometheus", "metrics --prometheus"),
    ("monitor_current", "rates"),
    ("list_listeners", "listeners"),
    ("list_alarms", "alarms"),
    ("list_clients", "clients list --search robot"),
    ("get_client", "clients show robot-7 --tenant acme"),
    ("client_subscriptions", "clients subscriptions robot-7"),
    ("kick_client", "clients kick robot-7"),
    ("kick_clients", "clients kick --file NAMES --yes"),
    ("list_subscriptions", "subscriptions --matches a/b"),
    ("publish", "publish a/b hello --qos 1"),
    ("publish_bulk", "publish --bulk MESSAGES"),
    ("kick_client", "kick robot-7"),
    ("subscribe_client", "clients subscribe robot-7 a/# --qos 1 --no-local"),
    ("subscribe_client_bulk", "clients subscribe robot-7 a/# b/#"),
    ("unsubscribe_client", "clients unsubscribe robot-7 a/#"),
    ("unsubscribe_client_bulk", "clients unsubscribe robot-7 a/# b/#"),
    ("client_queue", "clients queue robot-7 --payload 100"),
    ("client_inflight", "clients inflight robot-7"),
    ("list_topics", "topics list"),
    ("get_topic", "topics show a/#"),
    ("topic_tree", "topics tree a/b"),
    ("list_retained", "retained list --filter a/#"),
    ("get_retained", "retained show a/b"),
    ("delete_retained", "retained delete a/b --yes"),
    ("explain_publish", "explain publish a/b --client-id robot-7"),
    ("explain_access", "explain access subscribe a/#"),
    ("explain_client", "explain client robot-7"),
    ("live_messages", "live messages --topic a/# --count 1"),
    ("live_topics", "live topics --count 1"),
    ("live_events", "live events --last 10 --count 1"),
    ("list_topic_metrics", "counts list"),
    ("count_topic", "counts add plant/a"),
    ("reset_topic_metrics", "counts reset plant/a"),
    ("get_topic_metrics", "counts show plant/a --tenant acme"),
    ("delete_topic_metrics", "counts remove plant/a"),
    ("list_slow_subscriptions", "slow list"),
    ("clear_slow_subscriptions", "slow clear"),
    ("get_slow_subscriptions_settings", "slow settings"),
    ("set_slow_subscriptions_settings", "slow on --threshold 100ms --by response"),
    ("set_slow_subscriptions_settings", "slow off"),
    ("list_authenticators", "accounts status"),
    ("get_authenticator", "accounts status users"),
    ("list_accounts", "accounts list --like ann"),
    ("get_account", "accounts show ann --tenant acme"),
    ("create_account", "accounts add ann --password-file PASSWORD --superuser"),
    ("update_account", "accounts update ann --superuser false"),
    ("delete_account", "accounts delete ann --yes"),
    ("import_accounts", "accounts import USERS --scheme bcrypt"),
    ("list_rule_sources", "rules sources"),
    ("list_rules", "rules list clients --like robot"),
    ("add_rules", "rules add user ann --file RULES"),
    ("get_rules", "rules show client robot-7"),
    ("set_rules", "rules set user ann --file RULES"),
    ("delete_rules", "rules delete user ann --yes"),
    ("get_rules_of_all", "rules show all"),
    ("set_rules_of_all", "rules set all --file RULES"),
    ("delete_rules_of_all", "rules delete all --yes"),
    ("list_banned", "ban list"),
    ("ban", "ban add client robot-7 --reason stolen --until 2027-01-31T00:00:00Z"),
    ("unban", "ban remove network 10.1.0.0/16"),
    ("unban_all", "ban clear --yes"),
    ("monitor", "history --latest 60"),
    ("list_traces", "trace list"),
    ("begin_trace", "trace add slow client robot-7"),
    ("stop_trace", "trace stop slow"),
    ("delete_trace", "trace delete slow --yes"),
    ("trace_log", "trace show slow"),
    ("download_trace", "trace download slow"),
    ("get_configs", "config show"),
    ("get_configs", "config show mqtt"),
    ("change_configs", "config set mqtt.max_inflight=64 --against 3"),
    ("config_changes", "config changes"),
    ("config_history", "config history"),
    ("roll_back_configs", "config rollback 2 --against 3 --yes"),
    ("list_audit", "audit --kind admin"),
    ("export_data", "export"),
    ("import_data", "import BACKUP --yes --replace"),
    ("begin_mfa", "users totp begin eve"),
    ("confirm_mfa", "users totp confirm eve 123456"),
    ("end_mfa", "users totp end eve --yes"),
    ("list_users", "users list"),
    ("create_user", "users add bob --password-file PASSWORD"),
    ("update_user", "users update bob --role publisher"),
    ("delete_user", "users delete bob --yes"),
    ("change_password", "users password eve --old-password-file OLD --password-file PASSWORD"),
    ("list_api_keys", "keys list"),
    ("create_api_key", "keys add line-3 --role publisher --expires 2027-01-31T00:00:00Z"),
    ("get_api_key", "keys show line-3"),
    ("update_api_key", "keys update line-3 --disable"),
    ("delete_api_key", "keys delete line-3 --yes"),
];

/// Runs one of them, with the files that it names.
fn words(folder: &Folder, line: &str) -> Vec<String> {
    let messages = r#"[{"topic": "a", "payload": "1"}, {"topic": "b", "payload": "2"}]"#;
    let word = |word: &str| match word {
        "PASSWORD" => folder.file("password", "a good one\n"),
        "OLD" => folder.file("old", "another\n"),
        "NAMES" => folder.file("names", "r1\nr2\n"),
        "BACKUP" => folder.file("backup", r#"{"version": 1, "node": "n"}"#),
        "RULES" => folder.file("rules", r#"[{"permission": "allow", "topic": "a/#"}]"#),
        "USERS" => folder.file("users.csv", format!("user_id,password_hash\nann,{BCRYPT}\n")),
        "MESSAGES" => folder.file("messages", messages),
        other => other.to_owned(),
    };
    line.split(' ').map(word).collect()
}

#[test]
fn every_operation_has_a_command() {
    let server = Server::start(yes);
    let folder = Folder::new();
    let around = folder.around();
    for (id, line) in LINES {
        // Whoever has logged out is to be logged in for what comes then.
        let _ = run_in(&around, &server.url(), &as_words(&words(&folder, LINES[0].1))).fine();
        let before = server.seen().len();
        let ran = run_in(&around, &server.url(), &as_words(&words(&folder, line)));
        assert!(ran.result.is_ok(), "{line}: {ran:?}");
        let seen = server.seen().split_off(before);
        let asked: BTreeSet<_> =
            seen.iter().filter_map(operation).map(|operation| operation.outline().id).collect();
        assert_eq!(asked, BTreeSet::from([*id]), "{line}: {seen:?}");
    }
    let commanded: BTreeSet<_> = LINES.iter().map(|(id, _)| *id).collect();
    let all: BTreeSet<_> = operations::ALL.iter().map(|operation| operation.outline().id).collect();
    assert_eq!(
        commanded, all,
        "add a command to `commands` and its line to LINES for each operation that is missing here"
    );
}

#[test]
fn every_command_prints_json_that_is_what_the_api_said() {
    let folder = Folder::new();
    // What is no document of JSON has tests of its own.
    let other = [
        "login",
        "logout",
        "prometheus",
        "live_messages",
        "live_topics",
        "live_events",
        "trace_log",
        "download_trace",
    ];
    for (id, line) in LINES.iter().filter(|(id, _)| !other.contains(id)) {
        let server = Server::start(yes);
        let mut words = words(&folder, line);
        words.push("--json".to_owned());
        let text = run(&server.url(), &as_words(&words)).fine();
        let Some(first) = server.seen().into_iter().next() else {
            panic!("{line}: nothing was asked")
        };
        let said = String::from_utf8(yes(&first)).unwrap();
        let said = said.split_once("\r\n\r\n").unwrap().1;
        if said.is_empty() {
            assert_eq!(text, "", "{id}");
            continue;
        }
        let said: Value = serde_json::from_str(said).unwrap();
        let said = if said.get("meta").is_some() { said["data"].clone() } else { said };
        let printed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(without_nothing(printed), without_nothing(said), "{id}");
    }
}

/// Without what is null: a list is written anew, and says nothing of what there is not.
fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(parts) => {
            let there = parts.into_iter().filter(|(_, part)| !part.is_null());
            there.map(|(name, part)| (name, without_nothing(part))).collect()
        }
        Value::Array(parts) => parts.into_iter().map(without_nothing).collect(),
        other => other,
    }
}

fn as_words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn every_command_is_tried() {
    fn leaves(command: &clap::Command, before: &str, found: &mut Vec<String>) {
        let name = format!("{before}{} ", command.get_name());
        if !command.has_subcommands() {
            found.push(name.trim_end().to_owned());
        }
        for part in command.get_subcommands() {
            leaves(part, &name, found);
        }
    }
    let mut found = Vec::new();
    for command in Cli::command().get_subcommands() {
        leaves(command, "", &mut found);
    }
    for command in found {
        let is_tried =
            LINES.iter().any(|(_, line)| format!("{line} ").starts_with(&format!("{command} ")));
        assert!(is_tried, "{command}: add a line to LINES");
    }
    Cli::command().debug_assert();
}

#[test]
fn what_is_given_stands_where_the_api_wants_it() {
    let server = Server::start(yes);
    let lines = [
        "clients list --client-id a --client-id b&c --state disconnected --mqtt 3.1.1 --limit 5",
        "clients show a/../b --tenant acme",
        "subscriptions --filter $share/g/a/# --qos 0",
        "publish a/b --user-property k=v=w --expiry 7 --retain",
    ];
    for line in lines {
        run(&server.url(), &line.split(' ').collect::<Vec<_>>()).fine();
    }
    assert_eq!(
        server.lines(),
        [
            "GET /api/v5/clients?limit=5&cursor=none&clientid=a&clientid=b%26c&conn_state=disconnected&proto_ver=4",
            "GET /api/v5/clients/a%2F..%2Fb?tenant=acme",
            "GET /api/v5/subscriptions?limit=100&cursor=none&topic=%24share%2Fg%2Fa%2F%23&qos=0",
            "POST /api/v5/publish",
        ]
    );
    let seen = server.seen();
    let publication = seen.last().unwrap();
    assert_eq!(publication.json()["properties"]["user_properties"], json!({ "k": "v=w" }));
    assert_eq!(publication.json()["properties"]["message_expiry_interval"], 7);
    assert_eq!(publication.json()["payload"], "");
    // The key is shown as name and password.
    assert!(
        seen.iter().all(|seen| seen.head.contains("authorization: Basic a2V5OnNlY3JldA==\r\n"))
    );
    for seen in &seen {
        let method = operation(seen).unwrap().outline().method;
        assert_eq!(!seen.body.is_empty(), takes_body(method), "{seen:?}");
    }
}

#[test]
fn a_payload_that_is_no_text_goes_as_base64() {
    let (server, folder) = (Server::start(yes), Folder::new());
    let file = folder.file("lamp.bin", b"\xFF\x00");
    run(&server.url(), &["publish", "a", "--file", &file]).fine();
    let body = server.seen()[0].json();
    assert_eq!((&body["payload"], &body["payload_encoding"]), (&json!("/wA="), &json!("base64")));
    let large = folder.file("large", vec![b'a'; 4 * 1024 * 1024 + 1]);
    let failure = run(&server.url(), &["publish", "a", "--file", &large]).failure();
    assert!(failure.contains("large: it is longer than the 4 MiB"), "{failure}");
}

#[test]
fn what_became_of_messages_is_told() {
    let code = |code: u8, message: &str| json!({ "reason_code": code, "message": message });
    let nobody = code(16, "No matching subscribers");
    let server = Server::start({
        let nobody = nobody.clone();
        move |_| answer(202, &nobody)
    });
    let told = run(&server.url(), &["publish", "a", "1"]).fine();
    assert_eq!(told, "published to a; nobody is subscribed to it\n");
    // The status is that of the worst, and the body tells of each.
    let server =
        Server::start(move |_| answer(503, &json!([{}, nobody, code(137, "Server busy")])));
    let folder = Folder::new();
    let ran = run(&server.url(), &as_words(&words(&folder, "publish --bulk MESSAGES")));
    assert!(ran.text.contains("137  Server busy"), "{ran:?}");
    assert!(ran.failure().contains("1 of 2 messages were not taken"));
}

#[test]
fn what_cannot_be_taken_back_wants_a_word() {
    let (server, folder) = (Server::start(yes), Folder::new());
    for line in [
        "users delete bob",
        "keys delete k",
        "clients kick a b",
        "clients kick --file NAMES",
        "retained delete a",
        "ban clear",
        "trace delete t",
        "config rollback 1",
    ] {
        let failure = run(&server.url(), &as_words(&words(&folder, line))).failure();
        assert!(failure.contains("--yes says that it is meant"), "{line}: {failure}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn a_name_that_cannot_stand_in_a_path_is_kicked_all_the_same() {
    let server = Server::start(yes);
    let failure = run(&server.url(), &["clients", "show", ".."]).failure();
    assert!(failure.contains("`..` mean something else"), "{failure}");
    assert!(server.seen().is_empty());
    run(&server.url(), &["clients", "kick", "..", "--yes"]).fine();
    assert_eq!(server.lines(), ["POST /api/v5/clients/kickout/bulk"]);
}

#[test]
fn many_are_kicked_in_parts_that_the_api_takes() {
    let (server, folder) = (Server::start(yes), Folder::new());
    let long = "\u{1}".repeat(60_000);
    let names: Vec<String> = (0..2_500).map(|at| format!("robot-{at}")).collect();
    let file =
        folder.file("names", [names.join("\n"), long.clone(), long.clone(), long].join("\n"));
    let told = run(&server.url(), &["kick", "--file", &file, "--yes"]).fine();
    assert_eq!(told, "sent away those of 2503 clients that were there\n");
    let parts: Vec<_> =
        server.seen().iter().map(|seen| seen.json().as_array().unwrap().len()).collect();
    assert_eq!(parts, [1_000, 1_000, 502, 1]);
    assert!(server.seen().iter().all(|seen| seen.body.len() < 1 << 20));
}

#[test]
fn a_change_is_made_against_what_holds() {
    let server = Server::start(yes);
    let words = ["config", "set", "log.level=debug", "mqtt.retain=null", "a.b=[1]", "--dry-run"];
    assert!(run(&server.url(), &words).fine().starts_with("would change: word, word\n"));
    assert_eq!(server.lines(), ["GET /api/v5/configs/changes", "PUT /api/v5/configs?dry_run=true"]);
    let sent = server.seen()[1].json();
    assert_eq!(sent["version"], 1, "what the changes said");
    assert_eq!(
        sent["keys"],
        json!([
            { "key": "log.level", "value": "debug" },
            { "key": "mqtt.retain", "value": null },
            { "key": "a.b", "value": [1] }
        ])
    );
}

#[test]
fn a_client_that_is_not_there_is_a_failure() {
    let server = Server::start(|_| refusal(404, "CLIENTID_NOT_FOUND", "there is no client `r7`"));
    let failure = run(&server.url(), &["clients", "kick", "r7"]).failure();
    assert!(
        failure.contains("says no: there is no client `r7` (404 CLIENTID_NOT_FOUND)"),
        "{failure}"
    );
}
