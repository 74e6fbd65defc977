//! Operands: names, displays, and what follows them: attributes, calls, subscripts.

use pest::iterators::Pair;
use tlc_plan::expression::{Id, Node, Place, Root};
use tlc_plan::value::{Builtin, Value};

use super::comprehension::Bound;
use super::grammar::Rule;
use super::scan::Mistake;
use super::tree::{Reader, Tokens, precedence};

/// Python's words that are no names.
const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield",
];

/// What attributes are collected on.
enum Base {
    /// A root, with names that follow it.
    Path(Root, Vec<u32>, Place),
    Node(Id),
}

impl<'t> Reader<'t> {
    /// An operand with everything that follows it.
    pub(super) fn primary(&mut self, atom: Pair<'t, Rule>, tokens: &mut Tokens<'t>) -> Result<Id, Mistake> {
        let mut base = self.base(atom)?;
        let mut pending: Option<(u32, u32)> = None;
        let trails = |rule| matches!(rule, Rule::attribute | Rule::call | Rule::subscript);
        while let Some(trailer) = tokens.next_if(|token| trails(token.as_rule())) {
            let end = self.place_of(&trailer).end;
            if trailer.as_rule() == Rule::attribute {
                base = self.flush(base, pending.take())?;
                pending = Some((self.attribute(&trailer)?, end));
                continue;
            }
            let id = if trailer.as_rule() == Rule::call {
                match pending.take() {
                    Some((name, _)) => {
                        let object = self.finish(base)?;
                        let arguments = self.arguments(trailer)?;
                        let place = Place::new(self.builder.place(object).start, end);
                        self.push(Node::CallMethod { object, name, arguments }, place)?
                    }
                    None => {
                        let function = self.finish(base)?;
                        let arguments = self.arguments(trailer)?;
                        let place = Place::new(self.builder.place(function).start, end);
                        self.push(Node::Call { function, arguments }, place)?
                    }
                }
            } else {
                let object = self.flush(base, pending.take())?;
                let object = self.finish(object)?;
                let index = self.subscript(trailer)?;
                let place = Place::new(self.builder.place(object).start, end);
                self.push(Node::Subscript { object, index }, place)?
            };
            base = Base::Node(id);
        }
        let base = self.flush(base, pending)?;
        self.finish(base)
    }

    fn attribute(&mut self, pair: &Pair<'t, Rule>) -> Result<u32, Mistake> {
        let Some(name) = pair.clone().into_inner().next() else { return Err(self.does_not_fit(self.bytes_of(pair))) };
        if name.as_str().starts_with('_') {
            let message = format!("the attribute `{}` begins with an underscore", name.as_str());
            return Err(Mistake::refused(message, "write `[\"…\"]` for a key of that name", self.bytes_of(&name)));
        }
        self.check_keyword(&name)?;
        Ok(self.builder.name(name.as_str()))
    }

    /// Adds an attribute that turned out not to be called.
    fn flush(&mut self, base: Base, pending: Option<(u32, u32)>) -> Result<Base, Mistake> {
        let Some((name, end)) = pending else { return Ok(base) };
        match base {
            Base::Path(root, mut names, place) => {
                names.push(name);
                Ok(Base::Path(root, names, Place::new(place.start, end)))
            }
            Base::Node(object) => {
                let place = Place::new(self.builder.place(object).start, end);
                self.push(Node::Attribute { object, name }, place).map(Base::Node)
            }
        }
    }

    fn finish(&mut self, base: Base) -> Result<Id, Mistake> {
        match base {
            Base::Node(id) => Ok(id),
            Base::Path(root, names, place) if names.is_empty() => self.push(Node::Root(root), place),
            Base::Path(root, names, place) => {
                let names = self.builder.path(&names);
                self.push(Node::Path { root, names }, place)
            }
        }
    }

