//! Lists: encoded ones of the wire, literals of the condition, and what converters make.

use super::Value;
use otlp::view::{ArrayValues, array_values};

/// A list.
#[derive(Clone, Debug, PartialEq)]
pub struct List<'a> {
    /// Which kind of Go list it is.
    pub form: ListForm,
    items: Items<'a>,
}

/// Which Go type a list has in otelcol; comparison looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// The data model's: attributes, and most converters' results.
    Data,
    /// `[]any`: literals and some converters' results.
    Native,
    /// `[]string`, such as `Split` makes: equal to no other list.
    Strings,
    /// `[]uint64`, the counts of buckets: no value that anything else could be set to.
    Counts,
}

#[derive(Clone, Debug, PartialEq)]
enum Items<'a> {
    /// The body of an `ArrayValue`.
    Wire(&'a [u8]),
    Owned(Vec<Value<'a>>),
    Borrowed(&'a [Value<'a>]),
}

/// Iterator over a list's values.
#[derive(Clone, Debug)]
pub enum ListIter<'a> {
    /// Of an encoded list.
    Wire(ArrayValues<'a>),
    /// Of a decoded one.
    Slice(std::slice::Iter<'a, Value<'a>>),
}

impl<'a> List<'a> {
    /// An attribute's list: the body of an `ArrayValue`.
    #[must_use]
    pub fn wire(body: &'a [u8]) -> Self {
        Self { form: ListForm::Data, items: Items::Wire(body) }
    }

    /// A list of the data model.
    #[must_use]
    pub fn data(items: Vec<Value<'a>>) -> Self {
        Self { form: ListForm::Data, items: Items::Owned(items) }
    }

    /// A list of counts.
    #[must_use]
    pub fn counts(items: Vec<Value<'a>>) -> Self {
        Self { form: ListForm::Counts, items: Items::Owned(items) }
    }

    /// A native list of anything.
    #[must_use]
    pub fn native(items: Vec<Value<'a>>) -> Self {
        Self { form: ListForm::Native, items: Items::Owned(items) }
    }

    /// A native list of strings; `items` are all [`Value::Str`].
    #[must_use]
    pub fn strings(items: Vec<Value<'a>>) -> Self {
        Self { form: ListForm::Strings, items: Items::Owned(items) }
    }

    /// The body of its `ArrayValue`, if it is an encoded one.
    pub(crate) fn encoded(&self) -> Option<&'a [u8]> {
        if let Items::Wire(body) = &self.items { Some(body) } else { None }
    }

    /// How many values it has. Walks an encoded list.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.items {
            Items::Wire(body) => array_values(body).count(),
            Items::Owned(items) => items.len(),
            Items::Borrowed(items) => items.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The values in order.
    #[must_use]
    pub fn iter(&self) -> ListIter<'_> {
        match &self.items {
            Items::Wire(body) => ListIter::Wire(array_values(body)),
            Items::Owned(items) => ListIter::Slice(items.iter()),
            Items::Borrowed(items) => ListIter::Slice(items.iter()),
        }
    }

    /// One value, out of the list.
    #[must_use]
    pub fn into_item(self, index: usize) -> Option<Value<'a>> {
        match self.items {
            Items::Wire(body) => array_values(body).nth(index).map(Value::of_wire),
            Items::Owned(mut items) => (index < items.len()).then(|| items.swap_remove(index)),
            Items::Borrowed(items) => items.get(index).map(Value::borrow),
        }
    }

    /// The values, out of the list.
    #[must_use]
    pub fn into_items(self) -> Vec<Value<'a>> {
        match self.items {
            Items::Wire(body) => array_values(body).map(Value::of_wire).collect(),
            Items::Owned(items) => items,
            Items::Borrowed(items) => items.iter().map(Value::borrow).collect(),
        }
    }

    /// About how many bytes it takes to look at all of it.
    #[must_use]
    pub fn weight(&self) -> usize {
        match &self.items {
            Items::Wire(body) => body.len(),
            Items::Owned(items) => items.iter().map(Value::weight).sum(),
            Items::Borrowed(items) => items.iter().map(Value::weight).sum(),
        }
    }

    pub(super) fn borrow(&self) -> List<'_> {
        let items = match &self.items {
            Items::Wire(body) => Items::Wire(body),
            Items::Owned(items) => Items::Borrowed(items),
            Items::Borrowed(items) => Items::Borrowed(items),
        };
        List { form: self.form, items }
    }

    pub(super) fn into_owned(self) -> List<'static> {
        let form = self.form;
        List { form, items: Items::Owned(self.into_items().into_iter().map(Value::into_owned).collect()) }
    }
}

impl<'a> Iterator for ListIter<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match self {
            Self::Wire(values) => values.next().map(Value::of_wire),
            Self::Slice(items) => items.next().map(Value::borrow),
        }
    }
}
