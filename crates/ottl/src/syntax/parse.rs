//! Recursive descent over the tokens, to a bounded depth.

use super::{
    token::{Token, TokenKind, tokens},
    tree::{Argument, Arithmetic, Call, Key, KeyKind, Node, NodeKind, Path, Segment, Statement},
};
use crate::error::SyntaxError;
use std::ops::Range;

/// Longer conditions are refused.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// How deep parentheses, brackets and calls may nest.
const DEPTH_MAX: u32 = 64;

/// The tree of a condition.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the condition is longer than {TEXT_BYTES_MAX} bytes");
        return Err(SyntaxError { at: 0..text.len(), message });
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, subject: "condition" };
    let condition = parser.or()?;
    match parser.peek() {
        TokenKind::End => parser.condition(condition),
        _ => Err(parser.trailing()),
    }
}

/// The tree of a statement.
pub(crate) fn parse_statement(text: &str) -> Result<Statement, SyntaxError> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the statement is longer than {TEXT_BYTES_MAX} bytes");
        return Err(SyntaxError { at: 0..text.len(), message });
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, subject: "statement" };
    let editor = parser.editor()?;
    let mut condition = None;
    if *parser.peek() == TokenKind::Lower && &text[parser.at()] == "where" {
        parser.advance();
        let node = parser.or()?;
        condition = Some(parser.condition(node)?);
    }
    match parser.peek() {
        TokenKind::End => Ok(Statement { editor, condition }),
        _ if condition.is_none() => Err(parser.expected("`where` or the end")),
        _ => Err(parser.trailing()),
    }
}

type Parsed<T> = Result<T, SyntaxError>;

struct Parser<'t> {
    text: &'t str,
    /// Ends with [`TokenKind::End`], which is never passed.
    tokens: Vec<Token>,
    next: usize,
    depth: u32,
    /// What is read, in messages.
    subject: &'static str,
}

