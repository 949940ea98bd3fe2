//! What a configuration may say, for editors and readers: a JSON Schema and a page, both out of the decoders themselves.
//!
//! ```text
//!  tables of kinds ─► shape_of(decoder) ─► Reference ─┬─► schema: JSON Schema 2020-12   (tailrace schema)
//!                     keys, kinds, defaults, docs      └─► page: config/REFERENCE.md     (tailrace schema --format markdown)
//! ```
//!
//! Nothing here knows a setting: what the decoders ask for is what stands in both, with the doc comments of the structs.

pub(crate) mod page;
pub(crate) mod schema;

use settings::{Decode, Shape, shape_of};

use crate::configuration::kinds::{CONNECTORS, EXPORTERS, EXTENSIONS, Kind, PROCESSORS, RECEIVERS};
use crate::configuration::{Own, Service};

/// All that a configuration may say.
pub(crate) struct Reference {
    /// The sections of components.
    pub(crate) sections: Vec<Section>,
    /// The other keys of the file, each with what it means.
    pub(crate) others: Vec<(&'static str, &'static str, Shape)>,
}

/// One of `receivers`, `processors` and so on.
pub(crate) struct Section {
    /// Its key.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) about: &'static str,
    /// The types of components that may stand in it.
    pub(crate) components: Vec<Component>,
}

/// A type of component.
pub(crate) struct Component {
    /// Its name, then the other names that files use for it.
    pub(crate) names: &'static [&'static str],
    /// What it does, as the end of a sentence that its name begins.
    pub(crate) about: &'static str,
    /// Its settings.
    pub(crate) shape: Shape,
}

impl Reference {
    /// That of this version.
    pub(crate) fn new() -> Reference {
        Reference {
            sections: vec![
                section("receivers", "Where items come in.", RECEIVERS),
                section("processors", "What happens to items, in the order of the pipeline.", PROCESSORS),
                section("exporters", "Where items go.", EXPORTERS),
                section("connectors", "What joins pipelines.", CONNECTORS),
                section("extensions", "What stands beside the pipelines.", EXTENSIONS),
            ],
            others: vec![
                (
                    "service",
                    "Which components run, and how they are joined into pipelines.",
                    shape_of(&|node, p| {
                        let _shape_only = Service::decode(node, p);
                    }),
                ),
                (
                    "tailrace",
                    "Settings of Tailrace itself, which otelcol does not have.",
                    shape_of(&|node, p| {
                        let _shape_only = Own::decode(node, p);
                    }),
                ),
            ],
        }
    }
}

fn section<T>(name: &'static str, about: &'static str, kinds: &[Kind<T>]) -> Section {
    let component = |kind: &Kind<T>| Component {
        names: kind.names,
        about: kind.about,
        shape: shape_of(&|node, p| {
            let _shape_only = (kind.decode)(node, p);
        }),
    };
    Section { name, about, components: kinds.iter().map(component).collect() }
}

#[cfg(test)]
mod tests;
