//! What engines print when they fail, and what is made of it.
