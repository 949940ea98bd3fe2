//! `attributes`: actions on the attributes of spans, data points and log records, of those that `include` and `exclude` leave.

use crate::{
    Broken, Edited, Moment, Processor,
    action::{ActionSettings, Actions},
    attribute_list::AttributeList,
    matching::{MatchSettings, Skip},
    splice::{Field, Splice},
    walk,
};
use otlp::Signal;
use settings::{Decode, Node, Problems};

/// Settings of an `attributes` processor.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct AttributesSettings {
    /// What is done to the attributes, in this order.
    pub actions: Vec<ActionSettings>,
    /// Which items it is done to: `include` and `exclude`.
    pub matching: MatchSettings,
}

/// The processor `attributes`.
#[derive(Clone, Debug)]
pub struct Attributes {
    actions: Actions,
    /// By signal; those of a signal that the settings do not fit skip nothing.
    skips: [Skip; 3],
}

impl Decode for AttributesSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("attributes", p)?;
        fields.describe::<Self>();
        let written =
            fields.node("actions").is_some_and(|node| node.list("actions", &mut Problems::new()) != Some(&[]));
        let actions = fields.optional("actions", p);
        let matching = MatchSettings::take(&mut fields, p);
        fields.finish(p);
        if !written {
            let help = "list actions, such as `- {key: password, action: delete}`";
            p.error(&node.at, "an `attributes` processor needs `actions`", help.to_string());
        }
        Some(Self { actions: actions?, matching })
    }
}

impl AttributesSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let actions = Node::list_of(self.actions.iter().map(ActionSettings::effective));
        Node::map_of([("actions", actions)].into_iter().chain(self.matching.effective()))
    }

    /// Whether `include` and `exclude` name what items of this signal have.
    ///
    /// # Errors
    /// What they name instead, in words.
    pub fn fits(&self, signal: Signal) -> Result<(), String> {
        self.matching.fits(signal)
    }
}

impl Attributes {
    /// Compiles the settings.
    ///
    /// # Errors
    /// What is wrong with an action; with those that decoding gave nothing is.
    pub fn new(settings: &AttributesSettings) -> Result<Self, String> {
        let actions = Actions::new(&settings.actions).map_err(|mistake| mistake.message)?;
        let skip = |signal| match settings.fits(signal) {
            Ok(()) => Skip::new(&settings.matching, signal),
            Err(_) => Ok(Skip::default()),
        };
        let [traces, metrics, logs] = Signal::ALL.map(skip);
        Ok(Self { actions, skips: [traces?, metrics?, logs?] })
    }

    fn edit_scope<'e>(
        &self,
        actions: &'e Actions,
        (splice, list): (&mut Splice<'_>, &mut AttributeList<'e>),
        signal: Signal,
        (resource_part, scope_part): (&Field, &Field),
    ) -> Result<(), Broken> {
        let source = splice.source();
        let [traces, metrics, logs] = &self.skips;
        let skip = match signal {
            Signal::Traces => traces,
            Signal::Metrics => metrics,
            Signal::Logs => logs,
        };
        let skip = skip.of_scope(resource_part.of(source), scope_part.of(source))?;
        if skip.skips_all() {
            return Ok(());
        }
        for item in walk::fields(source, scope_part.body.clone()) {
            let item = item?;
            if item.number != walk::ITEM || (signal == Signal::Metrics && skip.skips(item.of(source), list)?) {
                continue;
            }
            walk::each_record(splice, signal, &item, |splice, record, number| {
                list.read(record.body.clone(), number)?;
                if signal == Signal::Metrics || !skip.skips(record.of(source), list)? {
                    actions.apply(list);
                    list.write(splice);
                }
                Ok::<(), Broken>(())
            })?;
        }
        Ok(())
    }
}

impl Processor for Attributes {
    fn edit<'a>(&self, signal: Signal, request: &'a [u8], moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        let actions = self.actions.of(moment.client);
        let mut splice = Splice::new(request);
        let mut list = AttributeList::new(request);
        walk::each_scope(&mut splice, |splice, resource_part, scope_part| {
            self.edit_scope(&actions, (splice, &mut list), signal, (resource_part, scope_part))
        })?;
        Ok(Edited::new(splice.finish(), 0))
    }
}

#[cfg(test)]
mod tests;
