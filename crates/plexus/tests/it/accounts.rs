//! Users and rules that are added by the API while the node runs.

use serde_json::{Value, json};

use crate::{
    api::{As, Managed},
    client::{Client, text},
    program::{Node, Place},
};

const ACCOUNTS: &str = "[node]\ndata_dir = \"data\"\n[access]\naccounts = true\n";
const USERS: &str = "/authentication/password_based%3Abuilt_in_database/users";
const RULES: &str = "/authorization/sources/built_in_database/rules";
const GRANTED: u8 = 1;
const REFUSED: u8 = 0x87;

/// The reason of the CONNACK that a user gets.
fn log_in(node: &Node, client: &str, user: &str, password: &str) -> (Client, u8) {
    let head = b"\x00\x04MQTT\x05\xc2\x00\x00\x00";
    let body = [&head[..], &text(client), &text(user), &text(password)].concat();
    let mut client = Client::knock_with(node, &body);
    let (_, reason) = client.connack();
    (client, reason)
}

impl Managed {
    fn status(&self, method: &str, path: &str, body: &Value) -> u16 {
        self.ask(As::Token(&self.admin), method, path, Some(body)).0
    }
}

#[test]
fn users_come_in_as_soon_as_they_are_added_and_outlive_the_node() {
    let place = Place::new();
    let managed = Managed::start_with(&place, ACCOUNTS, &[]);
    assert_eq!(log_in(&managed.node, "robot", "ann", "secret").1, 0x86, "nobody is there yet");
    let (status, added) = managed.post(USERS, &json!({ "user_id": "ann", "password": "secret" }));
    assert_eq!((status, added), (201, json!({ "user_id": "ann", "is_superuser": false })));
    assert_eq!(log_in(&managed.node, "robot", "ann", "secret").1, 0);
    assert_eq!(log_in(&managed.node, "robot", "ann", "wrong").1, 0x86);
    let again = managed.post(USERS, &json!({ "user_id": "ann", "password": "x" }));
    assert_eq!((again.0, &again.1["code"]), (400, &json!("ALREADY_EXISTS")));
    assert_eq!(managed.status("PUT", &format!("{USERS}/ann"), &json!({ "password": "new" })), 200);
    assert_eq!(log_in(&managed.node, "robot", "ann", "secret").1, 0x86);
    for (body, said) in [
        (json!({ "user_id": "a:b", "password": "x" }), "user name"),
        (json!({ "user_id": "bob", "password": "" }), "password"),
        (json!({ "user_id": "bob", "password": "x", "tenant": "nobody" }), "tenant"),
    ] {
        let (status, answer) = managed.post(USERS, &body);
        assert!(status == 400 || status == 404, "{body}: {status}");
        assert!(answer["message"].as_str().unwrap_or("").contains(said), "{answer}");
    }
    let page = managed.get(&format!("{USERS}?like_user_id=an&is_superuser=false"));
    assert_eq!(page["data"], json!([{ "user_id": "ann", "is_superuser": false }]));
    assert_eq!(page["meta"]["count"], json!(1));
    assert_eq!(managed.get("/authentication")[0]["enable"], json!(true));
    assert!(!place.read("data/accounts.jsonl").contains("secret"));

    let password = managed.password.clone();
    drop(managed);
    let managed = Managed::again(&place, &[], &password);
    assert_eq!(log_in(&managed.node, "robot", "ann", "new").1, 0);
    assert_eq!(managed.status("DELETE", &format!("{USERS}/ann"), &Value::Null), 204);
    assert_eq!(log_in(&managed.node, "robot", "ann", "new").1, 0x86);
    assert_eq!(managed.status("DELETE", &format!("{USERS}/ann"), &Value::Null), 404);
}

