//! The report as Markdown, readable as it stands.

use std::fmt::Write;

use electra_analysis::Findings;

use crate::chart::Charts;
use crate::document::{Block, key_facts, sections};
use crate::sentences::{self, Conclusion};
use crate::table::{self, Cell, Table};

/// The text.
pub(crate) fn text(findings: &Findings, conclusion: &Conclusion, charts: &Charts) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        text,
        "# {}\n\n**{}**\n",
        escape(&findings.title),
        escape(conclusion.opening.first().map_or("", String::as_str)),
    );
    if conclusion.opening.len() > 1 {
        let _ = write!(text, "\n{}\n", escape(&conclusion.opening[1..].join(" ")));
    }
    if !conclusion.ordering_sentence.is_empty() {
        let _ = write!(text, "\n{}\n", escape(&conclusion.ordering_sentence));
    }
    list(&mut text, &conclusion.caveats);
    text.push('\n');
    for (name, value) in key_facts(findings) {
        let _ = writeln!(text, "- {name}: {}", escape(&value));
    }
    for section in sections(findings, conclusion, charts) {
        let _ = write!(text, "\n## {}\n", escape(&section.title));
        blocks(&mut text, &section.blocks);
    }
    text
}

fn blocks(text: &mut String, parts: &[Block<'_>]) {
    for block in parts {
        match block {
            Block::Paragraph(paragraph) => {
                let _ = write!(text, "\n{}\n", escape(paragraph));
            }
            Block::List(items) => list(text, items),
            Block::Table(table) => write_table(text, table),
            Block::Chart(chart) => {
                let _ = write!(text, "\n![{}](charts/{}.svg)\n", escape(&chart.title), chart.id);
            }
            Block::Code(code) => {
                let fence = fence(code);
                let _ = write!(text, "\n{fence}\n{}\n{fence}\n", code.trim_end());
            }
            Block::Details(summary, inner) => {
                let _ = write!(text, "\n### {}\n", escape(summary));
                blocks(text, inner);
            }
        }
    }
}

/// More backticks than the code has in a row.
fn fence(code: &str) -> String {
    let longest = code.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn list(text: &mut String, items: &[String]) {
    if !items.is_empty() {
        text.push('\n');
    }
    for item in items {
        let _ = writeln!(text, "- {}", escape(item));
    }
}

fn write_table(text: &mut String, table: &Table) {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let _ = write!(text, "\n{}\n\n", escape(&table.caption));
    text.push_str(&line(table.columns.iter().map(|column| escape(&column.title)).collect()));
    let rule = |numeric: bool| if numeric { "---:".to_owned() } else { "---".to_owned() };
    text.push_str(&line(table.columns.iter().map(|column| rule(column.numeric)).collect()));
    for row in &table.rows {
        text.push_str(&line(row.iter().map(write_cell).collect()));
    }
}

fn write_cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Arm(text, _) => escape(text),
        Cell::Verdict(verdict) => sentences::verdict(*verdict).into(),
        Cell::Difference(text, verdict) => {
            let text = escape(&table::difference(text, *verdict));
            if verdict.is_apart() { format!("**{text}**") } else { text }
        }
        Cell::Passed(passed) => table::passed(*passed).into(),
        Cell::Code(code) => format!("`{}`", code.replace(['`', '\n', '|'], " ")),
    }
}

/// Text that means nothing to Markdown, on one line.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => escaped.extend(['\\', char]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{escape, fence};

    #[test]
    fn nothing_becomes_markup() {
        assert_eq!(escape("a_b|c*d\n<x>"), "a\\_b\\|c\\*d &lt;x&gt;");
        assert_eq!((fence("no"), fence("a ```` b")), ("```".into(), "`````".into()));
    }
}
