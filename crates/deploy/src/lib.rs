//! Starts and stops inference engines and waits until they are ready.
