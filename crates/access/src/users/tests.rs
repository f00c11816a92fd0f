use std::{collections::BTreeMap, str::FromStr};

use plexus_stdx::Seed;

use super::{Login, NameError, User, Users, UsersProblem, edit};
use crate::{HashError, StoredPassword, password::tests::cheap};

const CHEAP: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$";

/// A line whose password is "secret".
fn line(name: &str) -> String {
    format!("{name}:{}\n", cheap(b"secret"))
}

fn users(text: &str) -> Result<Users, (Option<usize>, UsersProblem)> {
    Users::parse(text.as_bytes(), Seed::new(1)).map_err(|error| (error.line, error.problem))
}

#[test]
fn only_the_right_password_of_a_known_user_is_right() {
    let users = users(&format!("# staff\n\n{}{}", line("alice"), line("bob"))).unwrap();
    assert_eq!(users.len(), 2);
    assert_eq!(users.check("alice", b"secret"), Login::Right { is_superuser: false });
    assert_eq!(users.check("alice", b"wrong"), Login::Wrong);
    assert_eq!(users.check("alice", b""), Login::Wrong);
    assert_eq!(users.check("carol", b"secret"), Login::Unknown);
    assert_eq!(users.check("Alice", b"secret"), Login::Unknown);
    assert_eq!(Users::none(Seed::new(1)).check("alice", b"secret"), Login::Unknown);
}

#[test]
fn an_unknown_name_costs_the_hash_of_some_user_and_always_the_same() {
    let users = users(&(line("alice") + &line("bob"))).unwrap();
    let (one, known) = users.user_of("mallory").unwrap();
    let (again, _) = users.user_of("mallory").unwrap();
    assert!(!known && std::ptr::eq(one, again));
    assert!(Users::none(Seed::new(1)).user_of("mallory").is_none());
}

#[test]
fn a_file_that_is_not_understood_stops_with_the_place() {
    let good = line("alice");
    let hash = good.trim_end().split_once(':').unwrap().1.to_owned();
    let first = |text: &str| users(text).unwrap_err();
    assert_eq!(first(""), (None, UsersProblem::Empty));
    assert_eq!(first("# staff\n\n"), (None, UsersProblem::Empty));
    assert_eq!(first(&format!("{good}bob\n")), (Some(2), UsersProblem::NoColon));
    let problem = |line: &str| users(line).unwrap_err().1;
    assert_eq!(problem(&format!(":{hash}")), UsersProblem::Name(NameError::Empty));
    assert_eq!(problem(&format!(" bob:{hash}")), UsersProblem::Name(NameError::Edge));
    assert_eq!(problem(&format!("b\tb:{hash}")), UsersProblem::Name(NameError::Character));
    let long = "b".repeat(257);
    assert_eq!(problem(&format!("{long}:{hash}")), UsersProblem::Name(NameError::TooLong));
    assert_eq!(problem("bob:"), UsersProblem::Hash("bob".into(), HashError::Scheme));
    assert_eq!(problem("bob:secret"), UsersProblem::Hash("bob".into(), HashError::Scheme));
    let twice = first(&format!("{good}# again\n{good}"));
    assert_eq!(twice, (Some(3), UsersProblem::Twice("alice".into(), 1)));
    let not_utf8 = Users::parse(b"a:\xFF\n", Seed::new(1)).unwrap_err();
    assert_eq!((not_utf8.line, not_utf8.problem), (Some(1), UsersProblem::NotUtf8));
}

#[test]
fn lines_of_other_systems_end_with_a_carriage_return() {
    let users = users(&line("alice").replace('\n', "\r\n")).unwrap();
    assert_eq!(users.check("alice", b"secret"), Login::Right { is_superuser: false });
}

#[test]
fn an_edit_leaves_comments_and_order_alone() {
    let text = format!("# staff\n{}# guests\n{}", line("alice"), line("bob"));
    let password = StoredPassword::parse(&format!("{CHEAP}{}", "B".repeat(42) + "A")).unwrap();
    let other = User { password, is_superuser: false };
    let changed = edit::set(&text, "alice", &other).unwrap();
    assert_eq!(changed, format!("# staff\nalice:{other}\n# guests\n{}", line("bob")));
    let added = edit::set(&text, "carol", &other).unwrap();
    assert_eq!(added, format!("{text}carol:{other}\n"));
    assert_eq!(edit::names(&added).collect::<Vec<_>>(), ["alice", "bob", "carol"]);
    let removed = edit::remove(&added, "alice").unwrap();
    assert_eq!(removed, format!("# staff\n# guests\n{}carol:{other}\n", line("bob")));
    assert_eq!(edit::remove(&text, "carol"), None);
    assert_eq!(edit::set("", "a:b", &other), Err(NameError::Character));
    assert!(Users::parse(added.as_bytes(), Seed::new(1)).is_ok());
}

