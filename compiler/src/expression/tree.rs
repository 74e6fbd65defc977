//! From the grammar's flat rows to a tree: precedence, and the names that are bound.

use std::iter::Peekable;
use std::ops::Range;

use pest::Parser as _;
use pest::iterators::{Pair, Pairs};
use tlc_plan::expression::{Arithmetic, Builder, Comparison, Expression, Id, Logic, MAX_DEPTH, Node, Place, Sign};

use super::comprehension::Frame;
use super::grammar::{Grammar, Rule};
use super::scan::Mistake;

/// A tree that is being read.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) builder: Builder,
    /// The variables of the comprehensions around, the innermost last.
    pub(super) frames: Vec<Frame>,
    /// Where the text that the grammar sees begins: not 0 inside of an f-string.
    pub(super) base: usize,
    /// How many code points come before each byte; empty if all are ASCII.
    points: Vec<u32>,
    level: u16,
}

/// The tokens of a row.
pub(super) type Tokens<'t> = Peekable<Pairs<'t, Rule>>;

/// How tightly operators bind; those of Python, from loose to tight.
pub(super) mod precedence {
    pub(in super::super) const OR: u8 = 1;
    pub(in super::super) const AND: u8 = 2;
    pub(in super::super) const NOT: u8 = 3;
    pub(in super::super) const COMPARE: u8 = 4;
    pub(in super::super) const BIT_OR: u8 = 5;
    pub(in super::super) const SIGN: u8 = 11;
    pub(in super::super) const POWER: u8 = 12;
}

/// An operator between two operands.
enum Infix {
    Logic(Logic),
    Compare(Comparison),
    Arithmetic(Arithmetic, u8),
}

/// Reads the part of the text that a scan has found.
pub(super) fn read(text: &str, part: Range<usize>) -> Result<Expression, Mistake> {
    let mut reader = Reader {
        text,
        builder: Builder::new(),
        frames: Vec::new(),
        base: 0,
        points: if text.is_ascii() { Vec::new() } else { points(text) },
        level: 0,
    };
    reader.whole(part)?;
    Ok(reader.builder.finish())
}

fn points(text: &str) -> Vec<u32> {
    let mut points = Vec::with_capacity(text.len() + 1);
    for (count, character) in text.chars().enumerate() {
        points.extend(std::iter::repeat_n(count as u32, character.len_utf8()));
    }
    points.push(text.chars().count() as u32);
    points
}

impl<'t> Reader<'t> {
    /// A part of the text that is an expression, or several, which make a tuple.
    pub(super) fn whole(&mut self, part: Range<usize>) -> Result<Id, Mistake> {
        let outer = std::mem::replace(&mut self.base, part.start);
        let text: &'t str = &self.text[part.clone()];
        let mut pairs = Grammar::parse(Rule::whole, text)
            .map_err(|error| self.unexpected(&error, part.clone()))?
            .filter(|pair| pair.as_rule() != Rule::EOI)
            .peekable();
        let Some(first) = pairs.next() else { return Err(Mistake::syntax("there is no expression", part)) };
        let mut items = vec![self.expression(first)?];
        if pairs.peek().is_none() {
            self.base = outer;
            return Ok(items[0]);
        }
        for pair in pairs.filter(|pair| pair.as_rule() == Rule::expression) {
            items.push(self.expression(pair)?);
        }
        let list = self.builder.list(&items);
        let place = self.place(part.start - self.base..part.end - self.base);
        let tuple = self.push(Node::Tuple(list), place)?;
        self.base = outer;
        Ok(tuple)
    }

    /// Where a part of the text that the grammar sees stands.
    pub(super) fn place(&self, bytes: Range<usize>) -> Place {
        let point = |byte: usize| {
            let byte = byte + self.base;
            self.points.get(byte).copied().unwrap_or(byte as u32)
        };
        Place::new(point(bytes.start), point(bytes.end))
    }

    pub(super) fn place_of(&self, pair: &Pair<'t, Rule>) -> Place {
        let span = pair.as_span();
        self.place(span.start()..span.end())
    }

    /// The bytes of a pair in the whole text.
    pub(super) fn bytes_of(&self, pair: &Pair<'t, Rule>) -> Range<usize> {
        let span = pair.as_span();
        span.start() + self.base..span.end() + self.base
    }

    pub(super) fn between(&self, first: Id, last: Id) -> Place {
        Place::new(self.builder.place(first).start, self.builder.place(last).end)
    }

    pub(super) fn push(&mut self, node: Node, place: Place) -> Result<Id, Mistake> {
        self.builder.push(node, place).map_err(|_| self.too_complex())
    }

