//! The rules, on curves of real runs (`tests/golden/curves`) and of made-up ones.

use super::*;

/// A recorded run: what token frequencies alone give, masked tokens of a step, and its log lines.
struct Curve {
    unigram_loss: f64,
    masked: u64,
    lines: Vec<Seen>,
}

fn curve(text: &str) -> Curve {
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let seen = |cells: Vec<&str>| Seen {
        step: cells[0].parse().unwrap(),
        is_warm: true,
        loss: Some(cells[1].parse().unwrap()),
        recall: cells[2].parse().ok(),
    };
    Curve {
        unigram_loss: head[0].parse().unwrap(),
        masked: head[1].parse().unwrap(),
        lines: lines.map(seen).collect(),
    }
}

/// State, since, whether it is over, and the step at which that was said.
type Said = (RunState, u64, bool, u64);

fn said(curve: &Curve) -> Vec<Said> {
    let watch = Watch::new(Some((Predicted::Masked, curve.unigram_loss)), curve.masked);
    let mut health = Health::default();
    let remarks = curve.lines.iter().flat_map(|seen| health.take(&watch, seen)).collect::<Vec<_>>();
    remarks.iter().map(|remark| (remark.state, remark.since, remark.is_over, remark.step)).collect()
}

fn of_plateau(curve: &Curve) -> Vec<(u64, bool, u64)> {
    let plateau = said(curve).into_iter().filter(|(state, ..)| *state == RunState::UnigramPlateau);
    plateau.map(|(_, since, is_over, step)| (since, is_over, step)).collect()
}

macro_rules! recorded {
    ($name:literal) => {
        curve(include_str!(concat!("../../tests/golden/curves/", $name, ".tsv")))
    };
}

#[test]
fn real_runs_that_stay_on_the_plateau_say_so() {
    // 1,950 steps on Wikipedia without neighbour heads, with BERT's masks and with `[MASK]` alone.
    assert_eq!(of_plateau(&recorded!("wiki-mlm")), [(430, false, 860)]);
    assert_eq!(of_plateau(&recorded!("wiki-electra")), [(140, false, 280)]);
}

#[test]
fn real_runs_that_leave_it_say_so() {
    // On a generated language the generator leaves the plateau, and then the discriminator finds something.
    let orig = RunState::CallsAllOriginal;
    let plateau = RunState::UnigramPlateau;
    assert_eq!(
        said(&recorded!("generated-electra")),
        [
            (orig, 380, false, 380),
            (plateau, 310, false, 620),
            (plateau, 310, true, 890),
            (orig, 380, true, 1240)
        ]
    );
}

#[test]
fn real_runs_that_pass_by_say_nothing() {
    assert_eq!(of_plateau(&recorded!("wiki-mlm-heads")), []);
    assert_eq!(of_plateau(&recorded!("generated-electra-heads")), []);
}

/// A curve of one constant loss a stretch: (log lines, loss). Steps are ten a line.
fn made(stretches: &[(usize, f64)]) -> Curve {
    let losses = stretches.iter().flat_map(|&(lines, loss)| std::iter::repeat_n(loss, lines));
    let seen = |(line, loss): (u64, f64)| Seen {
        step: 10 * (line + 1),
        is_warm: true,
        loss: Some(loss),
        recall: None,
    };
    Curve { unigram_loss: 6.0, masked: 1000, lines: (0..).zip(losses).map(seen).collect() }
}

#[test]
fn a_run_is_on_the_plateau_once_it_has_stayed_as_long_as_it_took_to_come() {
    // Ten lines are averaged. It comes there at step 200, and may be said to be there at step 400.
    assert_eq!(of_plateau(&made(&[(10, 9.1), (30, 6.0)])), [(200, false, 400)]);
    assert_eq!(of_plateau(&made(&[(10, 9.1), (29, 6.0)])), []);
    // Who comes sooner is waited for until the mean is of other lines.
    assert_eq!(of_plateau(&made(&[(30, 6.0)])), [(100, false, 200)]);
    // A little above counts, a little more does not.
    assert_eq!(of_plateau(&made(&[(100, 6.25)])), [(100, false, 200)]);
    assert_eq!(of_plateau(&made(&[(100, 6.35)])), []);
    assert_eq!(of_plateau(&made(&[(100, 5.65)])), []);
}

