//! Which moves of status are legal. No other code assigns a status.
