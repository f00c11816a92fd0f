//! What became of the messages of one run, in numbers and in words.

use plexus_types::{Qos, ReasonCode};

use crate::{
    client::{down::Down, session::Setback},
    failure::Failure,
};

/// Messages that were not taken and that are told one by one; the others are only counted.
const TOLD_MAX: u64 = 10;
/// Connections that the same messages may end, one after the other.
const STRIKES_MAX: u32 = 3;

#[derive(Debug)]
pub(super) struct Account {
    qos: Qos,
    begun: u64,
    largest: usize,
    refused: u64,
    last: Option<ReasonCode>,
    /// Larger than what the broker takes, and the limit.
    too_large: Option<(u64, u32)>,
    given_up: u64,
    unmatched: u64,
    cut: bool,
}

impl Account {
    pub(super) const fn new(qos: Qos) -> Self {
        Self {
            qos,
            begun: 0,
            largest: 0,
            refused: 0,
            last: None,
            too_large: None,
            given_up: 0,
            unmatched: 0,
            cut: false,
        }
    }

    /// One more message; gives its number.
    pub(super) fn begin(&mut self, size: usize) -> u64 {
        self.begun += 1;
        self.largest = self.largest.max(size);
        self.begun
    }

    /// The broker took one.
    pub(super) fn take(&mut self, reason: ReasonCode) {
        self.unmatched += u64::from(reason == ReasonCode::NoMatchingSubscribers);
    }

    /// The broker took one not; gives the line about it.
    pub(super) fn refuse(&mut self, number: u64, reason: ReasonCode) -> String {
        self.refused += 1;
        self.last = Some(reason);
        format!("message {number}: {reason}")
    }

    /// One was not sent, because the broker had said that it takes none as large.
    pub(super) fn too_large(&mut self, number: u64, size: usize, max: u32) -> String {
        let count = self.too_large.map_or(0, |(count, _)| count);
        self.too_large = Some((count + 1, max));
        format!(
            "message {number}: {size} bytes and its topic make a packet of more than {max} bytes"
        )
    }

    /// Nobody knows what became of one.
    pub(super) fn give_up(&mut self, number: u64) -> String {
        self.given_up += 1;
        format!(
            "message {number}: given up: it expired, or the broker lost the session and nobody \
             knows whether it took it"
        )
    }

    /// A connection ended with messages of QoS 0 half-way out.
    pub(super) const fn cut(&mut self) {
        self.cut = true;
    }

    /// Whether the last line about a message is to be shown.
    pub(super) fn is_worth_a_line(&self) -> bool {
        let too_large = self.too_large.map_or(0, |(count, _)| count);
        self.refused + self.given_up + too_large <= TOLD_MAX
    }

    /// How the run ends.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if let Some(reason) = self.last {
            let which = of(self.refused, self.begun);
            let mend = match reason {
                ReasonCode::NotAuthorized => "; this user may not publish there: check -u and -P",
                ReasonCode::QosNotSupported => "; use a lower --qos",
                ReasonCode::RetainNotSupported => "; leave out --retain",
                _ => "",
            };
            return Err(Failure::Refused(format!("the broker refused {which}: {reason}{mend}")));
        }
        if let Some((count, max)) = self.too_large {
            let which = of(count, self.begun);
            let verb = if count == 1 { "is" } else { "are" };
            return Err(Failure::Refused(format!(
                "{which} {verb} too large: the broker takes packets of at most {max} bytes (in \
                 Plexus mqtt.max_packet_size)"
            )));
        }
        if self.given_up > 0 {
            let which = of(self.given_up, self.begun);
            return Err(Failure::Failed(format!(
                "{which} may be lost; the largest had {}, and the broker may take none as large",
                bytes(self.largest)
            )));
        }
        if self.cut {
            return Err(Failure::Failed(format!(
                "the connection ended before the broker had read everything, and messages of QoS 0 \
                 may be lost; perhaps it takes none of {}; -q 1 sends again what was not \
                 acknowledged",
                bytes(self.largest)
            )));
        }
        Ok(())
    }

    /// A line about messages that nobody subscribes to.
    pub(super) fn unheard(&self) -> Option<String> {
        match (self.unmatched, self.begun) {
            (0, _) => None,
            (1, 1) => Some("nobody subscribes to it".to_owned()),
            (count, begun) => Some(format!("nobody subscribes to it: {count} of {begun} messages")),
        }
    }

    /// What is not done when `waiting` messages have no answer.
    pub(super) fn left(&self, waiting: u64, was_up: bool) -> String {
        match (self.begun, waiting, self.qos) {
            (0, _, _) if !was_up => "there was no connection, and nothing was sent".to_owned(),
            (0, _, _) => "nothing was sent".to_owned(),
            (begun, 0, Qos::AtMostOnce) => format!("{} begun", messages(begun)),
            (begun, 0, _) => {
                format!("{} acknowledged, and not the end of the input", messages(begun))
            }
            (1, _, _) => "the message is not acknowledged".to_owned(),
            (begun, waiting, _) => {
                let verb = if waiting == 1 { "is" } else { "are" };
                format!("{} {verb} not acknowledged", of(waiting, begun))
            }
        }
    }
}

