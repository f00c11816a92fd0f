use std::time::Duration;

pub use jsonwebtoken::Algorithm;
use jsonwebtoken::{Header, Validation};
use plexus_access::{Credentials, Rights, Template};
use plexus_runtime::unix_now;
use plexus_types::{Instant, ReasonCode, TenantName, Text};
use serde_json::{Map, Value};

pub use self::keys::{Fetch, Fetching, KeyError, Keys};
use crate::{
    Answer, Asking, Authenticator, Preparing,
    rights::{attributes_of, rules_of},
};

mod keys;

/// A longer one is none: nobody has to check megabytes.
const TOKEN_LENGTH_MAX: usize = 16 * 1_024;

/// Where a client shows its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenSource {
    /// As its password.
    #[default]
    Password,
    /// As its user name.
    UserName,
}

/// Which tokens are believed, and what is read from them.
#[derive(Debug, Clone)]
pub struct TokenOptions {
    /// Where it is shown.
    pub source: TokenSource,
    /// Algorithms that are accepted of those that the keys are for; all of them if there are none.
    pub algorithms: Vec<Algorithm>,
    /// Claims that have to be there, with what has to be in them.
    pub required: Vec<(String, Template)>,
    /// By how much the clocks may differ.
    pub leeway: Duration,
    /// Whether tokens that never expire are accepted.
    pub endless: bool,
    /// The claim that is the user name.
    pub user_name_claim: Option<String>,
    /// The claim that says which tenant's client it is, if any. It has to be there.
    pub tenant_claim: Option<String>,
    /// The claim with rules of the client.
    pub rules_claim: String,
    /// The claim with attributes of the client.
    pub attributes_claim: String,
}

/// JSON Web Tokens (RFC 7519), signed (RFC 7515).
///
/// A token that none of the keys has signed says nothing here, and the next authenticator is asked. One that
/// is signed decides: whoever shows one that has expired, or is for somebody else, is refused.
#[derive(Debug)]
pub struct Tokens {
    keys: Keys,
    options: TokenOptions,
    validation: Validation,
}

impl Tokens {
    /// Tokens that are signed by these keys.
    pub fn new(keys: Keys, options: TokenOptions) -> Self {
        let mut validation = Validation::default();
        // Signatures only: claims are compared here, with the time of this side.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Self { keys, options, validation }
    }

    fn token<'a>(&self, credentials: &'a Credentials) -> Option<&'a str> {
        let shown = match self.options.source {
            TokenSource::Password => std::str::from_utf8(credentials.password.as_deref()?).ok()?,
            TokenSource::UserName => credentials.user_name.as_deref()?,
        };
        let is_one = shown.len() <= TOKEN_LENGTH_MAX && shown.split('.').count() == 3;
        is_one.then_some(shown)
    }

    /// The header of a token that may be believed.
    fn header(&self, token: &str) -> Option<Header> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let allowed = &self.options.algorithms;
        let accepted = allowed.is_empty() || allowed.contains(&header.alg);
        // What is critical has to be understood (RFC 7515, section 4.1.11), and nothing of it is.
        let critical = header.crit.as_ref().is_some_and(|critical| !critical.is_empty());
        (accepted && !critical).then_some(header)
    }

    /// The claims, if one of the keys has signed them.
    fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        let header = self.header(token)?;
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        let keys = self.keys.find(header.kid.as_deref(), header.alg);
        let mut signed = keys.iter().filter_map(|key| {
            jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation).ok()
        });
        signed.next().map(|data| data.claims)
    }

    /// What the claims give, or why they give nothing.
    fn judge(
        &self,
        claims: &Map<String, Value>,
        credentials: &Credentials,
        now: Instant,
    ) -> Result<Rights, String> {
        let options = &self.options;
        let expires = time_of(claims, "exp")?.map(|at| at + options.leeway);
        match expires {
            None if !options.endless => return Err("it has no `exp`".into()),
            Some(at) if at <= now => return Err("it has expired".into()),
            _ => {}
        }
        if time_of(claims, "nbf")?.is_some_and(|at| at > now + options.leeway) {
            return Err("it is not valid yet (`nbf`)".into());
        }
        for (name, wanted) in &options.required {
            let wanted = wanted.fill(credentials, |text, to| to.push_str(text));
            let wanted = wanted.ok_or_else(|| format!("nothing is shown for `{name}`"))?;
            if !claims.get(name).is_some_and(|value| says(value, &wanted)) {
                return Err(format!("its `{name}` is not what is required"));
            }
        }
        let user_name = match &options.user_name_claim {
            None => None,
            Some(name) => {
                let text = claims.get(name).and_then(Value::as_str);
                let text =
                    text.filter(|text| !text.is_empty()).and_then(|it| Text::try_from(it).ok());
                Some(text.ok_or_else(|| format!("its `{name}` is no user name"))?)
            }
        };
        let tenant = match &options.tenant_claim {
            None => None,
            Some(name) => {
                let text = claims.get(name).and_then(Value::as_str).unwrap_or_default();
                let tenant = TenantName::try_from(text);
                Some(tenant.map_err(|_| format!("its `{name}` is no name of a tenant"))?)
            }
        };
        let rules = claims.get(&options.rules_claim).map(rules_of).transpose();
        Ok(Rights {
            user_name,
            tenant,
            attributes: claims
                .get(&options.attributes_claim)
                .map(attributes_of)
                .unwrap_or_default(),
            rules: rules.map_err(|error| error.to_string())?,
            expires,
            ..Rights::default()
        })
    }
}

/// A time in seconds since 1970 (RFC 7519, NumericDate).
fn time_of(claims: &Map<String, Value>, name: &str) -> Result<Option<Instant>, String> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0);
    let seconds = seconds.ok_or_else(|| format!("its `{name}` is no time"))?;
    // What is beyond the reach of our clock never comes.
    let since = Duration::try_from_secs_f64(seconds.min(1e12)).unwrap_or(Duration::ZERO);
    Ok(Some(Instant::ZERO + Duration::from_secs(since.as_secs())))
}

/// Whether a claim is that text, or a list in which it is (as `aud`).
fn says(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Number(number) => number.to_string() == wanted,
        Value::Bool(truth) => truth.to_string() == wanted,
        Value::Array(list) => list.iter().any(|one| !one.is_array() && says(one, wanted)),
        Value::Null | Value::Object(_) => false,
    }
}

impl Authenticator for Tokens {
    fn concerns(&self, credentials: &Credentials) -> bool {
        credentials.enhanced.is_none() && self.token(credentials).is_some()
    }

    fn prepare<'a>(&'a self, credentials: &Credentials) -> Preparing<'a> {
        let shown = self.token(credentials).filter(|_| self.keys.are_published());
        let header = shown.and_then(|token| self.header(token));
        Box::pin(async move {
            if let Some(header) = header {
                self.keys.await_key(header.kid.as_deref(), header.alg).await;
            }
        })
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        Box::pin(async move {
            let Some(token) = self.token(credentials) else { return Ok(Answer::Ignore) };
            let Some(claims) = self.claims(token) else { return Ok(Answer::Ignore) };
            match self.judge(&claims, credentials, unix_now()) {
                Ok(rights) => Ok(Answer::Allow(Box::new(rights), None)),
                Err(problem) => {
                    let client = credentials.client_id.as_str();
                    tracing::info!(client, %problem, "token refused");
                    Ok(Answer::Deny(ReasonCode::NotAuthorized))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests;
