package gateway

import (
	"net/http"
	"strings"
)

// tokenBody is the largest form that the token endpoint reads: what
// IssueTokenRequest.body may hold.
const tokenBody = 16 << 10

// route picks what answers r by its path as requested, still escaped. The
// standard library's mux is not used: it redirects "//" and "..", and providers
// need not follow.
func (g *Gateway) route(a *answer, r *http.Request) {
	path := r.URL.EscapedPath()
	section, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch section {
	case "webhooks":
		g.webhook(a, r, rest)
	case "oauth2":
		g.token(a, r, rest)
	case "v1":
		g.read(a, r, path)
	case "console":
		page(a, r, path)
	default:
		g.fixed(a, r, path)
	}
}

// endpoint splits "{provider}/{merchant}" and says whether both are names.
func endpoint(rest string) (provider, merchant string, ok bool) {
	provider, merchant, found := strings.Cut(rest, "/")
	return provider, merchant, found && validName(provider) && validName(merchant)
}

// validName reports whether s matches ^[a-z0-9][a-z0-9-]{0,62}$. Nothing that
// is escaped, empty or a dot passes.
func validName(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// allow answers 405 and returns false when r has none of methods.
func allow(a *answer, r *http.Request, methods ...string) bool {
	for _, m := range methods {
		if r.Method == m {
			return true
		}
	}
	a.Header().Set("Allow", strings.Join(methods, ", "))
	writeProblem(a, problem{Status: http.StatusMethodNotAllowed})
	return false
}
