//! One HTTP question to an engine that may not be there yet.
//!
//! A fresh connection each time, straight to the address: no proxy, no pool, no redirects.
//! It has no deadline of its own; the caller gives one to the whole question.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The address is not one of plain HTTP.
    #[error("{0} is not an http:// address")]
    Address(String),
    /// Nobody accepts connections there.
    #[error("no connection")]
    Connect(#[source] std::io::Error),
    /// Whoever accepted does not speak HTTP, or hung up.
    #[error("no HTTP answer")]
    Answer(#[source] hyper::Error),
    /// The question itself could not be put.
    #[error("not a request")]
    Request(#[source] hyper::http::Error),
}

/// The status of the answer to a GET.
pub(crate) async fn get_status(base_url: &str, path: &str) -> Result<StatusCode, AskError> {
    let (uri, stream) = connect(base_url, path).await?;
    let authority = uri
        .authority()
        .map(hyper::http::uri::Authority::as_str)
        .unwrap_or_default();
    let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority)
        .body(Empty::<Bytes>::new())
        .map_err(AskError::Request)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(AskError::Answer)?;
    let answer = sender.send_request(request);
    tokio::pin!(answer, connection);
    // The answer moves only while the connection is driven. When that ends first, all that
    // will ever come has come.
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = &mut connection => answer.await,
    };
    Ok(answer.map_err(AskError::Answer)?.status())
}

/// Whether anybody accepts connections there.
pub(crate) async fn accepts(base_url: &str) -> Result<(), AskError> {
    connect(base_url, "/").await.map(drop)
}

async fn connect(base_url: &str, path: &str) -> Result<(Uri, TcpStream), AskError> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let address = format!("{}{slash}{path}", base_url.trim_end_matches('/'));
    let uri = address
        .parse::<Uri>()
        .ok()
        .filter(|uri| uri.scheme_str() == Some("http"));
    let Some((uri, host)) = uri.and_then(|uri| Some((uri.clone(), uri.host()?.to_owned()))) else {
        return Err(AskError::Address(address));
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(AskError::Connect)?;
    Ok((uri, stream))
}
