//! Where spans lie between the beginning and the end of the trace, in half columns: `╺━━╸`.

use super::{OwnedSpan, text::duration};

/// The time that the width of a bar stands for. Services whose clocks differ stretch it; nothing is moved.
pub(super) struct Scale {
    /// First start and last end of the spans whose times are known.
    period: Option<(u64, u64)>,
}

impl Scale {
    pub(super) fn of(spans: &[OwnedSpan]) -> Self {
        let periods = || spans.iter().filter_map(OwnedSpan::period);
        let start_ns = periods().map(|(start_ns, _)| start_ns).min();
        let end_ns = periods().map(|(_, end_ns)| end_ns).max();
        Self { period: start_ns.zip(end_ns) }
    }

    /// How long the trace took.
    pub(super) fn total(&self) -> String {
        self.period.map_or_else(|| "?".into(), |(start_ns, end_ns)| duration(end_ns - start_ns))
    }

    /// A bar of `width` columns with the given periods; each is at least half a column.
    pub(super) fn bar(&self, periods: impl Iterator<Item = (u64, u64)>, width: usize) -> String {
        let Some((first_ns, last_ns)) = self.period else { return String::new() };
        let halves_len = 2 * width;
        let total_ns = u128::from(last_ns - first_ns).max(1);
        let scaled = |ns: u64, round_up: bool| {
            let product = u128::from(ns.saturating_sub(first_ns)) * halves_len as u128;
            let half = if round_up { product.div_ceil(total_ns) } else { product / total_ns };
            usize::try_from(half).unwrap_or(halves_len).min(halves_len)
        };
        let mut halves = vec![false; halves_len];
        for (start_ns, end_ns) in periods {
            let start = scaled(start_ns, false).min(halves_len.saturating_sub(1));
            let end = scaled(end_ns, true).max(start + 1).min(halves_len);
            if let Some(part) = halves.get_mut(start..end) {
                part.fill(true);
            }
        }
        let (columns, _) = halves.as_chunks::<2>();
        columns
            .iter()
            .map(|column| match column {
                [false, false] => ' ',
                [true, false] => '╸',
                [false, true] => '╺',
                [true, true] => '━',
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        let scale = Scale { period: Some((100, 200)) };
        let cases: [(&[(u64, u64)], &str); 8] = [
            (&[(100, 200)], "━━━━━━━━━━"),
            (&[(105, 110)], "╺         "),
            (&[(100, 100)], "╸         "),
            (&[(200, 200)], "         ╺"),
            (&[(115, 155)], " ╺━━━╸    "),
            (&[(100, 105), (190, 200)], "╸        ━"),
            (&[(0, 50)], "╸         "),
            (&[(0, u64::MAX)], "━━━━━━━━━━"),
        ];
        for (periods, expected) in cases {
            assert_eq!(scale.bar(periods.iter().copied(), 10), expected, "{periods:?}");
        }
        assert_eq!(Scale { period: Some((0, u64::MAX)) }.bar([(1 << 63, u64::MAX)].into_iter(), 10), "     ━━━━━");
        assert_eq!(Scale { period: Some((7, 7)) }.bar([(7, 7)].into_iter(), 3), "╸  ");
        assert_eq!(Scale { period: None }.bar([(7, 7)].into_iter(), 3), "");
        assert_eq!(Scale { period: None }.total(), "?");
    }
}
