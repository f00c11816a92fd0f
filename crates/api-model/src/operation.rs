//! What an operation is, apart from what carries it out.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::ErrorCode;

/// How it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET: changes nothing.
    Get,
    /// POST: makes something, or has something done.
    Post,
    /// PUT: puts something in the place of what was there.
    Put,
    /// DELETE: takes something away.
    Delete,
}

impl Method {
    /// As HTTP has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What a user or a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Administrator,
    /// See everything but who may, and change nothing.
    #[default]
    Viewer,
    /// Publish messages, and nothing else.
    Publisher,
}

/// Who may ask for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// Anybody, without a word of who it is.
    Nobody,
    /// Whoever has logged in, whatever the role.
    Known,
    /// Who may see.
    View,
    /// Who may publish.
    Publish,
    /// Who may change.
    Administer,
}

impl Role {
    /// Whether whoever has this role may ask for what needs that.
    pub const fn may(self, need: Need) -> bool {
        match need {
            Need::Nobody | Need::Known => true,
            Need::View => matches!(self, Self::Administrator | Self::Viewer),
            Need::Publish => matches!(self, Self::Administrator | Self::Publisher),
            Need::Administer => matches!(self, Self::Administrator),
        }
    }

    /// All of them.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Viewer, Self::Publisher];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Viewer => "viewer",
            Self::Publisher => "publisher",
        }
    }
}

/// An operation: what stands in its path (`P`), in its query (`Q`) and in its body (`B`), and what it answers (`A`).
/// Where there is nothing it is `()`.
pub struct Operation<P, Q, B, A> {
    outline: Outline,
    parts: PhantomData<fn(P, Q, B) -> A>,
}

/// What is said of an operation without its types.
#[derive(Debug, Clone, Copy)]
pub struct Outline {
    /// Its name, unique.
    pub id: &'static str,
    /// How it is asked for.
    pub method: Method,
    /// Its path below [`crate::ROOT`]; `{name}` for what differs.
    pub path: &'static str,
    /// Who may ask for it.
    pub need: Need,
    /// The group in which it is shown.
    pub tag: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The status of success.
    pub status: u16,
    /// The kind of its answer.
    pub gives: &'static str,
    /// What can go wrong with it, beside what can with all.
    pub errors: &'static [ErrorCode],
    /// Bytes of its body at most.
    pub body_max: usize,
}

/// Bytes of a body, where nothing else is said.
const BODY_MAX: usize = 64 * 1024;

impl<P, Q, B, A> Operation<P, Q, B, A> {
    const fn new(id: &'static str, method: Method, path: &'static str, status: u16) -> Self {
        let outline = Outline {
            id,
            method,
            path,
            need: Need::Administer,
            tag: "",
            summary: "",
            status,
            gives: "application/json",
            errors: &[],
            body_max: BODY_MAX,
        };
        Self { outline, parts: PhantomData }
    }

    pub(crate) const fn get(id: &'static str, path: &'static str) -> Self {
        let mut operation = Self::new(id, Method::Get, path, 200);
        operation.outline.need = Need::View;
        operation
    }

    pub(crate) const fn post(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Post, path, 200)
    }

    pub(crate) const fn put(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Put, path, 200)
    }

    /// Answers 204 with nothing.
    pub(crate) const fn delete(id: &'static str, path: &'static str) -> Self {
        Self::new(id, Method::Delete, path, 204)
    }

    pub(crate) const fn says(mut self, tag: &'static str, summary: &'static str) -> Self {
        self.outline.tag = tag;
        self.outline.summary = summary;
        self
    }

    pub(crate) const fn needs(mut self, need: Need) -> Self {
        self.outline.need = need;
        self
    }

    pub(crate) const fn answers(mut self, status: u16) -> Self {
        self.outline.status = status;
        self
    }

    pub(crate) const fn gives(mut self, kind: &'static str) -> Self {
        self.outline.gives = kind;
        self
    }

    pub(crate) const fn takes(mut self, body_max: usize) -> Self {
        self.outline.body_max = body_max;
        self
    }

    pub(crate) const fn fails(mut self, errors: &'static [ErrorCode]) -> Self {
        self.outline.errors = errors;
        self
    }

    /// What is said of it.
    pub const fn outline(&self) -> &Outline {
        &self.outline
    }
}

impl<P, Q, B, A> std::fmt::Debug for Operation<P, Q, B, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.outline.fmt(f)
    }
}

/// The shapes of what an operation takes and gives.
#[derive(Debug)]
pub struct Shapes {
    /// What stands in the path.
    pub path: Schema,
    /// What may stand in the query.
    pub query: Schema,
    /// The body.
    pub body: Schema,
    /// The answer.
    pub answer: Schema,
}

/// An operation whose types are not asked for.
pub trait Described: Sync {
    /// What is said of it.
    fn outline(&self) -> &Outline;
    /// The shapes of what it takes and gives.
    fn shapes(&self, generator: &mut SchemaGenerator) -> Shapes;
}

impl<P: JsonSchema, Q: JsonSchema, B: JsonSchema, A: JsonSchema> Described
    for Operation<P, Q, B, A>
{
    fn outline(&self) -> &Outline {
        &self.outline
    }

    fn shapes(&self, generator: &mut SchemaGenerator) -> Shapes {
        Shapes {
            // Parameters are told one by one.
            path: P::json_schema(generator),
            query: Q::json_schema(generator),
            body: generator.subschema_for::<B>(),
            answer: generator.subschema_for::<A>(),
        }
    }
}
