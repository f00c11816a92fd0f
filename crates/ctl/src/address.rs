//! Where the API is, and where in it an operation stands.

use std::{fmt, net::IpAddr, str::FromStr};

use plexus_api_model::ROOT;
use reqwest::Url;
use serde_json::Value;

/// The URL of an API: scheme, host, port, and perhaps a path in front of the API's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Box<Url>);

/// Why a text is no address of an API.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is no URL.
    #[error("it is no URL such as http://127.0.0.1:18083: {0}")]
    Url(String),
    /// It is of something else.
    #[error("the API is asked with http:// or https://, not with {0}://")]
    Scheme(String),
    /// Everybody on the machine can read a command line.
    #[error("it holds a user or a password; log in with `plexus ctl login` instead")]
    Secret,
    /// What stands behind it would get lost.
    #[error("it ends with a query or a fragment; leave that out")]
    Behind,
}

/// Why a name cannot stand in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error("it is empty")]
    Empty,
    #[error("in a path `.` and `..` mean something else, however they are written")]
    Dots,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut url = Url::parse(text).map_err(|error| AddressError::Url(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Secret);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Behind);
        }
        let path = url.path();
        let own = path.trim_end_matches('/').trim_end_matches(ROOT).trim_end_matches('/');
        let own = own.to_owned();
        url.set_path(&own);
        Ok(Self(Box::new(url)))
    }
}

/// Without a slash at the end.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl Address {
    /// Whether what is sent there can be read by others on its way.
    pub(crate) fn is_overheard(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_here = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        self.0.scheme() == "http" && !is_here
    }

    /// Where an operation stands whose path has these names in it.
    pub(crate) fn operation(&self, path: &str, names: &Value) -> Result<Url, PathError> {
        let mut url = Url::clone(&self.0);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            for part in ROOT.split('/').chain(path.split('/')).filter(|part| !part.is_empty()) {
                let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
                let Some(name) = name else {
                    segments.push(part);
                    continue;
                };
                match names.get(name).and_then(Value::as_str).unwrap_or_default() {
                    "" => return Err(PathError::Empty),
                    "." | ".." => return Err(PathError::Dots),
                    name => segments.push(name),
                };
            }
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Address, PathError};

    fn address(text: &str) -> Result<Address, String> {
        text.parse::<Address>().map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_the_same_however_it_ends() {
        for text in
            ["http://127.0.0.1:18083", "http://127.0.0.1:18083/", "http://127.0.0.1:18083/api/v5/"]
        {
            assert_eq!(address(text).unwrap().to_string(), "http://127.0.0.1:18083", "{text}");
        }
        assert_eq!(address("https://h/plexus/").unwrap().to_string(), "https://h/plexus");
    }

    #[test]
    fn what_is_no_address_is_told() {
        assert!(address("127.0.0.1:18083").unwrap_err().contains("http"));
        assert!(address("mqtt://h").unwrap_err().contains("not with mqtt://"));
        assert!(address("http://admin:secret@h").unwrap_err().contains("plexus ctl login"));
        assert!(address("http://h/?a=b").unwrap_err().contains("query"));
    }

    #[test]
    fn a_name_stays_one_name_in_a_path() {
        let address = address("http://h/plexus").unwrap();
        let url = |name: &str| {
            let names = json!({ "clientid": name });
            address.operation("/clients/{clientid}/subscriptions", &names)
        };
        assert_eq!(
            url("a/b?c#d%20 é").unwrap().as_str(),
            "http://h/plexus/api/v5/clients/a%2Fb%3Fc%23d%2520%20%C3%A9/subscriptions"
        );
        assert_eq!(url(".."), Err(PathError::Dots));
        assert_eq!(url("."), Err(PathError::Dots));
        assert_eq!(url(""), Err(PathError::Empty));
        // Written so it is a name like another.
        assert!(url("%2e%2e").unwrap().as_str().contains("/%252e%252e/"));
    }

    #[test]
    fn who_listens_on_the_way_hears_clear_text_only() {
        let heard = |text: &str| address(text).unwrap().is_overheard();
        assert!(
            !heard("http://127.0.0.1:1") && !heard("http://localhost") && !heard("http://[::1]")
        );
        assert!(!heard("https://broker.example"));
        assert!(heard("http://broker.example") && heard("http://192.0.2.1"));
    }
}
