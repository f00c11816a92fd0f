//! Certificates that clients will not accept, or soon will not: TLS itself does not look at a server's
//! own certificate as its clients do.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use plexus_broker::ListenerOptions;
use plexus_net::{TlsOptions, Validity, certificate_is_authority, certificate_validity};
use plexus_stdx::calendar::{self, DAY};

/// A certificate that ends within this time is told.
const SOON: u64 = 14 * DAY;

/// Logs what is odd about the certificates of these listeners.
pub(super) fn warn(listeners: &[ListenerOptions]) {
    for concern in concerns(listeners) {
        tracing::warn!("{concern}");
    }
}

pub(super) fn concerns(listeners: &[ListenerOptions]) -> Vec<String> {
    concerns_of(listeners.iter().filter_map(|listener| listener.net.tls.as_ref()))
}

/// What is odd about the certificates, each file once.
pub(super) fn concerns_of<'a>(tls: impl Iterator<Item = &'a TlsOptions>) -> Vec<String> {
    let files = tls.flat_map(|options| {
        let own = (options.cert_file.as_path(), Role::Server);
        let authorities = options.client_ca_file.as_deref().map(|file| (file, Role::Authority));
        std::iter::once(own).chain(authorities)
    });
    let mut files = files.collect::<Vec<_>>();
    files.sort_unstable();
    files.dedup();
    let now = now();
    let concerns = files.into_iter().flat_map(|(file, role)| {
        let misused = role == Role::Server && certificate_is_authority(file).unwrap_or_default();
        of_file(file, now).into_iter().chain(misused.then(|| of_authority(file)))
    });
    concerns.collect()
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Server,
    Authority,
}

fn of_authority(file: &Path) -> String {
    format!(
        "certificate {} is one of an authority (CA:TRUE), which clients refuse; make one for the \
         broker, with basicConstraints=CA:FALSE",
        file.display()
    )
}

fn of_file(file: &Path, now: u64) -> Vec<String> {
    // A file that cannot be read is told by those who need it.
    let at = |moment| certificate_validity(file, moment).unwrap_or_default();
    let pairs = at(now).into_iter().zip(at(now.saturating_add(SOON)));
    let odd = pairs.filter_map(|(today, soon)| judged(today, soon, now));
    odd.map(|what| format!("certificate {} {what}", file.display())).collect()
}

/// What is odd about a certificate that is so today and so soon, if anything is.
fn judged(today: Validity, soon: Validity, now: u64) -> Option<String> {
    match (today, soon) {
        (Validity::NotBefore(from), _) => Some(format!("is not valid before {}", shown(from))),
        (Validity::NotAfter(to), _) => {
            Some(format!("expired at {}; renew it and send SIGHUP", shown(to)))
        }
        (Validity::Holds, Validity::NotAfter(to)) => {
            let days = to.saturating_sub(now) / DAY;
            let to = shown(to);
            Some(format!("expires within {} days, at {to}; renew it and send SIGHUP", days + 1))
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
            Some("expires within 3 days, at 2001-09-09 01:46:40 UTC; renew it and send SIGHUP")
        );
        assert_eq!(
            told(NotAfter(moment), NotAfter(moment), moment + 1).as_deref(),
            Some("expired at 2001-09-09 01:46:40 UTC; renew it and send SIGHUP")
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
