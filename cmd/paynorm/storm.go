package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/simulator"
	"golang.org/x/sync/errgroup"
)

const (
	// stormPatience bounds one request of a storm.
	stormPatience = 30 * time.Second
	// stormRetries is how often a delivery is sent that is answered 503.
	stormRetries = 20
)

// storm sends the mix and prints what became of it. It fails when a delivery was
// answered otherwise than it must be.
func (c *sendCmd) storm(e *environment, cfg *configv1.Config) error {
	var players []*simulator.Simulator
	for _, ep := range cfg.GetEndpoints() {
		if c.Provider != "" && ep.GetProvider() != c.Provider || c.Merchant != "" && ep.GetMerchant() != c.Merchant {
			continue
		}
		p, err := c.player(e, cfg, ep.GetProvider(), ep.GetMerchant())
		if err != nil {
			return err
		}
		players = append(players, p)
	}
	if len(players) == 0 {
		return fmt.Errorf("no endpoint in %s is of provider %q and merchant %q", c.Config, c.Provider, c.Merchant)
	}
	lives := make(chan []simulator.Shot, c.Connections)
	group, ctx := errgroup.WithContext(e.ctx)
	group.Go(func() error {
		defer close(lives)
		weather := simulator.NewStorm(players, c.Seed)
		for sent := 0; sent < c.Count; {
			shots, err := weather.Next(ctx)
			if err != nil {
				return err
			}
			sent += len(shots)
			select {
			case lives <- shots:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	tally := newTally()
	client := &http.Client{Timeout: stormPatience, Transport: &http.Transport{MaxIdleConnsPerHost: c.Connections}}
	for range c.Connections {
		group.Go(func() error {
			for shots := range lives {
				for _, shot := range shots {
					if err := tally.fire(ctx, client, shot); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	err := group.Wait()
	tally.print(e.stdout)
	if err == nil && tally.wrong > 0 {
		err = fmt.Errorf("%d deliveries were answered otherwise than they must be", tally.wrong)
	}
	return err
}

// tally counts answers by what was sent.
type tally struct {
	mu      sync.Mutex
	answers map[string]int
	wrong   int
}

func newTally() *tally { return &tally{answers: map[string]int{}} }

// fire sends shot as a provider does: again while it is answered 503.
func (t *tally) fire(ctx context.Context, client *http.Client, shot simulator.Shot) error {
	var status int
	for try := 0; try < stormRetries && (try == 0 || status == http.StatusServiceUnavailable); try++ {
		request := shot.Request.Clone(ctx)
		body, err := shot.Request.GetBody()
		if err != nil {
			return err
		}
		request.Body = body
		resp, err := simulator.Send(client, request)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if status = resp.StatusCode; status == http.StatusServiceUnavailable {
			after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
			if err != nil {
				return fmt.Errorf("503 without Retry-After: %w", err)
			}
			select {
			case <-time.After(time.Duration(after) * time.Second):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers[fmt.Sprintf("%-11s %-8s %d", shot.Provider, shot.Kind, status)]++
	if acknowledged := status/100 == 2; acknowledged != shot.Acknowledged {
		t.wrong++
	}
	return nil
}

func (t *tally) print(out io.Writer) {
	for _, line := range slices.Sorted(maps.Keys(t.answers)) {
		_, _ = fmt.Fprintf(out, "%s  %d\n", line, t.answers[line])
	}
}
