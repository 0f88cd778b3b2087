//! The metronome's flags.

use clap::{Args, ValueEnum};

/// The flags of the truth server, for a program's own parser to flatten in.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct MetronomeOptions {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes a free one, told as "listening on http://..."
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Time from a request's last byte to its first content, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 50.0)]
    pub ttft_ms: f64,
    /// Time from one content write to the next, in milliseconds; 0 writes as fast as the socket
    /// takes it, in fair turns
    #[arg(long, value_name = "MS", default_value_t = 20.0)]
    pub itl_ms: f64,
    /// Tokens of every answer; 0 for as many as the request asks for (16 if it does not say)
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub tokens: u32,
    /// Events, of one token each, that go into one write
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub events_per_write: u32,
    /// Send a chunk with the role and no content this many milliseconds after the request, before
    /// the first content [default: none is sent]
    #[arg(long, value_name = "MS")]
    pub role_chunk_ms: Option<f64>,
    /// Which stamps of a request's chunks to keep; for millions of chunks, the first and the last
    #[arg(long, value_enum, default_value_t = Stamps::All)]
    pub stamps: Stamps,
}

/// Which stamps of a request's chunks are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stamps {
    /// One for each chunk.
    All,
    /// The first, the last and how many there were.
    FirstLast,
}

/// The same as no flag at all.
impl Default for MetronomeOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            ttft_ms: 50.0,
            itl_ms: 20.0,
            tokens: 0,
            events_per_write: 1,
            role_chunk_ms: None,
            stamps: Stamps::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        options: MetronomeOptions,
    }

    fn parse(flags: &str) -> Result<MetronomeOptions, clap::Error> {
        Program::try_parse_from(std::iter::once("truth").chain(flags.split_whitespace()))
            .map(|program| program.options)
    }

    #[test]
    fn no_flag_is_the_default() {
        assert_eq!(parse("").unwrap(), MetronomeOptions::default());
    }

    #[test]
    fn every_flag_is_read() {
        let flags = "--host ::1 --port 8000 --ttft-ms 2.5 --itl-ms 0 --tokens 128 \
                     --events-per-write 32 --role-chunk-ms 1 --stamps first-last";
        let expected = MetronomeOptions {
            host: "::1".to_owned(),
            port: 8000,
            ttft_ms: 2.5,
            itl_ms: 0.0,
            tokens: 128,
            events_per_write: 32,
            role_chunk_ms: Some(1.0),
            stamps: Stamps::FirstLast,
        };
        assert_eq!(parse(flags).unwrap(), expected);
    }

    #[test]
    fn what_is_no_value_is_named() {
        for (flags, named) in [
            ("--ttft-ms soon", "--ttft-ms"),
            ("--tokens -1", "-1"),
            ("--stamps none", "--stamps"),
        ] {
            let error = parse(flags).unwrap_err().to_string();
            assert!(error.contains(named), "{flags}: {error}");
        }
    }
}
