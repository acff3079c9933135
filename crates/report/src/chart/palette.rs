//! A colour and a shape for each objective: the same in every chart of every report. The colours keep apart under
//! the common colour blindnesses, and the shapes keep apart without colour.

use super::svg::Shape;
use crate::{ArmResult, Results, Role};

/// How an arm is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Style<'a> {
    pub(crate) arm: &'a ArmResult,
    /// The class that brings the colour.
    pub(crate) colour: &'static str,
    pub(crate) shape: Shape,
    /// Controls are hollow.
    pub(crate) hollow: bool,
}

impl Style<'_> {
    /// The classes of a mark.
    pub(crate) fn mark(&self) -> String {
        format!("{} {}", self.colour, if self.hollow { "hollow" } else { "mark" })
    }
}

/// Colours for objectives that are not the paper's.
const OTHERS: [(&str, Shape); 3] =
    [("o-x1", Shape::Circle), ("o-x2", Shape::Square), ("o-x3", Shape::Diamond)];

/// The styles of all arms, in their order.
pub(crate) fn styles(results: &Results) -> Vec<Style<'_>> {
    let mut others = Vec::new();
    let mut style = |arm: &ArmResult| match arm.facts.objective.as_str() {
        _ if arm.facts.role == Role::Scratch => ("o-none", Shape::Cross),
        "mlm" => ("o-mlm", Shape::Circle),
        "replace-mlm" => ("o-replace", Shape::Square),
        "electra-15" => ("o-e15", Shape::Up),
        "all-tokens-mlm" => ("o-all", Shape::Diamond),
        "electra" => ("o-electra", Shape::Down),
        other => {
            let known = others.iter().position(|name| *name == other);
            let index = known.unwrap_or_else(|| {
                others.push(other.to_owned());
                others.len() - 1
            });
            OTHERS[index % OTHERS.len()]
        }
    };
    results
        .arms
        .iter()
        .map(|arm| {
            let (colour, shape) = style(arm);
            Style { arm, colour, shape, hollow: matches!(arm.facts.role, Role::Control { .. }) }
        })
        .collect()
}
