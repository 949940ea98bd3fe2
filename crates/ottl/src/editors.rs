//! The editors: functions that statements call, by what they edit.
//!
//! An editor is one function of its group's file and one line of that file's `TABLE`. The function looks at the literal
//! arguments once, when the statement is compiled, refuses what is wrong with them, and returns the closure that edits. The
//! parameters' names and kinds are as those of converters (see [`functions`](crate::functions)).

mod lists;
mod maps;
mod metrics;
mod replace;
mod set;
mod span_name;

use crate::{
    edit::Run,
    functions::{Arguments, Param},
    path::Context,
};

/// Every editor.
pub(crate) const TABLES: [&[Editor]; 6] =
    [set::TABLE, maps::TABLE, lists::TABLE, replace::TABLE, span_name::TABLE, metrics::TABLE];

/// Editors of otelcol's transform processor that make or reshape metrics, and are not here.
pub(crate) const UNSUPPORTED: [&str; 12] = [
    "aggregate_on_attribute_value",
    "aggregate_on_attributes",
    "convert_exponential_histogram_to_histogram",
    "convert_summary_count_val_to_sum",
    "convert_summary_quantile_val_to_gauge",
    "convert_summary_sum_val_to_sum",
    "copy_metric",
    "extract_count_metric",
    "extract_percentile_metric",
    "extract_sum_metric",
    "merge_histogram_buckets",
    "scale_metric",
];

/// An editor.
#[derive(Clone, Copy)]
pub(crate) struct Editor {
    /// As the user writes it.
    pub(crate) name: &'static str,
    /// Optional ones stand at the end.
    pub(crate) params: &'static [Param],
    pub(crate) prepare: fn(&Arguments) -> Result<Run, String>,
    /// The context that alone knows it, if it is so.
    pub(crate) only: Option<Context>,
}

impl Editor {
    /// Whether statements of a context know it.
    pub(crate) fn is_known_to(&self, context: Context) -> bool {
        self.only.is_none_or(|only| only == context)
    }
}

/// The editor called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Editor> {
    TABLES.iter().copied().flatten().find(|editor| editor.name == name)
}

/// An editor for every context.
const fn editor(
    name: &'static str,
    params: &'static [Param],
    prepare: fn(&Arguments) -> Result<Run, String>,
) -> Editor {
    Editor { name, params, prepare, only: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_in_order() {
        let mut names = BTreeSet::new();
        for editor in TABLES.iter().copied().flatten() {
            assert!(names.insert(editor.name), "{} stands twice", editor.name);
            let first_optional = editor.params.iter().position(|param| param.is_optional);
            let required = editor.params.iter().filter(|param| !param.is_optional).count();
            assert!(first_optional.is_none_or(|first| first == required), "{}", editor.name);
        }
        assert!(UNSUPPORTED.iter().all(|name| !names.contains(name)));
    }
}
