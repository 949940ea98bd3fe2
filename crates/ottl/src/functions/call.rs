//! One call of a converter: its arguments, evaluated when they are asked for.

use super::{Argument, Arguments, Function};
use crate::{
    edit::target_path::Target,
    error::Error,
    expr::Expr,
    subject::{Moment, Subject},
    value::{List, ListForm, Map, Opaque, Time, Value},
};
use std::borrow::Cow;

/// A call to answer. Arguments are counted from 0, in the order of the parameters.
#[derive(Clone, Copy)]
pub(crate) struct Call<'e> {
    pub(crate) arguments: &'e Arguments,
    pub(crate) subject: &'e Subject<'e>,
}

/// An element of a list argument.
pub(crate) struct Item<'e> {
    pub(crate) value: Value<'e>,
    /// Whether it is an element of a list of the data model, whose text differs: nil is empty, bytes are base64.
    pub(crate) is_element: bool,
}

/// Iterator of the elements of a list argument, each evaluated when it is reached.
pub(crate) enum Items<'e> {
    Exprs(std::slice::Iter<'e, Expr>, &'e Subject<'e>),
    Values(std::vec::IntoIter<Value<'e>>, bool),
}

impl<'e> Call<'e> {
    /// Any value; nil where the argument was left out.
    pub(crate) fn any(self, index: usize) -> Result<Value<'e>, Error> {
        match self.arguments.argument(index) {
            Some(Argument::Value(expr)) => expr.evaluate(self.subject),
            Some(Argument::Items(_)) => Ok(Value::List(List::native(self.values(index)?))),
            Some(Argument::Target(target)) => target.read(self.subject),
            Some(Argument::Converter(_)) | None => Ok(Value::Nil),
        }
    }

    /// What an editor sets.
    pub(crate) fn target(self, index: usize) -> Result<&'e Target, Error> {
        match self.arguments.argument(index) {
            Some(Argument::Target(target)) => Ok(target),
            _ => Err(Error::failed("there is nothing to edit")),
        }
    }

    /// A converter that was passed.
    pub(crate) fn converter(self, index: usize) -> Option<&'static Function> {
        if let Some(Argument::Converter(function)) = self.arguments.argument(index) { Some(function) } else { None }
    }

    pub(crate) fn str(self, index: usize) -> Result<Cow<'e, [u8]>, Error> {
        self.any(index)?.into_str()
    }

    pub(crate) fn str_like(self, index: usize) -> Result<Option<Cow<'e, [u8]>>, Error> {
        let value = self.any(index)?;
        if !matches!(value, Value::Str(_)) {
            self.spend(value.weight())?;
        }
        value.into_str_like()
    }

    pub(crate) fn int(self, index: usize) -> Result<i64, Error> {
        self.any(index)?.into_int()
    }

    pub(crate) fn int_like(self, index: usize) -> Result<Option<i64>, Error> {
        self.any(index)?.into_int_like()
    }

    pub(crate) fn float_like(self, index: usize) -> Result<Option<f64>, Error> {
        self.any(index)?.into_float_like()
    }

    pub(crate) fn bool_like(self, index: usize) -> Result<Option<bool>, Error> {
        self.any(index)?.into_bool_like()
    }

    pub(crate) fn bytes_like(self, index: usize) -> Result<Option<Cow<'e, [u8]>>, Error> {
        self.any(index)?.into_bytes_like()
    }

    pub(crate) fn time(self, index: usize) -> Result<Time, Error> {
        self.any(index)?.into_time()
    }

    pub(crate) fn duration(self, index: usize) -> Result<i64, Error> {
        self.any(index)?.into_duration()
    }

    pub(crate) fn map(self, index: usize) -> Result<Map<'e>, Error> {
        self.any(index)?.into_map()
    }

    pub(crate) fn list(self, index: usize) -> Result<List<'e>, Error> {
        self.any(index)?.into_list()
    }

    /// The elements of a parameter of an `Each…` kind.
    pub(crate) fn items(self, index: usize) -> Result<Items<'e>, Error> {
        match self.arguments.argument(index) {
            Some(Argument::Items(items)) => Ok(Items::Exprs(items.iter(), self.subject)),
            Some(Argument::Value(expr)) => match expr.evaluate(self.subject)? {
                Value::Nil => Ok(Items::Values(Vec::new().into_iter(), false)),
                Value::List(list) => {
                    self.spend(list.weight())?;
                    let is_data = list.form == ListForm::Data;
                    Ok(Items::Values(list.into_items().into_iter(), is_data))
                }
                // Bytes are a list to Go.
                Value::Bytes(bytes) => {
                    self.spend(bytes.len())?;
                    let items: Vec<_> =
                        bytes.iter().map(|byte| Value::Opaque(Opaque::Foreign((*byte).into()))).collect();
                    Ok(Items::Values(items.into_iter(), false))
                }
                other => Err(Error::Type { expected: "a list", found: other.kind() }),
            },
            _ => Ok(Items::Values(Vec::new().into_iter(), false)),
        }
    }

    /// All elements of a parameter of an `Each…` kind.
    pub(crate) fn values(self, index: usize) -> Result<Vec<Value<'e>>, Error> {
        self.items(index)?.map(|item| item.map(|item| item.value)).collect()
    }

    /// Whether the argument was written.
    pub(crate) fn is_given(self, index: usize) -> bool {
        self.arguments.is_given(index)
    }

    /// Accounts for bytes that are looked at or made.
    pub(crate) fn spend(self, bytes: usize) -> Result<(), Error> {
        self.subject.fuel().spend(bytes as u64)
    }

    pub(crate) fn moment(self) -> Moment {
        self.subject.moment()
    }

    pub(crate) fn subject(self) -> &'e Subject<'e> {
        self.subject
    }
}

impl<'e> Item<'e> {
    /// See [`Value::into_str_like`].
    pub(crate) fn into_str_like(self) -> Result<Option<Cow<'e, [u8]>>, Error> {
        if self.is_element && !matches!(self.value, Value::Str(_)) {
            return Ok(Some(Cow::Owned(crate::value::element_text(&self.value))));
        }
        self.value.into_str_like()
    }
}

impl<'e> Iterator for Items<'e> {
    type Item = Result<Item<'e>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Exprs(exprs, subject) => {
                let value = exprs.next()?.evaluate(subject);
                Some(value.map(|value| Item { value, is_element: false }))
            }
            Self::Values(values, is_element) => Some(Ok(Item { value: values.next()?, is_element: *is_element })),
        }
    }
}
