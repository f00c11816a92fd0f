//! Who asks from elsewhere: too often from one address, or from a page of another origin.

use std::{net::IpAddr, sync::Mutex};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use plexus_api_model::{ApiError, ErrorCode};
use plexus_fences::{Comings, Place, Rate};
use plexus_runtime::unix_now;
use plexus_stdx::Seed;

use crate::{lists::locked, server};

/// What strangers may.
#[derive(Debug, Clone, Default)]
pub struct StrangerOptions {
    /// Origins of pages whose scripts may ask.
    pub origins: Vec<String>,
    /// How often anybody may ask from one address; `None` for no limit.
    pub rate: Option<Rate>,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Strangers {
    origins: Vec<HeaderValue>,
    comings: Option<Mutex<Comings>>,
}

/// What a script may ask with, and for how long a browser need not ask whether it may, in seconds.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
const AGE: HeaderValue = HeaderValue::from_static("600");

impl Strangers {
    pub(crate) fn new(options: &StrangerOptions, seed: Seed) -> Self {
        // What is no header was no origin, and is not asked with.
        let origins = options.origins.iter().filter_map(|origin| origin.parse().ok()).collect();
        let comings = options.rate.map(|rate| Mutex::new(Comings::new(rate, seed)));
        Self { origins, comings }
    }

    /// What whoever asks from that address is told, if it asks too often.
    pub(crate) fn refusal(&self, peer: IpAddr) -> Option<Response> {
        if locked(self.comings.as_ref()?).admit(unix_now(), Place::of(peer)) {
            return None;
        }
        let message = "too many requests from your address (api.max_request_rate_per_address)";
        Some(server::failure(&ApiError::new(ErrorCode::TooManyRequests, message)))
    }

    /// The origin of the page whose script asks, if it may.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.origins.iter().find(|known| *known == origin).cloned()
    }

    /// The answer to a browser that asks whether a script may ask, if that is what this is.
    pub(crate) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let asks = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if method != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = (StatusCode::NO_CONTENT, Body::empty()).into_response();
        if self.origin(headers).is_some() {
            let told = response.headers_mut();
            told.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            told.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            told.insert(header::ACCESS_CONTROL_MAX_AGE, AGE);
        }
        Some(response)
    }
}

/// Tells a browser that the page of that origin may read the answer.
pub(crate) fn allow(response: &mut Response, origin: Option<HeaderValue>) {
    let told = response.headers_mut();
    told.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        told.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, num::NonZeroU64, time::Duration};

    use axum::http::{HeaderMap, Method, header};
    use plexus_fences::Rate;
    use plexus_stdx::Seed;

    use super::{StrangerOptions, Strangers};

    #[test]
    fn only_known_origins_are_told_that_they_may() {
        let options = StrangerOptions { origins: vec!["https://a.example".to_owned()], rate: None };
        let strangers = Strangers::new(&options, Seed::new(1));
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCESS_CONTROL_REQUEST_METHOD, "GET".parse().unwrap());
        for (origin, may) in [
            ("https://a.example", true),
            ("http://a.example", false),
            ("https://a.example.evil", false),
            ("null", false),
        ] {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
            assert_eq!(strangers.origin(&headers).is_some(), may, "{origin}");
            let told = strangers.preflight(&Method::OPTIONS, &headers).unwrap();
            let allowed = told.headers().contains_key(header::ACCESS_CONTROL_ALLOW_METHODS);
            assert_eq!((told.status().as_u16(), allowed), (204, may), "{origin}");
        }
        assert!(strangers.preflight(&Method::GET, &headers).is_none());
    }

    #[test]
    fn an_address_that_asks_too_often_is_refused() {
        let rate = Rate::new(NonZeroU64::new(2).unwrap(), Duration::from_hours(1));
        let options = StrangerOptions { origins: Vec::new(), rate: Some(rate) };
        let strangers = Strangers::new(&options, Seed::new(1));
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let status = |peer| strangers.refusal(peer).map_or(200, |it| it.status().as_u16());
        assert_eq!([status(one), status(one), status(one), status(other)], [200, 200, 429, 200]);
    }
}
