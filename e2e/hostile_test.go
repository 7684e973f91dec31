package e2e

import (
	"bufio"
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/simulator"
)

// attack is one bad request, as the bytes that go over the wire.
type attack struct {
	name string
	raw  []byte
	// stored says that the request is authentic and only its content is bad: it
	// must be acknowledged and kept.
	stored bool
	// served says that it is no attack in the end: a harmless answer is right.
	served bool
}

// verdict is what became of an attack; status 0 is a connection that was closed without an answer.
type verdict struct {
	status int
	answer []byte
}

// fort is a running paynorm with two merchants for each provider, and all of their keys.
type fort struct {
	*site
	process *process
	players map[string]*simulator.Simulator // by provider/merchant
	secrets []string                        // that must not show anywhere
}

// readTimeout is how long a slow sender is borne.
const readTimeout = "2s"

func newFort(t *testing.T, flags ...string) *fort {
	t.Helper()
	s := newSite(t, nil)
	f := &fort{site: s, players: map[string]*simulator.Simulator{}}
	s.values["http"].(map[string]any)["read_timeout"] = readTimeout
	var endpoints []map[string]any
	for _, merchant := range []string{"acme", "rival"} {
		dir := filepath.Join(s.dir, merchant)
		cmd := exec.CommandContext(t.Context(), "go", "run", "./tools/devsecrets", "-o", dir)
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		file := func(name string) map[string]any { return map[string]any{"file": filepath.Join(dir, name)} }
		for provider, auth := range map[string][]any{
			"clip":       {map[string]any{"url_token": map[string]any{"secret": file("clip-token")}}},
			"singleview": {map[string]any{"url_token": map[string]any{"secret": file("singleview-token")}}},
			"aci-opp":    {map[string]any{"aes_gcm": map[string]any{"key": file("aci-opp-key")}}},
			"qitech":     {map[string]any{"jwt": map[string]any{"algorithm": "ES512", "public_key": file("qitech.pem")}}},
			"incode": {
				map[string]any{"oauth2": map[string]any{"client_id": "incode", "client_secret": file("incode-client-secret")}},
				map[string]any{"header": map[string]any{"name": "X-Webhook-Key", "secret": file("incode-webhook-key")}},
			},
		} {
			endpoints = append(endpoints, map[string]any{"provider": provider, "merchant": merchant, "mode": "live", "auth": auth})
		}
		for _, name := range []string{"clip-token", "singleview-token", "aci-opp-key", "incode-client-secret", "incode-webhook-key"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			f.secrets = append(f.secrets, strings.TrimSpace(string(text)))
		}
	}
	s.values["endpoints"] = endpoints
	s.write(t)
	f.process = s.serve(t, flags...)
	cfg, err := config.Load(s.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, merchant := range []string{"acme", "rival"} {
		pem, err := os.ReadFile(filepath.Join(s.dir, merchant, "qitech-private.pem"))
		if err != nil {
			t.Fatal(err)
		}
		var key crypto.Signer
		if key, err = simulator.ParseSigningKey(pem); err != nil {
			t.Fatal(err)
		}
		for _, provider := range simulator.Providers() {
			player, err := simulator.New(simulator.Options{
				Config: cfg, Dir: s.dir, Provider: provider, Merchant: merchant, BaseURL: s.http, Getenv: os.LookupEnv, SigningKey: key,
			})
			if err != nil {
				t.Fatal(err)
			}
			f.players[provider+"/"+merchant] = player
		}
	}
	return f
}

// genuine returns an authentic request of the provider's default case.
func (f *fort) genuine(t *testing.T, provider, merchant string) *http.Request {
	t.Helper()
	r, err := f.players[provider+"/"+merchant].Request(t.Context(), "", simulator.IDs{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wire returns r as it goes over the wire, with one answer per connection.
func wire(t *testing.T, r *http.Request) []byte {
	t.Helper()
	r.Close = true
	raw, err := httputil.DumpRequestOut(r, true)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// fire sends an attack and returns what came back.
func (f *fort) fire(address string, a attack) (verdict, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return verdict{}, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return verdict{}, err
	}
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		_, _ = conn.Write(a.raw) // the server may have heard enough
	}()
	answer, err := io.ReadAll(io.LimitReader(conn, 1<<20))
	_ = conn.Close()
	<-wrote
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return verdict{}, fmt.Errorf("no answer and no close within %v", patience)
	}
	v := verdict{answer: answer}
	for r := bufio.NewReader(bytes.NewReader(answer)); v.status < 200; { // behind what is only said in between
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			break
		}
		v.status = resp.StatusCode
		resp.Body.Close()
	}
	return v, nil
}

// refusedByProtocol are the answers above 499 that are a refusal all the same: RFC 9110 and
// RFC 9112 have no other for a transfer coding or a version that a server does not know.
var refusedByProtocol = []int{http.StatusNotImplemented, http.StatusHTTPVersionNotSupported}

// inside is what only paynorm's inside knows.
var inside = regexp.MustCompile(`goroutine \d|\.go:\d|runtime error|github\.com/|/tmp/|SQL|sqlite`)

func (f *fort) judge(t *testing.T, a attack, v verdict) {
	t.Helper()
	ok := v.status == 0 || v.status >= 300 && v.status < 500 || slices.Contains(refusedByProtocol, v.status)
	if a.stored {
		ok = v.status == http.StatusOK || v.status == http.StatusNoContent
	}
	if a.served {
		ok = ok || v.status == http.StatusOK
	}
	if !ok {
		t.Errorf("%s: answered %d: %.200q to %.200q", a.name, v.status, v.answer, a.raw)
	}
	if leak := inside.Find(v.answer); leak != nil {
		t.Errorf("%s: the answer shows %q", a.name, leak)
	}
	f.keepsSecrets(t, a.name, string(v.answer))
}

func (f *fort) keepsSecrets(t *testing.T, where, text string) {
	t.Helper()
	for i, s := range f.secrets {
		if strings.Contains(text, s) {
			t.Errorf("%s shows secret %d", where, i)
		}
	}
}

// memory returns the most memory that the process had at once, in bytes.
func (p *process) memory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// What hostile senders do gives neither an error of ours nor an event, is not
// stored unless it is authentic, shows nothing, and costs a bounded amount of memory.
func TestHostileRequestsAreRefusedAndCostNothing(t *testing.T) {
	f := newFort(t)
	address := strings.TrimPrefix(f.http, "http://")
	var all []attack
	for _, family := range []func(*testing.T, *fort) []attack{
		framings, requestLines, headerFloods, paths, methods, bodies, forgedTokens, forgedCiphers, forgedSignatures, forgedBearers, replays, queries,
	} {
		all = append(all, family(t, f)...)
	}
	if len(all) < 300 {
		t.Errorf("only %d attacks", len(all))
	}
	before := f.process.memory(t)
	verdicts, failures := make([]verdict, len(all)), make([]error, len(all))
	var senders sync.WaitGroup
	for sender := range 16 {
		senders.Go(func() {
			for i := sender; i < len(all); i += 16 {
				verdicts[i], failures[i] = f.fire(address, all[i])
			}
		})
	}
	senders.Wait()
	stored := 0
	for i, a := range all {
		if failures[i] != nil {
			t.Errorf("%s: %v", a.name, failures[i])
			continue
		}
		f.judge(t, a, verdicts[i])
		if a.stored {
			stored++
		}
	}
	// Other doors hear rubbish too.
	for _, door := range []string{f.grpc, f.metrics, strings.TrimPrefix(f.nats, "nats://")} {
		for _, a := range rubbish() {
			v, err := f.fire(door, a)
			if err != nil {
				t.Errorf("%s at %s: %v", a.name, door, err)
			}
			if leak := inside.Find(v.answer); leak != nil {
				t.Errorf("%s at %s: the answer shows %q", a.name, door, leak)
			}
		}
	}
	if got := f.delivered(t, ""); got != stored {
		t.Errorf("%d deliveries are stored, want the %d authentic ones", got, stored)
	}
	t.Logf("%d attacks, memory %d MiB before and %d MiB at most", len(all), before>>20, f.process.memory(t)>>20)
	if grown := f.process.memory(t) - before; grown > 512<<20 {
		t.Errorf("memory grew by %d MiB (with the race detector), want less than 512", grown>>20)
	}
	if resp, err := http.Get(f.http + "/readyz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("readyz after it all: %v %v", resp, err)
	} else {
		resp.Body.Close()
	}
	f.projected(t)
	if code := f.process.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	f.keepsSecrets(t, "the log", f.process.out.String())
	for line := range strings.Lines(f.process.out.String()) {
		if strings.Contains(line, "fault") || strings.Contains(line, "level=ERROR") {
			t.Errorf("the log has an error: %s", line)
		}
		if !strings.HasPrefix(line, "time=") { // what a library writes past the log, a sender may have chosen
			t.Errorf("not a line of the log: %s", line)
		}
	}
	f.nothingOnDisk(t)
}

// nothingOnDisk looks for secrets in everything that paynorm has written.
func (f *fort) nothingOnDisk(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(f.dir, "data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			f.keepsSecrets(t, path, string(data))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
