//! Requests and the tasks that come of them.
