package natsd

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// MakeConsumers makes the consumers of users on the stream of events, or brings
// them in line with what users may see now. nc is paynorm's own connection. A
// consumer that is no longer declared stays, with its position, and nobody can
// reach it.
func MakeConsumers(ctx context.Context, nc *nats.Conn, users []User) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	for _, u := range users {
		for _, c := range u.Consumers {
			_, err := js.CreateOrUpdateConsumer(ctx, eventsStream, jetstream.ConsumerConfig{
				Durable: c.Name, Description: "paynorm: consumer of the user " + u.Name,
				AckPolicy: jetstream.AckExplicitPolicy, FilterSubjects: u.subjects(c.Content...),
			})
			if err != nil {
				return fmt.Errorf("nats.users: %s: consumer %s: %w", u.Name, c.Name, err)
			}
		}
	}
	return nil
}
