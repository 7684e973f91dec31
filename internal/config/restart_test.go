package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
)

func parsed(t *testing.T, text string) *configv1.Config {
	t.Helper()
	cfg, err := config.Parse("paynorm.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestSettingsThatNeedARestartAreNamed(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, tt := range []struct {
		name, started, now string
		want               []string
	}{
		{"nothing", "", "", nil},
		{"what is the default anyway", "", "http: {max_body_bytes: 1048576}\ndata_dir: ./data", nil},
		{"endpoints", "", "endpoints: [{provider: clip, merchant: acme, mode: live, auth: [{none: {i_accept_forged_webhooks: true}}]}]", nil},
		{"access", "", "access: {tokens: [{id: t, sha256: " + hash + ", merchants: ['*']}]}", nil},
		{"members of sections", "metrics: {pprof: true}", "http: {max_body_bytes: 5, read_timeout: 3s}", []string{"http.max_body_bytes", "http.read_timeout", "metrics.pprof"}},
		{"a setting without section", "", "data_dir: ./other", []string{"data_dir"}},
		{"a section that was not there", "", "tracing: {endpoint: 'http://127.0.0.1:4318'}", []string{"tracing"}},
		{"a section that is gone", "retention: {ledger: {max_age: 7200s}}", "", []string{"retention"}},
		{"zero, which is not the default", "tracing: {endpoint: 'http://h:1'}", "tracing: {endpoint: 'http://h:1', sample_ratio: 0}", []string{"tracing.sample_ratio"}},
		{"a list", "http: {trusted_proxies: ['10.0.0.0/8']}", "http: {trusted_proxies: ['10.0.0.0/8', '192.0.2.0/24']}", []string{"http.trusted_proxies"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, config.NeedRestart(parsed(t, tt.started), parsed(t, tt.now))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