#[test]
fn rules_hold_at_once_and_change_nothing_that_they_do_not_speak_of() {
    let place = Place::new();
    let managed = Managed::start_with(&place, ACCOUNTS, &["--set", "node.shards=2"]);
    for user in ["ann", "bob"] {
        let body = json!({ "user_id": user, "password": "p" });
        assert_eq!(managed.post(USERS, &body).0, 201);
    }
    let (mut ann, _) = log_in(&managed.node, "robot", "ann", "p");
    let (mut bob, _) = log_in(&managed.node, "other", "bob", "p");
    assert_eq!(ann.subscribe("plant/a"), GRANTED);
    let deny = json!([{ "permission": "deny", "action": "all", "topic": "plant/#" }]);
    let lists = json!([{ "username": "ann", "rules": deny }]);
    assert_eq!(managed.status("POST", &format!("{RULES}/users"), &lists), 204);
    assert_eq!(managed.status("POST", &format!("{RULES}/users"), &lists), 400, "they are there");
    // What is subscribed already is looked at again: such a session ends.
    assert_eq!(ann.hear().0, 0xE0, "DISCONNECT");
    let (mut ann, _) = log_in(&managed.node, "robot", "ann", "p");
    assert_eq!(ann.subscribe("plant/a"), REFUSED);
    assert_eq!(ann.publish("plant/b"), REFUSED);
    assert_eq!(ann.publish("yard"), 0x10, "no rule says anything");
    assert_eq!(bob.subscribe("plant/b"), GRANTED);
    // The client comes before the user.
    let allow = json!({ "clientid": "robot", "rules": [{ "permission": "allow", "action": "all", "topic": "plant/b" }] });
    assert_eq!(managed.status("PUT", &format!("{RULES}/clients/robot"), &allow), 204);
    assert_ne!(ann.publish("plant/b"), REFUSED);
    assert_eq!(bob.receive().0, "plant/b");
    assert_eq!(managed.get(&format!("{RULES}/clients/robot")), allow);
    let question = json!({ "client": { "clientid": "robot", "username": "ann" }, "action": "publish", "topic": "plant/c" });
    let (_, answer) = managed.post("/explain/access", &question);
    assert!(answer.to_string().contains("user `ann`, 1"), "{answer}");
    // Nobody's rules land elsewhere than was said.
    let path = format!("{RULES}/all?tenant=nobody");
    assert_eq!(managed.status("POST", &path, &json!({ "rules": [] })), 404);
    assert_eq!(
        managed.status(
            "POST",
            &format!("{USERS}?tenant=nobody"),
            &json!({ "user_id": "x", "password": "p" })
        ),
        404
    );
    // Everybody, and nobody any more.
    let all = json!({ "rules": [{ "permission": "deny", "action": "subscribe", "topic": "#", "qos": [0, 1, 2] }] });
    assert_eq!(managed.status("POST", &format!("{RULES}/all"), &all), 204);
    assert_eq!(bob.hear().0, 0xE0, "DISCONNECT: what he is subscribed to is not allowed any more");
    let (mut bob, _) = log_in(&managed.node, "other", "bob", "p");
    assert_eq!(bob.subscribe("yard"), REFUSED);
    assert_eq!(managed.status("DELETE", &format!("{RULES}/all"), &Value::Null), 204);
    assert_eq!(bob.subscribe("yard"), GRANTED);
    assert_eq!(managed.names(&format!("{RULES}/users"), "username"), ["ann"]);
    let wrong = json!({ "rules": [{ "permission": "allow", "topic": "a/#/b" }] });
    let (status, answer) =
        managed.ask(As::Token(&managed.admin), "PUT", &format!("{RULES}/users/ann"), Some(&wrong));
    assert_eq!(status, 400);
    assert!(answer["message"].as_str().unwrap_or("").contains("user `ann`"), "{answer}");

    let password = managed.password.clone();
    drop(managed);
    let managed = Managed::again(&place, &[], &password);
    let (mut ann, _) = log_in(&managed.node, "third", "ann", "p");
    assert_eq!(ann.publish("plant/b"), REFUSED);
}

