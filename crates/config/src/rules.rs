//! The rules of the file, as the door takes them.

use plexus_access::{Acts, Effect, Rule, Rules, Who, Whose, Wildcard};

use crate::{
    check::name_of,
    load::Config,
    report::Diagnostic,
    settings::{AccessRule, Activity, NoMatch},
};

/// Each message is compared with each of them.
const RULES_MAX: usize = 1_000;

impl Config {
    /// Who may publish and subscribe what, if anything is said about that.
    pub fn rules(&self) -> Option<Rules> {
        let access = &self.settings.access;
        if access.rule.is_empty() && access.no_match.is_none() {
            return None;
        }
        let rules = access.rule.iter().zip(1..).map(|(settings, number)| rule(settings, number));
        let otherwise = match access.no_match {
            Some(NoMatch::Allow) => Effect::Allow,
            Some(NoMatch::Deny) | None => Effect::Deny,
        };
        Some(Rules::new(rules.collect(), otherwise))
    }

    /// The mistakes in them that their types let pass.
    pub(crate) fn mistakes_in_rules(&self) -> Vec<Diagnostic> {
        let rules = &self.settings.access.rule;
        let mut found = Vec::new();
        if rules.len() > RULES_MAX {
            let message = format!("{} rules", rules.len());
            let help = format!("use at most {RULES_MAX}, with wildcards and `${{username}}`");
            found.push(self.mistake(&["access", "rule"], message).with_help(help));
        }
        for (index, rule) in rules.iter().enumerate() {
            let number = index.to_string();
            let named = |other: &AccessRule| rule.name.is_some() && other.name == rule.name;
            let again = rules.iter().take(index).any(named);
            let lists = empty_lists(rule);
            found.extend(self.unproved_in(&number, rule));
            for (key, message, help) in mistakes(rule, again).into_iter().chain(lists) {
                let path: &[&str] = match key {
                    "" => &["access", "rule", &number],
                    key => &["access", "rule", &number, key],
                };
                found.push(self.mistake(path, message).with_help(help));
            }
        }
        found
    }

    /// User names that nobody has to prove.
    fn unproved_in(&self, number: &str, rule: &AccessRule) -> Option<Diagnostic> {
        let named =
            rule.topics.iter().any(|topics| topics.get().to_string().contains("${username}"));
        if !named && rule.users.is_none() {
            return None;
        }
        let access = &self.settings.access;
        let key = if rule.users.is_some() { "users" } else { "topics" };
        let path = ["access", "rule", number, key];
        if !access.has_authenticators() {
            let message = "user names are no rights where nobody has to prove them";
            let help = "set access.users_file or access.users";
            return Some(self.mistake(&path, message).with_help(help));
        }
        let (message, help) = self.unproved()?;
        Some(self.mistake(&path, message).with_help(help))
    }
}

type Mistake = (&'static str, &'static str, &'static str);

/// The key, what is wrong with it, and the mend.
fn mistakes(rule: &AccessRule, again: bool) -> Vec<Mistake> {
    let either = "write either allow = [\"publish\", \"subscribe\"] or deny = […]";
    let is_empty = |list: &Option<Vec<u8>>| list.as_ref().is_some_and(Vec::is_empty);
    let too_high = |list: &Option<Vec<u8>>| list.iter().flatten().any(|qos| *qos > 2);
    let publishes = rule.allow.iter().chain(&rule.deny).any(|it| *it == Activity::Publish);
    let found: [(bool, Mistake); 7] = [
        (
            rule.allow.is_empty() && rule.deny.is_empty(),
            ("", "the rule neither allows nor denies anything", either),
        ),
        (
            !rule.allow.is_empty() && !rule.deny.is_empty(),
            ("deny", "the rule both allows and denies", either),
        ),
        (
            rule.topics.is_empty(),
            ("topics", "the rule is about no topic", "write \"#\" if it is about all"),
        ),
        (
            is_empty(&rule.qos),
            ("qos", "the rule is about no quality of service", "leave it out if it is about all"),
        ),
        (too_high(&rule.qos), ("qos", "there is no such quality of service", "write 0, 1 or 2")),
        (
            rule.retain.is_some() && !publishes,
            ("retain", "nothing that is subscribed is retained", "leave it out"),
        ),
        (
            again,
            ("name", "another rule before it has that name", "a name tells which rule decided"),
        ),
    ];
    found.into_iter().filter_map(|(wrong, mistake)| wrong.then_some(mistake)).collect()
}

/// Nobody is in an empty list. Whoever took the last name out of it would rather hear of it than have a
/// rule for nobody, or for all.
fn empty_lists(rule: &AccessRule) -> Vec<Mistake> {
    let lengths = [
        ("users", rule.users.as_ref().map(Vec::len)),
        ("clients", rule.clients.as_ref().map(Vec::len)),
        ("networks", rule.networks.as_ref().map(Vec::len)),
        ("listeners", rule.listeners.as_ref().map(Vec::len)),
    ];
    let empty = lengths.into_iter().filter(|(_, length)| *length == Some(0));
    let mend = "leave it out if the rule is for everybody; take the rule out if it is for nobody";
    empty.map(|(key, _)| (key, "the rule is for nobody", mend)).collect()
}

/// Rules for listeners that there are not.
pub(crate) fn for_no_listener(config: &Config) -> Vec<Diagnostic> {
    let names: Vec<_> = config.listeners().iter().map(name_of).collect();
    let mut found = Vec::new();
    for (index, rule) in config.settings.access.rule.iter().enumerate() {
        let listeners = rule.listeners.iter().flatten();
        let known = |text: &str| names.iter().any(|name| Wildcard::new(text).matches(name));
        for text in listeners.filter(|text| !known(text)) {
            let path = ["access", "rule", &index.to_string(), "listeners"];
            let message = format!("no listener is called `{text}`");
            let help = format!("there are {}", names.join(", "));
            found.push(config.mistake(&path, message).with_help(help));
        }
    }
    found
}

fn rule(settings: &AccessRule, number: usize) -> Rule {
    let wildcards = |texts: Option<&Vec<String>>| {
        texts.into_iter().flatten().map(|text| Wildcard::new(text)).collect()
    };
    let (effect, acts) = if settings.allow.is_empty() {
        (Effect::Deny, &settings.deny)
    } else {
        (Effect::Allow, &settings.allow)
    };
    let of = |qos: u8| settings.qos.as_ref().is_none_or(|list| list.contains(&qos));
    Rule {
        name: settings.name.clone().unwrap_or_else(|| format!("rule {number}")).into(),
        effect,
        who: Who {
            whose: Whose::Tenants(settings.tenant.as_ref().map(|tenant| tenant.get().clone())),
            users: wildcards(settings.users.as_ref()),
            clients: wildcards(settings.clients.as_ref()),
            networks: settings.networks.iter().flatten().map(|network| network.get()).collect(),
            listeners: wildcards(settings.listeners.as_ref()),
            attributes: settings
                .attributes
                .iter()
                .map(|(name, value)| (name.as_str().into(), Wildcard::new(value)))
                .collect(),
        },
        acts: Acts {
            publish: acts.contains(&Activity::Publish),
            subscribe: acts.contains(&Activity::Subscribe),
            qos: [0, 1, 2].map(of),
            retain: settings.retain,
        },
        topics: settings.topics.iter().map(|topics| topics.get().clone()).collect(),
    }
}

#[cfg(test)]
mod tests;
