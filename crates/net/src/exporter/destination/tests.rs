//! The books and the queue.
