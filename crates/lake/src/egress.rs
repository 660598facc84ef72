//! Which addresses the server may connect to. Checked on the resolved address, and the connection goes to exactly
//! the address that was checked.

use ports::connection::Egress;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Addresses under which clouds hand out credentials; link-local ones are refused anyway.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
];

/// Why an address is refused; names the host, so that the operator can allow it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The server may not connect to {host}: it is {what}. The operator can allow it with --allow-hosts {host}.")]
pub struct Refused {
    pub host: String,
    pub what: &'static str,
}

/// Whether the policy permits a connection to `address`, which `host` resolved to.
pub fn check(egress: &Egress, host: &str, address: IpAddr) -> Result<(), Refused> {
    let address = embedded_v4(address);
    let what = if METADATA.contains(&address) {
        "a cloud's metadata service"
    } else if is_link_local(address) {
        "a link-local address"
    } else if address.is_loopback() && !egress.loopback {
        "a loopback address"
    } else if address.is_unspecified() || address.is_multicast() || is_this_network(address) {
        "no address of a host"
    } else {
        return Ok(());
    };
    match egress.allow_hosts.iter().any(|allowed| covers(allowed, host)) {
        true => Ok(()),
        false => Err(Refused { host: host.to_owned(), what }),
    }
}

/// Whether an exemption is for this host, or for the one that a bucket stands before.
fn covers(allowed: &str, host: &str) -> bool {
    let (allowed, host) = (bare(allowed).to_ascii_lowercase(), bare(host).to_ascii_lowercase());
    host == allowed || host.strip_suffix(&allowed).is_some_and(|bucket| bucket.ends_with('.'))
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The refusal that an error goes back to, if it does.
pub fn refusal<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Refused> {
    let mut next = Some(error);
    while let Some(cause) = next {
        // What an I/O error wraps is not among its sources.
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(refused) = wrapped.and_then(|wrapped| wrapped.downcast_ref::<Refused>()) {
            return Some(refused);
        }
        next = cause.source();
    }
    None
}

/// The addresses of a host that the policy permits; an error where there are none.
pub async fn resolve(egress: &Egress, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let literal = bare(host).parse::<IpAddr>();
    let addresses: Vec<SocketAddr> = match literal {
        Ok(address) => vec![SocketAddr::new(address, port)],
        // RFC 6761: never asked of a name server.
        Err(_) if is_localhost(host) => vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)],
        Err(_) => tokio::net::lookup_host((host, port)).await?.collect(),
    };
    let mut refused = None;
    let permitted: Vec<_> = addresses
        .into_iter()
        .filter(|address| check(egress, host, address.ip()).map_err(|refusal| refused = Some(refusal)).is_ok())
        .collect();
    match (permitted.is_empty(), refused) {
        (false, _) => Ok(permitted),
        (true, Some(refused)) => Err(io::Error::new(io::ErrorKind::PermissionDenied, refused)),
        (true, None) => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
    }
}

/// An HTTP client that connects only where the policy permits: no redirects, no proxy, which would resolve names itself.
/// (A URL that holds an address instead of a name is not resolved: whoever builds it checks it.)
pub fn http_client(egress: &Egress) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .dns_resolver(PolicyResolver(egress.clone()))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build()
}

struct PolicyResolver(Egress);

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.0.clone();
        Box::pin(async move {
            // The client puts the URL's port in.
            let addresses = resolve(&egress, name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn is_localhost(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// The IPv4 address that an IPv6 address stands for (mapped, NAT64), so that it cannot hide one.
fn embedded_v4(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            Ipv4Addr::new(a, b, c, d).into()
        }
        _ => address,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn is_this_network(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 0 || v4.is_broadcast())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(egress: &Egress, address: &str) -> &'static str {
        let address = address.parse().expect("a literal");
        check(egress, "store.example", address).map_or_else(|refused| refused.what, |()| "permitted")
    }

    #[test]
    fn addresses() {
        let egress = Egress::default();
        let check = |address: &str, expected: &str| assert_eq!(verdict(&egress, address), expected, "{address}");
        check("8.8.8.8", "permitted");
        check("10.0.0.7", "permitted");
        check("192.168.1.1", "permitted");
        check("172.16.0.1", "permitted");
        check("100.100.100.201", "permitted");
        check("fd00::1", "permitted");
        check("169.254.169.254", "a link-local address");
        check("100.100.100.200", "a cloud's metadata service");
        check("168.63.129.16", "a cloud's metadata service");
        check("fd00:ec2::254", "a cloud's metadata service");
        check("fe80::1", "a link-local address");
        check("127.0.0.1", "a loopback address");
        check("127.8.8.8", "a loopback address");
        check("::1", "a loopback address");
        check("::ffff:127.0.0.1", "a loopback address");
        check("::ffff:169.254.169.254", "a link-local address");
        check("64:ff9b::a9fe:a9fe", "a link-local address");
        check("64:ff9b::6464:64c8", "a cloud's metadata service");
        check("0.0.0.0", "no address of a host");
        check("::", "no address of a host");
        check("255.255.255.255", "no address of a host");
        check("224.0.0.1", "no address of a host");
    }

    #[test]
    fn exemptions() {
        let loopback = Egress { loopback: true, ..Egress::default() };
        assert_eq!(verdict(&loopback, "127.0.0.1"), "permitted");
        assert_eq!(verdict(&loopback, "169.254.169.254"), "a link-local address");
        let host = Egress { allow_hosts: vec!["Store.example".into()], ..Egress::default() };
        assert_eq!(verdict(&host, "127.0.0.1"), "permitted");
        let check =
            |allowed: &str, host: &str, expected| assert_eq!(covers(allowed, host), expected, "{allowed} {host}");
        check("store.example", "bucket.store.example", true);
        check("store.example", "mystore.example", false);
        check("bucket.store.example", "store.example", false);
        check("::1", "[::1]", true);
    }

    #[tokio::test]
    async fn names() {
        let loopback = Egress { loopback: true, ..Egress::default() };
        let addresses = resolve(&loopback, "bucket.localhost", 9).await.expect("permitted");
        assert_eq!(addresses, ["127.0.0.1:9".parse().expect("a literal")]);
        let refused = resolve(&Egress::default(), "localhost", 9).await.expect_err("refused");
        assert!(refused.to_string().contains("--allow-hosts localhost"), "{refused}");
        assert!(resolve(&Egress::default(), "[::1]", 9).await.is_err());
    }
}
