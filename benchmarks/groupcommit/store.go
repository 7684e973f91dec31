package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

// ackTimeout is how long a delivery may take until it is on disk.
const ackTimeout = 10 * time.Second

// book takes deliveries.
type book struct {
	// store returns once d is on disk. It may be called by many at a time.
	store func(ctx context.Context, d *ledgerv1.Delivery) error
	close func()
}

func connect(ctx context.Context, dir string) (*nats.Conn, func(), error) {
	s, err := natsd.Start(ctx, natsd.Options{StoreDir: dir, Address: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	nc, err := s.Connect()
	if err != nil {
		s.Shutdown()
		return nil, nil, err
	}
	return nc, func() {
		nc.Close()
		s.Shutdown()
	}, nil
}

// openLedger opens the ledger as paynorm does.
func openLedger(ctx context.Context, dir string) (*book, error) {
	nc, end, err := connect(ctx, dir)
	if err != nil {
		return nil, err
	}
	l, err := ledger.Open(ctx, ledger.Options{
		Conn: nc, Replicas: 1, AckTimeout: ackTimeout, Now: time.Now, Health: func(error) {}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		end()
		return nil, err
	}
	return &book{
		store: func(ctx context.Context, d *ledgerv1.Delivery) error {
			_, err := l.Append(ctx, d)
			return err
		},
		close: func() {
			l.Close()
			end()
		},
	}, nil
}

// openStream makes a stream like the ledger's that takes each delivery by itself.
func openStream(ctx context.Context, dir string) (*book, error) {
	nc, end, err := connect(ctx, dir)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err == nil {
		_, err = js.CreateStream(ctx, jetstream.StreamConfig{
			Name: "ONE_BY_ONE", Subjects: []string{"one"}, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
			DenyDelete: true, DenyPurge: true, AllowDirect: true, Duplicates: 100 * time.Millisecond,
		})
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("stream: %w", err)
	}
	return &book{
		store: func(ctx context.Context, d *ledgerv1.Delivery) error {
			data, err := proto.Marshal(d)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, ackTimeout)
			defer cancel()
			_, err = js.Publish(ctx, "one", data, jetstream.WithRetryAttempts(0))
			return err
		},
		close: end,
	}, nil
}