    fn base(&mut self, atom: Pair<'t, Rule>) -> Result<Base, Mistake> {
        let place = self.place_of(&atom);
        match atom.as_rule() {
            Rule::name => self.name(&atom, place),
            Rule::number => {
                let value = self.number(&atom)?;
                self.value(value, place).map(Base::Node)
            }
            Rule::strings => self.strings(atom).map(Base::Node),
            Rule::parentheses => self.parentheses(atom).map(Base::Node),
            Rule::brackets => self.brackets(atom).map(Base::Node),
            Rule::braces => self.braces(atom).map(Base::Node),
            Rule::lambda => Err(self.refused(
                &atom,
                "expressions have no `lambda`",
                "write a comprehension: `[f(x) for x in items]`",
            )),
            Rule::r#yield => {
                Err(self.refused(&atom, "expressions have no `yield`", "write a list: `[x for x in items]`"))
            }
            Rule::ellipsis => Err(self.refused(&atom, "expressions have no `...`", "write `None`")),
            _ => Err(self.does_not_fit(self.bytes_of(&atom))),
        }
    }

    pub(super) fn refused(&self, pair: &Pair<'t, Rule>, message: &str, help: &str) -> Mistake {
        Mistake::refused(message, help, self.bytes_of(pair))
    }

    pub(super) fn value(&mut self, value: Value, place: Place) -> Result<Id, Mistake> {
        self.builder.value(value, place).map_err(|_| Mistake::limit("the expression is too long", 0..self.text.len()))
    }

    fn name(&mut self, pair: &Pair<'t, Rule>, place: Place) -> Result<Base, Mistake> {
        let name = pair.as_str();
        let node = match name {
            "None" => Node::None,
            "True" => Node::Bool(true),
            "False" => Node::Bool(false),
            _ => {
                self.check_keyword(pair)?;
                match (self.bound(name), Root::of(name), Builtin::of(name)) {
                    (Bound::Variable(slot), ..) => Node::Variable { slot, name: self.builder.name(name) },
                    (Bound::Nowhere, Some(root), _) => return Ok(Base::Path(root, Vec::new(), place)),
                    (Bound::Nowhere, None, Some(builtin)) => Node::Builtin(builtin),
                    (Bound::TooEarly, ..) | (Bound::Nowhere, None, None) => Node::Unknown(self.builder.name(name)),
                }
            }
        };
        self.push(node, place).map(Base::Node)
    }

    pub(super) fn check_keyword(&self, pair: &Pair<'t, Rule>) -> Result<(), Mistake> {
        let word = pair.as_str();
        if KEYWORDS.binary_search(&word).is_err() && !matches!(word, "None" | "True" | "False") {
            return Ok(());
        }
        Err(Mistake::syntax(format!("`{word}` is a word of the language, no name"), self.bytes_of(pair)))
    }

    fn arguments(&mut self, call: Pair<'t, Rule>) -> Result<tlc_plan::expression::Nodes, Mistake> {
        let mut arguments = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut mapped = false;
        for argument in call.into_inner() {
            let place = self.place_of(&argument);
            let id = match argument.as_rule() {
                Rule::mapping => {
                    mapped = true;
                    let inner = self.only(argument)?;
                    self.push(Node::Mapping(inner), place)?
                }
                Rule::star_argument if mapped => {
                    return Err(Mistake::syntax("`*` after `**` in a call", self.bytes_of(&argument)));
                }
                Rule::star_argument => {
                    let inner = self.only(argument)?;
                    self.push(Node::Starred(inner), place)?
                }
                Rule::keyword => self.keyword(argument, place, &mut names)?,
                Rule::clauses => return Err(self.generator(&argument)),
                Rule::walrus => return Err(self.walrus(&argument)),
                _ if mapped || !names.is_empty() => {
                    return Err(Mistake::syntax(
                        "a positional argument after a keyword argument",
                        self.bytes_of(&argument),
                    ));
                }
                _ => self.expression(argument)?,
            };
            arguments.push(id);
        }
        Ok(self.builder.list(&arguments))
    }

    fn keyword(&mut self, pair: Pair<'t, Rule>, place: Place, names: &mut Vec<&'t str>) -> Result<Id, Mistake> {
        let bytes = self.bytes_of(&pair);
        let mut inner = pair.into_inner();
        let (Some(name), Some(value)) = (inner.next(), inner.next()) else { return Err(self.does_not_fit(bytes)) };
        self.check_keyword(&name)?;
        if names.contains(&name.as_str()) {
            return Err(Mistake::syntax(format!("the argument `{}` is given twice", name.as_str()), bytes));
        }
        names.push(name.as_str());
        let value = self.expression(value)?;
        let name = self.builder.name(name.as_str());
        self.push(Node::Keyword { name, value }, place)
    }

    /// The only expression or operation in a pair.
    fn only(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let bytes = self.bytes_of(&pair);
        match pair.into_inner().next() {
            Some(inner) => self.expression(inner),
            None => Err(self.does_not_fit(bytes)),
        }
    }

    pub(super) fn generator(&self, clauses: &Pair<'t, Rule>) -> Mistake {
        self.refused(clauses, "expressions have no generator expressions", "write a list: `[x for x in items]`")
    }

    pub(super) fn walrus(&self, pair: &Pair<'t, Rule>) -> Mistake {
        self.refused(
            pair,
            "nothing can be assigned in an expression",
            "write the value where it is used, or put it into `locals`",
        )
    }

    fn subscript(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let bytes = self.bytes_of(&pair);
        let mut indices = Vec::new();
        let mut comma = false;
        let mut parts = pair.into_inner().peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            if part.clone().into_inner().next().is_none() {
                if last && !indices.is_empty() {
                    comma = true;
                    continue;
                }
                return Err(Mistake::syntax("an index is missing", bytes));
            }
            indices.push(self.index(part)?);
        }
        let starred = indices.iter().any(|&id| matches!(self.builder.node(id), Node::Starred(_)));
        match indices.as_slice() {
            [only] if !comma && !starred => Ok(*only),
            several => {
                if several.iter().any(|&id| matches!(self.builder.node(id), Node::Slice { .. })) {
                    return Err(Mistake::syntax("a slice among several indices", bytes));
                }
                let items = self.builder.list(&indices);
                self.push(Node::Tuple(items), place)
            }
        }
    }

    fn index(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let mut colons = 0;
        let mut parts: [Option<Id>; 3] = [None; 3];
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::colon => colons += 1,
                Rule::walrus => return Err(self.walrus(&part)),
                Rule::starred => return self.starred(part),
                _ => parts[colons] = Some(self.expression(part)?),
            }
        }
        if colons == 0 {
            return parts[0].ok_or_else(|| self.does_not_fit(0..0));
        }
        let mut ids = [Id::default(); 3];
        for (id, part) in ids.iter_mut().zip(parts) {
            *id = match part {
                Some(part) => part,
                None => self.push(Node::None, place)?,
            };
        }
        let [start, stop, step] = ids;
        self.push(Node::Slice { start, stop, step }, place)
    }

    pub(super) fn starred(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let bytes = self.bytes_of(&pair);
        let Some(operation) = pair.into_inner().next() else { return Err(self.does_not_fit(bytes)) };
        let inner = self.operation(operation, precedence::BIT_OR)?;
        self.push(Node::Starred(inner), place)
    }

    /// The elements of a display, and whether a comma ends them.
    fn elements(&mut self, pair: Pair<'t, Rule>) -> Result<(Vec<Id>, bool), Mistake> {
        let mut items = Vec::new();
        let mut comma = false;
        for element in pair.into_inner() {
            match element.as_rule() {
                Rule::starred => items.push(self.starred(element)?),
                Rule::walrus => return Err(self.walrus(&element)),
                Rule::comma => comma = true,
                _ => items.push(self.expression(element)?),
            }
        }
        Ok((items, comma))
    }

    fn parentheses(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let bytes = self.bytes_of(&pair);
        if let Some(clauses) = pair.clone().into_inner().find(|inner| inner.as_rule() == Rule::clauses) {
            return Err(self.generator(&clauses));
        }
        let (items, comma) = self.elements(pair)?;
        match items.as_slice() {
            [only] if !comma => match self.builder.node(*only) {
                Node::Starred(_) => {
                    Err(Mistake::syntax("a starred expression needs a list or a tuple around it", bytes)
                        .help("write `(*x,)` for a tuple, `[*x]` for a list"))
                }
                _ => Ok(*only),
            },
            items => {
                let items = self.builder.list(items);
                self.push(Node::Tuple(items), place)
            }
        }
    }

    fn brackets(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        if let Some(clauses) = pair.clone().into_inner().find(|inner| inner.as_rule() == Rule::clauses) {
            return self.list_comprehension(&pair, &clauses);
        }
        let (items, _) = self.elements(pair)?;
        let items = self.builder.list(&items);
        self.push(Node::List(items), place)
    }

    fn braces(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let bytes = self.bytes_of(&pair);
        if let Some(clauses) = pair.clone().into_inner().find(|inner| inner.as_rule() == Rule::clauses) {
            return self.braces_comprehension(&pair, &clauses);
        }
        let mut items = Vec::new();
        for entry in pair.into_inner() {
            items.push(self.entry(entry)?);
        }
        let is_entry = |node: Node| matches!(node, Node::Pair { .. } | Node::Mapping(_));
        let entries = items.iter().filter(|&&id| is_entry(self.builder.node(id))).count();
        let mixed = entries != 0 && entries != items.len();
        let is_dict = entries == items.len();
        if mixed {
            return Err(Mistake::syntax("a dict and a set in one pair of braces", bytes));
        }
        let items = self.builder.list(&items);
        self.push(if is_dict { Node::Dict(items) } else { Node::Set(items) }, place)
    }

    /// An entry of a dict, or an element of a set.
    pub(super) fn entry(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let bytes = self.bytes_of(&pair);
        let mut ids = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::mapping => {
                    let inner = self.only(part)?;
                    return self.push(Node::Mapping(inner), place);
                }
                Rule::starred => return self.starred(part),
                Rule::walrus => return Err(self.walrus(&part)),
                Rule::colon => {}
                _ => ids.push(self.expression(part)?),
            }
        }
        match ids.as_slice() {
            [only] => Ok(*only),
            [key, value] => self.push(Node::Pair { key: *key, value: *value }, place),
            _ => Err(self.does_not_fit(bytes)),
        }
    }
}
