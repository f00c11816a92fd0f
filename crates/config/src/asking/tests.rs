use crate::admission::tests::problems;

const ASK: &str = "[[access.ask]]\nname = \"web\"\nurl = \"http://127.0.0.1/may\"\n";

#[test]
fn who_is_asked_has_a_name_and_is_asked_about_what_is_known() {
    assert_eq!(problems(ASK), [""; 0]);
    for (text, problem) in [
        (ASK.replace("web", ""), "no name"),
        (format!("{ASK}{ASK}"), "a second service `web`"),
        (ASK.replace("may", "${password}"), "no password and no certificate is known"),
        (format!("{ASK}timeout = \"1m\"\n"), "out of its range"),
        (format!("[access]\nremember_answers = \"2d\"\n{ASK}"), "out of its range"),
        (format!("[access]\nfilter_deliveries = true\n{ASK}"), "a delivery cannot wait"),
        (
            ASK.replace("access.ask", "access.http").replace("may", "${topic}"),
            "asked about clients",
        ),
    ] {
        let found = problems(&text);
        assert!(found.first().is_some_and(|found| found.contains(problem)), "{text}: {found:?}");
    }
}
