//! Axes.

use super::scale::Scale;
use super::svg::{Anchor, Svg, X, text_width};
use crate::format;

/// What is drawn in: from `top` to `bottom`, and as wide as there is room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    /// The least width, in pixels: at it the values of an axis do not touch.
    pub(crate) least: f64,
}

/// A count, thousands as k.
pub(crate) fn count(value: f64) -> String {
    let trimmed = |value: f64| format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned();
    match value {
        1e6.. => format!("{}M", trimmed(value / 1e6)),
        1e3.. => format!("{}k", trimmed(value / 1e3)),
        _ => format::count(value),
    }
}

/// Vertical lines with their values below.
pub(crate) fn horizontal(
    svg: &mut Svg,
    plot: Plot,
    scale: &Scale,
    written: impl Fn(f64) -> String,
    title: &str,
) {
    let mut free = f64::NEG_INFINITY;
    for tick in &scale.ticks {
        let share = scale.place(*tick);
        svg.line((X::Share(share), plot.top), (X::Share(share), plot.bottom), "grid");
        let text = written(*tick);
        let (middle, width) = (share * plot.least, text_width(&text));
        // Values at an end of the axis stay within it.
        let (anchor, left) = if middle < width / 2.0 {
            (Anchor::Start, middle)
        } else if middle > plot.least - width / 2.0 {
            (Anchor::End, middle - width)
        } else {
            (Anchor::Middle, middle - width / 2.0)
        };
        // A mark whose value does not fit beside the one before goes without.
        if left > free {
            svg.text((X::Share(share), plot.bottom + 15.0), anchor, "t small", &text);
            free = left + width + 6.0;
        }
    }
    if !title.is_empty() {
        svg.text((X::Share(0.5), plot.bottom + 32.0), Anchor::Middle, "t muted", title);
    }
}

/// Horizontal lines with their values to the left.
pub(crate) fn vertical(svg: &mut Svg, plot: Plot, scale: &Scale, written: impl Fn(f64) -> String) {
    debug_assert!(plot.top < plot.bottom, "a plot has a height");
    for tick in &scale.ticks {
        let y = scale.place(*tick);
        svg.line((X::Share(0.0), y), (X::Share(1.0), y), "grid");
        svg.text((X::Pixels(-6.0), y + 4.0), Anchor::End, "t small", &written(*tick));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_an_axis_do_not_touch() {
        let plot = Plot { top: 0.0, bottom: 100.0, least: 200.0 };
        for high in [2e12, 4e12, 9e12, 4e13, 1e16] {
            let mut svg = Svg::default();
            let scale = Scale::logarithmic((1e12, high), (0.0, 1.0));
            horizontal(&mut svg, plot, &scale, format::tick, "");
            let written: Vec<(f64, f64)> = svg.body().split("<text").skip(1).map(extent).collect();
            assert!(written.len() > 2, "{}", svg.body());
            assert!(written.is_sorted_by(|(_, right), (left, _)| right < left), "{written:?}");
            assert!(written.iter().all(|(left, right)| *left >= 0.0 && *right <= 200.0), "{written:?}");
        }
    }

    /// Where a text begins and ends, in pixels of the least width.
    fn extent(text: &str) -> (f64, f64) {
        let (tag, after) = text.split_once('>').expect("tags end");
        let share: f64 = tag
            .split_once(" x=\"")
            .and_then(|(_, x)| x.split_once("%\""))
            .and_then(|(x, _)| x.parse().ok())
            .expect("values stand at shares");
        let (x, width) = (2.0 * share, text_width(after.split('<').next().unwrap_or_default()));
        match tag {
            tag if tag.contains("middle") => (x - width / 2.0, x + width / 2.0),
            tag if tag.contains("\"end\"") => (x - width, x),
            _ => (x, x + width),
        }
    }
}
