//! A chart: its legend and its panels, each drawn once for every width.

use super::STYLE;
use super::svg::{Anchor, Svg, X, text_width};
use crate::escape::escape;
use crate::palette::{Shape, Style};

/// How wide a chart is as a file of its own.
const WIDTH: f64 = 880.0;
/// Between panels, across and down.
const GAP: (f64, f64) = (26.0, 14.0);
/// The height of a row of the legend.
const KEY_HEIGHT: f64 = 20.0;

/// A drawing that is as wide as its place, but for room at its sides.
pub(crate) struct Panel {
    pub(crate) svg: Svg,
    pub(crate) height: f64,
    /// Pixels to the left, for what is written there.
    pub(crate) left: f64,
    /// Pixels to the right.
    pub(crate) right: f64,
    /// Pixels to the left that its rows' labels need to stand beside them, where there is room; else they stand above.
    pub(crate) beside: Option<f64>,
}

/// Something in a legend.
pub(crate) enum Key<'a> {
    /// An arm by its mark and colour.
    Arm(&'a Style<'a>),
    /// A line with marks on it: the class of its colour, the marks' shape, whether it is dashed, and what it means.
    Curve(&'static str, Shape, bool, &'a str),
    /// A line's class and what it means.
    Line(&'static str, &'a str),
    /// A mark's class and what it means.
    Mark(&'static str, &'a str),
    /// A cross's class and what it means.
    Cross(&'static str, &'a str),
    /// A box's class and what it means.
    Box(&'static str, &'a str),
}

impl Key<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Arm(style) => &style.arm.facts.title,
            Self::Curve(.., text)
            | Self::Line(_, text)
            | Self::Mark(_, text)
            | Self::Cross(_, text)
            | Self::Box(_, text) => text,
        }
    }

    /// The key, and how wide it is.
    fn draw(&self) -> (Svg, f64) {
        let (mut svg, y) = (Svg::default(), KEY_HEIGHT / 2.0);
        match self {
            Key::Arm(style) => svg.mark(style.shape, (X::Pixels(8.0), y), 4.2, &style.mark(), ""),
            Key::Curve(colour, shape, dashed, _) => {
                let (dash, mark) = if *dashed { (" dashed", "hollow") } else { ("", "mark") };
                let class = format!("{colour} curve{dash}");
                svg.line((X::Pixels(0.0), y), (X::Pixels(17.0), y), &class);
                svg.mark(*shape, (X::Pixels(8.0), y), 4.2, &format!("{colour} {mark}"), "");
            }
            Key::Line(class, _) => svg.line((X::Pixels(0.0), y), (X::Pixels(17.0), y), class),
            Key::Mark(class, _) => svg.mark(Shape::Circle, (X::Pixels(8.0), y), 4.2, class, ""),
            Key::Cross(class, _) => svg.mark(Shape::Cross, (X::Pixels(8.0), y), 4.2, class, ""),
            Key::Box(class, _) => {
                svg.rectangle((X::Pixels(0.0), y - 5.0), (X::Pixels(17.0), y + 5.0), class);
            }
        }
        svg.label((X::Pixels(23.0), y + 4.2), Anchor::Start, "t", self.text(), 319.0);
        (svg, 24.0 + text_width(self.text()).min(319.0))
    }
}

/// A chart.
pub(crate) struct Chart {
    /// Its file's name without the ending.
    pub(crate) id: String,
    pub(crate) title: String,
    /// What it shows, for who cannot see it.
    pub(crate) description: String,
    keys: Vec<(Svg, f64)>,
    panels: Vec<Panel>,
    /// The least width of a panel where several can stand side by side.
    least: f64,
}

impl Chart {
    pub(crate) fn new(
        id: impl Into<String>,
        title: &str,
        description: String,
        keys: &[Key<'_>],
        panels: Vec<Panel>,
        least: f64,
    ) -> Self {
        let keys = keys.iter().map(Key::draw).collect();
        Self { id: id.into(), title: title.into(), description, keys, panels, least }
    }

    /// The chart in a page that has [`STYLE`]: legend and panels flow as the page's width allows. The page has an
    /// element `ID-t` with the title.
    pub(crate) fn inline(&self) -> String {
        let id = &self.id;
        let key = |(svg, width): &(Svg, f64)| {
            let (width, body) = (width.ceil(), svg.body());
            format!("<svg width=\"{width}\" height=\"{KEY_HEIGHT}\">{body}</svg>")
        };
        let panel = |panel: &Panel| {
            let (height, right, body) = (panel.height.ceil(), panel.right, panel.svg.body());
            let (class, left) = match panel.beside {
                Some(beside) => (" class=\"rows\"", format!("--beside:{beside:.0}px")),
                None => ("", format!("--left:{:.0}px", panel.left)),
            };
            format!("<svg{class} style=\"{left};--right:{right}px\" height=\"{height}\">{body}</svg>")
        };
        let keys: String = self.keys.iter().map(key).collect();
        let panels: Vec<String> = self.panels.iter().map(panel).collect();
        format!(
            "<div class=\"chart\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><p id=\"{id}-d\" hidden=\"\">{}</p>\n\
             <div class=\"keys\">{keys}</div>\n<div class=\"panels\" style=\"--least:{}px\">\n{}\n</div></div>",
            escape(&self.description),
            self.least,
            panels.join("\n"),
        )
    }

    /// The chart as a file of its own.
    pub(crate) fn standalone(&self) -> String {
        let mut body = String::new();
        let (mut x, mut y) = (0.0, 0.0);
        for (key, width) in &self.keys {
            if x > 0.0 && x + width > WIDTH {
                (x, y) = (0.0, y + KEY_HEIGHT);
            }
            body.push_str(&format!("<svg x=\"{x:.0}\" y=\"{y}\">{}</svg>\n", key.body()));
            x += width + 16.0;
        }
        let mut top = if self.keys.is_empty() { 0.0 } else { y + KEY_HEIGHT + 6.0 };
        let columns = match self.panels.len() {
            1 => 1,
            2 | 4 => 2,
            _ => 3,
        };
        let width = (WIDTH - GAP.0 * (columns as f64 - 1.0)) / columns as f64;
        for row in self.panels.chunks(columns) {
            for (column, panel) in row.iter().enumerate() {
                let (class, left) =
                    panel.beside.map_or(("", panel.left), |beside| (" class=\"beside\"", beside));
                let inner = width - left - panel.right;
                let left = column as f64 * (width + GAP.0) + left;
                body.push_str(&format!(
                    "<svg{class} x=\"{left:.1}\" y=\"{top}\" width=\"{inner:.1}\" height=\"{}\">{}</svg>\n",
                    panel.height.ceil(),
                    panel.svg.body()
                ));
            }
            top += row.iter().map(|panel| panel.height.ceil()).fold(0.0, f64::max) + GAP.1;
        }
        let (title, description) = (escape(&self.title), escape(&self.description));
        let (width, height) = (WIDTH + 32.0, top - GAP.1 + 60.0);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" aria-labelledby=\"t d\" \
             viewBox=\"-16 -44 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
             <title id=\"t\">{title}</title>\n<desc id=\"d\">{description}</desc>\n<style>\n{STYLE}</style>\n\
             <rect class=\"page\" x=\"-16\" y=\"-44\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"t title\" x=\"0\" y=\"-18\">{title}</text>\n{body}</svg>\n"
        )
    }
}
