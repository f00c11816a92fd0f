//! Revoked client certificates, and lists that say too little.

use std::{fs, path::PathBuf};

use plexus_net::{
    ClientAuth, ClientLayers, Crl, CrlDoubt, CrlScope, Layers, TlsClient, TlsClientOptions,
    TlsConfigError, TlsOptions, TlsServer,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

use crate::world::{connected, directory};

/// Numbers of the certificates.
const MIDDLE: u64 = 2;
const CLIENT: u64 = 3;
const OTHER: u64 = 4;

/// A trusted authority, one between it and the client, and a stranger.
struct Scene {
    directory: PathBuf,
    root: Issuer<'static, KeyPair>,
    middle: Issuer<'static, KeyPair>,
    stranger: Issuer<'static, KeyPair>,
}

fn authority(name: &str, number: u64) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from(number));
    params
}

impl Scene {
    fn new(test: &str) -> Self {
        let directory = directory(test);
        let key = || KeyPair::generate().unwrap();
        let (root_key, middle_key, own_key) = (key(), key(), key());
        let params = authority("root", 1);
        fs::write(directory.join("ca.pem"), params.self_signed(&root_key).unwrap().pem()).unwrap();
        let root = Issuer::new(params, root_key);
        let params = authority("middle", MIDDLE);
        let between = params.signed_by(&middle_key, &root).unwrap();
        let middle = Issuer::new(params, middle_key);
        for (number, name, issuer, above) in
            [(9, "localhost", &root, ""), (CLIENT, "client", &middle, between.pem().as_str())]
        {
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.serial_number = Some(SerialNumber::from(number));
            let own = params.signed_by(&own_key, issuer).unwrap().pem();
            fs::write(directory.join(format!("{name}.pem")), own + above).unwrap();
        }
        fs::write(directory.join("key.pem"), own_key.serialize_pem()).unwrap();
        let stranger = Issuer::new(authority("stranger", 1), key());
        Self { directory, root, middle, stranger }
    }

    fn options(&self, lists: &[(&str, Vec<u8>)]) -> TlsOptions {
        let file = |name: &str| self.directory.join(name);
        let crl_files = lists.iter().map(|(name, list)| {
            fs::write(file(name), list).unwrap();
            file(name)
        });
        TlsOptions {
            client_auth: ClientAuth::Required,
            client_ca_file: Some(file("ca.pem")),
            crl_files: crl_files.collect(),
            ..TlsOptions::new(file("localhost.pem"), file("key.pem"))
        }
    }

    fn client(&self) -> ClientLayers {
        let file = |name: &str| Some(self.directory.join(name));
        let options = TlsClientOptions {
            ca_file: file("ca.pem"),
            cert_file: file("client.pem"),
            key_file: file("key.pem"),
            ..TlsClientOptions::default()
        };
        let tls = Some((TlsClient::new(&options).unwrap(), "localhost".to_owned()));
        ClientLayers { tls, websocket: None }
    }

    /// Whether the client is let in and heard.
    fn admits(&self, server: &TlsServer) -> bool {
        let server = Layers { tls: Some(server.clone()), ..Layers::default() };
        let mut world = connected("tls://127.0.0.1:0", &self.client(), &server);
        for end in &mut world.ends {
            end.send(b"x");
        }
        world.until("a handshake or its failure", |world| {
            world.ends.iter().all(|end| end.is_over() || !end.inbox.is_empty())
        });
        !world.ends[1].inbox.is_empty()
    }
}