impl Parser<'_> {
    fn editor(&mut self) -> Parsed<Call> {
        let start = self.at().start;
        let (name, words) = self.glued();
        let is_lower = *self.peek() == TokenKind::Lower;
        if words == 0 {
            return Err(self.expected("an editor such as `set(…)`"));
        }
        self.next += words;
        let name_at = start..self.end();
        if !is_lower {
            let message = format!("`{name}` is no editor, their names begin with a lower-case letter");
            return Err(SyntaxError { at: name_at, message });
        }
        self.expect(&TokenKind::Open, &format!("`(` after `{name}`"))?;
        let arguments = self.arguments()?;
        if *self.peek() == TokenKind::BracketOpen {
            return Err(self.error(&format!("`{name}` is an editor, it gives nothing that can be indexed")));
        }
        Ok(Call { name, name_at, arguments, keys: Vec::new() })
    }

    fn or(&mut self) -> Parsed<Node> {
        self.joined(&TokenKind::Or, NodeKind::Or, Self::and)
    }

    fn and(&mut self) -> Parsed<Node> {
        self.joined(&TokenKind::And, NodeKind::And, Self::negation)
    }

    /// Operands between words; the operand itself where there is no word.
    fn joined(
        &mut self,
        word: &TokenKind,
        join: fn(Vec<Node>) -> NodeKind,
        operand: fn(&mut Self) -> Parsed<Node>,
    ) -> Parsed<Node> {
        let first = operand(self)?;
        if self.peek() != word {
            return Ok(first);
        }
        let mut operands = vec![self.condition(first)?];
        while self.take(word) {
            let next = operand(self)?;
            operands.push(self.condition(next)?);
        }
        let at = around(&operands[0], operands.last().unwrap_or(&operands[0]));
        Ok(Node { at, kind: join(operands) })
    }

    fn negation(&mut self) -> Parsed<Node> {
        let start = self.at().start;
        if !self.take(&TokenKind::Not) {
            return self.comparison();
        }
        if *self.peek() == TokenKind::Not {
            return Err(self.error("a second `not` needs parentheses: `not (not …)`"));
        }
        let operand = self.comparison()?;
        let operand = self.condition(operand)?;
        Ok(Node { at: start..operand.at.end, kind: NodeKind::Not(Box::new(operand)) })
    }

    fn comparison(&mut self) -> Parsed<Node> {
        let left = self.sum()?;
        let TokenKind::Compare(operator) = *self.peek() else { return Ok(left) };
        let left = self.value_of(left)?;
        self.advance();
        let right = self.value()?;
        if let TokenKind::Compare(_) = self.peek() {
            return Err(self.error("comparisons do not chain, join them with `and`"));
        }
        let at = around(&left, &right);
        Ok(Node { at, kind: NodeKind::Compare { operator, left: Box::new(left), right: Box::new(right) } })
    }

    fn value(&mut self) -> Parsed<Node> {
        let node = self.sum()?;
        self.value_of(node)
    }

    fn sum(&mut self) -> Parsed<Node> {
        self.chain(Self::product, |token| match token {
            TokenKind::Plus => Some(Arithmetic::Add),
            TokenKind::Minus => Some(Arithmetic::Subtract),
            _ => None,
        })
    }

    fn product(&mut self) -> Parsed<Node> {
        self.chain(Self::signed, |token| match token {
            TokenKind::Star => Some(Arithmetic::Multiply),
            TokenKind::Slash => Some(Arithmetic::Divide),
            _ => None,
        })
    }

    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Parsed<Node>,
        operator: fn(&TokenKind) -> Option<Arithmetic>,
    ) -> Parsed<Node> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(operator) = operator(self.peek()) {
            if rest.is_empty() {
                self.math_of(&first)?;
            }
            self.advance();
            let next = operand(self)?;
            self.math_of(&next)?;
            rest.push((operator, next));
        }
        let Some((_, last)) = rest.last() else { return Ok(first) };
        let at = around(&first, last);
        Ok(Node { at, kind: NodeKind::Chain { first: Box::new(first), rest } })
    }

    fn signed(&mut self) -> Parsed<Node> {
        let start = self.at().start;
        let wrap = match self.peek() {
            TokenKind::Plus => NodeKind::Positive,
            TokenKind::Minus => NodeKind::Negative,
            _ => return self.primary(),
        };
        self.advance();
        if let TokenKind::Plus | TokenKind::Minus = self.peek() {
            return Err(self.error("a second sign needs parentheses: `-(-…)`"));
        }
        let operand = self.primary()?;
        self.math_of(&operand)?;
        Ok(Node { at: start..operand.at.end, kind: wrap(Box::new(operand)) })
    }

    fn primary(&mut self) -> Parsed<Node> {
        if self.depth == DEPTH_MAX {
            return Err(self.error(&format!("nested more than {DEPTH_MAX} levels deep")));
        }
        self.depth += 1;
        let node = self.unnested_primary();
        self.depth -= 1;
        node
    }

    fn unnested_primary(&mut self) -> Parsed<Node> {
        let at = self.at();
        let kind = match self.peek().clone() {
            TokenKind::Nil => NodeKind::Nil,
            TokenKind::Bool(bool) => NodeKind::Bool(bool),
            TokenKind::Str(text) => NodeKind::Str(text),
            TokenKind::Bytes => NodeKind::Bytes(self.bytes()?),
            TokenKind::Float => NodeKind::Float(self.float()?),
            TokenKind::Int => NodeKind::Int(self.int()?),
            TokenKind::Open => return self.group(),
            TokenKind::BracketOpen => return self.list(),
            TokenKind::BraceOpen => return self.map(),
            TokenKind::Upper => return self.call_or_enum(),
            TokenKind::Lower => return self.path(),
            _ => return Err(self.expected("a value")),
        };
        self.advance();
        Ok(Node { at, kind })
    }

    fn group(&mut self) -> Parsed<Node> {
        let start = self.at().start;
        self.advance();
        let inner = self.or()?;
        self.expect(&TokenKind::Close, "`)`")?;
        Ok(Node { at: start..self.end(), kind: NodeKind::Group(Box::new(inner)) })
    }

    fn list(&mut self) -> Parsed<Node> {
        let start = self.at().start;
        self.advance();
        let mut items = Vec::new();
        if *self.peek() != TokenKind::BracketClose {
            items.push(self.value()?);
            while self.take(&TokenKind::Comma) {
                items.push(self.value()?);
            }
        }
        self.expect(&TokenKind::BracketClose, "`,` or `]`")?;
        Ok(Node { at: start..self.end(), kind: NodeKind::List(items) })
    }

    fn map(&mut self) -> Parsed<Node> {
        let start = self.at().start;
        self.advance();
        let mut entries = Vec::new();
        while let TokenKind::Str(key) = self.peek().clone() {
            self.advance();
            self.expect(&TokenKind::Colon, "`:`")?;
            entries.push((key, self.value()?));
            self.take(&TokenKind::Comma);
        }
        self.expect(&TokenKind::BraceClose, "a key in double quotes or `}`")?;
        Ok(Node { at: start..self.end(), kind: NodeKind::Map(entries) })
    }

    fn call_or_enum(&mut self) -> Parsed<Node> {
        let at = self.at();
        let (name, words) = self.glued();
        if *self.peek_after(words) != TokenKind::Open {
            if words > 1 {
                self.next += words;
                return Err(self.expected(&format!("`(` after `{name}`")));
            }
            self.advance();
            return Ok(Node { at, kind: NodeKind::Enum(name) });
        }
        self.next += words;
        let name_at = at.start..self.end();
        self.advance();
        let arguments = self.arguments()?;
        let keys = self.keys()?;
        let call = Call { name, name_at, arguments, keys };
        Ok(Node { at: at.start..self.end(), kind: NodeKind::Call(call) })
    }

    /// What stands behind an opening parenthesis, the closing one too.
    fn arguments(&mut self) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        if self.take(&TokenKind::Close) {
            return Ok(arguments);
        }
        loop {
            let name = self.argument_name();
            let value = match self.function_name() {
                Some(value) => value,
                None => self.value()?,
            };
            arguments.push(Argument { name, value });
            if !self.take(&TokenKind::Comma) {
                break;
            }
        }
        self.expect(&TokenKind::Close, "`,` or `)`")?;
        Ok(arguments)
    }

    fn argument_name(&mut self) -> Option<(String, Range<usize>)> {
        let start = self.at().start;
        let (name, words) = self.glued();
        let is_name = *self.peek() == TokenKind::Lower && *self.peek_after(words) == TokenKind::Equal;
        is_name.then(|| {
            self.next += words;
            let at = start..self.end();
            self.advance();
            (name, at)
        })
    }

    /// A converter's name of mixed case that stands alone. One of upper case alone reads as an enum first.
    fn function_name(&mut self) -> Option<Node> {
        let start = self.at().start;
        let (name, words) = self.glued();
        let is_alone = matches!(self.peek_after(words), TokenKind::Comma | TokenKind::Close);
        let is_name = *self.peek() == TokenKind::Upper && words > 1 && is_alone;
        is_name.then(|| {
            self.next += words;
            Node { at: start..self.end(), kind: NodeKind::Function(name) }
        })
    }

    fn path(&mut self) -> Parsed<Node> {
        let start = self.at().start;
        let (name, words) = self.glued();
        if *self.peek_after(words) == TokenKind::Open {
            self.next += words;
            let at = start..self.end();
            let message = format!("`{name}` is no converter, their names begin with an upper-case letter");
            return Err(SyntaxError { at, message });
        }
        let mut segments = vec![self.segment()?];
        while self.take(&TokenKind::Dot) {
            segments.push(self.segment()?);
        }
        Ok(Node { at: start..self.end(), kind: NodeKind::Path(Path { segments }) })
    }

    fn segment(&mut self) -> Parsed<Segment> {
        let at = self.at();
        let name = self.text[at.clone()].to_string();
        self.expect(&TokenKind::Lower, "a name in lower case")?;
        Ok(Segment { at, name, keys: self.keys()? })
    }

    fn keys(&mut self) -> Parsed<Vec<Key>> {
        let mut keys = Vec::new();
        while self.take(&TokenKind::BracketOpen) {
            let at = self.at();
            let kind = match self.peek().clone() {
                TokenKind::Str(text) => {
                    self.advance();
                    KeyKind::Str(text)
                }
                // As in otelcol a key that begins with an int is that int.
                TokenKind::Int => {
                    let int = self.int()?;
                    self.advance();
                    KeyKind::Int(int)
                }
                _ => {
                    let node = self.sum()?;
                    self.math_of(&node)?;
                    KeyKind::Node(node)
                }
            };
            self.expect(&TokenKind::BracketClose, "`]`")?;
            keys.push(Key { at: at.start..self.end() - 1, kind });
        }
        Ok(keys)
    }

    /// The name that the words from here on make, and how many they are: converters' names mix cases.
    fn glued(&self) -> (String, usize) {
        let words = self.tokens[self.next..].iter();
        let words = words.take_while(|token| matches!(token.kind, TokenKind::Upper | TokenKind::Lower));
        words.fold((String::new(), 0), |(name, count), token| (name + &self.text[token.at.clone()], count + 1))
    }

    fn bytes(&self) -> Parsed<Vec<u8>> {
        let digits = &self.text[self.at()][2..];
        let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2));
        let bytes = pairs.map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()));
        bytes.collect::<Option<_>>().ok_or_else(|| self.error("a byte has two hexadecimal digits, one is missing"))
    }

    fn float(&self) -> Parsed<f64> {
        let float = self.text[self.at()].parse().ok().filter(|float: &f64| float.is_finite());
        float.ok_or_else(|| self.error("the number is too large"))
    }

    /// As Go reads ints: a leading zero makes it octal.
    fn int(&self) -> Parsed<i64> {
        let text = &self.text[self.at()];
        let int = match text.strip_prefix('0') {
            Some(octal) if !octal.is_empty() => i64::from_str_radix(octal, 8),
            _ => text.parse(),
        };
        int.map_err(|_| self.error("no int: too large, or no octal number behind its leading 0"))
    }

    fn condition(&self, node: Node) -> Parsed<Node> {
        if node.is_condition() {
            return Ok(node);
        }
        let text = &self.text[node.at.clone()];
        let message = match node.kind {
            NodeKind::Path(_) => format!("`{text}` alone is no condition, compare it: `{text} == true`"),
            _ => format!("`{text}` is no condition, compare it with something"),
        };
        Err(SyntaxError { at: node.at, message })
    }

    fn value_of(&self, node: Node) -> Parsed<Node> {
        if node.is_value() {
            return Ok(node);
        }
        let text = &self.text[node.at.clone()];
        Err(SyntaxError { message: format!("`{text}` is no value"), at: node.at })
    }

    fn math_of(&self, node: &Node) -> Parsed<()> {
        if node.is_math() {
            return Ok(());
        }
        let text = &self.text[node.at.clone()];
        let message = format!("`{text}` cannot be calculated with, only numbers, paths and converters can");
        Err(SyntaxError { at: node.at.clone(), message })
    }

    /// What stands where the condition should be over.
    fn trailing(&self) -> SyntaxError {
        match self.peek() {
            TokenKind::Equal => self.error("`=` is no comparison, write `==`"),
            TokenKind::Arrow => self.error("`=>` is no comparison, write `>=`"),
            TokenKind::Close => self.error("unexpected `)`"),
            _ => self.expected("`and`, `or` or the end"),
        }
    }

    fn expect(&mut self, kind: &TokenKind, name: &str) -> Parsed<()> {
        if self.take(kind) { Ok(()) } else { Err(self.expected(name)) }
    }

    fn expected(&self, what: &str) -> SyntaxError {
        let at = self.at();
        match self.peek() {
            TokenKind::End => self.error(&format!("expected {what}, the {} ends", self.subject)),
            _ => self.error(&format!("expected {what}, found `{}`", &self.text[at])),
        }
    }

    fn error(&self, message: &str) -> SyntaxError {
        SyntaxError { at: self.at(), message: message.to_string() }
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let is_there = self.peek() == kind;
        if is_there {
            self.advance();
        }
        is_there
    }

    fn advance(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    fn peek(&self) -> &TokenKind {
        self.peek_after(0)
    }

    fn peek_after(&self, count: usize) -> &TokenKind {
        self.tokens.get(self.next + count).map_or(&TokenKind::End, |token| &token.kind)
    }

    /// Where the next token stands.
    fn at(&self) -> Range<usize> {
        self.tokens[self.next].at.clone()
    }

    /// Where the last token ended.
    fn end(&self) -> usize {
        self.next.checked_sub(1).map_or(0, |last| self.tokens[last].at.end)
    }
}

fn around(first: &Node, last: &Node) -> Range<usize> {
    first.at.start..last.at.end
}
