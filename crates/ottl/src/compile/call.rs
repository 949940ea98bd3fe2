//! Converters' calls: the converter, its arguments at their parameters, and what of them is known already.

use super::{Compiler, did_you_mean};
use crate::{
    edit::target_path::Target,
    error::Error,
    expr::{Answer, Expr, Invocation},
    functions::{self, Argument, Arguments, Build, Function, Kind, Param, Place},
    path::Context,
    syntax::tree::{self, Node, NodeKind},
    value::Value,
};

impl Compiler<'_> {
    pub(super) fn call(&mut self, call: &tree::Call) -> Option<Expr> {
        let function = self.function(call)?;
        let arguments = self.arguments(call, function.params)?;
        let answer = match function.build {
            Build::Plain(answer) => Answer::Plain(answer),
            Build::Prepared(prepare) => match prepare(&arguments) {
                Ok(run) => Answer::Prepared(run),
                Err(message) => return self.fail(&call.name_at, &message),
            },
        };
        self.needs.at_verdict |= function.is_at_verdict;
        self.needs.costly |= function.is_costly;
        let keys = self.index(&call.keys)?;
        Some(Expr::Call(Box::new(Invocation { name: function.name, arguments, answer, keys })))
    }

    fn function(&mut self, call: &tree::Call) -> Option<&'static Function> {
        let is_known = |function: &&Function| match function.place {
            Place::Everywhere => true,
            Place::Spans => self.context == Context::Span,
            Place::MetricConditions => self.context == Context::Metric && !self.is_statement,
        };
        match functions::find(&call.name) {
            Some(function) if is_known(&function) => Some(function),
            Some(function) => {
                let place = if function.place == Place::Spans { "span" } else { "metric" };
                self.fail(&call.name_at, &format!("`{}` is for {place} conditions only", call.name))
            }
            None => {
                let message = match call.name.as_str() {
                    "Base64Decode" => "`Base64Decode` is gone, write `Decode(…, \"base64\")`".to_string(),
                    "All" | "Any" | "Filter" | "Find" | "MapEach" | "MapKeys" | "Reduce" | "When" => {
                        format!("`{}` takes a lambda expression, which is not supported", call.name)
                    }
                    "ParseCEF" | "ParseCLF" | "ParseELF" | "ParseLEEF" if self.is_statement => {
                        format!("the converter `{}` is not supported", call.name)
                    }
                    name => {
                        let known = functions::TABLES.iter().copied().flatten().filter(is_known);
                        let suggestion = settings::suggest(name, known.map(|function| function.name));
                        format!("unknown converter `{name}`{}", did_you_mean(suggestion))
                    }
                };
                self.fail(&call.name_at, &message)
            }
        }
    }

    pub(super) fn arguments(&mut self, call: &tree::Call, params: &'static [Param]) -> Option<Arguments> {
        // otelcol does not look at the arguments of a converter that has no parameters.
        if params.is_empty() {
            return Some(Arguments::new(Vec::new()));
        }
        let mut given: Vec<Option<Argument>> = params.iter().map(|_| None).collect();
        let mut is_whole = true;
        let mut has_name = false;
        for (position, argument) in call.arguments.iter().enumerate() {
            let place = match &argument.name {
                None if has_name => {
                    self.fail(&argument.value.at, "arguments without a name stand before those with one")
                }
                None if position < given.len() => Some(position),
                None => self.fail(&argument.value.at, &format!("`{}` takes {}", call.name, count(params))),
                Some((name, at)) => {
                    has_name = true;
                    self.parameter(name, at, &call.name, params)
                }
            };
            let compiled = place.and_then(|place| Some((place, self.argument(&argument.value, &params[place])?)));
            match compiled {
                Some((place, _)) if given[place].is_some() => {
                    let name = snake(params[place].name);
                    let _: Option<()> = self.fail(&argument.value.at, &format!("`{name}` is given twice"));
                    is_whole = false;
                }
                Some((place, argument)) => given[place] = Some(argument),
                None => is_whole = false,
            }
        }
        let missing = params.iter().zip(&given).find(|(param, given)| !param.is_optional && given.is_none());
        match missing {
            _ if !is_whole => None,
            Some((param, _)) => {
                let message = format!("`{}` lacks its `{}`, it takes {}", call.name, snake(param.name), count(params));
                self.fail(&call.name_at, &message)
            }
            None => Some(Arguments::new(given)),
        }
    }

    fn parameter(
        &mut self,
        name: &str,
        at: &std::ops::Range<usize>,
        function: &str,
        params: &'static [Param],
    ) -> Option<usize> {
        let camel = camel(name);
        if let Some(place) = params.iter().position(|param| param.name == camel) {
            return Some(place);
        }
        let known: Vec<_> = params.iter().map(|param| snake(param.name)).collect();
        let suggestion = settings::suggest(name, known.iter().map(String::as_str));
        self.fail(at, &format!("`{function}` has no parameter `{name}`{}", did_you_mean(suggestion)))
    }

    fn argument(&mut self, node: &Node, param: &Param) -> Option<Argument> {
        let element = match param.kind {
            Kind::Texts => Some(Kind::Text),
            Kind::EachAny => Some(Kind::Any),
            Kind::EachStr => Some(Kind::Str),
            Kind::EachStrLike => Some(Kind::StrLike),
            _ => None,
        };
        match (element, &node.kind) {
            (None, _) if param.kind == Kind::Target => self.target(node).map(Argument::Target),
            (None, _) if param.kind == Kind::Converter => self.converter(node).map(Argument::Converter),
            (None, _) => self.typed(node, param.kind).map(Argument::Value),
            (Some(kind), NodeKind::List(nodes)) => {
                let items: Vec<_> = nodes.iter().map(|node| self.typed(node, kind)).collect();
                items.into_iter().collect::<Option<_>>().map(Argument::Items)
            }
            (Some(Kind::StrLike), _) => self.expr(node).map(Argument::Value),
            (Some(_), _) => {
                let message = format!("`{}` takes a list literal: `[…]`", snake(param.name));
                self.fail(&node.at, &message)
            }
        }
    }

    /// A path that an editor sets.
    fn target(&mut self, node: &Node) -> Option<Target> {
        let NodeKind::Path(path) = &node.kind else {
            let text = &self.text[node.at.clone()];
            return self.fail(&node.at, &format!("expected a path such as `attributes[\"key\"]`, found `{text}`"));
        };
        let expr = self.path(path)?;
        let keys = match &expr {
            Expr::Attribute(attribute) => attribute.keys.len(),
            Expr::BodyPart(keys) => keys.len(),
            _ => 0,
        };
        if keys > KEYS_MAX {
            return self.fail(&node.at, &format!("a path that is set takes at most {KEYS_MAX} keys"));
        }
        Some(Target::new(expr))
    }

    /// A converter that an editor calls with a text.
    fn converter(&mut self, node: &Node) -> Option<&'static Function> {
        let (NodeKind::Enum(name) | NodeKind::Function(name)) = &node.kind else {
            return self.fail(&node.at, "expected the name of a converter such as `SHA256`");
        };
        let Some(function) = functions::find(name) else {
            let known = functions::TABLES.iter().copied().flatten().map(|function| function.name);
            let suggestion = settings::suggest(name, known);
            return self.fail(&node.at, &format!("unknown converter `{name}`{}", did_you_mean(suggestion)));
        };
        // Where there are more parameters than one, each call fails, as in otelcol; where the one is not a text, otelcol
        // crashes.
        match function.params {
            [param] if param.kind != Kind::Str => {
                self.fail(&node.at, &format!("`{name}` takes something else than a text, it cannot be called here"))
            }
            [] => self.fail(&node.at, &format!("`{name}` takes no argument, it cannot be called here")),
            _ => Some(function),
        }
    }

    /// An expression for a parameter; a literal must fit.
    fn typed(&mut self, node: &Node, kind: Kind) -> Option<Expr> {
        let literal = match (kind, &node.kind) {
            (Kind::Text, NodeKind::Str(_)) | (Kind::Flag, NodeKind::Bool(_)) | (Kind::Whole, NodeKind::Int(_)) => None,
            (Kind::Whole, NodeKind::Negative(inner)) if matches!(inner.kind, NodeKind::Int(_)) => None,
            (Kind::Whole, _) => Some("an int literal"),
            (Kind::Text, _) => Some("a string literal"),
            (Kind::Flag, _) => Some("`true` or `false`"),
            _ => None,
        };
        if let Some(expected) = literal {
            return self.fail(&node.at, &format!("expected {expected}, found `{}`", &self.text[node.at.clone()]));
        }
        let expr = self.expr(node)?;
        match expr.constant().map(|value| fits(kind, value.clone())) {
            Some(Err(error)) => self.fail(&node.at, &error.to_string()),
            _ => Some(expr),
        }
    }
}

