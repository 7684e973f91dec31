package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Reader reads a backup and checks it on the way.
type Reader struct {
	r      *bufio.Reader
	header Header
	sum    hash.Hash
	seen   end
	done   bool
}

// NewReader reads the header. Errors wrap ErrInvalid or are r's.
func NewReader(r io.Reader) (*Reader, error) {
	a := &Reader{r: bufio.NewReader(r), sum: sha256.New()}
	found := make([]byte, len(magic))
	if err := a.read(found); err != nil {
		return nil, err
	}
	if string(found) != magic {
		return nil, fmt.Errorf("%w: it is no backup of paynorm at all", ErrInvalid)
	}
	kind, content, err := a.record()
	if err != nil {
		return nil, err
	}
	if kind != header {
		return nil, fmt.Errorf("%w: it has no header", ErrInvalid)
	}
	if err := json.Unmarshal(content, &a.header); err != nil {
		return nil, fmt.Errorf("%w: its header cannot be read: %w", ErrInvalid, err)
	}
	if a.header.Version > Version {
		return nil, fmt.Errorf("%w: it has version %d, and this paynorm reads up to %d: use a newer one", ErrInvalid, a.header.Version, Version)
	}
	if a.header.Version < 1 || a.header.First < 1 || a.header.Last < a.header.First-1 {
		return nil, fmt.Errorf("%w: its header makes no sense", ErrInvalid)
	}
	return a, nil
}

// Header returns what the backup says of itself.
func (a *Reader) Header() Header { return a.header }

// Next returns the next record, and io.EOF after the last when the whole backup was checked. What was
// read before is to be trusted only then. Errors wrap ErrInvalid or are the reader's below.
func (a *Reader) Next() (Kind, []byte, error) {
	if a.done {
		return 0, nil, io.EOF
	}
	kind, content, err := a.record()
	if err != nil {
		return 0, nil, err
	}
	switch kind {
	case Commit, Key:
		a.seen.count(kind, content)
		return kind, content, nil
	case trailer:
		a.done = true
		return 0, nil, a.finish(content)
	}
	return 0, nil, fmt.Errorf("%w: a record of an unknown kind stands after commit %d", ErrInvalid, a.position())
}

func (a *Reader) position() int64 { return a.header.First - 1 + a.seen.Commits }

// finish returns io.EOF when the counts are right; record has checked the sum.
func (a *Reader) finish(content []byte) error {
	var e end
	if err := json.Unmarshal(content, &e); err != nil {
		return fmt.Errorf("%w: its trailer cannot be read: %w", ErrInvalid, err)
	}
	if e != a.seen || a.position() != a.header.Last {
		return fmt.Errorf("%w: it has %d commits and %d keys, and says %d and %d", ErrInvalid, a.seen.Commits, a.seen.Keys, e.Commits, e.Keys)
	}
	if _, err := a.r.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something stands behind its end", ErrInvalid)
	}
	return io.EOF
}

// record reads one record. A trailer's sum is checked and left out.
func (a *Reader) record() (Kind, []byte, error) {
	var prefix [5]byte
	if err := a.read(prefix[:]); err != nil {
		return 0, nil, err
	}
	kind, size := Kind(prefix[0]), int(binary.BigEndian.Uint32(prefix[1:]))
	if size > maxContent {
		return 0, nil, fmt.Errorf("%w: a record after commit %d has %d bytes", ErrInvalid, a.position(), size)
	}
	if kind != trailer {
		content, err := a.content(size)
		return kind, content, err
	}
	if size < sha256.Size {
		return 0, nil, fmt.Errorf("%w: its trailer is too short", ErrInvalid)
	}
	content := make([]byte, size-sha256.Size)
	if err := a.read(content); err != nil {
		return 0, nil, err
	}
	want := a.sum.Sum(nil)
	found := make([]byte, sha256.Size)
	if err := a.read(found); err != nil {
		return 0, nil, err
	}
	if !bytes.Equal(found, want) {
		return 0, nil, fmt.Errorf("%w: its bytes have changed since it was made: the SHA-256 differs", ErrInvalid)
	}
	return kind, content, nil
}

// content reads size bytes. It takes no more memory than there is input, whatever size says.
func (a *Reader) content(size int) ([]byte, error) {
	var b bytes.Buffer
	if _, err := io.CopyN(&b, a.r, int64(size)); err != nil {
		return nil, a.ended(err)
	}
	_, err := a.sum.Write(b.Bytes())
	return b.Bytes(), err
}

func (a *Reader) read(into []byte) error {
	if _, err := io.ReadFull(a.r, into); err != nil {
		return a.ended(err)
	}
	_, err := a.sum.Write(into)
	return err
}

// ended tells the end of the input from other errors.
func (a *Reader) ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early, after commit %d of %d", ErrInvalid, a.position(), a.header.Last)
	}
	return err
}