#[test]
fn an_edit_is_only_for_user_files() {
    let good = format!("# staff\n\n{}", line("alice"));
    assert_eq!(edit::check(&good, "bob"), Ok(()));
    assert_eq!(edit::check(&format!("{good}{good}"), "bob"), Ok(()), "twice is mended by an edit");
    let problem =
        |text: &str| edit::check(text, "bob").map_err(|error| (error.line, error.problem));
    assert_eq!(problem(&format!("{good}[access]\n")), Err((Some(4), UsersProblem::NoColon)));
    let broken = UsersProblem::Hash("carol".into(), HashError::Scheme);
    assert_eq!(problem("carol:$7$101$xyz\n"), Err((Some(1), broken)));
    assert_eq!(problem("bob:hunter2\n"), Ok(()), "it is to be replaced");
}

#[test]
fn a_file_may_have_no_users_when_it_says_so() {
    let removed = edit::remove(&line("alice"), "alice").unwrap();
    assert_eq!(removed, "# nobody\n");
    assert!(users(&removed).unwrap().is_empty());
    let user = line("bob").trim_end().split_once(':').unwrap().1.parse().unwrap();
    assert_eq!(edit::set(&removed, "bob", &user).unwrap(), line("bob"));
    assert_eq!(
        edit::remove(&("# staff\n".to_owned() + &line("bob")), "bob").unwrap(),
        "# staff\n# nobody\n"
    );
}

#[test]
fn only_blanks_of_ascii_are_no_line() {
    assert_eq!(users(" \t\r\n").unwrap_err(), (None, UsersProblem::Empty));
    assert_eq!(users("\u{a0}\n").unwrap_err(), (Some(1), UsersProblem::NoColon));
    assert_eq!(users("\u{b}\n").unwrap_err(), (Some(1), UsersProblem::NoColon));
}

#[test]
fn debug_output_holds_no_secret() {
    let users = users(&line("alice")).unwrap();
    assert_eq!(format!("{users:?}"), "Users { len: 1, .. }");
}

#[test]
fn a_superuser_is_marked_behind_the_password() {
    let line = line("root");
    let marked = format!("{} superuser \n", line.trim_end());
    let known = users(&format!("{marked}{}", line.replace("root", "bob"))).unwrap();
    assert_eq!(known.check("root", b"secret"), Login::Right { is_superuser: true });
    assert_eq!(known.check("root", b"wrong"), Login::Wrong);
    assert_eq!(known.check("bob", b"secret"), Login::Right { is_superuser: false });
    let other = format!("{} operator\n", line.trim_end());
    let problem = UsersProblem::Hash("root".into(), HashError::Flag);
    assert_eq!(users(&other).unwrap_err(), (Some(1), problem));
    assert!(edit::is_superuser(&marked, "root") && !edit::is_superuser(&line, "root"));
    assert_eq!(User::from_str(marked.split_once(':').unwrap().1).unwrap().to_string(), {
        marked.trim_end().split_once(':').unwrap().1
    });
}

#[test]
fn many_users_are_set_at_once() {
    let of = |text: &str| User::from_str(text.trim_end().split_once(':').unwrap().1).unwrap();
    let sha = "x:$sha256$salt=after$TmFDbC1vZi0yMDI2$ZkTBsXaGlPojAp5S/Y88z9k+k/R2PmeG1Hpiuc/Sq2U";
    let text = format!("# staff\n{}# guests\n{}", line("alice"), line("bob"));
    let new = [("zoe", sha), ("alice", sha), ("carol", &line("carol"))];
    let new = new.map(|(name, text)| (name.to_owned(), of(text)));
    let set = edit::set_all(&text, &BTreeMap::from(new));
    let hash = &sha[1..];
    assert_eq!(
        set,
        format!("# staff\nalice{hash}\n# guests\n{}{}zoe{hash}\n", line("bob"), line("carol"))
    );
    assert_eq!(edit::weak(&set).collect::<Vec<_>>(), [(2, "alice"), (6, "zoe")]);
    assert_eq!(users(&set).unwrap().weak(), 2);
}
