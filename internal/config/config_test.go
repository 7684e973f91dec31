package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
)

const allDefaults = `{
	"http": {"address": "127.0.0.1:8080", "maxBodyBytes": 1048576, "maxHeaderBytes": 32768, "maxConcurrentWebhooks": 2048,
		"maxBytesInFlight": 67108864, "maxConnections": 4096,
		"readTimeout": "15s", "webhookTimeout": "8s"},
	"grpc": {"address": "127.0.0.1:9090"},
	"metrics": {"address": "127.0.0.1:9464"},
	"dataDir": "./data",
	"nats": {"address": "127.0.0.1:4222", "replicas": 1},
	"events": {"encoding": "protobuf"},
	"gateway": {"normalizerAddress": "127.0.0.1:9090"}
}`

func fromJSON(t *testing.T, text string) *configv1.Config {
	t.Helper()
	cfg := &configv1.Config{}
	if err := protojson.Unmarshal([]byte(text), cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestFileWithoutSettingsGivesDefaultsAndNoEndpoints(t *testing.T) {
	for _, text := range []string{"", "# nothing yet\n", "---\n", "http:\nnats: {}\n", "http: {address: \"\", read_timeout: 0s}\r\n"} {
		got, err := config.Parse("paynorm.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if diff := cmp.Diff(fromJSON(t, allDefaults), got, protocmp.Transform()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestEveryFieldIsRead(t *testing.T) {
	got, err := config.Load("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/full.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromJSON(t, string(want)), got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGatewayDialsTheConfiguredNormalizer(t *testing.T) {
	got, err := config.Parse("paynorm.yaml", []byte(`{grpc: {address: "10.0.0.5:7000", insecure: true}, access: {insecure: true}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := got.GetGateway().GetNormalizerAddress(); got != "10.0.0.5:7000" {
		t.Errorf("normalizer_address = %q, want the address of grpc", got)
	}
}

func TestExternalClusterHasNoEmbeddedAddress(t *testing.T) {
	got, err := config.Parse("paynorm.yaml", []byte(`nats: {url: "nats://a:4222, tls://b:4222", replicas: 3}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.GetNats().GetAddress() != "" || got.GetNats().GetReplicas() != 3 {
		t.Errorf("nats = %v, want no address and 3 replicas", got.GetNats())
	}
}

func TestMissingFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	_, err := config.Load(path)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want ErrNotExist and the path", err)
	}
}

func TestFileBeyondTheLimitIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(path, make([]byte, 8<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(path)
	if want := "configuration: " + path + " is larger than 8388608 bytes"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFieldIsLocatedInTheFile(t *testing.T) {
	for _, tt := range []struct{ field, want string }{
		{"endpoints[1].auth[0].aes_gcm.key", "testdata/full.yaml:55:24"},
		{"endpoints[1].auth[9]", "testdata/full.yaml:55:7"}, // not there: the list that would hold it
		{"", "testdata/full.yaml:2:1"},
	} {
		if got := config.Locate("testdata/full.yaml", tt.field); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.field, got, tt.want)
		}
	}
	if got := config.Locate("testdata/none.yaml", "http"); got != "testdata/none.yaml" {
		t.Errorf("missing file: got %s, want its path", got)
	}
}
