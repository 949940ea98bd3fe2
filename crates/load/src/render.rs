//! Turns a plan into the bytes of an ExportTraceServiceRequest, without encoding a field.

use crate::{
    mix::{self, Mix, Position},
    random::scale,
    schedule::Plan,
    template::{Stamp, Template, field_len, put_field_start},
    trace::{Shape, Trace},
};
use std::sync::Arc;

/// Writes requests. Clones share the templates; each worker has its own scratch.
#[derive(Clone, Debug)]
pub(crate) struct Renderer {
    shape: Shape,
    variants: u32,
    services: Arc<[Service]>,
    /// The spans of the request being written, ordered by their ends: see [`order_key`].
    order: Vec<u64>,
    drafts: Vec<Draft>,
    traces: Vec<Trace>,
}

#[derive(Debug)]
struct Service {
    /// The encoded resource of each instance.
    resources: Vec<Vec<u8>>,
    scope: Vec<u8>,
    root: Vec<Template>,
    entry: Vec<Template>,
    call: Vec<Template>,
    root_failed: Vec<Template>,
    entry_failed: Vec<Template>,
    call_failed: Vec<Template>,
}

#[derive(Clone, Copy, Debug)]
struct Draft {
    trace: u32,
    span: u32,
    template: u32,
    start_ns: u64,
    end_ns: u64,
    random: u64,
}

impl Renderer {
    pub(crate) fn new(shape: &Shape, mix: Mix) -> Self {
        let services = (0..shape.services).map(|service| Service::new(service, mix)).collect();
        Self {
            shape: shape.clone(),
            variants: mix.variants(),
            services,
            order: Vec::new(),
            drafts: Vec::new(),
            traces: Vec::new(),
        }
    }

    /// Appends the request that `plan` describes: the spans of one service, in the order in which they ended.
    pub(crate) fn render(&mut self, plan: &Plan, out: &mut Vec<u8>) {
        self.draft(plan);
        let service = &self.services[plan.service as usize];
        let instance = (plan.first_trace / 1024 % INSTANCES) as usize;
        let resource = &service.resources[instance];
        let spans_len: usize = self.drafts.iter().map(|draft| self.template(service, draft).encoded_len()).sum();
        let scope_spans_len = service.scope.len() + spans_len;
        let resource_spans_len = resource.len() + field_len(scope_spans_len);

        out.reserve(field_len(resource_spans_len));
        put_field_start(out, 1, resource_spans_len);
        out.extend_from_slice(resource);
        put_field_start(out, 2, scope_spans_len);
        out.extend_from_slice(&service.scope);
        for key in &self.order {
            let draft = &self.drafts[(key & DRAFT_MASK) as usize];
            let trace = &self.traces[draft.trace as usize];
            let parent_id =
                self.shape.parent_of(plan.service, draft.span).map_or([0; 8], |parent| trace.span_id(parent));
            let stamp = Stamp {
                trace_id: trace.id,
                span_id: trace.span_id(draft.span),
                parent_id,
                start_ns: draft.start_ns,
                end_ns: draft.end_ns,
                random: draft.random,
            };
            self.template(service, draft).write(out, &stamp);
        }
    }

    /// Decides the times and the template of each span, and the order.
    fn draft(&mut self, plan: &Plan) {
        self.order.clear();
        self.drafts.clear();
        self.traces.clear();
        let first_span = self.shape.spans_of(plan.service).start;
        for number in 0..plan.traces {
            let index = plan.first_trace + u64::from(number) * u64::from(plan.stride);
            let trace = self.shape.trace(index);
            // The trace ended about when it was planned: nothing here is sent before it happened.
            let began_ns =
                plan.began_ns + (index - plan.began_trace) * plan.pace_ns + u64::from(trace.id[0]) - trace.duration_ns;
            for span in plan.spans.clone() {
                let times = trace.times(&self.shape, plan.service, span);
                let random = trace.span_random(span);
                let variant = scale(random.rotate_left(17), u64::from(self.variants)) as u32;
                let place = if span == 0 { 0 } else { 1 + u32::from(span > first_span) };
                let template = variant << 3 | place << 1 | u32::from(trace.failed_span == Some(span));
                let (start_ns, end_ns) = (began_ns + times.start_ns, began_ns + times.end_ns);
                self.order
                    .push(order_key(end_ns.saturating_sub(plan.began_ns.saturating_sub(BEFORE_NS)), self.drafts.len()));
                self.drafts.push(Draft { trace: number, span, template, start_ns, end_ns, random });
            }
            self.traces.push(trace);
        }
        self.order.sort_unstable();
    }

