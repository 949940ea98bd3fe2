//! The part of XPath that selects nodes by where they stand: `/a/b`, `//b`, `@c`, `*`, `text()`, `.`, `..`, with conditions
//! in brackets: a position, `last()`, a path that must lead somewhere, or a path compared with a string; and unions of paths.
//!
//! Functions, arithmetic, axes and variables are refused when the condition is compiled.

/// An expression: paths whose nodes are united.
pub(super) struct XPath {
    pub(super) paths: Vec<Path>,
}

/// Steps from the document or from the node at hand.
pub(super) struct Path {
    pub(super) is_absolute: bool,
    pub(super) steps: Vec<Step>,
}

pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Predicate>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Child,
    /// What `//` puts between two steps.
    DescendantOrSelf,
    Attribute,
    Same,
    Parent,
}

/// Which nodes of an axis are meant.
pub(super) enum Test {
    /// Elements or attributes with this prefix and name.
    Name(Vec<u8>, Vec<u8>),
    /// All elements or attributes.
    AnyName,
    Text,
    Comment,
    AnyNode,
}

pub(super) enum Predicate {
    /// The n-th, counted from 1.
    Position(usize),
    Last,
    Exists(Path),
    /// Whether some node of the path has this text, or if `is_negated`, another one.
    Compares {
        path: Path,
        is_negated: bool,
        text: Vec<u8>,
    },
}

/// Brackets within brackets.
const NEST_MAX: usize = 4;

impl XPath {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut parser = Parser { text, rest: text };
        let mut paths = vec![parser.path(NEST_MAX)?];
        while parser.take("|") {
            paths.push(parser.path(NEST_MAX)?);
        }
        parser.skip_space();
        if parser.rest.is_empty() { Ok(Self { paths }) } else { Err(parser.unknown()) }
    }

    /// How many times a document may be walked.
    pub(super) fn weight(&self) -> usize {
        self.paths.iter().map(Path::weight).sum()
    }
}

impl Path {
    fn weight(&self) -> usize {
        let predicate = |predicate: &Predicate| match predicate {
            Predicate::Position(_) | Predicate::Last => 0,
            Predicate::Exists(path) | Predicate::Compares { path, .. } => path.weight(),
        };
        self.steps.iter().map(|step| 1 + step.predicates.iter().map(predicate).sum::<usize>()).sum()
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn path(&mut self, depth: usize) -> Result<Path, String> {
        self.skip_space();
        let mut path = Path { is_absolute: self.rest.starts_with('/'), steps: Vec::new() };
        if self.take("//") {
            path.steps.push(Step::anywhere());
        } else if self.take("/") && !self.is_at_step() {
            return Ok(path);
        }
        loop {
            path.steps.push(self.step(depth)?);
            if self.take("//") {
                path.steps.push(Step::anywhere());
            } else if !self.take("/") {
                return Ok(path);
            }
        }
    }

    fn is_at_step(&mut self) -> bool {
        self.skip_space();
        self.rest.starts_with(|char: char| is_name_start(char) || "@*.".contains(char))
    }

    fn step(&mut self, depth: usize) -> Result<Step, String> {
        self.skip_space();
        let (axis, test) = if self.take("..") {
            (Axis::Parent, Test::AnyNode)
        } else if self.take(".") {
            (Axis::Same, Test::AnyNode)
        } else if self.take("@") {
            (Axis::Attribute, self.name_test()?)
        } else {
            (Axis::Child, self.test()?)
        };
        let mut predicates = Vec::new();
        while self.take("[") {
            let depth = depth.checked_sub(1).ok_or_else(|| format!("the XPath `{}` nests too deep", self.text))?;
            predicates.push(self.predicate(depth)?);
            if !self.take("]") {
                return Err(self.unknown());
            }
        }
        Ok(Step { axis, test, predicates })
    }

    fn test(&mut self) -> Result<Test, String> {
        for (text, test) in [("text()", Test::Text), ("comment()", Test::Comment), ("node()", Test::AnyNode)] {
            if self.take(text) {
                return Ok(test);
            }
        }
        self.name_test()
    }

    fn name_test(&mut self) -> Result<Test, String> {
        if self.take("*") {
            return Ok(Test::AnyName);
        }
        let first = self.name()?;
        if self.rest.starts_with("::") || self.rest.trim_start().starts_with('(') {
            return Err(self.unknown());
        }
        if !self.take(":") {
            return Ok(Test::Name(Vec::new(), first));
        }
        Ok(Test::Name(first, self.name()?))
    }

    fn name(&mut self) -> Result<Vec<u8>, String> {
        self.skip_space();
        let is_part = |char: char| is_name_start(char) || char.is_numeric() || "-.".contains(char);
        let len = self.rest.find(|char| !is_part(char)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(len);
        if !name.starts_with(is_name_start) {
            return Err(self.unknown());
        }
        self.rest = rest;
        Ok(name.as_bytes().to_vec())
    }

    fn predicate(&mut self, depth: usize) -> Result<Predicate, String> {
        self.skip_space();
        if self.take("last()") {
            return Ok(Predicate::Last);
        }
        let digits = self.rest.len() - self.rest.trim_start_matches(|char: char| char.is_ascii_digit()).len();
        if digits > 0 {
            let position = self.rest[..digits].parse().map_err(|_| self.unknown())?;
            self.rest = &self.rest[digits..];
            return Ok(Predicate::Position(position));
        }
        let path = self.path(depth)?;
        let is_negated = self.take("!=");
        if !is_negated && !self.take("=") {
            return Ok(Predicate::Exists(path));
        }
        let text = self.string()?;
        Ok(Predicate::Compares { path, is_negated, text })
    }

    fn string(&mut self) -> Result<Vec<u8>, String> {
        self.skip_space();
        let quote = self.rest.chars().next().filter(|char| matches!(char, '\'' | '"')).ok_or_else(|| self.unknown())?;
        let (text, rest) = self.rest[1..].split_once(quote).ok_or_else(|| self.unknown())?;
        self.rest = rest;
        Ok(text.as_bytes().to_vec())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, expected: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn unknown(&self) -> String {
        let at = match self.rest.trim() {
            "" => "its end".to_string(),
            rest => format!("`{rest}`"),
        };
        format!(
            "the XPath `{}` is not supported at {at}; there are paths with `/`, `//`, `@name`, `*`, `text()`, `comment()`, \
             `node()`, `.` and `..`, conditions such as `[1]`, `[last()]`, `[@a='v']` and `[name='v']`, and `|`",
            self.text
        )
    }
}

impl Step {
    fn anywhere() -> Self {
        Self { axis: Axis::DescendantOrSelf, test: Test::AnyNode, predicates: Vec::new() }
    }
}

fn is_name_start(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}
