//! Expressions over what is known of a client, in the Common Expression Language (CEL).
//!
//! They are the operator's, what they are about is the client's: so the language has no loops here (no macros),
//! no regular expressions and nothing that makes a long text of two short ones again and again.

use std::{fmt, str::FromStr, sync::Arc};

use cel::{
    Context, Env, ExecutionError, IdedExpr, Program, Value, common::ast::Expr, extractors::This,
};
use plexus_access::{ATTRIBUTE_LENGTH_MAX, Attributes, Certificate, Credentials, Rights};
use plexus_types::{ReasonCode, Text};

use crate::CertificateName;

/// Bytes of an expression.
const SOURCE_MAX: usize = 1_024;
/// Names, values, calls and operators of an expression: each may copy what a client has sent.
const NODES_MAX: usize = 200;
/// How deep they stand in each other.
const DEPTH_MAX: usize = 32;
/// The parser of the library goes into the depth on the stack: it stops at 96 levels, and needs less than that.
const PARSER_STACK: usize = 32 * 1024 * 1024;
/// Parts into which a text is split.
const PARTS_MAX: usize = 1_000;

/// What is known of a client by its name in expressions; what is not known is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variable {
    ClientId,
    UserName,
    Peer,
    Listener,
    Certificate(CertificateName),
    Attributes,
}

const VARIABLES: [(&str, Variable); 10] = [
    ("client_id", Variable::ClientId),
    ("user_name", Variable::UserName),
    ("peer", Variable::Peer),
    ("listener", Variable::Listener),
    ("cert_common_name", Variable::Certificate(CertificateName::CommonName)),
    ("cert_subject", Variable::Certificate(CertificateName::Subject)),
    ("cert_dns_name", Variable::Certificate(CertificateName::DnsName)),
    ("cert_mail_address", Variable::Certificate(CertificateName::MailAddress)),
    ("cert_uri", Variable::Certificate(CertificateName::Uri)),
    ("client_attrs", Variable::Attributes),
];

const FUNCTIONS: [&str; 7] =
    ["size", "contains", "startsWith", "endsWith", "string", "split", "lower"];

/// Why a text is no expression that may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// Not CEL.
    #[error("is no expression (CEL): {0}")]
    Form(String),
    /// Too long.
    #[error(
        "is longer than {SOURCE_MAX} bytes, or has more than {NODES_MAX} names, values and operators"
    )]
    Long,
    /// Too deep.
    #[error("is nested more than {DEPTH_MAX} deep")]
    Deep,
    /// Nothing of that name is known of a client.
    #[error("has `{0}`; known are {known}", known = names())]
    Variable(String),
    /// No function of that name.
    #[error("calls `{0}`; there are {functions}", functions = FUNCTIONS.join(", "))]
    Function(String),
    /// A part of the language that is not used here.
    #[error("has {0}, which is not to be had here")]
    Part(&'static str),
    /// Values that do not go together.
    #[error("cannot be: {0}")]
    Kinds(String),
    /// Neither true nor false.
    #[error("is neither true nor false")]
    Condition,
    /// No text.
    #[error("is no text, no whole number and no truth")]
    Text,
}

fn names() -> String {
    VARIABLES.map(|(name, _)| name).join(", ")
}

/// An expression that was read and checked.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
    program: Arc<Program>,
    env: Arc<Env>,
    /// What it needs to know.
    variables: Vec<(&'static str, Variable)>,
}

impl Expression {
    /// Whether it says something of what is called so.
    pub fn mentions(&self, name: &str) -> bool {
        self.variables.iter().any(|(known, _)| *known == name)
    }

    /// Checks that it is true or false, as far as that is known without a client.
    pub fn check_condition(&self) -> Result<(), ExpressionError> {
        match self.try_out()? {
            None | Some(Value::Bool(_)) => Ok(()),
            Some(_) => Err(ExpressionError::Condition),
        }
    }

    /// Checks that it is a text, as far as that is known without a client.
    pub fn check_text(&self) -> Result<(), ExpressionError> {
        match self.try_out()? {
            None => Ok(()),
            Some(value) => text_of(value).map(drop).ok_or(ExpressionError::Text),
        }
    }

