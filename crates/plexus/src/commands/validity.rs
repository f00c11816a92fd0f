//! Certificates that clients will not accept, or soon will not: TLS itself does not look at the dates
//! of a server's own certificate.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use plexus_broker::ListenerOptions;
use plexus_net::{TlsOptions, Validity, certificate_validity};

const DAY: u64 = 24 * 60 * 60;
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
        std::iter::once(options.cert_file.as_path()).chain(options.client_ca_file.as_deref())
    });
    let mut files = files.collect::<Vec<_>>();
    files.sort_unstable();
    files.dedup();
    let now = now();
    files.into_iter().flat_map(|file| of_file(file, now)).collect()
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
fn shown(moment: u64) -> String {
    let (days, second) = (moment / DAY, moment % DAY);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The date that many days after 1970-01-01. Years are counted from March, so that the day that leap
/// years add is the last; 400 of them have 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    // 719,468 days lie between the first of March of the year 0 and 1970.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[expect(clippy::disallowed_methods, reason = "certificates end by the calendar")]
fn now() -> u64 {
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
