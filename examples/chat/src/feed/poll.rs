//! Polling: the client asks every few seconds whether there is something new.
//!
//! **How.** A plain request: "what came after entry 57?" The server answers at once, mostly with
//! nothing, and forgets about the client until the next time.
//!
//! **Cost.** Late: a message waits for the next request, half the interval on average. Wasteful:
//! each request is some hundred bytes of header fields, asked and answered even when nobody
//! spoke. Ask more often, and it is less late and more wasteful.
//!
//! **Right when** news is rare and may be late, when there are caches or old proxies on the path,
//! or when the server must keep nothing for a client. It works everywhere, and no other way is
//! this simple: the whole server side is the function below.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};

use crate::feed::{After, Token};
use crate::refusal::Refusal;
use crate::room::{Batch, Link, Room};

/// `GET /poll?after=ID`: what came after that entry, now.
pub(crate) async fn poll(
    State(room): State<Arc<Room>>,
    Token(token): Token,
    Query(After { after }): Query<After>,
) -> Result<Json<Batch>, Refusal> {
    let mut room = room.lock();
    let Link::Poll = room.hear(&token)? else {
        return Err(Refusal::Way);
    };
    Ok(Json(room.batch(after, room.history.since(after))))
}

/// A client that did not ask for this long has left: three intervals of the page.
pub(crate) const SILENCE: Duration = Duration::from_secs(15);
