//! The open connections, each under a token that is never given to another.

use super::connection::Connection;

/// Names a connection, even after it has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token {
    /// Its place.
    pub(super) slot: u32,
    /// How many had this place before.
    pub(super) generation: u32,
}

/// The open connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    connection: Option<Connection>,
}

impl Connections {
    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Keeps a connection.
    pub(super) fn add(&mut self, connection: Connection) -> Token {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                connection: None,
            });
            u32::try_from(self.slots.len() - 1).expect("a process has fewer sockets")
        });
        let place = &mut self.slots[slot as usize];
        place.connection = Some(connection);
        Token {
            slot,
            generation: place.generation,
        }
    }

    /// The connection of this name, if it is still open.
    pub(super) fn get(&mut self, token: Token) -> Option<&mut Connection> {
        let place = self.slots.get_mut(token.slot as usize)?;
        if place.generation != token.generation {
            return None;
        }
        place.connection.as_mut()
    }

    /// Gives a connection up; its socket closes when it is dropped.
    pub(super) fn remove(&mut self, token: Token) -> Option<Connection> {
        self.get(token)?;
        let place = &mut self.slots[token.slot as usize];
        place.generation = place.generation.wrapping_add(1);
        self.free.push(token.slot);
        place.connection.take()
    }
}
