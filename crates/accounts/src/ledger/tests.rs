use std::{
    fs,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use plexus_access::{Act, Effect, NamedRules, Principal, User};
use plexus_admission::Roster;
use plexus_api_model::{AccountRule, RuleWhom};
use plexus_stdx::Seed;
use plexus_types::{ClientId, Qos, TenantName, Text, TopicName};
use serde_json::json;

use super::{Accounts, AccountsError, Hashed, Whose};

/// bcrypt of `secret`, as cheap as it is read.
const STORED: &str = "$2b$04$abcdefghijklmnopqrstuuW6hSbY0sUzYzQ1oFKKsTQ2sA6nMl0eK";

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("plexus-accounts-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        Accounts::file(&self.0)
    }

    fn open(&self) -> (Accounts, Told) {
        let told = Told::default();
        let to = Arc::clone(&told);
        let tell = move |rules| *to.lock().unwrap() = Some(rules);
        (Accounts::open(&self.file(), Roster::default(), Seed::new(7), tell).unwrap(), told)
    }

    fn refused(&self) -> String {
        let opened = Accounts::open(&self.file(), Roster::default(), Seed::new(7), |_| {});
        opened.unwrap_err().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

type Told = Arc<Mutex<Option<NamedRules>>>;

fn user(name: &str) -> Hashed {
    Hashed { name: name.to_owned(), user: STORED.parse::<User>().unwrap() }
}

fn rules(value: serde_json::Value) -> Vec<AccountRule> {
    serde_json::from_value(value).unwrap()
}

fn of(whom: RuleWhom, name: &str) -> Whose {
    Whose { tenant: None, of: Some((whom, name.to_owned())) }
}

fn may(told: &Told, client: &str, user: &str, topic: &str) -> Option<Effect> {
    let principal = Principal {
        client_id: ClientId::try_from(client).unwrap(),
        user_name: Some(Text::try_from(user).unwrap()),
        peer: None,
        listener: "l".into(),
        tenant: None,
        is_unplaced: false,
        rights: None,
    };
    let topic = TopicName::try_from(topic).unwrap();
    let act = Act::Publish { topic: &topic, qos: Qos::AtMostOnce, retain: false };
    let told = told.lock().unwrap();
    let all = told.as_ref().unwrap();
    all.of(&principal).find_map(|rules| rules.find(&principal, &act)).map(|(_, rule)| rule.effect)
}

#[test]
fn users_outlive_the_process_and_those_of_tenants_are_their_own() {
    let place = Place::new("users");
    let acme = TenantName::try_from("acme").unwrap();
    {
        let (accounts, _) = place.open();
        assert_eq!(accounts.add_users(None, vec![user("ann"), user("bob")], false).unwrap(), 2);
        accounts.add_users(Some(&acme), vec![user("ann")], false).unwrap();
        accounts.change_user(None, "ann", |user| user.is_superuser = true).unwrap();
        accounts.remove_user(None, "bob").unwrap();
        assert!(matches!(accounts.remove_user(None, "bob"), Err(AccountsError::Missing(_))));
        let none = accounts.change_user(Some(&acme), "bob", |_| {});
        assert!(matches!(none, Err(AccountsError::Missing(_))));
    }
    let (accounts, _) = place.open();
    let roster = accounts.roster();
    assert_eq!(roster.len(), 2);
    assert!(roster.find(None, "ann").unwrap().is_superuser);
    assert!(!roster.find(Some(&acme), "ann").unwrap().is_superuser);
    assert!(!roster.contains(None, "bob"));
}

#[test]
fn all_of_them_are_added_or_none() {
    let place = Place::new("whole");
    let (accounts, _) = place.open();
    accounts.add_users(None, vec![user("ann")], false).unwrap();
    let before = fs::read(place.file()).unwrap();
    let exists = accounts.add_users(None, vec![user("new"), user("ann")], false);
    assert!(matches!(exists, Err(AccountsError::Exists(_))), "{exists:?}");
    for name in ["", "a:b", " a", "#a", "a\nb", &"x".repeat(257)] {
        let wrong = accounts.add_users(None, vec![user("new"), user(name)], true);
        assert!(matches!(wrong, Err(AccountsError::Wrong(_))), "{name}: {wrong:?}");
    }
    let twice = accounts.add_users(None, vec![user("new"), user("new")], false);
    assert!(twice.unwrap_err().to_string().contains("given twice"));
    assert_eq!(accounts.roster().len(), 1);
    assert_eq!(fs::read(place.file()).unwrap(), before);
    assert_eq!(accounts.add_users(None, vec![user("new"), user("ann")], true).unwrap(), 2);
}

#[test]
fn rules_are_told_in_their_order_and_outlive_the_process() {
    let place = Place::new("rules");
    let deny = json!([{ "permission": "deny", "action": "publish", "topic": "a/#" }]);
    let allow = json!([{ "permission": "allow", "topic": "a/b", "qos": [0, 1], "retain": "all" }]);
    {
        let (accounts, told) = place.open();
        let ann = of(RuleWhom::Users, "ann");
        accounts.add_rules(vec![(ann.clone(), rules(deny.clone()))]).unwrap();
        assert_eq!(may(&told, "robot", "ann", "a/b"), Some(Effect::Deny));
        assert_eq!(may(&told, "robot", "bob", "a/b"), None);
        accounts.set_rules(of(RuleWhom::Clients, "robot"), rules(allow.clone())).unwrap();
        assert_eq!(
            may(&told, "robot", "ann", "a/b"),
            Some(Effect::Allow),
            "the client comes first"
        );
        assert_eq!(may(&told, "robot", "ann", "a/c"), Some(Effect::Deny));
        let again = accounts.add_rules(vec![(ann.clone(), rules(allow))]);
        assert!(matches!(again, Err(AccountsError::Exists(_))));
        accounts.set_rules(Whose { tenant: None, of: None }, rules(deny)).unwrap();
        accounts.remove_rules(ann.clone()).unwrap();
        assert!(matches!(accounts.remove_rules(ann), Err(AccountsError::Missing(_))));
    }
    let (accounts, told) = place.open();
    assert_eq!(accounts.subjects(), 2);
    assert_eq!(accounts.rules(&of(RuleWhom::Users, "ann")), None);
    assert_eq!(may(&told, "robot", "ann", "a/b"), Some(Effect::Allow));
    assert_eq!(may(&told, "other", "ann", "a/c"), Some(Effect::Deny), "everybody");
    assert_eq!(may(&told, "other", "ann", "b"), None);
}

#[test]
fn rules_that_cannot_be_are_refused_and_nothing_changes() {
    let place = Place::new("wrong");
    let (accounts, told) = place.open();
    let before = fs::read(place.file()).unwrap();
    for (wrong, said) in [
        (json!([{ "permission": "allow", "topic": "a/#/b" }]), "user `ann`"),
        (json!([{ "permission": "allow", "topic": "a", "qos": [] }]), "`qos` is empty"),
        (json!([{ "permission": "allow", "topic": "a", "qos": [3] }]), "0, 1 and 2"),
    ] {
        let put = accounts.set_rules(of(RuleWhom::Users, "ann"), rules(wrong));
        let error = put.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let many = vec![rules(json!([{ "permission": "allow", "topic": "a" }]))[0].clone(); 101];
    assert!(accounts.set_rules(of(RuleWhom::Users, "ann"), many).is_err());
    for name in ["", "a\0b"] {
        let one = rules(json!([{ "permission": "allow", "topic": "a" }]));
        assert!(accounts.set_rules(of(RuleWhom::Clients, name), one).is_err());
    }
    assert!(told.lock().unwrap().as_ref().unwrap().is_empty());
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[test]
fn what_a_crash_cut_off_is_left_out_and_what_is_broken_is_told_with_its_line() {
    let place = Place::new("torn");
    {
        let (accounts, _) = place.open();
        accounts.add_users(None, vec![user("ann"), user("bob")], false).unwrap();
    }
    let together = fs::read(place.file()).unwrap();
    fs::write(place.file(), &together[..together.len() - 2]).unwrap();
    assert!(place.open().0.roster().is_empty(), "all of them or none");
    fs::write(place.file(), b"{\"accounts\":1}\n").unwrap();
    {
        let (accounts, _) = place.open();
        accounts.add_users(None, vec![user("ann")], false).unwrap();
        accounts.add_users(None, vec![user("bob")], false).unwrap();
    }
    let whole = fs::read(place.file()).unwrap();
    // Wherever it was cut: what came before is there, and one can go on.
    for cut in 0..whole.len() {
        fs::write(place.file(), &whole[..cut]).unwrap();
        let (accounts, _) = place.open();
        let lines = whole[..cut].split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(accounts.roster().len(), lines.saturating_sub(1), "{cut}");
        accounts.add_users(None, vec![user("new")], false).unwrap();
        drop(accounts);
        assert!(place.open().0.roster().contains(None, "new"), "{cut}");
    }
    let mut file = fs::OpenOptions::new().append(true).open(place.file()).unwrap();
    file.write_all(b"{\"user\":{\"name\":\"eve\",\"stored\":\"plain\"}}\n").unwrap();
    let told = place.refused();
    assert!(told.contains("accounts.jsonl, line 4") && told.contains("`eve`"), "{told}");
    fs::write(place.file(), b"{\"accounts\":2}\n").unwrap();
    assert!(place.refused().contains("line 1: it is of version 2"));
    fs::write(place.file(), b"{\"user\":{\"name\":\"eve\"}}\n").unwrap();
    assert!(place.refused().contains("line 1: the version stands in the first line"));
}

#[test]
fn a_long_file_is_written_anew() {
    let place = Place::new("long");
    {
        let (accounts, _) = place.open();
        accounts.add_users(None, vec![user("ann")], false).unwrap();
    }
    let line = fs::read_to_string(place.file()).unwrap().lines().last().unwrap().to_owned();
    let mut file = fs::OpenOptions::new().append(true).open(place.file()).unwrap();
    file.write_all((line + "\n").repeat(10_100).as_bytes()).unwrap();
    drop(file);
    {
        let (accounts, _) = place.open();
        assert_eq!(accounts.roster().len(), 1);
        accounts.add_users(None, vec![user("bob")], false).unwrap();
    }
    assert_eq!(fs::read_to_string(place.file()).unwrap().lines().count(), 3);
    assert_eq!(place.open().0.roster().len(), 2);
}
