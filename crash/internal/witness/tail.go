package witness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// lookEvery is how often a tail looks for more.
	lookEvery = 5 * time.Millisecond
	// answerWithin bounds how long the server may take for the next message, and
	// noticeWithin how long it takes to notice that it is gone and never answers.
	answerWithin = 5 * time.Second
	noticeWithin = 50 * time.Millisecond
)

// tail reads a stream to its end, again and again. It asks for many messages from a
// number on instead of having a consumer, which would have to be found again after each
// crash, and would be given again what was on its way only after a while. One
// request for each message would not do: while the server writes, it lets one reader in
// between two writes. A tail belongs to one goroutine.
type tail struct {
	conn *nats.Conn
	name string // of the stream
	file string // is told the last message that was read, as digits
	next int64  // to be read
	// take is given a message and says which comes next.
	take func(sequence uint64, msg *nats.Msg) (next int64, err error)
	// forget drops the messages from a number on, which a power cut took.
	forget func(from int64)
	starts uint64 // of the server, as far as they were looked at
	err    error  // ends the reading
}

func (t *tail) run(ctx context.Context) {
	for ctx.Err() == nil && t.err == nil {
		t.catchUp(ctx)
		rest(ctx, lookEvery)
	}
}

// catchUp reads what there is. A server that is away has nothing.
func (t *tail) catchUp(ctx context.Context) {
	if now := t.conn.Stats().Reconnects; now != t.starts && t.rewind(ctx) {
		t.starts = now
	}
	for ctx.Err() == nil && t.err == nil && t.read() {
		t.tell()
	}
}

// tell writes down how far it has read.
func (t *tail) tell() {
	next := t.file + ".next"
	err := os.WriteFile(next, strconv.AppendInt(nil, t.next-1, 10), 0o600)
	if err == nil {
		err = os.Rename(next, t.file)
	}
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("follow %s: %w", t.name, err)
	}
}

// read reads some messages, and reports whether there were any.
func (t *tail) read() (some bool) {
	starts := t.conn.Stats().Reconnects
	away := func() bool { return !t.conn.IsConnected() || t.conn.Stats().Reconnects != starts }
	answers, err := t.conn.SubscribeSync(t.conn.NewInbox())
	if err != nil || away() {
		return false
	}
	defer func() { _ = answers.Unsubscribe() }() // fails with the connection only
	request := fmt.Appendf(nil, `{"seq":%d,"batch":%d}`, t.next, readAhead)
	if err := t.conn.PublishRequest("$JS.API.DIRECT.GET."+t.name, answers.Subject, request); err != nil {
		return false
	}
	for last := time.Now(); ; {
		msg, err := answers.NextMsg(noticeWithin)
		if errors.Is(err, nats.ErrTimeout) && !away() && time.Since(last) < answerWithin {
			continue
		}
		if err != nil || msg.Header.Get("Status") != "" { // the end of the batch, or nothing is there
			return some
		}
		last, some = time.Now(), true
		if !t.give(msg) {
			return some
		}
	}
}

// give gives msg to take, and reports whether the message after it is wanted.
func (t *tail) give(msg *nats.Msg) bool {
	sequence, err := strconv.ParseUint(msg.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err == nil {
		t.next, err = t.take(sequence, msg)
	}
	if err != nil {
		t.err = fmt.Errorf("follow %s: message %d: %w", t.name, sequence, err)
	}
	return err == nil && t.next == int64(sequence)+1
}

// rewind goes back to the end of the stream when that is before what was read, and
// reports whether it could ask.
func (t *tail) rewind(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	js, err := jetstream.New(t.conn)
	if err != nil {
		return false
	}
	s, err := js.Stream(ctx, t.name)
	if err != nil {
		return false
	}
	if end := int64(s.CachedInfo().State.LastSeq); end < t.next-1 {
		t.next = end + 1
		t.forget(t.next)
	}
	return true
}
