//! What became of the messages of one run, in numbers and in words.

use plexus_session::ClientOptions;
use plexus_terminal::Failure;
use plexus_types::{Qos, ReasonCode};

use crate::client::{
    down::{Down, forbidden},
    endpoint::listed,
    session::Setback,
    topics,
};

/// Messages that were not taken and that are told one by one; the others are only counted.
const TOLD_MAX: u64 = 10;
/// Connections that the same messages may end, one after the other.
const STRIKES_MAX: u32 = 3;
/// Ranges of numbers that are told.
const RANGES_MAX: usize = 8;

/// Bytes from which on a message may be too large for some broker.
const LARGE: usize = 64 * 1024;

/// What all messages of a run have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct Kind {
    pub(super) qos: Qos,
    pub(super) retain: bool,
    /// They expire.
    pub(super) expires: bool,
    /// Their topic is one of the broker's own.
    pub(super) is_of_broker: bool,
}

#[derive(Debug)]
pub(super) struct Account {
    kind: Kind,
    begun: u64,
    largest: usize,
    refused: u64,
    last: Option<ReasonCode>,
    /// Larger than what the broker takes, and the limit.
    too_large: Option<(u64, u32)>,
    given_up: u64,
    unmatched: u64,
    /// A connection ended with messages of QoS 0 half-way out.
    cut: bool,
    /// What the broker said then.
    said: Option<Failure>,
}

impl Account {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            begun: 0,
            largest: 0,
            refused: 0,
            last: None,
            too_large: None,
            given_up: 0,
            unmatched: 0,
            cut: false,
            said: None,
        }
    }

    /// One more message; gives its number.
    pub(super) fn begin(&mut self, size: usize) -> u64 {
        self.begun += 1;
        self.largest = self.largest.max(size);
        self.begun
    }

    /// Messages that were begun.
    pub(super) const fn begun(&self) -> u64 {
        self.begun
    }

    /// Whether nothing was begun.
    pub(super) const fn is_empty(&self) -> bool {
        self.begun == 0
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
        let expired = if self.kind.expires { "it expired, or " } else { "" };
        format!(
            "message {number}: given up: {expired}the broker lost the session and nobody knows \
             whether it took it"
        )
    }

    /// A connection ended with messages of QoS 0 half-way out; `said` is what the broker said.
    pub(super) fn cut(&mut self, said: Option<Failure>) {
        self.cut = true;
        self.said = self.said.take().or(said);
    }

    /// Whether the last line about a message is to be shown.
    pub(super) fn is_worth_a_line(&self) -> bool {
        let too_large = self.too_large.map_or(0, |(count, _)| count);
        self.refused + self.given_up + too_large <= TOLD_MAX
    }

    /// How the run ends.
    pub(super) fn verdict(&mut self, options: &ClientOptions) -> Result<(), Failure> {
        if let Some(reason) = self.last {
            let which = of(self.refused, self.begun);
            let mend = self.mend(reason, options).map_or(String::new(), |mend| format!("; {mend}"));
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
            return Err(Failure::Failed(format!("{which} may be lost{}", self.of_size())));
        }
        if let Some(said) = self.said.take() {
            return Err(said);
        }
        if self.cut {
            return Err(Failure::Failed(format!(
                "the connection ended before the broker had read everything, and messages of QoS 0 \
                 may be lost; {}; -q 1 sends again what was not acknowledged",
                self.causes(self.largest)
            )));
        }
        Ok(())
    }

    fn mend(&self, reason: ReasonCode, options: &ClientOptions) -> Option<String> {
        match reason {
            ReasonCode::NotAuthorized if self.kind.is_of_broker => {
                Some(topics::OF_BROKER.to_owned())
            }
            ReasonCode::NotAuthorized => Some(forbidden(options, "publish there")),
            ReasonCode::QosNotSupported => Some("use a lower --qos".to_owned()),
            ReasonCode::RetainNotSupported => Some("leave out --retain".to_owned()),
            _ => None,
        }
    }

    fn of_size(&self) -> String {
        if self.largest < LARGE {
            return String::new();
        }
        format!("; the largest had {}, and the broker may take none as large", bytes(self.largest))
    }

    /// Why a broker may end a connection over messages, the largest of which has this size.
    fn causes(&self, size: usize) -> String {
        if self.kind.is_of_broker {
            return topics::OF_BROKER.to_owned();
        }
        let mut causes = vec!["allow the topic".to_owned()];
        if size >= LARGE {
            causes.insert(0, format!("take {}", bytes(size)));
        }
        if self.kind.qos > Qos::AtMostOnce {
            causes.push(format!("take QoS {}", self.kind.qos.get()));
        }
        if self.kind.retain {
            causes.push("keep messages (--retain)".to_owned());
        }
        format!("the broker may not {}", causes.join(", or not "))
    }

    /// The end of trying, with the messages that were on their way: numbers and sizes.
    pub(super) fn given_up(&self, down: &Down, waiting: &[(u64, usize)]) -> String {
        let largest = waiting.iter().copied().max_by_key(|(_, size)| *size).unwrap_or_default();
        let which = match (waiting, largest) {
            ([_, _, ..], (_, size)) if size < LARGE => {
                let first = waiting.iter().map(|(number, _)| *number).min().unwrap_or_default();
                format!("{} from message {first} on were", messages(waiting.len() as u64))
            }
            (_, (number, size)) => format!("message {number} with {} was", bytes(size)),
        };
        let causes = self.causes(largest.1);
        format!("{down}, {STRIKES_MAX} times in a row while {which} on the way; {causes}")
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
        match (self.begun, waiting, self.kind.qos) {
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
        if setback.was_up && setback.progress {
            self.0 = 0;
        } else if setback.was_up && setback.down.may_be_of_messages() {
            self.0 += 1;
        }
        self.0 >= STRIKES_MAX
    }
}

