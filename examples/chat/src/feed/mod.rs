//! The three ways in which a client is fed, to be read in this order: [`poll`], [`long_poll`],
//! [`websocket`]. Here is what the first two share: joining, saying and leaving by request.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::room::{Join, Link, Room, Said, Welcome};

pub(crate) mod long_poll;
pub(crate) mod poll;
pub(crate) mod websocket;

/// A way of being fed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// Ask again and again.
    Poll,
    /// Ask, and wait for the answer.
    LongPoll,
    /// Be told.
    #[serde(rename = "websocket")]
    WebSocket,
}

/// The body of `POST /join`.
#[derive(Deserialize)]
pub(crate) struct JoinBy {
    #[serde(flatten)]
    join: Join,
    feed: Way,
}

/// `POST /join`: come in, or change how you are fed.
pub(crate) async fn join(
    State(room): State<Arc<Room>>,
    Body(wish): Body<JoinBy>,
) -> Result<Json<Welcome>, Refusal> {
    let link = match wish.feed {
        Way::Poll => Link::Poll,
        Way::LongPoll => Link::LongPoll(long_poll::Queue::default()),
        Way::WebSocket => return Err(Refusal::Malformed("a WebSocket joins at /ws".into())),
    };
    room.lock().join(wish.join, link).map(Json)
}

/// The body of `POST /say`.
#[derive(Deserialize)]
pub(crate) struct Say {
    /// The message.
    text: String,
}

/// `POST /say`: a message to everyone.
pub(crate) async fn say(
    State(room): State<Arc<Room>>,
    Token(token): Token,
    Body(say): Body<Say>,
) -> Result<Json<Said>, Refusal> {
    room.lock().say(&token, &say.text).map(Json)
}

/// `POST /leave`: gone at once, instead of after the silence that would tell the same.
pub(crate) async fn leave(State(room): State<Arc<Room>>, Token(token): Token) {
    room.lock().leave(&token);
}

/// Where a client stands.
#[derive(Deserialize)]
pub(crate) struct After {
    /// The id of the newest entry it has.
    #[serde(default)]
    pub(crate) after: u64,
}

/// Who asks, from `Authorization: Bearer TOKEN`. A header and not a part of the address, since
/// addresses end up in logs; and a page of another origin cannot send it without being asked for.
pub(crate) struct Token(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Token {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let value = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = value
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(Refusal::Token)?;
        Ok(Self(token.to_owned()))
    }
}

/// A JSON body whose faults are told in one line.
pub(crate) struct Body<T>(pub(crate) T);

impl<T, S> FromRequest<S> for Body<T>
where
    T: serde::de::DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Response> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(fault @ (JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_))) => {
                Err(Refusal::Malformed(fault.body_text()).into_response())
            }
            // Not JSON by its type (415), too large (413), broken off.
            Err(fault) => Err(fault.into_response()),
        }
    }
}

/// Bytes of the body of a request, and of a WebSocket message: 2,000 characters, each written as
/// two escapes of six bytes, and what stands around them.
pub(crate) const MAX_BODY: usize = 32 * 1024;