/// How many keys a path that is set may have behind the attribute's own.
const KEYS_MAX: usize = 16;

/// Whether a literal can be coerced to a kind.
fn fits(kind: Kind, value: Value<'static>) -> Result<(), Error> {
    match kind {
        Kind::Str => value.into_str().map(drop),
        Kind::StrLike => value.into_str_like().map(drop),
        Kind::Int => value.into_int().map(drop),
        Kind::IntLike => value.into_int_like().map(drop),
        Kind::Float => value.into_float().map(drop),
        Kind::FloatLike => value.into_float_like().map(drop),
        Kind::Bool => value.into_bool().map(drop),
        Kind::BoolLike => value.into_bool_like().map(drop),
        Kind::BytesLike => value.into_bytes_like().map(drop),
        Kind::Time => value.into_time().map(drop),
        Kind::Duration => value.into_duration().map(drop),
        Kind::Map => value.into_map().map(drop),
        Kind::List => value.into_list().map(drop),
        _ => Ok(()),
    }
}

fn count(params: &[Param]) -> String {
    let names: Vec<_> = params.iter().map(|param| format!("`{}`", snake(param.name))).collect();
    names.join(", ")
}

/// `pattern_definitions` to `PatternDefinitions`, as otelcol finds a parameter.
fn camel(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + chars.as_str())
    });
    words.collect()
}

/// `PatternDefinitions` to `pattern_definitions`, as a user would write it.
fn snake(name: &str) -> String {
    let mut text = String::new();
    let mut was_lower = false;
    for char in name.chars() {
        if char.is_ascii_uppercase() && was_lower {
            text.push('_');
        }
        was_lower = !char.is_ascii_uppercase();
        text.push(char.to_ascii_lowercase());
    }
    text
}
