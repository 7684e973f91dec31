// Command groupcommit measures what grouping deliveries into commits brings:
// the ledger against one publish for each delivery, on the same embedded NATS,
// which syncs each message before it acknowledges it. No HTTP, no projection.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "groupcommit:", err)
		os.Exit(1)
	}
}

// run is the whole program but for the exit code.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("groupcommit", flag.ContinueOnError)
	counts := flags.String("senders", "1,16,64,256", "how many at a time")
	rounds := flags.Int("rounds", 3, "how often each is measured; the two take turns")
	lasts := flags.Duration("for", 5*time.Second, "how long each measurement lasts")
	dir := flags.String("dir", ".", "a folder on the disk to measure; not one in memory, where a sync costs nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dirs, err := os.MkdirTemp(*dir, "groupcommit")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dirs)
	table := tabwriter.NewWriter(stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "| senders \t| grouped/s \t| p50 \t| p99 \t| one by one/s \t| p50 \t| p99 \t| ratio \t|")
	fmt.Fprintln(table, "| ---: \t| ---: \t| ---: \t| ---: \t| ---: \t| ---: \t| ---: \t| ---: \t|")
	for count := range strings.SplitSeq(*counts, ",") {
		senders, err := strconv.Atoi(count)
		if err != nil {
			return fmt.Errorf("-senders: %w", err)
		}
		var grouped, single []result
		for round := range *rounds {
			for i, kind := range []struct {
				open func(context.Context, string) (*book, error)
				all  *[]result
			}{{openLedger, &grouped}, {openStream, &single}} {
				b, err := kind.open(ctx, filepath.Join(dirs, fmt.Sprintf("%d-%d-%d", senders, round, i)))
				if err != nil {
					return err
				}
				r, err := measure(ctx, b.store, senders, *lasts)
				b.close()
				if err != nil {
					return err
				}
				*kind.all = append(*kind.all, r)
			}
		}
		g, s := median(grouped), median(single)
		fmt.Fprintf(table, "| %d \t| %.0f \t| %s \t| %s \t| %.0f \t| %s \t| %s \t| %.1f \t|\n",
			senders, g.rate, millis(g.p50), millis(g.p99), s.rate, millis(s.p50), millis(s.p99), g.rate/s.rate)
	}
	return table.Flush()
}

// median returns the result with the rate in the middle.
func median(all []result) result {
	slices.SortFunc(all, func(a, b result) int { return int(a.rate - b.rate) })
	return all[len(all)/2]
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }
