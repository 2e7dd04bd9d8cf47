//! How good probabilities are against the truth: precision, recall, ranking and calibration.

/// The number of equal bins in which calibration is compared.
const CALIBRATION_BINS: usize = 10;

/// One judged pair: what was said and what is true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The probability given.
    pub probability: f64,
    /// The yes or no given.
    pub said: bool,
    /// The truth.
    pub is: bool,
    /// The post it belongs to: pairs of one post have the same number.
    pub post: usize,
}

impl Outcome {
    /// A probability that says yes from one half on.
    #[must_use]
    pub fn at_half(probability: f64, is: bool, post: usize) -> Self {
        Self { probability, said: probability >= 0.5, is, post }
    }
}

/// The figures of a table.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Figures {
    /// How many pairs.
    pub n: usize,
    /// How many are true.
    pub positives: usize,
    /// Of those said yes to, the share that is true.
    pub precision: f64,
    /// Of those that are true, the share said yes to.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// The mean of F1 for yes and F1 for no.
    pub macro_f1: f64,
    /// The chance that a true pair is ranked above a false one.
    pub roc_auc: f64,
    /// The area under the precision and recall curve, by steps.
    pub average_precision: f64,
    /// The highest recall at which precision is still at least nine in ten.
    pub recall_at_90_precision: f64,
    /// The mean gap between what was promised and what came, over ten bins.
    pub calibration_error: f64,
    /// The share judged right among pairs of posts whose providers have opposite truths.
    pub opposite_accuracy: Option<f64>,
}

/// Measures outcomes. The order of the outcomes does not matter.
#[must_use]
pub fn figures(outcomes: &[Outcome]) -> Figures {
    let positives = count(outcomes, |o| o.is);
    let both = count(outcomes, |o| o.is && o.said);
    let said = count(outcomes, |o| o.said);
    let neither = count(outcomes, |o| !o.is && !o.said);
    let n = outcomes.len();
    let f1 = harmonic(both, said, positives);
    let (average_precision, recall_at_90_precision) = ranking(outcomes, positives);
    Figures {
        n,
        positives,
        precision: share(both, said),
        recall: share(both, positives),
        f1,
        macro_f1: f64::midpoint(f1, harmonic(neither, n - said, n - positives)),
        roc_auc: roc_auc(outcomes, positives),
        average_precision,
        recall_at_90_precision,
        calibration_error: calibration_error(outcomes),
        opposite_accuracy: opposite_accuracy(outcomes),
    }
}

fn count(outcomes: &[Outcome], holds: impl Fn(&Outcome) -> bool) -> usize {
    outcomes.iter().filter(|o| holds(o)).count()
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows in a file")]
const fn number(count: usize) -> f64 {
    count as f64
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { number(part) / number(whole) }
}

fn harmonic(both: usize, said: usize, are: usize) -> f64 {
    share(2 * both, said + are)
}

/// Outcomes from the most to the least probable, in groups of equal probability: (true ones, all) of each.
fn groups(outcomes: &[Outcome]) -> Vec<(usize, usize)> {
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let alike = sorted.chunk_by(|a, b| a.probability.total_cmp(&b.probability).is_eq());
    alike.map(|group| (group.iter().filter(|o| o.is).count(), group.len())).collect()
}

fn ranking(outcomes: &[Outcome], positives: usize) -> (f64, f64) {
    let (mut hits, mut seen, mut area, mut recall_at_90) = (0, 0, 0.0, 0.0f64);
    for (are, all) in groups(outcomes) {
        hits += are;
        seen += all;
        let precision = share(hits, seen);
        area += share(are, positives) * precision;
        if precision >= 0.9 {
            recall_at_90 = recall_at_90.max(share(hits, positives));
        }
    }
    (area, recall_at_90)
}

fn roc_auc(outcomes: &[Outcome], positives: usize) -> f64 {
    let negatives = outcomes.len() - positives;
    if positives == 0 || negatives == 0 {
        return 0.0;
    }
    let (mut below, mut area) = (negatives, 0.0);
    for (are, all) in groups(outcomes) {
        let are_not = all - are;
        below -= are_not;
        area += number(are) * (number(below) + number(are_not) / 2.0);
    }
    area / (number(positives) * number(negatives))
}

fn calibration_error(outcomes: &[Outcome]) -> f64 {
    let mut bins = [(0usize, 0.0, 0usize); CALIBRATION_BINS];
    for outcome in outcomes {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nought and ten")]
        let bin = ((outcome.probability * number(CALIBRATION_BINS)) as usize).min(CALIBRATION_BINS - 1);
        bins[bin].0 += 1;
        bins[bin].1 += outcome.probability;
        bins[bin].2 += usize::from(outcome.is);
    }
    let gaps = bins.iter().map(|&(_, promised, came)| (promised - number(came)).abs());
    gaps.sum::<f64>() / number(outcomes.len()).max(1.0)
}

fn opposite_accuracy(outcomes: &[Outcome]) -> Option<f64> {
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by_key(|o| o.post);
    let opposite = sorted.chunk_by(|a, b| a.post == b.post).filter(|post| post.iter().any(|o| o.is != post[0].is));
    let (mut right, mut all) = (0, 0);
    for post in opposite {
        all += post.len();
        right += post.iter().filter(|o| o.said == o.is).count();
    }
    (all > 0).then(|| share(right, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_agree_with_a_case_done_by_hand() {
        let outcomes = [(0.9, true, 1), (0.8, false, 1), (0.7, true, 2), (0.2, false, 3), (0.1, true, 4)]
            .map(|(p, is, post)| Outcome::at_half(p, is, post));
        let all = figures(&outcomes);
        assert_eq!((all.n, all.positives), (5, 3));
        for (name, got, want) in [
            ("precision", all.precision, 2.0 / 3.0),
            ("recall", all.recall, 2.0 / 3.0),
            ("f1", all.f1, 2.0 / 3.0),
            ("macro f1", all.macro_f1, (2.0 / 3.0 + 0.5) / 2.0),
            ("auc", all.roc_auc, 3.0 / 6.0),
            ("ap", all.average_precision, (1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0),
            ("r90", all.recall_at_90_precision, 1.0 / 3.0),
            ("ece", all.calibration_error, (0.1 + 0.8 + 0.3 + 0.2 + 0.9) / 5.0),
            ("opposite", all.opposite_accuracy.unwrap(), 0.5),
        ] {
            assert!((got - want).abs() < 1e-9, "{name}: {got} is not {want}");
        }
    }
}
