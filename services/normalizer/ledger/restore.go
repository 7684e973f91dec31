package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/services/normalizer/archive"
)

// ErrNotEmpty says that there is a ledger already.
var ErrNotEmpty = errors.New("there is a ledger already: restore into an empty data_dir or cluster")

// Restore fills an empty server with a backup and checks it on the way. Of o it needs
// Conn, Replicas, AckTimeout and Checkpoint. When it fails, the server is left without a
// ledger; when it is killed, Open reports the missing commits. Errors wrap
// ErrNotEmpty, ErrDamaged, ErrUnavailable or archive.ErrInvalid, or are r's.
func Restore(ctx context.Context, o Options, r io.Reader) (Summary, error) {
	js, err := jetstream.New(o.Conn)
	if err != nil {
		return Summary{}, err
	}
	in, err := archive.NewReader(r)
	if err != nil {
		return Summary{}, err
	}
	for _, name := range []string{Stream, Keys} {
		if err := makeRoom(ctx, js, name); err != nil {
			return Summary{}, err
		}
	}
	s, err := restore(ctx, js, o, in)
	if err == nil {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.AckTimeout)
	defer cancel()
	for _, name := range []string{Stream, Keys} {
		if failed := makeGone(ctx, js, name); failed != nil {
			err = errors.Join(err, failed)
		}
	}
	return Summary{}, err
}

// makeRoom removes a stream that holds nothing.
func makeRoom(ctx context.Context, js jetstream.JetStream, name string) error {
	s, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if st := s.CachedInfo().State; st.LastSeq > 0 {
		return fmt.Errorf("%w: stream %s holds %d messages up to %d", ErrNotEmpty, name, st.Msgs, st.LastSeq)
	}
	return makeGone(ctx, js, name)
}

func makeGone(ctx context.Context, js jetstream.JetStream, name string) error {
	if err := js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("%w: delete stream %s: %w", ErrUnavailable, name, err)
	}
	return nil
}

func restore(ctx context.Context, js jetstream.JetStream, o Options, in *archive.Reader) (Summary, error) {
	h := in.Header()
	sum, err := hex.DecodeString(h.Anchor)
	if err != nil {
		return Summary{}, fmt.Errorf("%w: its header cannot be read: %w", archive.ErrInvalid, err)
	}
	anchor := tip{ordinal: h.First - 1, sum: sum}
	// From here on the checkpoint demands the last commit, whose hash is not known before the end.
	check := &checkpoint{path: o.Checkpoint}
	if err := check.write(mark{anchor: anchor, end: tip{ordinal: h.Last}}); err != nil {
		return Summary{}, err
	}
	cfg := streamConfig(o.Replicas)
	if h.First > 1 {
		cfg.FirstSeq = uint64(h.First)
	}
	if _, err := js.CreateStream(ctx, cfg); err != nil {
		return Summary{}, fmt.Errorf("stream %s: %w", Stream, err)
	}
	keys, err := OpenKeyStore(ctx, o.Conn, o.Replicas)
	if err != nil {
		return Summary{}, err
	}
	s, at := Summary{First: h.First, Last: h.Last}, anchor
	for {
		kind, content, err := in.Next()
		if errors.Is(err, io.EOF) {
			return s, check.write(mark{anchor: anchor, end: at})
		}
		if err != nil {
			return Summary{}, err
		}
		if kind == archive.Key {
			s.Keys++
			err = restoreKey(ctx, keys, content)
		} else {
			s.Bytes += int64(len(content))
			at, err = restoreCommit(ctx, js, o, at, content)
		}
		if err != nil {
			return Summary{}, err
		}
	}
}

func restoreKey(ctx context.Context, keys *KeyStore, content []byte) error {
	subject, data, ok := bytes.Cut(content, []byte("\n"))
	epoch, named := strings.CutPrefix(string(subject), keySubject)
	if !ok || !named {
		return fmt.Errorf("%w: a key has no name", archive.ErrInvalid)
	}
	return keys.Save(ctx, epoch, data)
}

// restoreCommit stores the commit after the one at at, exactly as it was.
func restoreCommit(ctx context.Context, js jetstream.JetStream, o Options, at tip, content []byte) (tip, error) {
	next, _, err := follow(at, uint64(at.ordinal)+1, content)
	if err != nil {
		return tip{}, fmt.Errorf("%w: %w", archive.ErrInvalid, err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.AckTimeout)
	defer cancel()
	ack, err := js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: content}, jetstream.WithExpectStream(Stream), jetstream.WithRetryAttempts(0))
	if err != nil {
		return tip{}, fmt.Errorf("%w: commit %d: %w", ErrUnavailable, next.ordinal, err)
	}
	if ack.Sequence != uint64(next.ordinal) {
		return tip{}, fmt.Errorf("%w: commit %d was stored as %d: someone else writes to stream %s", ErrDamaged, next.ordinal, ack.Sequence, Stream)
	}
	return next, nil
}
