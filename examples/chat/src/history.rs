//! What happened lately, each thing encoded once.
//!
//! The ids of entries are consecutive, which pays three times: a client says where it stands with
//! one number, nobody is shown an entry twice, and how many entries were skipped is a subtraction.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use wirelet_tokio::Prepared;

/// What an entry tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Somebody said something.
    Message,
    /// Somebody came.
    Joined,
    /// Somebody went.
    Left,
}

/// One thing that happened. All clients are given these same bytes, however they are fed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    /// Milliseconds since 1970 on the server's clock; the page measures delays from it.
    pub(crate) at: u64,
    kind: Kind,
    /// The JSON text, for the answers to requests.
    json: Box<RawValue>,
    /// The same text as a finished WebSocket message, shared by all connections.
    pub(crate) frame: Prepared,
}

impl Entry {
    fn new(id: u64, kind: Kind, who: &str, what: &str) -> Self {
        #[derive(Serialize)]
        struct Fields<'a> {
            id: u64,
            at: u64,
            kind: Kind,
            who: &'a str,
            what: &'a str,
        }
        let at = milliseconds();
        let fields = Fields {
            id,
            at,
            kind,
            who,
            what,
        };
        let json = serde_json::value::to_raw_value(&fields).expect("numbers and strings are JSON");
        let frame = Prepared::text(json.get());
        Self {
            id,
            at,
            kind,
            json,
            frame,
        }
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// The newest entries, oldest first.
#[derive(Debug)]
pub(crate) struct History {
    entries: VecDeque<Arc<Entry>>,
    /// The id before the first one of this run of the server.
    origin: u64,
    newest: u64,
}

impl History {
    /// Ids start at the time, in microseconds: a client that knows an id of the run before this
    /// one is behind every id of this run, and a page that was open all along sees them rise.
    pub(crate) fn new() -> Self {
        let origin = milliseconds() * 1000;
        Self {
            entries: VecDeque::new(),
            origin,
            newest: origin,
        }
    }

    /// The id of the newest entry.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Adds an entry, and drops the oldest of its kind once there are too many.
    pub(crate) fn add(&mut self, kind: Kind, who: &str, what: &str) -> Arc<Entry> {
        self.newest += 1;
        let entry = Arc::new(Entry::new(self.newest, kind, who, what));
        self.entries.push_back(Arc::clone(&entry));
        // Counted apart, so that people who come and go do not push the messages out.
        let alike = |other: &Arc<Entry>| (other.kind == Kind::Message) == (kind == Kind::Message);
        if self.entries.iter().filter(|other| alike(other)).count() > HISTORY {
            let oldest = self.entries.iter().position(alike);
            oldest.and_then(|index| self.entries.remove(index));
        }
        entry
    }

    /// The entries behind `after`, oldest first. An id that is still to come can only be
    /// from another run of the server: the answer is all there is.
    pub(crate) fn since(&self, after: u64) -> Vec<Arc<Entry>> {
        let after = if after > self.newest { 0 } else { after };
        let start = self.entries.partition_point(|entry| entry.id <= after);
        self.entries.range(start..).cloned().collect()
    }

    /// How many entries of this run a client that stands at `after` will not see if it is
    /// given the newest `given` now.
    pub(crate) fn missed(&self, after: u64, given: usize) -> u64 {
        // Who never was here missed nothing.
        if after < self.origin {
            return 0;
        }
        self.newest
            .saturating_sub(after)
            .saturating_sub(given as u64)
    }
}

fn milliseconds() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX / 1000)
}

/// Messages kept for those who join late; and as many notices of joining and leaving.
pub(crate) const HISTORY: usize = 200;
