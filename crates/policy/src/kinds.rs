//! The table of policy kinds: one line a kind, with its file and where it may stand.
//!
//! A policy in YAML is `{name, type, <block named as the type>}`. The table generates [`Kind`] and the dispatch to the
//! kinds' files. A policy object takes further keys if they hold maps, as otelcol's does (its extensions read them), so a
//! misspelt block is no error; it is pointed out instead.

use crate::{
    always_sample, and, boolean_attribute, bytes_limiting, composite, drop, latency, not, numeric_attribute,
    ottl_condition, probabilistic, rate_limiting,
    set::{Compiler, Seen, Test},
    span_count, status_code, string_attribute, trace_flags, trace_state,
};
use settings::{Entry, Location, Node, Problems, Value, suggest};

macro_rules! kinds {
    ($($name:literal $variant:ident $module:ident $levels:expr;)*) => {
        /// What a policy does, with its settings.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Kind {
            $(#[doc = concat!("`", $name, "`.")] $variant($module::$variant),)*
        }

        /// The kinds' names and the levels on which they may stand.
        const TABLE: &[(&str, &[Level])] = &[$(($name, $levels)),*];

        /// What the kinds do.
        const ABOUT: &[(&str, &str)] = &[$(($name, <$module::$variant as settings::Documented>::ABOUT)),*];

        impl Kind {
            /// Its name in YAML.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            pub(crate) fn class(&self) -> Class {
                match self { $(Self::$variant(settings) => settings.class(),)* }
            }

            pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
                match self { $(Self::$variant(settings) => settings.compile(compiler),)* }
            }

            pub(crate) fn effective(&self) -> Option<Node> {
                match self { $(Self::$variant(settings) => settings.effective(),)* }
            }

            /// What it saw in a trace, in words.
            pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
                match self { $(Self::$variant(settings) => settings.explain(seen),)* }
            }

            /// Reads the block of the kind called `name`.
            fn decode(name: &str, block: &Node, p: &mut Problems) -> Option<Self> {
                match name {
                    $($name => $module::$variant::decode(block, p).map(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    "always_sample"     AlwaysSample      always_sample      EVERYWHERE;
    "and"               And               and                &[Level::Top, Level::Composite];
    "boolean_attribute" BooleanAttribute  boolean_attribute  EVERYWHERE;
    "bytes_limiting"    BytesLimiting     bytes_limiting     EVERYWHERE;
    "composite"         Composite         composite          &[Level::Top];
    "drop"              Drop              drop               &[Level::Top];
    "latency"           Latency           latency            EVERYWHERE;
    "not"               Not               not                &[Level::Top, Level::And, Level::Drop];
    "numeric_attribute" NumericAttribute  numeric_attribute  EVERYWHERE;
    "ottl_condition"    OttlCondition     ottl_condition     EVERYWHERE;
    "probabilistic"     Probabilistic     probabilistic      EVERYWHERE;
    "rate_limiting"     RateLimiting      rate_limiting      EVERYWHERE;
    "span_count"        SpanCount         span_count         EVERYWHERE;
    "status_code"       StatusCode        status_code        EVERYWHERE;
    "string_attribute"  StringAttribute   string_attribute   EVERYWHERE;
    "trace_flags"       TraceFlags        trace_flags        EVERYWHERE;
    "trace_state"       TraceState        trace_state        EVERYWHERE;
}

/// A policy, or a part of one.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct Policy {
    /// Its name: at the top level not empty and there only once, inside containers anything.
    pub name: String,
    /// What it does: its type, with the block of settings that is named as the type.
    #[key = "type"]
    pub kind: Kind,
}

/// Where a policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// In `policies`.
    Top,
    /// In `and_sub_policy`.
    And,
    /// In `drop_sub_policy`.
    Drop,
    /// In `composite_sub_policy`.
    Composite,
    /// In `not_sub_policy`.
    Not,
}

/// When and with what a policy can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// By the trace ID and the number of spans alone: a fold that needs no state.
    Stateless,
    /// Folded from the spans as they arrive.
    Fold,
    /// Folded, or whole where cheaper conditions stand beside it.
    Costly,
    /// Over all candidates of a decision.
    Batch,
    /// Made of other policies.
    Nested,
}

impl Policy {
    /// Reads a policy that stands on `level`; `None` after its problems have been told.
    pub(crate) fn decode(node: &Node, level: Level, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("policy", p)?;
        fields.describe::<Self>();
        let name = fields.take("name", String::new(), p);
        let kind_at = fields.node("type").map_or(node.at, |kind| kind.at);
        let kind_name: Option<String> = fields.optional("type", p);
        let here = TABLE.iter().filter(|(_, levels)| levels.contains(&level)).map(|(name, _)| *name);
        fields.words("type", &here.collect::<Vec<_>>());
        fields.describe_keys(ABOUT);
        let has_type = kind_name.is_some() || fields.node("type").is_some_and(|kind| !kind.is_absent());
        let mut kind = None;
        for (known, _) in TABLE.iter().filter(|(_, levels)| levels.contains(&level)) {
            let block = if Kind::has_block(known) { fields.node(known) } else { None };
            if kind_name.as_deref() == Some(known) {
                let absent = Node::new(Value::Null, node.at);
                kind = p.within(*known, |p| Kind::decode(known, block.unwrap_or(&absent), p));
            } else if let Some(block) = block.filter(|block| !block.is_absent()) {
                // Read all the same: otelcol refuses what is wrong in it.
                p.within(*known, |p| Kind::decode(known, block, p));
                let used = kind_name.as_deref().unwrap_or("missing");
                let help = format!("remove it, or write `type: {known}`");
                p.warning(&block.at, format!("the block `{known}` is not used, the policy's type is `{used}`"), help);
            }
        }
        check_rest(&fields.rest(), level, p);
        if kind.is_none() && (!has_type || kind_name.is_some()) {
            check_type(kind_name.as_deref().unwrap_or(""), kind_at, level, p);
        }
        let is_named = node.lookup("name").is_some_and(|name| !name.is_absent() && name.as_text() != Some(""));
        if level == Level::Top && !is_named {
            p.error(&node.at, "a policy needs a name", "add `name: …`, one that no other policy has".to_string());
        }
        Some(Self { name, kind: kind? })
    }

