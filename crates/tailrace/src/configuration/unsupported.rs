//! What this version lacks and the file uses: every such component at its place, and the pipelines that run without them.

use std::collections::BTreeSet;

use settings::Problems;

use super::connectors::dead_ends;
use super::pipeline_id::PipelineId;
use super::section::Unsupported;
use super::service::Service;

/// One error for each component, the way out with the last of them.
pub(super) fn tell(
    unsupported: &[Unsupported],
    service: &Service,
    is_connector: &dyn Fn(&settings::ComponentId) -> bool,
    p: &mut Problems,
) {
    let last = unsupported.iter().map(|one| (one.at.source, one.at.line, one.at.column)).max();
    for one in unsupported {
        let users: Vec<String> = one.pipelines.iter().map(|id| format!("`{id}`")).collect();
        let users = match &users[..] {
            [] => "`service::extensions` names it".to_string(),
            [user] => format!("the pipeline {user} uses it"),
            users => format!("the pipelines {} use it", users.join(", ")),
        };
        let message = format!("`{}` in `{}` is not supported by this version; {users}", one.id, one.section);
        let is_last = last == Some((one.at.source, one.at.line, one.at.column));
        p.error(&one.at, message, is_last.then(|| way_out(unsupported, service, is_connector)));
    }
}

fn way_out(
    unsupported: &[Unsupported],
    service: &Service,
    is_connector: &dyn Fn(&settings::ComponentId) -> bool,
) -> String {
    let lame: BTreeSet<&PipelineId> = unsupported.iter().flat_map(|one| &one.pipelines).collect();
    let mut runnable: BTreeSet<&PipelineId> = service.pipelines.keys().filter(|id| !lame.contains(id)).collect();
    loop {
        let cut: Vec<&PipelineId> = dead_ends(service, &runnable, is_connector);
        if cut.is_empty() {
            break;
        }
        runnable.retain(|id| !cut.contains(id));
    }
    let listed = runnable.iter().map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    match runnable.len() {
        0 => {
            "each pipeline uses something that is not supported; take it out of them, or let another collector run them"
                .to_string()
        }
        _ => format!("`--pipelines {listed}` runs what is supported and leaves the rest of the file alone"),
    }
}
