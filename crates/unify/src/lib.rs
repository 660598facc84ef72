//! Nothing but a list of dependencies: `cargo check -p lake -p unify` resolves the features that the whole workspace
//! resolves, so that building one crate does not compile its dependencies once more. See docs/decisions/0001.