    /// What it is of a client that has everything; nothing where that depends on more.
    fn try_out(&self) -> Result<Option<Value>, ExpressionError> {
        match self.evaluate(|_| "a-b".to_owned(), &Attributes::default()) {
            Ok(value) => Ok(Some(value)),
            // Another client may have more parts, other attributes, other numbers.
            Err(
                ExecutionError::NoSuchKey(_)
                | ExecutionError::IndexOutOfBounds(_)
                | ExecutionError::FunctionError { .. }
                | ExecutionError::DivisionByZero(_)
                | ExecutionError::RemainderByZero(_)
                | ExecutionError::Overflow(..),
            ) => Ok(None),
            Err(error) => Err(ExpressionError::Kinds(error.to_string())),
        }
    }

    /// Whether it is true. One that cannot be evaluated is not.
    pub(crate) fn holds(&self, facts: &Facts<'_>) -> bool {
        matches!(self.of(facts), Some(Value::Bool(true)))
    }

    /// The text that it is; none where it cannot be evaluated, is empty or too long.
    pub(crate) fn text(&self, facts: &Facts<'_>) -> Option<String> {
        let text = text_of(self.of(facts)?)?;
        Some(text).filter(|text| !text.is_empty() && text.len() <= ATTRIBUTE_LENGTH_MAX)
    }

    fn of(&self, facts: &Facts<'_>) -> Option<Value> {
        let none = Attributes::default();
        let attributes = facts.rights.map_or(&none, |rights| &rights.attributes);
        let value = self.evaluate(|variable| facts.of(variable), attributes);
        value.inspect_err(|error| tracing::debug!(expression = %self, %error, "no value")).ok()
    }

    fn evaluate(
        &self,
        fact: impl Fn(Variable) -> String,
        attributes: &Attributes,
    ) -> Result<Value, ExecutionError> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        for (name, variable) in &self.variables {
            match variable {
                Variable::Attributes => {
                    context.add_variable_from_value(*name, map_of(attributes));
                }
                variable => context.add_variable_from_value(*name, fact(*variable)),
            }
        }
        let added = context
            .add_function("split", split)
            .and_then(|()| context.add_function("lower", lower));
        added.map_err(|error| ExecutionError::function_error("split", error))?;
        self.program.execute(&context)
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "what the library takes; at most 32, looked up by name"
)]
fn map_of(attributes: &Attributes) -> Value {
    let map = attributes.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    map.collect::<std::collections::HashMap<_, _>>().into()
}

#[expect(clippy::needless_pass_by_value, reason = "the library hands it over so")]
fn split(This(text): This<Arc<String>>, at: Arc<String>) -> Result<Value, ExecutionError> {
    if at.is_empty() {
        return Err(ExecutionError::function_error("split", "nothing to split at"));
    }
    let parts = text.split(at.as_str()).take(PARTS_MAX + 1).map(Value::from).collect::<Vec<_>>();
    if parts.len() > PARTS_MAX {
        return Err(ExecutionError::function_error("split", "too many parts"));
    }
    Ok(Value::List(Arc::new(parts)))
}

fn lower(This(text): This<Arc<String>>) -> String {
    text.to_ascii_lowercase()
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(String::clone(&text)),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > SOURCE_MAX {
            return Err(ExpressionError::Long);
        }
        if text.contains(|c: char| c == '\\' || c.is_control()) {
            return Err(ExpressionError::Part("a backslash or a control character"));
        }
        let broken = |what: &str| ExpressionError::Form(format!("it cannot be read: {what}"));
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().stack_size(PARSER_STACK);
            let reading = reader.spawn_scoped(scope, || Self::read(text));
            let reading = reading.map_err(|error| broken(&error.to_string()))?;
            reading.join().unwrap_or_else(|_| Err(broken("the parser broke off")))
        })
    }
}

impl Expression {
    fn read(text: &str) -> Result<Self, ExpressionError> {
        // Without macros: `all`, `map` and the like run in loops.
        let env = Env::default().with_stdlib();
        let program = env.compile(text).map_err(|errors| {
            let first = errors.errors.first();
            let told = first.map(|one| format!("{} at character {}", one.msg, one.pos.1));
            ExpressionError::Form(told.unwrap_or_default())
        })?;
        let mut variables = Vec::new();
        let mut left = NODES_MAX;
        look(program.expression(), &mut variables, &mut left, DEPTH_MAX)?;
        Ok(Self { source: text.into(), program: Arc::new(program), env: Arc::new(env), variables })
    }
}

