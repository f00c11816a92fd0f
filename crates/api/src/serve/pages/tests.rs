use axum::{
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};

use super::page;

async fn ask(method: &str, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path).body(Body::empty());
    page(request.expect("a request")).await
}

fn header_of(response: &Response, name: header::HeaderName) -> &str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn pages_come_with_what_they_may_do() {
    for path in ["/", "/clients", "/clients/detail?id=r7", "/apis"] {
        let response = ask("GET", path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header_of(&response, header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-cache");
        let policy = header_of(&response, header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe-eval"), "{policy}");
    }
}

#[tokio::test]
async fn the_api_keeps_its_own_words() {
    for (method, path) in
        [("GET", "/api"), ("GET", "/api/v5/nothing"), ("POST", "/"), ("GET", "/gone.js")]
    {
        let response = ask(method, path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {path}");
        assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/json");
    }
}
