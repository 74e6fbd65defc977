//! Calls, and the binding of their arguments.

use std::sync::Arc;

use super::tree::Found;
use super::{Failure, Meter, builtins, error, methods};
use crate::value::{Builtin, Value};

/// The arguments of a call.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Value>,
    pub(crate) keywords: Vec<(Arc<str>, Value)>,
}

impl Args {
    pub(crate) fn of(positional: Vec<Value>) -> Self {
        Self { positional, keywords: Vec::new() }
    }

    pub(crate) fn add_keyword(&mut self, name: Arc<str>, value: Value) -> Result<(), Failure> {
        if self.keywords.iter().any(|(known, _)| *known == name) {
            return Err(error::r#type(format!("got multiple values for keyword argument '{name}'")));
        }
        self.keywords.push((name, value));
        Ok(())
    }

    /// Binds the arguments to parameters, of which so many are required; a parameter whose name is empty is positional only, and one
    /// whose name begins with `*` is given by keyword only.
    pub(crate) fn take<const N: usize>(
        self,
        function: &str,
        names: [&str; N],
        required: usize,
    ) -> Result<[Option<Value>; N], Failure> {
        let mut bound = [const { None }; N];
        let most = names.iter().take_while(|name| !name.starts_with('*')).count();
        if self.positional.len() > most {
            let given = self.positional.len();
            return Err(error::r#type(format!("{function}() takes at most {most} arguments ({given} given)")));
        }
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (keyword, value) in self.keywords {
            let parameter = |name: &&str| !name.is_empty() && name.trim_start_matches('*') == &*keyword;
            let Some(position) = names.iter().position(parameter) else {
                return Err(error::r#type(format!("'{keyword}' is an invalid keyword argument for {function}()")));
            };
            if bound[position].replace(value).is_some() {
                return Err(error::r#type(format!(
                    "argument for {function}() given by name ('{keyword}') and position"
                )));
            }
        }
        if bound.iter().take(required).any(Option::is_none) {
            return Err(error::r#type(format!("{function}() takes at least {required} arguments")));
        }
        Ok(bound)
    }

    /// No keywords, and exactly so many arguments.
    pub(crate) fn exactly<const N: usize>(self, function: &str) -> Result<[Value; N], Failure> {
        let given = self.positional.len();
        self.without_keywords(function)?
            .positional
            .try_into()
            .map_err(|_| error::r#type(format!("{function}() takes exactly {N} arguments ({given} given)")))
    }

    pub(crate) fn without_keywords(self, function: &str) -> Result<Self, Failure> {
        if self.keywords.is_empty() {
            return Ok(self);
        }
        Err(error::r#type(format!("{function}() takes no keyword arguments")))
    }
}

/// Calls a value.
pub(crate) fn call(called: &Value, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    match called {
        Value::Builtin(Builtin::Type(kind)) => builtins::construct(*kind, args, meter),
        Value::Builtin(Builtin::Function(function)) => builtins::call(*function, args, meter),
        Value::Method(method) => methods::call(&method.object, &method.name, args, meter),
        other => Err(error::r#type(format!("'{}' object is not callable", other.type_name()))),
    }
}

/// Calls a builtin with one argument.
pub(super) fn builtin_of_one(builtin: Builtin, argument: Found<'_>, meter: &mut Meter) -> Result<Value, Failure> {
    if let Some(value) = builtins::of_one(builtin, &argument, meter)? {
        return Ok(value);
    }
    call(&Value::Builtin(builtin), Args::of(vec![argument.into_owned()]), meter)
}
