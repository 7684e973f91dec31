package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/services/normalizer/archive"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

// maintenance is what the maintenance commands do, in a process of their own or
// in the one that is running.
type maintenance struct {
	*process
	*stores
}

// offline opens the stores for a command of its own; subscribers cannot reach them meanwhile.
func offline(ctx context.Context, o Options) (*process, error) {
	p, err := newProcess(ctx, o)
	if err != nil {
		return nil, err
	}
	if p.Config.GetNats().GetUrl() == "" {
		p.Config.GetNats().Address = "127.0.0.1:0" // NATS clients are not served
	}
	p.Logger = slog.New(quiet{o.Logger.Handler()})
	return p, nil
}

// inPlace is offline for a command that works on what is there already: an empty ledger
// that it made would pass for the one that was meant.
func inPlace(ctx context.Context, o Options) (*process, error) {
	if o.Config.GetNats().GetUrl() == "" {
		if err := findLedger(o.Config.GetDataDir()); err != nil {
			return nil, err
		}
	}
	return offline(ctx, o)
}

// findLedger makes sure that the embedded NATS has a ledger below dir.
func findLedger(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	if err := natsd.FindStream(filepath.Join(dir, natsFolder), ledger.Stream); err != nil {
		return fmt.Errorf("data_dir %s holds no ledger: %w", dir, err)
	}
	return nil
}

// nobody is told of the ledger's health: a command ends with its error.
func nobody(error) {}

// quiet passes on warnings and errors only: commands say themselves what they do.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// Backup writes the ledger and the wrapped keys to w, also while paynorm is running.
func Backup(ctx context.Context, o Options, w io.Writer) error {
	p, err := inPlace(ctx, o)
	if err != nil {
		return err
	}
	defer p.closers.close()
	s, err := p.openLedger(ctx, nobody)
	if errors.Is(err, errInUse) {
		return p.running().post(ctx, "/backup", nil, func(r io.Reader) error {
			_, err := io.Copy(w, r)
			return err
		})
	}
	if err != nil {
		return err
	}
	defer s.ledger.Close()
	_, err = s.ledger.Backup(ctx, w)
	return err
}

// Restore fills an empty data_dir or cluster with a backup. Events and view are
// made from it by the next start.
func Restore(ctx context.Context, o Options, r io.Reader) (ledger.Summary, error) {
	p, err := offline(ctx, o)
	if err != nil {
		return ledger.Summary{}, err
	}
	defer p.closers.close()
	if _, err := os.Stat(p.file(viewFile)); err == nil {
		return ledger.Summary{}, fmt.Errorf("%s is there: restore into an empty data_dir", p.file(viewFile))
	}
	nc, err := p.connect(ctx)
	if err != nil {
		return ledger.Summary{}, err
	}
	return ledger.Restore(ctx, p.ledgerOptions(nc), r)
}

// ReadBackup reads a backup to its end and checks that it is whole.
func ReadBackup(r io.Reader) (s ledger.Summary, err error) {
	in, err := archive.NewReader(r)
	if err != nil {
		return s, err
	}
	s.First, s.Last = in.Header().First, in.Header().Last
	for {
		kind, content, err := in.Next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if kind == archive.Key {
			s.Keys++
		} else {
			s.Bytes += int64(len(content))
		}
	}
}
