//! XML text as tokens, by the rules of Go's strict decoder: start and end tags must match, entities are the five of XML and
//! numbers, there is no document type to resolve, and text is UTF-8. Elements may nest only [`DEPTH_MAX`] deep.

/// Deeper documents are refused, because trees and values are walked recursively.
const DEPTH_MAX: usize = 128;

/// A name with its prefix, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) prefix: Vec<u8>,
    pub(super) local: Vec<u8>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: Name,
    pub(super) value: Vec<u8>,
}

/// A piece of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    Start(Name, Vec<Attribute>),
    End,
    Text(Vec<u8>),
    Cdata(Vec<u8>),
    Comment(Vec<u8>),
    /// `<?target text?>`.
    Instruction(Vec<u8>, Vec<u8>),
    /// `<!text>`.
    Directive(Vec<u8>),
}

/// Reads tokens.
pub(super) struct Scanner<'t> {
    rest: &'t [u8],
    open: Vec<Name>,
    /// Whether the last tag closed itself.
    is_closing: bool,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { rest: text, open: Vec::new(), is_closing: false }
    }

    /// Whether nothing follows.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty() && !self.is_closing
    }

    /// The next token; `None` at the end of a whole document.
    pub(super) fn next(&mut self) -> Result<Option<Token>, &'static str> {
        if std::mem::take(&mut self.is_closing) {
            self.open.pop();
            return Ok(Some(Token::End));
        }
        if self.rest.is_empty() {
            return if self.open.is_empty() { Ok(None) } else { Err("an element of XML does not end") };
        }
        let token = if self.take(b"</") {
            self.end()?
        } else if self.take(b"<?") {
            self.instruction()?
        } else if self.take(b"<!--") {
            self.comment()?
        } else if self.take(b"<![CDATA[") {
            Token::Cdata(normalized(self.until(b"]]>")?)?)
        } else if self.take(b"<!") {
            self.directive()?
        } else if self.take(b"<") {
            self.start()?
        } else {
            let end = self.rest.iter().position(|byte| *byte == b'<').unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            if find(text, b"]]>").is_some() {
                return Err("`]]>` in the text of XML");
            }
            Token::Text(unescaped(text)?)
        };
        Ok(Some(token))
    }

    fn start(&mut self) -> Result<Token, &'static str> {
        let name = self.name()?;
        let mut attributes = Vec::new();
        loop {
            self.skip_space();
            if self.take(b"/>") {
                self.is_closing = true;
                break;
            }
            if self.take(b">") {
                break;
            }
            attributes.push(self.attribute()?);
        }
        if self.open.len() == DEPTH_MAX {
            return Err("the XML document nests too deep");
        }
        self.open.push(name.clone());
        Ok(Token::Start(name, attributes))
    }

    fn attribute(&mut self) -> Result<Attribute, &'static str> {
        let name = self.name()?;
        self.skip_space();
        if !self.take(b"=") {
            return Err("an attribute of XML has no value");
        }
        self.skip_space();
        let quote: &[u8] = if self.take(b"\"") {
            b"\""
        } else if self.take(b"'") {
            b"'"
        } else {
            return Err("a value of XML has no quotes");
        };
        let value = self.until(quote)?;
        if value.contains(&b'<') {
            return Err("`<` in a value of XML");
        }
        Ok(Attribute { name, value: unescaped(value)? })
    }

    fn end(&mut self) -> Result<Token, &'static str> {
        let name = self.name()?;
        self.skip_space();
        if !self.take(b">") {
            return Err("an end tag of XML does not end");
        }
        if self.open.pop() == Some(name) { Ok(Token::End) } else { Err("an end tag of XML does not fit its start tag") }
    }

    fn instruction(&mut self) -> Result<Token, &'static str> {
        let target = self.raw_name()?.to_vec();
        self.skip_space();
        let text = self.until(b"?>")?;
        if target == b"xml" {
            let value = |key: &[u8]| pseudo_attribute(text, key).unwrap_or_default();
            if !matches!(value(b"version"), b"" | b"1.0") {
                return Err("only version 1.0 of XML is known");
            }
            if !value(b"encoding").is_empty() && !value(b"encoding").eq_ignore_ascii_case(b"utf-8") {
                return Err("only XML in UTF-8 is known");
            }
        }
        Ok(Token::Instruction(target, text.to_vec()))
    }

    fn comment(&mut self) -> Result<Token, &'static str> {
        let text = self.until(b"--")?;
        if self.take(b">") { Ok(Token::Comment(text.to_vec())) } else { Err("`--` in a comment of XML") }
    }

    /// A directive ends at the `>` that belongs to its `<`; quotes hide both.
    fn directive(&mut self) -> Result<Token, &'static str> {
        let (mut depth, mut quote) = (0usize, None);
        for (index, byte) in self.rest.iter().enumerate() {
            match (quote, byte) {
                (Some(open), _) if open == *byte => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(*byte),
                (None, b'<') => depth += 1,
                (None, b'>') if depth == 0 => {
                    let text = self.rest[..index].to_vec();
                    self.rest = &self.rest[index + 1..];
                    return Ok(Token::Directive(text));
                }
                (None, b'>') => depth -= 1,
                _ => {}
            }
        }
        Err("a directive of XML does not end")
    }

    fn name(&mut self) -> Result<Name, &'static str> {
        let name = self.raw_name()?;
        let mut parts = name.split(|byte| *byte == b':');
        let whole = || Name { prefix: Vec::new(), local: name.to_vec() };
        match (parts.next(), parts.next(), parts.next()) {
            (_, _, Some(_)) => Err("a name of XML has two colons"),
            (Some(prefix), Some(local), None) if !prefix.is_empty() && !local.is_empty() => {
                Ok(Name { prefix: prefix.to_vec(), local: local.to_vec() })
            }
            _ => Ok(whole()),
        }
    }

    fn raw_name(&mut self) -> Result<&'t [u8], &'static str> {
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80 || b"_:".contains(&byte);
        let is_part = |byte: &u8| is_letter(*byte) || byte.is_ascii_digit() || b".-".contains(byte);
        let len = self.rest.iter().take_while(|byte| is_part(byte)).count();
        let (name, rest) = self.rest.split_at(len);
        if !name.first().is_some_and(|byte| is_letter(*byte)) || std::str::from_utf8(name).is_err() {
            return Err("no name where XML needs one");
        }
        self.rest = rest;
        Ok(name)
    }

    fn until(&mut self, end: &[u8]) -> Result<&'t [u8], &'static str> {
        let at = find(self.rest, end).ok_or("the XML document breaks off")?;
        let text = &self.rest[..at];
        self.rest = &self.rest[at + end.len()..];
        Ok(text)
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn take(&mut self, expected: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The value of `key="value"` in an instruction.
fn pseudo_attribute<'t>(text: &'t [u8], key: &[u8]) -> Option<&'t [u8]> {
    let after = &text[find(text, key)? + key.len()..];
    let after = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, after) = after.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    Some(&after[..after.iter().position(|byte| byte == quote)?])
}

/// Characters that XML may have, with all line ends `\n`.
fn normalized(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "XML that is not UTF-8")?;
    if !text.chars().all(is_character) {
        return Err("a character that XML cannot have");
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n").into_bytes())
}

fn is_character(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The same with entities replaced.
fn unescaped(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let text = normalized(text)?;
    let mut parts = text.split(|byte| *byte == b'&');
    let mut out = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let end = part.iter().position(|byte| *byte == b';').ok_or("an entity of XML does not end")?;
        let char = entity(&part[..end]).filter(|char| is_character(*char)).ok_or("an unknown entity of XML")?;
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        out.extend_from_slice(&part[end + 1..]);
    }
    Ok(out)
}

fn entity(name: &[u8]) -> Option<char> {
    match name {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"apos" => Some('\''),
        b"quot" => Some('"'),
        _ => {
            let digits = std::str::from_utf8(name.strip_prefix(b"#")?).ok()?;
            let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |digits| (digits, 16));
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)
        }
    }
}
