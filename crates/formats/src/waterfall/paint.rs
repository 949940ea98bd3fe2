//! Cells of a fixed width, coloured or not.
//!
//! Width is counted roughly, one column a character, two for East Asian and emoji, none for combining marks: enough for
//! columns to line up, without a table of Unicode.

/// A text in one colour.
pub(super) struct Piece<'a> {
    pub(super) paint: Paint,
    pub(super) text: &'a str,
}

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Error,
    /// One of a few colours, the same for a service each time.
    Service(u8),
}

impl Paint {
    pub(super) fn service(name: &str) -> Self {
        // FNV-1a: any hash does, if it is the same on each run.
        let hash = name.bytes().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self::Service(SERVICE_COLOURS[hash as usize % SERVICE_COLOURS.len()])
    }

    fn code(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Error => 31,
            Self::Service(code) => code,
        }
    }
}

/// Appends the pieces, cut or filled up to exactly `width` columns.
pub(super) fn cell(out: &mut String, pieces: &[Piece<'_>], width: usize, colour: bool) {
    let needed: usize = pieces.iter().map(|piece| widths(piece.text)).sum();
    // What is cut ends in a sign that it is.
    let mut room = if needed > width { width.saturating_sub(1) } else { width };
    for piece in pieces {
        let text = prefix(piece.text, room);
        room -= widths(text);
        write_piece(out, piece.paint, text, colour);
        if text.len() < piece.text.len() {
            break;
        }
    }
    if needed > width && width > 0 {
        out.push('…');
    }
    out.extend(std::iter::repeat_n(' ', room));
}

/// How many columns a text takes.
pub(super) fn widths(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn write_piece(out: &mut String, paint: Paint, text: &str, colour: bool) {
    if !colour || paint == Paint::Plain || text.trim().is_empty() {
        out.push_str(text);
        return;
    }
    out.push_str(&format!("\x1b[{}m{text}\x1b[0m", paint.code()));
}

fn prefix(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (index, char) in text.char_indices() {
        used += width(char);
        if used > room {
            return &text[..index];
        }
    }
    text
}

fn width(char: char) -> usize {
    match u32::from(char) {
        0x300..=0x36f | 0x1ab0..=0x1aff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Cyan, green, yellow, blue, magenta and their bright relatives; red is for errors.
const SERVICE_COLOURS: [u8; 10] = [36, 32, 33, 34, 35, 96, 92, 93, 94, 95];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[&str], width: usize, expected: &str) {
        let pieces: Vec<_> = texts.iter().map(|text| Piece { paint: Paint::Plain, text }).collect();
        let mut out = String::new();
        cell(&mut out, &pieces, width, false);
        assert_eq!(out, expected);
        assert_eq!(widths(&out), width);
    }

    #[test]
    fn cells_have_their_width() {
        check(&["ab", "cd"], 6, "abcd  ");
        check(&["ab", "cd"], 4, "abcd");
        check(&["ab", "cd"], 3, "ab…");
        check(&["ab", "cd"], 2, "a…");
        check(&["ab"], 0, "");
        check(&["漢字", "x"], 5, "漢字x");
        check(&["漢字", "x"], 4, "漢… ");
        check(&["e\u{301}e"], 3, "e\u{301}e ");
    }

    #[test]
    fn colours_are_closed() {
        let mut out = String::new();
        let pieces = [Piece { paint: Paint::Error, text: "abc" }, Piece { paint: Paint::Bold, text: "def" }];
        cell(&mut out, &pieces, 5, true);
        assert_eq!(out, "\x1b[31mabc\x1b[0m\x1b[1md\x1b[0m…");
    }
}
