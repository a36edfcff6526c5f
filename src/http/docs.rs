//! The interactive documentation: Swagger UI with additions, compressed when the service is built.

use std::{
    io::{Read as _, Write as _},
    sync::{Arc, LazyLock},
};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, HeaderMap, HeaderValue},
    web::{Bytes, Data, Path},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use utoipa_swagger_ui::Config;

use crate::common::{Code, Error, Result};

/// Files that replace or complete those of Swagger UI.
const OWN_FILES: [(&str, &str, &str); 5] = [
    (
        "",
        "text/html; charset=utf-8",
        include_str!("docs/index.html"),
    ),
    (
        "docs.js",
        "text/javascript; charset=utf-8",
        include_str!("docs/docs.js"),
    ),
    (
        "docs.css",
        "text/css; charset=utf-8",
        include_str!("docs/docs.css"),
    ),
    (
        "pages.css",
        "text/css; charset=utf-8",
        include_str!("docs/pages.css"),
    ),
    (
        "license.txt",
        "text/plain; charset=utf-8",
        include_str!("../../LICENSE"),
    ),
];

/// The files of Swagger UI that the documentation uses.
const SWAGGER_FILES: [&str; 3] = [
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "favicon-32x32.png",
];

/// A file in a compressed and an uncompressed form.
#[derive(Clone)]
pub struct StaticFile {
    content_type: String,
    identity: Bytes,
    gzip: Bytes,
}

impl StaticFile {
    /// Compresses a file.
    ///
    /// # Errors
    /// If the memory is exhausted.
    pub fn new(content_type: &str, content: Vec<u8>) -> std::io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&content)?;
        Ok(Self {
            content_type: content_type.to_owned(),
            identity: content.into(),
            gzip: encoder.finish()?.into(),
        })
    }

    fn of_swagger(name: &str) -> Option<Self> {
        let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).ok()??;
        if !file.gzpipped {
            return Self::new(&file.content_type, file.bytes.into_owned()).ok();
        }
        let gzip = Bytes::from(file.bytes.into_owned());
        let mut identity = Vec::new();
        GzDecoder::new(&*gzip).read_to_end(&mut identity).ok()?;
        Some(Self {
            content_type: file.content_type,
            identity: identity.into(),
            gzip,
        })
    }

    /// Responds with the form that the client accepts.
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.content_type(self.content_type.as_str());
        response.insert_header((header::VARY, HeaderValue::from_static("accept-encoding")));
        if accepts_gzip(request.headers()) {
            response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
            response.body(self.gzip.clone())
        } else {
            response.body(self.identity.clone())
        }
    }
}

/// Whether a client accepts gzip (RFC 9110 section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings = headers
        .get_all(header::ACCEPT_ENCODING)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let quality = |wanted: &str| {
        let mut matching = codings.clone().filter_map(|coding| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let quality = parameters.trim().strip_prefix("q=").unwrap_or("1");
            let quality = quality.parse::<f32>().unwrap_or(0.0);
            name.trim().eq_ignore_ascii_case(wanted).then_some(quality)
        });
        matching.next()
    };
    quality("gzip")
        .or_else(|| quality("*"))
        .is_some_and(|quality| quality > 0.0)
}

/// The files by name.
static FILES: LazyLock<Vec<(&'static str, StaticFile)>> = LazyLock::new(|| {
    let own = OWN_FILES
        .iter()
        .filter_map(|(name, content_type, content)| {
            let file = StaticFile::new(content_type, content.as_bytes().to_vec());
            Some((*name, file.ok()?))
        });
    let swagger = SWAGGER_FILES
        .iter()
        .filter_map(|name| Some((*name, StaticFile::of_swagger(name)?)));
    own.chain(swagger).collect()
});

/// Redirects to `/docs/`, where the relative links of the documentation work.
#[get("/docs")]
pub async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

/// Responds with a file of the documentation.
#[get("/docs/{file:.*}")]
pub async fn static_file(name: Path<String>, request: HttpRequest) -> Result<HttpResponse> {
    let found = FILES.iter().find(|(other, _)| *other == name.as_str());
    let (_, file) = found.ok_or_else(|| Error::client(Code::UnknownRoute))?;
    Ok(file.respond(&request))
}

/// The serialized OpenAPI document.
#[derive(Clone)]
pub struct Document(pub StaticFile);

/// Responds with the OpenAPI document.
#[get("/openapi.json")]
pub async fn document(document: Data<Document>, request: HttpRequest) -> HttpResponse {
    document.0.respond(&request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("gzip", true)]
    #[case("deflate, GZIP;q=0.5", true)]
    #[case("br, *", true)]
    #[case("gzip;q=0, *", false)]
    #[case("gzip; q=0.000", false)]
    #[case("br, identity", false)]
    #[case("", false)]
    fn gzip_is_negotiated(#[case] accepted: &str, #[case] expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
        assert_eq!(accepts_gzip(&headers), expected);
    }

    #[test]
    fn all_files_are_embedded_in_both_forms() {
        assert_eq!(FILES.len(), OWN_FILES.len() + SWAGGER_FILES.len());
        for (name, file) in &*FILES {
            let mut identity = Vec::new();
            GzDecoder::new(&*file.gzip)
                .read_to_end(&mut identity)
                .unwrap();
            assert!(!identity.is_empty(), "{name} is empty");
            assert_eq!(identity, file.identity, "{name}");
        }
    }
}
