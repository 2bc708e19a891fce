//! The bare server: axum with one route and no work, in a process of its own. What it reaches under the same load is
//! what HTTP on this machine costs.

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::failure::Failure;

/// Serves on a free port until the process is ended.
pub(crate) fn serve() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("hello listens on http://{}", listener.local_addr()?);
        let router = Router::new().route("/", get(|| async { "hello" }));
        Ok(axum::serve(listener, router).await?)
    })
}