/// Looks at every part of an expression: what is not known here is told when it is read, not to a client.
fn look(
    at: &IdedExpr,
    variables: &mut Vec<(&'static str, Variable)>,
    left: &mut usize,
    depth: usize,
) -> Result<(), ExpressionError> {
    *left = left.checked_sub(1).ok_or(ExpressionError::Long)?;
    let depth = depth.checked_sub(1).ok_or(ExpressionError::Deep)?;
    match &at.expr {
        Expr::Literal(_) => Ok(()),
        Expr::Ident(name) => {
            let known = VARIABLES.iter().find(|(known, _)| known == name);
            let known = *known.ok_or_else(|| ExpressionError::Variable(name.clone()))?;
            if !variables.contains(&known) {
                variables.push(known);
            }
            Ok(())
        }
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(name) if name == "client_attrs" => {
                look(&select.operand, variables, left, depth)
            }
            _ => Err(ExpressionError::Part("a `.` that is neither a call nor of client_attrs")),
        },
        Expr::List(list) => {
            list.elements.iter().try_for_each(|element| look(element, variables, left, depth))
        }
        Expr::Call(call) => {
            // Operators have names such as `_&&_`.
            let is_function = call.func_name.starts_with(|c: char| c.is_ascii_alphabetic());
            if is_function && !FUNCTIONS.contains(&call.func_name.as_str()) {
                return Err(ExpressionError::Function(call.func_name.clone()));
            }
            let parts = call.target.iter().map(|target| &**target).chain(&call.args);
            parts.into_iter().try_for_each(|part| look(part, variables, left, depth))
        }
        Expr::Comprehension(_) => Err(ExpressionError::Part("a loop")),
        Expr::Map(_) | Expr::Struct(_) => Err(ExpressionError::Part("`{`")),
        Expr::Unspecified => Err(ExpressionError::Part("nothing")),
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.source)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Expression {}

/// What an expression is about.
pub(crate) struct Facts<'a> {
    credentials: &'a Credentials,
    /// What was found out, once it is.
    rights: Option<&'a Rights>,
}

impl<'a> Facts<'a> {
    /// A client of which nothing is known but what it shows.
    pub(crate) fn shown(credentials: &'a Credentials) -> Self {
        Self { credentials, rights: None }
    }

    fn of(&self, variable: Variable) -> String {
        let certificate: Option<&Certificate> = self.credentials.certificate.as_deref();
        let known = match variable {
            Variable::ClientId => Some(self.credentials.client_id.as_str()),
            Variable::UserName => self.user_name(),
            Variable::Peer => {
                return self.credentials.peer.map_or_else(String::new, |it| it.to_string());
            }
            Variable::Listener => Some(&*self.credentials.listener),
            Variable::Certificate(name) => certificate.and_then(|shown| name.of(shown)),
            Variable::Attributes => None,
        };
        known.unwrap_or_default().to_owned()
    }

    /// The name that was proved, once it is known which one that is; the one that was given before.
    fn user_name(&self) -> Option<&str> {
        let given = self.credentials.user_name.as_deref();
        match self.rights {
            None => given,
            Some(rights) => {
                let given = || given.filter(|_| !rights.is_name_unproved);
                rights.user_name.as_deref().or_else(given)
            }
        }
    }
}

/// What is made of what is known of a client that is let in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derived {
    /// Its user name.
    pub user_name: Option<Expression>,
    /// Its attributes by their names, before those that an authenticator has found out.
    pub attributes: Vec<(String, Expression)>,
}

impl Derived {
    /// Whether nothing is made.
    pub fn is_empty(&self) -> bool {
        self.user_name.is_none() && self.attributes.is_empty()
    }

    /// Adds it to what was found out; without a user name where there has to be one nobody comes in.
    pub(crate) fn add(
        &self,
        credentials: &Credentials,
        rights: &mut Rights,
    ) -> Result<(), ReasonCode> {
        if let Some(expression) = &self.user_name {
            let facts = Facts { credentials, rights: Some(&*rights) };
            let name = expression.text(&facts).and_then(|text| Text::try_from(text.as_str()).ok());
            let Some(name) = name else {
                let client = credentials.client_id.as_str();
                tracing::info!(client, "access.user_name gives it no user name");
                return Err(ReasonCode::NotAuthorized);
            };
            rights.user_name = Some(name);
            rights.is_name_unproved = false;
        }
        let facts = Facts { credentials, rights: Some(&*rights) };
        let made = self.attributes.iter();
        let made = made.filter_map(|(name, it)| Some((name.clone(), it.text(&facts)?)));
        let found = rights.attributes.iter();
        let found = found.map(|(name, value)| (name.to_owned(), value.to_owned()));
        rights.attributes = Attributes::new(made.chain(found).collect::<Vec<_>>());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
