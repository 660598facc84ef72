//! Helpers of tests, none of them part of the product: a double of Alibaba Cloud OSS and one of its STS, which stand
//! where the real service cannot be had, and a starter for the real S3 API of moto.

pub mod moto;
pub mod oss;
mod oss_signature;
mod oss_xml;
pub mod sts;