#[test]
fn accounts_are_switched_on_and_off_while_the_node_runs() {
    let place = Place::new();
    let managed = Managed::start_with(&place, "[node]\ndata_dir = \"data\"\n", &[]);
    let ann = json!({ "user_id": "ann", "password": "p" });
    let (status, answer) = managed.post(USERS, &ann);
    assert_eq!(status, 404);
    assert!(answer["message"].as_str().unwrap_or("").contains("access.accounts"), "{answer}");
    let unasked = Client::connect(&managed.node, "unasked");
    let change = json!({ "version": 0, "patch": { "access": { "accounts": true } } });
    assert_eq!(managed.status("PUT", "/configs", &change), 400, "nobody knows who that is");
    unasked.leave();
    let is_gone = || managed.get("/clients")["data"] == json!([]);
    assert!((0..500).any(|_| is_gone()), "it has left");
    let set = |value: bool, version: u64| {
        let change = json!({ "version": version, "patch": { "access": { "accounts": value } } });
        managed.status("PUT", "/configs", &change)
    };
    assert_eq!(set(true, 0), 200);
    assert_eq!(managed.post(USERS, &ann).0, 201);
    let mut stranger = Client::knock(&managed.node, "stranger", 0x02, &[]);
    assert_ne!(stranger.connack().1, 0, "everybody has to show who he is now");
    let (mut ann, reason) = log_in(&managed.node, "robot", "ann", "p");
    assert_eq!(reason, 0);
    let all = json!({ "rules": [{ "permission": "deny", "topic": "#" }] });
    assert_eq!(managed.status("POST", &format!("{RULES}/all"), &all), 204);
    assert_eq!(ann.publish("a"), REFUSED);
    // It would let everybody in: that takes a start.
    set(false, 1);
    let mut stranger = Client::knock(&managed.node, "stranger", 0x02, &[]);
    assert_ne!(stranger.connack().1, 0);
}

#[test]
fn users_of_other_brokers_are_taken_all_or_none() {
    let place = Place::new();
    let managed = Managed::start_with(&place, ACCOUNTS, &[]);
    // EMQX: sha256 of salt and password, "salt" and "secret".
    let hash = "bede90386d450cea8b77b822f8887065e4e5abf132c2f9dccfcc7fbd4cba5e35";
    let path = "/authentication/users/import_users";
    let users = |hash: &str| {
        json!({ "scheme": "sha256", "users": [
            { "user_id": "ann", "password_hash": hash, "salt": "salt", "is_superuser": true },
            { "user_id": "bob", "password_hash": hash, "salt": "salt" },
        ] })
    };
    let (status, answer) = managed.post(path, &users("no hash"));
    assert_eq!(status, 400);
    assert!(answer["message"].as_str().unwrap_or("").starts_with("users[0] (`ann`)"), "{answer}");
    assert_eq!(managed.post(path, &users(hash)), (200, json!({ "imported": 2 })));
    assert_eq!(managed.post(path, &users(hash)).0, 400, "they are there");
    assert_eq!(managed.names("/authentication/users/users", "user_id"), ["ann", "bob"]);
    assert_eq!(log_in(&managed.node, "robot", "ann", "secret").1, 0);
    let plain = json!({ "scheme": "plain", "users": [] });
    assert_eq!(managed.post(path, &plain).0, 400);
}

#[test]
fn a_file_that_is_broken_stops_the_start_with_its_line() {
    let place = Place::new();
    drop(Managed::start_with(&place, ACCOUNTS, &[]));
    place.write(
        "data/accounts.jsonl",
        "{\"accounts\":1}\n{\"user\":{\"name\":\"a\",\"stored\":\"x\"}}\n",
    );
    let told = place.run(["serve"]).failed(1);
    assert!(told.contains("accounts.jsonl, line 2"), "{told}");
}

