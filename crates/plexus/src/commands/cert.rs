//! `plexus cert dev`: an authority of one's own, and certificates that it signs, to develop with.

mod authority;
mod files;
mod next;

use std::{fmt::Write, net::IpAddr, path::PathBuf};

use clap::{Args, Subcommand};
use plexus_terminal::{Failure, print};

use self::{authority::Authority, files::Folder};
use super::validity::{now, shown};
/// Some systems refuse certificates of servers that hold longer.
const DAYS_MAX: u64 = 825;
/// Hosts, and clients, of one call.
const COUNT_MAX: usize = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum CertCommand {
    /// Make a development authority, a certificate for the broker, and some for clients
    ///
    /// The authority (ca.pem, ca.key) is made when the folder has none; one that is there signs more. The
    /// broker's certificate (server.pem, server.key) is for localhost, 127.0.0.1, ::1 and what --host
    /// names; it is made when it is missing. Each --client gets client-NAME.pem and client-NAME.key.
    ///
    /// Keys are ECDSA on the curve P-256, signatures are with SHA-256: every TLS library and browser accepts
    /// them. Whoever has ca.key can make certificates that your clients believe: nothing of it is for a
    /// broker that others depend on.
    Dev(DevArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The folder; it is made when it is missing
    #[arg(long, value_name = "DIR", default_value = "certs")]
    dir: PathBuf,

    /// A name or address that clients connect to, beside those of this machine; may be repeated
    #[arg(long = "host", value_name = "NAME|IP")]
    hosts: Vec<String>,

    /// Make a certificate for a client of that name; may be repeated
    #[arg(long = "client", value_name = "NAME")]
    clients: Vec<String>,

    /// How many days the certificates hold; the authority holds ten years
    #[arg(long, value_name = "N", default_value_t = 365,
          value_parser = clap::value_parser!(u64).range(1..=DAYS_MAX))]
    days: u64,

    /// Replace certificates that are there: those of the clients, and the broker's unless only clients
    /// are named. The authority stays
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(command: &CertCommand) -> Result<(), Failure> {
    match command {
        CertCommand::Dev(args) => dev(args),
    }
}

/// What one call makes.
#[derive(Debug)]
struct Plan {
    /// The names of the broker; empty when its certificate is there and stays.
    server: Vec<String>,
    clients: Vec<String>,
}

fn dev(args: &DevArgs) -> Result<(), Failure> {
    let folder = Folder::new(&args.dir);
    let plan = plan(args, &folder)?;
    let now = now();
    let authority = match folder.authority()? {
        Some(pair) => Authority::of(&folder, pair, (now, args.days))?,
        None => Authority::make(now)?,
    };
    // Everything is made before anything is written.
    let mut made = Vec::new();
    if !plan.server.is_empty() {
        made.push(("server".to_owned(), authority.server(&plan.server, (now, args.days))?));
    }
    for client in &plan.clients {
        made.push((stem(client), authority.client(client, (now, args.days))?));
    }
    folder.make()?;
    let is_new = authority.is_new();
    if is_new {
        folder.put("ca", authority.certificate(), authority.key())?;
    }
    for (stem, pair) in &made {
        folder.put(stem, &pair.certificate, &pair.key)?;
    }
    print(&answer(args, &folder, &plan, is_new))
}

fn answer(args: &DevArgs, folder: &Folder, plan: &Plan, is_new: bool) -> String {
    let mut text = String::new();
    let mut line = |stem: &str, what: &str| {
        let file = folder.shown(&format!("{stem}.pem"));
        writeln!(text, "{file}: {what}").expect("invariant: writing to a string");
    };
    let end = shown(authority::end(now(), args.days));
    let authority = "the development authority, for clients to trust";
    line("ca", &format!("{authority}{}", if is_new { "" } else { "; it was there" }));
    match plan.server.as_slice() {
        [] => line("server", "the broker's certificate; it was there"),
        names => line("server", &format!("for {}, until {end}", names.join(", "))),
    }
    for client in &plan.clients {
        line(&stem(client), &format!("for the client {client}, until {end}"));
    }
    text + &next::steps(folder, &plan.clients)
}

/// The name of a client's files without their ending.
fn stem(client: &str) -> String {
    format!("client-{client}")
}

fn plan(args: &DevArgs, folder: &Folder) -> Result<Plan, Failure> {
    if args.hosts.len() > COUNT_MAX || args.clients.len() > COUNT_MAX {
        let message = format!("at most {COUNT_MAX} hosts, and as many clients, at a time");
        return Err(Failure::Usage(message));
    }
    let mut server = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    for host in &args.hosts {
        let host = checked_host(host)?;
        if !server.contains(&host) {
            server.push(host);
        }
    }
    let mut clients = Vec::new();
    for client in &args.clients {
        check_client(client)?;
        if !clients.contains(client) {
            clients.push(client.clone());
        }
    }
    let mut wanted = clients.iter().map(|client| stem(client)).collect::<Vec<_>>();
    // Who asks only for clients wants the broker to stay what it is.
    let stays = !args.clients.is_empty() && args.hosts.is_empty();
    if stays && folder.has("server") {
        server.clear();
    } else {
        wanted.push("server".to_owned());
    }
    match wanted.iter().find(|stem| folder.has(stem)) {
        Some(stem) if !args.force => Err(Failure::Failed(format!(
            "nothing was made: {} or {} is there; --force replaces them, and --dir names another \
             folder",
            folder.shown(&format!("{stem}.pem")),
            folder.shown(&format!("{stem}.key")),
        ))),
        Some(_) | None => Ok(Plan { server, clients }),
    }
}

/// An address as it is usually written, or a host name, perhaps with a wildcard.
fn checked_host(host: &str) -> Result<String, Failure> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let name = host.to_ascii_lowercase();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(letter) && !label.starts_with('-')
    };
    let labels = name.strip_prefix("*.").unwrap_or(&name);
    if name.len() <= 253 && labels.split('.').all(is_label) {
        return Ok(name);
    }
    Err(Failure::Usage(format!(
        "`{host}` is no host; write a name such as broker.local, without port and scheme, or an \
         address"
    )))
}

/// A name that can be a part of the name of a file, and a common name (RFC 5280, ub-common-name).
fn check_client(name: &str) -> Result<(), Failure> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@');
    if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "`{name}` is no name for a client's certificate; use 1 to 64 letters, digits and any of -_.@"
    )))
}

#[cfg(test)]
mod tests {
    use super::{check_client, checked_host};

    #[test]
    fn hosts_are_names_and_addresses() {
        for (host, expected) in [
            ("Broker.Local", "broker.local"),
            ("*.plant.example", "*.plant.example"),
            ("my_host", "my_host"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8::1]", "2001:db8::1"),
        ] {
            assert_eq!(checked_host(host).unwrap(), expected);
        }
        for host in ["", "a..b", "a b", "mqtt://a", "a:8883", "-a", "*", "a.*", ".a", "é"] {
            checked_host(host).unwrap_err();
        }
    }

    #[test]
    fn names_of_clients_are_names_of_files() {
        check_client("robot-7.a_b@plant").unwrap();
        for name in ["", "a/b", "a b", "é", "../a\0", &"x".repeat(65)] {
            check_client(name).unwrap_err();
        }
    }
}
