use std::{fs, net::TcpStream, thread};

use plexus_runtime::unix_now;

use super::{Papers, run};
use crate::{Authority, Folder, Foreign, PATIENCE, free_port, program};

/// An OpenLDAP that holds `dc=plant`, with `cn=node,dc=plant` for the node. It speaks clear text with StartTLS at
/// one port and TLS at another.
#[derive(Debug)]
pub struct Slapd {
    server: Option<Foreign>,
    folder: Folder,
    papers: Papers,
    port: u16,
    secure_port: u16,
}

/// The attributes of clients, as EMQX has them.
const SCHEMA: &str = "\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.11.2.53.2.2.3.1.2.3.1.3 NAME 'isSuperuser' EQUALITY booleanMatch \
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.11.2.53.2.2.3.1.2.3.4.1 NAME 'mqttPublishTopic' EQUALITY caseExactMatch \
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.11.2.53.2.2.3.1.2.3.4.2 NAME 'mqttSubscriptionTopic' EQUALITY caseExactMatch \
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.11.2.53.2.2.3.1.2.3.4.3 NAME 'mqttPubSubTopic' EQUALITY caseExactMatch \
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.11.2.53.2.2.3.1.2.3.4 NAME 'mqttUser' SUP top AUXILIARY \
 MAY ( isSuperuser $ mqttPublishTopic $ mqttSubscriptionTopic $ mqttPubSubTopic ) )
modulepath /usr/lib/ldap
moduleload back_mdb
";

impl Slapd {
    /// A new one with these entries, in the form of LDIF, below `dc=plant`.
    pub fn start(entries: &str) -> Self {
        let folder = Folder::new();
        let papers = Papers::new(&folder);
        let [port, secure_port] = [free_port(), free_port()];
        let mut slapd = Self { server: None, folder, papers, port, secure_port };
        let folder = slapd.folder.path();
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).expect("a file of the test");
            path.display().to_string()
        };
        let database = folder.join("database");
        fs::create_dir(&database).expect("a folder of the test");
        let papers = &slapd.papers;
        let config = write(
            "slapd.conf",
            format!(
                "{SCHEMA}TLSCACertificateFile {}\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\n\
                 allow bind_anon_dn\ndatabase mdb\nsuffix dc=plant\ndirectory {}\n\
                 rootdn cn=node,dc=plant\nrootpw hunter2\n\
                 access to attrs=userPassword by anonymous auth\naccess to * by users read\n",
                papers.authority.file().display(),
                papers.certificate.display(),
                papers.key.display(),
                database.display(),
            ),
        );
        let top = "dn: dc=plant\nobjectClass: dcObject\nobjectClass: organization\ndc: plant\no: plant\n\n";
        let entries = write("entries.ldif", format!("{top}{entries}"));
        run(&program("slapadd", &[]), &["-f", &config, "-l", &entries]);
        slapd.again();
        slapd
    }

    /// Starts it where it was, with what it had.
    pub fn again(&mut self) {
        let config = self.folder.path().join("slapd.conf").display().to_string();
        let (port, secure_port) = (self.port, self.secure_port);
        let places = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{secure_port}");
        let words = ["-f", &config, "-h", &places, "-d", "stats"].map(str::to_owned);
        self.server = Some(Foreign::start(&program("slapd", &[]), &words, "slapd starting"));
        // It says so a moment before it listens.
        let deadline = unix_now() + PATIENCE;
        for port in [port, secure_port] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(unix_now() < deadline, "it never listens");
                thread::yield_now();
            }
        }
    }

    /// Ends it in order.
    pub fn kill(&mut self) {
        self.server.take().expect("it runs").stop("TERM");
    }

    /// The port for clear text and StartTLS.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port for TLS.
    pub fn secure_port(&self) -> u16 {
        self.secure_port
    }

    /// Who vouches for it.
    pub fn authority(&self) -> &Authority {
        &self.papers.authority
    }
}
