use super::Mask;

/// How what was received is unmasked.
///
/// For who runs on instructions that this crate may not take for granted, or ask for without
/// `unsafe`: the same function, compiled for them.
pub trait Unmask: Copy {
    /// Does what [`Mask::apply`] does.
    fn apply(self, mask: &mut Mask, payload: &mut [u8]);

    /// Does what [`Mask::apply_text`] does.
    #[must_use]
    fn apply_text(self, mask: &mut Mask, payload: &mut [u8]) -> bool;
}

/// [`Mask`] as it is: with the instructions that the whole program was compiled for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl Unmask for Portable {
    #[inline]
    fn apply(self, mask: &mut Mask, payload: &mut [u8]) {
        mask.apply(payload);
    }

    #[inline]
    fn apply_text(self, mask: &mut Mask, payload: &mut [u8]) -> bool {
        mask.apply_text(payload)
    }
}
