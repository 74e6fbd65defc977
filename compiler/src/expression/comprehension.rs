//! Comprehensions: their variables are local to them, and visible from left to right (reference: R3).

use pest::iterators::Pair;
use tlc_plan::expression::{Collection, Id, Node, Nodes, Place};

use super::grammar::Rule;
use super::scan::Mistake;
use super::tree::{Reader, precedence};

/// The variables of a comprehension.
pub(super) struct Frame {
    variables: Vec<Variable>,
}

/// What a comprehension makes of a name.
pub(super) enum Bound {
    Nowhere,
    /// To a variable that has no value yet.
    TooEarly,
    /// To the variable in this slot.
    Variable(u32),
}

struct Variable {
    name: String,
    slot: u32,
    /// Whether a clause has bound it yet.
    visible: bool,
}

impl<'t> Reader<'t> {
    /// What a name is bound to by the comprehensions around.
    pub(super) fn bound(&self, name: &str) -> Bound {
        let of = |frame: &'_ Frame| {
            let variable = frame.variables.iter().find(|variable| variable.name == name)?;
            Some(if variable.visible { Bound::Variable(variable.slot) } else { Bound::TooEarly })
        };
        self.frames.iter().rev().find_map(of).unwrap_or(Bound::Nowhere)
    }

    pub(super) fn list_comprehension(
        &mut self,
        pair: &Pair<'t, Rule>,
        clauses: &Pair<'t, Rule>,
    ) -> Result<Id, Mistake> {
        let Some(element) = pair.clone().into_inner().next() else {
            return Err(self.does_not_fit(self.bytes_of(pair)));
        };
        self.comprehension(pair, clauses, |this| match element.as_rule() {
            Rule::starred => Err(starred(this, &element)),
            _ => Ok((this.expression(element)?, Collection::List)),
        })
    }

    pub(super) fn braces_comprehension(
        &mut self,
        pair: &Pair<'t, Rule>,
        clauses: &Pair<'t, Rule>,
    ) -> Result<Id, Mistake> {
        let Some(entry) = pair.clone().into_inner().next() else { return Err(self.does_not_fit(self.bytes_of(pair))) };
        self.comprehension(pair, clauses, |this| {
            let bytes = entry.clone();
            let id = this.entry(entry)?;
            match this.builder.node(id) {
                Node::Pair { .. } => Ok((id, Collection::Dict)),
                Node::Starred(_) | Node::Mapping(_) => Err(starred(this, &bytes)),
                _ => Ok((id, Collection::Set)),
            }
        })
    }

    fn comprehension(
        &mut self,
        pair: &Pair<'t, Rule>,
        clauses: &Pair<'t, Rule>,
        element: impl FnOnce(&mut Self) -> Result<(Id, Collection), Mistake>,
    ) -> Result<Id, Mistake> {
        let place = self.place_of(pair);
        if let Some(walrus) = pair.clone().into_inner().find(|inner| inner.as_rule() == Rule::walrus) {
            return Err(self.walrus(&walrus));
        }
        let frames = self.frames.len();
        let made = self.clauses(clauses).and_then(|clauses| Ok((clauses, element(self)?)));
        self.frames.truncate(frames);
        let (clauses, (element, collection)) = made?;
        let clauses = self.builder.list(&clauses);
        self.push(Node::Comprehension { collection, element, clauses }, place)
    }

    /// The clauses; the first iterable is read outside of the comprehension, everything else inside.
    fn clauses(&mut self, clauses: &Pair<'t, Rule>) -> Result<Vec<Id>, Mistake> {
        let mut ids = Vec::new();
        for clause in clauses.clone().into_inner() {
            let place = self.place_of(&clause);
            if clause.as_rule() == Rule::condition {
                let bytes = self.bytes_of(&clause);
                let Some(operation) = clause.into_inner().next() else { return Err(self.does_not_fit(bytes)) };
                let condition = self.operation(operation, precedence::OR)?;
                ids.push(self.push(Node::If(condition), place)?);
                continue;
            }
            let mut parts = clause.clone().into_inner();
            let (Some(first), Some(second)) = (parts.next(), parts.next()) else {
                return Err(self.does_not_fit(self.bytes_of(&clause)));
            };
            if first.as_rule() == Rule::r#async {
                return Err(self.refused(&first, "expressions have no `async`", "write a plain comprehension"));
            }
            let iterable = self.operation(second, precedence::OR)?;
            if ids.is_empty() {
                let frame = self.frame(clauses)?;
                self.frames.push(frame);
            }
            let target = self.targets(first, false)?;
            ids.push(self.push(Node::For { target, iterable }, place)?);
        }
        Ok(ids)
    }

    /// All variables that the clauses bind, none of them visible yet.
    fn frame(&mut self, clauses: &Pair<'t, Rule>) -> Result<Frame, Mistake> {
        let mut frame = Frame { variables: Vec::new() };
        for clause in clauses.clone().into_inner().filter(|clause| clause.as_rule() == Rule::for_clause) {
            if let Some(targets) = clause.into_inner().find(|part| part.as_rule() == Rule::targets) {
                self.declare(targets, &mut frame)?;
            }
        }
        Ok(frame)
    }

    fn declare(&mut self, pair: Pair<'t, Rule>, frame: &mut Frame) -> Result<(), Mistake> {
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => {
                    let name = part.as_str();
                    if !frame.variables.iter().any(|variable| variable.name == name) {
                        frame.variables.push(Variable {
                            name: name.to_owned(),
                            slot: self.builder.slot(),
                            visible: false,
                        });
                    }
                }
                Rule::place_target => {
                    return Err(self.refused(
                        &part,
                        "a comprehension binds names only",
                        "write a name between `for` and `in`",
                    ));
                }
                _ => self.declare(part, frame)?,
            }
        }
        Ok(())
    }

    /// A target list: one target, or several that make a tuple.
    fn targets(&mut self, pair: Pair<'t, Rule>, is_list: bool) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let bytes = self.bytes_of(&pair);
        let mut items = Vec::new();
        let mut several = is_list;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::comma => several = true,
                _ => items.push(self.target(part)?),
            }
        }
        several |= items.len() > 1;
        let is_starred = |this: &Self, id: &Id| matches!(this.builder.node(*id), Node::Starred(_));
        let starred = items.iter().filter(|id| is_starred(self, id)).count();
        match items.as_slice() {
            [only] if !several && starred == 0 => Ok(*only),
            _ if !several => Err(Mistake::syntax("a starred target must stand in a list or a tuple", bytes)),
            _ if starred > 1 => Err(Mistake::syntax("two starred targets in one list", bytes)),
            _ => self.tuple(&items, place),
        }
    }

    fn tuple(&mut self, items: &[Id], place: Place) -> Result<Id, Mistake> {
        let items: Nodes = self.builder.list(items);
        self.push(Node::Tuple(items), place)
    }

    fn target(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let bytes = self.bytes_of(&pair);
        match pair.as_rule() {
            Rule::name => self.variable(&pair, place),
            Rule::star_target => {
                let Some(inner) = pair.into_inner().next() else { return Err(self.does_not_fit(bytes)) };
                let inner = self.target(inner)?;
                self.push(Node::Starred(inner), place)
            }
            rule => match pair.into_inner().next() {
                Some(targets) => self.targets(targets, rule == Rule::list_target),
                None => self.tuple(&[], place),
            },
        }
    }

    fn variable(&mut self, pair: &Pair<'t, Rule>, place: Place) -> Result<Id, Mistake> {
        self.check_keyword(pair)?;
        let name = pair.as_str();
        let variables = self.frames.last_mut().map(|frame| &mut frame.variables);
        let Some(variable) = variables.into_iter().flatten().find(|variable| variable.name == name) else {
            return Err(self.does_not_fit(self.bytes_of(pair)));
        };
        variable.visible = true;
        let slot = variable.slot;
        let name = self.builder.name(name);
        self.push(Node::Variable { slot, name }, place)
    }
}

fn starred(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Mistake {
    let span = pair.as_span();
    let bytes = span.start() + reader.base..span.end() + reader.base;
    Mistake::syntax("a comprehension cannot unpack", bytes)
        .help("write a second `for`: `[y for x in items for y in x]`")
}
