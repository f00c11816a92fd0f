//! Ratios as bars on a logarithmic axis: what each broker costs beside Plexus, which is the line at 1.

use std::fmt::Write as _;

use super::spread::Spread;

/// Everything in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Plot {
    /// What its colours stand for.
    pub(super) brokers: Vec<String>,
    pub(super) groups: Vec<Group>,
}

/// The bars of one figure.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) label: String,
    pub(super) bars: Vec<Bar>,
}

/// One broker beside Plexus.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    /// Which of the plot's brokers.
    pub(super) broker: usize,
    pub(super) spread: Spread,
    /// From where on Plexus is as good as it wants to be.
    pub(super) target: Option<f64>,
}

/// Sizes, in pixels.
const WIDTH: f64 = 940.0;
/// Where the axis begins and ends: to its left stand the labels, to its right the last number.
const LEFT: f64 = 350.0;
const RIGHT: f64 = 870.0;
/// Above the axis: title, explanation, colours.
const TOP: f64 = 96.0;
const BAR: f64 = 10.0;
const BAR_GAP: f64 = 3.0;
const GROUP_GAP: f64 = 12.0;
/// Below the axis: its numbers.
const BOTTOM: f64 = 34.0;
/// A letter, about.
const LETTER: f64 = 7.0;
/// Letters that a label may have, so that it begins within the picture.
#[cfg(test)]
pub(super) const LABEL_MAX: usize = 48;

