package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPermissionsOfUsersArePrintedWithoutSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "paynorm.yaml")
	text := `nats: {url: "tls://10.0.0.1:4222", users: [{name: shop, password: {env: SHOP}, merchants: [acme], providers: [clip], consumers: [{name: books}]}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	getenv := func(string) (string, bool) { return "hunter2", true }
	if err := run(context.Background(), []string{"nats", "permissions", "--config", file}, getenv, &out, &log); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"payments.v1.*.clip.acme.>"`, "$NATS_PASSWORD_SHOP", `"$JS.API.CONSUMER.MSG.NEXT.PAYNORM_EVENTS.books"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a password is printed:\n%s", out.String())
	}
}
