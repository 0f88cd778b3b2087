//! `autotuner token`

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::paper::{cell, figure, harmless, moment, table, text, whole};
use super::client::{Client, Where};
use super::{Refusal, print, say};
use crate::config::Config;

/// Longest time that a token with an end is good.
const LONGEST_DAYS: i64 = 3_650;

/// Make, list and revoke the tokens that let others in
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner token create alice --role operator --expires 30d
  AUTOTUNER_TOKEN=$(autotuner token create ci --role operator) autotuner tasks
  autotuner token list
  autotuner token revoke alice

A viewer looks, an operator makes, starts, ends and removes tasks, an admin does everything.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token; it is printed now and never again
    #[command(after_help = "Example:\n  autotuner token create alice --role viewer --expires 8w")]
    Create {
        /// Whose it is, or what for
        #[arg(value_name = "NAME")]
        name: String,
        /// What its bearer may do
        #[arg(long, value_enum)]
        role: Role,
        /// How long it is good: 30d, 8w, 1y [default: until it is revoked]
        #[arg(long, value_name = "SPAN", value_parser = days)]
        expires: Option<i64>,
    },
    /// List tokens
    #[command(
        after_help = "Example:\n  autotuner token list --json | jq '.[] | select(.revoked_at == null) | .name'"
    )]
    List,
    /// Revoke a token, and every session in a browser that it began
    #[command(after_help = "Example:\n  autotuner token revoke alice")]
    Revoke {
        /// The token's name or id
        #[arg(value_name = "TOKEN")]
        name_or_id: String,
    },
}

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Look
    Viewer,
    /// Make, start, end and remove tasks
    Operator,
    /// Everything: tokens and the audit log, too
    Admin,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// A span of time such as `30d`, in days.
fn days(text: &str) -> Result<i64, String> {
    let refuse = || "it is a whole number with its unit, days, weeks or years: 30d, 8w, 1y".to_owned();
    let unit = text.chars().last().ok_or_else(refuse)?;
    let each = match unit {
        'd' => 1,
        'w' => 7,
        'y' => 365,
        _ => return Err(refuse()),
    };
    let count: i64 = text[..text.len() - 1].parse().map_err(|_| refuse())?;
    match count.checked_mul(each) {
        Some(days) if (1..=LONGEST_DAYS).contains(&days) => Ok(days),
        _ => Err("it lies between 1d and 10y; leave it out for a token without an end".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    let client = Client::reach(&arguments.place, config)?;
    match &arguments.action {
        Action::Create { name, role, expires } => create(&client, name, *role, *expires, arguments.json),
        Action::List => list(&client, arguments.json),
        Action::Revoke { name_or_id } => revoke(&client, name_or_id, arguments.json),
    }
}

fn create(
    client: &Client,
    name: &str,
    role: Role,
    expires: Option<i64>,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    let mut body = json!({ "name": name, "role": role.as_str() });
    if let Some(days) = expires {
        body["expires_in_days"] = days.into();
    }
    let made = client.post_json("/api/auth/tokens", &body)?.json()?;
    if is_json {
        print(&format!("{made:#}"));
        return Ok(ExitCode::SUCCESS);
    }
    let until = match moment(&made, "expires_at") {
        until if until.is_empty() => "until it is revoked".to_owned(),
        until => format!("until {until}"),
    };
    say(&format!(
        "token \"{}\", {}, good {until}; keep it, it is not shown again",
        harmless(name),
        role.as_str()
    ));
    print(text(&made, "token"));
    Ok(ExitCode::SUCCESS)
}

fn list(client: &Client, is_json: bool) -> Result<ExitCode, Refusal> {
    let tokens = client.get("/api/auth/tokens")?.list()?;
    if is_json {
        print(&format!("{:#}", Value::Array(tokens)));
        return Ok(ExitCode::SUCCESS);
    }
    if tokens.is_empty() {
        say("there are no tokens yet; autotuner token create NAME --role ROLE makes one");
        return Ok(ExitCode::SUCCESS);
    }
    let rows = tokens.iter().map(|token| {
        vec![
            figure(whole(token, "id").to_string()),
            cell(text(token, "name")),
            cell(text(token, "role")),
            cell(&moment(token, "created_at")),
            cell(&moment(token, "last_used_at")),
            cell(&moment(token, "expires_at")),
            cell(&moment(token, "revoked_at")),
        ]
    });
    let header = ["id", "name", "role", "created", "last used", "expires", "revoked"];
    print(&table(&header, rows.collect()));
    Ok(ExitCode::SUCCESS)
}

fn revoke(client: &Client, word: &str, is_json: bool) -> Result<ExitCode, Refusal> {
    let tokens = client.get("/api/auth/tokens")?.list()?;
    // A name may have been another's before, who was revoked; an id is one token's for ever.
    let is_good = |token: &&Value| token["revoked_at"].is_null();
    let named = tokens
        .iter()
        .filter(is_good)
        .find(|token| text(token, "name") == word);
    let with_id = || {
        let id: i64 = word.parse().ok()?;
        tokens.iter().find(|token| whole(token, "id") == id)
    };
    let Some(token) = named.or_else(with_id) else {
        return Err(Refusal::message(format!(
            "no token that is good is called \"{word}\"; autotuner token list shows them"
        )));
    };
    client.delete(&format!("/api/auth/tokens/{}", whole(token, "id")))?;
    say(&format!("revoked \"{}\"", harmless(text(token, "name"))));
    if is_json {
        print(&format!("{:#}", json!({ "revoked": token["id"] })));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(days(text).ok(), expected, "{text}");
        check("30d", Some(30));
        check("8w", Some(56));
        check("10y", Some(3_650));
        for text in [
            "",
            "30",
            "d",
            "-1d",
            "0d",
            "1.5d",
            "12h",
            "11y",
            "9223372036854775807y",
            "1µ",
        ] {
            check(text, None);
        }
    }
}
