//! Small multiples, log over log: points, and a dashed line of what linear growth would be.

use super::fit::{Bound, last_decade};
use super::growth::{Growth, count, shown};
use std::fmt::Write;

/// Made for a phone's width; the style sheet lets it be twice as wide where there is room.
const WIDTH: f64 = 400.0;
const PANEL: (f64, f64) = (200.0, 144.0);
/// Room in a panel around the plot: left, right, above, below.
const ROOM: (f64, f64, f64, f64) = (52.0, 14.0, 28.0, 22.0);
/// A group's title.
const TITLE: f64 = 22.0;
const HEAD: f64 = 50.0;

const STYLE: &str = "
:root { --page: #fbfaf8; --ink: #1b1b1f; --muted: #63636b; --grid: #e4e2dc; --time: #0b4f9e; --bytes: #00876a; --bad: #c23b00; }
@media (prefers-color-scheme: dark) {
  :root { --page: #141417; --ink: #ececee; --muted: #a2a2ab; --grid: #303037; --time: #6ea8ff; --bytes: #5fd6b4; --bad: #ff8a55; }
}
svg { display: block; width: 100%; max-width: 800px; height: auto; margin: 0 auto; background: var(--page);
  font-family: system-ui, -apple-system, \"Segoe UI\", Roboto, \"Noto Sans\", \"Liberation Sans\", sans-serif; }
.page { fill: var(--page); }
text { font-size: 11px; fill: var(--ink); }
.title { font-size: 14px; font-weight: 600; }
.group { font-size: 12px; font-weight: 600; }
.muted { fill: var(--muted); }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.bad { fill: var(--bad); font-weight: 600; }
.grid { stroke: var(--grid); }
.guide { stroke: var(--muted); stroke-width: 1.2; stroke-dasharray: 5 4; }
.square { stroke-dasharray: 1.5 3; }
.seconds { --c: var(--time); }
.bytes { --c: var(--bytes); }
.curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.mark { fill: var(--c); stroke: var(--page); stroke-width: 1; }
";

/// The chart of all growths, two panels a row.
pub(super) fn draw(growths: &[Growth]) -> Result<String, std::fmt::Error> {
    let mut body = String::new();
    let mut y = HEAD;
    for group in growths.chunk_by(|a, b| a.title == b.title) {
        y += TITLE;
        writeln!(body, r#"<text class="group" x="10" y="{}">{}</text>"#, y - 6.0, escaped(group[0].title))?;
        for row in group.chunks(2) {
            for (column, growth) in row.iter().enumerate() {
                panel(&mut body, growth, (column as f64 * PANEL.0, y))?;
            }
            y += PANEL.1;
        }
    }
    let height = y + 6.0;
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">"#
    )?;
    writeln!(svg, r#"<title id="t">Growth of time and memory</title>"#)?;
    writeln!(svg, r#"<desc id="d">{}</desc>"#, escaped(&described(growths)))?;
    writeln!(svg, "<style>{STYLE}</style>")?;
    writeln!(svg, r#"<rect class="page" width="{WIDTH}" height="{height}"/>"#)?;
    writeln!(svg, r#"<text class="title" x="10" y="20">Growth of time and memory, log over log</text>"#)?;
    writeln!(
        svg,
        r#"<line class="guide" x1="10" x2="38" y1="35" y2="35"/><text class="muted" x="43" y="39">slope 1</text>"#
    )?;
    writeln!(
        svg,
        r#"<line class="guide square" x1="96" x2="124" y1="35" y2="35"/><text class="muted" x="129" y="39">slope 2</text>"#
    )?;
    writeln!(svg, r#"<text class="muted end" x="386" y="39">numbers: slope of the last decade</text>"#)?;
    svg += &body;
    svg += "</svg>\n";
    Ok(svg)
}

fn panel(svg: &mut String, growth: &Growth, (left, top): (f64, f64)) -> std::fmt::Result {
    let (x0, x1) = (left + ROOM.0, left + PANEL.0 - ROOM.1);
    let (y0, y1) = (top + PANEL.1 - ROOM.3, top + ROOM.2);
    let Some((&first, &last)) = growth.points.first().zip(growth.points.last()) else { return Ok(()) };
    let across = Axis::new(first.0.log10() - 0.06, last.0.log10() + 0.06, (x0, x1));
    let ys = growth.points.iter().map(|point| point.1.log10());
    let (low, high) = ys.fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
    // Whole decades, so that a quantity that does not grow is drawn as a level line.
    let (low, high) = ((low - 0.05).floor(), (high + 0.05).ceil());
    let up = Axis::new(low, high, (y0, y1));

    let class = match growth.quantity.unit {
        super::growth::Unit::Seconds => "seconds",
        super::growth::Unit::Bytes => "bytes",
    };
    let clip = format!("c{left}-{top}").replace('.', "_");
    writeln!(svg, r#"<g class="{class}">"#)?;
    writeln!(
        svg,
        r#"<clipPath id="{clip}"><rect x="{x0}" y="{y1}" width="{}" height="{}"/></clipPath>"#,
        x1 - x0,
        y0 - y1
    )?;
    writeln!(svg, r#"<text x="{}" y="{}">{}</text>"#, left + 10.0, top + 14.0, growth.quantity.name)?;
    let bad = if growth.holds() { "" } else { " bad" };
    // With a real minus sign, and never a minus zero.
    let slope = format!("{:.2}", growth.last + 0.0).replace("-0.00", "0.00").replace('-', "−");
    writeln!(svg, r#"<text class="end{bad}" x="{x1}" y="{}">{slope}</text>"#, top + 14.0)?;

    for decade in up.decades() {
        let y = up.at(decade);
        writeln!(svg, r#"<line class="grid" x1="{x0}" x2="{x1}" y1="{y:.1}" y2="{y:.1}"/>"#)?;
        // Of many decades every second has its name.
        if (decade - low) as i64 % (1 + (high - low) as i64 / 5) == 0 {
            let name = shown(10f64.powf(decade), growth.quantity.unit).replace(".00", "").replace(".0", "");
            writeln!(svg, r#"<text class="muted end" x="{}" y="{:.1}">{name}</text>"#, x0 - 5.0, y + 3.5)?;
        }
    }
    for decade in across.decades() {
        let x = across.at(decade);
        let name = count(10f64.powf(decade));
        writeln!(svg, r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{y0}" y2="{y1}"/>"#)?;
        writeln!(svg, r#"<text class="muted middle" x="{x:.1}" y="{}">{name}</text>"#, y0 + 14.0)?;
    }
    let place = |(x, y): (f64, f64)| (across.at(x.log10()), up.at(y.log10()));
    let guides = if growth.bound() == Bound::Square { &["", " square"][..] } else { &[""] };
    for (guide, power) in guides.iter().zip(1..) {
        // Through the first point of the last decade: below it, what does not depend on the size outweighs.
        let start = last_decade(&growth.points)[0];
        let line = |x: f64| place((x, start.1 * (x / start.0).powi(power)));
        let (a, b) = (line(first.0), line(last.0 * 1.15));
        writeln!(
            svg,
            r#"<line class="guide{guide}" clip-path="url(#{clip})" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            a.0, a.1, b.0, b.1
        )?;
    }
    let places: Vec<_> = growth.points.iter().map(|&point| place(point)).collect();
    let path: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    writeln!(svg, r#"<polyline class="curve" points="{}"/>"#, path.join(" "))?;
    for (x, y) in places {
        writeln!(svg, r#"<circle class="mark" cx="{x:.1}" cy="{y:.1}" r="3"/>"#)?;
    }
    writeln!(svg, "</g>")
}

/// A logarithmic axis: from and to as powers of ten, and where they lie.
struct Axis {
    from: f64,
    to: f64,
    places: (f64, f64),
}

impl Axis {
    fn new(from: f64, to: f64, places: (f64, f64)) -> Self {
        Self { from, to, places }
    }

    fn at(&self, power: f64) -> f64 {
        self.places.0 + (power - self.from) / (self.to - self.from) * (self.places.1 - self.places.0)
    }

    fn decades(&self) -> impl Iterator<Item = f64> + use<> {
        (self.from.ceil() as i64..=self.to.floor() as i64).map(|decade| decade as f64)
    }
}

/// The chart in words, for who cannot see it.
fn described(growths: &[Growth]) -> String {
    let told = growths
        .iter()
        .map(|growth| format!("{} over {}: slope {:.2}", growth.quantity.name, growth.title, growth.last));
    told.collect::<Vec<_>>().join("; ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
