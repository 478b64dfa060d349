//! Why the room says no: one clear line, the same for every way of being fed.

use std::fmt;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::room::{MAX_CLIENTS, MAX_NAME, MAX_TEXT};

/// The reason why something was not done. The room is as it was before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// Empty, too long, or with control characters.
    Name,
    /// Somebody here has this name, or one that differs only in upper and lower case.
    Taken(String),
    /// Empty or too long.
    Text,
    /// The room is full.
    Full,
    /// The token is of nobody who is here: never was, or left, or the server was restarted.
    Token,
    /// The member is fed in another way now.
    Way,
    /// The server is about to end.
    Stopping,
    /// What was sent is not what this place takes; the text says what is wrong with it.
    Malformed(String),
}

impl Refusal {
    /// The HTTP status that says the same.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Name | Self::Text => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Taken(_) | Self::Way => StatusCode::CONFLICT,
            Self::Full | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(
                f,
                "a name has 1 to {MAX_NAME} characters, none of them control characters"
            ),
            Self::Taken(name) => {
                write!(f, "the name \"{name}\" is taken, please choose another one")
            }
            Self::Text => write!(f, "a message has 1 to {MAX_TEXT} characters"),
            Self::Full => write!(
                f,
                "the room is full: {MAX_CLIENTS} are here already, please try later"
            ),
            Self::Token => write!(f, "this token is of nobody who is here, please join again"),
            Self::Way => write!(f, "you are fed in another way now"),
            Self::Stopping => write!(f, "the server is stopping"),
            Self::Malformed(what) => write!(f, "not understood: {what}"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), format!("{self}\n")).into_response();
        // RFC 9110 section 15.5.2: a 401 names the scheme it asks for.
        if self == Self::Token {
            let scheme = header::HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
