//! A colour and a shape for each objective, in the order in which the findings list objectives. The colours keep
//! apart under the common colour blindnesses, and the shapes keep apart without colour. Arms of one objective share its
//! colour and differ by their shapes. Where a study has the same objectives at several values of a setting, an arm's
//! shape is its value's, and its colour is the lighter, the smaller the value.

use std::collections::{BTreeMap, BTreeSet};

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

/// Those of the next objectives. Whatever comes after them has a colour that is there already, with another shape.
const OTHERS: [(usize, Shape); 3] = [(6, Shape::Circle), (7, Shape::Square), (8, Shape::Diamond)];

/// The encoder from scratch.
const SCRATCH: (usize, Shape) = (0, Shape::Cross);

/// The shapes of a sweep's values, and of what shares a colour, in turn.
const SHAPES: [Shape; 5] = [Shape::Circle, Shape::Square, Shape::Up, Shape::Diamond, Shape::Down];

/// The class of an objective's colour, and its shape.
pub(crate) fn objective(findings: &Findings, objective: &str) -> (&'static str, Shape) {
    let (colour, shape) = Drawn::new(findings).of_objective(objective);
    (COLOURS[colour][0], shape)
}

/// The styles of all arms, in their order.
pub(crate) fn styles<'a>(findings: &'a Findings) -> Vec<Style<'a>> {
    let sweep = findings.sweep();
    // Of a sweep, the place of an arm's value, and how many values there are.
    let in_sweep = |arm: &ArmFindings| {
        let Sweep { setting, values, .. } = sweep.as_ref()?;
        let value = arm.facts.number(setting)?;
        Some((values.iter().position(|other| *other == value)?, values.len()))
    };
    let mut drawn = Drawn::new(findings);
    let mut style = |arm: &'a ArmFindings| match in_sweep(arm) {
        Some((place, count)) => {
            let (colour, _) = drawn.of_objective(&arm.facts.objective);
            (COLOURS[colour][shade(place, count)], SHAPES[place % SHAPES.len()])
        }
        None => {
            let (colour, shape) = drawn.of_arm(arm);
            (COLOURS[colour][0], shape)
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

/// The colours with the shapes that they are drawn with.
struct Drawn<'a> {
    by_objective: BTreeMap<&'a str, (usize, Shape)>,
    taken: Vec<(usize, Shape)>,
    /// The objectives of which an arm has been drawn.
    seen: BTreeSet<&'a str>,
}

impl<'a> Drawn<'a> {
    /// A colour and a shape for each objective. One that is not among the first and that no arm has takes none from the
    /// others.
    fn new(findings: &'a Findings) -> Self {
        let mut drawn = Self { by_objective: BTreeMap::new(), taken: FIRST.into(), seen: BTreeSet::new() };
        let has_arm = |name: &str| {
            findings.arms.iter().any(|arm| arm.facts.role != Role::Scratch && arm.facts.objective == name)
        };
        let names: Vec<&str> = findings.objectives.iter().map(|facts| facts.name.as_str()).collect();
        let (first, others) = names.split_at(names.len().min(FIRST.len()));
        drawn.by_objective.extend(first.iter().copied().zip(FIRST));
        let usual: Vec<(usize, Shape)> = OTHERS.into_iter().chain(FIRST).collect();
        for (place, &name) in others.iter().filter(|name| has_arm(name)).enumerate() {
            let (colour, shape) = usual[place % usual.len()];
            let style = drawn.take(colour, shape);
            drawn.by_objective.insert(name, style);
        }
        drawn
    }

    fn of_objective(&self, name: &str) -> (usize, Shape) {
        self.by_objective.get(name).copied().unwrap_or(OTHERS[0])
    }

    /// The first arm of an objective has its shape, and each further one the next that its colour is not drawn with.
    /// Controls have that of the objective: they are hollow.
    fn of_arm(&mut self, arm: &'a ArmFindings) -> (usize, Shape) {
        if arm.facts.role == Role::Scratch {
            return SCRATCH;
        }
        let (colour, shape) = self.of_objective(&arm.facts.objective);
        if arm.facts.role == Role::Arm && !self.seen.insert(&arm.facts.objective) {
            return self.take(colour, shape);
        }
        (colour, shape)
    }

    /// A shape that the colour is not drawn with yet, this one if it can be; when there is none left, this one again.
    fn take(&mut self, colour: usize, shape: Shape) -> (usize, Shape) {
        let mut shapes = std::iter::once(shape).chain(SHAPES);
        let style = (colour, shapes.find(|shape| !self.taken.contains(&(colour, *shape))).unwrap_or(shape));
        self.taken.push(style);
        style
    }
}

/// How light the colour of a value is, by its place among so many.
fn shade(place: usize, count: usize) -> usize {
    match (count - 1 - place, count - 1) {
        (0, _) => 0,
        (from_last, last) if 3 * from_last <= 2 * last => 1,
        _ => 2,
    }
}
