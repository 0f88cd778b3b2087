//! A container's output, kept in a file while it runs, whole when it has ended.
