//! What back ends and tokens say about a client as JSON: rules of its own, attributes.

use plexus_access::{Acts, Attributes, Effect, Pattern, Rule, Rules, Who};
use serde_json::{Map, Value};

/// Rules that one client may bring, and topics of one of them.
const RULES_MAX: usize = 100;

/// Why rules cannot be understood. Whoever brings them is not let in: half of the rules are not
/// what was meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Neither a list of rules nor lists of topics by what is allowed.
    #[error("the rules are neither a list nor an object with `pub`, `sub` and `all`")]
    Shape,
    /// Too many.
    #[error("more than {RULES_MAX} rules, or more than {RULES_MAX} topics of one")]
    TooMany,
    /// One of them.
    #[error("rule {0}: {1}")]
    Rule(usize, String),
}

/// Rules in either form that is in use:
///
/// ```json
/// { "pub": ["robot/${clientid}/#"], "sub": ["…"], "all": ["…"] }
/// [ { "permission": "allow", "action": "publish", "topic": "robot/${clientid}/#", "qos": [0, 1], "retain": "all" } ]
/// ```
///
/// What they do not speak of is decided by the rules of the configuration.
pub fn rules_of(value: &Value) -> Result<Rules, RulesError> {
    let rules = match value {
        Value::Object(lists) => allowed_topics(lists)?,
        Value::Array(list) if list.len() > RULES_MAX => return Err(RulesError::TooMany),
        Value::Array(list) => {
            let rules = list.iter().zip(1..).map(|(rule, number)| {
                rule_of(rule, number).map_err(|problem| RulesError::Rule(number, problem))
            });
            rules.collect::<Result<_, _>>()?
        }
        _ => return Err(RulesError::Shape),
    };
    Ok(Rules::new(rules, Effect::Deny))
}

fn allowed_topics(lists: &Map<String, Value>) -> Result<Vec<Rule>, RulesError> {
    let mut rules = Vec::new();
    for (key, list) in lists {
        let (publish, subscribe) = match key.as_str() {
            "pub" => (true, false),
            "sub" => (false, true),
            "all" => (true, true),
            _ => return Err(RulesError::Shape),
        };
        let number = rules.len() + 1;
        let topics = patterns(list).map_err(|problem| RulesError::Rule(number, problem))?;
        if topics.len() > RULES_MAX {
            return Err(RulesError::TooMany);
        }
        let acts = Acts { publish, subscribe, ..Acts::ALL };
        rules.push(Rule {
            name: format!("its own `{key}`").into(),
            effect: Effect::Allow,
            who: Who::default(),
            acts,
            topics,
        });
    }
    Ok(rules)
}

fn rule_of(value: &Value, number: usize) -> Result<Rule, String> {
    let rule = value.as_object().ok_or("it is no object")?;
    for key in rule.keys() {
        if !matches!(key.as_str(), "permission" | "action" | "topic" | "topics" | "qos" | "retain")
        {
            return Err(format!("it has `{key}`, which is not known"));
        }
    }
    let effect = match rule.get("permission").and_then(Value::as_str) {
        Some("allow") => Effect::Allow,
        Some("deny") => Effect::Deny,
        _ => return Err("`permission` is neither \"allow\" nor \"deny\"".into()),
    };
    let (publish, subscribe) = match rule.get("action").and_then(Value::as_str) {
        Some("publish") => (true, false),
        Some("subscribe") => (false, true),
        Some("all") | None => (true, true),
        Some(_) => return Err("`action` is none of \"publish\", \"subscribe\", \"all\"".into()),
    };
    let topics = match (rule.get("topic"), rule.get("topics")) {
        (Some(one), None) => patterns(one)?,
        (None, Some(many)) => patterns(many)?,
        _ => return Err("it has to have either `topic` or `topics`".into()),
    };
    if topics.is_empty() {
        return Err("it is about no topic".into());
    }
    let acts = Acts {
        publish,
        subscribe,
        qos: qualities(rule.get("qos"))?,
        retain: match rule.get("retain") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(retain)) => Some(*retain),
            Some(Value::String(text)) if text == "all" => None,
            Some(Value::Number(number)) if number.as_u64().is_some_and(|it| it < 2) => {
                Some(number.as_u64() == Some(1))
            }
            Some(_) => return Err("`retain` is none of true, false, \"all\"".into()),
        },
    };
    let name = format!("its own rule {number}").into();
    Ok(Rule { name, effect, who: Who::default(), acts, topics })
}

fn patterns(value: &Value) -> Result<Vec<Pattern>, String> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    if list.len() > RULES_MAX {
        return Err("too many topics".into());
    }
    let pattern = |value: &Value| {
        let text = value.as_str().ok_or("a topic is no text")?;
        Pattern::parse(text).map_err(|error| format!("the topic `{text}` {error}"))
    };
    list.iter().map(pattern).collect()
}

fn qualities(value: Option<&Value>) -> Result<[bool; 3], String> {
    let list = match value {
        None | Some(Value::Null) => return Ok([true; 3]),
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let mut included = [false; 3];
    for value in list {
        let number = match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let slot = number.and_then(|number| included.get_mut(usize::try_from(number).ok()?));
        *slot.ok_or("`qos` has something else than 0, 1 and 2")? = true;
    }
    if included == [false; 3] {
        return Err("`qos` is empty".into());
    }
    Ok(included)
}

/// Facts about a client: the texts, numbers and truths of an object.
pub fn attributes_of(value: &Value) -> Attributes {
    let facts = value.as_object().into_iter().flatten();
    Attributes::new(facts.filter_map(|(name, value)| match value {
        Value::String(text) => Some((name.clone(), text.clone())),
        Value::Number(number) => Some((name.clone(), number.to_string())),
        Value::Bool(truth) => Some((name.clone(), truth.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }))
}

#[cfg(test)]
mod tests;
