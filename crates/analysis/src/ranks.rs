//! Where each arm stands.

use crate::compare::Group;
use crate::draws::Draws;
use crate::findings::{AnalysisConfig, Rank, Verdict};

/// The ranks of arms, the best first, by drawing their means: mean + s/√n · t(n − 1), which is what is known of a
/// mean from n normal scores and nothing else (Jeffreys 1961). What the choice of test examples does is drawn too,
/// with the same examples for all arms. Arms with a single run, or of which not all runs took off, have no rank.
pub(crate) fn ranks(group: &Group<'_, '_>, config: &AnalysisConfig) -> Vec<Rank> {
    let ranked: Vec<usize> = (0..group.arms.len())
        .filter(|arm| {
            group.arms[*arm].gate != Some(Verdict::NotAllTookOff)
                && group.layout.run_deviation(*arm).is_some()
        })
        .collect();
    if config.draws == 0 || ranked.len() < 2 {
        return Vec::new();
    }
    // In each draw, the rank of each arm.
    let mut drawn: Vec<Vec<usize>> = vec![Vec::with_capacity(config.draws); ranked.len()];
    for draw in 0..config.draws {
        let mean = |arm: &usize| {
            let (of_arm, deviation) =
                (group.layout.arm(*arm), group.layout.run_deviation(*arm).unwrap_or(0.0));
            let t =
                Draws::new(&[config.seed, 3, draw as u64, *arm as u64]).student(of_arm.count as f64 - 1.0);
            let examples = group.movements[*arm].as_ref().map_or(0.0, |movement| movement.deviations[draw]);
            of_arm.mean + deviation / (of_arm.count as f64).sqrt() * t + examples
        };
        let means: Vec<f64> = ranked.iter().map(mean).collect();
        for (of_arm, mean) in drawn.iter_mut().zip(&means) {
            of_arm.push(1 + means.iter().filter(|other| *other > mean).count());
        }
    }
    let mut ranks: Vec<(f64, Rank)> = ranked
        .iter()
        .zip(&mut drawn)
        .map(|(arm, of_arm)| {
            of_arm.sort_unstable();
            let at = |share: f64| of_arm[(share * (of_arm.len() - 1) as f64).round() as usize];
            let tail = (1.0 - config.level) / 2.0;
            let first = of_arm.iter().filter(|rank| **rank == 1).count();
            let rank = Rank {
                arm: group.arms[*arm].name.into(),
                rank: 0,
                best: at(tail),
                worst: at(1.0 - tail),
                p_best: first as f64 / of_arm.len() as f64,
            };
            (group.layout.arm(*arm).mean, rank)
        })
        .collect();
    ranks.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    (1..).zip(ranks).map(|(rank, (_, of_arm))| Rank { rank, ..of_arm }).collect()
}
