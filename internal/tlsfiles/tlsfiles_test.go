package tlsfiles_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/tlsfiles"
	"github.com/paynorm/paynorm/internal/tlsfiles/tlstest"
)

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T, files tlsfiles.Files, c *clock) (*tlsfiles.Source, error) {
	t.Helper()
	return tlsfiles.Open(files, c.now, slog.New(slog.DiscardHandler))
}

// shake makes a handshake and returns what the client and the server say of it.
func shake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		defer func() { _ = conn.Close() }()
		_, err = tls.Server(conn, server).Write([]byte("."))
		served <- err
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	c := tls.Client(conn, client)
	_, err = io.ReadFull(c, make([]byte, 1)) // in TLS 1.3 a client learns here that it is refused
	_ = conn.Close()
	return c.ConnectionState(), errors.Join(err, <-served)
}

func TestARenewedCertificateIsUsedWithoutARestart(t *testing.T) {
	ca, dir, c := tlstest.NewAuthority(t, "ca"), t.TempDir(), &clock{time.Now()}
	cert, key := ca.Issue(t, "first").Write(t, dir, "server")
	source, err := open(t, tlsfiles.Files{Certificate: cert, Key: key}, c)
	if err != nil {
		t.Fatal(err)
	}
	server := source.Server(false)
	client := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
	expect := func(name string) {
		t.Helper()
		c.at = c.at.Add(2 * time.Second)
		state, err := shake(t, server, client)
		if err != nil {
			t.Fatal(err)
		}
		if got := state.PeerCertificates[0].Subject.CommonName; got != name {
			t.Errorf("certificate of %q, want %q", got, name)
		}
	}
	expect("first")
	second := ca.Issue(t, "second")
	if err := os.WriteFile(cert, second.Certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	expect("first") // its key has not been written yet
	if err := os.WriteFile(key, second.Key, 0o600); err != nil {
		t.Fatal(err)
	}
	expect("second")
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	expect("second")
}

func TestClientsMustShowACertificateOfTheCA(t *testing.T) {
	ca, other, dir, c := tlstest.NewAuthority(t, "ca"), tlstest.NewAuthority(t, "other"), t.TempDir(), &clock{time.Now()}
	cert, key := ca.Issue(t, "server").Write(t, dir, "server")
	authority := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(authority, ca.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := open(t, tlsfiles.Files{Certificate: cert, Key: key, CA: authority}, c)
	if err != nil {
		t.Fatal(err)
	}
	server := source.Server(false)
	ours, theirs := ca.Issue(t, "client").TLS(t), other.Issue(t, "client").TLS(t)
	old := ca.IssueFor(t, "client", c.at.Add(-2*time.Hour), c.at.Add(-time.Hour)).TLS(t)
	for _, tt := range []struct {
		name  string
		certs []tls.Certificate
		ok    bool
	}{{"of the CA", []tls.Certificate{ours}, true}, {"of another", []tls.Certificate{theirs}, false}, {"run out", []tls.Certificate{old}, false}, {"none", nil, false}} {
		_, err := shake(t, server, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: tt.certs})
		if (err == nil) != tt.ok {
			t.Errorf("certificate %s: %v, want accepted: %t", tt.name, err, tt.ok)
		}
	}
	if err := os.WriteFile(authority, other.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(2 * time.Second)
	if _, err := shake(t, server, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{ours}}); err == nil {
		t.Error("a client of a CA that was taken out gets in")
	}
	if _, err := shake(t, server, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{theirs}}); err != nil {
		t.Errorf("a client of the CA that was put in is refused: %v", err)
	}
}

func TestOldProtocolsAreRefused(t *testing.T) {
	ca, c := tlstest.NewAuthority(t, "ca"), &clock{time.Now()}
	cert, key := ca.Issue(t, "server").Write(t, t.TempDir(), "server")
	source, err := open(t, tlsfiles.Files{Certificate: cert, Key: key}, c)
	if err != nil {
		t.Fatal(err)
	}
	for version, ok := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		_, err := shake(t, source.Server(false), &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: version})
		if (err == nil) != ok {
			t.Errorf("%s: %v, want accepted: %t", tls.VersionName(version), err, ok)
		}
	}
}

func TestTheClientTalksToItsServerOnly(t *testing.T) {
	ca, other, dir, c := tlstest.NewAuthority(t, "ca"), tlstest.NewAuthority(t, "other"), t.TempDir(), &clock{time.Now()}
	authority := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(authority, ca.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	cert, key := ca.Issue(t, "us").Write(t, dir, "us")
	source, err := open(t, tlsfiles.Files{Certificate: cert, Key: key, CA: authority}, c)
	if err != nil {
		t.Fatal(err)
	}
	server := func(a *tlstest.Authority) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "server").TLS(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	}
	for _, tt := range []struct {
		name   string
		signer *tlstest.Authority
		host   string
		ok     bool
	}{{"of the CA", ca, "server", true}, {"by address", ca, "127.0.0.1", true}, {"of another CA", other, "server", false}, {"for another name", ca, "elsewhere", false}, {"for another address", ca, "127.0.0.2", false}} {
		if _, err := shake(t, server(tt.signer), source.Client(tt.host)); (err == nil) != tt.ok {
			t.Errorf("server %s: %v, want accepted: %t", tt.name, err, tt.ok)
		}
	}
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	ca, dir, c := tlstest.NewAuthority(t, "ca"), t.TempDir(), &clock{time.Now()}
	cert, key := ca.Issue(t, "one").Write(t, dir, "one")
	_, foreign := ca.Issue(t, "two").Write(t, dir, "two")
	for _, tt := range []struct {
		files tlsfiles.Files
		want  string
	}{
		{tlsfiles.Files{Certificate: filepath.Join(dir, "none"), Key: key}, "none"},
		{tlsfiles.Files{Certificate: cert, Key: foreign}, "two.key"},
		{tlsfiles.Files{CA: key}, "one.key holds no certificate"},
	} {
		if _, err := open(t, tt.files, c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: got %v, want %q in it", tt.files, err, tt.want)
		}
	}
}