/// A list that holds to the end of that year.
fn list(issuer: &Issuer<'_, KeyPair>, revoked: &[u64], year: i32) -> Vec<u8> {
    let revoked_certs = revoked.iter().map(|number| RevokedCertParams {
        serial_number: SerialNumber::from(*number),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(year, 12, 31),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked_certs.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().der().to_vec()
}

#[test]
fn lists_decide_who_is_admitted() {
    use CrlDoubt::{Accept, Refuse};
    use CrlScope::{Chain, Client};
    let scene = Scene::new("revocation_table");
    let (good, ended) = (2_090, 2_021);
    let root = list(&scene.root, &[OTHER], good);
    let middle = list(&scene.middle, &[OTHER], good);
    let root_revokes = list(&scene.root, &[MIDDLE], good);
    let middle_revokes = list(&scene.middle, &[CLIENT], good);
    let middle_ended = list(&scene.middle, &[OTHER], ended);
    let middle_ended_revokes = list(&scene.middle, &[CLIENT], ended);
    let stranger = list(&scene.stranger, &[CLIENT], good);
    // What is looked for, and what becomes of the unknown and of an old list.
    let settings = [
        (Chain, Refuse, Refuse),
        (Client, Refuse, Refuse),
        (Chain, Accept, Refuse),
        (Chain, Refuse, Accept),
        (Chain, Accept, Accept),
        (Client, Accept, Accept),
    ];
    let table = [
        ("no list", vec![], [true; 6]),
        ("all is good", vec![&root, &middle], [true; 6]),
        ("nothing of the root", vec![&middle], [false, true, true, false, true, true]),
        ("the client is revoked", vec![&root, &middle_revokes], [false; 6]),
        (
            "the authority between is revoked",
            vec![&root_revokes, &middle],
            [false, true, false, false, false, true],
        ),
        ("one has ended", vec![&root, &middle_ended], [false, false, false, true, true, true]),
        ("the one that revokes has ended", vec![&root, &middle_ended_revokes], [false; 6]),
        ("only a stranger's", vec![&stranger], [false, false, true, false, true, true]),
    ];
    for (what, lists, admitted) in table {
        let lists = ["0", "1"].into_iter().zip(lists.into_iter().cloned());
        let options = scene.options(&lists.collect::<Vec<_>>());
        for ((crl_scope, crl_unknown, crl_expired), admitted) in settings.into_iter().zip(admitted)
        {
            let options = TlsOptions { crl_scope, crl_unknown, crl_expired, ..options.clone() };
            let server = TlsServer::new(&options).unwrap();
            let row = format!("{what}: {crl_scope:?} {crl_unknown:?} {crl_expired:?}");
            assert_eq!(scene.admits(&server), admitted, "{row}");
        }
    }
}

#[test]
fn a_list_that_is_fetched_holds_beside_those_of_the_files_once_it_is_read() {
    let scene = Scene::new("revocation_brought");
    let options = scene.options(&[("root", list(&scene.root, &[], 2_090))]);
    let options = TlsOptions { crl_unknown: CrlDoubt::Accept, ..options };
    let server = TlsServer::new(&options).unwrap();
    assert!(scene.admits(&server));
    let read = |list: &[u8]| Crl::read(&options, "http://a/crl", list);
    let middle = list(&scene.middle, &[CLIENT], 2_080);
    options.fetched_crls.set(read(&middle).unwrap());
    assert!(scene.admits(&server), "it has not been read");
    server.reload(&options).unwrap();
    assert!(!scene.admits(&server));
    // The 31st of December of 2080.
    assert_eq!(server.ends().crl, Some(3_502_828_800));
    options.fetched_crls.set(Vec::new());
    server.reload(&options).unwrap();
    assert!(scene.admits(&server));
}

#[test]
fn what_is_fetched_is_whole_and_signed_by_its_issuer() {
    let scene = Scene::new("revocation_fetched");
    let options = TlsOptions { crl_urls: vec!["http://a/crl".to_owned()], ..scene.options(&[]) };
    let read = |list: &[u8]| Crl::read(&options, "http://a/crl", list);
    let whole = list(&scene.root, &[CLIENT], 2_090);
    let found = read(&whole).unwrap();
    // The 31st of December of 2090.
    assert_eq!((found.len(), found[0].due), (1, Some(3_818_361_600)));
    assert_eq!(found[0].der(), whole);
    let error = |list: &[u8]| read(list).unwrap_err().to_string();
    let damaged = "http://a/crl holds a revocation list that is damaged or cannot be checked";
    assert_eq!(error(&whole[..whole.len() - 1]), damaged);
    assert!(error(b"<html>").starts_with("http://a/crl holds no revocation list"));
    // Somebody on the way takes the revoked one out, or signs a list of the same name himself.
    let mut forged = whole;
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let forgery = "http://a/crl holds a revocation list that its issuer has not signed";
    assert_eq!(error(&forged), forgery);
    assert!(read(&list(&scene.middle, &[], 2_090)).is_ok(), "its issuer is no root: known later");
}

#[test]
fn files_without_a_list_are_named() {
    let scene = Scene::new("revocation_files");
    let error = |bytes: &[u8]| {
        let options = scene.options(&[("list", bytes.to_vec())]);
        let error = TlsServer::new(&options).unwrap_err().to_string();
        error.replace(&format!("{}/", scene.directory.display()), "")
    };
    let none = "list holds no revocation list; expected DER, or `-----BEGIN X509 CRL-----`";
    assert_eq!(error(b""), none);
    assert_eq!(error(&fs::read(scene.directory.join("ca.pem")).unwrap()), none);
    let whole = list(&scene.root, &[], 2_090);
    let damaged = "list holds a revocation list that is damaged or cannot be checked";
    assert_eq!(error(&whole[..whole.len() - 1]), damaged);
    let options = TlsOptions { client_auth: ClientAuth::None, ..scene.options(&[("list", whole)]) };
    assert!(matches!(TlsServer::new(&options), Err(TlsConfigError::UnusedCrls)));
}
