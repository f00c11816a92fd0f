//! Where the entry of a client is. What a client shows is one value there, whatever stands in it.

use ldap_client_proto::{Dn, Filter, SearchScope, escape_dn_value};
use plexus_access::{Credentials, Shown, Template, TemplatePart};

/// Where the entry of a client is.
#[derive(Debug, Clone)]
pub struct Place(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// It has that name.
    Named(Template),
    /// It is the one below `base` that the filter finds.
    Found { base: String, filter: Template },
}

/// Why there is no such place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// A name that no entry can have.
    #[error("is no distinguished name such as `uid=${{username}},ou=people,dc=example`: {0}")]
    Name(String),
    /// A name with a place where something else than a value stands.
    #[error("has a place that is not the value of one part")]
    Value,
    /// No filter.
    #[error("is no filter such as `(uid=${{username}})`, or has a place that is no value: {0}")]
    Filter(String),
    /// Everybody would be the same.
    #[error("has no place such as `${{username}}`: all clients would be one")]
    Everybody,
}

/// The name of an entry, or how it is found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    pub(crate) base: String,
    pub(crate) scope: SearchScope,
    pub(crate) filter: Filter,
}

impl Place {
    /// The entry with that name, such as `uid=${username},ou=people,dc=example`.
    pub fn named(template: &Template) -> Result<Self, PlaceError> {
        has_a_place(template)?;
        let plain = parse_name(&sample(template, "x"))?;
        // What has the sign of another part in it has to be a value, and stay one.
        let odd = parse_name(&sample(template, &escape_dn_value(",x=y+z")));
        if !odd.is_ok_and(|odd| types(&odd) == types(&plain)) {
            return Err(PlaceError::Value);
        }
        Ok(Self(Kind::Named(template.clone())))
    }

    /// The only entry below that one which the filter finds, such as `(uid=${username})` (RFC 4515).
    pub fn found(base: &str, template: &Template) -> Result<Self, PlaceError> {
        has_a_place(template)?;
        parse_name(base)?;
        let read = |value| {
            let filter = Filter::parse(&sample(template, value));
            filter.map_err(|error| PlaceError::Filter(error.to_string()))
        };
        // The parser takes what servers refuse.
        if !is_closed(&sample(template, "x")) {
            return Err(PlaceError::Filter("its parentheses do not close each other".to_owned()));
        }
        // What is no value differs with what stands in it.
        if attributes(&read("x")?) != attributes(&read("y")?) {
            return Err(PlaceError::Filter("an attribute would be the client's choice".to_owned()));
        }
        Ok(Self(Kind::Found { base: base.to_owned(), filter: template.clone() }))
    }

    fn template(&self) -> &Template {
        match &self.0 {
            Kind::Named(template) | Kind::Found { filter: template, .. } => template,
        }
    }

    /// Whether such credentials show all that it has a place for.
    pub(crate) fn concerns(&self, credentials: &Credentials) -> bool {
        self.template().parts().iter().all(|part| match part {
            TemplatePart::Text(_) => true,
            TemplatePart::Shown(shown) => shown.of(credentials).is_some(),
        })
    }

    /// The attributes that a user name is compared with.
    pub(crate) fn of_user_name(&self) -> Vec<String> {
        let parts = self.template().parts();
        let compared = parts.windows(2).filter_map(|pair| {
            let [TemplatePart::Text(before), TemplatePart::Shown(Shown::UserName)] = pair else {
                return None;
            };
            let attribute = before.strip_suffix('=')?;
            let is_other = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.');
            let begin = attribute.rfind(is_other).map_or(0, |at| at + 1);
            attribute.get(begin..).filter(|name| !name.is_empty()).map(str::to_owned)
        });
        compared.collect()
    }

    /// The name, where that is known without a search.
    pub(crate) fn name(&self, credentials: &Credentials) -> Option<String> {
        match &self.0 {
            Kind::Named(template) => {
                template.fill(credentials, |text, to| to.push_str(&escape_dn_value(text)))
            }
            Kind::Found { .. } => None,
        }
    }

    /// How the entry is read; none where the credentials do not show what has a place.
    pub(crate) fn search(&self, credentials: &Credentials) -> Option<Search> {
        match &self.0 {
            Kind::Named(_) => Some(Search {
                base: self.name(credentials)?,
                scope: SearchScope::BaseObject,
                filter: Filter::present("objectClass"),
            }),
            Kind::Found { base, filter } => {
                let text = filter
                    .fill(credentials, |text, to| to.push_str(&Filter::escape_value(text)))?;
                let filter = Filter::parse(&text).ok()?;
                Some(Search { base: base.clone(), scope: SearchScope::WholeSubtree, filter })
            }
        }
    }
}

/// A name as servers take it; quotes are of an older form, in which nothing is escaped.
fn parse_name(text: &str) -> Result<Dn, PlaceError> {
    if text.contains('"') {
        return Err(PlaceError::Name("it has quotes".to_owned()));
    }
    let name = Dn::parse(text).map_err(|error| PlaceError::Name(error.to_string()))?;
    if name.rdns.is_empty() { Err(PlaceError::Name("it is empty".to_owned())) } else { Ok(name) }
}

/// What the parts of a name are.
fn types(name: &Dn) -> Vec<Vec<&str>> {
    let parts = name.rdns.iter();
    parts.map(|rdn| rdn.components.iter().map(|(kind, _)| kind.as_str()).collect()).collect()
}

