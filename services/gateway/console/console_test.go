package console_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/services/gateway/console"
)

// loads finds what a file of the console names: imports of modules, and the
// href and src of the page.
var loads = regexp.MustCompile(`(?:from '|(?:href|src)=")(\.{0,2}/[^"']+)["']`)

// reach returns the content of the page and of all that it loads, by path.
func reach(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	queue := []string{"/console"}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if _, known := found[at]; known {
			continue
		}
		w := request(t, http.MethodGet, at, "")
		found[at] = w.Body.String()
		for _, m := range loads.FindAllStringSubmatch(w.Body.String(), -1) {
			target := m[1]
			if !strings.HasPrefix(target, "/") {
				target = path.Join(path.Dir(at), target)
			}
			queue = append(queue, target)
		}
	}
	return found
}

func request(t *testing.T, method, target, etag string) *httptest.ResponseRecorder {
	t.Helper()
	file, ok := console.Open(target)
	if !ok {
		t.Fatalf("there is no %s", target)
	}
	r := httptest.NewRequest(method, target, nil)
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	w := httptest.NewRecorder()
	file.ServeHTTP(w, r)
	return w
}

func TestThePageReachesEveryFileAndNoOther(t *testing.T) {
	var served, there []string
	for at := range reach(t) {
		if at != "/console" {
			served = append(served, strings.TrimPrefix(at, "/console/"))
		}
	}
	err := filepath.WalkDir("static", func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && name != "static/index.html" {
			there = append(there, filepath.ToSlash(strings.TrimPrefix(name, "static"+string(filepath.Separator))))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(set(there), set(served)); diff != "" {
		t.Errorf("files (-there +loaded):\n%s", diff)
	}
}

func set(list []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range list {
		m[s] = true
	}
	return m
}

func TestEveryFileIsServedUnderAStrictPolicy(t *testing.T) {
	types := map[string]string{"": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for at, content := range reach(t) {
		w := request(t, http.MethodGet, at, "")
		h := w.Header()
		if got, want := h.Get("Content-Type"), types[path.Ext(at)]; got != want {
			t.Errorf("%s: Content-Type %q, want %q", at, got, want)
		}
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(h.Get("Content-Security-Policy"), want) {
				t.Errorf("%s: the policy lacks %s", at, want)
			}
		}
		if strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: the policy allows something unsafe", at)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: headers are %v", at, h)
		}
		if again := request(t, http.MethodGet, at, h.Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s: asked with its ETag, got %d and %d bytes", at, again.Code, again.Body.Len())
		}
		if head := request(t, http.MethodHead, at, ""); head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("%s: HEAD got %d and %d bytes of %d", at, head.Code, head.Body.Len(), len(content))
		}
	}
}

func TestNothingElseIsServed(t *testing.T) {
	for _, target := range []string{
		"/", "/consolex", "/console/none.js", "/console/views", "/console/views/", "/console/../console.go", "/console/./app.js",
		"/console//app.js", "/console/app.js/", "/console/%61pp.js", `/console/views\live.js`, "/console/.", "/console/..",
	} {
		if _, ok := console.Open(target); ok {
			t.Errorf("%s is served", target)
		}
	}
}

// The browser refuses most of this by the policy; here it is found before.
func TestTheFilesHoldNeitherMarkupOfDataNorForeignAddresses(t *testing.T) {
	for at, content := range reach(t) {
		for _, never := range []string{
			"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "localStorage", "document.cookie",
			"style=", "onclick=\"", "<style", "javascript:", "src=\"http", "url(http", "@import", "parseFloat(m", "Number(m.minorUnits",
		} {
			if strings.Contains(content, never) {
				t.Errorf("%s has %s", at, never)
			}
		}
		if n := strings.Count(content, "\n"); n > 400 {
			t.Errorf("%s has %d lines", at, n)
		}
	}
}
