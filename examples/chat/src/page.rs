//! The page: one file, which needs nothing else.

use axum::http::header;
use axum::response::{Html, IntoResponse};

use crate::room::random_token;

/// `GET /`.
pub(crate) async fn page() -> impl IntoResponse {
    // Only the script and the style that carry this visit's number count: text of a member that
    // came into the page as HTML, should that ever happen, would still not run.
    let nonce = random_token();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (headers, Html(PAGE.replace("{{nonce}}", &nonce)))
}

const PAGE: &str = include_str!("page.html");
