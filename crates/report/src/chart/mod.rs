//! Charts, each drawn twice: for a wide screen and for a phone.

mod axis;
mod compute;
mod diagnostics;
mod dots;
mod line;
mod palette;
mod scale;
mod scores;
mod svg;

use svg::{Frame, Svg};

use crate::Results;
use crate::html::escape;

pub(crate) use diagnostics::{binned, names, title_of};
pub(crate) use palette::{Style, styles};

/// Colours and strokes, light and dark.
pub(crate) const STYLE: &str = include_str!("chart.css");

/// A chart in its two forms.
pub(crate) struct Chart {
    /// Its file's name without the ending.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    /// What it shows, for who cannot see it.
    pub(crate) description: String,
    wide: Svg,
    narrow: Svg,
}

/// How a chart is to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Wide,
    Narrow,
}

impl Form {
    fn width(self) -> f64 {
        match self {
            Self::Wide => 880.0,
            Self::Narrow => 343.0,
        }
    }

    /// One or the other.
    fn pick<T>(self, wide: T, narrow: T) -> T {
        match self {
            Self::Wide => wide,
            Self::Narrow => narrow,
        }
    }
}

impl Chart {
    fn new(id: &'static str, title: &str, description: String, draw: impl Fn(Form) -> Svg) -> Self {
        Self { id, title: title.into(), description, wide: draw(Form::Wide), narrow: draw(Form::Narrow) }
    }

    /// Both forms for a page that has [`STYLE`] and shows one of them.
    pub(crate) fn inline(&self) -> String {
        let form = |svg: &Svg, form: &str| {
            let (id, title, description) = (self.id, escape(&self.title), escape(&self.description));
            let (width, height) = (svg.width, svg.height.ceil());
            let body = svg.body();
            format!(
                "<svg class=\"chart {form}\" role=\"img\" aria-labelledby=\"{id}-{form}-t {id}-{form}-d\" \
                 viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\
                 <title id=\"{id}-{form}-t\">{title}</title><desc id=\"{id}-{form}-d\">{description}</desc>{body}</svg>"
            )
        };
        format!("{}\n{}", form(&self.wide, "wide"), form(&self.narrow, "narrow"))
    }

    /// The wide form as a file of its own.
    pub(crate) fn standalone(&self) -> String {
        let (title, description, body) = (escape(&self.title), escape(&self.description), self.wide.body());
        let (width, height) = (self.wide.width + 32.0, self.wide.height.ceil() + 60.0);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" aria-labelledby=\"t d\" \
             viewBox=\"-16 -44 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
             <title id=\"t\">{title}</title>\n<desc id=\"d\">{description}</desc>\n<style>\n{STYLE}</style>\n\
             <rect class=\"page\" x=\"-16\" y=\"-44\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"t title\" x=\"0\" y=\"-18\">{title}</text>\n{body}\n</svg>\n"
        )
    }
}

/// The charts that there is something for.
pub(crate) struct Charts {
    pub(crate) scores: Option<Chart>,
    pub(crate) differences: Option<Chart>,
    pub(crate) compute_flops: Option<Chart>,
    pub(crate) compute_steps: Option<Chart>,
    pub(crate) tasks: Option<Chart>,
    pub(crate) diagnostics: Option<Chart>,
}

impl Charts {
    pub(crate) fn new(results: &Results) -> Self {
        Self {
            scores: scores::scores(results),
            differences: scores::differences(results),
            compute_flops: compute::chart(results, compute::By::Flops),
            compute_steps: compute::chart(results, compute::By::Steps),
            tasks: scores::tasks(results),
            diagnostics: diagnostics::chart(results),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Chart> {
        [
            &self.scores,
            &self.differences,
            &self.compute_flops,
            &self.compute_steps,
            &self.tasks,
            &self.diagnostics,
        ]
        .into_iter()
        .flatten()
    }
}

/// The places of panels in columns, from the top left.
fn panels(count: usize, columns: usize, width: f64, height: f64, gap: f64, top: f64) -> Vec<Frame> {
    let each = (width - gap * (columns as f64 - 1.0)) / columns as f64;
    let panel = |index: usize| {
        let (column, row) = ((index % columns) as f64, (index / columns) as f64);
        let (left, top) = (column * (each + gap), top + row * height);
        Frame { left, top, right: left + each, bottom: top + height }
    };
    (0..count).map(panel).collect()
}
