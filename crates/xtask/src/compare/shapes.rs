//! The page of shapes: who publishes to whom, how fast, and which figures of it are read.

use serde::Deserialize;

use super::SHAPES;
use crate::failure::{Failure, Outcome};

/// The whole page.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shapes {
    /// Arguments of `plexus bench` for every shape.
    pub(super) always: Vec<String>,
    #[serde(rename = "shape")]
    pub(super) shapes: Vec<Shape>,
}

/// One load.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    pub(super) name: String,
    /// For a reader of the report.
    pub(super) text: String,
    /// Scenario and arguments of `plexus bench`.
    pub(super) bench: Vec<String>,
    /// Groups for `plexus bench mixed`: a file whose path stands for `{groups}` in the arguments.
    pub(super) groups: Option<String>,
    /// The shape once for each of these, which stands for `{n}` in its texts.
    #[serde(default)]
    pub(super) over: Vec<u32>,
    pub(super) figures: Vec<Figure>,
    /// Whether times of delivery say something: at a fixed rate they do.
    #[serde(default)]
    pub(super) latency: bool,
    /// Whether the brokers keep what they acknowledge on disk.
    #[serde(default)]
    pub(super) durable: bool,
    /// Whether it runs when no shape is named.
    #[serde(default = "yes")]
    pub(super) usual: bool,
}

/// What is read of a run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figure {
    pub(super) reads: Reads,
    /// The part of the run, where it has more than one; without it the last.
    pub(super) part: Option<String>,
    /// The ratio to Mosquitto that the project wants to reach.
    pub(super) target: Option<f64>,
}

/// Of the broker's process, for each thing that the part counts: a delivery, a connection, a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reads {
    /// Processor time, user and system.
    Cpu,
    /// What its private memory has grown by.
    Memory,
}

impl Shapes {
    /// Reads the page.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let page: Self = toml::from_str(text).map_err(Failure::doing(SHAPES))?;
        let shapes = page.shapes.into_iter().flat_map(Shape::each).collect();
        Ok(Self { shapes, ..page })
    }

    /// Only those names, or the usual ones if there are none.
    pub(super) fn chosen(mut self, names: &[String]) -> Outcome<Self> {
        let known: Vec<String> = self.shapes.iter().map(|shape| shape.name.clone()).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            let known = known.join(", ");
            return Err(Failure::new(format!("{SHAPES} has no shape `{name}`, but {known}")));
        }
        self.shapes.retain(|shape| {
            if names.is_empty() { shape.usual } else { names.contains(&shape.name) }
        });
        Ok(self)
    }
}

impl Shape {
    /// The shapes of which it speaks.
    fn each(self) -> Vec<Self> {
        if self.over.is_empty() {
            return vec![self];
        }
        let with = |n: &u32| {
            let fill = |text: &String| text.replace("{n}", &n.to_string());
            let bench = self.bench.iter().map(fill).collect();
            let (name, text, groups) =
                (fill(&self.name), fill(&self.text), self.groups.as_ref().map(fill));
            Self { name, text, bench, groups, over: Vec::new(), ..self.clone() }
        };
        self.over.iter().map(with).collect()
    }

    /// What a row is called that shows this figure.
    pub(super) fn label(&self, figure: &Figure) -> String {
        let part = figure.part.as_ref().map(|part| format!(": {part}"));
        let unusual = if figure.reads == Reads::Memory { " (memory)" } else { "" };
        format!("{}{}{unusual}", self.text, part.unwrap_or_default())
    }
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::plot::LABEL_MAX;

    const PAGE: &str = include_str!("../../../../docs/bench/shapes.toml");

    #[test]
    fn the_page_in_the_tree_is_read() {
        let page = Shapes::parse(PAGE).unwrap();
        let names: Vec<String> = page.shapes.iter().map(|shape| shape.name.clone()).collect();
        let durable = |shapes: &Shapes| shapes.shapes.iter().any(|shape| shape.durable);
        let usual = page.clone().chosen(&[]).unwrap();
        assert!(durable(&page) && !durable(&usual), "what syncs to disk is asked for by name");
        let mut apart = names.clone();
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), names.len(), "a name is there twice: {names:?}");
        for shape in &page.shapes {
            assert!(!shape.figures.is_empty(), "{} shows nothing", shape.name);
            assert!(!shape.text.contains('|'), "{} breaks its table", shape.name);
            for figure in &shape.figures {
                let letters = shape.label(figure).chars().count();
                assert!(letters <= LABEL_MAX, "{}: {letters} letters", shape.name);
            }
        }
    }

    #[test]
    fn a_shape_over_numbers_is_one_for_each() {
        let page = "always = []\n[[shape]]\nname = \"a-{n}\"\ntext = \"A {n}\"\nover = [1, 20]\n\
                    bench = [\"mixed\", \"{groups}\"]\ngroups = \"count = {n}\"\nfigures = []\n";
        let shapes = Shapes::parse(page).unwrap().shapes;
        let told: Vec<_> = shapes.iter().map(|it| (&*it.name, it.groups.as_deref())).collect();
        assert_eq!(told, [("a-1", Some("count = 1")), ("a-20", Some("count = 20"))]);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_page() {
        let page = PAGE.replacen("text =", "words =", 1);
        let words = Shapes::parse(&page).unwrap_err().to_string();
        assert!(words.starts_with("docs/bench/shapes.toml: "), "{words}");
        assert!(words.contains("unknown field `words`"), "{words}");
    }

    #[test]
    fn an_unknown_shape_is_answered_with_the_known_ones() {
        let page = "always = []\n[[shape]]\nname = \"a\"\ntext = \"A\"\nbench = []\nfigures = []\n";
        let words = Shapes::parse(page).unwrap().chosen(&["b".to_owned()]).unwrap_err();
        assert_eq!(words.to_string(), "docs/bench/shapes.toml has no shape `b`, but a");
    }

    #[test]
    fn a_row_names_its_part_and_what_is_no_processor_time() {
        let page = "always = []\n[[shape]]\nname = \"a\"\ntext = \"A\"\nbench = []\n\
                    figures = [{ reads = \"cpu\" }, { reads = \"memory\", part = \"store\" }]\n";
        let shape = Shapes::parse(page).unwrap().shapes.remove(0);
        let labels: Vec<String> = shape.figures.iter().map(|it| shape.label(it)).collect();
        assert_eq!(labels, ["A", "A: store (memory)"]);
    }
}
