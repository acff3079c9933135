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
        let x = x.clamp(half, (svg.width - half).max(half));
        // A mark whose value does not fit beside the one before goes without.
        if x - half > free {
            svg.text((x, frame.bottom + 15.0), Anchor::Middle, "t small", &text);
            free = x + half + 6.0;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The left ends and the texts of a drawing.
    fn texts(svg: &Svg) -> Vec<(f64, f64, String)> {
        let value = |text: &str, name: &str| -> f64 {
            let after = text.split_once(&format!("{name}=\"")).expect("every text has a place").1;
            after.split('"').next().and_then(|value| value.parse().ok()).expect("places are numbers")
        };
        let of = |text: &str| {
            let (tag, after) = text.split_once('>').expect("tags end");
            (value(tag, " x"), value(tag, " y"), after.split('<').next().unwrap_or_default().to_owned())
        };
        svg.body().split("<text").skip(1).map(of).collect()
    }

    #[test]
    fn a_legend_stays_inside_its_width_and_its_keys_apart() {
        const KEYS: [Key<'static>; 4] = [
            Key::Line("told curve", "longer run on its way (truncated)"),
            Key::Line("told curve dashed", "run of its own (own schedule)"),
            Key::Mark("told mark", "told apart"),
            Key::Box("blind", "a key whose text is so long that it takes up the whole width of a telephone"),
        ];
        for width in [200.0, 343.0, 480.0, 880.0] {
            let mut svg = Svg::new(width);
            let height = legend(&mut svg, (0.0, 2.0), width, &KEYS);
            let texts = texts(&svg);
            assert_eq!(texts.len(), KEYS.len());
            for (x, y, text) in &texts {
                assert!(x + text_width(text) <= width && *y < height, "{text} at {x}, {y} of {width}");
            }
            for pair in texts.windows(2) {
                let [(x, y, text), (next, below, _)] = pair else { continue };
                // The mark of the next key stands 23 pixels before its text.
                assert!(below > y || next - 23.0 >= x + text_width(text) + 10.0, "{text} at {width}");
            }
        }
    }

    #[test]
    fn marks_of_an_axis_do_not_touch() {
        let frame = Frame { left: 40.0, top: 0.0, right: 240.0, bottom: 100.0 };
        for high in [2e12, 4e12, 9e12, 4e13, 1e16] {
            let mut svg = Svg::new(260.0);
            let scale = Scale::logarithmic((1e12, high), (frame.left, frame.right));
            horizontal(&mut svg, frame, &scale, Marks::PowerOfTen, "");
            let texts = texts(&svg);
            assert!(texts.len() > 2, "{texts:?}");
            for pair in texts.windows(2) {
                let [(x, _, text), (next, _, after)] = pair else { continue };
                assert!(next - x > f64::midpoint(text_width(text), text_width(after)), "{text} and {after}");
            }
        }
    }
}
