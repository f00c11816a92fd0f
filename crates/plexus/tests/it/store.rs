use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::Value;

use crate::program::{Ended, Node, Place};

const DURABLE: &str = "--set=store.commit=fsync";
const LISTEN: &str = "--listen=tcp://127.0.0.1:0";

/// A node that keeps its sessions in that directory.
fn start(place: &Place, dir: &str) -> Node {
    Node::start(place, &[LISTEN, DURABLE, "--data-dir", dir])
}

fn client(place: &Place, node: &Node, args: &[&str]) -> Ended {
    let (command, rest) = args.split_first().expect("pub or sub");
    let url = format!("mqtt://127.0.0.1:{}", node.port());
    let mut all = vec![*command, "-L", url.as_str()];
    all.extend(rest);
    place.run(all)
}

fn publish(place: &Place, node: &Node, topic: &str, payload: &str, more: &[&str]) {
    let mut args = vec!["pub", "-t", topic, "-m", payload];
    args.extend(more);
    client(place, node, &args).ok();
}

/// What that client's session has for it.
fn drain(place: &Place, node: &Node, id: &str, args: &[&str]) -> String {
    let mut all = vec!["sub", "-i", id, "-c", "-W", "20", "-v"];
    all.extend(args);
    client(place, node, &all).ok()
}