#[test]
fn the_end_of_the_plateau_is_said_once_and_a_return_too() {
    let left = [(30, 6.0), (50, 4.0)];
    assert_eq!(of_plateau(&made(&left)), [(100, false, 200), (100, true, 320)]);
    let back = [(30, 6.0), (20, 4.0), (50, 6.0)];
    assert_eq!(of_plateau(&made(&back)), [(100, false, 200), (100, true, 320), (590, false, 690)]);
    // It was never said to be there.
    assert_eq!(of_plateau(&made(&[(10, 9.1), (20, 6.0), (30, 4.0)])), []);
    // Upwards, and not by chance.
    assert_eq!(of_plateau(&made(&[(30, 6.0), (30, 6.5)])), [(100, false, 200)]);
    let lost = made(&[(30, 6.0), (30, 9.1)]);
    assert_eq!(of_plateau(&lost), [(100, false, 200), (100, true, 320)]);
}

#[test]
fn remarks_are_sentences() {
    let watch = Watch::new(Some((Predicted::Masked, 6.0)), 1000);
    let mut health = Health::default();
    let texts = |curve: &Curve, health: &mut Health| -> Vec<String> {
        curve.lines.iter().flat_map(|seen| health.take(&watch, seen)).map(|remark| remark.text).collect()
    };
    assert_eq!(
        texts(&made(&[(30, 6.06), (30, 9.1)]), &mut health),
        [
            "on the unigram plateau since step 100: the masked-LM loss is 6.06, and token frequencies alone give 6.00",
            "left the unigram plateau at step 320, where it was since step 100; the masked-LM loss is above it",
        ]
    );
}

#[test]
fn a_causal_model_is_said_to_be_on_the_plateau_by_its_own_loss() {
    let watch = Watch::new(Some((Predicted::Next, 6.0)), 1000);
    let mut health = Health::default();
    let said: Vec<Remark> =
        made(&[(30, 6.06)]).lines.iter().flat_map(|seen| health.take(&watch, seen)).collect();
    let text =
        "on the unigram plateau since step 100: the LM loss is 6.06, and token frequencies alone give 6.00";
    assert_eq!(said.iter().map(|remark| remark.text.as_str()).collect::<Vec<_>>(), [text]);
}

#[test]
fn a_discriminator_that_finds_nothing_is_said_to_once_it_is_warm() {
    let watch = Watch::new(None, 1000);
    let mut health = Health::default();
    let mut take = |step: u64, recall: f64| {
        let seen = Seen { step, is_warm: step > 50, loss: Some(6.0), recall: Some(recall) };
        health.take(&watch, &seen)
    };
    let mut remarks = Vec::new();
    for line in 1..=100 {
        remarks.extend(take(10 * line, if line <= 30 { 0.0 } else { 0.2 }));
    }
    assert_eq!(
        remarks.iter().map(|remark| (remark.since, remark.is_over, remark.step)).collect::<Vec<_>>(),
        [(150, false, 150), (150, true, 330)]
    );
    assert_eq!(remarks[0].state, RunState::CallsAllOriginal);
    assert_eq!(
        remarks[1].text,
        "the discriminator finds replaced tokens since step 330: recall is 0.06; it had called every token original \
         since step 150"
    );
    // Between the two bounds nothing changes.
    assert_eq!((1..=50).flat_map(|line| take(2000 + line, 0.03)).collect::<Vec<_>>(), []);
}

/// What is not finite is of a step that changed nothing.
#[test]
fn a_skipped_step_says_nothing() {
    let mut with_gaps = made(&[(30, 6.0), (50, 4.0)]);
    let at = |step: u64| Seen { step, is_warm: true, loss: Some(f64::NAN), recall: Some(f64::NAN) };
    let whole = said(&with_gaps);
    with_gaps.lines.splice(5..5, [at(51), at(52)]);
    with_gaps.lines.insert(0, at(1));
    assert_eq!(said(&with_gaps), whole);
    assert_eq!(whole.len(), 2);
}

/// Saved and read after every line, it says the same.
#[test]
fn what_was_seen_is_saved_with_the_run() {
    let curve = made(&[(10, 9.1), (35, 6.0), (20, 4.0)]);
    let watch = Watch::new(Some((Predicted::Masked, curve.unigram_loss)), curve.masked);
    let (mut whole, mut saved) = (Health::default(), Health::default());
    let mut count = 0;
    for seen in &curve.lines {
        let text = serde_json::to_string(&saved).unwrap();
        saved = serde_json::from_str(&text).unwrap();
        let remarks = saved.take(&watch, seen);
        assert_eq!(whole.take(&watch, seen), remarks);
        count += remarks.len();
    }
    assert_eq!(count, 2);
}

#[test]
fn means_are_over_enough_masked_tokens() {
    let lines = |masked| Watch::new(None, masked).lines;
    assert_eq!([1, 56, 320, 2500, 0].map(lines), [100, 18, 10, 10, 100]);
}
