use std::{collections::BTreeMap, fmt, time::Duration};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use plexus_api_model::{ApiError, ErrorCode};
use plexus_types::Instant;

/// How long a log-in lasts that is not used, and how long one lasts at all.
const UNUSED_MAX: Duration = Duration::from_hours(1);
const AGE_MAX: Duration = Duration::from_hours(12);
/// Log-ins of one user; the one that was unused for longest makes room.
const OF_USER_MAX: usize = 100;

/// What nobody can guess: 256 drawn bits.
pub(super) struct Secret([u8; 32]);

impl Secret {
    /// None where the system gives no random numbers.
    pub(super) fn draw() -> Option<Self> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// As it is shown to whom it belongs.
    pub(super) fn shown(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// A part of it, for what need not be secret but must be unique.
    pub(super) fn short(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0[..12])
    }

    /// What is kept in its place.
    pub(super) fn hash_of(shown: &str) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, shown.as_bytes()))
    }
}

/// Shows nothing of it.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Debug)]
struct LogIn {
    user: String,
    began: Instant,
    used: Instant,
}

impl LogIn {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_since(self.used) >= UNUSED_MAX || now.saturating_since(self.began) >= AGE_MAX
    }
}

/// The log-ins, by the hashes of their tokens: neither memory nor a dump of it shows a token.
#[derive(Debug, Default)]
pub(super) struct LogIns(BTreeMap<String, LogIn>);

impl LogIns {
    pub(super) fn begin(&mut self, now: Instant, token: &Secret, user: &str) {
        self.0.retain(|_, login| !login.is_over(now));
        let own = self.0.iter().filter(|(_, login)| login.user == user);
        let own: Vec<_> = own.map(|(token, login)| (login.used, token.clone())).collect();
        if own.len() >= OF_USER_MAX
            && let Some((_, oldest)) = own.into_iter().min()
        {
            self.0.remove(&oldest);
        }
        let login = LogIn { user: user.to_owned(), began: now, used: now };
        self.0.insert(Secret::hash_of(&token.shown()), login);
    }

    /// The user who has logged in so.
    pub(super) fn use_of(&mut self, now: Instant, token: &str) -> Result<String, ApiError> {
        let hashed = Secret::hash_of(token);
        let unknown = || ApiError::new(ErrorCode::BadToken, "no log-in has that token");
        let login = self.0.get_mut(&hashed).ok_or_else(unknown)?;
        if login.is_over(now) {
            self.0.remove(&hashed);
            let message = "the log-in is over; log in again";
            return Err(ApiError::new(ErrorCode::TokenTimeOut, message));
        }
        login.used = now;
        Ok(login.user.clone())
    }

    pub(super) fn end(&mut self, token: &str) {
        self.0.remove(&Secret::hash_of(token));
    }

    /// Ends all log-ins of a user but that one.
    pub(super) fn end_all(&mut self, user: &str, but: Option<&str>) {
        let but = but.map(Secret::hash_of);
        self.0.retain(|token, login| login.user != user || Some(token) == but.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plexus_api_model::ErrorCode;
    use plexus_types::Instant;

    use super::{LogIns, OF_USER_MAX, Secret};

    #[test]
    fn a_log_in_lasts_while_it_is_used_and_not_for_ever() {
        let (mut logins, token) = (LogIns::default(), Secret::draw().unwrap());
        let mut now = Instant::from_secs(1_000_000);
        logins.begin(now, &token, "ann");
        let mut uses = 0;
        let error = loop {
            now = now + Duration::from_mins(50);
            match logins.use_of(now, &token.shown()) {
                Ok(user) => assert_eq!(user, "ann"),
                Err(error) => break error,
            }
            uses += 1;
        };
        assert_eq!((uses, error.code), (14, ErrorCode::TokenTimeOut));
        let other = Secret::draw().unwrap();
        logins.begin(now, &other, "ann");
        let later = now + Duration::from_hours(1);
        let over = logins.use_of(later, &other.shown()).unwrap_err();
        assert_eq!(over.code, ErrorCode::TokenTimeOut);
        assert_eq!(logins.use_of(later, "made up").unwrap_err().code, ErrorCode::BadToken);
    }

    #[test]
    fn a_user_has_so_many_log_ins_and_all_end_at_once() {
        let mut logins = LogIns::default();
        let tokens: Vec<_> = (0..=OF_USER_MAX).map(|_| Secret::draw().unwrap()).collect();
        for (second, token) in (1_000..).zip(&tokens) {
            logins.begin(Instant::from_secs(second), token, "ann");
        }
        let now = Instant::from_secs(1_500);
        let [first, .., last] = &tokens[..] else { panic!("many") };
        assert!(logins.use_of(now, &first.shown()).is_err());
        let bob = Secret::draw().unwrap();
        logins.begin(now, &bob, "bob");
        logins.end_all("ann", Some(&last.shown()));
        assert!(
            logins.use_of(now, &last.shown()).is_ok() && logins.use_of(now, &bob.shown()).is_ok()
        );
        assert_eq!(logins.0.len(), 2);
        logins.end(&last.shown());
        assert!(logins.use_of(now, &last.shown()).is_err());
        assert!(!format!("{bob:?} {logins:?}").contains(&bob.shown()));
    }
}
