use plexus_access::{Attributes, Certificate, Credentials, Rights, Wildcard};
use plexus_types::{ReasonCode, TenantName, Text};

use crate::{Answer, Asking, Authenticator};

/// A name that stands in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateName {
    /// The last Common Name of the subject.
    CommonName,
    /// The last organization of the subject.
    Organization,
    /// The whole subject (RFC 4514).
    Subject,
    /// The first alternative name that is a DNS name.
    DnsName,
    /// The first that is a mail address.
    MailAddress,
    /// The first that is a URI.
    Uri,
}

impl CertificateName {
    /// What stands there.
    pub fn of(self, certificate: &Certificate) -> Option<&str> {
        match self {
            Self::CommonName => certificate.common_name.as_deref(),
            Self::Organization => certificate.organization.as_deref(),
            Self::Subject => Some(certificate.subject.as_str()).filter(|text| !text.is_empty()),
            Self::DnsName => certificate.dns_names.first().map(String::as_str),
            Self::MailAddress => certificate.mail_addresses.first().map(String::as_str),
            Self::Uri => certificate.uris.first().map(String::as_str),
        }
    }
}

/// Which certificates are believed, and what is read from them. Whether one is genuine is decided by TLS.
#[derive(Debug, Clone)]
pub struct CertificateOptions {
    /// The name that is the client's user name from then on.
    pub user_name: CertificateName,
    /// The name that the client identifier has to be, if any.
    pub client_id: Option<CertificateName>,
    /// The name that says which tenant's client it is, if any.
    pub tenant: Option<CertificateName>,
    /// Subjects that are believed; all of them if there are none.
    pub subjects: Vec<Wildcard>,
}

/// Clients that have proved by TLS to own a certificate.
#[derive(Debug)]
pub struct Certificates(CertificateOptions);

impl Certificates {
    /// Certificates of that kind.
    pub fn new(options: CertificateOptions) -> Self {
        Self(options)
    }

    fn judge(&self, certificate: &Certificate, credentials: &Credentials) -> Answer {
        let subjects = &self.0.subjects;
        let believed = subjects.iter().any(|wanted| wanted.matches(&certificate.subject));
        if !subjects.is_empty() && !believed {
            return Answer::Ignore;
        }
        let user_name = self.0.user_name.of(certificate).and_then(|name| Text::try_from(name).ok());
        let Some(user_name) = user_name else { return Answer::Ignore };
        let client_id = credentials.client_id.as_str();
        if let Some(name) = self.0.client_id
            && name.of(certificate) != Some(client_id)
        {
            tracing::info!(client_id, "the client identifier is not that of its certificate");
            return Answer::Deny(ReasonCode::ClientIdentifierNotValid);
        }
        let tenant = match self.0.tenant.map(|name| tenant_of(name, certificate)) {
            Some(Ok(tenant)) => Some(tenant),
            Some(Err(shown)) => {
                tracing::info!(?client_id, ?shown, "its certificate names no tenant");
                return Answer::Deny(ReasonCode::NotAuthorized);
            }
            None => None,
        };
        let facts = [
            ("cert_common_name", CertificateName::CommonName),
            ("cert_subject", CertificateName::Subject),
            ("cert_dns_name", CertificateName::DnsName),
            ("cert_mail_address", CertificateName::MailAddress),
            ("cert_uri", CertificateName::Uri),
        ];
        let facts = facts
            .into_iter()
            .filter_map(|(fact, name)| Some((fact.to_owned(), name.of(certificate)?.to_owned())));
        let attributes = Attributes::new(facts);
        let user_name = Some(user_name);
        Answer::Allow(Box::new(Rights { user_name, tenant, attributes, ..Rights::default() }), None)
    }
}

/// The tenant that a certificate names, or what it names instead.
fn tenant_of(name: CertificateName, certificate: &Certificate) -> Result<TenantName, &str> {
    let shown = name.of(certificate).unwrap_or_default();
    TenantName::try_from(shown).map_err(|_| shown)
}

impl Authenticator for Certificates {
    fn concerns(&self, credentials: &Credentials) -> bool {
        credentials.enhanced.is_none() && credentials.certificate.is_some()
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let answer = match credentials.certificate.as_deref() {
            Some(certificate) => self.judge(certificate, credentials),
            None => Answer::Ignore,
        };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

#[cfg(test)]
mod tests;
