//! Commands of Redis and Valkey, one a line, with a `?` for each value.

use super::database::trim;

/// What stands for the arguments of a command.
enum Hidden {
    /// All of them are one `?`.
    All,
    /// This one.
    One(usize),
    /// One `?` stands for all from the second one on.
    Rest,
    /// The last one of each so many, from one on.
    Each {
        from: usize,
        step: usize,
    },
    Nothing,
}

/// The commands with `?` for values; blanks between arguments become one.
pub(super) fn form(text: &[u8]) -> Vec<u8> {
    let mut reader = Reader { text: trim(text), at: None, byte: 0, is_done: false, in_arguments: false };
    let (mut out, mut command, mut arguments) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match reader.token() {
            Token::Command(token) => {
                if !command.is_empty() {
                    put(&command, &mut arguments, &mut out);
                    out.push(b'\n');
                }
                command = token;
                arguments.clear();
            }
            Token::Argument(token) => arguments.push(token),
        }
        if reader.is_done {
            put(&command, &mut arguments, &mut out);
            return out;
        }
    }
}

fn put(command: &[u8], arguments: &mut Vec<Vec<u8>>, out: &mut Vec<u8>) {
    out.extend_from_slice(command);
    if arguments.is_empty() {
        return;
    }
    out.push(b' ');
    let hide = |argument: Option<&mut Vec<u8>>| {
        if let Some(argument) = argument {
            *argument = b"?".to_vec();
        }
    };
    match hidden(&command.to_ascii_uppercase(), arguments) {
        Hidden::Nothing => {}
        Hidden::All => {
            hide(arguments.first_mut());
            arguments.truncate(1);
        }
        Hidden::One(index) => hide(arguments.get_mut(index)),
        Hidden::Rest => {
            hide(arguments.get_mut(1));
            arguments.truncate(2);
        }
        Hidden::Each { from, step } => {
            arguments.iter_mut().skip(from + step - 1).step_by(step).for_each(|argument| hide(Some(argument)));
        }
    }
    out.extend_from_slice(&arguments.join(&b' '));
}

fn hidden(command: &[u8], arguments: &[Vec<u8>]) -> Hidden {
    match command {
        b"AUTH" => Hidden::All,
        b"APPEND" | b"GETSET" | b"LPUSHX" | b"GEORADIUSBYMEMBER" | b"RPUSHX" | b"SET" | b"SETNX" | b"SISMEMBER"
        | b"ZRANK" | b"ZREVRANK" | b"ZSCORE" => Hidden::One(1),
        b"HSETNX" | b"LREM" | b"LSET" | b"SETBIT" | b"SETEX" | b"PSETEX" | b"SETRANGE" | b"ZINCRBY" | b"SMOVE"
        | b"RESTORE" => Hidden::One(2),
        b"LINSERT" => Hidden::One(3),
        b"GEOHASH" | b"GEOPOS" | b"GEODIST" | b"LPUSH" | b"RPUSH" | b"SREM" | b"ZREM" | b"SADD" => Hidden::Rest,
        b"GEOADD" => Hidden::Each { from: 1, step: 3 },
        b"HSET" | b"HMSET" => Hidden::Each { from: 1, step: 2 },
        b"MSET" | b"MSETNX" => Hidden::Each { from: 0, step: 2 },
        b"CONFIG" if arguments.first().is_some_and(|first| first.eq_ignore_ascii_case(b"SET")) => Hidden::One(2),
        b"BITFIELD" => bit_field(arguments).map_or(Hidden::Nothing, Hidden::One),
        b"ZADD" => {
            let is_option = |argument: &Vec<u8>| matches!(&**argument, b"NX" | b"XX" | b"CH" | b"INCR");
            let first = arguments.iter().enumerate().skip(1).find(|(_, argument)| !is_option(argument));
            Hidden::Each { from: first.map_or(arguments.len() - 1, |(index, _)| index), step: 2 }
        }
        _ => Hidden::Nothing,
    }
}

