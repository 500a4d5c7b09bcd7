// Uses most of what the SDK offers; the header "ask" of a request says what.
package main

import (
	"bytes"
	"fmt"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetPluginContext(func(uint32) types.PluginContext { return &root{} })
}

type root struct {
	types.DefaultPluginContext
	greeting string
	requests proxywasm.MetricCounter
}

func (r *root) OnPluginStart(int) types.OnPluginStartStatus {
	configuration, err := proxywasm.GetPluginConfiguration()
	if err != nil {
		return types.OnPluginStartStatusFailed
	}
	r.greeting = string(configuration)
	r.requests = proxywasm.DefineCounterMetric("tour_requests")
	proxywasm.LogInfof("configured with %s", r.greeting)
	if r.greeting == "refuse" {
		return types.OnPluginStartStatusFailed
	}
	return types.OnPluginStartStatusOK
}

func (r *root) NewHttpContext(id uint32) types.HttpContext {
	return &tour{id: id, root: r}
}

type tour struct {
	types.DefaultHttpContext
	id   uint32
	root *root
	ask  string
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func setRequest(name, value string) {
	must(proxywasm.ReplaceHttpRequestHeader(name, value))
}

func property(path ...string) string {
	value, err := proxywasm.GetProperty(path)
	must(err)
	return string(value)
}

func (t *tour) OnHttpRequestHeaders(headers int, endOfStream bool) types.Action {
	proxywasm.LogInfof("%d headers, the end %t", headers, endOfStream)
	t.ask, _ = proxywasm.GetHttpRequestHeader("ask")
	setRequest("x-tour", t.root.greeting)
	switch t.ask {
	case "all":
		all, err := proxywasm.GetHttpRequestHeaders()
		must(err)
		for _, header := range all {
			proxywasm.LogDebugf("%s: %s", header[0], header[1])
		}
		must(proxywasm.ReplaceHttpRequestHeaders([][2]string{
			{":method", "GET"}, {":path", "/replaced"}, {":authority", "replaced"},
			{":scheme", "http"}, {"x-only", "1"},
			// Without it Envoy finds no route.
			{"x-forwarded-proto", "http"},
		}))
	case "call":
		return t.call()
	case "count":
		t.root.requests.Increment(1)
		setRequest("x-count", fmt.Sprint(t.root.requests.Value()))
	case "panic":
		panic("asked to")
	case "property":
		setRequest("x-property", property("request", "url_path")+" "+property("plugin_root_id"))
		must(proxywasm.SetProperty([]string{"tour"}, []byte("set")))
		proxywasm.LogInfo(property("tour"))
	case "respond":
		headers := [][2]string{{"x-own", "1"}, {"x-own", "2"}}
		must(proxywasm.SendHttpResponse(418, headers, []byte("a teapot"), -1))
		return types.ActionPause
	case "respond-empty":
		must(proxywasm.SendHttpResponse(204, nil, nil, -1))
		return types.ActionPause
	case "share":
		before, cas, err := proxywasm.GetSharedData("tour")
		if err != nil {
			proxywasm.LogInfof("shared data: %v", err)
		}
		value := append(before, '.')
		must(proxywasm.SetSharedData("tour", value, cas))
		setRequest("x-shared", string(value))
	}
	return types.ActionContinue
}

func (t *tour) call() types.Action {
	headers := [][2]string{{":method", "GET"}, {":path", "/auth"}, {":authority", "auth"}}
	_, err := proxywasm.DispatchHttpCall("httpbin", headers, nil, nil, 1000, t.called)
	must(err)
	return types.ActionPause
}

func (t *tour) called(headers, bodySize, _ int) {
	body, _ := proxywasm.GetHttpCallResponseBody(0, bodySize)
	proxywasm.LogInfof("%d headers, %d bytes", headers, len(body))
	if string(body) == "yes" {
		setRequest("x-auth", "yes")
		must(proxywasm.ResumeHttpRequest())
		return
	}
	denied := [][2]string{{"x-auth", "no"}}
	must(proxywasm.SendHttpResponse(403, denied, []byte("denied"), -1))
}

func (t *tour) OnHttpRequestBody(size int, endOfStream bool) types.Action {
	if t.ask != "body" {
		return types.ActionContinue
	}
	if !endOfStream {
		return types.ActionPause
	}
	body, err := proxywasm.GetHttpRequestBody(0, size)
	must(err)
	must(proxywasm.ReplaceHttpRequestBody(bytes.ToUpper(body)))
	return types.ActionContinue
}

func (t *tour) OnHttpResponseHeaders(headers int, endOfStream bool) types.Action {
	proxywasm.LogInfof("%d headers, the end %t", headers, endOfStream)
	must(proxywasm.AddHttpResponseHeader("x-tour", "1"))
	must(proxywasm.AddHttpResponseHeader("x-tour", "2"))
	must(proxywasm.RemoveHttpResponseHeader("x-secret"))
	if t.ask == "rewrite" {
		must(proxywasm.RemoveHttpResponseHeader("content-length"))
	}
	return types.ActionContinue
}

func (t *tour) OnHttpResponseBody(_ int, endOfStream bool) types.Action {
	if t.ask != "rewrite" {
		return types.ActionContinue
	}
	if !endOfStream {
		return types.ActionPause
	}
	must(proxywasm.ReplaceHttpResponseBody([]byte("rewritten")))
	return types.ActionContinue
}

func (t *tour) OnHttpStreamDone() {
	status, _ := proxywasm.GetHttpResponseHeader(":status")
	proxywasm.LogInfof("stream %d ends with %s", t.id, status)
}
