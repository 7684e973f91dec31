package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
)

func commitOf(t *testing.T, data []byte) *ledgerv1.Commit {
	t.Helper()
	c := &ledgerv1.Commit{}
	if err := proto.Unmarshal(data, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// bodyOf returns the body of a request that is not sent.
func bodyOf(t *testing.T, r *http.Request) []byte {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// forgedTokens guess at the secret in a URL.
func forgedTokens(t *testing.T, f *fort) []attack {
	var all []attack
	for _, provider := range []string{"clip", "singleview"} {
		r := f.genuine(t, provider, "acme")
		body, token := string(bodyOf(t, r)), r.URL.Query().Get("token")
		rival := f.genuine(t, provider, "rival").URL.Query().Get("token")
		for name, query := range map[string]string{
			"none": "", "empty": "token=", "no value": "token", "shorter": "token=" + token[1:], "longer": "token=" + token + "x", "upper case": "token=" + strings.ToUpper(token), "swapped case": "token=" + strings.ToLower(token),
			"the rival's": "token=" + rival, "both": "token=" + rival + "&token=" + token, "twice": "token=" + token + "&token=" + token, "wrong then right": "token=x&token=" + token, "other name": "Token=" + token, "array": "token[]=" + token,
			"white space": "token=%20" + token, "line end": "token=" + token + "%0a", "NUL": "token=" + token + "%00", "bad escape": "token=" + token + "%", "semicolon": "a=1;token=" + token, "wildcard": "token=*", "1 MB": "token=" + strings.Repeat("a", 9000),
			"null": "token=null", "boolean": "token=true", "redacted": "token=REDACTED",
		} {
			all = append(all, attack{name: provider + " token: " + name, raw: post("/webhooks/"+provider+"/acme?"+query, body)})
		}
		all = append(all,
			attack{name: provider + " token: as bearer", raw: post("/webhooks/"+provider+"/acme", body, "Authorization: Bearer "+token)},
			attack{name: provider + " token: as header", raw: post("/webhooks/"+provider+"/acme", body, "Token: "+token)},
			attack{name: provider + " token: as cookie", raw: post("/webhooks/"+provider+"/acme", body, "Cookie: token="+token)},
			attack{name: provider + " token: in the body", raw: post("/webhooks/"+provider+"/acme", "token="+url.QueryEscape(token), "Content-Type: application/x-www-form-urlencoded")},
			attack{name: provider + " token: in the fragment", raw: post("/webhooks/"+provider+"/acme#token="+token, body)},
		)
	}
	return all
}

// forgedCiphers change what ACI's encryption covers, or what it needs.
func forgedCiphers(t *testing.T, f *fort) []attack {
	r := f.genuine(t, "aci-opp", "acme")
	body := string(bodyOf(t, r))
	iv, tag := r.Header.Get("X-Initialization-Vector"), r.Header.Get("X-Authentication-Tag")
	if iv == "" || tag == "" {
		t.Fatalf("the simulator sends no crypto headers: %v", r.Header)
	}
	var all []attack
	send := func(name, iv, tag, body string) {
		var lines []string
		if iv != "-" {
			lines = append(lines, "X-Initialization-Vector: "+iv)
		}
		if tag != "-" {
			lines = append(lines, "X-Authentication-Tag: "+tag)
		}
		all = append(all, attack{name: "aci-opp: " + name, raw: post("/webhooks/aci-opp/acme", body, append(lines, "Content-Type: text/plain")...)})
	}
	flip := func(text string, at int) string {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		raw[at] ^= 1
		return strings.ToUpper(hex.EncodeToString(raw))
	}
	for i := range 12 {
		send(fmt.Sprintf("vector, byte %d flipped", i), flip(iv, i), tag, body)
	}
	for i := range 16 {
		send(fmt.Sprintf("tag, byte %d flipped", i), iv, flip(tag, i), body)
	}
	for i := 0; i < len(body)/2; i += len(body) / 16 {
		send(fmt.Sprintf("body, byte %d flipped", i), iv, tag, flip(body, i))
	}
	for n := range 16 {
		send(fmt.Sprintf("tag of %d bytes", n), iv, tag[:2*n], body)
	}
	for _, n := range []int{0, 1, 8, 11} {
		send(fmt.Sprintf("vector of %d bytes", n), iv[:2*n], tag, body)
	}
	send("vector of 16 bytes", iv+"00000000", tag, body)
	send("tag of 17 bytes", iv, tag+"00", body)
	send("no vector", "-", tag, body)
	send("no tag", iv, "-", body)
	send("no crypto headers", "-", "-", body)
	send("vector and tag swapped", tag, iv, body)
	send("zeros", strings.Repeat("0", 24), strings.Repeat("0", 32), body)
	send("not hex", iv, tag, "{}")
	send("odd hex", iv, tag, body[1:])
	send("empty", iv, tag, "")
	send("half", iv, tag, body[:len(body)/4*2])
	send("twice", iv, tag, body+body)
	send("wrapped badly", iv, tag, `{"encryptedBody":5}`)
	send("wrapped twice", iv, tag, `{"encryptedBody":"`+body+`","encryptedBody":""}`)
	return all
}

// forgedSignatures are JWTs that QI Tech did not sign for this request.
func forgedSignatures(t *testing.T, f *fort) []attack {
	const path = "/webhooks/qitech/acme"
	r := f.genuine(t, "qitech", "acme")
	body := bodyOf(t, r)
	read := func(merchant, name string) string {
		text, err := os.ReadFile(filepath.Join(f.dir, merchant, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	secrets := map[string]string{"own": read("acme", "qitech-private.pem"), "rival": read("rival", "qitech-private.pem"), "public": read("acme", "qitech.pem")}
	text := func(s string) *string { return &s }
	var all []attack
	add := func(name, token string) {
		all = append(all, attack{name: "qitech: " + name, raw: post(path, string(body), "Authorization: "+token)})
	}
	for name, s := range map[string]signature{
		"the rival's key":           {Alg: "ES512", Key: "rival"},
		"no algorithm":              {Alg: "none", Key: "own"},
		"no algorithm, other case":  {Alg: "nOnE", Key: "own"},
		"public key as HMAC secret": {Alg: "HS512", Key: "public"},
		"HS256":                     {Alg: "HS256", Key: "public"},
		"empty signature":           {Alg: "ES512", Key: "own", Sig: "empty"},
		"DER signature":             {Alg: "ES512", Key: "own", Sig: "der"},
		"other algorithm":           {Alg: "ES256", Key: "own"},
		"key in the header":         {Alg: "ES512", Key: "rival", Jose: map[string]any{"jwk_of": "rival"}},
		"key by URL":                {Alg: "ES512", Key: "rival", Jose: map[string]any{"jku": "http://127.0.0.1:1/keys"}},
		"key by file":               {Alg: "ES512", Key: "rival", Jose: map[string]any{"kid": "../../../../dev/null"}},
		"critical extension":        {Alg: "ES512", Key: "rival", Jose: map[string]any{"crit": []string{"x"}, "x": 1}},
		"an hour old":               {Alg: "ES512", Key: "own", OffsetSeconds: -3600},
		"an hour early":             {Alg: "ES512", Key: "own", OffsetSeconds: 3600},
		"for another body":          {Alg: "ES512", Key: "own", MD5Of: text("{}")},
		"for another path":          {Alg: "ES512", Key: "own", Claims: map[string]*string{"uri": text("/webhooks/qitech/rival")}},
		"for another method":        {Alg: "ES512", Key: "own", Claims: map[string]*string{"method": text("GET")}},
		"without a time":            {Alg: "ES512", Key: "own", Claims: map[string]*string{"timestamp": nil}},
		"without a digest":          {Alg: "ES512", Key: "own", Claims: map[string]*string{"payload_md5": nil}},
		"without a path":            {Alg: "ES512", Key: "own", Claims: map[string]*string{"uri": nil}},
		"time that is no time":      {Alg: "ES512", Key: "own", Claims: map[string]*string{"timestamp": text("now")}},
	} {
		add(name, s.token(t, secrets, http.MethodPost, path, body))
	}
	good := signature{Alg: "ES512", Key: "own"}.token(t, secrets, http.MethodPost, path, body)
	parts := strings.Split(good, ".")
	signed, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(signed); i += 11 {
		broken := bytes.Clone(signed)
		broken[i] ^= 4
		add(fmt.Sprintf("signature, byte %d flipped", i), parts[0]+"."+parts[1]+"."+base64.RawURLEncoding.EncodeToString(broken))
	}
	add("zero signature", parts[0]+"."+parts[1]+"."+base64.RawURLEncoding.EncodeToString(make([]byte, 132)))
	add("two parts", parts[0]+"."+parts[1])
	add("four parts", good+".x")
	add("claims twice", parts[0]+"."+parts[1]+parts[1]+"."+parts[2])
	add("nothing", "")
	add("dots", "..")
	add("10 KB of dots", strings.Repeat(".", 10000))
	all = append(all, attack{name: "qitech: two tokens", raw: post(path, string(body), "Authorization: "+good, "Authorization: "+good)})
	return all
}

// forgedBearers are tokens that our own endpoint did not hand out, and tries to make it hand out one.
func forgedBearers(t *testing.T, f *fort) []attack {
	r := f.genuine(t, "incode", "acme")
	body, bearer := string(bodyOf(t, r)), r.Header.Get("Authorization")
	rival := f.genuine(t, "incode", "rival").Header.Get("Authorization")
	token, ok := strings.CutPrefix(bearer, "Bearer ")
	if !ok {
		t.Fatalf("the simulator sends no bearer token: %v", r.Header)
	}
	var all []attack
	for name, value := range map[string]string{
		"none": "", "only the word": "Bearer", "empty": "Bearer ", "basic": "Basic " + token, "bare": token, "shorter": bearer[:len(bearer)-1], "longer": bearer + "A", "the rival's": rival, "twice": bearer + ", " + bearer, "quoted": `Bearer "` + token + `"`,
		"null": "Bearer null", "dots": "Bearer ...", "no algorithm": "Bearer eyJhbGciOiJub25lIn0.e30.", "10 KB": "Bearer " + strings.Repeat("A", 10000), "tab": "Bearer\t" + token + "x",
	} {
		all = append(all, attack{name: "incode bearer: " + name, raw: post("/webhooks/incode/acme", body, "Authorization: "+value)})
	}
	for i := 0; i < len(token); i += max(1, len(token)/12) {
		other := byte('A')
		if token[i] == other {
			other = 'B'
		}
		forged := token[:i] + string(other) + token[i+1:]
		all = append(all, attack{name: fmt.Sprintf("incode bearer: character %d changed", i), raw: post("/webhooks/incode/acme", body, "Authorization: Bearer "+forged)})
	}
	for _, key := range []string{"", "x", strings.Repeat("x", 9000), f.secrets[9]} { // the last one is the rival's
		all = append(all, attack{name: fmt.Sprintf("incode key: %.8q", key), raw: post("/webhooks/incode/acme", body, "X-Webhook-Key: "+key)})
	}
	basic := func(user, password string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	secret := f.secrets[3]
	for name, a := range map[string][]string{
		"no client": {"grant_type=client_credentials"}, "wrong secret": {"grant_type=client_credentials", basic("incode", "x")}, "no secret": {"grant_type=client_credentials", basic("incode", "")}, "other client": {"grant_type=client_credentials", basic("other", secret)},
		"the rival's secret": {"grant_type=client_credentials", basic("incode", f.secrets[8])}, "no grant": {"", basic("incode", secret)}, "other grant": {"grant_type=password", basic("incode", secret)}, "two grants": {"grant_type=client_credentials&grant_type=password", basic("incode", secret)},
		"not base64": {"grant_type=client_credentials", "Authorization: Basic !!!"}, "no colon": {"grant_type=client_credentials", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("incode"))}, "too long": {"grant_type=" + strings.Repeat("x", 20000), basic("incode", secret)},
		"secret in the form": {"grant_type=client_credentials&client_id=incode&client_secret=x"}, "bearer": {"grant_type=client_credentials", "Authorization: " + bearer}, "JSON": {`{"grant_type":"client_credentials"}`, basic("incode", "x")},
	} {
		all = append(all, attack{name: "token endpoint: " + name, raw: post("/oauth2/incode/acme/token", a[0], append(a[1:], "Content-Type: application/x-www-form-urlencoded")...)})
	}
	return all
}

// replays send what is authentic for one endpoint to another one.
func replays(t *testing.T, f *fort) []attack {
	var all []attack
	for _, from := range []string{"clip", "singleview", "aci-opp", "qitech", "incode"} {
		for _, to := range []string{"clip", "singleview", "aci-opp", "qitech", "incode"} {
			for _, merchant := range []string{"acme", "rival"} {
				if from == to && merchant == "acme" {
					continue
				}
				r := f.genuine(t, from, "acme")
				r.URL.Path = "/webhooks/" + to + "/" + merchant
				all = append(all, attack{name: fmt.Sprintf("replay: %s of acme to %s of %s", from, to, merchant), raw: wire(t, r)})
			}
		}
	}
	return all
}
