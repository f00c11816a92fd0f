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
