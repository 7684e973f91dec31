package reference_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/paynorm/paynorm"
	"github.com/paynorm/paynorm/services/gateway/reference"
)

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	page, err := reference.New(paynorm.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestPageShowsEveryOperationAndSchema(t *testing.T) {
	html := html.UnescapeString(get(t, "/docs").Body.String())
	for _, m := range regexp.MustCompile(`"operationId": "(\w+)"`).FindAllSubmatch(paynorm.OpenAPI, -1) {
		if id := string(m[1]); !strings.Contains(html, `<article id="op-`+id+`">`) {
			t.Errorf("the page has no %s", id)
		}
	}
	for _, want := range []string{"/v1/payments/{payment}:explain", "application/problem+json", "text/event-stream", "Retry-After", "PAYMENT_STATUS_REQUIRES_ACTION"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
}

func TestPageNeedsNothingButItsStyle(t *testing.T) {
	w := get(t, "/docs")
	html := w.Body.String()
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		target := m[1]
		if id, inside := strings.CutPrefix(target, "#"); inside {
			if !strings.Contains(html, `id="`+id+`"`) {
				t.Errorf("a link leads to %s, which is not there", target)
			}
			continue
		}
		if target != "/docs/style.css" && target != "/openapi.json" && target != "/asyncapi.json" {
			t.Errorf("the page refers to %s", target)
		}
	}
	if strings.Contains(html, "<script") || strings.Contains(html, "style=") {
		t.Error("the page has script or style inside")
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'; style-src 'self';") {
		t.Errorf("policy %q", csp)
	}
	if style := get(t, "/docs/style.css"); style.Code != http.StatusOK || strings.Contains(style.Body.String(), "url(") {
		t.Error("the style sheet is missing, or loads something")
	}
	if w := get(t, "/docs/none"); w.Code != http.StatusNotFound {
		t.Errorf("got %d", w.Code)
	}
}

func TestTextOfTheDocumentIsNotMarkup(t *testing.T) {
	page, err := reference.New([]byte(`{"openapi":"3.1.0","info":{"title":"<script>alert(1)</script>"},"tags":[{"name":"a"}],
		"paths":{"/x":{"get":{"tags":["a"],"operationId":"x","responses":{"200":{"description":"<b>"}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/docs", nil))
	if html := w.Body.String(); strings.Contains(html, "<script") || strings.Contains(html, "<b>") || !strings.Contains(html, "&lt;b&gt;") {
		t.Error("text became markup")
	}
}

func TestDocumentsThatAreNoneAreRefused(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `{"openapi":"2.0"}`, `{"openapi":"3.1.0","paths":[]}`,
		`{"openapi":"3.1.0","paths":{"/x":{"get":{"tags":["a"]}}}}`,
		`{"openapi":"3.1.0","tags":[{"name":"a"}],"paths":{"/x":{"get":{"tags":["a"],"responses":{"200":{"$ref":"#/components/responses/Y"}}}}}}`,
	} {
		if _, err := reference.New([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