    fn too_complex(&self) -> Mistake {
        Mistake::limit(format!("the expression nests more than {MAX_DEPTH} deep, or is too long"), 0..self.text.len())
    }

    /// Bounds the recursion of the reader.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Mistake>) -> Result<T, Mistake> {
        if self.level >= MAX_DEPTH {
            return Err(self.too_complex());
        }
        self.level += 1;
        let result = read(self);
        self.level -= 1;
        result
    }

    /// `row if row else row …`
    pub(super) fn expression(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let mut tokens = pair.into_inner().peekable();
        self.deeper(|this| this.conditional(&mut tokens))
    }

    fn conditional(&mut self, tokens: &mut Tokens<'t>) -> Result<Id, Mistake> {
        let mut rows = vec![self.row(tokens, precedence::OR)?];
        while tokens.next_if(|token| matches!(token.as_rule(), Rule::if_word | Rule::else_word)).is_some() {
            rows.push(self.row(tokens, precedence::OR)?);
        }
        let Some(mut otherwise) = rows.pop() else { return Err(self.too_complex()) };
        while let (Some(test), Some(then)) = (rows.pop(), rows.pop()) {
            let place = self.between(then, otherwise);
            otherwise = self.push(Node::Conditional { test, then, otherwise }, place)?;
        }
        Ok(otherwise)
    }

    /// A whole row of operands and operators that bind at least so tightly.
    pub(super) fn operation(&mut self, pair: Pair<'t, Rule>, least: u8) -> Result<Id, Mistake> {
        let mut tokens = pair.into_inner().peekable();
        let id = self.row(&mut tokens, least)?;
        match tokens.next() {
            None => Ok(id),
            Some(token) => Err(self.does_not_fit(self.bytes_of(&token)).help("put the operand in parentheses")),
        }
    }

    fn row(&mut self, tokens: &mut Tokens<'t>, least: u8) -> Result<Id, Mistake> {
        let mut left = self.deeper(|this| this.prefixed(tokens, least))?;
        while let Some(infix) = tokens.peek().and_then(|token| infix_of(token)) {
            if infix.precedence() < least {
                break;
            }
            left = match infix {
                Infix::Logic(logic) => self.logic(left, logic, tokens)?,
                Infix::Compare(_) => self.comparison(left, tokens)?,
                Infix::Arithmetic(operator, precedence) => {
                    tokens.next();
                    let next = if operator == Arithmetic::Power { precedence::SIGN } else { precedence + 1 };
                    let right = self.deeper(|this| this.row(tokens, next))?;
                    let place = self.between(left, right);
                    self.push(Node::Binary { operator, left, right }, place)?
                }
            };
        }
        Ok(left)
    }

    fn logic(&mut self, first: Id, logic: Logic, tokens: &mut Tokens<'t>) -> Result<Id, Mistake> {
        let next = if logic == Logic::Or { precedence::AND } else { precedence::NOT };
        let mut operands = vec![first];
        let mut last = first;
        while tokens.next_if(|token| matches!(infix_of(token), Some(Infix::Logic(found)) if found == logic)).is_some() {
            last = self.row(tokens, next)?;
            operands.push(last);
        }
        let place = self.between(first, last);
        let operands = self.builder.list(&operands);
        self.push(Node::Logic { logic, operands }, place)
    }

    fn comparison(&mut self, first: Id, tokens: &mut Tokens<'t>) -> Result<Id, Mistake> {
        let mut parts = vec![first];
        let mut end = first;
        while let Some(Infix::Compare(comparison)) = tokens.peek().and_then(|token| infix_of(token)) {
            tokens.next();
            let operand = self.row(tokens, precedence::BIT_OR)?;
            let place = self.builder.place(operand);
            end = self.push(Node::Compared { comparison, operand }, place)?;
            parts.push(end);
        }
        let place = self.between(first, end);
        let parts = self.builder.list(&parts);
        self.push(Node::Compare(parts), place)
    }

    fn prefixed(&mut self, tokens: &mut Tokens<'t>, least: u8) -> Result<Id, Mistake> {
        let Some(token) = tokens.next() else {
            return Err(Mistake::syntax("an operand is missing", 0..self.text.len()));
        };
        if token.as_rule() != Rule::prefix {
            return self.primary(token, tokens);
        }
        let bytes = self.bytes_of(&token);
        let (sign, next) = match token.as_str() {
            "-" => (Sign::Minus, precedence::SIGN),
            "+" => (Sign::Plus, precedence::SIGN),
            "~" => (Sign::Invert, precedence::SIGN),
            "not" if least > precedence::NOT => {
                return Err(self.does_not_fit(bytes).help("put the `not` and its operand in parentheses"));
            }
            "not" => (Sign::Not, precedence::NOT),
            _ => {
                return Err(Mistake::refused(
                    "expressions have no `await`",
                    "there is nothing to wait for: write the value",
                    bytes,
                ));
            }
        };
        let start = self.place_of(&token).start;
        let operand = self.row(tokens, next)?;
        let place = Place::new(start, self.builder.place(operand).end);
        self.push(Node::Unary { sign, operand }, place)
    }

    /// What is wrong where the grammar stopped.
    fn unexpected(&self, error: &pest::error::Error<Rule>, part: Range<usize>) -> Mistake {
        let position = match error.location {
            pest::error::InputLocation::Pos(position) | pest::error::InputLocation::Span((position, _)) => position,
        };
        let at = part.start + position;
        let rest = &self.text[at..part.end];
        if rest.trim().is_empty() {
            return Mistake::syntax("the expression ends too early", at..part.end.max(at));
        }
        let skipped = rest.len() - rest.trim_start().len();
        let rest = &rest[skipped..];
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').filter(|&end| end > 0).unwrap_or_else(|| {
            if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') { rest.len() } else { first_length(rest) }
        });
        let mistake = self.does_not_fit(at + skipped..at + skipped + word);
        match hint(&self.text[..at], rest) {
            Some(help) => mistake.help(help),
            None => mistake,
        }
    }

    pub(super) fn does_not_fit(&self, bytes: Range<usize>) -> Mistake {
        Mistake::syntax(format!("`{}` does not fit here", &self.text[bytes.clone()]), bytes)
    }
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

