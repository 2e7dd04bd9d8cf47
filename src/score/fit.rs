//! Logistic regression with a ridge and a fixed offset per row, solved by limited-memory BFGS. No randomness.

/// How many steps the solver may take.
const STEPS_MAX: usize = 150;
/// How many past steps the solver remembers.
const MEMORY: usize = 8;
/// How often one step may be halved.
const HALVINGS_MAX: usize = 30;
/// The solver stops when the steepest slope is below this.
const SLOPE_MIN: f64 = 1e-4;

/// One row: its features, what is already known of it (in log-odds), the truth and how much it counts.
#[derive(Debug, Clone)]
pub struct Row {
    pub features: Vec<(u32, f32)>,
    pub offset: f64,
    pub is: bool,
    pub weight: f64,
}

/// The weights that make the truth likeliest under a ridge; `ridge[i]` is the price of weight `i`.
pub fn fit(rows: &[Row], ridge: &[f64]) -> Vec<f64> {
    let mut weights = vec![0.0; ridge.len()];
    let (mut loss, mut slope) = loss_and_slope(rows, ridge, &weights);
    let mut past: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::with_capacity(MEMORY + 1);
    for _ in 0..STEPS_MAX {
        if slope.iter().fold(0.0f64, |most, s| most.max(s.abs())) < SLOPE_MIN {
            break;
        }
        let direction = direction(&slope, &past);
        let Some((next, next_loss, next_slope)) = step(rows, ridge, &weights, loss, &slope, &direction) else { break };
        let moved = minus(&next, &weights);
        let turned = minus(&next_slope, &slope);
        let bend = dot(&moved, &turned);
        if bend > 1e-12 {
            past.push((moved, turned, 1.0 / bend));
            if past.len() > MEMORY {
                past.remove(0);
            }
        }
        (weights, loss, slope) = (next, next_loss, next_slope);
    }
    weights
}

/// The log-odds of features under weights.
pub fn log_odds(features: &[(u32, f32)], weights: &[f64]) -> f64 {
    features.iter().map(|&(i, value)| weights[i as usize] * f64::from(value)).sum()
}

/// The probability of log-odds.
pub fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

fn loss_and_slope(rows: &[Row], ridge: &[f64], weights: &[f64]) -> (f64, Vec<f64>) {
    let mut loss = 0.0;
    let mut slope: Vec<f64> = weights.iter().zip(ridge).map(|(w, r)| w * r).collect();
    for row in rows {
        let odds = log_odds(&row.features, weights) + row.offset;
        let toward = if row.is { odds } else { -odds };
        loss += row.weight * ((-toward.abs()).exp().ln_1p() + (-toward).max(0.0));
        let pull = row.weight * (probability(odds) - f64::from(u8::from(row.is)));
        for &(i, value) in &row.features {
            slope[i as usize] += pull * f64::from(value);
        }
    }
    let price: f64 = weights.iter().zip(ridge).map(|(w, r)| w * w * r).sum();
    (loss + price / 2.0, slope)
}

/// The two-loop recursion: the slope bent by what past steps taught about the ground.
fn direction(slope: &[f64], past: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut way: Vec<f64> = slope.iter().map(|s| -s).collect();
    let mut shares = Vec::with_capacity(past.len());
    for (moved, turned, inverse) in past.iter().rev() {
        let share = inverse * dot(moved, &way);
        add(&mut way, turned, -share);
        shares.push(share);
    }
    if let Some((_, turned, inverse)) = past.last() {
        let scale = 1.0 / (inverse * dot(turned, turned));
        way.iter_mut().for_each(|w| *w *= scale);
    }
    for ((moved, turned, inverse), share) in past.iter().zip(shares.iter().rev()) {
        let back = inverse * dot(turned, &way);
        add(&mut way, moved, share - back);
    }
    way
}

/// The first point along the way, halving from a full step, that is enough of an improvement.
fn step(
    rows: &[Row],
    ridge: &[f64],
    weights: &[f64],
    loss: f64,
    slope: &[f64],
    way: &[f64],
) -> Option<(Vec<f64>, f64, Vec<f64>)> {
    let descent = dot(slope, way);
    let mut length = 1.0;
    for _ in 0..HALVINGS_MAX {
        let mut next = weights.to_vec();
        add(&mut next, way, length);
        let (next_loss, next_slope) = loss_and_slope(rows, ridge, &next);
        if next_loss <= loss + 1e-4 * length * descent {
            return Some((next, next_loss, next_slope));
        }
        length /= 2.0;
    }
    None
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn add(to: &mut [f64], what: &[f64], times: f64) {
    to.iter_mut().zip(what).for_each(|(t, w)| *t += times * w);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_match_the_odds_of_the_rows() {
        let (yes, no) = ([(0, 1.0), (1, 1.0)], [(0, 1.0)]);
        let row = |features: &[(u32, f32)], is| Row { features: features.to_vec(), offset: 0.0, is, weight: 1.0 };
        let mut rows = vec![row(&yes, true); 30];
        rows.extend(vec![row(&yes, false); 10]);
        rows.extend(vec![row(&no, true); 10]);
        rows.extend(vec![row(&no, false); 10]);
        let weights = fit(&rows, &[1e-9, 1e-9]);
        assert!(weights[0].abs() < 1e-3, "{weights:?}");
        assert!((weights[1] - 3f64.ln()).abs() < 1e-3, "{weights:?}");
    }
}
