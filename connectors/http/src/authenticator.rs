use plexus_access::{Credentials, Template};
use plexus_admission::{Answer, Asking, Authenticator, Trouble};
use plexus_net::TlsClientOptions;
use plexus_runtime::Handle;
use plexus_types::ReasonCode;
use reqwest::{Client, RequestBuilder, StatusCode};

use crate::{
    answer,
    client::{self, Redirects, body, said},
    request::{About, Method, Question},
    target::{Misfit, Target},
};

/// Bytes of an answer: what it says of one client.
const ANSWER_SIZE_MAX: usize = 64 * 1_024;

/// How a service is asked.
#[derive(Clone)]
pub struct HttpOptions {
    /// The method.
    pub method: Method,
    /// Where; places in path and query are percent-encoded.
    pub url: Template,
    /// Header fields with their values, which may have places and be secret.
    pub headers: Vec<(String, String)>,
    /// The body of a POST; identifier, user name and password as JSON when it is left out.
    pub body: Option<Template>,
    /// Whether it may be asked in clear text over the network.
    pub cleartext: bool,
    /// Who may vouch for it, and what it is shown.
    pub tls: TlsClientOptions,
}

/// Shows no header: secrets may stand in them.
impl std::fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpOptions").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A service that is asked about each client.
pub struct HttpAuthenticator {
    client: Client,
    question: Question,
    rules: Question,
    url: String,
}

impl HttpAuthenticator {
    /// A service that is asked so.
    pub fn new(options: HttpOptions, runtime: &Handle) -> Result<Self, Misfit> {
        let HttpOptions { method, url, headers, body, cleartext, tls } = options;
        let text = url.to_string();
        let target = Target::new(url, cleartext)?;
        let rules = (About::Rules, body.clone());
        let rules = Question::new(method, target.clone(), &headers, rules)?;
        let question = Question::new(method, target, &headers, (About::Client, body))?;
        let client = client::new(&tls, Redirects::None, runtime);
        let client = client.map_err(|problem| Misfit::new("ca_file", problem))?;
        Ok(Self { client, question, rules, url: text })
    }
}

async fn answered(request: RequestBuilder) -> Result<Answer, Trouble> {
    let response = request.send().await.map_err(|error| {
        // A question that cannot even be written is the client's doing, not the service's.
        if error.is_builder() {
            Trouble::Nonsense(said(&error))
        } else {
            Trouble::Failed(said(&error))
        }
    })?;
    match response.status() {
        StatusCode::NO_CONTENT => Ok(Answer::allow()),
        StatusCode::OK => answer::read(&body(response, ANSWER_SIZE_MAX).await?),
        // One client may be what a service trips over; away is one that says so.
        StatusCode::INTERNAL_SERVER_ERROR => Err(Trouble::Nonsense("HTTP 500".to_owned())),
        status if status.is_server_error() => Err(Trouble::Failed(format!("HTTP {status}"))),
        status => Err(Trouble::Nonsense(format!("HTTP {status}"))),
    }
}

impl std::fmt::Debug for HttpAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpAuthenticator").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Authenticator for HttpAuthenticator {
    fn concerns(&self, credentials: &Credentials) -> bool {
        credentials.enhanced.is_none() && self.question.concerns(credentials)
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let request = self.question.fill(&self.client, credentials);
        Box::pin(async move {
            match request {
                Some(request) => answered(request).await,
                // What cannot be asked about is no client of anybody.
                None => Ok(Answer::Deny(ReasonCode::BadUserNameOrPassword)),
            }
        })
    }

    fn may_have_rules(&self, credentials: &Credentials) -> bool {
        // The password that one has a place for is not shown: that is no reason to do without its rules.
        self.rules.wants_password() || self.rules.concerns(credentials)
    }

    fn rules<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let request = self.rules.fill(&self.client, credentials);
        Box::pin(async move {
            match request {
                Some(request) => answered(request).await,
                None => Ok(Answer::Deny(ReasonCode::NotAuthorized)),
            }
        })
    }
}