/// The value of the first `SET` that has one.
fn bit_field(arguments: &[Vec<u8>]) -> Option<usize> {
    let mut set = 0;
    for (index, argument) in arguments.iter().enumerate() {
        if argument.eq_ignore_ascii_case(b"SET") {
            set = index;
        }
        if set > 0 && index - set == 3 {
            return Some(index);
        }
    }
    None
}

enum Token {
    Command(Vec<u8>),
    Argument(Vec<u8>),
}

struct Reader<'a> {
    text: &'a [u8],
    /// Where `byte` stands.
    at: Option<usize>,
    byte: u8,
    is_done: bool,
    in_arguments: bool,
}

impl Reader<'_> {
    fn next(&mut self) {
        let at = self.at.map_or(0, |at| at + 1);
        self.at = Some(at);
        match self.text.get(at) {
            Some(byte) => self.byte = *byte,
            None => self.is_done = true,
        }
    }

    fn token(&mut self) -> Token {
        if self.in_arguments { Token::Argument(self.argument()) } else { Token::Command(self.command()) }
    }

    fn command(&mut self) -> Vec<u8> {
        let mut token = Vec::new();
        let mut has_started = false;
        loop {
            self.next();
            match self.byte {
                _ if self.is_done => return token,
                b' ' if !has_started => self.skip_space(),
                b' ' => {
                    self.in_arguments = true;
                    self.skip_space();
                    return token;
                }
                b'\n' => return token,
                byte => token.push(byte),
            }
            has_started = true;
        }
    }

    fn argument(&mut self) -> Vec<u8> {
        let mut token = Vec::new();
        let (mut is_quoted, mut is_escaped) = (false, false);
        loop {
            self.next();
            match self.byte {
                _ if self.is_done => return token,
                b'\n' if !is_quoted => {
                    self.in_arguments = false;
                    return token;
                }
                b' ' if !is_quoted => {
                    self.skip_space();
                    return token;
                }
                byte => {
                    token.push(byte);
                    is_quoted ^= byte == b'"' && !is_escaped;
                    is_escaped = byte == b'\\' && !is_escaped;
                }
            }
        }
    }

    /// To the last blank, or onto the end of the line.
    fn skip_space(&mut self) {
        while matches!(self.byte, b' ' | b'\t') || self.byte == b'\r' && !self.is_done {
            if self.is_done {
                return;
            }
            self.next();
        }
        if self.byte == b'\n' {
            self.in_arguments = false;
        } else if let Some(at) = self.at.filter(|at| *at >= 1) {
            self.at = Some(at - 1);
            self.byte = self.text.get(at - 1).copied().unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden() {
        for (text, expected) in [
            ("", ""),
            ("AUTH my-secret-password", "AUTH ?"),
            ("AUTH user secret", "AUTH ?"),
            ("APPEND key value", "APPEND key ?"),
            ("SET key value EX 5", "SET key ? EX 5"),
            ("set \"a b\" \"c \\\" d\"  x", "set \"a b\" ? x"),
            ("LINSERT key BEFORE pivot value", "LINSERT key BEFORE pivot ?"),
            ("SADD key a b c", "SADD key ?"),
            ("GEOADD key 1 2 m 3 4 n", "GEOADD key 1 2 ? 3 4 ?"),
            ("HMSET key f v g w", "HMSET key f ? g ?"),
            ("MSET a 1 b 2", "MSET a ? b ?"),
            ("CONFIG SET parameter value", "CONFIG SET parameter ?"),
            ("CONFIG GET parameter value", "CONFIG GET parameter value"),
            ("BITFIELD key GET u4 0 SET u8 100 200", "BITFIELD key GET u4 0 SET u8 100 ?"),
            ("ZADD key NX 1 a 2 b", "ZADD key NX 1 ? 2 ?"),
            ("GET k", "GET k"),
            ("SET a 1\nGET b\n\nSET c 2", "SET a ?\nGET b\nSET c ?"),
            ("GET", "GET"),
        ] {
            assert_eq!(String::from_utf8_lossy(&form(text.as_bytes())), expected, "{text}");
        }
    }
}