/// What a filter compares, in the order of its text. It is as deep as its parser lets it be.
fn attributes(filter: &Filter) -> Vec<String> {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().flat_map(attributes).collect(),
        Filter::Not(filter) => attributes(filter),
        Filter::Eq(attribute, _)
        | Filter::Approx(attribute, _)
        | Filter::Gte(attribute, _)
        | Filter::Lte(attribute, _)
        | Filter::Present(attribute)
        | Filter::Substring { attr: attribute, .. } => vec![attribute.clone()],
        Filter::ExtensibleMatch { matching_rule, attr, .. } => {
            [matching_rule, attr].into_iter().flatten().cloned().collect()
        }
    }
}

/// Whether each parenthesis has its other one, and none stands in a value (RFC 4515, section 3).
fn is_closed(filter: &str) -> bool {
    let (mut depth, mut before) = (0_usize, '(');
    for letter in filter.chars() {
        match letter {
            '(' if !matches!(before, '(' | ')' | '&' | '|' | '!') => return false,
            '(' => depth += 1,
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            _ => {}
        }
        before = letter;
    }
    depth == 0
}

fn has_a_place(template: &Template) -> Result<(), PlaceError> {
    let is_place = |part: &TemplatePart| matches!(part, TemplatePart::Shown(_));
    if template.parts().iter().any(is_place) { Ok(()) } else { Err(PlaceError::Everybody) }
}

fn sample(template: &Template, value: &str) -> String {
    let text = template.parts().iter().map(|part| match part {
        TemplatePart::Text(text) => text,
        TemplatePart::Shown(_) => value,
    });
    text.collect()
}

#[cfg(test)]
mod tests {
    use ldap_client_proto::{Dn, Filter};
    use plexus_access::Template;
    use plexus_testkit::credentials;

    use super::{Place, PlaceError};

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn no_value_breaks_out_of_a_name() {
        let place = Place::named(&template("uid=${username},ou=people,dc=plant")).unwrap();
        for odd in [
            "bob",
            "bob,ou=admins",
            "a+cn=b",
            " x ",
            "#00",
            "a\"b",
            "\"a\"",
            "a\\",
            "a=b",
            "zoë",
            ";<>",
        ] {
            let name = place.name(&credentials(odd, "p")).unwrap();
            let name = Dn::parse(&name).unwrap();
            assert_eq!(name.rdns.len(), 3, "{odd:?}");
            let [(kind, value)] = &name.rdns[0].components[..] else { panic!("{odd:?}") };
            assert_eq!((kind.as_str(), value.as_str()), ("uid", odd));
        }
    }

    #[test]
    fn a_filter_is_one_that_servers_take() {
        for wrong in [
            "(|(uid=${username}(mail=${username}))",
            "(uid=${username}",
            "(uid=${username}))",
            "uid=${username})(a=b",
        ] {
            let found = Place::found("dc=plant", &template(wrong));
            assert!(matches!(found, Err(PlaceError::Filter(_))), "{wrong}: {found:?}");
        }
    }

    #[test]
    fn a_name_is_looked_for_wherever_it_is_compared() {
        let of = |text: &str| Place::found("dc=plant", &template(text)).unwrap().of_user_name();
        assert_eq!(of("(uid=${username})"), ["uid"]);
        assert_eq!(
            of("(&(a=b)(|(uid=${username})(mail=${username})(x=p-${username})))"),
            ["uid", "mail"]
        );
        assert_eq!(of("(cn=${clientid})"), [""; 0]);
    }

    #[test]
    fn no_value_breaks_out_of_a_filter() {
        let filter =
            template("(&(objectClass=person)(|(uid=${username})(mail=${username}@plant)))");
        let place = Place::found("dc=plant", &filter).unwrap();
        for odd in ["bob", "*", "bob)(uid=*", "\\2a", "|(x=y)", " x ", "zoë"] {
            let search = place.search(&credentials(odd, "p")).unwrap();
            let wanted = Filter::and(vec![
                Filter::eq("objectClass", "person"),
                Filter::or(vec![
                    Filter::eq("uid", odd),
                    Filter::eq("mail", format!("{odd}@plant")),
                ]),
            ]);
            assert_eq!(search.filter, wanted, "{odd:?}");
        }
    }

    #[test]
    fn places_are_values() {
        for text in ["${username}=bob,dc=plant", "uid=bob,${clientid}=a"] {
            assert_eq!(Place::named(&template(text)).unwrap_err(), PlaceError::Value, "{text}");
        }
        for text in ["${username}", "uid=\"${username}\",dc=plant"] {
            assert!(matches!(Place::named(&template(text)), Err(PlaceError::Name(_))), "{text}");
        }
        for text in ["(${username}=bob)", "${username}", "(uid=${username}", "(&${username})"] {
            let place = Place::found("dc=plant", &template(text));
            assert!(matches!(place, Err(PlaceError::Filter(_))), "{text}: {place:?}");
        }
        let nowhere = Place::found("plant", &template("(uid=${username})"));
        assert!(matches!(nowhere, Err(PlaceError::Name(_))), "{nowhere:?}");
        assert_eq!(Place::found("dc=a", &template("(uid=b)")).unwrap_err(), PlaceError::Everybody);
        assert_eq!(Place::named(&template("uid=bob")).unwrap_err(), PlaceError::Everybody);
    }
}
