//! Reads what Linux tells about processes and sockets under `/proc`.
//!
//! Each file has a parser that takes text, so that odd lines are table rows in a test, and a
//! reader that asks the kernel. Nothing in here decides whose a process is, and nothing
//! signals one.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// A process as one line of `/proc/<pid>/stat` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Process id.
    pub(crate) pid: i32,
    /// One letter: `R`, `S`, `Z`, …
    pub(crate) state: char,
    /// Process id of the parent.
    pub(crate) parent: i32,
    /// Process group.
    pub(crate) group: i32,
    /// Session.
    pub(crate) session: i32,
    /// When it started, in clock ticks since the machine did.
    pub(crate) start_ticks: u64,
}

/// A TCP socket that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListeningSocket {
    /// Address it is bound to.
    pub(crate) address: IpAddr,
    /// Port it is bound to.
    pub(crate) port: u16,
    /// Number by which `/proc/<pid>/fd` names it.
    pub(crate) inode: u64,
}

impl Stat {
    /// Whether it still runs: a zombie has only its exit code left to give.
    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// One line of `/proc/<pid>/stat`. The program's name is free text in parentheses and may
/// hold spaces and parentheses itself, so the fields are counted from the last `)`.
pub(crate) fn parse_stat(line: &str) -> Option<Stat> {
    let (pid, rest) = line.split_once(" (")?;
    let (_, fields) = rest.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<i32>().ok();
    Some(Stat {
        pid: pid.trim().parse().ok()?,
        state: fields.first()?.chars().next()?,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

/// The value of one variable in the NUL-separated text of `/proc/<pid>/environ`.
pub(crate) fn environ_value<'a>(environ: &'a [u8], name: &str) -> Option<&'a [u8]> {
    environ
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// The listening sockets in the text of `/proc/net/tcp` or `/proc/net/tcp6`.
pub(crate) fn parse_listening(table: &str) -> Vec<ListeningSocket> {
    const LISTENING: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if *fields.get(3)? != LISTENING {
                return None;
            }
            let (address, port) = fields.get(1)?.split_once(':')?;
            Some(ListeningSocket {
                address: parse_address(address)?,
                port: u16::from_str_radix(port, 16).ok()?,
                inode: fields.get(9)?.parse().ok()?,
            })
        })
        .collect()
}

/// An address as the kernel prints it: words of 32 bits in hexadecimal, each word in the
/// machine's byte order.
fn parse_address(text: &str) -> Option<IpAddr> {
    let words: Option<Vec<[u8; 4]>> = text
        .as_bytes()
        .chunks(8)
        .map(|word| {
            let word = std::str::from_utf8(word).ok()?;
            Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes())
        })
        .collect();
    match words?.as_slice() {
        [word] => Some(Ipv4Addr::from(*word).into()),
        words @ [_, _, _, _] => {
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

/// The number of processes the kernel has killed for want of memory, in the text of
/// `/proc/vmstat`.
pub(crate) fn parse_memory_kills(vmstat: &str) -> Option<u64> {
    let line = vmstat.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
    line.trim().parse().ok()
}

/// The process with this id, if there is one.
pub(crate) fn stat(pid: i32) -> Option<Stat> {
    let bytes = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&String::from_utf8_lossy(&bytes))
}

/// Every process there is, zombies too. One that ends while we look is left out.
pub(crate) fn all_processes() -> io::Result<Vec<Stat>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse::<i32>().ok());
        found.extend(pid.and_then(stat));
    }
    Ok(found)
}

/// The environment a process was started with; `None` when it is not ours to read.
pub(crate) fn environ(pid: i32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// The control groups that a process is in, one a line; `None` when there is no such process.
pub(crate) fn control_groups(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()
}

/// Whether the process holds the socket with this inode.
pub(crate) fn holds_socket(pid: i32, inode: u64) -> bool {
    let wanted = PathBuf::from(format!("socket:[{inode}]"));
    fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == wanted))
}

/// Every listening TCP socket of this network namespace.
pub(crate) fn listening_sockets() -> io::Result<Vec<ListeningSocket>> {
    let mut found = parse_listening(&fs::read_to_string("/proc/net/tcp")?);
    // A kernel without IPv6 has no such file.
    if let Ok(table) = fs::read_to_string("/proc/net/tcp6") {
        found.extend(parse_listening(&table));
    }
    Ok(found)
}

