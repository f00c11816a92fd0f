//! Certificates that clients will not accept, or soon will not: TLS itself does not look at a server's
//! own certificate as its clients do.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use plexus_broker::ListenerOptions;
use plexus_net::{
    ClientAuth, CrlDoubt, StapleFault, TlsConfigError, TlsOptions, Validity,
    certificate_is_authority, certificate_validity, crl_validity, staple_fault,
};
use plexus_stdx::calendar::{self, DAY};

/// A certificate that ends within this time is told.
const SOON: u64 = 14 * DAY;
/// A revocation list lives for days or weeks: that it ends soon is no news.
const SOON_LIST: u64 = 0;

/// Logs what is odd about the certificates of these listeners.
pub(super) fn warn(listeners: &[ListenerOptions]) {
    for concern in concerns(listeners) {
        tracing::warn!("{concern}");
    }
}

pub(super) fn concerns(listeners: &[ListenerOptions]) -> Vec<String> {
    concerns_of(listeners.iter().filter_map(|listener| listener.net.tls.as_ref()))
}

/// What is odd about certificates, revocation lists and OCSP responses, each file once.
pub(super) fn concerns_of<'a>(tls: impl Iterator<Item = &'a TlsOptions>) -> Vec<String> {
    let mut files = tls.flat_map(Looked::all).collect::<Vec<_>>();
    files.sort_unstable();
    files.dedup();
    let now = now();
    files.into_iter().flat_map(|file| file.concerns(now)).collect()
}

/// A file that is looked at, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Looked<'a> {
    Server(&'a Path),
    Authority(&'a Path),
    /// Whether clients are refused when the list has ended.
    Crl(&'a Path, bool),
    /// The certificate and the response for it.
    Ocsp(&'a Path, &'a Path),
}

impl<'a> Looked<'a> {
    fn all(tls: &'a TlsOptions) -> Vec<Self> {
        let mut files = Vec::new();
        for (certificate, response) in tls.certificates() {
            files.push(Self::Server(certificate));
            files.extend(response.map(|response| Self::Ocsp(certificate, response)));
        }
        files.extend(tls.client_ca_file.as_deref().map(Self::Authority));
        if tls.client_auth != ClientAuth::None {
            let refuses = tls.crl_expired == CrlDoubt::Refuse;
            files.extend(tls.crl_files.iter().map(|file| Self::Crl(file, refuses)));
        }
        files
    }

    fn concerns(self, now: u64) -> Vec<String> {
        match self {
            Self::Server(file) => {
                let misused = certificate_is_authority(file).unwrap_or_default();
                let misused = misused.then(|| of_authority(file));
                certificates(file, now).into_iter().chain(misused).collect()
            }
            Self::Authority(file) => certificates(file, now),
            Self::Crl(file, refuses) => {
                let more = if refuses { "; until then clients are refused" } else { "" };
                let odd = odd_in(crl_validity, file, (now, SOON_LIST));
                odd.map(|what| format!("revocation list {} {what}{more}", file.display())).collect()
            }
            Self::Ocsp(certificate, file) => {
                // A file that cannot be read is told by those who need it.
                let fault = staple_fault(certificate, file, now).unwrap_or_default();
                let told = fault.map(|fault| of_staple(certificate, file, fault));
                told.into_iter().collect()
            }
        }
    }
}

fn of_authority(file: &Path) -> String {
    format!(
        "certificate {} is one of an authority (CA:TRUE), which clients refuse; make one for the \
         broker, with basicConstraints=CA:FALSE",
        file.display()
    )
}

fn of_staple(certificate: &Path, file: &Path, fault: StapleFault) -> String {
    let (file, certificate) = (file.display(), certificate.display());
    let why = match fault {
        StapleFault::OtherCertificate => "is for another certificate".to_owned(),
        StapleFault::Revoked => "says that the certificate was revoked".to_owned(),
        StapleFault::Unknown => "says that the authority does not know the certificate".to_owned(),
        StapleFault::NotBefore(from) => format!("does not hold before {}", shown(from)),
        StapleFault::NotAfter(to) => format!("ended at {}", shown(to)),
    };
    format!("OCSP response {file} {why}; it is not stapled to {certificate}, fetch a new one")
}

fn certificates(file: &Path, now: u64) -> Vec<String> {
    let odd = odd_in(certificate_validity, file, (now, SOON));
    odd.map(|what| format!("certificate {} {what}", file.display())).collect()
}

/// What is odd now, and within that time, about what a file holds.
fn odd_in(
    look: fn(&Path, u64) -> Result<Vec<Validity>, TlsConfigError>,
    file: &Path,
    (now, within): (u64, u64),
) -> impl Iterator<Item = String> {
    // A file that cannot be read is told by those who need it.
    let at = |moment| look(file, moment).unwrap_or_default();
    let pairs = at(now).into_iter().zip(at(now.saturating_add(within)));
    pairs.filter_map(move |(today, soon)| judged(today, soon, now))
}

/// What is odd about a certificate that is so today and so soon, if anything is.
fn judged(today: Validity, soon: Validity, now: u64) -> Option<String> {
    match (today, soon) {
        (Validity::NotBefore(from), _) => Some(format!("is not valid before {}", shown(from))),
        (Validity::NotAfter(to), _) => Some(format!("expired at {}; renew it", shown(to))),
        (Validity::Holds, Validity::NotAfter(to)) => {
            let days = to.saturating_sub(now) / DAY;
            let to = shown(to);
            Some(format!("expires within {} days, at {to}; renew it", days + 1))
        }
        (Validity::Holds, Validity::Holds | Validity::NotBefore(_)) => None,
    }
}

/// As in `2026-01-31 23:59:59 UTC`.
pub(super) fn shown(moment: u64) -> String {
    format!("{} {} UTC", calendar::day(moment), calendar::time(moment))
}

#[expect(clippy::disallowed_methods, reason = "certificates end by the calendar")]
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use plexus_net::Validity::{Holds, NotAfter, NotBefore};

    use super::{DAY, judged, shown};

    #[test]
    fn a_certificate_is_told_before_its_time_near_its_end_and_after_it() {
        let moment = 1_000_000_000;
        let told = |today, soon, now| judged(today, soon, now);
        assert_eq!(
            told(NotBefore(moment), Holds, moment - 1).as_deref(),
            Some("is not valid before 2001-09-09 01:46:40 UTC")
        );
        assert_eq!(told(Holds, Holds, moment), None);
        assert_eq!(
            told(Holds, NotAfter(moment), moment - 2 * DAY - 1).as_deref(),
            Some("expires within 3 days, at 2001-09-09 01:46:40 UTC; renew it")
        );
        assert_eq!(
            told(NotAfter(moment), NotAfter(moment), moment + 1).as_deref(),
            Some("expired at 2001-09-09 01:46:40 UTC; renew it")
        );
    }

    #[test]
    fn moments_are_shown_by_the_calendar() {
        for (moment, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(shown(moment), text);
        }
    }
}
