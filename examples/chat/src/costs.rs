//! What a request costs beyond its body. A page cannot see which header fields the browser adds
//! to its requests, so the server, which reads them, tells how many bytes they were.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;

/// Adds [`REQUEST_HEAD`] to an answer.
pub(crate) async fn tell(request: Request, next: Next) -> Response {
    let bytes = request_head(request.method(), request.uri(), request.headers());
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(REQUEST_HEAD, HeaderValue::from(bytes));
    response
}

/// Bytes of a request's head as HTTP/1.1 writes it.
pub(crate) fn request_head(method: &Method, uri: &Uri, headers: &HeaderMap) -> usize {
    let target = uri
        .path_and_query()
        .map_or(1, |target| target.as_str().len());
    let line = method.as_str().len() + " ".len() + target + " HTTP/1.1\r\n".len();
    line + fields(headers)
}

/// Bytes of the head of a switch to another protocol, with the date the server adds.
pub(crate) fn switching_head(headers: &HeaderMap) -> usize {
    let line = "HTTP/1.1 101 Switching Protocols\r\n".len();
    let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".len();
    line + date + fields(headers)
}

/// Each field's name and value, ": " and the end of the line, and the empty line at the end.
fn fields(headers: &HeaderMap) -> usize {
    let lengths = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    lengths.sum::<usize>() + "\r\n".len()
}

/// Bytes of the request's head, as a field of the answer.
const REQUEST_HEAD: &str = "chat-request-head";