/// How many processes the kernel has killed for want of memory since it started.
pub(crate) fn memory_kills() -> Option<u64> {
    parse_memory_kills(&fs::read_to_string("/proc/vmstat").ok()?)
}

/// The random name of this run of the kernel.
pub(crate) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

/// The machine's name.
pub(crate) fn hostname() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned())
}

/// The name of the namespace in which our process ids mean something.
pub(crate) fn pid_namespace() -> io::Result<String> {
    Ok(fs::read_link("/proc/self/ns/pid")?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 1000 2 18446744073709551615";

    fn check_stat(line: &str, expected: Option<Stat>) {
        assert_eq!(parse_stat(line), expected, "{line}");
    }

    fn process(state: char) -> Stat {
        Stat {
            pid: 77,
            state,
            parent: 1,
            group: 70,
            session: 60,
            start_ticks: 4242,
        }
    }

    #[test]
    fn a_stat_line_is_read_whatever_the_program_is_called() {
        for name in [
            "engine",
            "my engine",
            "a) S 1 (b",
            ")",
            "(",
            "",
            "tmux: server",
            "é\u{fffd}",
        ] {
            check_stat(&format!("77 ({name}) S 1 70 60 {TAIL}\n"), Some(process('S')));
        }
        check_stat(&format!("77 (x) Z 1 70 60 {TAIL}"), Some(process('Z')));
    }

    #[test]
    fn a_broken_stat_line_is_no_process() {
        for line in [
            "",
            "77",
            "77 (x",
            "77 (x)",
            "77 (x) S 1 70 60",
            "a (x) S 1 70 60",
            "77 (x) S 1 - 60 0",
        ] {
            check_stat(line, None);
        }
    }

    #[test]
    fn a_zombie_is_not_alive() {
        assert!(process('S').is_alive());
        assert!(process('D').is_alive());
        assert!(!process('Z').is_alive());
    }

    #[test]
    fn our_own_process_is_found() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let all = all_processes().unwrap();
        let own = all.iter().find(|process| process.pid == pid).unwrap();
        assert_eq!(
            Some(own.start_ticks),
            stat(pid).map(|process| process.start_ticks)
        );
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let check = |environ: &[u8], expected: Option<&[u8]>| {
            assert_eq!(environ_value(environ, "MARK"), expected, "{environ:?}");
        };
        check(b"A=1\0MARK=x.1\0B=2\0", Some(b"x.1"));
        check(b"MARK=\0", Some(b""));
        check(b"MARK=a=b", Some(b"a=b"));
        check(b"XMARK=1\0MARKS=2\0A=MARK=3\0", None);
        check(b"MARK\0", None);
        check(b"", None);
    }

    #[test]
    fn only_listening_sockets_are_read_from_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \x20  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 555 1 0 100 0 0 10 0\n\
            \x20  1: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000 0 556 1 0 100 0 0 10 0\n\
            \x20  2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 0 557 1 0 100 0 0 10 0\n\
            \x20  3: nonsense\n";
        let found: Vec<_> = parse_listening(table)
            .into_iter()
            .map(|socket| (socket.address.to_string(), socket.port, socket.inode))
            .collect();
        let expected = [
            ("127.0.0.1".to_owned(), 8080, 555),
            ("0.0.0.0".to_owned(), 80, 557),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn addresses_are_read_in_both_lengths() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                parse_address(text).map(|address| address.to_string()).as_deref(),
                expected,
                "{text}"
            );
        };
        check("0100007F", Some("127.0.0.1"));
        check("00000000000000000000000000000000", Some("::"));
        check("00000000000000000000000001000000", Some("::1"));
        check("0000000000000000FFFF00000100007F", Some("::ffff:127.0.0.1"));
        check("zz", None);
        check("", None);
    }

    #[test]
    fn memory_kills_are_counted() {
        assert_eq!(parse_memory_kills("nr_free 1\noom_kill 7\nx 2\n"), Some(7));
        assert_eq!(parse_memory_kills("oom_killer 7\n"), None);
    }
}
