// Package console holds the web console: static files that read the JSON API in
// the browser. Nothing in them is secret, and they are served to everybody; the
// data is behind the API and its tokens.
package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var files embed.FS

// policy lets the page load its own files and call its own origin, and nothing
// else. Text becomes markup nowhere: trusted types refuse innerHTML and its kin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// File is one file of the console. It serves itself over HTTP, with an ETag
// over its content, so that browsers ask each time and rarely load it again.
type File struct {
	name    string
	content []byte
}

// Open returns the file for a path as requested, still escaped: "/console" is
// the page, "/console/app.js" and the like what it loads. ok is false when there is none.
func Open(requested string) (f File, ok bool) {
	name, below := strings.CutPrefix(requested, "/console/")
	if !below && requested != "/console" {
		return File{}, false
	}
	if requested == "/console" || name == "" {
		name = "index.html"
	}
	content, err := files.ReadFile("static/" + name)
	if err != nil { // no such file, or not a file
		return File{}, false
	}
	return File{name: name, content: content}, true
}

// ServeHTTP answers GET and HEAD; conditional requests and ranges as net/http does.
func (f File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256(f.content)
	h := w.Header()
	h.Set("Content-Type", f.contentType())
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}

// contentType goes by the extension. The machine's own table is not asked: it
// may say anything, and modules run as text/javascript only.
func (f File) contentType() string {
	switch path.Ext(f.name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}
