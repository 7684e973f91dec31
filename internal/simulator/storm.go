package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

// Shot is one request of a storm.
type Shot struct {
	Provider string
	Kind     string // "webhook", "repeat", "late", "forged", "garbage" or "stray"
	Request  *http.Request
	// Acknowledged says whether it must be answered with 2xx, or refused with 4xx.
	Acknowledged bool
}

// lives are the cases that payments go through, by provider.
func lives() map[string][][]string {
	return map[string][][]string{
		"clip": {
			{"created", "paid"}, {"created", "cash", "paid"}, {"created", "pending", "canceled"}, {"created", "expired"},
			{"paid", "refund-created", "refund-approved"}, {"thin"},
		},
		"aci-opp": {
			{"authorized", "captured"}, {"authorized", "voided"}, {"voucher", "receipt"}, {"pending", "paid", "refunded"},
			{"uncertain", "paid"}, {"review", "paid", "chargeback", "chargeback-reversal"}, {"declined"}, {"registration"},
		},
		"qitech":     {{"slip", "paid"}, {"payroll", "partial", "paid"}, {"sibling"}},
		"incode":     {{"verified"}, {"cancellation-pending", "canceled"}},
		"singleview": {{"pending", "processing", "paid", "charge"}, {"on-hold", "rejected"}, {"failed"}, {"batch"}},
	}
}

// Storm makes up a realistic mix of webhooks: payments that live, deliveries
// that repeat and come late, and some that are hostile. Not safe for concurrent use.
type Storm struct {
	players []*Simulator
	random  *rand.Rand
	past    []saved // what was sent, to be sent again
}

type saved struct {
	provider string
	request  *http.Request
	body     []byte
}

// maxPast bounds how many deliveries are remembered for repeats.
const maxPast = 256

// NewStorm returns a storm over the endpoints of players. Equal seeds choose alike.
func NewStorm(players []*Simulator, seed uint64) *Storm {
	return &Storm{players: players, random: rand.New(rand.NewPCG(seed, seed))}
}

// Next returns deliveries that one sender makes, in order: what happens to one
// payment, and now and then a repeat or a hostile one behind it.
func (s *Storm) Next(ctx context.Context) ([]Shot, error) {
	player := s.players[s.random.IntN(len(s.players))]
	choices := lives()[player.player.id]
	ids, err := player.NewIDs()
	if err != nil {
		return nil, err
	}
	var shots []Shot
	for _, name := range choices[s.random.IntN(len(choices))] {
		request, err := player.Request(ctx, name, ids)
		if err != nil {
			return nil, err
		}
		shots = append(shots, Shot{Provider: player.player.id, Kind: "webhook", Request: request, Acknowledged: true})
	}
	if len(shots) > 1 && s.random.IntN(10) == 0 { // the last word first
		slices.Reverse(shots)
		for i := range shots[1:] {
			shots[i+1].Kind = "late"
		}
	}
	for _, shot := range shots {
		if err := s.remember(shot); err != nil {
			return nil, err
		}
	}
	switch s.random.IntN(10) {
	case 0, 1:
		shots = append(shots, s.repeat())
	case 2:
		shots = append(shots, s.hostile())
	}
	return shots, nil
}

func (s *Storm) remember(shot Shot) error {
	reader, err := shot.Request.GetBody()
	if err != nil {
		return err
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	if len(s.past) == maxPast {
		s.past = s.past[1:]
	}
	s.past = append(s.past, saved{shot.Provider, shot.Request, body})
	return nil
}

// again returns a delivery of the past with body instead of its own.
func (s *Storm) again(kind string, change func(*http.Request, []byte) []byte) Shot {
	p := s.past[s.random.IntN(len(s.past))]
	request := p.request.Clone(context.Background())
	body := change(request, slices.Clone(p.body))
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return Shot{Provider: p.provider, Kind: kind, Request: request}
}

func (s *Storm) repeat() Shot {
	shot := s.again("repeat", func(_ *http.Request, body []byte) []byte { return body })
	shot.Acknowledged = true
	return shot
}

func (s *Storm) hostile() Shot {
	switch s.random.IntN(3) {
	case 0: // without what proves where it comes from
		return s.again("forged", func(r *http.Request, body []byte) []byte {
			r.URL.RawQuery = "token=" + fmt.Sprint(s.random.Uint64())
			for _, name := range []string{"Authorization", "X-Authentication-Tag"} {
				r.Header.Del(name)
			}
			for name := range r.Header {
				if strings.HasPrefix(name, "X-Webhook") {
					r.Header.Del(name)
				}
			}
			return body
		})
	case 1: // an address that nobody has
		return s.again("stray", func(r *http.Request, body []byte) []byte {
			r.URL.Path += "-nobody"
			return body
		})
	default: // with all credentials, and a body that is cut off
		shot := s.again("garbage", func(_ *http.Request, body []byte) []byte { return body[:s.random.IntN(len(body))] })
		// Only these two cover the body with what proves where it comes from.
		shot.Acknowledged = shot.Provider != "aci-opp" && shot.Provider != "qitech"
		return shot
	}
}
