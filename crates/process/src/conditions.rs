//! Lists of OTTL conditions of one context: any of them may hold.

use crate::{Broken, Failing, Ignored, Moment, error_mode::ErrorMode};
use otlp::Keys;
use ottl::{Condition, Context, Fuel, Hints, Paths, Record, Subject, SyntaxError};
use settings::{Node, Problems};
use std::ops::Range;

/// Compiled conditions of one context.
#[derive(Clone, Debug)]
pub struct Conditions {
    list: Vec<Condition>,
    error_mode: ErrorMode,
}

/// What is wrong with one condition of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionMistake {
    /// Which of the list it is.
    pub index: usize,
    /// The bytes of its text that are wrong.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
}

impl Conditions {
    /// Compiles the texts of one context.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(texts: &[String], context: Context, error_mode: ErrorMode) -> Result<Self, Vec<ConditionMistake>> {
        let (mut list, mut mistakes) = (Vec::new(), Vec::new());
        for (index, text) in texts.iter().enumerate() {
            match Condition::compile(text, context, &mut Keys::default()) {
                Ok(condition) => list.push(condition),
                Err(errors) => mistakes.extend(errors.into_iter().map(|error| ConditionMistake::new(index, error))),
            }
        }
        if mistakes.is_empty() { Ok(Self { list, error_mode }) } else { Err(mistakes) }
    }

    /// Compiles texts whose contexts follow from their paths, and sorts them by those.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn inferred<const N: usize>(
        texts: &[String],
        candidates: [Context; N],
        error_mode: ErrorMode,
    ) -> Result<[Option<Self>; N], Vec<ConditionMistake>> {
        let mut lists: [Vec<Condition>; N] = std::array::from_fn(|_| Vec::new());
        let mut mistakes = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match infer(text, &candidates) {
                Ok(condition) => {
                    let place = candidates.iter().position(|context| *context == condition.context());
                    if let Some(list) = place.and_then(|place| lists.get_mut(place)) {
                        list.push(condition);
                    }
                }
                Err(errors) => mistakes.extend(errors.into_iter().map(|error| ConditionMistake::new(index, error))),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(lists.map(|list| Some(Self { list, error_mode }).filter(|conditions| !conditions.list.is_empty())))
    }

    /// Whether one of them holds; errors that are passed over go into `ignored`.
    ///
    /// # Errors
    /// [`Broken::Refused`] where one fails, if that is the error mode.
    pub fn hold(&self, record: Record<'_>, moment: Moment<'_>, ignored: &mut Ignored) -> Result<bool, Broken> {
        let fuel = Fuel::new(FUEL);
        let client = moment.client.map(|sender| sender as &dyn ottl::Client);
        let record = Record { client, ..record };
        let moment = ottl::Moment { wall_ns: moment.wall_ns, seed: moment.seed };
        let subject = Subject::record(record, moment, &fuel);
        for condition in &self.list {
            match condition.evaluate(&subject) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => ignored.meet(self.error_mode, Failing::Condition, condition.text(), &error)?,
            }
        }
        Ok(false)
    }
}

/// What the conditions about one item may cost, in about nanoseconds; then they fail.
const FUEL: u64 = 1_000_000;

fn infer(text: &str, candidates: &[Context]) -> Result<Condition, Vec<SyntaxError>> {
    let mut hints = Hints::default();
    hints.condition(text).map_err(|error| vec![error])?;
    let whole = |message| vec![SyntaxError { at: 0..text.len(), message }];
    let context = hints.infer(candidates).map_err(whole)?;
    Condition::compile_with(text, context, Paths::Prefixed, &mut Keys::default())
}

impl ConditionMistake {
    fn new(index: usize, error: SyntaxError) -> Self {
        Self { index, at: error.at, message: error.message }
    }

    /// Tells it where it stands; `node` is the list of the texts.
    pub fn tell(&self, node: &Node, texts: &[String], p: &mut Problems) {
        let text = texts.get(self.index).map_or("", String::as_str);
        let item = match &node.value {
            settings::Value::List(items) => items.get(self.index),
            _ => None,
        };
        let at = item.map_or(node.at, |item| item.at.within(text, &self.at));
        let help = "conditions are in OTTL, see https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl";
        p.error(&at, format!("invalid condition `{}`: {}", shown(text), self.message), help.to_string());
    }
}

/// A condition in a message; of a longer one its beginning.
fn shown(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text.to_string();
    }
    text.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect()
}

const SHOWN_CHARS_MAX: usize = 100;
