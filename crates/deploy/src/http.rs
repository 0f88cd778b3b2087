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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::error::whole_story;

    /// What comes of asking a server that says this and hangs up.
    async fn check(says: &str, expected: Result<u16, &str>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(says.as_bytes()).await;
        };
        let (answer, ()) = tokio::join!(get_status(&base_url, "/health"), serve);
        match (answer, expected) {
            (Ok(status), Ok(expected)) => assert_eq!(status.as_u16(), expected, "{says:?}"),
            (Err(error), Err(start)) => {
                let story = whole_story(&error);
                assert!(story.starts_with(start), "{says:?}: {story}");
            }
            (answer, _) => panic!("{says:?}: {answer:?}"),
        }
    }

    #[tokio::test]
    async fn the_status_is_read_and_the_body_is_not_waited_for() {
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", Ok(200)).await;
        check("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncut", Ok(200)).await;
        check("HTTP/1.0 200 OK\r\n\r\nuntil the end", Ok(200)).await;
        check("HTTP/1.1 204 No Content\r\n\r\n", Ok(204)).await;
        check(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            Ok(503),
        )
        .await;
        check(
            "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
            Ok(302),
        )
        .await;
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told_apart() {
        check("", Err("no HTTP answer: ")).await;
        check("SSH-2.0-OpenSSH\r\n", Err("no HTTP answer: ")).await;
        check("HTTP/1.1 20", Err("no HTTP answer: ")).await;
    }

    #[tokio::test]
    async fn where_nobody_listens_there_is_no_connection() {
        let reservation = crate::port::PortReservation::take().unwrap();
        let address = format!("http://127.0.0.1:{}", reservation.port());
        let error = get_status(&address, "/").await.unwrap_err();
        assert!(matches!(error, AskError::Connect(_)), "{error:?}");
    }

    #[tokio::test]
    async fn only_plain_http_is_spoken() {
        for address in ["https://127.0.0.1:1", "127.0.0.1:1", "", "http://", "ftp://host"] {
            let error = get_status(address, "/").await.unwrap_err();
            assert!(matches!(error, AskError::Address(_)), "{address}: {error:?}");
        }
    }
}
