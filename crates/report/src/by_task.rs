//! Which pairs are told apart on which task: the table and its words.

use crate::conclusion::{missed, whom, winner_first};
use crate::document::Block;
use crate::format::{MISSING, list, or_missing, plural, signed, word};
use crate::ordering::is;
use crate::results::Test;
use crate::tables::{Cell, Table, table};
use crate::{Comparison, Results, TaskComparisons, Verdict};

/// With more clauses than these the sentence counts, and the table says which.
const MOST_CLAUSES: usize = 8;

/// The table with its explanation and what it tells; nothing if nothing could be tested.
pub(crate) fn blocks<'a>(results: &Results) -> Vec<Block<'a>> {
    let tested = tested(results).len();
    if tested == 0 {
        return Vec::new();
    }
    let all: usize = results.task_pairs.iter().map(|of_task| of_task.pairs.len()).sum();
    let dash = if tested < all { " A dash is a pair without enough seeds." } else { "" };
    let mut blocks = vec![
        Block::Table(pairs(results)),
        Block::Paragraph(format!(
            "The rule is that of the mean, with the noise and the predictions of the task alone. Holm's correction is here over {}, apart from that of the mean: the two families are not to be mixed.{dash}",
            if tested == 1 {
                "the one comparison".into()
            } else {
                format!("all {tested} comparisons of this table")
            },
        )),
    ];
    let said = &results.conclusion.tasks_sentence;
    blocks.extend((!said.is_empty()).then(|| Block::Paragraph(said.clone())));
    blocks
}

fn tested(results: &Results) -> Vec<(&Comparison, &Test)> {
    let pairs = results.task_pairs.iter().flat_map(|of_task| &of_task.pairs);
    pairs.filter_map(|pair| Some((pair, pair.test.as_ref()?))).collect()
}

fn told(of_task: &TaskComparisons) -> impl Iterator<Item = &Comparison> {
    of_task.pairs.iter().filter(|pair| matches!(pair.verdict, Verdict::Better | Verdict::Worse))
}

fn title<'a>(results: &'a Results, task: &'a str) -> &'a str {
    results.tasks.iter().find(|facts| facts.name == task).map_or(task, |facts| &facts.title)
}

/// Pairs by tasks.
fn pairs(results: &Results) -> Table {
    let titles: Vec<String> =
        results.task_pairs.iter().map(|of_task| format!("#{}", title(results, &of_task.task))).collect();
    let rows = results.pairs.iter().enumerate().map(|(index, pair)| {
        let name = format!("{} − {}", results.title(&pair.a), results.title(&pair.b));
        let cells = results.task_pairs.iter().map(|of_task| {
            let pair = of_task.pairs.get(index).filter(|pair| pair.test.is_some());
            pair.map_or_else(
                || Cell::Text(MISSING.into()),
                |pair| Cell::Difference(or_missing(pair.difference, signed), pair.verdict),
            )
        });
        std::iter::once(Cell::Text(name)).chain(cells).collect()
    });
    let mut columns = vec!["Pair"];
    columns.extend(titles.iter().map(String::as_str));
    let caption = "Which pairs are told apart on which task: differences in points, the first less the second. A verdict, where there is one, is on the first.";
    table(caption, &columns, rows.collect())
}

/// What single tasks tell; empty if nothing could be tested.
pub(crate) fn sentence(results: &Results) -> String {
    let tested = tested(results);
    if tested.is_empty() {
        return String::new();
    }
    let of = plural(tested.len(), "comparison");
    let of = format!("Of {of} on single tasks, with a correction of their own,");
    let counts: Vec<(&str, usize)> = results
        .task_pairs
        .iter()
        .map(|of_task| (title(results, &of_task.task), told(of_task).count()))
        .filter(|(_, count)| *count > 0)
        .collect();
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    if all == 0 {
        let missed = missed(&tested, "by task and pair", results.config.power);
        return format!("{of} none is told apart: {missed}.");
    }
    let clauses: Vec<Vec<String>> =
        results.task_pairs.iter().map(|of_task| clauses(results, of_task)).collect();
    let which = if clauses.iter().map(Vec::len).sum::<usize>() > MOST_CLAUSES {
        let counts: Vec<String> = counts.iter().map(|(title, count)| format!("{count} on {title}")).collect();
        format!("{}; the table under \"Task by task\" says which", list(&counts))
    } else {
        let on = |(of_task, clauses): (&TaskComparisons, &Vec<String>)| {
            let said = clauses.join(", and ");
            (!said.is_empty()).then(|| format!("on {}, {said}", title(results, &of_task.task)))
        };
        results.task_pairs.iter().zip(&clauses).filter_map(on).collect::<Vec<_>>().join("; ")
    };
    format!("{of} {} {} told apart: {which}.", word(all), is(all))
}

/// Arms that are all above, or all below, the same others.
struct Group<'a> {
    arms: Vec<&'a str>,
    above: bool,
    others: Vec<&'a str>,
}

/// What is told on a task in few clauses: again and again the arm that is above, or below, the most others of which
/// that is not said yet. Arms of which the same is to say share a clause.
fn clauses(results: &Results, of_task: &TaskComparisons) -> Vec<String> {
    let mut left: Vec<(&str, &str)> = told(of_task).map(winner_first).collect();
    let is_tested = |arm: &&str| {
        of_task.pairs.iter().any(|pair| pair.test.is_some() && (pair.a == **arm || pair.b == **arm))
    };
    let names: Vec<&str> = results.arms.iter().map(|arm| arm.facts.name.as_str()).filter(is_tested).collect();
    let mut groups: Vec<Group<'_>> = Vec::new();
    while !left.is_empty() {
        let others = |(arm, above): (&str, bool)| -> Vec<&str> {
            let is_other =
                |other: &&&str| left.contains(&if above { (arm, **other) } else { (**other, arm) });
            names.iter().filter(is_other).copied().collect()
        };
        // Of equals the last is taken: above before below, and an earlier arm before a later one.
        let sides =
            [false, true].into_iter().flat_map(|above| names.iter().rev().map(move |arm| (*arm, above)));
        let Some((arm, above)) = sides.max_by_key(|side| others(*side).len()) else { break };
        let others = others((arm, above));
        left.retain(|(upper, lower)| arm != if above { *upper } else { *lower });
        match groups.iter_mut().find(|group| group.above == above && group.others == others) {
            Some(group) => group.arms.push(arm),
            None => groups.push(Group { arms: vec![arm], above, others }),
        }
    }
    let clause = |group: &Group<'_>| {
        let (arms, others) = (titles(results, &group.arms), titles(results, &group.others));
        let side = if group.above { "above" } else { "below" };
        format!("{} {} {side} {}", list(&arms), is(arms.len()), whom(&others, names.len()))
    };
    groups.iter().map(clause).collect()
}

fn titles<'a>(results: &'a Results, names: &[&'a str]) -> Vec<&'a str> {
    names.iter().map(|name| results.title(name)).collect()
}
