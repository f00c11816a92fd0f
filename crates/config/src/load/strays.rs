//! Environment variables that nearly set a key: with one underscore behind `PLEXUS` they set nothing,
//! and nobody would tell.

use super::VARIABLE_PREFIX;
use crate::{
    report::{Diagnostic, Origin},
    schema::{Key, keys},
};

const PREFIX: &str = "PLEXUS_";

/// Names with the prefix that mean something else to the programs of this project.
const OTHERS: &[&str] =
    &["CONFIG", "PASSWORD", "BIN", "PYTHON", "API_URL", "API_KEY", "API_SECRET"];
const OTHERS_BEGIN: &str = "CONFORMANCE_";
/// What stands in the names by which Kubernetes and Docker announce a service, `plexus` or
/// `plexus-something`, to its neighbours.
const SERVICES: &[&str] = &["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_", "_ENV_"];

/// What variables that set no key are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Strays {
    /// A key is meant, without doubt.
    pub(super) errors: Vec<Diagnostic>,
    /// Perhaps a key is meant, perhaps they are somebody else's.
    pub(super) warnings: Vec<Diagnostic>,
}

pub(super) fn among<'a>(names: impl IntoIterator<Item = &'a str>) -> Strays {
    let mut names = names.into_iter().filter_map(stray).collect::<Vec<_>>();
    names.sort_unstable();
    let mut strays = Strays::default();
    if names.is_empty() {
        return strays;
    }
    let keys = keys();
    for rest in names {
        let diagnostic = |message: &str| {
            let origin = Origin::Variable(format!("{PREFIX}{rest}"));
            Diagnostic::new(origin, message)
        };
        if let Some(path) = meant(rest, &keys) {
            let path = path.replace('.', "__").to_ascii_uppercase();
            let help = format!("write {VARIABLE_PREFIX}{path}, with two underscores each");
            strays.errors.push(diagnostic("this variable sets no key").with_help(help));
        } else {
            let help = format!(
                "variables that set keys begin with {VARIABLE_PREFIX}; unset it if it is not \
                 somebody else's"
            );
            strays.warnings.push(diagnostic("this variable is not read").with_help(help));
        }
    }
    strays
}

/// What stands behind the prefix, if the name is nobody's.
fn stray(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PREFIX).filter(|rest| !rest.starts_with('_'))?;
    let known = OTHERS.contains(&rest)
        || rest.starts_with(OTHERS_BEGIN)
        || name.ends_with("_PORT")
        || SERVICES.iter().any(|part| name.contains(part));
    (!known).then_some(rest)
}

/// The path of the key that somebody who wrote that meant. Which underscores are points cannot be
/// seen, so both are compared as underscores.
fn meant(rest: &str, keys: &[Key]) -> Option<String> {
    let flat = |text: &str| text.replace("__", "_").replace('.', "_").to_ascii_lowercase();
    let wanted = flat(rest);
    let exact = keys.iter().filter(|key| !key.is_table || key.path == "listener");
    if let Some(key) = exact.clone().find(|key| flat(&key.path) == wanted) {
        return Some(key.path.clone());
    }
    // Keys of tables of names, such as `shared.groups`.
    exact.filter(|key| key.kind.starts_with("table of names")).find_map(|key| {
        let name = wanted.strip_prefix(&flat(&key.path))?.strip_prefix('_')?;
        (!name.is_empty()).then(|| format!("{}.{name}", key.path))
    })
}

#[cfg(test)]
mod tests {
    use super::among;

    fn shown(names: &[&str]) -> (Vec<String>, Vec<String>) {
        let strays = among(names.iter().copied());
        let lines =
            |all: &[crate::Diagnostic]| all.iter().map(crate::Diagnostic::line).collect::<Vec<_>>();
        (lines(&strays.errors), lines(&strays.warnings))
    }

    #[test]
    fn one_underscore_in_place_of_two_is_told() {
        for (name, mend) in [
            ("PLEXUS_LOG__LEVEL", "PLEXUS__LOG__LEVEL"),
            ("PLEXUS_LOG_LEVEL", "PLEXUS__LOG__LEVEL"),
            ("PLEXUS_LISTENER", "PLEXUS__LISTENER"),
            ("PLEXUS_MQTT_MAX_PACKET_SIZE", "PLEXUS__MQTT__MAX_PACKET_SIZE"),
            ("PLEXUS_SHARED__GROUPS__WORKERS", "PLEXUS__SHARED__GROUPS__WORKERS"),
        ] {
            let (errors, warnings) = shown(&[name]);
            let expected = format!(
                "environment variable {name}: this variable sets no key; write {mend}, with two \
                 underscores each"
            );
            assert_eq!((errors, warnings), (vec![expected], Vec::new()));
        }
    }

    #[test]
    fn what_names_no_key_is_a_warning() {
        let (errors, warnings) = shown(&["PLEXUS_HOME"]);
        assert_eq!(errors, [""; 0]);
        assert!(warnings[0].starts_with("environment variable PLEXUS_HOME: this variable is not"));
    }

    #[test]
    fn variables_of_others_are_left_in_peace() {
        let names = [
            "PLEXUS_BIN",
            "PLEXUS_PYTHON",
            "PLEXUS_CONFIG",
            "PLEXUS_PASSWORD",
            "PLEXUS_CONFORMANCE_URL",
            "PLEXUS_PORT",
            "PLEXUS_PORT_1883_TCP_ADDR",
            "PLEXUS_SERVICE_HOST",
            "PLEXUS_MQTT_PORT",
            "PLEXUS_MQTT_SERVICE_PORT_TCP",
            "PLEXUS__LOG__LEVEL",
            "PLEXUSX_LOG",
        ];
        assert_eq!(shown(&names), (Vec::new(), Vec::new()));
    }
}
