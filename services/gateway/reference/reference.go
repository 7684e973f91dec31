// Package reference makes a page for people of the OpenAPI document. It is plain
// HTML with one style sheet: no script, no network, nothing to wait for.
package reference

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"time"
)

//go:embed page.html style.css
var files embed.FS

// policy lets the page load its style sheet and nothing else.
const policy = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Page is a finished page. It answers GET and HEAD of /docs and /docs/style.css,
// and 404 to all else.
type Page struct{ html, style []byte }

// New makes the page of an OpenAPI 3.1 document. It fails when the document is
// not one, or refers to something that it does not have.
func New(openAPI []byte) (*Page, error) {
	d, err := read(openAPI)
	if err != nil {
		return nil, err
	}
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"paragraphs": paragraphs, "type": typeOf, "name": refName, "anchor": anchor, "limits": limits,
	}).ParseFS(files, "page.html")
	if err != nil {
		return nil, err
	}
	var html bytes.Buffer
	if err := t.Execute(&html, d); err != nil {
		return nil, fmt.Errorf("reference page: %w", err)
	}
	style, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	return &Page{html: html.Bytes(), style: style}, nil
}

// ServeHTTP answers with the page or its style sheet, with an ETag over the content.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	var content []byte
	switch r.URL.Path {
	case "/docs":
		content = p.html
		h.Set("Content-Type", "text/html; charset=utf-8")
	case "/docs/style.css":
		content = p.style
		h.Set("Content-Type", "text/css; charset=utf-8")
	default:
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(content)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}
