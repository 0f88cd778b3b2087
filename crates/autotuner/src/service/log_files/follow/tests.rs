use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::*;

struct Log {
    folder: tempfile::TempDir,
}

impl Log {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn add(&self, bytes: impl AsRef<[u8]>) {
        append(&self.path()).write_all(bytes.as_ref()).expect("written");
    }

    fn empty(&self) {
        append(&self.path()).set_len(0).expect("emptied");
    }

    /// Puts another file in the log's place.
    fn replace(&self, content: impl AsRef<[u8]>) {
        let beside = self.folder.path().join("beside");
        std::fs::write(&beside, content).expect("written");
        std::fs::rename(beside, self.path()).expect("moved");
    }

    fn remove(&self) {
        std::fs::remove_file(self.path()).expect("removed");
    }

    fn follower(&self) -> Follower {
        Follower::new(self.path(), None)
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .expect("opened")
}

/// Everything that a follower says until there is nothing more, notices in angle brackets.
fn told(follower: &mut Follower, is_over: bool) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let word = match follower.step(is_over).expect("readable") {
            Step::Lines { lines, is_all } => {
                told.extend(lines.into_iter().map(|line| line.text));
                match is_all {
                    true => return told,
                    false => continue,
                }
            }
            Step::Nothing => return told,
            Step::Missing => "<missing>",
            Step::Truncated => "<truncated>",
            Step::Removed => "<removed>",
        };
        told.push(word.into());
        if word != "<truncated>" {
            return told;
        }
    }
}

fn check(follower: &mut Follower, expected: &[&str]) {
    assert_eq!(told(follower, false), expected);
}

#[test]
fn lines_come_whole_and_once() {
    let log = Log::new();
    let mut follower = log.follower();
    check(&mut follower, &["<missing>"]);
    log.add("");
    check(&mut follower, &[]);
    log.add("one\ntwo\nthr");
    check(&mut follower, &["one", "two"]);
    check(&mut follower, &[]);
    log.add("ee");
    check(&mut follower, &[]);
    assert!(follower.has_unfinished());
    log.add("\n\r\n\n");
    check(&mut follower, &["three", "", ""]);
    assert!(!follower.has_unfinished());
    log.add("gr\u{fc}n".as_bytes().split_at(3).0);
    check(&mut follower, &[]);
    log.add("gr\u{fc}n".as_bytes().split_at(3).1);
    log.add(b"\nbad \xff\xfe\ncarriage\rreturn\n");
    check(
        &mut follower,
        &["gr\u{fc}n", "bad \u{fffd}\u{fffd}", "carriage\rreturn"],
    );
}

#[test]
fn a_last_line_is_given_out_when_nobody_writes_any_more() {
    let log = Log::new();
    let mut follower = log.follower();
    log.add("one\nunfin");
    check(&mut follower, &["one"]);
    assert_eq!(told(&mut follower, true), ["unfin"]);
    assert!(told(&mut follower, true).is_empty(), "once");
    let mark = follower.mark().to_string();
    log.add("ished\ntwo\n");
    check(&mut follower, &["ished", "two"]);
    check(&mut Follower::new(log.path(), Some(&mark)), &["ished", "two"]);
}

#[test]
fn long_lines_are_cut_and_nothing_after_them_is_lost() {
    let log = Log::new();
    let longest = "x".repeat(LONGEST_LINE);
    let cut = format!("{longest}{CUT}");
    log.add(format!("{longest}\n{longest}y\nafter\n"));
    check(&mut log.follower(), &[&longest, &cut, "after"]);

    let log = Log::new();
    let mut follower = log.follower();
    log.add(format!("{longest}y"));
    check(&mut follower, &[&cut]);
    let mark = follower.mark().to_string();
    for _ in 0..20 {
        log.add(&longest);
        check(&mut follower, &[]);
    }
    assert!(!follower.has_unfinished(), "the rest of it is not waited for");
    log.add("end\nafter\n");
    check(&mut follower, &["after"]);
    check(&mut Follower::new(log.path(), Some(&mark)), &["after"]);

    let log = Log::new();
    log.add(format!("{}\u{e9}\n", &longest[1..]));
    check(&mut log.follower(), &[&format!("{}{CUT}", &longest[1..])]);
}

#[test]
fn an_emptied_log_begins_again() {
    let log = Log::new();
    let mut follower = log.follower();
    log.add("one\ntwo\n");
    check(&mut follower, &["one", "two"]);
    log.empty();
    check(&mut follower, &["<truncated>"]);
    log.add("three\n");
    check(&mut follower, &["three"]);
    log.empty();
    log.add("longer than what was there before\nand more\n");
    check(
        &mut follower,
        &["<truncated>", "longer than what was there before", "and more"],
    );
    log.empty();
    log.add("LONGER than what was there before\nand MORE\n");
    check(
        &mut follower,
        &["<truncated>", "LONGER than what was there before", "and MORE"],
    );
}

#[test]
fn a_removed_log_is_read_to_its_end() {
    let log = Log::new();
    let mut follower = log.follower();
    log.add("one\n");
    check(&mut follower, &["one"]);
    log.add("two\nunfinished");
    log.remove();
    check(&mut follower, &["two", "unfinished", "<removed>"]);
}

#[test]
fn a_copy_in_its_place_is_gone_on_with() {
    let log = Log::new();
    let mut follower = log.follower();
    log.add("one\ntwo\n");
    check(&mut follower, &["one", "two"]);
    log.replace("one\ntwo\nthree\n");
    check(&mut follower, &["three"]);
    log.add("four\n");
    check(&mut follower, &["four"]);
    log.add("last words\n");
    log.replace("another\n");
    check(&mut follower, &["last words", "<truncated>", "another"]);
}

#[test]
fn every_mark_leads_on_after_its_line() {
    let log = Log::new();
    let text: Vec<String> = (0..300)
        .map(|number| format!("{number} {}", "ab".repeat(number % 40)))
        .collect();
    log.add(text.join("\n") + "\n");
    let mut follower = log.follower();
    let mut lines = Vec::new();
    while let Step::Lines { lines: some, .. } = follower.step(false).expect("readable") {
        lines.extend(some);
    }
    assert_eq!(lines.len(), text.len());
    for (number, line) in lines.iter().enumerate() {
        let mut resumed = Follower::new(log.path(), Some(&line.after.to_string()));
        assert_eq!(told(&mut resumed, false), text[number + 1..], "{number}");
    }
    let mark = lines[250].after.to_string();
    log.empty();
    check(&mut Follower::new(log.path(), Some(&mark)), &["<truncated>"]);
    log.add("new ".repeat(20_000) + "\n");
    let resumed = told(&mut Follower::new(log.path(), Some(&mark)), false);
    assert_eq!(resumed[0], "<truncated>", "regrown in between");
    check(
        &mut Follower::new(log.path(), Some("nonsense")),
        &["<truncated>", &resumed[1]],
    );
}

#[test]
fn one_step_is_bounded_whatever_the_log() {
    let log = Log::new();
    log.add("\n".repeat(1_000_000));
    let mut follower = log.follower();
    let mut count = 0;
    while count < 1_000_000 {
        let Step::Lines { lines, .. } = follower.step(false).expect("readable") else {
            panic!("too few lines: {count}");
        };
        assert!(lines.len() <= MOST_LINES);
        count += lines.len();
    }
    assert_eq!(count, 1_000_000);
}
