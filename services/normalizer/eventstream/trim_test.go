package eventstream_test

import (
	"errors"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
)

func TestTrimKeepsWhatItIsTold(t *testing.T) {
	for _, c := range []struct {
		name  string
		keep  eventstream.Keep
		upTo  int64
		first int64 // of what is left
	}{
		{"without a bound everything", eventstream.Keep{}, 100, 1},
		{"what is young", eventstream.Keep{MaxAge: time.Hour}, 100, 1},
		{"what fits", eventstream.Keep{MaxBytes: 1 << 30}, 100, 1},
		{"what the view does not have", eventstream.Keep{MaxBytes: 1}, 40, 41},
		{"the newest message, whatever its size", eventstream.Keep{MaxBytes: 1}, 1000, 100},
		{"the newest message, whatever its age", eventstream.Keep{MaxAge: 1}, 1000, 100},
		{"nothing of what the view has when it has nothing", eventstream.Keep{MaxBytes: 1}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, natsdtest.Start(t, ""))
			if err := s.Publish(t.Context(), 0, notices(1, 100)); err != nil {
				t.Fatal(err)
			}
			n, err := s.Trim(t.Context(), c.keep, c.upTo)
			if err != nil {
				t.Fatal(err)
			}
			first, err := s.First(t.Context())
			if err != nil || first != c.first || n != c.first-1 {
				t.Errorf("%d were trimmed and message %d is the first (%v), want %d", n, first, err, c.first)
			}
			if last, m, err := s.Last(t.Context()); err != nil || last != 100 || m.Cursor() != 100 {
				t.Errorf("the stream ends with %d (%v)", last, err)
			}
			if err := s.Publish(t.Context(), 100, notices(101, 1)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTrimBySizeLeavesAboutThatMuch(t *testing.T) {
	s := open(t, natsdtest.Start(t, ""))
	if err := s.Publish(t.Context(), 0, notices(1, 400)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trim(t.Context(), eventstream.Keep{MaxBytes: 20_000}, 400); err != nil {
		t.Fatal(err)
	}
	extent, err := s.Extent(t.Context())
	if err != nil || extent.Missing() != 0 || extent.Last != 400 {
		t.Fatalf("the stream holds %+v (%v)", extent, err)
	}
	if extent.Messages < 20 || extent.Messages > 200 {
		t.Errorf("%d messages of about 150 bytes are left in 20000 bytes", extent.Messages)
	}
}

func TestReadingFromWhatWasTrimmedIsRefused(t *testing.T) {
	s := open(t, natsdtest.Start(t, ""))
	if err := s.Publish(t.Context(), 0, notices(1, 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trim(t.Context(), eventstream.Keep{MaxBytes: 1}, 4); err != nil {
		t.Fatal(err)
	}
	none := func([]eventstream.Message) error { return nil }
	if err := s.ReadAfter(t.Context(), 4, 10, none); err != nil {
		t.Errorf("reading all that is there gives %v", err)
	}
	if err := s.ReadAfter(t.Context(), 3, 10, none); !errors.Is(err, eventstream.ErrNotKept) {
		t.Errorf("reading from message 4 on gives %v, want ErrNotKept", err)
	}
	if _, err := s.Get(t.Context(), 4); !errors.Is(err, eventstream.ErrNotKept) {
		t.Errorf("message 4 gives %v, want ErrNotKept", err)
	}
}

func TestDeletedStreamBeginsAnew(t *testing.T) {
	server := natsdtest.Start(t, "")
	s := open(t, server)
	if err := s.Publish(t.Context(), 0, notices(1, 10)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is none
		if err := eventstream.Delete(t.Context(), natsdtest.Connect(t, server)); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, server)
	if err := s.Publish(t.Context(), 0, notices(1, 1)); err != nil {
		t.Error(err)
	}
}
