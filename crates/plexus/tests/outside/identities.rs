//! Clients that show certificates: mosquitto_sub, whose name stands in its own.

use std::process::{Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::broker::{Broker, Folder};

const FILE: &str = "\
[[listener]]
url = \"tls://127.0.0.1:0\"
[listener.tls]
cert_file = \"server.pem\"
key_file = \"server.key\"
client_ca_file = \"ca.pem\"
client_auth = \"optional\"

[[access.certificate]]
name = \"fleet\"
client_id = \"common_name\"
subjects = [\"*,O=Plant\"]

[[access.rule]]
allow = [\"subscribe\"]
topics = [\"robot/${username}/+\"]

[[access.rule]]
allow = [\"subscribe\"]
attributes = { cert_dns_name = \"*.north\" }
topics = [\"north/#\"]
";

/// An authority, the server's certificate, and one for each of two clients.
fn certificates(folder: &Folder) {
    let pair = || KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    let key = pair();
    let authority = params.self_signed(&key).expect("an authority");
    folder.write("ca.pem", &authority.pem());
    let issuer = Issuer::new(params, key);
    for (name, plant, alternative) in
        [("server", "Plant", "localhost"), ("arm", "Plant", "arm.north"), ("spy", "Other", "spy")]
    {
        let mut params = CertificateParams::new(vec![alternative.to_owned()]).expect("a name");
        // The subject is read from its last part.
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, plant);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = pair();
        let signed = params.signed_by(&key, &issuer).expect("signed");
        folder.write(&format!("{name}.pem"), &signed.pem());
        folder.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

fn subscribe(broker: &Broker, certificate: Option<&str>, id: &str, filter: &str) -> Output {
    let file = |name: String| broker.folder.0.join(name).display().to_string();
    let mut command = Command::new("mosquitto_sub");
    command
        .args(["-h", "localhost", "-p", &broker.port("tls").to_string(), "-V", "5", "-d"])
        .args(["--cafile", &file("ca.pem".into()), "-i", id, "-t", filter, "-E", "-W", "20"]);
    if let Some(name) = certificate {
        command.args(["--cert", &file(format!("{name}.pem"))]);
        command.args(["--key", &file(format!("{name}.key"))]);
    }
    let output = command.stdin(Stdio::null()).output();
    output.expect("mosquitto_sub runs; cargo xtask test installs it")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn a_certificate_says_who_its_owner_is() {
    let folder = Folder::new();
    certificates(&folder);
    let file = folder.write("plexus.toml", FILE);
    let broker = Broker::start(folder, &["--config", &file]);
    let granted = |filter: &str| said(&subscribe(&broker, Some("arm"), "arm", filter));
    assert!(granted("robot/arm/+").contains("Subscribed (mid: 1): 0"), "its own name");
    assert!(granted("north/#").contains("Subscribed (mid: 1): 0"), "its attribute");
    assert!(granted("robot/leg/+").contains("135"), "another's: {}", granted("robot/leg/+"));
    for (certificate, id, reason) in [
        (Some("arm"), "leg", "Client Identifier not valid"),
        (Some("spy"), "spy", "Not authorized"),
        (None, "arm", "Not authorized"),
    ] {
        let output = subscribe(&broker, certificate, id, "robot/arm/+");
        let words = said(&output);
        assert!(
            !output.status.success() && words.contains(reason),
            "{certificate:?} {id}: {words}"
        );
    }
}
