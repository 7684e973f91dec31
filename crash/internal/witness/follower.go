package witness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"

	"github.com/paynorm/paynorm/crash/internal/history"
)

const (
	// messageOverhead is about what the server stores with a commit besides its body.
	messageOverhead = 200
	// trimSlack is what paynorm may remove too much at once, because it leaves out the
	// 100 bytes of a commit's NATS headers.
	trimSlack = 16 << 10
)

// commit is a commit of the ledger without the content.
type commit struct {
	ordinal       int64
	sum, previous []byte // SHA-256 of this commit and of the one before it
	size          int64  // about, in the store
	deliveries    []history.Stored
}

func readCommit(sequence uint64, data []byte) (commit, error) {
	c := &ledgerv1.Commit{}
	if err := proto.Unmarshal(data, c); err != nil {
		return commit{}, err
	}
	if c.GetOrdinal() != int64(sequence) {
		return commit{}, fmt.Errorf("says of itself that it is commit %d", c.GetOrdinal())
	}
	sum := sha256.Sum256(data)
	out := commit{ordinal: c.GetOrdinal(), sum: sum[:], previous: c.GetPreviousSha256(), size: int64(len(data)) + messageOverhead}
	for i, d := range c.GetDeliveries() {
		out.deliveries = append(out.deliveries, history.Stored{
			Position: history.Position{Commit: c.GetOrdinal(), Delivery: i},
			Provider: d.GetProvider(), Body: sha256.Sum256(d.GetBody()),
		})
	}
	return out, nil
}

// Follower reads ledger and events as they grow, so that it is known what was there
// before retention removed it. It lives through all crashes of the server.
type Follower struct {
	conn           *nats.Conn
	ledger, events tail
	stop           context.CancelFunc
	done           sync.WaitGroup

	// Each of the goroutine of its tail until Close.
	commits  []commit
	messages []history.Message
}

// Follow starts to read, and to write to two files how far it has: retention in fast
// motion keeps the rest.
func Follow(ctx context.Context, url, ledgerFile, eventsFile string) (*Follower, error) {
	nc, _, err := Connect(url)
	if err != nil {
		return nil, err
	}
	f := &Follower{conn: nc}
	f.ledger = tail{conn: nc, name: ledgerStream, file: ledgerFile, next: 1, take: f.takeCommit, forget: func(from int64) { f.commits = f.commitsUntil(from) }}
	f.events = tail{conn: nc, name: eventStream, file: eventsFile, next: 1, take: f.takeMessage, forget: func(from int64) { f.messages = f.messagesUntil(from) }}
	ctx, f.stop = context.WithCancel(ctx)
	f.done.Go(func() { f.ledger.run(ctx) })
	f.done.Go(func() { f.events.run(ctx) })
	return f, nil
}

// Close reads what is still there and ends the reading. Its error says what could
// not be read. A nil Follower has nothing to close.
func (f *Follower) Close(ctx context.Context) error {
	if f == nil {
		return nil
	}
	f.stop()
	f.done.Wait()
	f.ledger.catchUp(ctx)
	f.events.catchUp(ctx)
	f.conn.Close()
	return errors.Join(f.ledger.err, f.events.err)
}

// commitsUntil returns what was read of the commits before first.
func (f *Follower) commitsUntil(first int64) []commit {
	n := sort.Search(len(f.commits), func(i int) bool { return f.commits[i].ordinal >= first })
	return f.commits[:n:n]
}

// messagesUntil returns what was read of the messages before first.
func (f *Follower) messagesUntil(first int64) []history.Message {
	n := sort.Search(len(f.messages), func(i int) bool { return f.messages[i].Sequence >= first })
	return f.messages[:n:n]
}

// takeCommit adds a commit when it follows what was read before. Otherwise a power cut
// took the one before, which was not acknowledged, and that place is read again.
func (f *Follower) takeCommit(sequence uint64, msg *nats.Msg) (next int64, err error) {
	c, err := readCommit(sequence, msg.Data)
	if err != nil {
		return 0, err
	}
	if n := len(f.commits); n > 0 {
		last := f.commits[n-1]
		if last.ordinal == c.ordinal-1 && !bytes.Equal(last.sum, c.previous) {
			f.commits = f.commits[:n-1]
			return last.ordinal, nil
		}
	}
	f.commits = append(f.commits, c)
	return c.ordinal + 1, nil
}

func (f *Follower) takeMessage(sequence uint64, msg *nats.Msg) (next int64, err error) {
	subject := msg.Header.Get(jetstream.SubjectHeader)
	for _, name := range []string{
		jetstream.StreamHeader, jetstream.SubjectHeader, jetstream.SequenceHeader, jetstream.TimeStampHeaer, "Nats-Num-Pending", "Nats-Last-Sequence",
	} {
		msg.Header.Del(name) // of the answer, not of the message
	}
	m, err := decode(sequence, subject, msg.Header, msg.Data)
	f.messages = append(f.messages, m)
	return m.Sequence + 1, err
}
