//! Where a request comes from: the peer, or what a trusted proxy says.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use hyper::HeaderMap;

/// A range of addresses, such as `10.0.0.0/8`, `::1/128` or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: u128,
    prefix: u32,
}

/// An IPv4 address as part of the IPv6 space, so that one comparison serves both.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

impl Network {
    /// Whether `address` is in this range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        bits(address) & mask(self.prefix) == self.first
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("'{text}' is not a range of addresses like 10.0.0.0/8");
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let (longest, outer) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let prefix: u32 = prefix.map_or(Ok(longest), str::parse).map_err(|_| refuse())?;
        if prefix > longest {
            return Err(refuse());
        }
        let prefix = prefix + outer;
        Ok(Self { first: bits(address) & mask(prefix), prefix })
    }
}

/// The address of the client: the last one in `X-Forwarded-For` that no trusted proxy has, if the peer is trusted.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let hops = headers.get_all("x-forwarded-for");
    let hops: Vec<&str> =
        hops.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
    let mut client = peer;
    for hop in hops.into_iter().rev() {
        if !is_trusted(client) {
            break;
        }
        match hop.trim().parse() {
            Ok(address) => client = address,
            Err(_) => break,
        }
    }
    client
}

/// What one client is counted by: an IPv4 address, or the /64 network that one IPv6 client usually has to itself.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask(64))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_hold_their_addresses() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        assert!(network("10.0.0.0/8").contains(address("10.255.0.1")));
        assert!(!network("10.0.0.0/8").contains(address("11.0.0.1")));
        assert!(network("10.1.2.3").contains(address("::ffff:10.1.2.3")));
        assert!(
            network("0.0.0.0/0").contains(address("8.8.8.8"))
                && !network("0.0.0.0/0").contains(address("::1"))
        );
        assert!(
            network("fd00::/8").contains(address("fd12::1")) && network("::/0").contains(address("fd12::1"))
        );
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "a/8", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let client = |peer: &str, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            super::client(address(peer), &headers, &trusted)
        };
        assert_eq!(client("1.1.1.1", "2.2.2.2"), address("1.1.1.1"));
        assert_eq!(client("10.0.0.1", "2.2.2.2"), address("2.2.2.2"));
        assert_eq!(client("10.0.0.1", "9.9.9.9, 2.2.2.2, 10.0.0.2"), address("2.2.2.2"));
        assert_eq!(client("10.0.0.1", "2.2.2.2, nonsense"), address("10.0.0.1"));
    }

    #[test]
    fn a_client_is_counted_by_its_network() {
        assert_eq!(counted(address("2001:db8:1:2:3:4:5:6")), address("2001:db8:1:2::"));
        assert_eq!(counted(address("::ffff:1.2.3.4")), address("1.2.3.4"));
    }
}
