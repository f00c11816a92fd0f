use plexus_connector_http::{DocumentOptions, document};
use plexus_net::TlsClientOptions;
use plexus_runtime::Runtime;
use plexus_testkit::{HttpService, Manner};

/// What comes from there.
fn got(url: &str) -> Result<String, String> {
    let runtime = Runtime::start(1).expect("threads");
    let fetch =
        document(url, &TlsClientOptions::default(), DocumentOptions::KEYS, &runtime.handle())?;
    let bytes = runtime.handle().wait_for(fetch())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[test]
fn a_document_comes_whole_or_not_at_all() {
    let service = HttpService::start(Manner::answer("200 OK", "{}"));
    assert_eq!(got(&format!("{}/keys?x=1", service.url())).as_deref(), Ok("{}"));
    let heard = service.heard(1);
    assert!(heard[0].head.starts_with("GET /keys?x=1 HTTP/1.1\r\n"), "{heard:?}");
    service.set(Manner::answer("200 OK", &"x".repeat(1_024 * 1_024 + 1)));
    let said = got(&service.url()).expect_err("it is too long");
    assert!(said.contains("longer than 1048576 bytes"), "{said}");
    service.set(Manner::Says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec()));
    let said = got(&service.url()).expect_err("it is half");
    assert!(said.contains("broke off"), "{said}");
    service.set(Manner::answer("404 Not Found", "{}"));
    assert_eq!(got(&service.url()), Err("HTTP 404 Not Found".to_owned()));
    let url = service.url();
    let _dead = service.kill();
    let said = got(&url).expect_err("nobody is there");
    assert!(said.contains("cannot be reached") && said.contains("refused"), "{said}");
}

#[test]
fn it_may_lie_elsewhere_at_its_host_but_at_no_other() {
    let other = HttpService::start(Manner::answer("200 OK", "stolen"));
    let service = HttpService::start(Manner::redirect(&format!("{}/keys", other.url())));
    assert_eq!(got(&service.url()), Err("HTTP 302 Found".to_owned()));
    assert_eq!(other.count(), 0);
    service.set(Manner::redirect("/moved"));
    assert_eq!(got(&service.url()), Err("HTTP 302 Found".to_owned()), "not round and round");
    let asked = service.heard(5);
    assert_eq!(asked.len(), 5, "once for the first case, then with three redirections");
    assert!(asked[4].head.starts_with("GET /moved HTTP/1.1\r\n"), "{asked:?}");
}

#[test]
fn keys_are_fetched_over_tls_or_from_this_machine() {
    for url in ["http://id.example.com/keys", "ftp://127.0.0.1/", "keys", "file:///etc/passwd"] {
        assert!(got(url).is_err(), "{url}");
    }
}
