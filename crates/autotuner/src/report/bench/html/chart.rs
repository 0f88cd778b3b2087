//! Charts as inline SVG: lines over two linear axes. Data in, markup out; what the data mean is
//! the caller's.

use std::fmt::Write as _;

use super::scale::{Axis, Scale};
use super::text::escape;

/// Size in the chart's own units; the page scales it.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 236.0;
/// Room for the axes' labels.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;

/// How many colours the style sheet has for series.
const COLOURS: usize = 8;

/// One line.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    /// For the legend.
    pub(super) name: String,
    /// Which of the colours.
    pub(super) colour: usize,
    /// Whether it is broken, for the second of a pair.
    pub(super) is_dashed: bool,
    /// Whether the room below it is filled.
    pub(super) is_filled: bool,
    /// Its points, from left to right as they are to be joined.
    pub(super) points: Vec<(f64, f64)>,
    /// A text at each point, which is marked then; one without letters is not written.
    pub(super) labels: Vec<String>,
}

/// A chart.
#[derive(Debug)]
pub(super) struct Chart {
    /// What it shows, for whoever cannot see it.
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
    /// A moment worth a line across, with its word.
    pub(super) mark: Option<(f64, &'static str)>,
}

/// How a series is coloured: the next round of colours is broken differently.
pub(super) fn colour(number: usize) -> String {
    format!("var(--s{})", number % COLOURS)
}

fn dashes(series: &Series) -> &'static str {
    match (series.is_dashed, series.colour / COLOURS % 2) {
        (true, _) => " stroke-dasharray=\"5 4\"",
        (false, 1) => " stroke-dasharray=\"2 3\"",
        _ => "",
    }
}

impl Chart {
    /// The chart, without its legend.
    pub(super) fn svg(&self) -> String {
        let (across, up) = (
            Scale::of(
                &self.x,
                self.series.iter().flat_map(|s| s.points.iter().map(|p| p.0)),
                LEFT,
                WIDTH - RIGHT,
            ),
            Scale::of(
                &self.y,
                self.series.iter().flat_map(|s| s.points.iter().map(|p| p.1)),
                HEIGHT - BOTTOM,
                TOP,
            ),
        );
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escape(&self.title)
        );
        self.draw_axes(&across, &up, &mut svg);
        if let Some((at, word)) = self.mark.filter(|(at, _)| across.has(*at)) {
            let x = across.place(at);
            let _ = write!(
                svg,
                "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/>\
                 <text class=\"point\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{word}</text>",
                HEIGHT - BOTTOM,
                x - 4.0,
                TOP + 9.0
            );
        }
        for series in &self.series {
            draw_line(series, &across, &up, &mut svg);
        }
        // Above all lines, so that none strikes a text through.
        let mut taken = Vec::new();
        for series in &self.series {
            draw_points(series, &across, &up, &mut taken, &mut svg);
        }
        svg + "</svg>"
    }

    /// What each line is; nothing where none has a name.
    pub(super) fn legend(&self) -> String {
        let named = || self.series.iter().filter(|series| !series.name.is_empty());
        if named().next().is_none() {
            return String::new();
        }
        let mut list = String::from("<ul class=\"legend\">");
        for series in named() {
            let _ = write!(
                list,
                "<li><svg viewBox=\"0 0 18 8\" aria-hidden=\"true\"><path d=\"M0 4H18\" stroke=\"{}\" stroke-width=\"2\"{}/></svg>{}</li>",
                colour(series.colour),
                dashes(series),
                escape(&series.name)
            );
        }
        list + "</ul>"
    }

    fn draw_axes(&self, across: &Scale, up: &Scale, svg: &mut String) {
        let floor = HEIGHT - BOTTOM;
        for tick in up.ticks() {
            let y = up.place(tick);
            let _ = write!(
                svg,
                "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                up.told(tick)
            );
        }
        for tick in across.ticks() {
            let x = across.place(tick);
            let _ = write!(
                svg,
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{floor}\" y2=\"{:.1}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                floor + 4.0,
                floor + 16.0,
                across.told(tick)
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}{}</text>\
             <text transform=\"translate(11 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}{}</text>",
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 4.0,
            self.x.label,
            across.unit_word(),
            (TOP + floor) / 2.0,
            self.y.label,
            up.unit_word(),
        );
    }
}

fn draw_line(series: &Series, across: &Scale, up: &Scale, svg: &mut String) {
    let inside = series.points.iter().filter(|(x, y)| across.has(*x) && up.has(*y));
    let mut path = String::new();
    let (mut first, mut last) = (None, 0.0);
    for (x, y) in inside {
        let (x, y) = (across.place(*x), up.place(*y));
        let _ = write!(path, "{}{x:.1} {y:.1}", if first.is_none() { "M" } else { "L" });
        first.get_or_insert(x);
        last = x;
    }
    let Some(first) = first else { return };
    let stroke = colour(series.colour);
    if series.is_filled {
        let floor = HEIGHT - BOTTOM;
        let _ = write!(
            svg,
            "<path d=\"{path}L{last:.1} {floor}L{first:.1} {floor}Z\" style=\"fill:{stroke};fill-opacity:.13;stroke:none\"/>"
        );
    }
    let _ = write!(svg, "<path d=\"{path}\" stroke=\"{stroke}\"{}/>", dashes(series));
}

/// A text is left out where another already is.
fn draw_points(series: &Series, across: &Scale, up: &Scale, taken: &mut Vec<(f64, f64)>, svg: &mut String) {
    for ((x, y), label) in series.points.iter().zip(&series.labels) {
        if !across.has(*x) || !up.has(*y) {
            continue;
        }
        let (told_x, told_y) = (across.told_alone(*x), up.told_alone(*y));
        let (x, y) = (across.place(*x), up.place(*y));
        let _ = write!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\" fill=\"{}\" stroke=\"var(--surface)\" stroke-width=\"1.2\">\
             <title>{} {}: {told_x}, {told_y}</title></circle>",
            colour(series.colour),
            escape(&series.name),
            escape(label),
        );
        let (is_left, at) = (x > WIDTH - 80.0, (x, y));
        if taken
            .iter()
            .any(|(other_x, other_y)| (x - other_x).abs() < 26.0 && (y - other_y).abs() < 13.0)
        {
            continue;
        }
        if label.is_empty() {
            continue;
        }
        taken.push(at);
        let _ = write!(
            svg,
            "<text class=\"point\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{}\">{}</text>",
            if is_left { x - 6.0 } else { x + 6.0 },
            y - 5.0,
            if is_left { "end" } else { "start" },
            escape(label)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::scale::{Unit, tests::axis};
    use super::*;

    #[test]
    fn charts_without_sense_are_drawn_all_the_same() {
        let chart = |points: Vec<(f64, f64)>| Chart {
            title: "<a \"title\">".into(),
            x: axis(Unit::Time),
            y: Axis {
                from: None,
                ..axis(Unit::Number)
            },
            series: vec![Series {
                labels: vec!["<8>".into(); points.len()],
                points,
                ..Series::default()
            }],
            mark: Some((f64::NAN, "end")),
        };
        for points in [
            vec![],
            vec![(0.0, 0.0)],
            vec![(f64::NAN, f64::INFINITY), (1.0, 1.0), (1.0, 1.0)],
            vec![(1e-12, 1e12), (3e9, -4.0)],
        ] {
            let svg = chart(points).svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(
                !svg.contains("<8>") && svg.contains("&lt;a &quot;title&quot;&gt;"),
                "{svg}"
            );
        }
    }
}
