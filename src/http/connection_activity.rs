//! Tracks whether a connection is serving a request: for its idle timeout, and for the response to
//! a malformed body.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::time::Instant;

use super::standalone_problem::ChunkedRequest;

/// The activity of one connection, shared by the connection and its requests.
#[derive(Clone)]
pub struct ConnectionActivity(Rc<State>);

struct State {
    active_requests: Cell<u32>,
    last_activity: Cell<Instant>,
    chunked_request: RefCell<Option<ChunkedRequest>>,
}

/// A request in progress. Dropping it ends the request.
pub struct ActiveRequest(Rc<State>);

impl ConnectionActivity {
    /// Starts tracking a connection opened at `opened`.
    pub fn new(opened: Instant) -> Self {
        Self(Rc::new(State {
            active_requests: Cell::new(0),
            last_activity: Cell::new(opened),
            chunked_request: RefCell::default(),
        }))
    }

    /// Registers a request until the returned guard is dropped.
    pub fn begin_request(&self) -> ActiveRequest {
        let active_requests = &self.0.active_requests;
        active_requests.set(active_requests.get() + 1);
        ActiveRequest(Rc::clone(&self.0))
    }

    /// Registers a request with a chunked body.
    pub fn begin_chunked_request(&self, request: ChunkedRequest) {
        self.0.chunked_request.replace(Some(request));
    }

    /// Removes the request with a chunked body; `None` if there is none or its response has begun.
    pub fn take_chunked_request(&self) -> Option<ChunkedRequest> {
        self.0.chunked_request.take()
    }

    /// Records activity now.
    pub fn touch(&self) {
        self.0.last_activity.set(Instant::now());
    }

    /// Since when the connection is idle; `None` while a request is in progress.
    pub fn idle_since(&self) -> Option<Instant> {
        (self.0.active_requests.get() == 0).then(|| self.0.last_activity.get())
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let active_requests = &self.0.active_requests;
        active_requests.set(active_requests.get().saturating_sub(1));
        self.0.last_activity.set(Instant::now());
    }
}
