//! From text to expression: a scanner, and a parser by binding power.

use super::{ConstraintError, Expression, Operator};
use crate::space::ParameterName;

/// Deepest nesting that is read; deeper is a mistake or an attack.
const DEEPEST: usize = 64;

/// Longest condition that is read. It also bounds how deep evaluation can go.
const LONGEST: usize = 2000;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Word(String),
    Parameter(String),
    Symbol(&'static str),
}

struct Placed {
    token: Token,
    column: usize,
}

pub(super) fn expression(source: &str) -> Result<Expression, ConstraintError> {
    if source.chars().count() > LONGEST {
        return Err(error(
            &format!("the condition is longer than {LONGEST} characters"),
            LONGEST + 1,
        ));
    }
    let tokens = scan(source)?;
    if tokens.is_empty() {
        return Err(error("the condition is empty", 1));
    }
    let mut parser = Parser {
        end: source.chars().count() + 1,
        tokens,
        next: 0,
        depth: 0,
    };
    let expression = parser.binary(0)?;
    if let Some(placed) = parser.tokens.get(parser.next) {
        return Err(error(
            &format!("unexpected \"{}\"", placed.token.spelt()),
            placed.column,
        ));
    }
    if let Some(kind) = not_a_truth(&expression) {
        return Err(error(&format!("the condition is a {kind}, not true or false"), 1));
    }
    Ok(expression)
}

fn error(message: &str, column: usize) -> ConstraintError {
    ConstraintError {
        message: message.to_owned(),
        column,
    }
}

/// What the expression is, where it can never be true or false.
fn not_a_truth(expression: &Expression) -> Option<&'static str> {
    match expression {
        Expression::Number(_) | Expression::Negative(_) => Some("number"),
        Expression::Text(_) => Some("text"),
        Expression::Binary(operator, _, _) if operator.is_arithmetic() => Some("number"),
        _ => None,
    }
}

impl Operator {
    fn is_arithmetic(self) -> bool {
        matches!(
            self,
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Remainder
        )
    }

    fn is_comparison(self) -> bool {
        !self.is_arithmetic() && !matches!(self, Self::Or | Self::And)
    }

    /// How tightly it binds; larger is tighter.
    fn power(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide | Self::Remainder => 6,
        }
    }
}

/// The binding power of `not`, between `and` and the comparisons.
const POWER_OF_NOT: u8 = 3;

