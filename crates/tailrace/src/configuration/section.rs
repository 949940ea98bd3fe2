//! One of `receivers`, `processors`, `exporters`, `connectors`, `extensions`: its components by ID, decoded by type.
//!
//! As in otelcol, components that are defined but not used are checked and then left alone; unlike otelcol, one whose type
//! this version lacks may stay in the file as long as nothing uses it.

use std::collections::BTreeMap;

use settings::{ComponentId, Entry, Location, Node, Problems, Reference, suggest};

use super::elsewhere;
use super::extensions::{self, Named};
use super::kinds::Kind;
use super::pipeline_id::PipelineId;

/// A section of the file.
pub(super) struct Section<'t> {
    /// Its key.
    pub(super) name: &'static str,
    /// What stands under it.
    pub(super) node: Option<&'t Node>,
}

/// Where a component is named.
#[derive(Clone, Copy)]
pub(super) struct Use<'s> {
    /// The name.
    pub(super) reference: &'s Reference,
    /// In which pipeline; none is `service::extensions`.
    pub(super) pipeline: Option<&'s PipelineId>,
}

/// What a section came to.
pub(super) struct Decoded<T> {
    /// The components whose settings are right.
    pub(super) components: BTreeMap<ComponentId, T>,
    /// All IDs that are defined, right or not, with their places.
    pub(super) defined: Vec<(ComponentId, Location)>,
    /// What is used and of a type that this version lacks.
    pub(super) unsupported: Vec<Unsupported>,
    /// The extensions that components in use name.
    pub(super) named: Vec<Named>,
    /// Whether the section is no map, so that nobody knows what it defines.
    pub(super) broken: bool,
}

impl<T> Default for Decoded<T> {
    fn default() -> Decoded<T> {
        let (defined, unsupported, named) = (Vec::new(), Vec::new(), Vec::new());
        Decoded { components: BTreeMap::new(), defined, unsupported, named, broken: false }
    }
}

/// A component that is used and of a type that this version lacks.
#[derive(Clone)]
pub(super) struct Unsupported {
    /// Its section.
    pub(super) section: &'static str,
    /// Its ID.
    pub(super) id: ComponentId,
    /// Where it is defined.
    pub(super) at: Location,
    /// The pipelines that name it; none if only `service::extensions` does.
    pub(super) pipelines: Vec<PipelineId>,
}

impl Section<'_> {
    /// Decodes the components of a section.
    pub(super) fn decode<T>(&self, kinds: &[Kind<T>], used: &[Use<'_>], p: &mut Problems) -> Decoded<T> {
        let mut decoded = Decoded::default();
        let mut unused: Vec<&Entry> = Vec::new();
        let fields = self.node.and_then(|node| node.map(self.name, p));
        decoded.broken = self.node.is_some() && fields.is_none();
        for entry in fields.as_ref().map(|fields| fields.entries()).unwrap_or_default() {
            let Some(id) = ComponentId::parse(&entry.key, &entry.key_at, p) else { continue };
            if let Some((_, first)) = decoded.defined.iter().find(|(other, _)| *other == id) {
                let help = format!("the first one is in line {}; remove one of the two, or rename it", first.line);
                p.error(&entry.key_at, format!("`{id}` is there twice in `{}`", self.name), help);
                continue;
            }
            decoded.defined.push((id.clone(), entry.key_at));
            if let Some(kind) = kinds.iter().find(|kind| kind.names.contains(&id.kind.as_str())) {
                if used.iter().any(|used| used.reference.id == id) {
                    let by = format!("the {} `{id}`", self.name.trim_end_matches('s'));
                    extensions::named(&by, &entry.node, &mut decoded.named);
                }
                let settings = p.within(entry.key.as_str(), |p| (kind.decode)(&entry.node, p));
                decoded.components.extend(settings.map(|settings| (id, settings)));
                continue;
            }
            let uses: Vec<&Use<'_>> = used.iter().filter(|used| used.reference.id == id).collect();
            if uses.is_empty() {
                unused.push(entry);
            } else if !self.tell_misspelt(kinds, &id, &entry.key_at, p) {
                let pipelines = uses.iter().filter_map(|used| used.pipeline.cloned()).collect();
                decoded.unsupported.push(Unsupported { section: self.name, id, at: entry.key_at, pipelines });
            }
        }
        self.tell_unused(&unused, p);
        decoded
    }

    /// Tells of a type that is most likely a known one with a slip in it.
    fn tell_misspelt<T>(&self, kinds: &[Kind<T>], id: &ComponentId, at: &Location, p: &mut Problems) -> bool {
        let known: Vec<&str> = kinds.iter().flat_map(|kind| kind.names).copied().collect();
        let meant = suggest(&id.kind, known.iter().copied()).filter(|_| !elsewhere::knows(&id.kind));
        let Some(meant) = meant else { return false };
        let message = format!("unknown type `{}` in `{}`, did you mean `{meant}`?", id.kind, self.name);
        p.error(at, message, format!("the types are {}", settings::quoted(known.iter().copied())));
        true
    }

    fn tell_unused(&self, unused: &[&Entry], p: &mut Problems) {
        if let Some(first) = unused.first() {
            let listed = unused.iter().map(|entry| format!("`{}`", entry.key)).collect::<Vec<_>>().join(", ");
            let message = format!("not supported by this version, and nothing uses it: {listed}");
            p.warning(&first.key_at, message, "remove what nothing uses to silence this".to_string());
        }
    }
}

/// The IDs that a section defines, with its name.
pub(super) type DefinedIn<'d> = (&'static str, &'d [(ComponentId, Location)]);

/// Tells of a name that none of the `sections` has in which it may stand; the first is its own. `all` are all sections.
pub(super) fn tell_undefined(
    reference: &Reference,
    sections: &[DefinedIn<'_>],
    all: &[DefinedIn<'_>],
    p: &mut Problems,
) {
    let has = |(_, ids): &&DefinedIn<'_>| ids.iter().any(|(id, _)| *id == reference.id);
    if sections.iter().any(|section| has(&section)) {
        return;
    }
    let section = sections.first().map_or("", |(name, _)| name);
    let names: Vec<String> = sections.iter().flat_map(|(_, ids)| ids.iter()).map(|(id, _)| id.to_string()).collect();
    let what = section.trim_end_matches('s');
    let id = reference.id.to_string();
    let mut message = format!("the {what} `{id}` is not defined in `{section}`");
    let help = match (suggest(&id, names.iter().map(String::as_str)), all.iter().find(has)) {
        (Some(meant), _) => {
            message.push_str(&format!(", did you mean `{meant}`?"));
            None
        }
        (None, Some((other, _))) => Some(format!("`{id}` is defined in `{other}`; add `{section}: {{{id}: {{}}}}`")),
        (None, None) if names.is_empty() => Some(format!("add `{section}: {{{id}: {{}}}}`")),
        (None, None) => Some(format!(
            "defined are {}; name one of them, or define `{id}`",
            settings::quoted(names.iter().map(String::as_str))
        )),
    };
    p.error(&reference.at, message, help);
}
