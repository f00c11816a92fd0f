//! The API asked from the command line, against a node: what a person and what a program does.

use std::process::Command;

use serde_json::Value;

use crate::{
    client::Client,
    program::{Ended, Node, Place, run},
};

/// A node with the API, where log-ins are kept beside it.
struct Managed {
    node: Node,
    place: Place,
    url: String,
    password: String,
}

impl Managed {
    fn start() -> Self {
        let place = Place::new();
        let listens = "[node]\ndata_dir = \"data\"\n[api]\naddress = \"127.0.0.1:0\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"plant\"\n";
        place.write("plexus.toml", listens);
        let mut node = Node::start(&place, &[]);
        let told = node.record("new administrator");
        let password = told.split("password ").nth(1).and_then(|rest| rest.split(' ').next());
        let password = password.expect("a password").to_owned();
        let told = node.record("management API");
        let record: Value = serde_json::from_str(&told).expect("a record");
        let url = record.pointer("/fields/url").and_then(Value::as_str).expect("a URL").to_owned();
        Self { node, place, url, password }
    }

    fn command(&self, words: &str) -> Command {
        let mut command = self.place.plexus(words.split(' '));
        command
            .env("PLEXUS_API_URL", &self.url)
            .env("XDG_STATE_HOME", self.place.path().join("state"));
        command
    }

    fn ctl(&self, words: &str) -> Ended {
        run(&mut self.command(&format!("ctl {words}")), b"")
    }

    fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.ctl(&format!("{words} --json")).ok()).expect("JSON")
    }

    /// A node whose administrator has logged in.
    fn logged_in() -> Self {
        let managed = Self::start();
        let told = run(&mut managed.command("ctl login"), managed.password.as_bytes()).ok();
        assert_eq!(told, format!("logged in at {} as admin, administrator\n", managed.url));
        managed
    }
}

#[test]
fn ctl_sees_clients_publishes_and_sends_them_away() {
    let managed = Managed::logged_in();
    let status = managed.ctl("status").ok();
    let runs = |line: &str| line.starts_with("app_status") && line.ends_with("running");
    assert!(status.lines().any(runs), "{status}");
    let mut client = Client::connect(&managed.node, "robot-7");
    client.subscribe("plant/#");
    let list = managed.ctl("clients list").ok();
    let line = list.lines().nth(1).expect("a client");
    assert!(list.starts_with("CLIENT ") && line.starts_with("robot-7  "), "{list}");
    let all = managed.json("clients list --all");
    assert_eq!(all.pointer("/0/clientid").and_then(Value::as_str), Some("robot-7"));
    assert!(managed.ctl("clients show robot-7").ok().contains("proto_ver"));
    assert!(managed.ctl("clients subscriptions robot-7").ok().contains("plant/#"));
    assert!(managed.ctl("subscriptions --matches plant/a").ok().contains("robot-7"));
    assert_eq!(managed.ctl("publish plant/lamp on").ok(), "published to plant/lamp\n");
    let nobody = "published to elsewhere; nobody is subscribed to it\n";
    assert_eq!(managed.ctl("publish elsewhere on").ok(), nobody);
    assert_eq!(managed.ctl("kick robot-7").ok(), "sent robot-7 away\n");
    let error = managed.ctl("kick robot-7").failed(1);
    assert!(error.contains("(404 CLIENTID_NOT_FOUND)"), "{error}");
    assert!(managed.ctl("audit --kind admin").ok().contains("kick_client"));
}

#[test]
fn ctl_goes_by_a_key_and_its_role() {
    let managed = Managed::logged_in();
    let key = managed.json("keys add line-3");
    let word = |name: &str| key.get(name).and_then(Value::as_str).expect("a word").to_owned();
    let by_key = |words: &str| {
        let mut command = managed.command(words);
        command.env("PLEXUS_API_KEY", word("api_key")).env("PLEXUS_API_SECRET", word("api_secret"));
        run(&mut command, b"")
    };
    assert!(by_key("ctl nodes").ok().contains("running"));
    let error = by_key("ctl users list").failed(1);
    assert!(error.contains("(403 UNAUTHORIZED_ROLE)"), "{error}");
    let error = managed.ctl("keys delete line-3").failed(2);
    assert!(error.contains("--yes says that it is meant"), "{error}");
    assert_eq!(managed.ctl("keys delete line-3 --yes").ok(), "deleted line-3\n");
    let error = by_key("ctl nodes").failed(1);
    assert!(error.contains("BAD_API_KEY_OR_SECRET"), "{error}");
}

#[test]
fn ctl_says_what_to_do_where_nobody_is_logged_in() {
    let managed = Managed::start();
    let error = managed.ctl("clients list").failed(1);
    assert!(error.contains("nobody is logged in") && error.contains("plexus ctl login"), "{error}");
    let error = run(&mut managed.command("ctl login"), b"a wrong one\n").failed(1);
    assert!(error.contains("401 BAD_USERNAME_OR_PWD"), "{error}");
    let error = managed.ctl("client list").failed(2);
    assert!(error.contains("subcommand 'client'") && error.contains("'clients'"), "{error}");
    let error = managed.ctl("status --url http://127.0.0.1:1").failed(1);
    assert!(error.contains("nobody answers at http://127.0.0.1:1"), "{error}");
}

#[test]
fn top_prints_what_is_now_where_no_terminal_is() {
    let managed = Managed::logged_in();
    let _client = Client::connect(&managed.node, "robot-7");
    let text = run(&mut managed.command("top"), b"").ok();
    assert!(text.starts_with("plexus ") && text.contains("robot-7"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn shells_and_manuals_know_all_commands() {
    let place = Place::new();
    let script = place.run(["completions", "bash"]).ok();
    assert!(script.contains("plexus__subcmd__ctl") || script.contains("plexus__ctl"), "{script}");
    assert!(place.run(["man", "ctl", "clients", "list"]).ok().contains(".TH"));
    assert_eq!(place.run(["man", "--dir", "pages"]).ok(), "");
    for page in ["plexus.1", "plexus-serve.1", "plexus-ctl-clients-list.1", "plexus-top.1"] {
        assert!(place.read(&format!("pages/{page}")).contains(".SH"), "{page}");
    }
    let error = place.run(["man", "ctl", "cleints"]).failed(2);
    assert!(error.contains("`ctl` has no `cleints`"), "{error}");
}
