//! Who may do what: tokens, sessions, and the shape of a caller.
//!
//! A caller shows a token in a header, or the cookie of a session that was begun with a token;
//! both are looked up by their hash. What decides (where to listen, which host, whose page,
//! how much) is pure and has a file each; the layers of the API ask it.

pub(crate) mod bind;
pub(crate) mod first_token;
pub(crate) mod hosts;
mod limits;
pub(crate) mod origin;
mod recognise;
pub(crate) mod secret;

pub(crate) use limits::Permit;
pub(crate) use recognise::{Recognised, SessionError};

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use autotuner_store::{Act, Role};

use crate::api::error::ApiError;
use hosts::{Authority, HostList};
use limits::Limits;

/// Changes that one caller may make a second, where nothing else is said.
pub(crate) const CHANGES_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("not zero");

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Name of the token; `local` where nobody was asked.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// From where.
    pub(crate) address: Option<String>,
}

impl Caller {
    /// Who uses this machine itself, with every right: the command line, and everybody where
    /// nobody is asked for a token.
    pub(crate) fn local(address: Option<String>) -> Self {
        Self {
            name: first_token::NAME.into(),
            role: Role::Admin,
            address,
        }
    }

    /// The caller's act at this time.
    pub(crate) fn act(&self, at_ms: i64) -> Act {
        Act {
            actor: self.name.clone(),
            role: self.role,
            address: self.address.clone(),
            at_ms,
        }
    }
}

/// What the operator decided about access.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where the service listens, once it does.
    pub(crate) bound: SocketAddr,
    /// Where it was asked to listen.
    pub(crate) host: String,
    /// Further names under which it is asked.
    pub(crate) allowed_hosts: Vec<Authority>,
    /// Whether a proxy in front of it encrypts, and says in `X-Forwarded-For` who asks.
    pub(crate) is_behind_proxy: bool,
    /// Whether nobody is asked for a token.
    pub(crate) is_open: bool,
    /// Changes that one caller may make a second; ten seconds' worth may come at once.
    pub(crate) changes_per_second: NonZeroU32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bound: (Ipv4Addr::LOCALHOST, 8_000).into(),
            host: Ipv4Addr::LOCALHOST.to_string(),
            allowed_hosts: Vec::new(),
            is_behind_proxy: false,
            is_open: false,
            changes_per_second: CHANGES_PER_SECOND,
        }
    }
}

/// How callers are recognised, and what of them is counted.
pub(crate) struct Access {
    hosts: HostList,
    cookie: String,
    is_behind_proxy: bool,
    is_open: bool,
    limits: Limits,
}

impl Default for Access {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Access {
    /// Access as the operator decided.
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings {
            bound,
            host,
            allowed_hosts,
            is_behind_proxy,
            is_open,
            changes_per_second,
        } = settings;
        Self {
            hosts: HostList::new(bound, &host, allowed_hosts, is_behind_proxy),
            // Cookies know no ports; two services on one host must not end each other's sessions.
            cookie: format!("autotuner_session_{}", bound.port()),
            is_behind_proxy,
            is_open,
            limits: Limits::new(changes_per_second),
        }
    }

    /// The names that the service answers to.
    pub(crate) fn hosts(&self) -> &HostList {
        &self.hosts
    }

    /// Whether a proxy stands in front of the service.
    pub(crate) fn is_behind_proxy(&self) -> bool {
        self.is_behind_proxy
    }

    /// A place for a stream of this caller; keep it for as long as the stream lives.
    ///
    /// # Errors
    /// 429 with a time to wait: this caller has too many streams open, or all together have.
    pub(crate) fn stream_permit(&self, caller: &Caller) -> Result<Permit, ApiError> {
        self.limits.stream(&caller.name)
    }

    /// Counts an attempt to log in.
    ///
    /// # Errors
    /// 429 with a time to wait: there were too many from this address.
    pub(crate) fn login_attempt(&self, from: Option<IpAddr>) -> Result<(), ApiError> {
        self.limits.login(from)
    }

    /// Counts a change by a caller.
    ///
    /// # Errors
    /// 429 with a time to wait: this caller made too many.
    pub(crate) fn change(&self, caller: &Caller) -> Result<(), ApiError> {
        self.limits.change(&caller.name)
    }
}
