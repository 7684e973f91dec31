package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// adminSocket is where a running paynorm does the work of the maintenance
// commands, below data_dir. Whoever may open the socket may read the folder
// anyway: both belong to paynorm's user.
const adminSocket = "admin.sock"

// listenAdmin serves the maintenance commands to this machine.
func (p *process) listenAdmin(ctx context.Context, s *stores) error {
	path := p.file(adminSocket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // left behind by a crash; the lock is ours
		return fmt.Errorf("data_dir: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		// For example because the path is longer than such a path may be (107 bytes).
		p.Logger.Warn("backup, verify and erase only work while paynorm is stopped", "cause", err)
		return nil
	}
	m := maintenance{process: p, stores: s}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.ledger.Backup(r.Context(), w); err != nil {
			p.Logger.Error("backup failed", "cause", err)
			panic(http.ErrAbortHandler) // so that the other side does not take it for complete
		}
	})
	mux.HandleFunc("POST /verify", func(w http.ResponseWriter, r *http.Request) {
		out := json.NewEncoder(w)
		report, err := m.verify(r.Context(), func(pr Progress) {
			_ = out.Encode(verifyLine{Progress: &pr}) // who has gone ends the context
			_ = http.NewResponseController(w).Flush()
		})
		_ = out.Encode(verifyLine{Report: &report, Error: text(err)})
	})
	mux.HandleFunc("POST /erase", func(w http.ResponseWriter, r *http.Request) {
		n, err := m.erase(r.Context(), r.URL.Query().Get("payment"))
		_ = json.NewEncoder(w).Encode(eraseAnswer{Deliveries: n, Error: text(err)})
	})
	p.serveHTTP(&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, l)
	return nil
}

// verifyLine is one line of the answer to /verify: progress, or at the end what was found.
type verifyLine struct {
	Progress *Progress     `json:"progress,omitempty"`
	Report   *VerifyReport `json:"report,omitempty"`
	Error    string        `json:"error,omitempty"`
}

type eraseAnswer struct {
	Deliveries int    `json:"deliveries"`
	Error      string `json:"error,omitempty"`
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// running is a paynorm that works on the same data_dir.
type running struct{ client *http.Client }

func (p *process) running() running {
	path := p.file(adminSocket)
	return running{&http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}}
}

// post asks the running paynorm to do something and hands its answer to read.
func (r running) post(ctx context.Context, path string, query url.Values, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://paynorm"+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the running paynorm: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the running paynorm answers %s", resp.Status)
	}
	return read(resp.Body)
}
