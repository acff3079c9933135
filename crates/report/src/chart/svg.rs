//! A small writer of SVG. Colours are classes: `chart.css` gives them their values, light and dark.

use std::fmt::Write;

use crate::html::escape;

/// A drawing under way.
pub(crate) struct Svg {
    pub(crate) width: f64,
    pub(crate) height: f64,
    body: String,
}

/// What a value is marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Cross,
}

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A rectangle to draw in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }
}

impl Svg {
    pub(crate) fn new(width: f64) -> Self {
        Self { width, height: 0.0, body: String::new() }
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.body.write_fmt(element);
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let (x1, y1, x2, y2) = (short(from.0), short(from.1), short(to.0), short(to.1));
        self.push(format_args!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    pub(crate) fn rectangle(&mut self, frame: Frame, class: &str) {
        let (x, y) = (short(frame.left), short(frame.top));
        let (width, height) = (short(frame.width()), short(frame.bottom - frame.top));
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y, text) = (short(x), short(y), escape(text));
        self.push(format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>"));
    }

    /// A text of at most a width; what is cut off is in its tooltip.
    pub(crate) fn label(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str, width: f64) {
        let cut = fit(text, class, width);
        if cut == text {
            return self.text(at, anchor, class, text);
        }
        self.push(format_args!("<g><title>{}</title>", escape(text)));
        self.text(at, anchor, class, &cut);
        self.push(format_args!("</g>"));
    }

    pub(crate) fn path(&mut self, points: &[(f64, f64)], class: &str) {
        let mut data = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let command = if index == 0 { "M" } else { "L" };
            let _ = write!(data, "{command}{} {}", short(*x), short(*y));
        }
        self.push(format_args!("<path class=\"{class}\" d=\"{data}\"/>"));
    }

    /// The area between a line and another.
    pub(crate) fn area(&mut self, upper: &[(f64, f64)], lower: &[(f64, f64)], class: &str) {
        let around: Vec<(f64, f64)> = upper.iter().chain(lower.iter().rev()).copied().collect();
        self.path(&around, class);
    }

    pub(crate) fn mark(&mut self, shape: Shape, (x, y): (f64, f64), radius: f64, class: &str, tooltip: &str) {
        let title =
            if tooltip.is_empty() { String::new() } else { format!("<title>{}</title>", escape(tooltip)) };
        let r = radius;
        // Areas alike: a square of the circle's radius looks smaller, a triangle smaller still.
        let corners: &[(f64, f64)] = match shape {
            Shape::Circle => {
                let (x, y, r) = (short(x), short(y), short(r));
                return self.push(format_args!(
                    "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\">{title}</circle>"
                ));
            }
            Shape::Cross => {
                let (l, t, d) = (short(x - 0.8 * r), short(y - 0.8 * r), short(1.6 * r));
                return self.push(format_args!(
                    "<path class=\"{class} cross\" d=\"M{l} {t}l{d} {d}m0 -{d}l-{d} {d}\">{title}</path>"
                ));
            }
            Shape::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Shape::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
            Shape::Up => &[(0.0, -1.25), (1.2, 0.9), (-1.2, 0.9)],
            Shape::Down => &[(0.0, 1.25), (1.2, -0.9), (-1.2, -0.9)],
        };
        let points: Vec<String> =
            corners.iter().map(|(dx, dy)| format!("{},{}", short(x + r * dx), short(y + r * dy))).collect();
        self.push(format_args!(
            "<polygon class=\"{class}\" points=\"{}\">{title}</polygon>",
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
        &self.body
    }
}

/// A coordinate with one decimal, as short as can be.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".into() } else { text.into() }
}

/// About how wide a text of 12 pixels is. Which font it will be is not known here: the widths are those of `DejaVu`
/// Sans, the widest that the page's list of fonts is likely to come to, so that others have room to spare.
pub(crate) fn text_width(text: &str) -> f64 {
    let of = |char: char| match char {
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
    text.chars().map(of).sum()
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
    let mut cut = String::new();
    for char in text.chars() {
        cut.push(char);
        if class_width(&format!("{cut}…"), class) > width {
            cut.pop();
            break;
        }
    }
    format!("{}…", cut.trim_end())
}

/// The text in two lines, if it does not fit in one and can be parted: after a space or an underscore.
pub(crate) fn in_two<'a>(text: &'a str, class: &str, width: f64) -> (&'a str, &'a str) {
    if class_width(text, class) <= width {
        return (text, "");
    }
    let fits = |end: &usize| class_width(text[..*end].trim_end(), class) <= width;
    let mut ends = text.char_indices().filter(|(_, char)| matches!(char, ' ' | '_')).map(|(at, _)| at + 1);
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
        let cut = fit("a label that is much too long", "t panel", 90.0);
        assert!(cut.ends_with('…') && class_width(&cut, "t panel") <= 90.0, "{cut}");
        assert_eq!(in_two("Gradient norm", "t", 200.0), ("Gradient norm", ""));
        assert_eq!(in_two("Discriminator precision", "t", 100.0), ("Discriminator", "precision"));
        assert_eq!(in_two("of_ones_own", "t", 60.0), ("of_ones_", "own"));
        assert_eq!(in_two("Indivisible", "t", 20.0), ("Indivisible", ""));
    }
}