/// Connections that ended one after the other without any progress while a message was on its way.
#[derive(Debug, Default)]
pub(super) struct Strikes(u32);

impl Strikes {
    /// Counts a connection that ended with messages on their way; whether it was one too many.
    pub(super) fn add(&mut self, setback: &Setback) -> bool {
        if setback.was_up {
            self.0 = if setback.progress { 0 } else { self.0 + 1 };
        }
        self.0 >= STRIKES_MAX
    }
}

/// The end of trying: `number` is the largest message that was on its way.
pub(super) fn given_up(down: &Down, number: u64, size: usize) -> String {
    format!(
        "{down}, {STRIKES_MAX} times in a row while message {number} with {} was on its way; the \
         broker may take no message as large, or not allow the topic",
        bytes(size)
    )
}

/// "the message", "2 of 5 messages".
fn of(count: u64, all: u64) -> String {
    if all == 1 { "the message".to_owned() } else { format!("{count} of {all} messages") }
}

fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

#[cfg(test)]
mod tests {
    use plexus_types::{Qos, ReasonCode};

    use super::{Account, Strikes, given_up};
    use crate::client::{down::Down, session::Setback};

    fn account(qos: Qos, begun: u64) -> Account {
        let mut account = Account::new(qos);
        for _ in 0..begun {
            account.begin(7);
        }
        account
    }

    fn setback(was_up: bool, progress: bool) -> Setback {
        Setback { down: Down::Wanted, was_up, progress, unsent: false }
    }

    #[test]
    fn what_is_left_is_said_in_numbers_that_are_right() {
        let (q0, q1) = (Qos::AtMostOnce, Qos::AtLeastOnce);
        for (qos, begun, waiting, was_up, text) in [
            (q1, 0, 0, false, "there was no connection, and nothing was sent"),
            (q0, 0, 0, true, "nothing was sent"),
            (q0, 2, 0, true, "2 messages begun"),
            (q1, 1, 1, true, "the message is not acknowledged"),
            (q1, 3, 1, true, "1 of 3 messages is not acknowledged"),
            (q1, 3, 2, true, "2 of 3 messages are not acknowledged"),
            (q1, 3, 0, true, "3 messages acknowledged, and not the end of the input"),
        ] {
            assert_eq!(account(qos, begun).left(waiting, was_up), text);
        }
    }

    #[test]
    fn the_verdict_names_what_was_refused_and_its_mend() {
        let mut one = account(Qos::AtLeastOnce, 1);
        assert!(one.verdict().is_ok());
        assert_eq!(one.refuse(1, ReasonCode::NotAuthorized), "message 1: Not authorized (0x87)");
        assert_eq!(
            one.verdict().unwrap_err().to_string(),
            "error: the broker refused the message: Not authorized (0x87); this user may not \
             publish there: check -u and -P"
        );
        let mut large = account(Qos::AtMostOnce, 3);
        assert!(large.too_large(2, 900, 500).starts_with("message 2: 900 bytes"));
        assert_eq!(
            large.verdict().unwrap_err().to_string(),
            "error: 1 of 3 messages is too large: the broker takes packets of at most 500 bytes \
             (in Plexus mqtt.max_packet_size)"
        );
        let mut unknown = account(Qos::ExactlyOnce, 2);
        unknown.give_up(1);
        assert_eq!(
            unknown.verdict().unwrap_err().to_string(),
            "error: 1 of 2 messages may be lost; the largest had 7 bytes, and the broker may take \
             none as large"
        );
        let mut cut = account(Qos::AtMostOnce, 1);
        cut.cut();
        assert!(cut.verdict().unwrap_err().to_string().contains("none of 7 bytes; -q 1 sends"));
    }

    #[test]
    fn only_the_first_lines_are_shown() {
        let mut account = account(Qos::AtLeastOnce, 11);
        for number in 1..=10 {
            account.refuse(number, ReasonCode::QuotaExceeded);
            assert!(account.is_worth_a_line());
        }
        account.refuse(11, ReasonCode::QuotaExceeded);
        assert!(!account.is_worth_a_line());
    }

    #[test]
    fn messages_that_nobody_wants_are_counted() {
        let mut account = account(Qos::AtLeastOnce, 2);
        account.take(ReasonCode::Success);
        assert_eq!(account.unheard(), None);
        account.take(ReasonCode::NoMatchingSubscribers);
        assert_eq!(account.unheard().unwrap(), "nobody subscribes to it: 1 of 2 messages");
    }

    #[test]
    fn three_connections_without_progress_are_enough() {
        let mut strikes = Strikes::default();
        let mut add = |was_up, progress| strikes.add(&setback(was_up, progress));
        assert!(!add(true, false));
        assert!(!add(true, false));
        assert!(!add(false, false), "nobody there is another matter");
        assert!(!add(true, true), "an acknowledgement begins anew");
        assert!(!add(true, false));
        assert!(!add(true, false));
        assert!(add(true, false));
        let text = given_up(&Down::Wanted, 2, 1);
        assert!(text.contains("3 times in a row while message 2 with 1 byte"), "{text}");
    }
}
