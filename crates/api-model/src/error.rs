use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $word:literal;)*) => {
        /// What can go wrong: a word that programs know, with the status that goes with it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl ErrorCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The status of HTTP.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

codes! {
    /// The request cannot be understood.
    BadRequest = 400 "BAD_REQUEST";
    /// There is something of that name already.
    AlreadyExists = 400 "ALREADY_EXISTS";
    /// Nobody has that user name and password.
    BadUserNameOrPassword = 401 "BAD_USERNAME_OR_PWD";
    /// A code of the second factor is missing, or wrong.
    BadMfaToken = 401 "BAD_MFA_TOKEN";
    /// Nobody has that key and secret.
    BadApiKeyOrSecret = 401 "BAD_API_KEY_OR_SECRET";
    /// It is not said who asks, or the token is none.
    BadToken = 401 "BAD_TOKEN";
    /// The log-in is over.
    TokenTimeOut = 401 "TOKEN_TIME_OUT";
    /// The role does not allow it.
    UnauthorizedRole = 403 "UNAUTHORIZED_ROLE";
    /// The client may not have the subscription.
    NotGranted = 403 "SUBSCRIPTION_NOT_GRANTED";
    /// There is no such thing.
    NotFound = 404 "NOT_FOUND";
    /// There is no client of that identifier.
    ClientIdNotFound = 404 "CLIENTID_NOT_FOUND";
    /// There is no user of that name.
    UserNotFound = 404 "USER_NOT_FOUND";
    /// The path knows no such method.
    MethodNotAllowed = 405 "METHOD_NOT_ALLOWED";
    /// It would leave nobody who can change anything, or it is not the API's to change.
    NotAllowed = 409 "NOT_ALLOWED";
    /// It was changed since: what was changed was not what is there now.
    VersionConflict = 409 "VERSION_CONFLICT";
    /// The body is larger than it may be.
    TooLarge = 413 "PAYLOAD_TOO_LARGE";
    /// Too many failed log-ins, or too many requests.
    TooManyRequests = 429 "TOO_MANY_REQUESTS";
    /// A mistake of the node.
    InternalError = 500 "INTERNAL_ERROR";
    /// The node is busy, or stops.
    ServiceUnavailable = 503 "SERVICE_UNAVAILABLE";
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiError {
    /// Its word.
    pub code: ErrorCode,
    /// What it was, for a person.
    pub message: String,
}

impl ApiError {
    /// That went wrong, and this is what it was.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The request cannot be understood.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.word(), self.message)
    }
}

impl std::error::Error for ApiError {}
