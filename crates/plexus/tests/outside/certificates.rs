//! Certificates as other people's programs see them: `openssl s_client` and mosquitto_sub.

use std::process::{Command, Stdio};

use super::broker::{Broker, Folder, run};

/// Runs a command of the program in a folder.
fn plexus(folder: &Folder, args: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_plexus"))
        .args(args)
        .current_dir(&folder.0)
        .stdout(Stdio::null())
        .status()
        .expect("the built binary starts");
    assert!(status.success(), "{args:?}: {status}");
}

/// Runs `openssl` in a folder; gives what it prints, whether it succeeds or not.
fn openssl(folder: &Folder, args: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(args)
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .output()
        .expect("openssl runs; cargo xtask test installs it");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A handshake, with what openssl says of it.
fn handshake(broker: &Broker, more: &[&str]) -> String {
    let place = format!("127.0.0.1:{}", broker.port("tls"));
    let args = ["s_client", "-connect", &place, "-CAfile", "certs/ca.pem"];
    openssl(&broker.folder, &[&args[..], more].concat())
}

fn start(folder: Folder, tls: &str) -> Broker {
    let listener = "[[listener]]\nurl = \"tls://127.0.0.1:0\"\n[listener.tls]\n\
                    cert_file = \"certs/server.pem\"\nkey_file = \"certs/server.key\"\n";
    let file = folder.write("plexus.toml", &format!("{listener}{tls}"));
    Broker::start(folder, &["--config", &file])
}

#[test]
fn the_certificates_of_cert_dev_are_of_a_kind_that_everything_takes() {
    let folder = Folder::new();
    plexus(&folder, &["cert", "dev", "--host", "192.0.2.7", "--client", "robot"]);
    for name in ["ca", "server", "client-robot"] {
        let file = format!("certs/{name}.pem");
        let text = openssl(&folder, &["x509", "-in", &file, "-noout", "-text"]);
        for part in ["ASN1 OID: prime256v1", "Signature Algorithm: ecdsa-with-SHA256"] {
            assert!(text.contains(part), "{name}: {text}");
        }
        let purpose = match name {
            "server" => "sslserver",
            "ca" => "any",
            _ => "sslclient",
        };
        let args =
            ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", "certs/ca.pem", &file];
        assert_eq!(openssl(&folder, &args), format!("{file}: OK\n"));
    }
    let names = ["x509", "-in", "certs/server.pem", "-noout", "-ext", "subjectAltName"];
    let names = openssl(&folder, &names);
    assert!(names.contains("DNS:localhost, IP Address:127.0.0.1"), "{names}");
    assert!(names.contains("IP Address:192.0.2.7"), "{names}");
    let ca = openssl(&folder, &["x509", "-in", "certs/ca.pem", "-noout", "-subject"]);
    assert!(ca.contains("Plexus development CA (not for production)"), "{ca}");
}

#[test]
fn mosquitto_comes_in_with_a_certificate_of_cert_dev_and_not_without() {
    let folder = Folder::new();
    plexus(&folder, &["cert", "dev", "--client", "robot"]);
    for (tls, own) in [
        ("", &[][..]),
        (
            "client_ca_file = \"certs/ca.pem\"\nclient_auth = \"required\"\n",
            &["--cert", "client-robot.pem", "--key", "client-robot.key"],
        ),
    ] {
        let copy = Folder::new();
        let from = folder.0.join("certs");
        run("cp", &["-r".to_owned(), from.display().to_string(), copy.0.display().to_string()]);
        let broker = start(copy, tls);
        let certs = broker.folder.0.join("certs");
        let file = |name: &str| certs.join(name).display().to_string();
        let port = broker.port("tls").to_string();
        let mut words =
            ["-h", "localhost", "-p", &port, "-t", "t", "--cafile"].map(str::to_owned).to_vec();
        words.push(file("ca.pem"));
        let without = [&words[..], &["-m", "x", "-q", "1"].map(str::to_owned)].concat();
        for word in own {
            words.push(if word.starts_with('-') { (*word).to_owned() } else { file(word) });
        }
        let publish = [&words[..], &["-m", "x", "-q", "1", "-r"].map(str::to_owned)].concat();
        run("mosquitto_pub", &publish);
        let subscribe = [&words[..], &["-C", "1", "-W", "20"].map(str::to_owned)].concat();
        assert_eq!(run("mosquitto_sub", &subscribe), "x\n");
        let status = Command::new("mosquitto_pub").args(without).stderr(Stdio::null()).status();
        assert_eq!(status.expect("it runs").success(), own.is_empty());
    }
}

#[test]
fn the_name_that_is_asked_for_decides_which_certificate_is_shown() {
    let folder = Folder::new();
    plexus(&folder, &["cert", "dev"]);
    plexus(&folder, &["cert", "dev", "--dir", "other", "--host", "a.example"]);
    let second = "unknown_name = \"refuse\"\n[[listener.tls.certificate]]\n\
                  cert_file = \"other/server.pem\"\nkey_file = \"other/server.key\"\n\
                  names = [\"a.example\", \"*.b.example\"]\n";
    let broker = start(folder, second);
    let shown = |name: &[&str]| {
        let told = handshake(&broker, name);
        ["certs", "other"].into_iter().find(|folder| {
            let file = std::fs::read_to_string(broker.folder.0.join(folder).join("server.pem"));
            told.contains(file.expect("a certificate").trim())
        })
    };
    assert_eq!(shown(&["-servername", "localhost"]), Some("certs"));
    assert_eq!(shown(&["-noservername"]), Some("certs"));
    assert_eq!(shown(&["-servername", "a.example"]), Some("other"));
    assert_eq!(shown(&["-servername", "x.b.example"]), Some("other"));
    assert_eq!(shown(&["-servername", "c.example"]), None);
}

/// Has the authority of `cert dev` answer about the broker's certificate; gives `ocsp.der`.
fn answer(folder: &Folder, state: &str) {
    let serial = openssl(folder, &["x509", "-in", "certs/server.pem", "-noout", "-serial"]);
    let serial = serial.trim().trim_start_matches("serial=");
    let line = format!("{state}\t{serial}\tunknown\t/CN=broker\n");
    folder.write("index.txt", &line);
    let ask = ["ocsp", "-issuer", "certs/ca.pem", "-cert", "certs/server.pem", "-no_nonce"];
    openssl(folder, &[&ask[..], &["-reqout", "ask.der"]].concat());
    let sign = ["ocsp", "-index", "index.txt", "-CA", "certs/ca.pem", "-rsigner", "certs/ca.pem"];
    let to = ["-rkey", "certs/ca.key", "-reqin", "ask.der", "-respout", "ocsp.der", "-ndays", "7"];
    let told = openssl(folder, &[&sign[..], &to].concat());
    assert!(folder.0.join("ocsp.der").exists(), "{told}");
}

#[test]
fn a_good_ocsp_response_is_stapled_and_no_other() {
    let folder = Folder::new();
    plexus(&folder, &["cert", "dev"]);
    let good = "V\t400101000000Z\t";
    answer(&folder, good);
    let mut broker = start(folder, "ocsp_file = \"ocsp.der\"\n");
    let name = ["-servername", "localhost", "-status"];
    let told = handshake(&broker, &name);
    assert!(told.contains("OCSP Response Status: successful (0x0)"), "{told}");
    assert!(told.contains("Cert Status: good"), "{told}");
    let plain = handshake(&broker, &name[..2]);
    assert!(!plain.contains("OCSP Response Status"), "only for who asks: {plain}");

    for state in ["R\t400101000000Z\t250101000000Z", "V\t400101000000Z\t"] {
        let folder = broker.kill();
        if state == good {
            // The response is for the certificate of before.
            answer(&folder, state);
            plexus(&folder, &["cert", "dev", "--force"]);
        } else {
            answer(&folder, state);
        }
        broker = start(folder, "ocsp_file = \"ocsp.der\"\n");
        let told = handshake(&broker, &name);
        assert!(told.contains("OCSP response: no response sent"), "{told}");
        assert!(told.contains("Verify return code: 0 (ok)"), "{told}");
    }
}

#[test]
fn openssl_resumes_sessions() {
    let folder = Folder::new();
    plexus(&folder, &["cert", "dev"]);
    let broker = start(folder, "");
    let told = handshake(&broker, &["-tls1_2", "-reconnect"]);
    assert_eq!(told.matches("Reused, TLSv1.2").count(), 5, "{told}");
}

#[test]
fn only_the_cipher_suites_that_are_listed_are_used() {
    let folder = Folder::new();
    plexus(&folder, &["cert", "dev"]);
    let suites = "cipher_suites = [\"TLS_CHACHA20_POLY1305_SHA256\", \
                  \"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"]\n";
    let broker = start(folder, suites);
    for (version, cipher) in
        [("-tls1_3", "TLS_CHACHA20_POLY1305_SHA256"), ("-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256")]
    {
        let told = handshake(&broker, &[version]);
        assert!(told.contains(&format!("Cipher is {cipher}")), "{told}");
    }
    let told = handshake(&broker, &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"]);
    assert!(told.contains("Cipher is (NONE)"), "{told}");
    let old = handshake(&broker, &["-tls1_1"]);
    assert!(old.contains("Cipher is (NONE)"), "{old}");
}
