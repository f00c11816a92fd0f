use std::time::Duration;

use bytes::Bytes;
use plexus_connector_http::{CollectorOptions, HttpCollector, Misfit};
use plexus_net::TlsClientOptions;
use plexus_otlp::{Answer, Collector, Signal};
use plexus_runtime::Runtime;
use plexus_testkit::{HttpService, Manner};

fn options(endpoint: &str) -> CollectorOptions {
    CollectorOptions {
        endpoint: endpoint.to_owned(),
        headers: vec![("x-key".to_owned(), "secret".to_owned())],
        cleartext: false,
        tls: TlsClientOptions::default(),
    }
}

fn post(endpoint: &str, signal: Signal) -> Answer {
    let runtime = Runtime::start(1).expect("threads");
    let collector = HttpCollector::new(options(endpoint), &runtime.handle()).expect("it is meant");
    runtime.handle().wait_for(collector.post(signal, Bytes::from_static(b"\x0a\xff")))
}

#[test]
fn what_is_sent_is_below_the_endpoint_with_the_headers() {
    let service = HttpService::start(Manner::answer("200 OK", "said"));
    for (path, signal) in [("", Signal::Traces), ("/", Signal::Metrics), ("/otlp/", Signal::Logs)] {
        let answer = post(&format!("{}{path}", service.url()), signal);
        assert_eq!(answer, Answer::Taken(Bytes::from_static(b"said")));
    }
    let heard = service.heard(3);
    for (heard, path) in heard.iter().zip(["/v1/traces", "/v1/metrics", "/otlp/v1/logs"]) {
        let head = heard.head.to_lowercase();
        assert!(head.starts_with(&format!("post {path} http/1.1\r\n")), "{head}");
        assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
        assert!(head.contains("x-key: secret\r\n"), "{head}");
        assert_eq!(heard.bytes, b"\x0a\xff");
    }
}

#[test]
fn answers_mean_what_otlp_says() {
    let service = HttpService::start(Manner::answer("200 OK", ""));
    let says = |text: &str| {
        service.set(Manner::Says(text.as_bytes().to_vec()));
        post(&service.url(), Signal::Traces)
    };
    let later = |why: &str, seconds: Option<u64>| {
        Answer::Later(why.to_owned(), seconds.map(Duration::from_secs))
    };
    let refused = |why: &str| Answer::Refused(why.to_owned());
    let end = "Connection: close\r\nContent-Length: 0\r\n\r\n";
    for (status, answer) in [
        ("429 Too Many Requests", later("HTTP 429 Too Many Requests", None)),
        ("502 Bad Gateway", later("HTTP 502 Bad Gateway", None)),
        (
            "503 Service Unavailable\r\nRetry-After: 7",
            later("HTTP 503 Service Unavailable", Some(7)),
        ),
        ("503 Service Unavailable\r\nRetry-After: -1", later("HTTP 503 Service Unavailable", None)),
        (
            "503 Service Unavailable\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT",
            later("HTTP 503 Service Unavailable", None),
        ),
        ("504 Gateway Timeout", later("HTTP 504 Gateway Timeout", None)),
        ("400 Bad Request", refused("HTTP 400 Bad Request")),
        ("404 Not Found", refused("HTTP 404 Not Found")),
        ("500 Internal Server Error", refused("HTTP 500 Internal Server Error")),
        ("302 Found\r\nLocation: /elsewhere", refused("HTTP 302 Found")),
        ("204 No Content", Answer::Taken(Bytes::new())),
    ] {
        assert_eq!(says(&format!("HTTP/1.1 {status}\r\n{end}")), answer, "{status}");
    }
    let length = 1024 * 1024;
    let long = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{}",
        "x".repeat(length)
    );
    assert_eq!(says(&long), Answer::Taken(Bytes::new()), "as long as nobody reads it");
    assert!(matches!(says("\u{1}\u{2}\r\n\r\n"), Answer::Later(_, None)), "it lies");
    let url = service.url();
    let _dead = service.kill();
    let Answer::Later(why, None) = post(&url, Signal::Logs) else { panic!("nobody is there") };
    assert!(why.contains("cannot be reached"), "{why}");
}

#[test]
fn an_endpoint_that_cannot_be_meant_is_told_with_its_mend() {
    let runtime = Runtime::start(1).expect("threads");
    let handle = runtime.handle();
    let said = |options| HttpCollector::new(options, &handle).expect_err("it cannot be meant");
    for (endpoint, problem) in [
        ("localhost:4318", "has no host"),
        ("4318", "is no address"),
        ("ftp://localhost", "begins with neither"),
        ("http://otel.example.com:4318", "would be asked in clear text; use `https://`"),
        ("https://me:word@otel.example.com", "use telemetry.headers"),
        ("https://otel.example.com/?x=1", "has a `?`"),
        ("http://localhost:4318/v1/traces", "leave `/v1/…` out"),
        ("http://localhost:4318/v1/logs/", "leave `/v1/…` out"),
    ] {
        let Misfit { key, problem: said } = said(options(endpoint));
        assert!(key == "endpoint" && said.contains(problem), "{endpoint}: {said}");
    }
    for (name, value, problem) in [
        ("a b", "x", "`a b` is no name of a header"),
        ("a", "x\ny", "the value of `a` cannot stand"),
        ("Content-Type", "x", "is always that of protobuf"),
    ] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let Misfit { key, problem: said } =
            said(CollectorOptions { headers, ..options("http://localhost:4318") });
        assert!(key == "headers" && said.contains(problem), "{name}: {said}");
    }
    let far = CollectorOptions { cleartext: true, ..options("http://otel.example.com:4318") };
    assert!(HttpCollector::new(far, &handle).is_ok(), "where that is asked for");
}
