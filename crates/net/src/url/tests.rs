use super::*;

#[test]
fn urls_are_read_and_written() {
    let table = [
        ("tcp://127.0.0.1:1883", "tcp://127.0.0.1:1883"),
        ("tcp://localhost", "tcp://localhost:1883"),
        ("tcp://localhost/", "tcp://localhost:1883"),
        ("tls://broker.example", "tls://broker.example:8883"),
        ("tls://[::1]", "tls://[::1]:8883"),
        ("tcp://[::]:0", "tcp://[::]:0"),
        ("ws://0.0.0.0", "ws://0.0.0.0:8083"),
        ("ws://0.0.0.0:80/mqtt", "ws://0.0.0.0:80/mqtt"),
        ("wss://[fe80::1]:443/a/b", "wss://[fe80::1]:443/a/b"),
        ("unix:///run/plexus.sock", "unix:///run/plexus.sock"),
    ];
    for (text, written) in table {
        let url: ListenUrl = text.parse().unwrap();
        assert_eq!(url.to_string(), written);
        assert_eq!(url.to_string().parse::<ListenUrl>().unwrap(), url);
    }
}

#[test]
fn an_error_names_the_mend() {
    let table = [
        (
            "localhost:1883",
            "`localhost:1883` has no scheme; write for example tcp://localhost:1883",
        ),
        (
            "mqtt://a",
            "unknown scheme `mqtt`; use tcp, tls, ws, wss or unix (mqtt:// is tcp:// here)",
        ),
        ("quic://a", "unknown scheme `quic`; use tcp, tls, ws, wss or unix"),
        (
            "tcp://:1883",
            "no host; write for example tcp://127.0.0.1:1883 for this machine only, or \
             tcp://0.0.0.0:1883 for every interface",
        ),
        (
            "wss://",
            "no host; write for example wss://127.0.0.1:8084 for this machine only, or \
             wss://0.0.0.0:8084 for every interface",
        ),
        ("tcp://a b:1", "`a b` is no host name and no address"),
        ("tcp://user@a:1", "`user@a` is no host name and no address"),
        ("tcp://::1", "`::1`: write an IPv6 address in brackets, for example [::1]:1883"),
        ("tcp://[::1", "`[::1`: write an IPv6 address in brackets, for example [::1]:1883"),
        ("tcp://[::1]x", "`[::1]x`: write an IPv6 address in brackets, for example [::1]:1883"),
        ("tcp://[a]", "`[a]`: write an IPv6 address in brackets, for example [::1]:1883"),
        (
            "tcp://a:",
            "no port behind the colon; write for example tcp://127.0.0.1:1883, or leave the colon \
             out for port 1883",
        ),
        (
            "tcp://a:65536",
            "`65536` is no port; use a number from 1 to 65535, or 0 for any free port",
        ),
        ("tcp://a:+1", "`+1` is no port; use a number from 1 to 65535, or 0 for any free port"),
        ("tls://a/mqtt", "tls:// has no path; remove `/mqtt`"),
        ("ws://a/m?x", "`/m?x` is no WebSocket path; use visible characters without `?` and `#`"),
        (
            "unix://run/x",
            "a Unix socket needs an absolute path; write unix:///run/plexus/mqtt.sock",
        ),
    ];
    for (text, message) in table {
        let error = text.parse::<ListenUrl>().unwrap_err();
        assert_eq!(error.to_string(), message, "for {text}");
    }
}

#[test]
fn the_parts_are_where_they_belong() {
    let url: ListenUrl = "ws://host:81/mqtt".parse().unwrap();
    assert_eq!((url.host(), url.port(), url.websocket_path()), ("host", 81, Some("/mqtt")));
    assert_eq!(url.unix_path(), None);
    let url: ListenUrl = "unix:///a".parse().unwrap();
    assert_eq!((url.unix_path(), url.websocket_path()), (Some(Path::new("/a")), None));
    let url: ListenUrl = "tcp://127.0.0.1:0".parse().unwrap();
    assert_eq!(url.resolve().unwrap(), ["127.0.0.1:0".parse().unwrap()]);
    assert_eq!(url.at("[::1]:9".parse().unwrap()).to_string(), "tcp://[::1]:9");
}
