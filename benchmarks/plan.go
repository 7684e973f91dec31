package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paynorm/paynorm/benchmarks/internal/load"
	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
)

// plan is what is measured.
type plan struct {
	Rounds         int           `json:"rounds"`
	Duration       time.Duration `json:"-"` // of a trial
	Connections    []int         `json:"connections"`
	Rate           float64       `json:"rate"` // deliveries per second; 0 is a closed loop
	Systems        []string      `json:"systems"`
	Providers      string        `json:"providers"`       // "clip" or "all"
	Body           int           `json:"body,omitempty"`  // bytes of a Clip webhook; 0 leaves it as it is
	Merchants      int           `json:"merchants"`       // with an endpoint each
	Reads          []int         `json:"reads,omitempty"` // numbers of events that are stored before paynorm is asked; nil asks nothing
	Batch          int           `json:"batch,omitempty"` // payments in a SingleView webhook; 0 sends Clip's
	Soak           time.Duration `json:"-"`               // of one long trial of paynorm alone; 0 is none
	Sync           string        `json:"baseline_sync"`
	SubscriberRate float64       `json:"subscriber_rate"`   // deliveries per second; 0 leaves it out
	Subscriber     string        `json:"subscriber"`        // "core" or "consumer"
	Against        string        `json:"against,omitempty"` // a program of paynorm that is measured at the same time

	json, dir, cpuProfile, program string
}

// subscriberConnections is enough for any latency that is worth a look at.
const subscriberConnections = 64

const (
	maxRounds    = 100
	maxDuration  = 10 * time.Minute // of a trial that is not a soak
	maxMerchants = 10_000
	maxReads     = 5_000_000 // events; more would not be stored in time
)

func parse(args []string, output io.Writer) (plan, error) {
	var p plan
	f := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	f.SetOutput(output)
	f.IntVar(&p.Rounds, "rounds", 3, "how often each trial is repeated; the systems take turns")
	f.DurationVar(&p.Duration, "duration", 5*time.Second, "of each trial")
	connections := f.String("connections", "1,16,64,256", "numbers of connections to try")
	f.Float64Var(&p.Rate, "rate", 0, "open loop: deliveries per second, whatever the answers do; 0 is a closed loop")
	systems := f.String("systems", "baseline,embedded,paynorm", "what is measured, in this order")
	f.StringVar(&p.Providers, "providers", "clip", "clip, or all: the standard case of each provider in turn, signed and encrypted (paynorm only)")
	f.IntVar(&p.Body, "body", 0, "bytes of each Clip webhook; 0 leaves it as it is, about 930")
	f.IntVar(&p.Merchants, "merchants", 1, "merchants that the webhooks are spread over evenly, an endpoint each")
	f.IntVar(&p.Batch, "batch", 0, "SingleView webhooks with this many payments each (paynorm only); 0 sends Clip's")
	reads := f.String("reads", "", "numbers of events to store, such as 10000,1000000: then one gRPC client asks while webhooks come at -rate, 2000/s by default (paynorm only)")
	f.DurationVar(&p.Soak, "soak", 0, "one trial of that length at -rate, 2000/s by default, which shows what drifts (paynorm only)")
	f.StringVar(&p.Sync, "sync", "always", "how the baseline's JetStream syncs: always, or default (every two minutes); paynorm always syncs")
	f.Float64Var(&p.SubscriberRate, "subscriber-rate", 1000, "measure from HTTP to a subscriber at this many deliveries per second; 0 leaves it out")
	f.StringVar(&p.Subscriber, "subscriber", "core", "core NATS, or consumer: a JetStream consumer, which sees an event only when it is on disk")
	f.StringVar(&p.json, "json", "", "write all results to this file too")
	f.StringVar(&p.dir, "dir", "", "where programs and data go while it runs (default .cache of the module); must be the kind of disk that matters")
	f.StringVar(&p.program, "paynorm", "", "measure this program instead of building paynorm, to compare versions")
	f.StringVar(&p.Against, "against", "", "measure paynorm and this older or newer program of it at the same time: their CPU time is compared to half a percent")
	f.StringVar(&p.cpuProfile, "cpuprofile", "", "write a CPU profile of paynorm in the last of its trials to this file; it slows paynorm down a little")
	quick := f.Bool("quick", false, "one round at 1 and 64 connections for 2 s each")
	if err := f.Parse(args); err != nil {
		return plan{}, err
	}
	if f.NArg() > 0 {
		return plan{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *quick {
		p.Rounds, p.Duration, *connections = 1, 2*time.Second, "1,64"
	}
	var err error
	if p.Soak != 0 {
		if *connections, err = p.soak(f); err != nil {
			return plan{}, err
		}
	}
	if p.Connections, err = numbers("connections", *connections, load.MaxConnections); err != nil {
		return plan{}, err
	}
	if p.Soak != 0 {
		return p, p.check()
	}
	if *reads != "" {
		if p.Reads, err = numbers("reads", *reads, maxReads); err != nil {
			return plan{}, err
		}
		p.Systems, p.SubscriberRate, p.Rate = []string{paynormName}, 0, cmp.Or(p.Rate, readRate)
		return p, p.check()
	}
	if p.Against != "" {
		p.Systems, p.SubscriberRate = []string{paynormName}, 0
		return p, p.check()
	}
	p.Systems = strings.Split(*systems, ",")
	if p.Providers == "all" || p.Batch != 0 {
		p.Systems, p.SubscriberRate = []string{paynormName}, 0
	}
	return p, p.check()
}

// soak makes p one long trial of paynorm alone, on 64 connections when none are given.
func (p *plan) soak(given *flag.FlagSet) (connections string, err error) {
	connections = strconv.Itoa(subscriberConnections)
	given.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "connections":
			connections = f.Value.String()
		case "soak", "rate", "body", "merchants", "json", "dir", "paynorm", "cpuprofile":
		default:
			err = fmt.Errorf("-soak does not go with -%s", f.Name)
		}
	})
	p.Systems, p.Rounds, p.Duration, p.SubscriberRate, p.Rate = []string{paynormName}, 1, p.Soak, 0, cmp.Or(p.Rate, soakRate)
	return connections, err
}