    #[inline]
    fn template<'a>(&self, service: &'a Service, draft: &Draft) -> &'a Template {
        let templates = match draft.template & 7 {
            0 => &service.root,
            1 => &service.root_failed,
            2 => &service.entry,
            3 => &service.entry_failed,
            4 => &service.call,
            _ => &service.call_failed,
        };
        &templates[(draft.template >> 3) as usize % templates.len()]
    }
}

impl Service {
    fn new(service: u32, mix: Mix) -> Self {
        let templates = |position, failed, is_root, count| -> Vec<Template> {
            (0..count).map(|variant| Template::new(&mix.content(service, position, failed, variant), is_root)).collect()
        };
        let variants = mix.variants();
        Self {
            resources: (0..INSTANCES as u32).map(|instance| mix::resource(service, instance)).collect(),
            scope: mix::scope(service),
            root: templates(Position::Entry, false, true, variants),
            entry: templates(Position::Entry, false, false, variants),
            call: templates(Position::Call, false, false, variants),
            root_failed: templates(Position::Entry, true, true, FAILED_VARIANTS),
            entry_failed: templates(Position::Entry, true, false, FAILED_VARIANTS),
            call_failed: templates(Position::Call, true, false, FAILED_VARIANTS),
        }
    }
}

/// End and draft in one number, which sorts several times faster than a pair: 44 bits of nanoseconds (five hours), 20 of index.
#[inline]
fn order_key(end_ns: u64, draft: usize) -> u64 {
    end_ns.min(u64::MAX >> DRAFT_BITS) << DRAFT_BITS | draft as u64
}

/// A request has at most a million spans.
const DRAFT_BITS: u32 = 20;
const DRAFT_MASK: u64 = (1 << DRAFT_BITS) - 1;
/// No span of a request ended longer before the time of its plan.
const BEFORE_NS: u64 = 8_000_000_000;
/// Running copies of each service, which differ in their resource.
const INSTANCES: u64 = 4;
/// Failures are rare, a few templates do.
const FAILED_VARIANTS: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;
    use std::collections::HashMap;

    #[test]
    fn requests_are_whole_traces_in_the_order_of_their_ends() {
        let shape = Shape { spans: 10, services: 5, error_share: 0.1, slow_share: 0.1, seed: 3 };
        let mut renderer = Renderer::new(&shape, Mix::Plain);
        let mut spans_of = HashMap::<_, Vec<_>>::new();
        for service in 0..5 {
            let plan = Plan {
                service,
                first_trace: 100,
                stride: 1,
                traces: 30,
                spans: shape.spans_of(service),
                began_ns: 1_700_000_000_000_000_000,
                began_trace: 100,
                pace_ns: 1_000_000,
            };
            let mut out = Vec::new();
            renderer.render(&plan, &mut out);
            let request = ExportTraceServiceRequest::decode(out.as_slice()).expect("valid protobuf");
            assert_eq!(request.encode_to_vec(), out, "the canonical encoding");
            let resource = request.resource_spans[0].resource.as_ref().expect("a resource");
            assert_eq!(resource.attributes.len(), 7);
            let spans = &request.resource_spans[0].scope_spans[0].spans;
            assert_eq!(spans.len(), 60);
            assert!(spans.is_sorted_by_key(|span| span.end_time_unix_nano));
            for span in spans {
                let ids = (span.span_id.clone(), span.parent_span_id.clone());
                spans_of.entry(span.trace_id.clone()).or_default().push(ids);
            }
        }
        assert_eq!(spans_of.len(), 30);
        for spans in spans_of.values() {
            assert_eq!(spans.len(), 10);
            assert_eq!(spans.iter().filter(|(_, parent)| parent.is_empty()).count(), 1);
            let known = |parent: &Vec<u8>| parent.is_empty() || spans.iter().any(|(id, _)| id == parent);
            assert!(spans.iter().all(|(_, parent)| known(parent)), "every parent was sent");
        }
    }
}