/// Numbers of messages as a person writes them: "message 2", "messages 2 to 4 and 7".
pub(super) fn numbers(sorted: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &number in sorted {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let shown = ranges.iter().take(RANGES_MAX).map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 if ranges.len() == 1 => format!("{first} and {last}"),
        _ => format!("{first} to {last}"),
    });
    let mut shown = shown.collect::<Vec<_>>();
    if ranges.len() > RANGES_MAX {
        shown.push("others".to_owned());
    }
    let noun = if sorted.len() == 1 { "message" } else { "messages" };
    let shown = shown.iter().map(String::as_str).collect::<Vec<_>>();
    format!("{noun} {}", listed(&shown))
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
    use plexus_session::ClientOptions;
    use plexus_terminal::Failure;
    use plexus_types::{Qos, ReasonCode};

    use super::{Account, Kind, LARGE, Strikes, numbers};
    use crate::client::{down::Down, session::Setback};

    fn account(qos: Qos, begun: u64) -> Account {
        let mut account = Account::new(Kind { qos, ..Kind::default() });
        for _ in 0..begun {
            account.begin(7);
        }
        account
    }

    fn verdict(account: &mut Account) -> String {
        account.verdict(&ClientOptions::default()).unwrap_err().to_string()
    }

    fn setback(reason: ReasonCode, was_up: bool, progress: bool) -> Setback {
        let down = Down::ByServer { reason, text: None };
        Setback { down, was_up, progress, answered: progress, unsent: false }
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
        assert!(one.verdict(&ClientOptions::default()).is_ok());
        assert_eq!(one.refuse(1, ReasonCode::NotAuthorized), "message 1: Not authorized (0x87)");
        assert_eq!(
            verdict(&mut one),
            "error: the broker refused the message: Not authorized (0x87); who has no user may \
             not publish there: write -u NAME and -P PASSWORD"
        );
        one.kind.is_of_broker = true;
        assert!(verdict(&mut one).ends_with("nobody may publish under $SYS"));
        let mut large = account(Qos::AtMostOnce, 3);
        assert!(large.too_large(2, 900, 500).starts_with("message 2: 900 bytes"));
        assert_eq!(
            verdict(&mut large),
            "error: 1 of 3 messages is too large: the broker takes packets of at most 500 bytes \
             (in Plexus mqtt.max_packet_size)"
        );
        let mut unknown = account(Qos::ExactlyOnce, 2);
        assert!(!unknown.give_up(1).contains("expired"));
        assert_eq!(verdict(&mut unknown), "error: 1 of 2 messages may be lost");
        unknown.kind.expires = true;
        assert!(unknown.give_up(1).contains("it expired, or the broker lost"));
        unknown.largest = LARGE;
        assert!(verdict(&mut unknown).contains("the largest had 65536 bytes, and the broker may"));
    }

    #[test]
    fn what_the_broker_said_at_the_end_is_what_is_told() {
        let mut cut = account(Qos::AtMostOnce, 1);
        cut.cut(None);
        let text = verdict(&mut cut);
        assert!(text.contains("may be lost; the broker may not allow the topic; -q 1"), "{text}");
        cut.cut(Some(Failure::Refused("banned".to_owned())));
        cut.cut(None);
        assert_eq!(verdict(&mut cut), "error: banned");
    }

    #[test]
    fn causes_are_those_that_can_be() {
        let mut account = account(Qos::AtMostOnce, 1);
        assert_eq!(account.causes(LARGE - 1), "the broker may not allow the topic");
        account.kind = Kind { qos: Qos::ExactlyOnce, retain: true, ..Kind::default() };
        assert_eq!(
            account.causes(LARGE),
            "the broker may not take 65536 bytes, or not allow the topic, or not take QoS 2, or \
             not keep messages (--retain)"
        );
        account.kind.is_of_broker = true;
        assert_eq!(account.causes(LARGE), "nobody may publish under $SYS");
    }

    #[test]
    fn numbers_are_told_in_ranges() {
        assert_eq!(numbers(&[2]), "message 2");
        assert_eq!(numbers(&[2, 3]), "messages 2 and 3");
        assert_eq!(numbers(&[2, 3, 4, 7]), "messages 2 to 4 and 7");
        let many = (1..40).step_by(2).collect::<Vec<_>>();
        assert_eq!(numbers(&many), "messages 1, 3, 5, 7, 9, 11, 13, 15 and others");
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
        let (unspecified, large) = (ReasonCode::UnspecifiedError, ReasonCode::PacketTooLarge);
        let mut strikes = Strikes::default();
        let mut add = |was_up, progress| strikes.add(&setback(unspecified, was_up, progress));
        assert!(!add(true, false));
        assert!(!add(true, false));
        assert!(!add(false, false), "nobody there is another matter");
        assert!(!add(true, true), "an acknowledgement begins anew");
        assert!(!add(true, false));
        assert!(!add(true, false));
        assert!(add(true, false));
        let mut account = account(Qos::AtLeastOnce, 5);
        let down = Down::ByServer { reason: large, text: None };
        let text = account.given_up(&down, &[(2, 1)]);
        let topic = "on the way; the broker may not allow the topic, or not take QoS 1";
        assert!(
            text.ends_with(&format!("3 times in a row while message 2 with 1 byte was {topic}")),
            "{text}"
        );
        let text = account.given_up(&down, &[(3, 9), (2, 1)]);
        assert!(
            text.ends_with(&format!("while 2 messages from message 2 on were {topic}")),
            "{text}"
        );
        account.kind.qos = Qos::AtMostOnce;
        let text = account.given_up(&down, &[(3, LARGE), (2, 1)]);
        assert!(
            text.contains("message 3 with 65536 bytes was on the way; the broker may not take")
        );
    }

    #[test]
    fn a_broker_that_is_busy_is_no_judge_of_messages() {
        let mut strikes = Strikes::default();
        for _ in 0..9 {
            for reason in [
                ReasonCode::ServerShuttingDown,
                ReasonCode::ServerBusy,
                ReasonCode::ConnectionRateExceeded,
            ] {
                assert!(!strikes.add(&setback(reason, true, false)));
            }
        }
    }
}
