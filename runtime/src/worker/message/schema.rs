//! The schema of the messages, for those who write workers.
