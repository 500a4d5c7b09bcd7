//! Uses most of what the SDK offers; the header "ask" of a request says what.

use log::{debug, info};
use proxy_wasm::hostcalls::{define_metric, get_metric, increment_metric};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType};
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::<Root>::default() });
}}

#[derive(Default)]
struct Root {
    greeting: String,
    requests: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        self.greeting = String::from_utf8(configuration).unwrap();
        self.requests = define_metric(MetricType::Counter, "tour_requests").unwrap();
        info!("configured with {}", self.greeting);
        self.greeting != "refuse"
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        let (greeting, requests) = (self.greeting.clone(), self.requests);
        Some(Box::new(Tour { id, greeting, requests, ask: String::new() }))
    }
}

struct Tour {
    id: u32,
    greeting: String,
    requests: u32,
    ask: String,
}

impl Tour {
    fn property(&self, path: Vec<&str>) -> String {
        let bytes = self.get_property(path).unwrap_or_default();
        String::from_utf8(bytes).unwrap()
    }

    fn count(&self) -> u64 {
        increment_metric(self.requests, 1).unwrap();
        get_metric(self.requests).unwrap()
    }

    fn share(&self) {
        let (before, cas) = self.get_shared_data("tour");
        let mut value = before.unwrap_or_default();
        value.push(b'.');
        self.set_shared_data("tour", Some(&value), cas).unwrap();
        self.set_http_request_header("x-shared", Some(std::str::from_utf8(&value).unwrap()));
    }

    fn call(&self) -> Action {
        let headers = vec![(":method", "GET"), (":path", "/auth"), (":authority", "auth")];
        let timeout = Duration::from_secs(1);
        self.dispatch_http_call("httpbin", headers, None, vec![], timeout).unwrap();
        Action::Pause
    }
}

impl Context for Tour {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body_size: usize, _: usize) {
        let body = self.get_http_call_response_body(0, body_size).unwrap_or_default();
        let status = self.get_http_call_response_header(":status").unwrap_or_default();
        info!("{} headers, status {}, {} bytes", headers, status, body.len());
        if body == b"yes" {
            self.set_http_request_header("x-auth", Some("yes"));
            self.resume_http_request();
        } else {
            self.send_http_response(403, vec![("x-auth", "no")], Some(b"denied"));
        }
    }
}

impl HttpContext for Tour {
    fn on_http_request_headers(&mut self, headers: usize, end_of_stream: bool) -> Action {
        info!("{} headers, the end {}", headers, end_of_stream);
        self.ask = self.get_http_request_header("ask").unwrap_or_default();
        self.set_http_request_header("x-tour", Some(&self.greeting));
        match self.ask.as_str() {
            "all" => {
                for (name, value) in self.get_http_request_headers() {
                    debug!("{}: {}", name, value);
                }
                self.set_http_request_headers(vec![
                    (":method", "GET"),
                    (":path", "/replaced"),
                    (":authority", "replaced"),
                    (":scheme", "http"),
                    // Without it Envoy finds no route.
                    ("x-forwarded-proto", "http"),
                    ("x-only", "1"),
                ]);
            }
            "call" => return self.call(),
            "count" => self.set_http_request_header("x-count", Some(&self.count().to_string())),
            "panic" => panic!("asked to"),
            "property" => {
                let path = self.property(vec!["request", "url_path"]);
                let root = self.property(vec!["plugin_root_id"]);
                self.set_http_request_header("x-property", Some(&format!("{path} {root}")));
                self.set_property(vec!["tour"], Some(b"set"));
                info!("{}", self.property(vec!["tour"]));
            }
            "respond" => {
                let headers = vec![("x-own", "1"), ("x-own", "2")];
                self.send_http_response(418, headers, Some(b"a teapot"));
                return Action::Pause;
            }
            "respond-empty" => {
                self.send_http_response(204, vec![], None);
                return Action::Pause;
            }
            "share" => self.share(),
            _ => {}
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.ask != "body" {
            return Action::Continue;
        }
        if !end_of_stream {
            return Action::Pause;
        }
        let body = self.get_http_request_body(0, size).unwrap_or_default();
        let text = String::from_utf8(body).unwrap();
        self.set_http_request_body(0, size, text.to_uppercase().as_bytes());
        Action::Continue
    }

    fn on_http_response_headers(&mut self, headers: usize, end_of_stream: bool) -> Action {
        info!("{} headers, the end {}", headers, end_of_stream);
        self.add_http_response_header("x-tour", "1");
        self.add_http_response_header("x-tour", "2");
        self.set_http_response_header("x-secret", None);
        if self.ask == "rewrite" {
            self.set_http_response_header("content-length", None);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.ask == "rewrite" && end_of_stream {
            self.set_http_response_body(0, size, b"rewritten");
        }
        if self.ask == "rewrite" && !end_of_stream {
            return Action::Pause;
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        let status = self.get_http_response_header(":status").unwrap_or_default();
        info!("stream {} ends with {}", self.id, status);
    }
}
