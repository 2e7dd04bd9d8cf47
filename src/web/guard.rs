//! Keeps addresses that others chose away from our own network: in the link, in every redirect, in DNS.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Where a client may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Only to addresses of the public internet.
    #[default]
    Public,
    /// Anywhere: for a feed on the company's own network, named as such in the config.
    Anywhere,
}

/// Why a link is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden(String);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Forbidden {}

impl Reach {
    /// Whether this link may be asked at all. Names are looked at again when they are resolved.
    ///
    /// # Errors
    /// Why not.
    pub fn allows(self, link: &Url) -> Result<(), Forbidden> {
        if !matches!(link.scheme(), "http" | "https") {
            return Err(Forbidden(format!("{}: is not a web address", link.scheme())));
        }
        if !link.username().is_empty() || link.password().is_some() {
            return Err(Forbidden("the address holds a name or password".to_owned()));
        }
        let public = match link.host() {
            None => return Err(Forbidden("the address names no host".to_owned())),
            Some(Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
            Some(Host::Domain(name)) => is_public_name(name),
        };
        self.judge(public, link.host_str().unwrap_or_default())
    }

    fn judge(self, public: bool, host: &str) -> Result<(), Forbidden> {
        let why =
            || Forbidden(format!("{host} is not on the public internet. Write reach = \"anywhere\" if it is meant."));
        if public || self == Self::Anywhere { Ok(()) } else { Err(why()) }
    }
}

/// Names that only ever mean something inside a network.
fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let inside =
        ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa", "test", "invalid"];
    name.rsplit_once('.').is_some_and(|(_, last)| !inside.contains(&last))
}

/// Whether an address belongs to the public internet, after the registries of special-purpose addresses
/// (RFC 6890 and its updates). An IPv6 address that carries an IPv4 one is as public as that one.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => carried_v4(ip).map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let private =
        matches!((a, b), (0 | 10 | 127 | 224.., _) | (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168));
    let reserved =
        matches!((a, b, c), (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113));
    !private && !reserved
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let global = (0x2000..0x4000).contains(&a);
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || (a == 0x3fff && b < 0x1000);
    global && !special
}

/// The IPv4 address inside: mapped, compatible, NAT64 or 6to4.
fn carried_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(join(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(join(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

/// Turns a name into addresses. Tests bring their own, to lie.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of a name.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A resolver that only tells addresses which may be asked. The connection is made to just these, so a
/// name that answers differently a moment later gains nothing.
pub(super) struct Filter {
    reach: Reach,
    inner: Arc<dyn Resolver>,
}

impl Filter {
    pub(super) fn new(reach: Reach, inner: Arc<dyn Resolver>) -> Self {
        Self { reach, inner }
    }
}

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        let host = name.as_str().to_owned();
        let found = self.inner.resolve(host.clone());
        Box::pin(async move {
            let all = found.await?;
            let allowed: Vec<SocketAddr> = all
                .into_iter()
                .filter(|ip| reach.judge(is_public(*ip), &host).is_ok())
                .map(|ip| (ip, 0).into())
                .collect();
            if allowed.is_empty() {
                return Err(Forbidden(format!("{host} has no address on the public internet")).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(link: &str) -> bool {
        Url::parse(link).is_ok_and(|link| Reach::Public.allows(&link).is_ok())
    }

    /// Forty ways to ask for something that is not public.
    const REFUSED: [&str; 44] = [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1.:80/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://192.0.0.1/",
        "http://192.0.2.1/",
        "http://198.18.0.1/",
        "http://198.51.100.7/",
        "http://203.0.113.9/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::]/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:7f00:1::]/",
        "http://[2001::1]/",
        "http://[2001:db8::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[ff02::1]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://metadata.google.internal/",
        "http://user:word@feeds.example.com/",
        "file:///etc/passwd",
    ];

    #[test]
    fn no_link_leads_into_our_own_network() {
        for link in REFUSED {
            assert!(!allowed(link), "{link} was let through");
        }
    }

    #[test]
    fn public_links_are_let_through() {
        for link in [
            "https://feeds.example.com/rss",
            "http://93.184.215.14:8080/",
            "https://[2606:4700::1111]/",
            "http://[64:ff9b::5db8:d822]/",
            "https://example.co.uk./a?b",
        ] {
            assert!(allowed(link), "{link} was refused");
        }
    }

    #[test]
    fn anywhere_still_means_the_web() {
        let link = |l: &str| Reach::Anywhere.allows(&Url::parse(l).unwrap()).is_ok();
        assert!(link("http://127.0.0.1/") && link("http://feeds.lan/"));
        assert!(!link("file:///etc/passwd") && !link("http://a:b@feeds.lan/"));
    }

    struct Says(Vec<IpAddr>);

    impl Resolver for Says {
        fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let ips = self.0.clone();
            Box::pin(async move { Ok(ips) })
        }
    }

    #[tokio::test]
    async fn a_name_is_only_resolved_to_where_we_may_go() {
        for (ips, public) in [
            (vec!["127.0.0.1"], 0),
            (vec!["10.1.2.3", "::1", "fd00::1"], 0),
            (vec!["127.0.0.1", "93.184.215.14"], 1),
            (vec!["2606:4700::1111", "93.184.215.14"], 2),
            (vec![], 0),
        ] {
            let said = Says(ips.iter().map(|ip| ip.parse().unwrap()).collect());
            let filter = Filter::new(Reach::Public, Arc::new(said));
            let found = filter.resolve("feeds.example.com".parse().unwrap()).await;
            assert_eq!(found.map_or(0, Iterator::count), public, "{ips:?}");
        }
    }
}
