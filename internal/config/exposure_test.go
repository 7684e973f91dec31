package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/internal/config"
)

const certificate = "tls: {cert_file: a, key_file: b}"

func TestWhatANetworkCouldSeeIsAStartErrorUnlessItIsMeant(t *testing.T) {
	const token = "access: {tokens: [{id: a, sha256: 0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2aabcd, merchants: [acme]}]}"
	const users = "users: [{name: shop, password: {env: P}, merchants: [acme]}]"
	for _, tt := range []struct {
		name string
		text string
		want []string
	}{
		{"everything on loopback", `{http: {address: "127.0.0.1:1"}, grpc: {address: "[::1]:1"}, nats: {address: "localhost:1"}}`, nil},
		{"loopback in other forms", `{http: {address: "127.8.8.8:1"}, grpc: {address: "[::ffff:127.0.0.1]:1"}}`, nil},
		{"plain text and no tokens on all addresses", `{http: {address: ":1"}}`, []string{
			"c.yaml:1:1: access: anybody who reaches http.address or grpc.address could read; give tokens or jwt or, if that is meant, write insecure: true",
			"c.yaml:1:18: http.address: plain text beyond loopback; give http.tls or, if that is meant, write http.insecure: true",
		}},
		{"a host name", `{grpc: {address: "paynorm.internal:1", ` + certificate + `}}`, []string{
			"c.yaml:1:1: access: anybody who reaches http.address or grpc.address could read; give tokens or jwt or, if that is meant, write insecure: true",
		}},
		{"TLS and tokens", `{http: {address: ":1", ` + certificate + `}, grpc: {address: "0.0.0.0:1", ` + certificate + `}, ` + token + `}`, nil},
		{"written to be meant", `{http: {address: ":1", insecure: true}, grpc: {address: "192.0.2.1:1", insecure: true}, access: {insecure: true}}`, nil},
		{"subscribers without users", `{nats: {address: ":1", ` + certificate + `}}`, []string{
			"c.yaml:1:8: nats.users: anybody who reaches nats.address could subscribe; beyond loopback users are required",
		}},
		{"insecure does not replace users", `{nats: {address: ":1", insecure: true}}`, []string{
			"c.yaml:1:8: nats.users: anybody who reaches nats.address could subscribe; beyond loopback users are required",
		}},
		{"users over plain text", `{nats: {address: ":1", ` + users + `}}`, []string{
			"c.yaml:1:18: nats.address: plain text beyond loopback; give nats.tls or, if that is meant, write nats.insecure: true",
		}},
		{"users with TLS", `{nats: {address: ":1", ` + users + `, ` + certificate + `}}`, nil},
		{"a gateway that would hand in deliveries over plain text", `{gateway: {normalizer_address: "10.0.0.1:1"}}`, []string{
			"c.yaml:1:32: gateway.normalizer_address: plain text beyond loopback; give gateway.normalizer_tls or, if that is meant, write grpc.insecure: true",
		}},
		{"a password over plain text", `{nats: {url: "nats://10.0.0.1:1", user: a, password: {env: P}}}`, []string{
			"c.yaml:1:14: nats.url: would log in over plain text beyond loopback; use tls:// or nats.cluster_tls or, if that is meant, write nats.insecure: true",
		}},
		{"a password over TLS", `{nats: {url: "tls://10.0.0.1:1", user: a, password: {env: P}}}`, nil},
		{"a password in an address", `{nats: {url: "tls://a:hunter2@10.0.0.1:1"}}`, []string{
			"c.yaml:1:14: nats.url: names a user; give nats.user and nats.password, because a secret is never written here",
		}},
		{"half a login", `{nats: {url: "tls://10.0.0.1:1", user: a}}`, []string{"c.yaml:1:40: nats.user: want user and password together"}},
		{"two logins", `{nats: {url: "tls://10.0.0.1:1", user: a, password: {env: P}, credentials_file: x}}`, []string{
			"c.yaml:1:81: nats.credentials_file: excludes nats.user: log in with one of them",
		}},
		{"a login to nowhere", `{nats: {credentials_file: x}}`, []string{"c.yaml:1:27: nats.credentials_file: is for an external cluster; give nats.url"}},
		{"a certificate of an external cluster", `{nats: {url: "tls://10.0.0.1:1", ` + certificate + `}}`, []string{
			"c.yaml:1:39: nats.tls: is for the embedded server; towards a cluster it is nats.cluster_tls",
		}},
		{"client certificates for the whole edge", `{http: {tls: {cert_file: a, key_file: b, client_ca_file: c}}}`, []string{
			"c.yaml:1:58: http.tls.client_ca_file: not here: an endpoint asks for certificates of its own with client_certificate",
		}},
		{"a certificate without its key", `{gateway: {normalizer_tls: {cert_file: a}}}`, []string{
			"c.yaml:1:28: gateway.normalizer_tls: want cert_file and key_file together",
		}},
		{"client certificates without TLS", `{endpoints: [{provider: clip, merchant: a, mode: live, auth: [{client_certificate: {ca: {file: x}}}]}]}`, []string{
			"c.yaml:1:84: endpoints[0].auth[0].client_certificate: needs http.tls: without it there is no certificate",
		}},
		{"a proxy that is no range", `{http: {trusted_proxies: ["10.0.0.0/8", nginx]}}`, []string{
			`c.yaml:1:41: http.trusted_proxies[1]: want a range such as "203.0.113.0/24", or "203.0.113.7/32" for one address`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, problems(t, tt.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestANameMeansOneThing(t *testing.T) {
	const sums = "0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2a0c1b2aabcd"
	got := problems(t, `
access:
  tokens:
    - {id: a, sha256: `+sums+`, merchants: [acme]}
    - {id: a, sha256: `+sums+`, merchants: ["*"]}
nats:
  users:
    - {name: paynorm, password: {env: P}, merchants: [acme], consumers: [{name: c}]}
    - {name: b, password: {env: P}, merchants: [acme], consumers: [{name: c}]}
    - {name: b, password: {env: P}, merchants: [acme]}
`)
	want := []string{
		"c.yaml:5:12: access.tokens[1].id: is taken at line 4 already",
		"c.yaml:5:23: access.tokens[1].sha256: is taken at line 4 already",
		`c.yaml:8:14: nats.users[0].name: "paynorm" is paynorm itself`,
		"c.yaml:9:75: nats.users[1].consumers[0].name: is taken at line 8 already",
		"c.yaml:10:14: nats.users[2].name: is taken at line 9 already",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// problems are the lines of the error of a configuration, none when it is good.
func problems(t *testing.T, text string) []string {
	t.Helper()
	if _, err := config.Parse("c.yaml", []byte(text)); err != nil {
		return strings.Split(err.Error(), "\n")
	}
	return nil
}
