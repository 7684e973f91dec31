package ledger

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	checkpointCommits  = 1024
	checkpointInterval = time.Minute
)

// checkpoint is a small file that remembers, apart from the stream, where the ledger
// begins and how far it is known to be durable. Without it nothing would witness
// that the server came up with less than it had, or with nothing at all.
type checkpoint struct {
	path string // "" keeps nothing
	mu   sync.Mutex
	mark mark
	at   time.Time // of the last write
}

// mark is what a checkpoint remembers.
type mark struct {
	anchor tip // the commit before the oldest that is kept; ordinal 0 when nothing was trimmed
	end    tip // a commit that was durable
}

// storedMark is the file's content.
type storedMark struct {
	AnchorOrdinal int64  `json:"anchor_ordinal"`
	AnchorSHA256  string `json:"anchor_sha256"`
	EndOrdinal    int64  `json:"end_ordinal"`
	EndSHA256     string `json:"end_sha256"`
}

// openCheckpoint reads the file; an absent one gives the zero mark.
func openCheckpoint(path string) (*checkpoint, error) {
	c := &checkpoint{path: path}
	if path == "" {
		return c, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	var s storedMark
	err = json.Unmarshal(data, &s)
	c.mark.anchor.ordinal, c.mark.end.ordinal = s.AnchorOrdinal, s.EndOrdinal
	if err == nil {
		c.mark.anchor.sum, err = decodeSum(s.AnchorSHA256)
	}
	if err == nil {
		c.mark.end.sum, err = decodeSum(s.EndSHA256)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s cannot be read: %w: restore a backup, or remove the file to start without knowing whether commits are missing",
			ErrDamaged, path, err)
	}
	return c, nil
}

func decodeSum(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	return hex.DecodeString(text)
}

// known returns what was remembered last.
func (c *checkpoint) known() mark {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mark
}

// due says whether end is far enough from what is remembered to be worth a write at now.
func (c *checkpoint) due(end tip, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return end.ordinal >= c.mark.end.ordinal+checkpointCommits || now.Sub(c.at) >= checkpointInterval
}

// trimmed remembers a new anchor; call it before the commits are removed.
func (c *checkpoint) trimmed(anchor tip) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.mark
	m.anchor = anchor
	if m.end.ordinal < anchor.ordinal {
		m.end = anchor
	}
	return c.write(m)
}

// reached remembers a new durable end at now. It returns without a write when it knows as much
// already: what was durable once never counts less.
func (c *checkpoint) reached(end tip, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = now
	if end.ordinal <= c.mark.end.ordinal {
		return nil
	}
	m := c.mark
	m.end = end
	return c.write(m)
}

func (c *checkpoint) write(m mark) error {
	if c.path != "" {
		data, err := json.Marshal(storedMark{
			AnchorOrdinal: m.anchor.ordinal, AnchorSHA256: hex.EncodeToString(m.anchor.sum),
			EndOrdinal: m.end.ordinal, EndSHA256: hex.EncodeToString(m.end.sum),
		})
		if err != nil {
			return err
		}
		if err := replaceFile(c.path, append(data, '\n')); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	c.mark = m
	return nil
}

// replaceFile puts data in the place of path so that a power cut leaves either the old or the new content.
func replaceFile(path string, data []byte) error {
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
