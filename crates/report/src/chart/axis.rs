//! Axes and legends.

use super::palette::Style;
use super::scale::Scale;
use super::svg::{Anchor, Frame, Shape, Svg, text_width};
use crate::format;

/// How the marks of an axis are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Marks {
    Number,
    PowerOfTen,
    /// Counts, thousands as k.
    Count,
}

fn written(value: f64, marks: Marks, scale: &Scale) -> String {
    match marks {
        Marks::Number => format::number(value, scale.decimals()),
        Marks::PowerOfTen => format::tick(value),
        Marks::Count if value >= 1e6 => format!("{}M", trimmed(value / 1e6)),
        Marks::Count if value >= 1e3 => format!("{}k", trimmed(value / 1e3)),
        Marks::Count => format::count(value),
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

/// Vertical lines with their values below.
pub(crate) fn horizontal(svg: &mut Svg, frame: Frame, scale: &Scale, marks: Marks, title: &str) {
    let mut free = f64::NEG_INFINITY;
    for tick in &scale.ticks {
        let x = scale.place(*tick);
        svg.line((x, frame.top), (x, frame.bottom), "grid");
        let text = written(*tick, marks, scale);
        let half = text_width(&text) / 2.0;
        // A mark whose value does not fit beside the one before goes without.
        if x - half > free {
            svg.text((x, frame.bottom + 15.0), Anchor::Middle, "t small", &text);
            free = x + half + 4.0;
        }
    }
    if !title.is_empty() {
        let middle = f64::midpoint(frame.left, frame.right);
        svg.text((middle, frame.bottom + 32.0), Anchor::Middle, "t muted", title);
    }
}

/// Horizontal lines with their values to the left.
pub(crate) fn vertical(svg: &mut Svg, frame: Frame, scale: &Scale, marks: Marks) {
    for tick in &scale.ticks {
        let y = scale.place(*tick);
        svg.line((frame.left, y), (frame.right, y), "grid");
        svg.text((frame.left - 6.0, y + 4.0), Anchor::End, "t small", &written(*tick, marks, scale));
    }
}

/// Something in a legend.
pub(crate) enum Key<'a> {
    /// An arm by its mark and colour.
    Arm(&'a Style<'a>),
    /// A line's class and what it means.
    Line(&'static str, &'a str),
    /// A mark's class and what it means.
    Mark(&'static str, &'a str),
    /// A box's class and what it means.
    Box(&'static str, &'a str),
}

/// Keys in rows from the top left; gives the height they take.
pub(crate) fn legend(svg: &mut Svg, (left, top): (f64, f64), width: f64, keys: &[Key<'_>]) -> f64 {
    let (mut x, mut y) = (left, top + 8.0);
    for key in keys {
        let text = match key {
            Key::Arm(style) => style.arm.facts.title.as_str(),
            Key::Line(_, text) | Key::Mark(_, text) | Key::Box(_, text) => text,
        };
        let takes = 24.0 + text_width(text).min(width - 24.0);
        if x > left && x + takes > left + width {
            x = left;
            y += 20.0;
        }
        match key {
            Key::Arm(style) => svg.mark(style.shape, (x + 8.0, y), 4.2, &style.mark(), ""),
            Key::Line(class, _) => svg.line((x, y), (x + 17.0, y), class),
            Key::Mark(class, _) => svg.mark(Shape::Circle, (x + 8.0, y), 4.2, class, ""),
            Key::Box(class, _) => {
                svg.rectangle(Frame { left: x, top: y - 5.0, right: x + 17.0, bottom: y + 5.0 }, class);
            }
        }
        svg.label((x + 23.0, y + 4.2), Anchor::Start, "t", text, width - 24.0);
        x += takes + 16.0;
    }
    if keys.is_empty() { 0.0 } else { y - top + 18.0 }
}
