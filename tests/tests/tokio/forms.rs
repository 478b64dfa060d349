//! A connection in its three forms, so that a test is written once for all of them.

/// Which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    Borrowed,
    Owned,
}

pub(crate) const FORMS: [Form; 3] = [Form::Whole, Form::Borrowed, Form::Owned];

/// Runs the macro `$body` with the names of what receives and of what sends: the same name twice
/// for a whole connection. `$split` takes the transport apart.
macro_rules! in_form {
    ($form:expr, $ws:expr, $split:expr, $body:ident) => {{
        let mut ws = $ws;
        match $form {
            $crate::forms::Form::Whole => $body!(ws, ws),
            $crate::forms::Form::Borrowed => {
                #[allow(unused_mut, unused_variables)] // the body may want only one
                let (mut rx, mut tx) = ws.halves();
                $body!(rx, tx)
            }
            $crate::forms::Form::Owned => {
                #[allow(unused_mut, unused_variables)] // the body may want only one
                let (mut rx, mut tx) = ws.split_with($split);
                $body!(rx, tx)
            }
        }
    }};
}
pub(crate) use in_form;
