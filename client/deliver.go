package client

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// deliver brings one message to its handler and answers the server. When the
// answer is lost, the message comes again.
func (s *subscriber) deliver(ctx context.Context, msg jetstream.Msg) {
	ctx, cancel := context.WithTimeout(ctx, s.o.HandlerTimeout)
	defer cancel()
	_ = msg.InProgress() // it may have waited here
	r, err := decode(msg)
	if err != nil {
		s.failed(ctx, msg, Poison{Message: r.Message, Err: fmt.Errorf("decode: %w", err)}, true)
		return
	}
	if err := s.once(ctx, r); err != nil {
		s.failed(ctx, msg, Poison{Message: r.Message, Event: r.event, Notice: r.notice, Err: err}, r.Try >= s.o.Tries)
		return
	}
	_ = msg.Ack()
}

// once calls the handler unless it has handled the event already.
func (s *subscriber) once(ctx context.Context, r received) error {
	seen, err := s.o.Seen.Seen(ctx, r.name())
	if err != nil {
		return fmt.Errorf("ask whether it was handled: %w", err)
	}
	if seen {
		return nil
	}
	if err := s.handlers.handle(ctx, r); err != nil {
		return err
	}
	if err := s.o.Seen.Mark(ctx, r.name()); err != nil {
		// It was handled; at worst it is handled again.
		s.o.Logger.Warn("not remembered as handled", "cursor", r.Cursor, "cause", err)
	}
	return nil
}

// failed has the message delivered again later, or gives it up.
func (s *subscriber) failed(ctx context.Context, msg jetstream.Msg, p Poison, last bool) {
	log := s.o.Logger.With("subject", p.Subject, "cursor", p.Cursor, "try", p.Try)
	if last && s.o.OnPoison != nil {
		// The handler may have used up its time.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.HandlerTimeout)
		defer cancel()
		_ = msg.InProgress()
		err := s.o.OnPoison(ctx, p)
		if err == nil {
			log.Error("given up", "cause", p.Err)
			_ = msg.TermWithReason("paynorm client: given up")
			return
		}
		log.Error("poison is not taken", "cause", err)
	}
	log.Warn("failed, to be tried again", "cause", p.Err)
	_ = msg.NakWithDelay(s.o.Backoff(max(p.Try, 1)))
}
