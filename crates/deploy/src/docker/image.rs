//! Images: here already, or fetched; and what they are.
