//! A small writer of SVG whose widths are not fixed: places across are shares of whatever width there is, places down
//! are pixels. Colours are classes: `chart.css` gives them their values, light and dark.

use std::fmt::{Display, Formatter, Write};

use crate::escape::escape;
use crate::palette::Shape;

/// A place across.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum X {
    /// A share of the width.
    Share(f64),
    /// Pixels from the left.
    Pixels(f64),
}

impl Display for X {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{}%", short(100.0 * share, 2)),
            Self::Pixels(pixels) => write!(f, "{}", short(*pixels, 1)),
        }
    }
}

/// A place across and down.
pub(crate) type Place = (X, f64);

/// A drawing under way.
#[derive(Default)]
pub(crate) struct Svg(String);

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.0.write_fmt(element);
    }

    pub(crate) fn line(&mut self, (x1, y1): Place, (x2, y2): Place, class: &str) {
        let (y1, y2) = (short(y1, 1), short(y2, 1));
        self.push(format_args!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    /// A rectangle of a width that is measured as its place is.
    pub(crate) fn rectangle(&mut self, (x, top): Place, (width, bottom): Place, class: &str) {
        let (y, height) = (short(top, 1), short(bottom - top, 1));
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    pub(crate) fn text(&mut self, (x, y): Place, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (y, text) = (short(y, 1), escape(text));
        self.push(format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>"));
    }

    /// A text that ends so many pixels beyond the right end.
    pub(crate) fn beyond(&mut self, right: f64, y: f64, class: &str, text: &str) {
        let (y, text) = (short(y, 1), escape(text));
        self.push(format_args!(
            "<text class=\"{class}\" x=\"100%\" dx=\"{right}\" y=\"{y}\" text-anchor=\"end\">{text}</text>"
        ));
    }

    /// A text of at most a width; what is cut off is in its tooltip.
    pub(crate) fn label(&mut self, place: Place, anchor: Anchor, class: &str, text: &str, width: f64) {
        let shortened = fit(text, class, width);
        if shortened == text {
            return self.text(place, anchor, class, text);
        }
        self.push(format_args!("<g><title>{}</title>", escape(text)));
        self.text(place, anchor, class, &shortened);
        self.push(format_args!("</g>"));
    }

    /// Paths of points that are shares across and pixels down. They are stretched with the drawing, and their strokes
    /// are not.
    pub(crate) fn stretched(&mut self, height: f64, paths: &[(Vec<(f64, f64)>, String)]) {
        if paths.is_empty() {
            return;
        }
        let height = height.ceil();
        self.push(format_args!(
            "<svg width=\"100%\" height=\"{height}\" viewBox=\"0 0 1000 {height}\" preserveAspectRatio=\"none\">"
        ));
        for (points, class) in paths {
            let mut data = String::new();
            for (index, (x, y)) in points.iter().enumerate() {
                let command = if index == 0 { "M" } else { "L" };
                let _ = write!(data, "{command}{} {}", short(1000.0 * x, 1), short(*y, 1));
            }
            self.push(format_args!("<path class=\"{class}\" d=\"{data}\"/>"));
        }
        self.push(format_args!("</svg>"));
    }

    pub(crate) fn mark(&mut self, shape: Shape, (x, y): Place, radius: f64, class: &str, tooltip: &str) {
        let title =
            if tooltip.is_empty() { String::new() } else { format!("<title>{}</title>", escape(tooltip)) };
        let (r, y) = (radius, short(y, 1));
        // Areas alike: a square of the circle's radius looks smaller, a triangle smaller still.
        let corners: &[(f64, f64)] = match shape {
            Shape::Circle => {
                let r = short(r, 1);
                return self.push(format_args!(
                    "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\">{title}</circle>"
                ));
            }
            Shape::Cross => {
                let (start, side) = (short(-0.8 * r, 1), short(1.6 * r, 1));
                return self.push(format_args!(
                    "<svg x=\"{x}\" y=\"{y}\"><path class=\"{class} cross\" \
                     d=\"M{start} {start}l{side} {side}m0 -{side}l-{side} {side}\">{title}</path></svg>"
                ));
            }
            Shape::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Shape::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
            Shape::Up => &[(0.0, -1.25), (1.2, 0.9), (-1.2, 0.9)],
            Shape::Down => &[(0.0, 1.25), (1.2, -0.9), (-1.2, -0.9)],
        };
        let point = |(dx, dy): &(f64, f64)| format!("{},{}", short(r * dx, 1), short(r * dy, 1));
        let points: Vec<String> = corners.iter().map(point).collect();
        self.push(format_args!(
            "<svg x=\"{x}\" y=\"{y}\"><polygon class=\"{class}\" points=\"{}\">{title}</polygon></svg>",
            points.join(" ")
        ));
    }

    pub(crate) fn open(&mut self, class: &str) {
        self.push(format_args!("<g class=\"{class}\">"));
    }

    pub(crate) fn close(&mut self) {
        self.push(format_args!("</g>"));
    }

    /// What has been drawn.
    pub(crate) fn body(&self) -> &str {
        &self.0
    }
}

/// A number with at most so many decimals.
fn short(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" || text.is_empty() { "0".into() } else { text.into() }
}

/// About how wide a text of 12 pixels is. Which font it will be is not known here: the widths are those of `DejaVu`
/// Sans, the widest that the page's list of fonts is likely to come to, so that others have room to spare.
pub(crate) fn text_width(text: &str) -> f64 {
    let width_of = |char: char| match char {
        'i' | 'l' | 'j' | 'I' | ' ' | '.' | ',' | '\'' | '’' | '·' => 3.9,
        't' | 'f' | 'r' | '(' | ')' | '-' | '‑' | '/' | ':' | ';' | '!' | '[' | ']' | '|' => 4.9,
        's' | 'c' | 'z' | '–' | '_' => 6.6,
        'w' | 'D' | 'G' | 'H' | 'N' | 'O' | 'Q' | 'U' => 9.4,
        'M' | '+' | '−' | '=' | '<' | '>' | '~' | '#' => 10.3,
        'm' | 'W' | '%' | '@' | '…' => 11.8,
        'A'..='Z' => 8.3,
        // Ideographs and their like are as wide as they are high.
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}' => 12.0,
        _ => 7.6,
    };
    text.chars().map(width_of).sum()
}

/// The same in a class of `chart.css`, some of which are bold.
pub(crate) fn class_width(text: &str, class: &str) -> f64 {
    let bold = class.split(' ').any(|class| matches!(class, "panel" | "name" | "num"));
    text_width(text) * if bold { 1.15 } else { 1.0 }
}

/// The text, or as much of its beginning as fits, with an ellipsis.
fn fit(text: &str, class: &str, width: f64) -> String {
    if class_width(text, class) <= width {
        return text.into();
    }
    let mut shortened = String::new();
    for char in text.chars() {
        shortened.push(char);
        if class_width(&format!("{shortened}…"), class) > width {
            shortened.pop();
            break;
        }
    }
    format!("{}…", shortened.trim_end())
}

/// The text in two lines, if it does not fit in one and can be parted: after a space or an underscore.
pub(crate) fn in_two<'a>(text: &'a str, class: &str, width: f64) -> (&'a str, &'a str) {
    if class_width(text, class) <= width {
        return (text, "");
    }
    let fits = |end: &usize| class_width(text[..*end].trim_end(), class) <= width;
    let mut ends =
        text.char_indices().filter(|(_, char)| matches!(char, ' ' | '_')).map(|(index, _)| index + 1);
    ends.rfind(fits).map_or((text, ""), |end| (text[..end].trim_end(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Chromium measures them in 12 pixels of `DejaVu` Sans, plain and bold:
    /// `c.font = "12px 'DejaVu Sans'"; c.measureText(text).width` of a canvas's 2D context.
    const MEASURED: [(&str, f64, f64); 8] = [
        ("BERT (MLM)", 71.2, 80.9),
        ("Replace MLM", 78.7, 89.1),
        ("All-Tokens MLM", 89.7, 102.8),
        ("ELECTRA 15 %", 87.9, 96.6),
        ("longer run on its way (truncated)", 198.8, 225.2),
        ("run of its own (own schedule)", 177.7, 201.4),
        ("without pre-training", 119.4, 137.5),
        ("Kept encoder’s masked-LM accuracy", 219.7, 247.5),
    ];

    #[test]
    fn a_text_is_not_wider_than_estimated_and_not_much_less() {
        for (text, plain, bold) in MEASURED {
            for (class, measured) in [("t", plain), ("t panel", bold), ("t name", bold)] {
                let ratio = class_width(text, class) / measured;
                assert!((0.995..1.12).contains(&ratio), "{text}, {class}: {ratio}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_or_parted() {
        assert_eq!(fit("short", "t", 200.0), "short");
        let shortened = fit("a label that is much too long", "t panel", 90.0);
        assert!(shortened.ends_with('…') && class_width(&shortened, "t panel") <= 90.0, "{shortened}");
        assert_eq!(in_two("Gradient norm", "t", 200.0), ("Gradient norm", ""));
        assert_eq!(in_two("Discriminator precision", "t", 100.0), ("Discriminator", "precision"));
        assert_eq!(in_two("of_ones_own", "t", 60.0), ("of_ones_", "own"));
        assert_eq!(in_two("Indivisible", "t", 20.0), ("Indivisible", ""));
    }
}