/// A ground of its own makes it readable on whatever page it is shown.
const STYLE: &str = "\
<style>
text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.faint { fill: #57606a }
.small { font-size: 11px }
.ground { fill: #ffffff; stroke: #d0d7de }
.grid { stroke: #d8dee4 }
.one { stroke: #24292f; stroke-width: 1.5 }
.whisker { stroke: #24292f; stroke-width: 1.2; fill: none }
.target { stroke: #cf222e; stroke-width: 2 }
.b0 { fill: #4c8ed9 } .b1 { fill: #e09b3d } .b2 { fill: #55a868 } .b3 { fill: #a07cc5 } .b4 { fill: #8c8c8c }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .faint { fill: #9198a1 }
  .ground { fill: #0d1117; stroke: #3d444d }
  .grid { stroke: #2a313c }
  .one, .whisker { stroke: #e6edf3 }
  .target { stroke: #ff7b72 }
}
</style>
";
/// How many colours the style has.
const COLOURS: usize = 5;

/// From a ratio to a place on the axis.
#[derive(Clone, Copy, Debug)]
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// Over all that is shown, from one round number to another, with 1 in it.
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (1.0_f64, 1.0_f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            low = low.min(value);
            high = high.max(value);
        }
        let steps =
            || (-4..=6).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)));
        // Room for the number behind the longest bar.
        let low = steps().rfind(|step| *step <= low * 0.95);
        let high = steps().find(|step| *step >= high * 1.2);
        Self { low: low.unwrap_or(1e-4), high: high.unwrap_or(5e6) }
    }

    fn at(self, ratio: f64) -> f64 {
        let ratio = ratio.clamp(self.low, self.high);
        LEFT + (RIGHT - LEFT) * (ratio / self.low).ln() / (self.high / self.low).ln()
    }

    /// Round numbers that have room beside each other.
    fn ticks(self) -> Vec<f64> {
        let wide = self.high / self.low > 2_000.0;
        let steps: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all =
            (-4..=6).flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        all.filter(|tick| *tick > self.low * 0.999 && *tick < self.high * 1.001).collect()
    }
}

impl Plot {
    /// The picture.
    pub(super) fn svg(&self) -> String {
        let bars = || self.groups.iter().flat_map(|group| &group.bars);
        let values =
            bars().flat_map(|bar| [bar.spread.min, bar.spread.max, bar.target.unwrap_or(1.0)]);
        let axis = Axis::over(values);
        let end = TOP + self.groups.iter().map(height).sum::<f64>();
        let all = end + BOTTOM;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{all}\" \
             viewBox=\"0 0 {WIDTH} {all}\" role=\"img\">\n\
             <title>What other brokers cost beside Plexus</title>\n{STYLE}\
             <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n",
            WIDTH - 1.0,
            all - 1.0,
        );
        self.head(&mut out);
        grid(&mut out, axis, end);
        let mut top = TOP;
        for group in &self.groups {
            self.group(&mut out, axis, group, top);
            top += height(group);
        }
        let one = axis.at(1.0);
        element(
            &mut out,
            format_args!(
                "<line class=\"one\" x1=\"{one:.1}\" x2=\"{one:.1}\" y1=\"{TOP}\" y2=\"{end}\"/>"
            ),
        );
        out + "</svg>\n"
    }

    fn head(&self, out: &mut String) {
        text(out, "class=\"title\"", (20.0, 28.0), "What other brokers cost beside Plexus");
        let words = "Processor time for each message, or memory for each connection and filter; \
                     Plexus is the line at 1, further to the right is dearer.";
        text(out, "class=\"faint\"", (20.0, 48.0), words);
        let mut left = 20.0;
        for (at, broker) in self.brokers.iter().enumerate() {
            let colour = at % COLOURS;
            element(
                out,
                format_args!(
                    "<rect class=\"b{colour}\" x=\"{left}\" y=\"61\" width=\"12\" height=\"12\" rx=\"2\"/>"
                ),
            );
            text(out, "", (left + 18.0, 71.0), broker);
            left += 18.0 + LETTER * broker.len() as f64 + 22.0;
        }
        if self.groups.iter().flat_map(|group| &group.bars).any(|bar| bar.target.is_some()) {
            let at = left + 6.0;
            element(
                out,
                format_args!(
                    "<line class=\"target\" x1=\"{at}\" x2=\"{at}\" y1=\"60\" y2=\"74\"/>"
                ),
            );
            text(out, "", (left + 18.0, 71.0), "where the project wants it, at least");
        }
    }

    fn group(&self, out: &mut String, axis: Axis, group: &Group, top: f64) {
        let middle = top + (height(group) - GROUP_GAP) / 2.0;
        text(out, "text-anchor=\"end\"", (LEFT - 10.0, middle + 4.0), &group.label);
        for (place, bar) in group.bars.iter().enumerate() {
            let top = top + place as f64 * (BAR + BAR_GAP);
            let name = self.brokers.get(bar.broker).map_or("", String::as_str);
            self::bar(out, axis, (&group.label, name), bar, top);
        }
    }
}

fn height(group: &Group) -> f64 {
    group.bars.len() as f64 * (BAR + BAR_GAP) - BAR_GAP + GROUP_GAP
}

fn bar(out: &mut String, axis: Axis, (label, broker): (&str, &str), bar: &Bar, top: f64) {
    let Spread { median, min, max } = bar.spread;
    let (one, end) = (axis.at(1.0), axis.at(median));
    let (left, width, colour) = (one.min(end), (one - end).abs(), bar.broker % COLOURS);
    let (from, to, middle, bottom) = (axis.at(min), axis.at(max), top + BAR / 2.0, top + BAR);
    element(
        out,
        format_args!(
            "<rect class=\"b{colour}\" x=\"{left:.1}\" y=\"{top}\" width=\"{width:.1}\" \
             height=\"{BAR}\"><title>{}, {broker}: {} ({}–{})</title></rect>",
            escaped(label),
            times(median),
            times(min),
            times(max),
        ),
    );
    let (high, low) = (top + 2.0, bottom - 2.0);
    element(
        out,
        format_args!(
            "<path class=\"whisker\" d=\"M{from:.1} {middle}H{to:.1}M{from:.1} {high}V{low}\
             M{to:.1} {high}V{low}\"/>"
        ),
    );
    if let Some(target) = bar.target {
        let at = axis.at(target);
        let (high, low) = (top - 2.0, bottom + 2.0);
        element(
            out,
            format_args!(
                "<line class=\"target\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{high}\" y2=\"{low}\"/>"
            ),
        );
    }
    // Behind all that belongs to the bar, so that nothing is written over.
    let behind = [to, end, one, axis.at(bar.target.unwrap_or(min))];
    let behind = behind.into_iter().fold(0.0, f64::max) + 6.0;
    text(out, "class=\"small\"", (behind, bottom - 1.0), &times(median));
}

fn grid(out: &mut String, axis: Axis, end: f64) {
    for tick in axis.ticks() {
        let at = axis.at(tick);
        let from = TOP - 8.0;
        element(
            out,
            format_args!(
                "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{from}\" y2=\"{end}\"/>"
            ),
        );
        text(out, "class=\"faint\" text-anchor=\"middle\"", (at, end + 18.0), &format!("{tick} ×"));
    }
}

/// A ratio with the digits that mean something.
fn times(ratio: f64) -> String {
    let decimals = if ratio < 1.0 { 2 } else { usize::from(ratio < 20.0) };
    format!("{ratio:.decimals$} ×")
}

fn text(out: &mut String, attributes: &str, (x, y): (f64, f64), words: &str) {
    let words = escaped(words);
    element(out, format_args!("<text {attributes} x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"));
}

fn element(out: &mut String, element: std::fmt::Arguments<'_>) {
    writeln!(out, "{element}").expect("invariant: a string takes everything");
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(broker: usize, median: f64) -> Bar {
        let spread = Spread { median, min: median * 0.9, max: median * 1.1 };
        Bar { broker, spread, target: Some(2.0) }
    }

    #[test]
    fn every_shape_and_every_broker_is_in_the_picture() {
        let group = |label: &str, bars| Group { label: label.to_owned(), bars };
        let plot = Plot {
            brokers: vec!["mosquitto".to_owned(), "other".to_owned()],
            groups: vec![
                group("50 → 1, QoS 0", vec![bar(0, 9.81), bar(1, 0.5)]),
                group("a < b & c", vec![bar(1, 31.0)]),
            ],
        };
        let svg = plot.svg();
        for words in [
            ">50 → 1, QoS 0</text>",
            ">a &lt; b &amp; c</text>",
            ">mosquitto</text>",
            ">other</text>",
            ">9.8 ×</text>",
            ">0.50 ×</text>",
            ">31 ×</text>",
            ">1 ×</text>",
        ] {
            assert!(svg.contains(words), "{words}\n{svg}");
        }
        assert_eq!(svg.matches("class=\"whisker\"").count(), 3);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let empty = Plot::default().svg();
        assert!(empty.ends_with("</svg>\n") && !empty.contains("NaN"), "{empty}");
    }

    #[test]
    fn the_axis_is_logarithmic_and_ends_at_round_numbers() {
        let axis = Axis::over([0.3, 40.0].into_iter());
        assert!((axis.low - 0.2).abs() < 1e-9 && (axis.high - 50.0).abs() < 1e-9, "{axis:?}");
        let step = |from: f64| axis.at(from * 2.0) - axis.at(from);
        assert!((step(0.5) - step(10.0)).abs() < 1e-9);
        assert!((axis.at(0.2) - LEFT).abs() < 1e-9 && (axis.at(1e9) - RIGHT).abs() < 1e-9);
        assert_eq!(axis.ticks().len(), 8, "{:?}", axis.ticks());
    }
}
