//! The lake on real stores: local folders, the S3 API of moto, a double of OSS; pypaimon as the other reader and writer.

mod actor;
mod browse;
mod catalog;
mod commits;
mod faults;
mod hints;
mod interop;
mod local;
mod oss_commits;
mod overwrite;
mod owner;
mod probe;
mod publish;
mod stores;
mod support;
