package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/internal/config"
)

// endpoint is a complete endpoint whose auth the cases replace.
const endpoint = "endpoints:\n  - provider: clip\n    merchant: acme\n    mode: live\n    auth:\n"

func TestErrorNamesFileLineColumnFieldAndProblem(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want []string
	}{
		{
			name: "unknown fields and wrong types, all at once",
			text: "http:\n  adress: x\n  max_body_bytes: 5000000\ndata_dir: [a]\n",
			want: []string{
				"c.yaml:2:3: http.adress: unknown field; known are address, max_body_bytes, max_header_bytes, max_concurrent_webhooks, read_timeout, webhook_timeout, max_bytes_in_flight, max_connections, tls, insecure, trusted_proxies, endpoint_rate, address_rate",
				"c.yaml:3:19: http.max_body_bytes: must be greater than or equal to 0 and less than or equal to 4194304",
				"c.yaml:4:11: data_dir: want a single value, got a list",
			},
		},
		{
			name: "broken YAML",
			text: "http:\n\taddress: x\n",
			want: []string{
				"c.yaml:2:1: not YAML: found character that cannot start any token",
			},
		},
		{
			name: "a list instead of fields",
			text: "- a\n",
			want: []string{
				"c.yaml:1:1: want fields, got a list",
			},
		},
		{
			name: "a text instead of fields",
			text: "http: 5\n",
			want: []string{
				"c.yaml:1:7: http: want fields, got a single value",
			},
		},
		{
			name: "a second document",
			text: "http: {}\n---\ngrpc: {}\n",
			want: []string{
				"c.yaml:2:1: a second document; want one",
			},
		},
		{
			name: "a broken second document",
			text: "http: {}\n---\n]\n",
			want: []string{
				"c.yaml:2:1: not YAML: did not find expected node content",
			},
		},
		{
			name: "a field given twice",
			text: "http: {}\nhttp: {}\n",
			want: []string{
				"c.yaml:2:1: http: given at line 1 already",
			},
		},
		{
			name: "other spellings of field names",
			text: "dataDir: x\n4: y\n\"a\\nb\": c\n[a]: b\n",
			want: []string{
				"c.yaml:1:1: dataDir: unknown field; known are http, grpc, metrics, data_dir, nats, events, endpoints, gateway, retention, encryption, access, tracing",
				`c.yaml:2:1: "4": unknown field; known are http, grpc, metrics, data_dir, nats, events, endpoints, gateway, retention, encryption, access, tracing`,
				`c.yaml:3:1: "a\nb": unknown field; known are http, grpc, metrics, data_dir, nats, events, endpoints, gateway, retention, encryption, access, tracing`,
				`c.yaml:4:1: "": unknown field; known are http, grpc, metrics, data_dir, nats, events, endpoints, gateway, retention, encryption, access, tracing`,
			},
		},
		{
			name: "null",
			text: "data_dir: null\n",
			want: []string{
				"c.yaml:1:11: data_dir: null is no value; leave the field out",
			},
		},
		{
			name: "a lone carriage return",
			text: "a: x\rb: y",
			want: []string{
				"c.yaml:1:5: want UTF-8 with lines that end in a line feed",
			},
		},
		{
			name: "not UTF-8",
			text: "data_dir: \xff\n",
			want: []string{
				"c.yaml:1:11: want UTF-8 with lines that end in a line feed",
			},
		},
		{
			name: "a line separator of Unicode",
			text: "data_dir: \"a\u2028b\"\n",
			want: []string{
				"c.yaml:1:13: want UTF-8 with lines that end in a line feed",
			},
		},
		{
			name: "numbers and durations outside their limits",
			text: "http: {max_body_bytes: -1, max_header_bytes: 2000000, max_concurrent_webhooks: -5, read_timeout: -1s, webhook_timeout: -8s}\n",
			want: []string{
				"c.yaml:1:24: http.max_body_bytes: must be greater than or equal to 0 and less than or equal to 4194304",
				"c.yaml:1:46: http.max_header_bytes: must be greater than or equal to 0 and less than or equal to 1048576",
				"c.yaml:1:80: http.max_concurrent_webhooks: must be greater than or equal to 0",
				"c.yaml:1:98: http.read_timeout: must be greater than or equal to 0s",
				"c.yaml:1:120: http.webhook_timeout: must be greater than or equal to 0s",
			},
		},
		{
			name: "less room than the largest body needs",
			text: "http: {max_bytes_in_flight: 1000000}\n",
			want: []string{
				"c.yaml:1:29: http.max_bytes_in_flight: must be at least http.max_body_bytes (1048576), or no body of that size is ever taken",
			},
		},
		{
			name: "what is no number and no duration",
			text: "http: {max_body_bytes: many, max_header_bytes: 99999999999, read_timeout: [1], webhook_timeout: soon}\n",
			want: []string{
				"c.yaml:1:24: http.max_body_bytes: want a number",
				"c.yaml:1:48: http.max_header_bytes: integer is too large: > 2147483647",
				`c.yaml:1:75: http.read_timeout: want a duration such as "300s"`,
				`c.yaml:1:97: http.webhook_timeout: want a duration such as "300s"`,
			},
		},
		{
			name: "a duration in a unit that there is not",
			text: "http: {read_timeout: 2d}\n",
			want: []string{
				`c.yaml:1:22: http.read_timeout: want a duration such as "300s"`,
			},
		},
		{
			name: "addresses that are not host:port",
			text: "http: {address: localhost}\ngrpc: {address: \"a:b\"}\nmetrics: {address: \"::1\"}\nnats: {address: \"h:70000\"}\ngateway: {normalizer_address: \"http://h:1\"}\n",
			want: []string{
				`c.yaml:1:17: http.address: want host:port, for example "127.0.0.1:8080": missing port in address`,
				`c.yaml:2:17: grpc.address: want host:port, for example "127.0.0.1:8080": the port is not a number from 0 to 65535`,
				`c.yaml:3:20: metrics.address: want host:port, for example "127.0.0.1:8080": too many colons in address`,
				`c.yaml:4:17: nats.address: want host:port, for example "127.0.0.1:8080": the port is not a number from 0 to 65535`,
				`c.yaml:5:31: gateway.normalizer_address: want host:port, for example "127.0.0.1:8080": too many colons in address`,
			},
		},
		{
			name: "an embedded and an external NATS",
			text: "nats: {address: \"h:1\", url: \"nats://h:1\"}\n",
			want: []string{
				"c.yaml:1:29: nats.url: excludes nats.address: the one is an external cluster, the other the embedded server",
			},
		},
		{
			name: "copies of one server",
			text: "nats:\n  replicas: 3\n",
			want: []string{
				"c.yaml:2:13: nats.replicas: 3 replicas need nats.url: the embedded server is one",
			},
		},
		{
			name: "an even number of copies",
			text: "nats: {replicas: 2, url: \"nats://h:1\"}\n",
			want: []string{
				"c.yaml:1:18: nats.replicas: must be in list [0, 1, 3, 5]",
			},
		},
		{
			name: "a URL without scheme",
			text: "nats: {url: \"h:1\"}\n",
			want: []string{
				`c.yaml:1:13: nats.url: want addresses such as "nats://host:4222", separated by commas`,
			},
		},
		{
			name: "a URL without host, whose password stays out of the error",
			text: "nats: {url: \"nats://u:hunter2@/\"}\n",
			want: []string{
				`c.yaml:1:13: nats.url: want addresses such as "nats://host:4222", separated by commas`,
			},
		},
		{
			name: "an unknown encoding",
			text: "events: {encoding: xml}\n",
			want: []string{
				"c.yaml:1:20: events.encoding: must be in list [protobuf, json]",
			},
		},
		{
			name: "endpoints that are no list",
			text: "endpoints: {}\n",
			want: []string{
				"c.yaml:1:12: endpoints: want a list, got fields",
			},
		},
		{
			name: "an empty endpoint",
			text: "endpoints:\n  - {}\n",
			want: []string{
				"c.yaml:2:5: endpoints[0].auth: no auth: anybody could forge webhooks; if that is meant, write auth: [{none: {i_accept_forged_webhooks: true}}]",
				"c.yaml:2:5: endpoints[0].merchant: is required",
				"c.yaml:2:5: endpoints[0].mode: is required",
				"c.yaml:2:5: endpoints[0].provider: is required",
			},
		},
		{
			name: "an endpoint without auth",
			text: "endpoints:\n  - {provider: clip, merchant: acme, mode: live}\n",
			want: []string{
				"c.yaml:2:5: endpoints[0].auth: no auth: anybody could forge webhooks; if that is meant, write auth: [{none: {i_accept_forged_webhooks: true}}]",
			},
		},
		{
			name: "an endpoint with an empty auth",
			text: endpoint,
			want: []string{
				"c.yaml:5:10: endpoints[0].auth: no auth: anybody could forge webhooks; if that is meant, write auth: [{none: {i_accept_forged_webhooks: true}}]",
			},
		},
		{
			name: "malformed members of an endpoint",
			text: "endpoints:\n  - {provider: Clip, merchant: \"a b\", mode: prod, auth: [], expect_accounts: [\"\"]}\n",
			want: []string{
				"c.yaml:2:16: endpoints[0].provider: does not match regex pattern `^[a-z0-9][a-z0-9-]{0,62}$`",
				"c.yaml:2:32: endpoints[0].merchant: does not match regex pattern `^[a-z0-9][a-z0-9-]{0,62}$`",
				"c.yaml:2:45: endpoints[0].mode: must be in list [live, test]",
				"c.yaml:2:57: endpoints[0].auth: no auth: anybody could forge webhooks; if that is meant, write auth: [{none: {i_accept_forged_webhooks: true}}]",
				"c.yaml:2:79: endpoints[0].expect_accounts[0]: must be at least 1 characters",
			},
		},
		{
			name: "an auth entry without a kind",
			text: endpoint + "      - {}\n",
			want: []string{
				"c.yaml:6:9: endpoints[0].auth[0].kind: exactly one is required",
			},
		},
		{
			name: "an auth entry with two kinds",
			text: endpoint + "      - url_token: {secret: {env: A}}\n        header: {name: X, secret: {env: B}}\n",
			want: []string{
				"c.yaml:7:17: endpoints[0].auth[0].header: one entry has one kind; start a new entry with a dash",
			},
		},
		{
			name: "a malformed id",
			text: endpoint + "      - id: \"a b\"\n        url_token: {secret: {env: A}}\n",
			want: []string{
				"c.yaml:6:13: endpoints[0].auth[0].id: does not match regex pattern `^[A-Za-z0-9._-]{0,64}$`",
			},
		},
		{
			name: "a secret in the file, which stays out of the error",
			text: endpoint + "      - url_token: {secret: hunter2}\n      - url_token: hunter2\n",
			want: []string{
				"c.yaml:6:29: endpoints[0].auth[0].url_token.secret: want {env: NAME} or {file: PATH}; a secret is never written here",
				"c.yaml:7:20: endpoints[0].auth[1].url_token: want fields, got a single value",
			},
		},
		{
			name: "a secret from nowhere",
			text: endpoint + "      - url_token: {secret: {}}\n      - url_token: {secret: {env: \"\"}}\n      - url_token: {}\n",
			want: []string{
				"c.yaml:6:29: endpoints[0].auth[0].url_token.secret.source: exactly one is required",
				"c.yaml:7:35: endpoints[0].auth[1].url_token.secret.env: must be at least 1 characters",
				"c.yaml:8:20: endpoints[0].auth[2].url_token.secret: is required",
			},
		},
		{
			name: "a secret from two places",
			text: endpoint + "      - url_token: {secret: {env: A, file: B}}\n",
			want: []string{
				"c.yaml:6:44: endpoints[0].auth[0].url_token.secret.file: want either env or file",
			},
		},
		{
			name: "kinds without their members",
			text: endpoint + "      - aes_gcm: {}\n      - jwt: {}\n      - oauth2: {}\n      - header: {}\n      - source_ip: {}\n",
			want: []string{
				"c.yaml:6:18: endpoints[0].auth[0].aes_gcm.key: is required",
				"c.yaml:7:14: endpoints[0].auth[1].jwt.algorithm: is required",
				"c.yaml:7:14: endpoints[0].auth[1].jwt.public_key: is required",
				"c.yaml:8:17: endpoints[0].auth[2].oauth2.client_id: is required",
				"c.yaml:8:17: endpoints[0].auth[2].oauth2.client_secret: is required",
				"c.yaml:9:17: endpoints[0].auth[3].header.name: is required",
				"c.yaml:9:17: endpoints[0].auth[3].header.secret: is required",
				"c.yaml:10:20: endpoints[0].auth[4].source_ip.cidrs: is required",
			},
		},
		{
			name: "a client ID that HTTP Basic cannot carry",
			text: endpoint + "      - oauth2: {client_id: \"urn:incode\", client_secret: {env: A}}\n",
			want: []string{
				`c.yaml:6:29: endpoints[0].auth[0].oauth2.client_id: must not hold ":": HTTP Basic ends the client's ID there`,
			},
		},
		{
			name: "members outside their limits",
			text: endpoint + "      - jwt: {algorithm: HS256, public_key: {file: a}, max_skew: 86401s}\n      - oauth2: {client_id: \"\", client_secret: {env: A}, token_ttl: 90000s}\n      - header: {name: \"a b\", secret: {env: A}}\n      - source_ip: {cidrs: []}\n",
			want: []string{
				"c.yaml:6:26: endpoints[0].auth[0].jwt.algorithm: must be in list [ES256, ES384, ES512]",
				"c.yaml:6:66: endpoints[0].auth[0].jwt.max_skew: must be greater than or equal to 0s and less than or equal to 86400s",
				"c.yaml:7:29: endpoints[0].auth[1].oauth2.client_id: must be at least 1 characters",
				"c.yaml:7:69: endpoints[0].auth[1].oauth2.token_ttl: must be greater than or equal to 0s and less than or equal to 86400s",
				"c.yaml:8:24: endpoints[0].auth[2].header.name: does not match regex pattern `^[A-Za-z0-9-]{1,64}$`",
				"c.yaml:9:28: endpoints[0].auth[3].source_ip.cidrs: must contain at least 1 item(s)",
			},
		},
		{
			name: "address ranges that are none",
			text: endpoint + "      - source_ip: {cidrs: [\"203.0.113.7\", \"::ffff:1.2.3.0/120\", \"\", \"1.2.3.4/40\"]}\n",
			want: []string{
				`c.yaml:6:29: endpoints[0].auth[0].source_ip.cidrs[0]: want a range such as "203.0.113.0/24", or "203.0.113.7/32" for one address`,
				"c.yaml:6:44: endpoints[0].auth[0].source_ip.cidrs[1]: write an IPv4 range in its IPv4 form",
				"c.yaml:6:66: endpoints[0].auth[0].source_ip.cidrs[2]: must be at least 1 characters",
				`c.yaml:6:70: endpoints[0].auth[0].source_ip.cidrs[3]: want a range such as "203.0.113.0/24", or "203.0.113.7/32" for one address`,
			},
		},
		{
			name: "no authentication, not accepted",
			text: endpoint + "      - none: {}\n",
			want: []string{
				"c.yaml:6:15: endpoints[0].auth[0].none.i_accept_forged_webhooks: is required",
			},
		},
		{
			name: "no authentication, not quite accepted",
			text: endpoint + "      - none: {i_accept_forged_webhooks: yes}\n",
			want: []string{
				`c.yaml:6:42: endpoints[0].auth[0].none.i_accept_forged_webhooks: want true or false, got "yes"`,
			},
		},
		{
			name: "no authentication beside authentication",
			text: endpoint + "      - none: {i_accept_forged_webhooks: true}\n      - url_token: {secret: {env: A}}\n",
			want: []string{
				"c.yaml:6:15: endpoints[0].auth[0].none: none stands alone: beside other entries it would say nothing, or switch them off",
			},
		},
		{
			name: "one provider and merchant twice",
			text: endpoint + "      - url_token: {secret: {env: A}}\n  - {provider: clip, merchant: acme, mode: test, auth: [{url_token: {secret: {env: A}}}]}\n",
			want: []string{
				"c.yaml:7:5: endpoints[1]: clip/acme is configured at line 2 already",
			},
		},
		{
			name: "aliases",
			text: endpoint + "      - url_token: &a {secret: {env: A}}\n      - url_token: *a\n      - <<: *a\n",
			want: []string{
				"c.yaml:7:20: endpoints[0].auth[1].url_token: want fields, got an alias, which is not supported",
				`c.yaml:8:9: endpoints[0].auth[2]."<<": unknown field; known are id, url_token, aes_gcm, jwt, oauth2, header, source_ip, none, client_certificate`,
				"c.yaml:8:9: endpoints[0].auth[2].kind: exactly one is required",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Parse("c.yaml", []byte(tt.text))
			var list *config.Error
			if !errors.As(err, &list) {
				t.Fatalf("got %v, want *config.Error", err)
			}
			if diff := cmp.Diff(tt.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
