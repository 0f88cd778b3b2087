//! Figures from messages of daemons of several kinds; one stream for everybody.

mod figures;
mod sharing;