#[test]
fn accounts_need_a_place_and_proved_names() {
    let place = Place::new();
    place.write("plexus.toml", "[access]\naccounts = true\n");
    let told = place.run(["config", "check"]).failed(3);
    assert!(told.contains("no place to keep them") && told.contains("node.data_dir"), "{told}");
    place.write(
        "plexus.toml",
        "[node]\ndata_dir = \"data\"\n[access]\naccounts = true\nusers_by = \"client_id\"\n",
    );
    let told = place.run(["config", "check"]).failed(3);
    assert!(told.contains("prove no user name"), "{told}");
}

#[test]
fn what_was_made_by_the_api_is_kept_elsewhere_and_brought_back() {
    let (here, there) = (Place::new(), Place::new());
    let managed = Managed::start_with(&here, ACCOUNTS, &[]);
    let ann = json!({ "user_id": "ann", "password": "secret", "is_superuser": false });
    assert_eq!(managed.post(USERS, &ann).0, 201);
    let deny = json!([{ "permission": "deny", "action": "publish", "topic": "plant/#" }]);
    let lists = json!([{ "username": "ann", "rules": deny }]);
    assert_eq!(managed.status("POST", &format!("{RULES}/users"), &lists), 204);
    assert_eq!(managed.status("POST", &format!("{RULES}/all"), &json!({ "rules": deny })), 204);
    assert_eq!(managed.post("/banned", &json!({ "as": "clientid", "who": "thief" })).0, 200);
    let change = json!({ "version": 0, "patch": { "mqtt": { "max_inflight": 7 } } });
    assert_eq!(managed.status("PUT", "/configs", &change), 200);
    let (status, backup) = managed.post("/data/export", &Value::Null);
    assert_eq!(status, 200);

    let other = Managed::start_with(&there, ACCOUNTS, &[]);
    let (status, taken) = other.post("/data/import", &backup);
    assert_eq!(status, 200, "{taken}");
    let counted = |name: &str| taken.get(name).and_then(Value::as_u64);
    assert_eq!(
        ["configuration", "accounts", "rules", "bans", "left"].map(counted),
        [Some(1), Some(1), Some(2), Some(1), Some(1)],
        "{taken}"
    );
    let (mut ann, reason) = log_in(&other.node, "robot", "ann", "secret");
    assert_eq!(reason, 0);
    assert_eq!(ann.publish("plant/x"), REFUSED);
    assert_eq!(log_in(&other.node, "thief", "ann", "secret").1, 0x8A);
    assert_eq!(other.get("/configs/changes")["changes"][0]["value"], json!(7));
    // Once more changes nothing.
    let (_, again) = other.post("/data/import", &backup);
    assert_eq!(again["accounts"], json!(0), "{again}");
    assert_eq!(again["left"], json!(6), "{again}");
    for wrong in [
        json!({ "version": 2 }),
        json!({ "version": 1, "accounts": [{ "user_id": "x", "stored": "plain" }] }),
        json!({ "version": 1, "rules": [{ "rules": [] }] }),
        json!({ "version": 1, "surprise": 1 }),
    ] {
        assert_eq!(other.post("/data/import", &wrong).0, 400, "{wrong}");
    }
}

#[test]
fn a_second_factor_is_made_by_the_user_whose_it_is() {
    let place = Place::new();
    let managed = Managed::start_with(&place, ACCOUNTS, &[]);
    let (status, begun) = managed.post("/users/admin/mfa", &Value::Null);
    assert_eq!(status, 200);
    assert_eq!(begun["secret"].as_str().map(str::len), Some(32));
    let (status, answer) =
        managed.post("/users/admin/mfa/confirm", &json!({ "mfa_token": "12345" }));
    assert_eq!((status, &answer["code"]), (401, &json!("BAD_MFA_TOKEN")));
    assert_eq!(managed.post("/users/eve/mfa", &Value::Null).0, 403, "it is another's");
    assert_eq!(managed.status("DELETE", "/users/eve/mfa", &Value::Null), 404);
    assert_eq!(managed.status("DELETE", "/users/admin/mfa", &Value::Null), 204);
    assert_eq!(managed.get("/users")[0]["mfa"], json!("none"));
}
