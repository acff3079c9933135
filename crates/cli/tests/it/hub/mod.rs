//! Models of the Hub, which here is a server of the test.

mod fetch;
mod http;
#[cfg(feature = "torch")]
mod push;
mod server;
mod storage;
#[cfg(feature = "torch")]
mod weights;
