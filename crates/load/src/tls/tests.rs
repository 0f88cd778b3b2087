use std::net::SocketAddr;
use std::time::Duration;

use autotuner_core::engine::Endpoint;
use autotuner_core::workload::Api;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::scrape::read::read;
use crate::stream::Stream;
use crate::target::Target;

const DEADLINE: Duration = Duration::from_secs(10);

/// A server under TLS that answers one request with a page, and the certificate that vouches
/// for it.
async fn server(page: String) -> (SocketAddr, CertificateDer<'static>) {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // One that distrusts us ends here.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") && stream.read_buf(&mut asked).await.unwrap() > 0 {}
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", page.len());
            stream.write_all((head + &page).as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        }
    });
    (address, certificate)
}

async fn target(address: SocketAddr) -> Target {
    let endpoint = Endpoint {
        base_url: format!("https://localhost:{}", address.port()),
        model: "m".into(),
        api_key: None,
    };
    let mut target = Target::resolve(&endpoint, Api::Chat, DEADLINE).await.unwrap();
    target.addresses = vec![address];
    target
}

#[tokio::test]
async fn what_is_asked_and_answered_goes_under_tls() {
    // More than one record, and more than one read.
    let page = "# a comment\n".repeat(20_000) + "vllm:generation_tokens_total 7\n";
    let (address, certificate) = server(page).await;
    let mut target = target(address).await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    target.tls = Some(Tls {
        connector: TlsConnector::from(trusting(roots).unwrap()),
        name: ServerName::try_from("localhost").unwrap(),
    });
    let reading = read(&target, DEADLINE).await.unwrap();
    assert_eq!(reading.since(&Default::default()).output_tokens, Some(7.0));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (address, _) = server(String::new()).await;
    let Err(reason) = Stream::open(&target(address).await, DEADLINE).await else {
        panic!("it was trusted");
    };
    assert!(reason.contains("certificate"), "{reason}");
}

#[test]
fn a_host_needs_a_name_that_a_certificate_can_be_for() {
    assert!(Tls::to("localhost").is_ok() && Tls::to("127.0.0.1").is_ok() && Tls::to("::1").is_ok());
    assert!(Tls::to("no name").unwrap_err().contains("no name"));
}
