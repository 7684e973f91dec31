package natsd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/paynorm/paynorm/internal/natsd"
)

func TestAnExternalClusterHasTheSameBorders(t *testing.T) {
	for user, password := range map[string]string{"PAYNORM": "ours", "ACME": "acme-password", "RIVAL": "rival-password", "ALL": "all-password"} {
		t.Setenv("NATS_PASSWORD_"+user, password)
	}
	file := filepath.Join(t.TempDir(), "nats.conf")
	text := fmt.Sprintf("listen: \"127.0.0.1:-1\"\njetstream {store_dir: %q}\n%s", t.TempDir(), natsd.Permissions(users()))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	o.NoSigs = true
	cluster, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go cluster.Start()
	t.Cleanup(func() {
		cluster.Shutdown()
		cluster.WaitForShutdown()
	})
	if !cluster.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	nc, err := nats.Connect(cluster.ClientURL(), nats.UserInfo("paynorm", "ours"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s := fill(t, cluster.ClientURL(), nc, users())
	s.publish(t)
	crossNoBorder(t, s)
}
