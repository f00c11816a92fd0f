//! Certificates: made by `plexus cert dev`, read anew, revoked, and told of before they end.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use plexus_testkit::{HttpService, Manner};
use rcgen::{
    CertificateParams, CertificateRevocationListParams, DnType, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

use crate::program::{Node, Place};

/// Makes certificates; gives the listener for the configuration, and the options for its clients.
fn made(place: &Place, args: &[&str]) -> (String, Vec<String>) {
    let told = place.run([&["cert", "dev"], args].concat()).ok();
    let (_, rest) = told.split_once("In plexus.toml:\n\n").expect("a listener");
    let (listener, commands) = rest.split_once("\nThen plexus serve and, ").expect("commands");
    let command = commands.lines().find(|line| line.starts_with("plexus sub ")).expect("sub");
    let words = command.split(' ').skip(2).take_while(|word| *word != "-t");
    let listener = listener.replace(":8883", ":0");
    (listener, words.map(str::to_owned).collect())
}

/// Publishes a kept message and reads it again, with these options and the node's port.
fn there_and_back(place: &Place, node: &Node, options: &[String]) {
    let with_port = |word| if word == "8883" { node.port() } else { word };
    let options = options.iter().map(|word| with_port(word.as_str())).collect::<Vec<_>>();
    let publish = ["pub", "-t", "a", "-m", "x", "-q", "1", "-r", "--quiet"];
    assert_eq!(place.run([&publish[..], &options].concat()).ok(), "");
    let subscribe = ["sub", "-t", "a", "-C", "1", "-W", "20"];
    assert_eq!(place.run([&subscribe[..], &options].concat()).ok(), "x\n");
}

fn mode(place: &Place, name: &str) -> u32 {
    fs::metadata(place.path().join(name)).expect("a file").permissions().mode() & 0o777
}

#[test]
fn what_cert_dev_says_works_for_the_broker_alone() {
    let place = Place::new();
    let (listener, options) = made(&place, &["--host", "broker.local"]);
    assert!(!listener.contains("client_auth") && !options.contains(&"--cert".to_owned()));
    place.write("plexus.toml", &listener);
    let node = Node::start(&place, &[]);
    there_and_back(&place, &node, &options);
    for name in ["ca.key", "server.key"] {
        assert_eq!(mode(&place, &format!("certs/{name}")), 0o600, "{name}");
    }
    assert_eq!(mode(&place, "certs"), 0o700);
}

#[test]
fn what_cert_dev_says_works_for_broker_and_clients() {
    let place = Place::new();
    let (listener, options) = made(&place, &["--dir", "a b", "--client", "robot-7"]);
    // The folder has a blank in its name: its files are words of a shell.
    let options = options.join(" ").replace("a b/", "a\u{a0}b/").replace('\'', "");
    let options = options.split(' ').map(|word| word.replace('\u{a0}', " ")).collect::<Vec<_>>();
    place.write("plexus.toml", &listener);
    let node = Node::start(&place, &[]);
    there_and_back(&place, &node, &options);
    assert_eq!(mode(&place, "a b/client-robot-7.key"), 0o600);
    let without = ["pub", "-t", "a", "-n", "-q", "1", "--reconnect", "never", "-h", "localhost"];
    let place_of = ["-p", node.port(), "--cafile", "a b/ca.pem"];
    let refused = place.run([&without[..], &place_of].concat()).failed(1);
    assert!(refused.contains("it wants a certificate of the client"), "{refused}");
}

#[test]
fn cert_dev_overwrites_nothing_and_signs_more() {
    let place = Place::new();
    let dev = |args: &[&str]| place.run([&["cert", "dev"], args].concat());
    dev(&["--client", "a"]).ok();
    let first = ["ca.pem", "ca.key", "server.pem", "client-a.pem"]
        .map(|name| (name, place.read(&format!("certs/{name}"))));
    let stays = |names: &[&str]| {
        for (name, text) in &first {
            let same = place.read(&format!("certs/{name}")) == *text;
            assert_eq!(same, names.contains(name), "{name}");
        }
    };
    for args in [&[][..], &["--client", "a"], &["--client", "b", "--host", "x"]] {
        let told = dev(args).failed(1);
        assert!(told.starts_with("error: nothing was made: certs/"), "{told}");
        assert!(told.contains("is there; --force replaces"), "{told}");
    }
    assert!(!place.path().join("certs/client-b.pem").exists());
    stays(&["ca.pem", "ca.key", "server.pem", "client-a.pem"]);
    let told = dev(&["--client", "b"]).ok();
    assert!(told.contains("certs/ca.pem: the development authority, for clients to trust; it was"));
    assert!(told.contains("certs/server.pem: the broker's certificate; it was there"), "{told}");
    stays(&["ca.pem", "ca.key", "server.pem", "client-a.pem"]);
    dev(&["--client", "a", "--force"]).ok();
    stays(&["ca.pem", "ca.key", "server.pem"]);
    dev(&["--force"]).ok();
    stays(&["ca.pem", "ca.key"]);
    assert_eq!(
        fs::read_dir(place.path().join("certs")).unwrap().count(),
        8,
        "nothing is left over"
    );
}

#[test]
fn cert_dev_says_why_an_authority_cannot_sign() {
    let place = Place::new();
    let dev = |args: &[&str]| place.run([&["cert", "dev"], args].concat());
    dev(&[]).ok();
    let key = place.read("certs/ca.key");
    fs::remove_file(place.path().join("certs/ca.key")).unwrap();
    let told = dev(&["--client", "a"]).failed(1);
    assert!(told.contains("certs/ca.pem is there and certs/ca.key is not"), "{told}");
    place.write("certs/ca.key", "nonsense");
    let told = dev(&["--client", "a"]).failed(1);
    assert!(told.contains("certs/ca.key holds no key that can sign"), "{told}");
    place.write("certs/ca.key", &place.read("certs/server.key"));
    let told = dev(&["--client", "a"]).failed(1);
    assert!(told.contains("cannot sign: they are no pair that `plexus cert dev` made"), "{told}");
    place.write("certs/ca.key", &key);
    dev(&["--client", "a"]).ok();
    for (args, why) in [
        (&["--host", "mqtt://a"][..], "`mqtt://a` is no host; write a name such as broker.local"),
        (&["--client", "a/b"], "`a/b` is no name for a client's certificate"),
    ] {
        let told = dev(args).failed(2);
        assert!(told.contains(why), "{told}");
    }
    dev(&["--days", "900"]).failed(2);
}

#[test]
fn a_changed_certificate_is_noticed_and_a_half_written_one_is_told_once() {
    let place = Place::new();
    for folder in ["first", "second"] {
        place.run(["cert", "dev", "--dir", folder]).ok();
    }
    let at = |name: &str| place.path().join(name);
    // As container systems do it: certificate and key change together.
    let points_to = |folder: &str| {
        symlink(folder, at("next")).unwrap();
        fs::rename(at("next"), at("live")).unwrap();
    };
    points_to("first");
    let files = "cert_file = \"live/server.pem\", key_file = \"live/server.key\"";
    let listener = format!("[[listener]]\nurl = \"tls://127.0.0.1:0\"\ntls = {{ {files} }}\n");
    place.write("plexus.toml", &format!("tls.reload_interval = \"1s\"\n{listener}"));
    let mut node = Node::start(&place, &[]);
    let port = node.port().to_owned();
    let publish = |authority: &str| {
        let args = ["pub", "-t", "a", "-n", "-h", "localhost", "-p", &port, "--cafile", authority];
        place.run(args)
    };
    let whole = place.read("first/server.pem");
    place.write("half", &whole[..300]);
    fs::rename(at("half"), at("first/server.pem")).unwrap();
    node.record("the old certificate stays");
    publish("first/ca.pem").ok();

    points_to("second");
    let told = node.record("read anew");
    assert!(told.contains("read anew: certificates of 1 listener"), "{told}");
    publish("second/ca.pem").ok();
    let stale = publish("first/ca.pem").failed(1);
    assert!(stale.contains("first/ca.pem did not sign the certificate of"), "{stale}");
    let ended = node.stop();
    assert_eq!(ended.stderr.matches("the old certificate stays").count(), 1, "{ended:?}");
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn the_days_that_are_left_are_told() {
    let place = Place::new();
    let (listener, _) = made(&place, &["--days", "10"]);
    let listener = listener.replace("[[listener]]\n", "[[listener]]\nname = \"plant\"\n");
    place.write("plexus.toml", &format!("sys.interval = \"1s\"\n{listener}"));
    let node = Node::start(&place, &[]);
    let filter = "$SYS/brokers/plexus/listeners/+/+/days_left";
    let told = ["sub", "-t", filter, "-v", "-C", "1", "-W", "20"];
    let there = ["-h", "localhost", "-p", node.port(), "--cafile", "certs/ca.pem"];
    let left = place.run([&told[..], &there].concat()).ok();
    // Whether the second in which it was made is over decides.
    let topic = "$SYS/brokers/plexus/listeners/plant/certificate/days_left";
    assert!([9, 10].iter().any(|days| left == format!("{topic} {days}\n")), "{left}");
    let ended = node.stop();
    assert!(ended.stderr.contains("certs/server.pem expires within 1"), "{ended:?}");
}

/// An authority whose lists can be written, with the certificates of a broker and of the client `robot`.
struct Revoking<'a> {
    place: &'a Place,
    issuer: Issuer<'static, KeyPair>,
}

impl<'a> Revoking<'a> {
    fn new(place: &'a Place) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("a certificate");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a certificate");
        place.write("ca.pem", &params.self_signed(&key).expect("a certificate").pem());
        let issuer = Issuer::new(params, key);
        for (number, name) in [(1_u64, "localhost"), (2, "robot")] {
            let key = KeyPair::generate().expect("a certificate");
            let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a certificate");
            params.serial_number = Some(SerialNumber::from(number));
            let certificate = params.signed_by(&key, &issuer).expect("a certificate");
            place.write(&format!("{name}.pem"), &certificate.pem());
            place.write(&format!("{name}.key"), &key.serialize_pem());
        }
        Self { place, issuer }
    }

    /// Writes `list.crl`.
    fn list(&self, revoked: &[u64], year: i32) {
        self.place.write("list.crl", &self.published(revoked, year));
    }

    /// A list that holds to the end of that year.
    fn published(&self, revoked: &[u64], year: i32) -> String {
        Self::made(&self.issuer, revoked, (2020, year))
    }

    /// A list of a year.
    fn made(
        issuer: &Issuer<'static, KeyPair>,
        revoked: &[u64],
        (made, until): (i32, i32),
    ) -> String {
        let revoked = revoked.iter().map(|number| RevokedCertParams {
            serial_number: SerialNumber::from(*number),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(made, 1, 1),
            next_update: date_time_ymd(until, 12, 31),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(issuer).expect("a list").pem().expect("a list")
    }

    /// A list of somebody else.
    fn strangers() -> String {
        let mut params = CertificateParams::new(Vec::new()).expect("a certificate");
        params.distinguished_name.push(DnType::CommonName, "stranger");
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
        let issuer = Issuer::new(params, KeyPair::generate().expect("a key"));
        Self::made(&issuer, &[], (2022, 2_090))
    }
}

const ASKING: &str = "[[listener]]\nurl = \"tls://127.0.0.1:0\"\n[listener.tls]\n\
                      cert_file = \"localhost.pem\"\nkey_file = \"localhost.key\"\n\
                      client_ca_file = \"ca.pem\"\nclient_auth = \"required\"\n\
                      crl_files = [\"list.crl\"]\n";

#[test]
fn a_client_whose_certificate_was_revoked_stays_outside() {
    let place = Place::new();
    let authority = Revoking::new(&place);
    authority.list(&[], 2_090);
    place.write("plexus.toml", ASKING);
    let mut node = Node::start(&place, &[]);
    let publish = ["pub", "-t", "a", "-n", "-q", "1", "--reconnect", "never", "-h", "localhost"];
    let own = ["--cafile", "ca.pem", "--cert", "robot.pem", "--key", "robot.key"];
    let args = [&publish[..], &["-p", node.port()], &own].concat();
    let args = args.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    place.run(&args).ok();

    authority.list(&[2], 2_090);
    node.reload();
    let told = place.run(&args).failed(1);
    assert!(told.contains("the client's certificate was revoked"), "{told}");

    place.write("list.crl", "nonsense");
    node.reload();
    let told = place.run(&args).failed(1);
    assert!(told.contains("the client's certificate was revoked"), "the old list stays: {told}");

    authority.list(&[], 2_021);
    node.reload();
    place.run(&args).failed(1);
    let ended = node.stop();
    assert!(ended.stderr.contains("list.crl holds no revocation list"), "{ended:?}");
    let warning = "list.crl expired at 2021-12-31 00:00:00 UTC; renew it; until then clients are \
                   refused";
    assert!(ended.stderr.contains(warning), "{ended:?}");
}

#[test]
fn a_list_that_is_published_is_fetched_and_kept() {
    let place = Place::new();
    let authority = Revoking::new(&place);
    // An old list in a file beside it decides nothing.
    authority.list(&[], 2_090);
    let of = |made, revoked: &[u64]| Revoking::made(&authority.issuer, revoked, (made, 2_090));
    let publishes = |revoked: &[u64]| Manner::answer("200 OK", &of(2021, revoked));
    let service = HttpService::start(Manner::answer("500 Internal Server Error", ""));
    let urls = format!("crl_urls = [\"{}/ca.crl\"]", service.url());
    let text = format!("{ASKING}{urls}\n[tls]\ncrl_refresh = \"1s\"\n");
    place.write("plexus.toml", &text);
    let data = ["--data-dir", "data"];
    let check = place.run(["config", "check", "plexus.toml"]).ok();
    assert_eq!(check, "plexus.toml: ok\n  listens at tls://127.0.0.1:0\n");
    // Without any list nobody would be known to be revoked.
    let error = place.run(["serve", "--data-dir", "data"]).failed(3);
    assert!(error.contains("/ca.crl gives no revocation list now, and none is kept"), "{error}");
    assert!(error.contains("plexus.toml:9") && error.contains("tls.crl_on_failure"), "{error}");

    service.set(publishes(&[]));
    let mut node = Node::start(&place, &data);
    let publish = ["pub", "-t", "a", "-n", "-q", "1", "--reconnect", "never", "-h", "localhost"];
    let own = ["--cafile", "ca.pem", "--cert", "robot.pem", "--key", "robot.key"];
    let comes = |node: &Node| place.run([&publish[..], &["-p", node.port()], &own].concat());
    comes(&node).ok();
    // It is looked for by itself.
    service.set(publishes(&[2]));
    node.record("read anew: certificates of 1 listener");
    let revoked = "the client's certificate was revoked";
    assert!(comes(&node).failed(1).contains(revoked));
    let broken = [
        "nonsense".to_owned(),
        "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n".to_owned(),
        of(2020, &[]),
        of(2_089, &[]),
        Revoking::strangers(),
    ];
    for broken in &broken {
        service.set(Manner::answer("200 OK", broken));
        node.record("a revocation list cannot be fetched");
        assert!(comes(&node).failed(1).contains(revoked), "the last good one holds");
    }
    // The next start finds it where it was kept.
    let _dead = service.kill();
    node.reload();
    assert_eq!(node.stop().code, Some(0));
    let node = Node::start(&place, &data);
    assert!(comes(&node).failed(1).contains(revoked));
    assert_eq!(node.stop().code, Some(0));
    let node = Node::start(&place, &["--set", "tls.crl_on_failure=ignore"]);
    comes(&node).ok();
}

#[test]
fn what_is_wrong_with_tls_is_told_with_its_place() {
    let place = Place::new();
    Revoking::new(&place).list(&[], 2_090);
    let check = |text: &str| {
        place.write("plexus.toml", text);
        place.run(["config", "check", "plexus.toml"])
    };
    assert_eq!(check(ASKING).ok(), "plexus.toml: ok\n  listens at tls://127.0.0.1:0\n");
    place.write("bad", "nonsense");
    place.write("other.key", &place.read("localhost.key"));
    let more = |text: &str| format!("{ASKING}{text}");
    let second =
        "[[listener.tls.certificate]]\ncert_file = \"robot.pem\"\nkey_file = \"robot.key\"\n";
    let suites = "min_version = \"1.3\"\n\
                  cipher_suites = [\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"]\n";
    for (text, at, what) in [
        (ASKING.replace("list.crl", "bad"), "8:14", "bad holds no revocation list"),
        (ASKING.replace("list.crl", "none"), "8:14", "cannot read none"),
        (
            ASKING.replace("crl_files = [\"list.crl\"]", "crl_urls = [\"ldap://a/b\"]"),
            "8:12",
            "`ldap://a/b` begins with neither `https://` nor `http://`",
        ),
        (ASKING.replace("\"required\"", "\"none\""), "8:13", "crl_files has no effect"),
        (more("ocsp_file = \"bad\"\n"), "9:13", "bad holds no successful OCSP response"),
        (more(suites), "10:17", "cipher_suites has none for the versions"),
        (
            more(&second.replace("robot.key", "other.key")),
            "11:12",
            "the certificate robot.pem and the key other.key do not belong together",
        ),
        (more(&[second, second].concat()), "", "are both for `robot`; give each name to one"),
        (more(&format!("{second}names = [\"a b\"]\n")), "12:9", "`a b` is no host name"),
    ] {
        let told = check(&text).failed(3);
        assert!(told.contains(what) && told.contains(&format!("plexus.toml:{at}")), "{told}");
    }
}
