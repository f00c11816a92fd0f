//! Databases and directories that say anything: the node gets an answer or an error, and nothing panics or hangs.
//!
//! ```text
//! byte 0   bit 0 it is a directory, else a database
//!          bit 1 the directory's entries are read, else clients are shown to it
//! rest     what the server says on each connection before it ends it
//! ```

#![no_main]

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Mutex, OnceLock},
    thread,
    time::Duration,
};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use plexus_access::{Credentials, Gate, PasswordScheme, Template};
use plexus_admission::{Authenticator, Marks, Query, TableOptions, Tables};
use plexus_connector_ldap::{
    Attributes, LdapAuthenticator, LdapOptions, LdapServer, Login, Place, Proof,
};
use plexus_connector_mysql::{Mysql, MysqlOptions};
use plexus_runtime::{Handle, Line, Runtime};
use plexus_types::{ClientId, Text};

/// What the server says.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// How long the server waits for a client that says nothing more.
const PATIENCE: Duration = Duration::from_secs(1);

struct Asked {
    runtime: Runtime,
    database: Tables<Mysql>,
    entries: LdapAuthenticator,
    entrance: LdapAuthenticator,
}

fuzz_target!(|input: &[u8]| {
    let Some((mode, said)) = input.split_first() else { return };
    SAID.lock().expect("nobody fails in there").clone_from(&said.to_vec());
    let asked = asked();
    let authenticator: &dyn Authenticator = match mode & 3 {
        1 => &asked.entrance,
        3 => &asked.entries,
        _ => &asked.database,
    };
    let mut client = client();
    drop(asked.runtime.handle().wait_for(authenticator.ask(&mut client)));
    drop(asked.runtime.handle().wait_for(authenticator.rules(&mut client)));
});

fn client() -> Credentials {
    Credentials {
        client_id: ClientId::try_from("r7").expect("an identifier"),
        user_name: Some(Text::try_from("bob").expect("text")),
        password: Some(Bytes::from_static(b"right")),
        peer: None,
        listener: "tcp".into(),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: Gate::default(),
    }
}

fn asked() -> &'static Asked {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    ASKED.get_or_init(|| {
        let runtime = Runtime::start(2).expect("threads");
        let handle = runtime.handle();
        let port = serve();
        let line = || Line::new("127.0.0.1", port, None, handle.clone()).expect("a server");
        Asked {
            database: database(line(), &handle),
            entries: directory(line(), Proof::Stored(PasswordScheme::Plain), &handle),
            entrance: directory(line(), Proof::Bind, &handle),
            runtime,
        }
    })
}

fn database(line: Line, handle: &Handle) -> Tables<Mysql> {
    let query = |text: &str| {
        Query::new(&Template::parse(text).expect("a template"), Marks::Questions).expect("a query")
    };
    let server = Mysql::new(MysqlOptions {
        line,
        database: "mqtt".to_owned(),
        user: "plexus".to_owned(),
        password: Some("secret".to_owned()),
    });
    let query_of =
        |what: &str| query(&format!("SELECT {what} FROM t WHERE username = ${{username}}"));
    let options = TableOptions {
        query: query_of("password_hash"),
        rules: Some(query_of("permission, action, topic")),
        scheme: PasswordScheme::Plain,
    };
    Tables::new(server, options, handle)
}

fn directory(line: Line, proof: Proof, handle: &Handle) -> LdapAuthenticator {
    let filter = Template::parse("(uid=${username})").expect("a template");
    let options = LdapOptions {
        server: LdapServer { line, start_tls: false },
        login: Some(Login { name: "cn=plexus".to_owned(), password: "secret".to_owned() }),
        place: Place::found("dc=plant", &filter).expect("a place"),
        attributes: Attributes {
            password: Some("userPassword".to_owned()),
            superuser: Some("isSuperuser".to_owned()),
            publish: Some("pub".to_owned()),
            ..Attributes::default()
        },
        proof,
    };
    LdapAuthenticator::new(options, handle)
}

fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it has one").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || speak(stream));
        }
    });
    port
}

fn speak(mut stream: TcpStream) {
    let said = SAID.lock().expect("nobody fails in there").clone();
    // Whoever is gone has heard enough.
    drop(stream.write_all(&said));
    drop(stream.shutdown(Shutdown::Write));
    drop(stream.set_read_timeout(Some(PATIENCE)));
    drop(stream.read_to_end(&mut Vec::new()));
}
