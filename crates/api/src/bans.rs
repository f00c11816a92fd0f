//! Bans that the API has made: kept in a file, and held to by the node beside those of its configuration.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use plexus_access::Network;
use plexus_api_model::{ApiError, BanAs, BanSource, Banned, ErrorCode, Infinity, Moment, Until};
use plexus_fences::{Ban, Subject};
use plexus_types::{ClientId, Instant, TenantName};
use serde::{Deserialize, Serialize};

use crate::{
    kept::{self, ReadError},
    lists::locked,
};

/// The version of the file.
const VERSION: u32 = 1;
/// More are better kept where they come from, and given to the configuration.
const BANS_MAX: usize = 100_000;
/// Each newcomer is compared with each of those that have `*` in them.
const WILDCARDS_MAX: usize = 1_000;
/// Bytes of what somebody is called, and of why he is banned.
const NAME_MAX: usize = 1_024;

/// Why there are no bans.
#[derive(Debug, thiserror::Error)]
pub enum BansError {
    /// The file cannot be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// It is none.
    #[error("{} holds no bans of the API; put back a copy, or delete it to have none", .0.display())]
    Form(PathBuf, #[source] serde_json::Error),
    /// A later program has written it.
    #[error("{} is of version {version}, and this program knows {VERSION}", .file.display())]
    Version {
        /// The file.
        file: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A ban of it means nobody.
    #[error("{}: ban {number}: {problem}", .file.display())]
    Ban {
        /// The file.
        file: PathBuf,
        /// Which, from 1 on.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    version: u32,
    bans: Vec<Banned>,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct BanBook {
    file: Option<PathBuf>,
    bans: Mutex<Vec<Banned>>,
}

impl BanBook {
    /// Those of that file; without a file they end with the process.
    pub fn open(file: Option<PathBuf>) -> Result<Self, BansError> {
        let bans = file.as_deref().map(read).transpose()?.unwrap_or_default();
        Ok(Self { file, bans: Mutex::new(bans) })
    }

    /// All of them that have not ended.
    pub(crate) fn all(&self, now: Instant) -> Vec<Banned> {
        locked(&self.bans).iter().filter(|ban| holds(ban, now)).cloned().collect()
    }

    /// Has the node hold to them, and to nothing that comes between.
    pub(crate) fn hold(&self, now: Instant, hold: impl FnOnce(Vec<Ban>)) {
        hold(all_made(&locked(&self.bans), now));
    }

    /// Writes one more down, in the place of one of the same that has ended, and has the node hold to all of them.
    pub(crate) fn add(
        &self,
        now: Instant,
        banned: Banned,
        hold: impl FnOnce(Vec<Ban>),
    ) -> Result<(), ApiError> {
        made(&banned)?;
        let mut bans = locked(&self.bans);
        let mut next: Vec<_> = bans.iter().filter(|ban| holds(ban, now)).cloned().collect();
        if next.iter().any(|ban| is_same(ban, &banned)) {
            let message = format!("{} `{}` is banned already", banned.r#as.word(), banned.who);
            return Err(ApiError::new(ErrorCode::AlreadyExists, message));
        }
        let wild = |ban: &Banned| ban.who.contains('*');
        let wildcards = next.iter().filter(|ban| wild(ban)).count();
        if next.len() >= BANS_MAX || (wild(&banned) && wildcards >= WILDCARDS_MAX) {
            let message = format!(
                "there are {BANS_MAX} bans, or {WILDCARDS_MAX} with `*`; ban a network, or take some back"
            );
            return Err(ApiError::bad(message));
        }
        next.push(banned);
        self.keep(&mut bans, next)?;
        // Before anybody else may change them: what is held to is what is kept.
        hold(all_made(&bans, now));
        Ok(())
    }

    /// Takes those back that are meant, and has the node hold to the rest; how many there were.
    pub(crate) fn remove(
        &self,
        now: Instant,
        meant: impl Fn(&Banned) -> bool,
        hold: impl FnOnce(Vec<Ban>),
    ) -> Result<usize, ApiError> {
        let mut bans = locked(&self.bans);
        let next: Vec<_> = bans.iter().filter(|ban| !meant(ban)).cloned().collect();
        let gone = bans.len() - next.len();
        if gone > 0 {
            self.keep(&mut bans, next)?;
            hold(all_made(&bans, now));
        }
        Ok(gone)
    }

    fn keep(&self, bans: &mut Vec<Banned>, next: Vec<Banned>) -> Result<(), ApiError> {
        let book = Book { version: VERSION, bans: next };
        if let Some(file) = &self.file {
            kept::write(file, &book).map_err(|error| {
                tracing::error!(%error, file = %file.display(), "bans cannot be kept");
                let message = "the ban cannot be kept: the log of the node says why";
                ApiError::new(ErrorCode::ServiceUnavailable, message)
            })?;
        }
        *bans = book.bans;
        Ok(())
    }
}

/// As the node holds to them: those that have not ended.
fn all_made(bans: &[Banned], now: Instant) -> Vec<Ban> {
    // What is in the book has been looked at.
    bans.iter().filter(|ban| holds(ban, now)).filter_map(|ban| made(ban).ok()).collect()
}

fn read(file: &Path) -> Result<Vec<Banned>, BansError> {
    let book: Option<Book> = kept::read(file).map_err(|error| match error {
        ReadError::Io(error) => BansError::Read(file.to_owned(), error),
        ReadError::Form(error) => BansError::Form(file.to_owned(), error),
    })?;
    let Some(Book { version, bans }) = book else { return Ok(Vec::new()) };
    let file = file.to_owned();
    if version > VERSION {
        return Err(BansError::Version { file, version });
    }
    let wrong = (1..).zip(&bans).find_map(|(number, ban)| Some((number, made(ban).err()?.message)));
    match wrong {
        Some((number, problem)) => Err(BansError::Ban { file, number, problem }),
        None => Ok(bans),
    }
}

/// Whether both are of the same.
pub(crate) fn is_same(one: &Banned, other: &Banned) -> bool {
    let name = |ban: &Banned| match ban.r#as {
        // Addresses are written in more than one way.
        BanAs::Peerhost | BanAs::PeerhostNet => {
            ban.who.parse::<Network>().map_or_else(|_| ban.who.clone(), |it| it.to_string())
        }
        BanAs::Clientid | BanAs::Username => ban.who.clone(),
    };
    let kind = |ban: &Banned| match ban.r#as {
        BanAs::PeerhostNet => BanAs::Peerhost,
        other => other,
    };
    kind(one) == kind(other) && one.tenant == other.tenant && name(one) == name(other)
}

fn holds(ban: &Banned, now: Instant) -> bool {
    match ban.until {
        Until::At(end) => end.millis() > now.as_millis(),
        Until::Never(_) => true,
    }
}

/// As the node knows it.
fn made(banned: &Banned) -> Result<Ban, ApiError> {
    if banned.who.is_empty() || banned.who.len() > NAME_MAX || banned.who.contains('\0') {
        return Err(ApiError::bad(format!("who: 1 to {NAME_MAX} bytes without NUL")));
    }
    if banned.reason.len() > NAME_MAX || banned.by.len() > NAME_MAX {
        return Err(ApiError::bad(format!("reason, by: at most {NAME_MAX} bytes")));
    }
    let tenant = banned.tenant.as_deref().map(TenantName::try_from).transpose();
    let tenant = tenant.map_err(|error| ApiError::bad(format!("tenant: {error}")))?;
    let placed = |name: &str| match &tenant {
        Some(tenant) => tenant.place(name).into(),
        None => name.into(),
    };
    let network = || {
        if tenant.is_some() {
            return Err(ApiError::bad("tenant: an address is nobody's; leave the tenant out"));
        }
        banned.who.parse::<Network>().map_err(|error| ApiError::bad(format!("who: {error}")))
    };
    let subject = match banned.r#as {
        BanAs::Clientid => Subject::Client(placed(&banned.who)),
        BanAs::Username => Subject::User(placed(&banned.who)),
        BanAs::Peerhost if banned.who.contains('/') => {
            return Err(ApiError::bad("who: an address; a network is banned as peerhost_net"));
        }
        BanAs::Peerhost | BanAs::PeerhostNet => Subject::Network(network()?),
    };
    let until = match banned.until {
        Until::At(end) => Some(Instant::from_millis(end.millis())),
        Until::Never(_) => None,
    };
    Ok(Ban { subject, reason: banned.reason.as_str().into(), until })
}

/// A ban of the configuration, as it is shown.
pub(crate) fn shown(ban: &Ban) -> Banned {
    let named = |text: &str| {
        let tenant = text.strip_prefix('\0').and_then(|rest| rest.split_once('/'));
        let tenant = tenant.map(|(tenant, _)| tenant.to_owned());
        (ClientId::shown_of(text).to_owned(), tenant)
    };
    let (r#as, (who, tenant)) = match &ban.subject {
        Subject::Client(name) => (BanAs::Clientid, named(name)),
        Subject::User(name) => (BanAs::Username, named(name)),
        Subject::Network(network) => {
            let is_address = network.bits() == if network.address().is_ipv4() { 32 } else { 128 };
            if is_address {
                (BanAs::Peerhost, (network.address().to_string(), None))
            } else {
                (BanAs::PeerhostNet, (network.to_string(), None))
            }
        }
    };
    let until = ban.until.map(|end| Until::At(Moment::from_millis(end.as_millis())));
    Banned {
        r#as,
        who,
        tenant,
        by: "configuration".to_owned(),
        reason: ban.reason.to_string(),
        at: None,
        until: until.unwrap_or(Until::Never(Infinity::Infinity)),
        source: BanSource::File,
    }
}

#[cfg(test)]
mod tests;
