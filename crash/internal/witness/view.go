package witness

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/paynorm/paynorm/crash/internal/history"
)

// View lists all events of the read API at base, oldest first.
func View(ctx context.Context, base string) ([]history.ViewEvent, error) {
	var all []history.ViewEvent
	query := url.Values{"page_size": {"1000"}}
	for {
		text, err := get(ctx, base+"/v1/events?"+query.Encode())
		if err != nil {
			return nil, err
		}
		page := &normalizerv1.ListEventsResponse{}
		if err := protojson.Unmarshal(text, page); err != nil {
			return nil, err
		}
		for _, e := range page.GetEvents() {
			sum, err := content(e)
			if err != nil {
				return nil, err
			}
			all = append(all, history.ViewEvent{Cursor: e.GetCursor(), Name: e.GetName(), Content: sum})
		}
		if page.GetNextPageToken() == "" {
			slices.Reverse(all)
			return all, nil
		}
		query.Set("page_token", page.GetNextPageToken())
	}
}

// Deliveries lists what the read API at base tells of all deliveries, and which of
// them it says are gone from the ledger.
func Deliveries(ctx context.Context, base string) (all map[history.Position][]history.Told, gone map[history.Position]bool, err error) {
	all, gone = map[history.Position][]history.Told{}, map[history.Position]bool{}
	query := url.Values{"page_size": {"1000"}}
	for {
		text, err := get(ctx, base+"/v1/deliveries?"+query.Encode())
		if err != nil {
			return nil, nil, err
		}
		page := &normalizerv1.ListDeliveriesResponse{}
		if err := protojson.Unmarshal(text, page); err != nil {
			return nil, nil, err
		}
		for _, d := range page.GetDeliveries() {
			var at history.Position
			if _, err := fmt.Sscanf(d.GetName(), "deliveries/d%d-%d", &at.Commit, &at.Delivery); err != nil {
				return nil, nil, fmt.Errorf("the name %q: %w", d.GetName(), err)
			}
			if p := position(d.GetLedgerPosition()); d.GetKept() && p != at {
				return nil, nil, fmt.Errorf("%s says that it stands at %v", d.GetName(), p)
			}
			all[at] = nil
			if !d.GetKept() {
				gone[at] = true
			}
			for _, o := range d.GetOutcomes() {
				name := cmp.Or(o.GetEvent(), o.GetRepeatOf(), o.GetQuarantined().GetName())
				all[at] = append(all[at], history.Told{Item: int(o.GetItem()), Repeat: o.GetRepeatOf() != "", Name: name})
			}
		}
		if page.GetNextPageToken() == "" {
			return all, gone, nil
		}
		query.Set("page_token", page.GetNextPageToken())
	}
}

// Projected waits until everything in the ledger is projected. metrics is the
// URL of the metrics. It gives up when nothing has moved for patience.
func Projected(ctx context.Context, metrics string, patience time.Duration) error {
	before, since := -1.0, time.Now()
	for {
		lag, err := figure(ctx, metrics, "paynorm_projection_lag_commits")
		switch {
		case err != nil:
			return err
		case lag == 0:
			return nil
		case lag != before:
			before, since = lag, time.Now()
		case time.Since(since) > patience:
			return fmt.Errorf("%v commits are not projected, and nothing has moved for %v", lag, patience)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// figure returns a metric without labels.
func figure(ctx context.Context, metrics, name string) (float64, error) {
	text, err := get(ctx, metrics)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() // read to its end, or given up
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s %s", url, resp.Status, text)
	}
	return text, err
}
