//! What goes out compressed: it is staged by the poll that compressed it, for from then on it is part
//! of the window.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wirelet::{Kind, SendError};

use super::{Outgoing, length};
use crate::deflate::{Deflating, Output};
use crate::wakers::Side;
use crate::{Error, Prepared};

impl Outgoing {
    /// Compresses from now on.
    pub(crate) fn deflate(&mut self, deflating: Deflating) {
        self.deflating = Some(Box::new(deflating));
    }

    /// Whether a message of so many bytes is to be compressed.
    pub(super) fn wants(&self, len: usize) -> bool {
        let deflating = self.deflating.as_ref();
        deflating.is_some_and(|deflating| deflating.wants(len))
    }

    /// Compresses a message and stages it, when there is room for it. `false`: it is better sent as
    /// it is.
    pub(super) fn poll_feed_packed<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
        kind: Kind,
        payload: &[u8],
    ) -> Poll<Result<bool, Error>> {
        ready!(self.poll_ready(cx, side, writer))?;
        let packed = self.deflating.as_mut();
        let Some(packed) = packed.and_then(|it| it.message(payload)) else {
            return Poll::Ready(Ok(false));
        };
        Poll::Ready(self.start_packed(kind, packed, true).map(|()| true))
    }

    /// What is shared, compressed, if it is to be.
    pub(super) fn pack(&mut self, message: &Prepared) -> Option<Bytes> {
        if !self.wants(message.payload().len()) {
            return None;
        }
        let deflating = self.deflating.as_mut()?;
        let packed = message.packed(deflating.settings())?;
        deflating.forget();
        Some(packed)
    }

    /// Whether messages in pieces are compressed.
    pub(crate) const fn deflates(&self) -> bool {
        self.deflating.is_some()
    }

    /// Compresses a piece of a message, when there is room for it, and stages it as a fragment.
    pub(crate) fn poll_piece<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
        kind: Kind,
        payload: &[u8],
        end: bool,
    ) -> Poll<Result<(), Error>> {
        ready!(self.poll_ready(cx, side, writer))?;
        if !self.is_open() {
            return Poll::Ready(Err(SendError::Closed.into()));
        }
        let packed = self.deflating.as_mut();
        let Some(packed) = packed.and_then(|it| it.piece(payload, end)) else {
            let why = io::Error::other("zlib could not compress a message");
            return Poll::Ready(Err(Error::Io(why)));
        };
        Poll::Ready(self.start_packed(kind, packed, end))
    }

    /// Stages what was compressed for this connection alone.
    fn start_packed(&mut self, kind: Kind, packed: Output, end: bool) -> Result<(), Error> {
        self.pay();
        let len = length(packed.as_bytes());
        self.lend().begin_compressed(kind, len, end)?;
        if self.copy(packed.as_bytes()) {
            packed.give();
        } else {
            self.adopt(packed.into_bytes());
        }
        Ok(())
    }
}