    pub(crate) fn effective(&self) -> Node {
        let block = self.kind.effective().map(|block| (self.kind.name(), block));
        let names = [("name", Node::from(&self.name)), ("type", Node::from(self.kind.name()))];
        Node::map_of(names.into_iter().chain(block))
    }

    /// The policies that it is made of.
    pub(crate) fn parts(&self) -> &[Self] {
        match &self.kind {
            Kind::And(and) => &and.and_sub_policy,
            Kind::Composite(composite) => &composite.composite_sub_policy,
            Kind::Drop(drop) => &drop.drop_sub_policy,
            Kind::Not(not) => std::slice::from_ref(&not.not_sub_policy),
            _ => &[],
        }
    }

    /// How many policies it is, with those inside.
    pub(crate) fn count(&self) -> usize {
        1 + self.parts().iter().map(Self::count).sum::<usize>()
    }

    /// Whether its answer hangs on more than the piece at hand, so that it cannot be asked piece by piece. A composite's
    /// own counters do not count.
    pub(crate) fn is_stateful(&self) -> bool {
        match &self.kind {
            Kind::BytesLimiting(_) | Kind::RateLimiting(_) => true,
            Kind::Latency(latency) => latency.upper_threshold_ms > 0,
            Kind::SpanCount(count) => count.max_spans > 0,
            _ => self.parts().iter().any(Self::is_stateful),
        }
    }
}

impl Kind {
    /// Whether it is cheap to ask and likely to refuse, so that costly conditions beside it can wait.
    pub(crate) fn is_cheap_filter(&self) -> bool {
        matches!(self.class(), Class::Fold | Class::Stateless) && !matches!(self, Self::AlwaysSample(_))
    }

    /// Kinds without settings have no block: a key of their name is any other key.
    fn has_block(name: &str) -> bool {
        !matches!(name, "always_sample" | "trace_flags")
    }
}

/// Reads a list of policies.
pub(crate) fn decode_list(node: &Node, what: &str, level: Level, p: &mut Problems) -> Option<Vec<Policy>> {
    let items = node.list(what, p)?;
    let decoded =
        items.iter().enumerate().map(|(at, item)| p.within(format!("[{at}]"), |p| Policy::decode(item, level, p)));
    // Collected before it is judged, so that the problems of every policy are told.
    let decoded: Vec<Option<Policy>> = decoded.collect();
    decoded.into_iter().collect()
}

/// Reads the list of policies that a container is made of.
pub(crate) fn decode_parts(
    node: Option<&Node>,
    key: &'static str,
    level: Level,
    p: &mut Problems,
) -> Option<Vec<Policy>> {
    node.map_or(Some(Vec::new()), |node| p.within(key, |p| decode_list(node, key, level, p)))
}

/// Names a type that is not to be had here, unless it is and the policy failed otherwise.
fn check_type(name: &str, at: Location, level: Level, p: &mut Problems) {
    let here = || TABLE.iter().filter(|(_, levels)| levels.contains(&level)).map(|(name, _)| *name);
    let levels = TABLE.iter().find(|(known, _)| *known == name).map(|(_, levels)| *levels);
    if name.is_empty() {
        p.error(&at, "a policy needs a type", format!("add `type: …`, one of {}", list(here())));
    } else if levels.is_some_and(|levels| !levels.contains(&level)) {
        p.error(&at, format!("policy type `{name}` cannot stand {level}"), format!("write one of {}", list(here())));
    } else if levels.is_none() {
        match suggest(name, here()) {
            Some(meant) => p.error(&at, format!("unknown policy type `{name}`, did you mean `{meant}`?"), None),
            None => p.error(&at, format!("unknown policy type `{name}`"), format!("write one of {}", list(here()))),
        }
    }
}

/// Other keys of a policy must hold maps; one that looks like a misspelt block is pointed out.
fn check_rest(rest: &[&Entry], level: Level, p: &mut Problems) {
    for entry in rest {
        let blocks = TABLE.iter().filter(|(_, levels)| levels.contains(&level)).map(|(name, _)| *name);
        let meant = suggest(&entry.key, blocks.chain(["name", "type"])).filter(|meant| *meant != entry.key);
        let hint = meant.map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"));
        match (&entry.node.value, meant) {
            (Value::Map(_), Some(_)) => {
                let help = "a block is called as the policy's `type`; rename or remove it".to_string();
                p.warning(&entry.key_at, format!("the block `{}` is not used{hint}", entry.key), help);
            }
            (Value::Map(_) | Value::Null, _) => {}
            _ => {
                let help = "a policy has `name`, `type` and a block called as its type".to_string();
                p.error(&entry.key_at, format!("unknown setting `{}` in a policy{hint}", entry.key), help);
            }
        }
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.sort();
    names.join(", ")
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Top => "at the top level",
            Self::And => "inside `and`",
            Self::Drop => "inside `drop`",
            Self::Composite => "inside `composite`",
            Self::Not => "inside `not`",
        })
    }
}

const EVERYWHERE: &[Level] = &[Level::Top, Level::And, Level::Drop, Level::Composite, Level::Not];
