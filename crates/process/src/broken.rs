//! Bytes that are no requests: every processor gives an error or something, and none panics.

use crate::{
    Moment, Processor,
    attributes::Attributes,
    filter::Filter,
    notation::{decode, request},
    resource::Resource,
    span::Span,
};
use otlp::Signal;
use proptest::prelude::*;

fn processors() -> Vec<Box<dyn Processor>> {
    let actions = "{key: a, action: convert, converted_type: string}, {key: x, from_attribute: a, action: upsert}, \
                   {pattern: b, action: hash}, {key: b, action: delete}";
    let filter = "traces: {span: ['attributes[\"x\"] == 1'], spanevent: ['name == \"e\"']}, \
                  metrics: {datapoint: ['attributes[\"x\"] == 1']}, logs: {log_record: ['attributes[\"x\"] == 1']}";
    let matching = "include: {match_type: regexp, attributes: [{key: x, value: '.'}], resources: [{key: a}]}";
    vec![
        Box::new(Resource::new(&decode(&format!("{{attributes: [{actions}]}}")).unwrap()).unwrap()),
        Box::new(Attributes::new(&decode(&format!("{{actions: [{actions}]}}")).unwrap()).unwrap()),
        Box::new(Attributes::new(&decode(&format!("{{actions: [{actions}], {matching}}}")).unwrap()).unwrap()),
        Box::new(
            Span::new(&decode("{name: {from_attributes: [a], to_attributes: {rules: ['(a)(?P<x>b)?']}}}").unwrap())
                .unwrap(),
        ),
        Box::new(Filter::new(&decode(&format!("{{{filter}}}")).unwrap()).unwrap()),
    ]
}

proptest! {
    #[test]
    fn none_panics(signal in 0..3_usize, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), end in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let signal = Signal::ALL[signal];
        let mut bytes = request(signal, "{a: 1, b: x} [s] n event=e {x: 1, a: ab}; m {b: true}\n- [t] n {a: [1, x]}");
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        for processor in processors() {
            let _ = processor.edit(signal, &bytes, Moment::at(0, 0));
        }
    }
}
