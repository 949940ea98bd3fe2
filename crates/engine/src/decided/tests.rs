//! What is recalled, what is forgotten and when.

use super::*;

const HOLD: Duration = Duration::from_secs(600);
const SECOND: u64 = 1_000_000_000;

fn hashes(n: u64) -> (u64, u64) {
    let mix = |x: u64| {
        let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    };
    (mix(n), mix(n ^ 0xdead_beef_0000_0000))
}

#[test]
fn verdicts_are_recalled_and_others_are_not() {
    let mut decided = Decided::new(HOLD, 64 << 20, Most::default());
    for n in 0..100_000 {
        let (position, tag) = hashes(n);
        let what = if n % 10 == 0 { Remembered::Kept(n) } else { Remembered::SampledOut };
        decided.remember(position, tag, what, SECOND);
    }
    assert_eq!(decided.len(), 100_000);
    for n in 0..100_000 {
        let (position, tag) = hashes(n);
        let what = if n % 10 == 0 { Remembered::Kept(n) } else { Remembered::SampledOut };
        assert_eq!(decided.recall(position, tag, 300 * SECOND), Some(what));
    }
    let unseen = (100_000..1_000_000u64).map(hashes);
    assert_eq!(unseen.filter(|(position, tag)| decided.recall(*position, *tag, SECOND).is_some()).count(), 0);
    assert!(decided.bytes() < 100_000 * 24, "{} bytes", decided.bytes());
}

#[test]
fn old_verdicts_are_forgotten_and_their_memory_given_back() {
    let mut decided = Decided::new(HOLD, 64 << 20, Most::default());
    let mut now = SECOND;
    for n in 0..50_000 {
        let (position, tag) = hashes(n);
        decided.remember(position, tag, Remembered::SampledOut, now);
    }
    let (position, tag) = hashes(7);
    assert_eq!(decided.recall(position, tag, now + 599 * SECOND), Some(Remembered::SampledOut));
    assert_eq!(decided.recall(position, tag, now + 606 * SECOND), None);
    for _ in 0..12_000 {
        now += SECOND / 10;
        decided.sweep(now);
    }
    assert_eq!((decided.len(), decided.bytes()), (0, 0));
    assert_eq!(decided.forgotten_early(), 0);
}

#[test]
fn a_full_memory_forgets_the_oldest_and_counts_it() {
    let limit = 256 << 10;
    let mut decided = Decided::new(HOLD, limit, Most::default());
    for n in 0..200_000u64 {
        let (position, tag) = hashes(n);
        decided.remember(position, tag, Remembered::SampledOut, n * SECOND / 1_000);
    }
    let now = 200 * SECOND;
    assert!(decided.bytes() <= limit);
    assert!(decided.forgotten_early() > 150_000);
    let known = |n| {
        let (position, tag) = hashes(n);
        decided.recall(position, tag, now).is_some()
    };
    let recent = (195_000..200_000).filter(|n| known(*n)).count();
    let oldest = (0..5_000).filter(|n| known(*n)).count();
    assert!(recent > 4_900 && oldest == 0, "{recent} recent and {oldest} old verdicts are known");
    assert_eq!(decided.len() as u64 + decided.forgotten_early(), 200_000);
}

#[test]
fn a_number_of_verdicts_bounds_its_side_and_the_first_is_forgotten_first() {
    let most = Most { kept: Some(1_000), sampled_out: None };
    let mut decided = Decided::new(HOLD, 64 << 20, most);
    for n in 0..20_000u64 {
        let (position, tag) = hashes(n);
        decided.remember(position, tag, Remembered::Kept(n), SECOND);
        let (position, tag) = hashes(n + 100_000);
        decided.remember(position, tag, Remembered::SampledOut, SECOND);
    }
    let recall = |n| {
        let (position, tag) = hashes(n);
        decided.recall(position, tag, SECOND)
    };
    for n in 0..20_000 {
        assert_eq!(recall(n), (n >= 19_000).then_some(Remembered::Kept(n)), "{n}");
        assert_eq!(recall(n + 100_000), Some(Remembered::SampledOut));
    }
    assert_eq!((decided.len(), decided.forgotten_early()), (21_000, 19_000));
}

#[test]
fn an_age_is_at_least_what_is_told() {
    let mut decided = Decided::new(HOLD, 64 << 20, Most::default());
    let (position, tag) = hashes(3);
    decided.remember(position, tag, Remembered::SampledOut, 1_000 * SECOND);
    assert_eq!(decided.age_ns(position, tag, 1_000 * SECOND), Some(0));
    let age_ns = decided.age_ns(position, tag, 1_060 * SECOND).unwrap();
    assert!((55 * SECOND..=60 * SECOND).contains(&age_ns), "{age_ns}");
    assert_eq!(decided.age_ns(hashes(4).0, hashes(4).1, 1_000 * SECOND), None);
}

#[test]
fn what_is_remembered_stays_when_settings_change() {
    for (before, after) in [(600, 60), (60, 600), (600, 7_000), (600, 600), (1, 86_400)] {
        let hold = Duration::from_secs;
        let begin = 1_000_000 * SECOND;
        let mut decided = Decided::new(hold(before), 64 << 20, Most::default());
        for n in 0..1_000 {
            let (position, tag) = hashes(n);
            decided.remember(position, tag, Remembered::Kept(n), begin);
        }
        let changed = begin + before * SECOND / 2;
        decided.change(hold(after), 64 << 20, Most::default(), changed);
        // It is older than it was, by the steps in which time is counted.
        let step_s = |hold_s: u64| hold_s.div_ceil(EPOCHS_HELD) + 1;
        let (position, tag) = hashes(7);
        for passed_s in [0, 1, 20, 59, 70, 500, 650, 6_000, 7_300, 80_000, 90_000] {
            let age_s = before / 2 + passed_s;
            let recalled = decided.recall(position, tag, changed + passed_s * SECOND);
            let margin = step_s(before) + 2 * step_s(after);
            if age_s + margin <= after {
                assert_eq!(recalled, Some(Remembered::Kept(7)), "{before} {after} {passed_s}");
            } else if age_s > after + margin && age_s < after * 9 / 5 {
                // Later a stored byte could be taken for a younger one, had nobody swept.
                assert_eq!(recalled, None, "{before} {after} {passed_s}");
            }
        }
    }
}

#[test]
fn a_number_of_verdicts_can_change() {
    let most = |kept| Most { kept, sampled_out: None };
    let mut decided = Decided::new(HOLD, 64 << 20, most(Some(1_000)));
    let remember = |decided: &mut Decided, range: std::ops::Range<u64>| {
        for n in range {
            let (position, tag) = hashes(n);
            decided.remember(position, tag, Remembered::Kept(n), SECOND);
        }
        decided.len()
    };
    assert_eq!(remember(&mut decided, 0..2_000), 1_000);
    decided.change(HOLD, 64 << 20, most(Some(100)), SECOND);
    assert_eq!(remember(&mut decided, 2_000..2_001), 1_001 - 64, "a few at a time");
    assert_eq!(remember(&mut decided, 2_001..2_100), 100);
    decided.change(HOLD, 64 << 20, most(None), SECOND);
    assert_eq!(remember(&mut decided, 2_100..3_000), 1_000);
    decided.change(HOLD, 64 << 20, most(Some(10)), SECOND);
    assert_eq!(remember(&mut decided, 3_000..3_100), 1_010, "what was not counted stays until it is too old");
}
