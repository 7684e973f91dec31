package scheme

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/url"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Equal compares two secrets in a time that does not depend on where they
// differ, nor on the length of the one that was sent. An empty secret equals nothing.
func Equal(sent string, secret provider.Secret) bool {
	a, b := sha256.Sum256([]byte(sent)), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && secret != ""
}

// match finds the key that sent equals. All keys are compared, so that the time
// does not tell which one matched.
func match(sent string, keys []provider.SecretKey) (id string, ok bool) {
	for _, k := range keys {
		if Equal(sent, k.Value) {
			id, ok = k.ID, true
		}
	}
	return id, ok
}

// Token returns the value, still escaped, of a parameter of a query that is
// "token", however its name is escaped.
func Token(parameter string) (value string, ok bool) {
	name, value, _ := strings.Cut(parameter, "=")
	name, _ = url.QueryUnescape(name) // "" when it cannot be decoded
	return value, name == "token"
}

// matchEscaped is match for a value of a query. A "+" in it is a blank, as in
// forms, or itself, as in a URL that a secret in base64 was pasted into.
func matchEscaped(sent string, keys []provider.SecretKey) (id string, ok bool) {
	// What cannot be decoded is "", which no secret equals.
	text, _ := url.QueryUnescape(sent)
	id, ok = match(text, keys)
	if !strings.Contains(sent, "+") {
		return id, ok
	}
	text, _ = url.PathUnescape(sent)
	if pasted, same := match(text, keys); same {
		return pasted, true
	}
	return id, ok
}

// urlToken checks the query's parameter "token", which must occur once.
func urlToken(d provider.Delivery, keys provider.Keys) (Proof, bool, error) {
	if len(keys.URLTokens) == 0 {
		return Proof{}, false, nil
	}
	var sent []string
	for part := range strings.SplitSeq(d.RawQuery, "&") {
		if value, ok := Token(part); ok {
			sent = append(sent, value)
		}
	}
	if len(sent) != 1 {
		return Proof{}, true, fmt.Errorf("%w: want one token in the URL, got %d", provider.ErrNotAuthentic, len(sent))
	}
	id, ok := matchEscaped(sent[0], keys.URLTokens)
	if !ok {
		return Proof{}, true, fmt.Errorf("%w: wrong token in the URL", provider.ErrNotAuthentic)
	}
	return Proof{Scheme: provider.SchemeURLToken, KeyID: id, Coverage: eventv1.Coverage_COVERAGE_SENDER}, true, nil
}

// sourceIP checks the address that the delivery came from.
func sourceIP(d provider.Delivery, keys provider.Keys) (Proof, bool, error) {
	for _, s := range keys.SourceIP {
		for _, p := range s.Prefixes {
			if p.Contains(d.RemoteAddr.Unmap()) {
				return Proof{Scheme: provider.SchemeSourceIP, KeyID: s.ID, Coverage: eventv1.Coverage_COVERAGE_SENDER}, true, nil
			}
		}
	}
	if len(keys.SourceIP) > 0 {
		return Proof{}, true, fmt.Errorf("%w: the sender's address is not in source_ip", provider.ErrNotAuthentic)
	}
	return Proof{}, false, nil
}

// bearerOrHeader checks OAuth2 and Headers, either of which is enough.
func bearerOrHeader(d provider.Delivery, keys provider.Keys) (Proof, bool, error) {
	if len(keys.OAuth2) == 0 && len(keys.Headers) == 0 {
		return Proof{}, false, nil
	}
	proof := Proof{Coverage: eventv1.Coverage_COVERAGE_SENDER}
	found := false
	for _, k := range keys.Headers {
		if sent, ok := d.Header(k.Name); ok && Equal(sent, k.Value) {
			proof.Scheme, proof.KeyID, found = provider.SchemeHeader, k.ID, true
		}
	}
	if id, ok := bearer(d, keys.OAuth2); ok {
		proof.Scheme, proof.KeyID, found = provider.SchemeOAuth2, id, true
	}
	if !found {
		return Proof{}, true, fmt.Errorf("%w: no valid bearer token or secret header", provider.ErrNotAuthentic)
	}
	return proof, true, nil
}