fn store(place: &Place, command: &str, dir: &str, more: &[&str]) -> Ended {
    let mut args = vec!["store", command, "--data-dir", dir];
    args.extend(more);
    place.run(args)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn segment(place: &Place, dir: &str) -> PathBuf {
    place.path().join(dir).join("log/0000000000000001.seg")
}

/// Two clients that are away, each with messages of its own, and a retained message.
fn filled(place: &Place) {
    let node = start(place, "data");
    let alice =
        ["sub", "-i", "alice", "-c", "-q", "2", "-t", "site/#", "-t", "$share/g/all/+", "-E"];
    client(place, &node, &alice).ok();
    client(place, &node, &["sub", "-i", "bob", "-c", "-q", "1", "-t", "site/1", "-E"]).ok();
    for number in 0..5 {
        publish(place, &node, "site/1", &format!("value {number}"), &["-q", "2"]);
    }
    let user = ["-q", "1", "-r", "-D", "user-property=a=b"];
    publish(place, &node, "site/2", "kept \u{2603}", &user);
    publish(place, &node, "all/1", "shared", &["-q", "1"]);
    assert_eq!(node.stop().code, Some(0));
}

/// The lines of an export without the times of writing.
fn lasting(text: &str) -> Vec<Value> {
    let mut lines: Vec<_> = text.lines().map(json).collect();
    let header = lines.first_mut().and_then(Value::as_object_mut).expect("an object");
    for time in ["newest_millis", "written_millis"] {
        assert!(header.remove(time).is_some_and(|time| time.is_u64()), "{time}");
    }
    lines
}

#[test]
fn a_directory_without_a_store_is_told() {
    let place = Place::new();
    for command in ["stat", "check", "dump", "repair", "export"] {
        let said = store(&place, command, "none", &[]).failed(1);
        assert_eq!(said, "error: none is not there; name a node's data directory\n");
    }
    fs::create_dir_all(place.path().join("empty/log")).unwrap();
    let said = store(&place, "export", "empty", &[]).failed(1);
    assert_eq!(
        said,
        "error: empty is not exported: the store cannot be read: nothing is stored there: it has \
         no segments\n"
    );
}

#[test]
fn damage_is_named_with_its_place_and_its_mend() {
    let place = Place::new();
    fs::create_dir_all(place.path().join("data/log")).unwrap();
    fs::write(segment(&place, "data"), vec![7; 4_096]).unwrap();
    let ended = store(&place, "check", "data", &[]);
    assert_eq!(ended.code, Some(1));
    let said = ended.stdout;
    assert!(said.contains("0000000000000001.seg at byte 0, 512 bytes"), "{said}");
    assert_eq!(
        ended.stderr,
        "error: 1 place cannot be read; no repair can mend that, because no segment has a header \
         that can be read; restore a backup, or move the folder `log` away to start empty\n"
    );
}

#[test]
fn a_whole_store_is_described_for_people_and_for_programs() {
    let place = Place::new();
    filled(&place);
    let said = store(&place, "stat", "data", &[]).ok();
    assert!(
        said.starts_with("segments  1 (64.0 MiB)\nspares    0 (0 bytes)\nliving    "),
        "{said}"
    );
    assert!(
        said.contains(" with 7 messages\ncreated   20") && said.ends_with("in use    no\n"),
        "{said}"
    );
    let stat = json(&store(&place, "stat", "data", &["--json"]).ok());
    assert_eq!((&stat["segments"], &stat["segment_bytes"]), (&1.into(), &(64 << 20).into()));
    assert_eq!((&stat["living_messages"], &stat["process"]), (&7.into(), &Value::Null));
    assert!((500..2_000).contains(&stat["living_bytes"].as_u64().unwrap()), "{stat}");
    let said = store(&place, "check", "data", &[]).ok();
    assert!(said.contains(" and 7 messages in 1 segment ("), "{said}");
    assert!(said.ends_with(" UTC\nnothing is damaged\n"), "{said}");
    let check = json(&store(&place, "check", "data", &["--json"]).ok());
    assert_eq!((&check["messages"], &check["damages"]), (&7.into(), &Value::Array(vec![])));
    let said = store(&place, "dump", "data", &[]).ok();
    assert!(said.contains("Retained(") && said.contains("Queued("), "{said}");
    let dumped: Vec<_> =
        store(&place, "dump", "data", &["--json"]).ok().lines().map(json).collect();
    assert_eq!(dumped[0]["offset"], 512 + 24, "behind the head of the first commit");
    assert_eq!(dumped.len(), said.lines().count());
    assert_eq!(dumped.iter().filter(|line| line["kind"] == "message").count(), 7);
    assert_eq!(store(&place, "repair", "data", &[]).ok(), "nothing is damaged\n");
    let repair = json(&store(&place, "repair", "data", &["--json"]).ok());
    assert_eq!(repair.to_string(), r#"{"damages":[],"lost":[]}"#);
}

#[test]
fn the_tools_leave_a_running_node_alone() {
    let place = Place::new();
    let node = start(&place, "data");
    client(&place, &node, &["sub", "-i", "alice", "-c", "-t", "a", "-E"]).ok();
    let said = store(&place, "stat", "data", &[]).ok();
    assert!(said.starts_with("segments  1") && said.contains("in use    by process "), "{said}");
    let stat = json(&store(&place, "stat", "data", &["--json"]).ok());
    assert!(stat["process"].is_u64() && stat["living_bytes"].is_null(), "{stat}");
    for command in ["check", "dump", "repair", "export"] {
        let said = store(&place, command, "data", &[]).failed(1);
        let wanted =
            "error: cannot use data; stop the node that does: data/log is in use by process ";
        assert!(said.starts_with(wanted), "{said}");
    }
    place.write("x.jsonl", "");
    let said = store(&place, "import", "data", &["x.jsonl"]).failed(1);
    assert!(said.contains("uses the data directory data; stop it or choose another"), "{said}");
    publish(&place, &node, "a", "still here", &["-q", "1"]);
}

#[test]
fn a_damaged_store_starts_again_after_a_repair() {
    let place = Place::new();
    filled(&place);
    let whole = store(&place, "dump", "data", &["--json"]).ok();
    let bodies = whole.lines().map(json).filter(|line| line["kind"] == "message");
    let second = bodies.into_iter().nth(1).expect("seven messages");
    let mut bytes = fs::read(segment(&place, "data")).unwrap();
    let at = usize::try_from(second["offset"].as_u64().unwrap()).unwrap();
    bytes[at] ^= 1;
    fs::write(segment(&place, "data"), bytes).unwrap();

    let ended = store(&place, "check", "data", &["--json"]);
    assert_eq!(ended.code, Some(1));
    let damages = &json(&ended.stdout)["damages"];
    assert_eq!(damages[0]["file"], "0000000000000001.seg");
    assert_eq!(damages[0]["what"], "a commit that was kept is not whole");
    let mend = "`plexus store repair --data-dir data`";
    let said = store(&place, "export", "data", &["x.jsonl"]).failed(1);
    assert!(said.starts_with("error: data is not exported: ") && said.contains(mend), "{said}");
    assert!(!place.path().join("x.jsonl").exists() && !place.path().join("x.jsonl.part").exists());
    assert_eq!(store(&place, "dump", "data", &[]).code, Some(1));
    let args = ["serve", LISTEN, DURABLE, "--data-dir", "data"];
    let said = place.run(args).failed(1);
    assert!(
        said.contains("0000000000000001.seg is damaged at byte") && said.contains(mend),
        "{said}"
    );

    let said = store(&place, "repair", "data", &[]).ok();
    assert!(said.starts_with("taken out of use: 0000000000000001.seg at byte "), "{said}");
    assert!(said.contains("may be lost\n"), "{said}");
    assert!(store(&place, "check", "data", &[]).ok().ends_with("nothing is damaged\n"));
    let node = start(&place, "data");
    let got = drain(&place, &node, "bob", &["-q", "1", "-t", "site/1", "-C", "4"]);
    assert_eq!(got, "site/1 value 0\nsite/1 value 2\nsite/1 value 3\nsite/1 value 4\n");
}

#[test]
fn a_store_of_which_no_header_is_left_is_not_repaired_by_another_repair() {
    let place = Place::new();
    filled(&place);
    let mut bytes = fs::read(segment(&place, "data")).unwrap();
    bytes[30] ^= 1;
    fs::write(segment(&place, "data"), &bytes).unwrap();
    store(&place, "check", "data", &[]).ok();
    // The copy, too.
    bytes[256 + 30] ^= 1;
    fs::write(segment(&place, "data"), &bytes).unwrap();
    let ended = store(&place, "check", "data", &[]);
    let args = ["serve", LISTEN, DURABLE, "--data-dir", "data"];
    for said in
        [ended.stderr, place.run(args).failed(1), store(&place, "export", "data", &[]).failed(1)]
    {
        assert!(said.contains("restore a backup") && !said.contains("store repair"), "{said}");
    }
    let said = store(&place, "repair", "data", &[]).failed(1);
    assert!(said.starts_with("error: data: no segment has a header that can be read; "), "{said}");
    assert!(!said.contains("plexus store repair"), "{said}");
    assert!(fs::read(segment(&place, "data")).unwrap() == bytes, "it is left alone");
}

#[test]
fn what_was_stored_moves_to_another_directory() {
    let place = Place::new();
    filled(&place);
    let said = store(&place, "export", "data", &["x.jsonl"]).ok();
    let counts = "sessions  2\nqueued    12\nretained  1\nmessages  7\n";
    assert!(said.starts_with(&format!("{counts}written   ")), "{said}");
    assert!(said.ends_with(" KiB to x.jsonl\n"), "{said}");
    let said = store(&place, "import", "moved", &["x.jsonl"]).ok();
    let start_it = "ready     plexus serve --data-dir moved\n";
    assert_eq!(said, format!("{counts}{start_it}"));
    let text = place.read("x.jsonl");
    assert_eq!(lasting(&store(&place, "export", "moved", &[]).ok()), lasting(&text));
    assert_eq!(store(&place, "check", "moved", &["--json"]).code, Some(0));

    let node = start(&place, "moved");
    publish(&place, &node, "site/1", "later", &["-q", "2"]);
    let filters = ["-q", "2", "-t", "site/#", "-t", "$share/g/all/+", "-R", "-C", "8"];
    let values = [0, 1, 2, 3, 4].map(|number| format!("site/1 value {number}\n")).concat();
    let rest = "site/2 kept \u{2603}\nall/1 shared\nsite/1 later\n";
    assert_eq!(drain(&place, &node, "alice", &filters), format!("{values}{rest}"));
    let got = drain(&place, &node, "bob", &["-q", "1", "-t", "site/1", "-C", "6"]);
    assert_eq!(got, format!("{values}site/1 later\n"));
    let retained = ["sub", "-t", "site/2", "-C", "1", "-W", "20", "--json"];
    let retained = json(&client(&place, &node, &retained).ok());
    assert_eq!(
        (&retained["payload"], &retained["retain"]),
        (&"kept \u{2603}".into(), &true.into())
    );
    assert_eq!(retained["properties"]["user_properties"][0][0], "a");
}

#[test]
fn an_export_goes_through_a_pipe_and_an_older_one_stays_until_the_new_one_is_whole() {
    let place = Place::new();
    filled(&place);
    let text = store(&place, "export", "data", &[]).ok();
    let mut import = place.plexus(["store", "import", "--data-dir", "piped", "--json", "-"]);
    let said = crate::program::run(&mut import, text.as_bytes()).ok();
    assert_eq!(
        json(&said).to_string(),
        r#"{"messages":7,"open":0,"queued":12,"retained":1,"sessions":2,"unused":0}"#
    );
    place.write("x.jsonl", "old");
    let said = store(&place, "export", "data", &["x.jsonl", "--json"]).ok();
    assert_eq!(json(&said)["bytes"], place.read("x.jsonl").len());
    assert_eq!(lasting(&place.read("x.jsonl")), lasting(&text));
    let said = store(&place, "export", "data", &["none/x.jsonl"]).failed(1);
    assert!(said.starts_with("error: cannot write none/x.jsonl: "), "{said}");
}

#[test]
fn an_export_replaces_files_and_nothing_else() {
    let place = Place::new();
    filled(&place);
    place.write("x.jsonl", "old");
    std::os::unix::fs::symlink("x.jsonl", place.path().join("link")).expect("a link");
    store(&place, "export", "data", &["link"]).ok();
    assert!(place.path().join("link").is_symlink());
    assert_ne!(place.read("x.jsonl"), "old");
    let said = store(&place, "export", "data", &["data"]).failed(1);
    let why = "it is no regular file; leave it out to write to standard output";
    assert!(said.contains(&format!("data: {why}")), "{said}");
}

#[test]
fn an_import_that_fails_leaves_nothing_and_one_that_succeeds_overwrites_nothing() {
    let place = Place::new();
    filled(&place);
    let text = store(&place, "export", "data", &[]).ok();
    let cut = text.rsplit_once("{\"type\":\"end\"").expect("an end").0;
    for (file, error) in [
        (cut.to_owned(), "line 23: the file ends here without its `end` line: it was cut off"),
        (text.replacen("site/1", "site/+", 1), "line 2: `topic` \"site/+\": a topic name must not"),
        (
            text.replacen("\"version\":2", "\"version\":3", 1),
            "line 1: the export has version 3, and",
        ),
        ("hello".to_owned(), "line 1: this is no export of a store"),
    ] {
        place.write("x.jsonl", &file);
        let said = store(&place, "import", "new", &["x.jsonl"]).failed(1);
        assert!(said.starts_with(&format!("error: x.jsonl is not imported: {error}")), "{said}");
        let left = fs::read_dir(place.path().join("new")).unwrap();
        let left: Vec<_> = left.map(|item| item.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"], "nothing that a node would start on");
    }
    place.write("x.jsonl", &text);
    // What an interrupted import and a node that has kept nothing leave is no store.
    for folder in ["new/log", "new/log.import"] {
        fs::create_dir_all(place.path().join(folder)).unwrap();
    }
    fs::write(place.path().join("new/log.import/0000000000000001.seg"), vec![1; 600]).unwrap();
    store(&place, "import", "new", &["x.jsonl"]).ok();
    let said = store(&place, "import", "new", &["x.jsonl"]).failed(1);
    assert_eq!(
        said,
        "error: x.jsonl is not imported: new/log has a store already, which an import never \
         overwrites; name another data directory, or move that folder away\n"
    );
    let said = store(&place, "import", "new", &["none.jsonl"]).failed(1);
    assert!(said.starts_with("error: none.jsonl is not imported: No such file"), "{said}");
    store(&place, "import", "new", &[]).failed(2);
    store(&place, "check", "new", &[]).ok();
}

/// What is damaged at the very end must not pass for something that was never kept.
#[test]
fn damage_to_the_last_commit_of_a_stopped_node_and_of_an_import_is_known() {
    let place = Place::new();
    filled(&place);
    store(&place, "export", "data", &["x.jsonl"]).ok();
    store(&place, "import", "moved", &["x.jsonl"]).ok();
    for dir in ["data", "moved"] {
        let dumped = store(&place, "dump", dir, &["--json"]).ok();
        let last = json(dumped.lines().next_back().expect("a record"));
        let mut bytes = fs::read(segment(&place, dir)).unwrap();
        bytes[usize::try_from(last["offset"].as_u64().unwrap()).unwrap()] ^= 1;
        fs::write(segment(&place, dir), bytes).unwrap();
        let mend = format!("`plexus store repair --data-dir {dir}`");
        let said = place.run(["serve", LISTEN, DURABLE, "--data-dir", dir]).failed(1);
        assert!(said.contains(" is damaged at byte ") && said.contains(&mend), "{said}");
        let check = json(&store(&place, "check", dir, &["--json"]).stdout);
        assert_eq!(
            (check["damages"].as_array().map(Vec::len), &check["unfinished_bytes"]),
            (Some(1), &0.into())
        );
        store(&place, "repair", dir, &[]).ok();
        store(&place, "check", dir, &[]).ok();
    }
}

/// What clients send each other is for nobody else, and neither is the least of the files.
#[test]
fn every_file_of_a_data_directory_is_for_its_owner() {
    let place = Place::new();
    filled(&place);
    store(&place, "export", "data", &["data/x.jsonl"]).ok();
    let mut names = Vec::new();
    for folder in ["data", "data/log"] {
        for item in fs::read_dir(place.path().join(folder)).unwrap() {
            let (name, meta) =
                item.map(|item| (item.file_name(), item.metadata().unwrap())).unwrap();
            assert_eq!(meta.permissions().mode() & 0o077, 0, "{name:?}");
            names.push(name);
        }
    }
    assert!(names.contains(&"lock".into()) && names.contains(&"LOCK".into()), "{names:?}");
}
