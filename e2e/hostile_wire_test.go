package e2e

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// post returns the bytes of a POST with a content length; lines are further header lines.
func post(target, body string, lines ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", target)
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.Bytes()
}

// framings disagree about where a request ends: what a proxy before paynorm and
// paynorm read differently would smuggle a second request past the proxy.
func framings(t *testing.T, f *fort) []attack {
	smuggled := string(wire(t, f.genuine(t, "clip", "acme")))
	target := "/webhooks/clip/acme"
	raw := func(name, head, body string) attack {
		return attack{name: "framing: " + name, raw: []byte("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + head + "\r\n" + body)}
	}
	var all []attack
	for _, coding := range []string{
		"xchunked", "identity", "chunked, identity", "identity, chunked", "gzip, chunked", "chunked, chunked", " chunked ", "\"chunked\"", "chunked;q=1",
		"x", ",", "chunked,", "\x0bchunked", "chunked\x00", "cow",
	} {
		all = append(all, raw(fmt.Sprintf("transfer coding %q", coding), "Transfer-Encoding: "+coding+"\r\n", "0\r\n\r\n"+smuggled))
	}
	for _, length := range []string{"-1", "+5", "5, 5", "5,6", "0x5", "5 5", "1e1", "99999999999999999999", "five", "", "5\x00", "5.0", "１"} {
		all = append(all, raw(fmt.Sprintf("length %q", length), "Content-Length: "+length+"\r\n", "hello"+smuggled))
	}
	for _, chunks := range []string{
		"5;x=\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\nhello", "ffffffff\r\nhello", "5\nhello\n0\n\n", "5\r\nhel",
		"5\r\nhelloX\r\n0\r\n\r\n", "g\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "00000000000000005\r\nhello\r\n0\r\n\r\n",
		"5;" + strings.Repeat("x", 10000) + "\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nContent-Length: 9\r\nX: " + strings.Repeat("y", 9000) + "\r\n\r\n",
	} {
		all = append(all, raw(fmt.Sprintf("chunks %.24q", chunks), "Transfer-Encoding: chunked\r\n", chunks))
	}
	return append(all,
		raw("length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled),
		raw("chunks and length", "Transfer-Encoding: chunked\r\nContent-Length: 500\r\n", "0\r\n\r\n"+smuggled),
		raw("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello"+smuggled),
		raw("the same length twice", "Content-Length: 5\r\nContent-Length: 5\r\n", "hello"+smuggled),
		raw("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"+smuggled),
		raw("length before a colon", "Content-Length : 5\r\n", "hello"+smuggled),
		raw("folded length", "Content-Length:\r\n 5\r\n", "hello"+smuggled),
		raw("no length", "", smuggled),
		attack{name: "framing: headers that never end", raw: []byte("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")},
		attack{name: "framing: body that never comes", raw: []byte("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")},
		attack{name: "framing: chunk that never comes", raw: []byte("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{")},
		attack{name: "framing: nothing at all", raw: nil},
	)
}

// requestLines are not what HTTP says a request begins with.
func requestLines(_ *testing.T, _ *fort) []attack {
	var all []attack
	for _, head := range []string{
		"POST /webhooks/clip/acme", "POST /webhooks/clip/acme HTTP/0.9", "POST /webhooks/clip/acme HTTP/9.9", "POST /webhooks/clip/acme HTTP/3.0", "POST /webhooks/clip/acme HTTP/1.1 x",
		"POST  /webhooks/clip/acme HTTP/1.1", " POST /webhooks/clip/acme HTTP/1.1", "POST\t/webhooks/clip/acme\tHTTP/1.1", "post /webhooks/clip/acme HTTP/1.1", "PO ST /webhooks/clip/acme HTTP/1.1",
		"P\x00ST /webhooks/clip/acme HTTP/1.1", "POST /webhooks/clip/a\x00cme HTTP/1.1", "POST /webhooks/clip/a\x7fcme HTTP/1.1", "POST webhooks/clip/acme HTTP/1.1", "POST * HTTP/1.1",
		"POST http://localhost/webhooks/clip/acme HTTP/1.1", "POST http://other.invalid/webhooks/clip/acme HTTP/1.1", "POST //localhost/webhooks/clip/acme HTTP/1.1", "POST ftp://x/ HTTP/1.1",
		"CONNECT localhost:22 HTTP/1.1", "CONNECT /webhooks/clip/acme HTTP/1.1", "PRI * HTTP/2.0", "GET", "", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "SSH-2.0-x", "*1\r\n$4\r\nINFO",
	} {
		all = append(all, attack{name: fmt.Sprintf("request line: %.40q", head), raw: []byte(head + "\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")})
	}
	for _, host := range []string{"", "Host: a\r\nHost: b\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: \x00\r\n", "Host: user@localhost\r\n"} {
		all = append(all, attack{name: fmt.Sprintf("host: %q", host), raw: []byte("POST /webhooks/clip/acme HTTP/1.1\r\n" + host + "Connection: close\r\nContent-Length: 2\r\n\r\n{}")})
	}
	return all
}

// headerFloods have too many, too large or deceiving header lines.
func headerFloods(_ *testing.T, _ *fort) []attack {
	lines := map[string][]string{
		"300 lines":   strings.Split(strings.TrimSpace(strings.Repeat("X-A: b\n", 300)), "\n"),
		"20000 lines": strings.Split(strings.TrimSpace(strings.Repeat("A: b\n", 20000)), "\n"),
		"one of 1 MB": {"X-A: " + strings.Repeat("a", 1<<20)},
		"name of 1 MB": {
			strings.Repeat("a", 1<<20) + ": x",
		},
		"40 KB of cookies": {"Cookie: " + strings.Repeat("a=b; ", 8000)},
	}
	for _, l := range []string{
		"No colon here", "Bad Name: x", "X\x00: x", "X: a\x00b", "X: a\x07b", ": empty name", "X:\r\n folded", "Grpc-Timeout: 1n", "Grpc-Metadata-Authorization: Bearer x", "Grpc-Encoding: gzip",
		"X-Http-Method-Override: DELETE", "Te: trailers", "Upgrade: h2c", "Upgrade: websocket", "Expect: 100-continue", "Expect: the-unexpected", "Connection: Authorization", "Accept: text/event-stream", "Accept-Encoding: zstd",
		"Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: identity, gzip, deflate", "Content-Type: application/grpc", "Content-Type: application/grpc-web", "Content-Type: multipart/form-data; boundary=",
		"Content-Type: \xff\xfe", "Content-Type: text/html; charset=utf-7", "Range: bytes=0-99999999999", "If-Match: *", "Forwarded: for=127.0.0.1", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https", "X-Original-Url: /v1/events",
		"X-Rewrite-Url: /metrics", "Authorization: Basic AAAA", "Authorization: Bearer", "Traceparent: 00-" + strings.Repeat("f", 32) + "-" + strings.Repeat("f", 16) + "-ff", "Baggage: " + strings.Repeat("a=b,", 2000),
	} {
		lines[fmt.Sprintf("%.40q", l)] = []string{l}
	}
	var all []attack
	for name, l := range lines {
		all = append(all, attack{name: "header: " + name, raw: post("/webhooks/clip/acme", "{}", l...)})
	}
	return all
}

// paths try to reach an endpoint, or a file, by another name. They carry the
// right token, so that one that gets through would be stored.
func paths(t *testing.T, f *fort) []attack {
	r := f.genuine(t, "clip", "acme")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	query := "?" + r.URL.RawQuery
	var all []attack
	for _, p := range []string{
		"/webhooks/clip/acme/", "/webhooks/clip//acme", "//webhooks/clip/acme", "/webhooks/./clip/acme", "/webhooks/clip/./acme", "/webhooks/clip/rival/../acme", "/x/../webhooks/clip/acme", "/webhooks/clip/acme/.", "/webhooks/clip/acme/..",
		"/webhooks/clip/%61cme", "/webhooks/cli%70/acme", "/%77ebhooks/clip/acme", "/webhooks%2fclip%2facme", "/webhooks/clip%2facme", "/webhooks/clip/acme%2f", "/webhooks/clip/acme%00", "/webhooks/clip/acme%0a", "/webhooks/clip/acme%20",
		"/webhooks/clip/acme%", "/webhooks/clip/acme%zz", "/webhooks/clip/acme%c0%af", "/webhooks/clip/acme;x=1", "/webhooks;/clip/acme", "/webhooks\\clip\\acme", "/webhooks/clip\\..\\acme", "/WEBHOOKS/clip/acme", "/webhooks/CLIP/acme",
		"/webhooks/clip/Acme", "/webhooks/clip/ACME", "/webhooks/clip/acme.json", "/webhooks/clip/acme:verb", "/webhooks/clip/acme,rival", "/webhooks/clip/*", "/webhooks/*/acme", "/webhooks/clip/>", "/webhooks/clip/acme.>", "/webhooks/clip",
		"/webhooks/", "/webhooks", "/webhooks/clip/" + strings.Repeat("a", 64), "/webhooks/" + strings.Repeat("a/", 2000), "/webhooks/clip/" + strings.Repeat("%41", 3000), "/webhooks/clip/acm\u00e9", "/webhooks/clip/acme%ef%bc%8f",
		"/..%2f..%2fetc/passwd", "/../../etc/passwd", "/.env", "/.git/config", "/debug/pprof/", "/metrics", "/oauth2/clip/acme/token", "/oauth2/incode/acme/", "/oauth2/incode/acme/token/", "/oauth2/incode/%61cme/token",
		"/v1/../webhooks/clip/acme", "/v1/webhooks/clip/acme", "/paynorm.normalizer.v1.NormalizerService/IngestDelivery",
	} {
		all = append(all, attack{name: fmt.Sprintf("path: %.60q", p), raw: post(p+query, string(body), "Content-Type: application/json")})
	}
	return all
}

// methods are not those of a path.
func methods(_ *testing.T, _ *fort) []attack {
	var all []attack
	for _, target := range []string{"/webhooks/clip/acme", "/oauth2/incode/acme/token", "/v1/events", "/healthz", "/openapi.json"} {
		for _, m := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "HEAD", "GET", "POST", "X"} {
			allowed := m == "GET" || m == "HEAD"
			if strings.HasPrefix(target, "/webhooks") || strings.HasPrefix(target, "/oauth2") {
				allowed = m == "POST"
			}
			raw := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: /\r\nContent-Length: 0\r\n\r\n", m, target)
			all = append(all, attack{name: "method: " + m + " " + target, raw: []byte(raw), served: allowed})
		}
	}
	return all
}

func compressed(t *testing.T, size int, to func(io.Writer) (io.WriteCloser, error)) string {
	t.Helper()
	var b bytes.Buffer
	w, err := to(&b)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range size {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bodies are authentic, or too large to know, and meant to exhaust who parses them.
func bodies(t *testing.T, f *fort) []attack {
	target := "/webhooks/clip/acme?" + f.genuine(t, "clip", "acme").URL.RawQuery
	large := strings.Repeat("a", 1<<20+1)
	gz := compressed(t, 16, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	fl := compressed(t, 16, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 9) })
	all := []attack{
		{name: "body: over the limit", raw: post(target, large)},
		{name: "body: far over the limit", raw: post(target, strings.Repeat(large, 8))},
		{name: "body: over the limit in chunks", raw: []byte("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" + large + "\r\n0\r\n\r\n")},
		{name: "body: gzip bomb for a stranger", raw: post("/webhooks/clip/acme", gz, "Content-Encoding: gzip")},
		{name: "body: gzip bomb", raw: post(target, gz, "Content-Encoding: gzip"), stored: true},
		{name: "body: deflate bomb", raw: post(target, fl, "Content-Encoding: deflate"), stored: true},
	}
	for name, body := range map[string]string{
		"100000 arrays deep":        strings.Repeat("[", 100000),
		"100000 arrays and back":    strings.Repeat("[", 100000) + strings.Repeat("]", 100000),
		"100000 objects deep":       strings.Repeat(`{"a":`, 100000),
		"50000 members":             "{" + strings.Repeat(`"a":1,`, 50000) + `"b":2}`,
		"200000 numbers":            "[" + strings.Repeat("1,", 200000) + "1]",
		"number of 500000 digits":   `{"a":` + strings.Repeat("9", 500000) + "}",
		"exponent":                  `{"amount":1e999999999}`,
		"string of 900 KB":          `{"a":"` + strings.Repeat("x", 900000) + `"}`,
		"escapes":                   `{"a":"` + strings.Repeat(`\u0000`, 100000) + `"}`,
		"half a surrogate":          `{"a":"\ud800"}`,
		"not UTF-8":                 "{\"a\":\"\xff\xfe\"}",
		"UTF-16":                    "\xff\xfe{\x00}\x00",
		"byte order mark":           "\xef\xbb\xbf{}",
		"NUL":                       "\x00",
		"empty":                     "",
		"white space":               strings.Repeat(" ", 100000),
		"duplicate names":           `{"resource_status":"COMPLETED","resource_status":"CANCELED"}`,
		"names that differ in case": `{"Resource_Status":"COMPLETED","resource_status":"CANCELED"}`,
		"prototype":                 `{"__proto__":{"resource_status":"COMPLETED"}}`,
		"XML with entities":         `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`,
		"YAML":                      "a: &a [*a]",
		"two documents":             "{}{}",
		"trailing garbage":          `{} x`,
		"comment":                   "{/*x*/}",
		"NaN":                       `{"a":NaN}`,
		"log line":                  "{\"a\":\"x\\nlevel=ERROR msg=fault\"}",
		"ANSI":                      "\x1b[2J{}",
		"SQL":                       `{"payment_request_id":"x'; DROP TABLE events;--"}`,
		"subject":                   `{"payment_request_id":"payments.v1.>","merchant":"*"}`,
	} {
		all = append(all, attack{name: "body: " + name, raw: post(target, body, "Content-Type: application/json"), stored: true})
	}
	return all
}

// queries try to make the read API do something else.
func queries(_ *testing.T, _ *fort) []attack {
	var all []attack
	get := func(target string) {
		all = append(all, attack{
			name: fmt.Sprintf("query: %.80q", target), served: true,
			raw: []byte("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
		})
	}
	for _, filter := range []string{
		`provider = "x' OR 1=1 --"`, `provider = "x" OR 1 = 1`, `provider = "x"; DROP TABLE events`, `1 = 1`, `provider`, `= "x"`, `provider = `, `provider == "clip"`, `provider = "clip`, `provider LIKE "%"`, `(provider = "clip")`,
		strings.Repeat("(", 1000), strings.Repeat(`provider = "a" AND `, 100), `cursor > 99999999999999999999`, `receive_time > "yesterday"`, `receive_time > "9999999-01-01T00:00:00Z"`, `payment_status = "PAID\x00"`, `mode = 99`, `name = "events/x"`,
		"provider = \"\xff\"", "provider = \"\u202e\"", `provider = "` + strings.Repeat("a", 3000) + `"`, `NOT provider = "clip"`, `-provider:"clip"`, `provider:*`, `events.provider = "clip"`, `provider = merchant`,
	} {
		get("/v1/events?filter=" + url.QueryEscape(filter))
		get("/v1/payments?filter=" + url.QueryEscape(filter))
	}
	for _, target := range []string{
		"/v1/events?page_size=-1", "/v1/events?page_size=99999999999", "/v1/events?page_size=1e9", "/v1/events?page_token=AAAA", "/v1/events?page_token=" + strings.Repeat("A", 5000), "/v1/events?page_token=%00", "/v1/events?x=1", "/v1/events?filter=a&filter=b",
		"/v1/events?%", "/v1/events?;", "/v1/events/../payments", "/v1/events/e%2fx", "/v1/events/" + strings.Repeat("e", 5000), "/v1/events/x:watch", "/v1/events:watch?after_cursor=-1", "/v1/events:watch?after_cursor=9999999999999999999999",
		"/v1/events:watch?after_cursor=999999999", "/v1/events:watch?after_time=x", "/v1/events:watch?filter=x", "/v1/payments/p;drop", "/v1/payments/%00", "/v1/providers/..", "/v1/providers/%2e%2e%2fclip", "/v1/", "/v1", "/v2/events", "/v1/nothing",
	} {
		get(target)
	}
	return all
}

// rubbish is what no protocol of ours begins with.
func rubbish() []attack {
	return []attack{
		{name: "zeros", raw: make([]byte, 70000)},
		{name: "TLS", raw: []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("x", 600) + "\r\n")},
		{name: "HTTP/1.1", raw: []byte(http.MethodGet + " / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")},
		{name: "HTTP/2 preface and garbage", raw: []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\xff", 5000))},
		{name: "a long line", raw: []byte(strings.Repeat("A", 100000) + "\r\n")},
	}
}
