// Package archive is the format of a backup: the commits of a ledger as stored, with the
// key ring that opens them, in one stream of bytes that says whether it is whole.
//
// It begins with a magic number. Records follow: a byte for the kind, the length as
// four bytes, big-endian, and the content. The first record is the header; the last is the
// trailer, which ends with the SHA-256 of all bytes before that sum.
package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Version is what this package writes, and the newest that it reads.
const Version = 1

const (
	magic      = "paynorm\x00"
	maxContent = 64 << 20
)

// Kind says what a record carries.
type Kind byte

// The kinds of records between header and trailer.
const (
	Key    Kind = 'k' // an epoch of the key ring, wrapped
	Commit Kind = 'c' // the message body of a commit; they are in the order of the ledger

	header  Kind = 'h'
	trailer Kind = 't'
)

// ErrInvalid says that the input is not a whole backup. The text says what is wrong with it.
var ErrInvalid = errors.New("not a whole backup")

// Header says what a backup carries.
type Header struct {
	Version int    `json:"version"`
	First   int64  `json:"first"`         // the ordinal of the first commit
	Last    int64  `json:"last"`          // the ordinal of the last commit; First-1 when there is none
	Anchor  string `json:"anchor_sha256"` // of the commit before the first, in hex; empty when First is 1
	Time    string `json:"time"`          // when it was begun, RFC 3339
}

// end is the trailer's content.
type end struct {
	Keys    int64  `json:"keys"`
	Commits int64  `json:"commits"`
	Last    string `json:"last_sha256"` // of the last commit, in hex
}

// count takes a record between header and trailer into account.
func (e *end) count(k Kind, content []byte) {
	if k == Key {
		e.Keys++
		return
	}
	sum := sha256.Sum256(content)
	e.Commits++
	e.Last = hex.EncodeToString(sum[:])
}

// Writer writes a backup.
type Writer struct {
	w   io.Writer
	sum hash.Hash
	end end
}

// NewWriter writes the header to w.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	a := &Writer{sum: sha256.New()}
	a.w = io.MultiWriter(w, a.sum)
	h.Version = Version
	content, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(a.w, magic); err != nil {
		return nil, err
	}
	return a, a.record(header, content)
}

// Write adds a record.
func (a *Writer) Write(k Kind, content []byte) error {
	a.end.count(k, content)
	return a.record(k, content)
}

// Close writes the trailer. It does not close the writer below.
func (a *Writer) Close() error {
	content, err := json.Marshal(a.end)
	if err != nil {
		return err
	}
	if err := a.prefix(trailer, len(content)+sha256.Size); err != nil {
		return err
	}
	if _, err := a.w.Write(content); err != nil {
		return err
	}
	_, err = a.w.Write(a.sum.Sum(nil))
	return err
}

func (a *Writer) record(k Kind, content []byte) error {
	if err := a.prefix(k, len(content)); err != nil {
		return err
	}
	_, err := a.w.Write(content)
	return err
}

func (a *Writer) prefix(k Kind, size int) error {
	if size > maxContent {
		return fmt.Errorf("a record of %d bytes is larger than %d", size, maxContent)
	}
	_, err := a.w.Write(binary.BigEndian.AppendUint32([]byte{byte(k)}, uint32(size)))
	return err
}
