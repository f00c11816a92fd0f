use crate::program::Place;

#[test]
fn the_program_says_what_it_can() {
    let help = Place::new().run(["--help"]).ok();
    assert!(help.starts_with("Plexus: an MQTT broker, and clients to try it with\n"), "{help}");
    for command in ["serve", "config", "passwd"] {
        assert!(help.contains(&format!("\n  {command}")), "{command}: {help}");
    }
    assert!(help.ends_with("  5  the time was over\n"), "{help}");
}

#[test]
fn the_version_is_one_line() {
    let version = Place::new().run(["--version"]).ok();
    assert_eq!(version, format!("plexus {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_command_line_that_is_wrong_ends_with_2() {
    let place = Place::new();
    let error = place.run(["serv"]).failed(2);
    assert!(error.contains("a similar subcommand exists: 'serve'"), "{error}");
    let error = place.run(["serve", "--listn", "x"]).failed(2);
    assert!(error.contains("a similar argument exists: '--listen'"), "{error}");
    place.run([] as [&str; 0]).failed(2);
}

#[test]
fn the_help_of_passwd_is_complete() {
    let help = Place::new().run(["passwd", "--help"]).ok();
    for part in ["--delete", "--print", "SIGHUP", "new connections", "plexus passwd --delete"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    let short = Place::new().run(["passwd", "-h"]).ok();
    assert!(short.contains("see more with '--help'"), "{short}");
}

#[test]
fn the_short_help_of_a_server_command_is_the_long_one_or_names_it() {
    let place = Place::new();
    for command in [&["serve"][..], &["config"], &["config", "check"], &["config", "show"]] {
        let with = |flag| place.run(command.iter().chain(&[flag])).ok();
        let (short, long) = (with("-h"), with("--help"));
        assert!(short == long || short.contains("see more with '--help'"), "{short}");
    }
}

#[test]
fn the_clients_say_how_they_are_used_and_how_they_end() {
    let place = Place::new();
    let help = |command: &str| place.run([command, "--help"]).ok();
    let payload = "<--message <TEXT>|--file <FILE>|--lines|--null>";
    for (command, usage) in [
        ("pub", format!("Usage: plexus pub [OPTIONS] --topic <TOPIC> {payload}\n")),
        ("sub", "Usage: plexus sub [OPTIONS] --topic <FILTER>\n".to_owned()),
    ] {
        let help = help(command);
        assert!(help.contains(&usage), "{help}");
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let timeout = "-W, --timeout <SECONDS> End after so many seconds. Exit code 5 if";
        assert!(words.contains(timeout), "{help}");
        assert!(help.contains("\n  4  "), "{help}");
        let error = place.run([command, "-t", "a", "-W", "soon"]).failed(2);
        assert!(error.contains("such as 10 or 0.5"), "{error}");
    }
    assert!(help("sub").contains("without --count ends with 0"), "{}", help("sub"));
}

#[test]
fn the_help_of_store_says_of_each_command_what_json_changes() {
    for (command, part) in [
        ("stat", "As JSON: one object"),
        ("dump", "one object a line for each record"),
        ("export", "one to standard output has no summary"),
        ("import", "The summary as JSON: one object"),
    ] {
        let help = Place::new().run(["store", command, "--help"]).ok();
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(part), "{help}");
    }
}
