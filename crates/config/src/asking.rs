//! Who is asked about acts of which no rule says anything.

use std::{sync::Arc, time::Duration};

use plexus_access::Shown;
use plexus_admission::{Advisers, Step};
use plexus_stdx::Seed;

use crate::{
    admission::Office,
    load::Config,
    report::{ConfigError, Diagnostic},
    settings::{AskSettings, BackEnd},
    value::Placed,
};

/// What is not known of a client that is in.
const UNKNOWN: [Shown; 3] = [Shown::Password, Shown::CommonName, Shown::Subject];

impl Config {
    /// Those who are asked, if there are any, and how long what they say is remembered.
    pub(crate) fn advisers(
        &self,
        office: &Office<'_>,
        seed: Seed,
    ) -> Result<Option<(Advisers, Duration)>, ConfigError> {
        let access = &self.settings.access;
        let mut steps = Vec::new();
        for (index, settings) in access.ask.iter().enumerate() {
            let service = settings.service();
            let back_end = BackEnd::Http(&service);
            let authenticator = self.asked(("ask", index), back_end, office)?;
            let bounds = back_end.bounds();
            let step = Step::new(&settings.name, authenticator, bounds, &office.secret, seed);
            steps.push(Arc::new(step));
        }
        let holds = access.remember_answers.get();
        let any = !steps.is_empty();
        Ok(any.then(|| (Advisers::new(steps, office.runtime.clone()), holds)))
    }

    /// The mistakes in them that their types let pass.
    pub(crate) fn mistakes_in_asking(&self) -> Vec<Diagnostic> {
        let access = &self.settings.access;
        let mut found = Vec::new();
        for (index, settings) in access.ask.iter().enumerate() {
            let number = index.to_string();
            let at = |key| ["access", "ask", number.as_str(), key];
            let named = |other: &AskSettings| other.name == settings.name;
            if settings.name.is_empty() || settings.name.len() > 64 {
                let mistake = self.mistake(&at("name"), "no name");
                found.push(mistake.with_help("use 1 to 64 bytes"));
            } else if access.ask.iter().take(index).any(named) {
                let message = format!("a second service `{}`", settings.name);
                let help = "give each a name of its own";
                found.push(self.mistake(&at("name"), message).with_help(help));
            }
            let places = [("url", Some(&settings.url)), ("body", settings.body.as_ref())];
            for (key, placed) in places.into_iter().filter_map(|(key, it)| Some((key, it?))) {
                if UNKNOWN.iter().any(|shown| placed.get().has(*shown)) {
                    let message = "no password and no certificate is known of a client that is in";
                    let help = "leave ${password}, ${cert_common_name} and ${cert_subject} out";
                    found.push(self.mistake(&at(key), message).with_help(help));
                }
            }
        }
        for (index, http) in access.http.iter().enumerate() {
            let is_of_act = |placed: &Placed| {
                [Shown::Topic, Shown::Action, Shown::Qos, Shown::Retain]
                    .iter()
                    .any(|shown| placed.get().has(*shown))
            };
            if is_of_act(&http.url) || http.body.as_ref().is_some_and(is_of_act) {
                let message =
                    format!("`{}` is asked about clients, who have done nothing yet", http.name);
                let help = "a service that is asked about topics stands in [[access.ask]]";
                let path = ["access", "http", &index.to_string()];
                found.push(self.mistake(&path, message).with_help(help));
            }
        }
        if access.filter_deliveries && !access.ask.is_empty() {
            let message = "a delivery cannot wait for a service of [[access.ask]]";
            let help = "leave one of them out";
            found.push(self.mistake(&["access", "filter_deliveries"], message).with_help(help));
        }
        found
    }
}

#[cfg(test)]
mod tests;
