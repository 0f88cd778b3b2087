//! One client's connection: its socket, what it sent, what it has yet to take, and what is going
//! on over it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use super::answer::Answer;
use super::incoming::Incoming;

/// A buffer that has grown beyond this is given back once it is empty.
const USUAL_ROOM: usize = 64 << 10;

/// One client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: Socket,
    pub(super) incoming: Incoming,
    pub(super) phase: Phase,
    /// Whether the socket may have bytes that were not read because an answer was under way.
    pub(super) has_unread: bool,
    /// Whether its answer waits for room in the socket.
    pub(super) is_held: bool,
    /// Whether it waits for its turn.
    pub(super) is_queued: bool,
    /// Whether no other answer follows.
    pub(super) closes: bool,
}

/// What is going on over a connection.
#[derive(Debug)]
pub(super) enum Phase {
    /// A request is waited for, or the rest of it.
    Reading,
    /// An answer is under way.
    Answering(Answer),
    /// All was written; the other side is given the time to read it before the socket closes.
    Parting,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            socket: Socket {
                stream,
                unsent: Vec::new(),
                sent: 0,
            },
            incoming: Incoming::default(),
            phase: Phase::Reading,
            has_unread: false,
            is_held: false,
            is_queued: false,
            closes: false,
        }
    }
}

/// A socket that never blocks, and what it did not take at once.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    unsent: Vec<u8>,
    /// Bytes at the front of `unsent` that have gone since.
    sent: usize,
}

/// What a read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Got {
    /// So many bytes.
    Bytes(usize),
    /// None, for now.
    Nothing,
    /// None, for ever.
    End,
}

impl Socket {
    /// Whether all that was written has gone.
    pub(super) fn is_clear(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Writes, if the socket takes anything at all, and keeps what it does not take. Whether it
    /// took anything. To be called only if the socket is clear, so what is kept is bounded by
    /// one write.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let taken = send(&mut self.stream, bytes)?;
        if taken == 0 {
            return Ok(false);
        }
        self.unsent.extend_from_slice(&bytes[taken..]);
        Ok(true)
    }

    /// Writes, and keeps what the socket does not take.
    pub(super) fn write_all(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        if self.is_clear() {
            self.unsent = bytes;
        } else {
            self.unsent.extend(bytes);
        }
        self.flush()
    }

    /// Writes what was kept, as far as the socket takes it.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.is_clear() {
            return Ok(());
        }
        loop {
            match send(&mut self.stream, &self.unsent[self.sent..])? {
                0 => return Ok(()),
                taken => self.sent += taken,
            }
            if self.sent == self.unsent.len() {
                self.unsent.clear();
                self.unsent.shrink_to(USUAL_ROOM);
                self.sent = 0;
                return Ok(());
            }
        }
    }

    /// Reads what is there, up to the buffer's length.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Got> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok(Got::End),
                Ok(count) => return Ok(Got::Bytes(count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Got::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells the other side that nothing more follows.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// How many bytes the socket takes; 0 if it is full.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