impl Token {
    fn spelt(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) | Self::Word(text) => text.clone(),
            Self::Parameter(name) => format!("{{{name}}}"),
            Self::Symbol(symbol) => (*symbol).to_owned(),
        }
    }

    fn operator(&self) -> Option<Operator> {
        Some(match self {
            Self::Word(word) if word == "or" => Operator::Or,
            Self::Word(word) if word == "and" => Operator::And,
            Self::Symbol("==") => Operator::Equal,
            Self::Symbol("!=") => Operator::NotEqual,
            Self::Symbol("<") => Operator::Less,
            Self::Symbol("<=") => Operator::LessOrEqual,
            Self::Symbol(">") => Operator::Greater,
            Self::Symbol(">=") => Operator::GreaterOrEqual,
            Self::Symbol("+") => Operator::Add,
            Self::Symbol("-") => Operator::Subtract,
            Self::Symbol("*") => Operator::Multiply,
            Self::Symbol("/") => Operator::Divide,
            Self::Symbol("%") => Operator::Remainder,
            _ => return None,
        })
    }
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|placed| &placed.token)
    }

    fn column(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |placed| placed.column)
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(s)) if *s == symbol);
        self.next += usize::from(found);
        found
    }

    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ConstraintError>,
    ) -> Result<T, ConstraintError> {
        if self.depth == DEEPEST {
            return Err(error("the condition is nested too deeply", self.column()));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn binary(&mut self, least: u8) -> Result<Expression, ConstraintError> {
        let mut left = self.unary()?;
        let mut compared = false;
        loop {
            let column = self.column();
            if matches!(self.peek(), Some(Token::Word(word)) if word == "in") {
                if Operator::Equal.power() < least {
                    return Ok(left);
                }
                self.next += 1;
                left = Expression::OneOf(Box::new(left), self.list()?);
                continue;
            }
            let Some(operator) = self.peek().and_then(Token::operator) else {
                return Ok(left);
            };
            if operator.power() < least {
                return Ok(left);
            }
            if operator.is_comparison() && compared {
                return Err(error(
                    "comparisons cannot be chained; join them with \"and\"",
                    column,
                ));
            }
            compared = operator.is_comparison();
            self.next += 1;
            let right = self.deeper(|parser| parser.binary(operator.power() + 1))?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Expression, ConstraintError> {
        if matches!(self.peek(), Some(Token::Word(word)) if word == "not") {
            self.next += 1;
            let inner = self.deeper(|parser| parser.binary(POWER_OF_NOT))?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        if self.accept("-") {
            let inner = self.deeper(Self::unary)?;
            return Ok(Expression::Negative(Box::new(inner)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expression, ConstraintError> {
        let column = self.column();
        if self.accept("(") {
            let inner = self.deeper(|parser| parser.binary(0))?;
            if self.accept(")") {
                return Ok(inner);
            }
            return Err(match self.peek() {
                None => error("the parenthesis is never closed", column),
                Some(token) => error(&format!("unexpected \"{}\"", token.spelt()), self.column()),
            });
        }
        let expression = match self.peek() {
            Some(Token::Number(number)) => Expression::Number(*number),
            Some(Token::Text(text)) => Expression::Text(text.clone()),
            Some(Token::Parameter(name)) => Expression::Parameter(ParameterName::new(name)),
            Some(Token::Word(word)) => match word.as_str() {
                "true" => Expression::Bool(true),
                "false" => Expression::Bool(false),
                "and" | "or" | "in" => return Err(error("a value is missing", column)),
                _ => Expression::Text(word.clone()),
            },
            Some(Token::Symbol(_)) | None => return Err(error("a value is missing", column)),
        };
        self.next += 1;
        Ok(expression)
    }

    fn list(&mut self) -> Result<Vec<Expression>, ConstraintError> {
        let column = self.column();
        if !self.accept("[") {
            return Err(error("\"in\" needs a list such as [1, 2]", column));
        }
        let mut entries = Vec::new();
        while !self.accept("]") {
            if !entries.is_empty() && !self.accept(",") {
                return Err(match self.peek() {
                    None => error("the list is never closed", column),
                    Some(_) => error("entries of a list are parted by commas", self.column()),
                });
            }
            entries.push(self.deeper(|parser| parser.binary(Operator::Add.power()))?);
        }
        Ok(entries)
    }
}

const SYMBOLS: [&str; 16] = [
    "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",",
];

fn scan(source: &str) -> Result<Vec<Placed>, ConstraintError> {
    let characters: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        let column = at + 1;
        let rest = &characters[at..];
        if first.is_whitespace() {
            at += 1;
            continue;
        }
        let (token, length) = match first {
            '{' => scan_parameter(rest, column)?,
            '\'' | '"' => scan_text(rest, column)?,
            _ if first.is_ascii_digit() => scan_number(rest, column)?,
            _ if first.is_alphabetic() || first == '_' => scan_word(rest),
            _ => scan_symbol(rest, column)?,
        };
        tokens.push(Placed { token, column });
        at += length;
    }
    Ok(tokens)
}

fn scan_parameter(rest: &[char], column: usize) -> Result<(Token, usize), ConstraintError> {
    let close = rest
        .iter()
        .position(|c| *c == '}')
        .ok_or_else(|| error("the brace is never closed", column))?;
    let name: String = rest[1..close].iter().collect();
    match name.trim() {
        "" => Err(error("the braces name no parameter", column)),
        name => Ok((Token::Parameter(name.to_owned()), close + 1)),
    }
}

fn scan_text(rest: &[char], column: usize) -> Result<(Token, usize), ConstraintError> {
    let close = rest[1..]
        .iter()
        .position(|c| *c == rest[0])
        .ok_or_else(|| error("the quote is never closed", column))?;
    Ok((Token::Text(rest[1..=close].iter().collect()), close + 2))
}

fn scan_number(rest: &[char], column: usize) -> Result<(Token, usize), ConstraintError> {
    let mut length = 0;
    while let Some(c) = rest.get(length) {
        let sign_of_exponent = matches!(c, '+' | '-') && matches!(rest[length - 1], 'e' | 'E');
        if !(c.is_ascii_alphanumeric() || *c == '.' || sign_of_exponent) {
            break;
        }
        length += 1;
    }
    let text: String = rest[..length].iter().collect();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), length)),
        _ => Err(error(&format!("\"{text}\" is not a number"), column)),
    }
}

fn scan_word(rest: &[char]) -> (Token, usize) {
    let length = rest
        .iter()
        .position(|c| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-')))
        .unwrap_or(rest.len());
    (Token::Word(rest[..length].iter().collect()), length)
}

fn scan_symbol(rest: &[char], column: usize) -> Result<(Token, usize), ConstraintError> {
    let head: String = rest.iter().take(2).collect();
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| head.starts_with(**symbol)) {
        return Ok((Token::Symbol(symbol), symbol.len()));
    }
    Err(match rest[0] {
        '=' => error("\"=\" is not an operator; to compare, write \"==\"", column),
        other => error(&format!("unexpected character \"{other}\""), column),
    })
}