fn hint(before: &str, rest: &str) -> Option<&'static str> {
    let pair = |mark: &str| rest.starts_with(mark) || before.ends_with(&mark[..1]) && rest.starts_with(&mark[1..]);
    if pair("&&") {
        Some("write `and`")
    } else if pair("||") {
        Some("write `or`")
    } else if rest.starts_with('?') {
        Some("write `x if condition else y`")
    } else if rest.starts_with('!') && !rest.starts_with("!=") {
        Some("write `not`")
    } else if rest.starts_with('=') {
        Some("write `==` to compare; nothing can be assigned")
    } else {
        None
    }
}

impl Infix {
    fn precedence(&self) -> u8 {
        match self {
            Self::Logic(Logic::Or) => precedence::OR,
            Self::Logic(Logic::And) => precedence::AND,
            Self::Compare(_) => precedence::COMPARE,
            Self::Arithmetic(_, precedence) => *precedence,
        }
    }
}

fn infix_of(token: &Pair<'_, Rule>) -> Option<Infix> {
    if token.as_rule() != Rule::infix {
        return None;
    }
    let arithmetic = |operator, precedence| Some(Infix::Arithmetic(operator, precedence));
    match token.as_str() {
        "or" => Some(Infix::Logic(Logic::Or)),
        "and" => Some(Infix::Logic(Logic::And)),
        "==" => Some(Infix::Compare(Comparison::Equal)),
        "!=" => Some(Infix::Compare(Comparison::NotEqual)),
        "<" => Some(Infix::Compare(Comparison::Less)),
        "<=" => Some(Infix::Compare(Comparison::LessOrEqual)),
        ">" => Some(Infix::Compare(Comparison::Greater)),
        ">=" => Some(Infix::Compare(Comparison::GreaterOrEqual)),
        "in" => Some(Infix::Compare(Comparison::In)),
        "is" => Some(Infix::Compare(Comparison::Is)),
        "|" => arithmetic(Arithmetic::Or, precedence::BIT_OR),
        "^" => arithmetic(Arithmetic::Xor, 6),
        "&" => arithmetic(Arithmetic::And, 7),
        "<<" => arithmetic(Arithmetic::ShiftLeft, 8),
        ">>" => arithmetic(Arithmetic::ShiftRight, 8),
        "+" => arithmetic(Arithmetic::Add, 9),
        "-" => arithmetic(Arithmetic::Subtract, 9),
        "*" => arithmetic(Arithmetic::Multiply, 10),
        "/" => arithmetic(Arithmetic::Divide, 10),
        "//" => arithmetic(Arithmetic::FloorDivide, 10),
        "%" => arithmetic(Arithmetic::Modulo, 10),
        "@" => arithmetic(Arithmetic::MatrixMultiply, 10),
        "**" => arithmetic(Arithmetic::Power, precedence::POWER),
        spaced if spaced.starts_with('i') => Some(Infix::Compare(Comparison::IsNot)),
        _ => Some(Infix::Compare(Comparison::NotIn)),
    }
}
