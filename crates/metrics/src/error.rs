//! What can be wrong with numbers that are to be scored.

/// What can be wrong with numbers that are to be scored.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to compute from.
    #[error("there are no {what}; expected at least one")]
    Empty {
        /// What there is none of.
        what: &'static str,
    },
    /// Two lists that go together are not of one length.
    #[error("{first} {of_first} and {second} {of_second}; expected as many of both")]
    Lengths {
        /// How many the first list has.
        first: usize,
        /// What they are.
        of_first: &'static str,
        /// How many the second list has.
        second: usize,
        /// What they are.
        of_second: &'static str,
    },
    /// A number is NaN, infinite or out of range.
    #[error("{what}: number {index} (from 0) is {found}; expected {expected}")]
    Value {
        /// The list it is in.
        what: &'static str,
        /// Its place there, from 0.
        index: usize,
        /// The number.
        found: f64,
        /// What it has to be.
        expected: &'static str,
    },
    /// All labels are the same, so that there is no pair to put in order.
    #[error("all {count} labels are {label}; the area under the curve needs both classes")]
    OneClass {
        /// How many labels there are.
        count: usize,
        /// What all of them are.
        label: bool,
    },
}

/// Two lists that go together: neither is empty, and they are of one length.
pub(crate) fn same_length(
    (first, of_first): (usize, &'static str),
    (second, of_second): (usize, &'static str),
) -> Result<(), Error> {
    if first != second {
        return Err(Error::Lengths { first, of_first, second, of_second });
    }
    if first == 0 {
        return Err(Error::Empty { what: of_first });
    }
    Ok(())
}

/// The first number that is not as it has to be.
pub(crate) fn each(
    what: &'static str,
    values: &[f64],
    expected: &'static str,
    good: impl Fn(f64) -> bool,
) -> Result<(), Error> {
    match values.iter().position(|value| !good(*value)) {
        Some(index) => Err(Error::Value { what, index, found: values[index], expected }),
        None => Ok(()),
    }
}