// numbers reads those of a flag, from 1 to most.
func numbers(flag, list string, most int) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("-%s: %q is not a number from 1 to %d", flag, text, most)
		}
		all = append(all, n)
	}
	return all, nil
}

func (p plan) check() error {
	switch {
	case p.Rounds < 1 || p.Rounds > maxRounds:
		return fmt.Errorf("-rounds must be 1 to %d", maxRounds)
	case p.Soak != 0 && (p.Soak < minSoak || p.Soak > maxSoak):
		return fmt.Errorf("-soak must be %v to %v", minSoak, maxSoak)
	case p.Soak != 0 && p.Rate*(p.Soak+p.warmup()).Seconds() > load.MaxDeliveries:
		return fmt.Errorf("-soak at -rate %v is more than %d deliveries", p.Rate, load.MaxDeliveries)
	case p.Soak != 0 && len(p.Connections) != 1:
		return errors.New("-soak goes with one number of -connections")
	case p.Soak == 0 && (p.Duration <= 0 || p.Duration+p.warmup() > maxDuration):
		return fmt.Errorf("-duration must be above 0 and with the warm-up at most %v", maxDuration)
	case p.Rate < 0 || p.Rate > load.MaxRate || p.SubscriberRate < 0 || p.SubscriberRate > load.MaxRate:
		return fmt.Errorf("rates must be 0 to %d", load.MaxRate)
	case p.Sync != "always" && p.Sync != "default":
		return errors.New("-sync must be always or default")
	case p.Subscriber != "core" && p.Subscriber != "consumer":
		return errors.New("-subscriber must be core or consumer")
	case p.Providers != "clip" && p.Providers != "all":
		return errors.New("-providers must be clip or all")
	case p.Body != 0 && (p.Body < webhook.Shortest() || p.Body > webhook.MaxBody):
		return fmt.Errorf("-body must be 0 or %d to %d", webhook.Shortest(), webhook.MaxBody)
	case p.Reads != nil && (p.Batch != 0 || p.Providers != "clip"):
		return errors.New("-reads goes with Clip's webhooks only, without -batch and -providers all")
	case p.Against != "" && (p.Reads != nil || p.cpuProfile != ""):
		return errors.New("-against goes with neither -reads nor -cpuprofile")
	case p.Merchants < 1 || p.Merchants > maxMerchants:
		return fmt.Errorf("-merchants must be 1 to %d", maxMerchants)
	case p.Batch < 0 || p.Batch > webhook.MaxPayments:
		return fmt.Errorf("-batch must be 0 to %d", webhook.MaxPayments)
	case p.Batch != 0 && p.Body != 0:
		return errors.New("-body is for Clip's webhooks and -batch for SingleView's; choose one")
	case p.Providers == "all" && (p.Body != 0 || p.Merchants != 1 || p.Batch != 0):
		return errors.New("-providers all goes with none of -body, -merchants and -batch")
	}
	for i, name := range p.Systems {
		if known := []string{baselineName, embeddedName, paynormName}; !slices.Contains(known, name) || slices.Contains(p.Systems[:i], name) {
			return fmt.Errorf("-systems: %q is none of %s, or there twice", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// packages are the programs that have to be built.
func (p plan) packages() []string {
	needed := []string{"./benchmarks/baseline", "github.com/nats-io/nats-server/v2"}
	switch {
	case p.cpuProfile != "":
		needed = append(needed, "./benchmarks/profiled")
	case p.program == "":
		needed = append(needed, "./cmd/paynorm")
	}
	return needed
}

// warmup is how long servers may grow their buffers before it counts.
func (p plan) warmup() time.Duration { return min(time.Second, p.Duration/4) }
