use std::path::PathBuf;

use plexus_access::{Act, Effect, Principal};
use plexus_types::{ClientId, Qos, TenantName, TopicName};

use crate::{Config, File, Sources, load};

fn config(text: &str) -> Result<Config, String> {
    let file = File { path: PathBuf::from("plexus.toml"), text: text.to_owned() };
    let sources = Sources { file: Some(file), ..Sources::default() };
    load(sources).map_err(|error| error.to_string())
}

const TENANTS: &str = r#"
[[access.tenant]]
name = "acme"
server_names = ["Acme.example.com", "acme.example.org"]
max_sessions = 10
max_retained_bytes = "1MiB"
max_total_message_rate = "100/s"

[[access.tenant]]
name = "acme-2"

[[access.rule]]
tenant = "acme"
allow = ["publish"]
topics = ["acme/#"]

[[access.rule]]
allow = ["publish"]
topics = ["node/#"]

[[listener]]
url = "tcp://127.0.0.1:1883"
tenant = "acme-2"
"#;

#[test]
fn tenants_are_as_the_file_says() {
    let config = config(TENANTS).unwrap();
    let [acme, other] = &config.tenants()[..] else { panic!("two tenants") };
    assert_eq!((acme.name.as_str(), acme.sessions_max), ("acme", 10));
    assert_eq!((acme.connections_max, acme.retained_bytes_max), (usize::MAX, 1 << 20));
    assert!(acme.pace.messages.is_some() && acme.pace.bytes.is_none());
    assert_eq!((other.name.as_str(), other.sessions_max), ("acme-2", usize::MAX));
    assert!(other.pace.is_free());
    let names = config.server_names();
    assert_eq!(names.len(), 2);
    assert_eq!(names.get("acme.example.com").map(TenantName::as_str), Some("acme"));
}

#[test]
fn rules_of_one_tenant_are_no_other_ones() {
    let rules = config(TENANTS).unwrap().rules().unwrap();
    let publishes = |tenant: Option<&str>, topic: &str| {
        let who = Principal {
            client_id: ClientId::try_from("r1").unwrap(),
            user_name: None,
            peer: None,
            listener: "any".into(),
            tenant: tenant.map(|name| TenantName::try_from(name).unwrap()),
            is_unplaced: false,
            rights: None,
        };
        let topic = &TopicName::try_from(topic).unwrap();
        let act = Act::Publish { topic, qos: Qos::AtMostOnce, retain: false };
        rules.decide(&who, &act).effect == Effect::Allow
    };
    for (tenant, allowed) in
        [(None, ["node/a"].as_slice()), (Some("acme"), &["acme/a"]), (Some("acme-2"), &[])]
    {
        for topic in ["node/a", "acme/a"] {
            assert_eq!(publishes(tenant, topic), allowed.contains(&topic), "{tenant:?} {topic}");
        }
    }
}

#[test]
fn mistakes_are_told_with_their_place_and_mend() {
    let tenant = "[[access.tenant]]\nname = \"acme\"\n";
    for (text, message, help) in [
        ("[[access.tenant]]\nname = \"a/b\"\n", "`a/b` is no name of a tenant", "letters, digits"),
        (&format!("{tenant}{tenant}"), "a second tenant `acme`", "use another name"),
        (
            &format!("{tenant}server_names = [\"a.x\", \"A.x\"]\n"),
            "a second time the server name `A.x`",
            "one server name asks for one tenant",
        ),
        (
            &format!("{tenant}server_names = [\"*.x\"]\n"),
            "`*.x` is no server name",
            "write a DNS name",
        ),
        (
            "[[listener]]\nurl = \"tcp://127.0.0.1\"\ntenant = \"acme\"\n",
            "no tenant is called `acme`",
            "add [[access.tenant]] with name = \"acme\"",
        ),
        (
            "[[access.ban]]\nuser = \"x\"\ntenant = \"acme\"\n",
            "no tenant is called `acme`",
            "add [[access.tenant]]",
        ),
        (
            &format!("{tenant}[[access.ban]]\nnetwork = \"10.0.0.0/8\"\ntenant = \"acme\"\n"),
            "a network is no tenant's",
            "leave it out",
        ),
        (
            "[[access.rule]]\ntenant = \"acme\"\nallow = [\"publish\"]\ntopics = [\"#\"]\n",
            "no tenant is called `acme`",
            "add [[access.tenant]]",
        ),
    ] {
        let error = config(text).unwrap_err();
        assert!(error.contains(message) && error.contains(help), "{text}: {error}");
        assert!(error.contains("plexus.toml:"), "{error}");
    }
}
