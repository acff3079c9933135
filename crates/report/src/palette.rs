//! A colour and a shape for each objective, in the order in which the findings list objectives. The colours keep
//! apart under the common colour blindnesses, and the shapes keep apart without colour. Where a study has the same
//! objectives at several values of a setting, an arm's shape is its value's, and its colour is the lighter, the
//! smaller the value.

use electra_analysis::{ArmFindings, Findings, Role, Sweep};

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

/// How an arm is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Style<'a> {
    pub(crate) arm: &'a ArmFindings,
    /// The class that brings the colour.
    pub(crate) colour: &'static str,
    pub(crate) shape: Shape,
    /// Controls are hollow, and in a sweep arms that have the FLOPs of another.
    pub(crate) hollow: bool,
}

impl Style<'_> {
    /// The classes of a mark.
    pub(crate) fn mark(&self) -> String {
        format!("{} {}", self.colour, if self.hollow { "hollow" } else { "mark" })
    }
}

/// The classes of the colours: as they are, lighter, and lightest.
const COLOURS: [[&str; 3]; 9] = [
    ["c0", "c0 lighter", "c0 lightest"],
    ["c1", "c1 lighter", "c1 lightest"],
    ["c2", "c2 lighter", "c2 lightest"],
    ["c3", "c3 lighter", "c3 lightest"],
    ["c4", "c4 lighter", "c4 lightest"],
    ["c5", "c5 lighter", "c5 lightest"],
    ["c6", "c6 lighter", "c6 lightest"],
    ["c7", "c7 lighter", "c7 lightest"],
    ["c8", "c8 lighter", "c8 lightest"],
];

/// The first objectives' colours and shapes.
const FIRST: [(usize, Shape); 5] =
    [(1, Shape::Circle), (2, Shape::Square), (3, Shape::Up), (4, Shape::Diamond), (5, Shape::Down)];

/// Those of all others, in turn.
const OTHERS: [(usize, Shape); 3] = [(6, Shape::Circle), (7, Shape::Square), (8, Shape::Diamond)];

/// The encoder from scratch.
const SCRATCH: (usize, Shape) = (0, Shape::Cross);

/// The shapes of a sweep's values, in turn.
const VALUES: [Shape; 5] = [Shape::Circle, Shape::Square, Shape::Up, Shape::Diamond, Shape::Down];

/// An objective's place among the colours, and its shape. An objective that no arm has takes none from the others.
fn of_objective(findings: &Findings, objective: &str) -> (usize, Shape) {
    let has_arm = |objective: &str| {
        findings.arms.iter().any(|arm| arm.facts.role != Role::Scratch && arm.facts.objective == objective)
    };
    let others = findings.objectives.iter().skip(FIRST.len()).map(|facts| facts.name.as_str());
    let other = others.filter(|name| has_arm(name)).position(|name| name == objective).unwrap_or(0);
    let place = findings.place(objective).unwrap_or(0);
    FIRST.get(place).copied().unwrap_or(OTHERS[other % OTHERS.len()])
}

/// The class of an objective's colour, and its shape.
pub(crate) fn objective(findings: &Findings, objective: &str) -> (&'static str, Shape) {
    let (colour, shape) = of_objective(findings, objective);
    (COLOURS[colour][0], shape)
}

/// The styles of all arms, in their order.
pub(crate) fn styles(findings: &Findings) -> Vec<Style<'_>> {
    let sweep = findings.sweep();
    // Of a sweep, the place of an arm's value, and how many values there are.
    let in_sweep = |arm: &ArmFindings| {
        let Sweep { setting, values, .. } = sweep.as_ref()?;
        let value = arm.facts.number(setting)?;
        Some((values.iter().position(|other| *other == value)?, values.len()))
    };
    let style = |arm: &ArmFindings| {
        let (colour, shape) = match arm.facts.role {
            Role::Scratch => SCRATCH,
            _ => of_objective(findings, &arm.facts.objective),
        };
        match in_sweep(arm) {
            Some((place, count)) => (COLOURS[colour][shade(place, count)], VALUES[place % VALUES.len()]),
            None => (COLOURS[colour][0], shape),
        }
    };
    let is_hollow = |arm: &ArmFindings| {
        let by_flops_of = sweep.is_some() && arm.facts.flops_of.is_some();
        by_flops_of || matches!(arm.facts.role, Role::Control { .. })
    };
    let arms = findings.arms.iter();
    arms.map(|arm| {
        let (colour, shape) = style(arm);
        Style { arm, colour, shape, hollow: is_hollow(arm) }
    })
    .collect()
}

/// How light the colour of a value is, by its place among so many.
fn shade(place: usize, count: usize) -> usize {
    match (count - 1 - place, count - 1) {
        (0, _) => 0,
        (from_last, last) if 3 * from_last <= 2 * last => 1,
        _ => 2,
    }
}
