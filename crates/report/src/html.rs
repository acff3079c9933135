//! The report as one page that needs nothing but itself.

use std::fmt::Write;

use electra_analysis::{Findings, PaperOrdering, Verdict};

use crate::chart::{self, Charts};
use crate::document::{Block, Section, key_facts, sections};
use crate::escape::escape;
use crate::sentences::{self, Conclusion, answer};
use crate::table::{self, Cell, Table};

const STYLE: &str = include_str!("style.css");

/// A text for reading: a per cent sign stays with its number.
fn prose(text: &str) -> String {
    escape(&text.replace(" %", "\u{a0}%"))
}

/// The page.
pub(crate) fn page(findings: &Findings, conclusion: &Conclusion, charts: &Charts) -> String {
    let sections = sections(findings, conclusion, charts);
    let mut page = String::new();
    let title = escape(&findings.title);
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{}{STYLE}</style>\n</head>\n<body>\n",
        chart::STYLE,
    );
    head(&mut page, findings, conclusion, &sections);
    page.push_str("<main>\n");
    for section in &sections {
        let _ = writeln!(
            page,
            "<section id=\"{0}\" aria-labelledby=\"{0}-h\">\n<h2 id=\"{0}-h\">{1}</h2>",
            section.id,
            escape(&section.title)
        );
        blocks(&mut page, &section.blocks);
        page.push_str("</section>\n");
    }
    let version = escape(&findings.provenance.code_version);
    let _ = write!(
        page,
        "</main>\n<footer><p>{version}. Every number here is in results.json, and every figure in charts/.</p></footer>\n</body>\n</html>\n"
    );
    page
}

fn head(page: &mut String, findings: &Findings, conclusion: &Conclusion, sections: &[Section<'_>]) {
    let _ = writeln!(
        page,
        "<header>\n<p class=\"eyebrow\">Ablation study · plan {}</p>\n<h1>{}</h1>",
        escape(&findings.plan.name),
        escape(&findings.title)
    );
    let class = if findings.plan.proves_nothing.is_some() { "lead nothing" } else { "lead" };
    let (first, rest) = conclusion.opening.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
    let _ = writeln!(page, "<p class=\"{class}\">{}</p>", prose(first));
    if !rest.is_empty() {
        let _ = writeln!(page, "<p class=\"opening\">{}</p>", prose(&rest.join(" ")));
    }
    let badge = match conclusion.ordering {
        PaperOrdering::Appears => "good",
        PaperOrdering::Partly | PaperOrdering::TiesApart => "fair",
        PaperOrdering::Contradicted => "bad",
        PaperOrdering::Open => "open",
    };
    if !conclusion.ordering_sentence.is_empty() {
        let _ = writeln!(
            page,
            "<p class=\"ordering\"><span class=\"badge {badge}\">Paper's ordering: {}</span> {}</p>",
            answer(conclusion.ordering),
            prose(&conclusion.ordering_sentence),
        );
    }
    if !conclusion.caveats.is_empty() {
        page.push_str("<ul class=\"caveats\">\n");
        for caveat in &conclusion.caveats {
            let _ = writeln!(page, "<li>{}</li>", prose(caveat));
        }
        page.push_str("</ul>\n");
    }
    page.push_str("<dl class=\"key\">\n");
    for (name, value) in key_facts(findings) {
        let _ = writeln!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", prose(&value));
    }
    page.push_str("</dl>\n<nav aria-label=\"Sections\"><ul>\n");
    for section in sections {
        // The titles are sentences: together they would take two lines of a wide screen.
        let (first, rest) = section.id.split_at(1);
        let _ = writeln!(
            page,
            "<li><a href=\"#{}\" title=\"{}\">{}{rest}</a></li>",
            section.id,
            escape(&section.title),
            first.to_uppercase(),
        );
    }
    page.push_str("</ul></nav>\n</header>\n");
}

fn blocks(page: &mut String, parts: &[Block<'_>]) {
    for block in parts {
        match block {
            Block::Paragraph(text) => {
                let _ = writeln!(page, "<p>{}</p>", prose(text));
            }
            Block::List(items) => {
                page.push_str("<ul>\n");
                for item in items {
                    let _ = writeln!(page, "<li>{}</li>", prose(item));
                }
                page.push_str("</ul>\n");
            }
            Block::Table(table) => write_table(page, table),
            Block::Chart(chart) => {
                let _ = writeln!(
                    page,
                    "<figure>\n<figcaption id=\"{}-t\">{}</figcaption>\n{}\n</figure>",
                    chart.id,
                    escape(&chart.title),
                    chart.inline()
                );
            }
            Block::Code(code) => {
                let _ = writeln!(page, "<pre tabindex=\"0\"><code>{}</code></pre>", escape(code));
            }
            Block::Details(summary, inner) => {
                let _ = writeln!(page, "<details>\n<summary>{}</summary>", escape(summary));
                blocks(page, inner);
                page.push_str("</details>\n");
            }
        }
    }
}

/// A table in a box of its own, which is what scrolls on a phone, with the keyboard too.
fn write_table(page: &mut String, table: &Table) {
    let caption = escape(&table.caption);
    let facts = table.columns.iter().all(|column| column.title.is_empty());
    let class = if facts { "facts" } else { "data" };
    let _ = writeln!(
        page,
        "<p class=\"caption\">{caption}</p>\n<div class=\"scroll {class}\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table>"
    );
    if !facts {
        page.push_str("<thead><tr>");
        for column in &table.columns {
            let class = if column.numeric { " class=\"n\"" } else { "" };
            let _ = write!(page, "<th scope=\"col\"{class}>{}</th>", escape(&column.title));
        }
        page.push_str("</tr></thead>\n");
    }
    page.push_str("<tbody>\n");
    for row in &table.rows {
        page.push_str("<tr>");
        for (index, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
            let class = if column.numeric { " class=\"n\"" } else { "" };
            let (tag, scope) = if index == 0 { ("th", " scope=\"row\"") } else { ("td", "") };
            let _ = write!(page, "<{tag}{scope}{class}>{}</{tag}>", write_cell(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
}

fn write_cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => prose(text),
        Cell::Arm(title, colour) => format!("<span class=\"arm {colour}\">{}</span>", prose(title)),
        Cell::Verdict(verdict) => marked(*verdict, sentences::verdict(*verdict)),
        Cell::Difference(text, verdict) => marked(*verdict, &table::difference(text, *verdict)),
        Cell::Passed(passed) => {
            let text = table::passed(*passed);
            let class = match passed {
                Some(true) => "passed",
                Some(false) => "failed",
                None => "neither",
            };
            format!("<span class=\"{class}\">{text}</span>")
        }
        Cell::Code(code) => format!("<code>{}</code>", escape(code)),
    }
}

/// A text in the look of a verdict: one either way has a mark and bold letters.
fn marked(verdict: Verdict, text: &str) -> String {
    format!(
        "<span class=\"verdict {}\">{}</span>",
        sentences::verdict(verdict).replace(' ', "-"),
        prose(text)
    )
}
